//! Which room may use which, where `cfg(feature)` may stand, and how long a file may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each room of `src/` and the rooms that it may use. A file beside the rooms is a room of its own.
const ROOMS: &[(&str, &[&str])] = &[
    ("access", &["config", "protocol"]),
    ("protocol", &[]),
    ("ui", &["protocol"]),
    // What a text must not tell is a question to every room that writes texts down; the answer needs no room.
    ("redaction", &[]),
    ("agent", &["protocol", "redaction"]),
    // It draws for the page, in the page's words and with its icons.
    ("cards", &["markdown", "protocol", "ui"]),
    ("config", &[]),
    ("markdown", &[]),
    ("sandbox", &[]),
    ("documents", &[]),
    // The port of each adapter is `agent::ports`; nothing else of the agent is theirs.
    // It counts what the store publishes, in the feeds' place before them.
    ("metrics", &["agent::ports", "protocol"]),
    ("models", &["agent::ports", "protocol", "config"]),
    ("store", &["agent::ports", "protocol", "redaction"]),
    // They read their own settings, as the models do: MCP servers stand in the file.
    ("tools", &["agent::ports", "config", "documents", "protocol", "sandbox", "workspace"]),
    ("workspace", &["agent::ports", "protocol"]),
    ("log_commands", &["agent::ports", "protocol", "store"]),
    ("telemetry", &["config", "redaction", "traces"]),
    ("traces", &[]),
    // It stands in the place of `traces` where that is not built.
    ("no_traces", &[]),
    ("state", &["access", "agent", "cards", "documents", "metrics", "protocol", "ui"]),
    (
        "web",
        &[
            "access",
            "state",
            "agent",
            "cards",
            "config",
            "documents",
            "markdown",
            "metrics",
            "protocol",
            "ui",
            "workspace",
        ],
    ),
    ("lib", &["ui"]),
    // What its probe looks for is the web's.
    ("cli", &["access", "config", "models", "protocol", "sandbox", "store", "web", "workspace"]),
    (
        "main",
        &[
            "access",
            "agent",
            "config",
            "log_commands",
            "documents",
            "metrics",
            "models",
            "protocol",
            "redaction",
            "sandbox",
            "state",
            "store",
            "telemetry",
            "tools",
            "web",
            "workspace",
        ],
    ),
];

/// Longer files are two things.
const MOST_LINES: usize = 500;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The room of a file below `src`.
fn room(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The source without comments and texts, which may name anything.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(end) = raw_text(rest).or_else(|| text(rest)) {
            code.push_str("\"\"");
            end
        } else {
            code.push(next);
            next.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

fn raw_text(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?.bytes().take_while(|byte| *byte == b'#').count();
    let body = rest.get(1 + hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    body.find(&end).map(|at| 1 + hashes + 1 + at + end.len())
}

fn text(rest: &str) -> Option<usize> {
    if let Some(character) = ["'\"'", "'\\\"'", "'\\\\'"].iter().find(|quoted| rest.starts_with(**quoted)) {
        return Some(character.len());
    }
    let body = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = body.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

/// What the code uses of the crate: the first name of each path behind `crate::`, and the second for the agent.
fn uses(code: &str, crate_name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(crate_name) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let behind = &code[at + crate_name.len()..];
        for path in branches(behind) {
            found.insert(path);
        }
    }
    found
}

/// `a::b`, or each branch of `{a::b, c::{d, e}}`, cut to the room, or to two names for the agent.
fn branches(behind: &str) -> Vec<String> {
    let Some(group) = behind.strip_prefix('{') else { return vec![named(behind)] };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.into_iter().map(str::trim).filter(|branch| !branch.is_empty()).map(named).collect()
}

fn named(path: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |text: &str| text.chars().take_while(|c| is_name(*c)).collect::<String>();
    let first = name(path);
    let second = path.get(first.len()..).and_then(|rest| rest.strip_prefix("::")).map(name).unwrap_or_default();
    if first == "agent" && second == "ports" { "agent::ports".into() } else { first }
}

fn allowed(room: &str, used: &str) -> bool {
    let Some((_, may)) = ROOMS.iter().find(|(name, _)| *name == room) else { return false };
    let whole = used.split("::").next().unwrap();
    whole == room || may.contains(&used) || may.contains(&whole)
}

#[test]
fn every_room_uses_only_the_rooms_that_it_may() {
    let mut faults: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&root().join("src")) {
        let code = code(&fs::read_to_string(&file).unwrap());
        let room = room(&file);
        let crate_name = if room == "main" || room == "cli" { "cowork::" } else { "crate::" };
        for used in uses(&code, crate_name) {
            if !allowed(&room, &used) {
                faults.entry(format!("{room} uses {used}")).or_default().insert(file.display().to_string());
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_room_is_in_the_table_and_the_table_has_no_other() {
    let there: BTreeSet<String> = sources(&root().join("src")).iter().map(|file| room(file)).collect();
    let listed: BTreeSet<String> = ROOMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, listed);
}

#[test]
fn features_are_asked_for_in_two_places_alone() {
    for file in sources(&root().join("src")) {
        let inside = file.strip_prefix(root().join("src")).unwrap();
        if inside != Path::new("lib.rs") && !inside.starts_with("ui/browser") {
            let code = code(&fs::read_to_string(&file).unwrap());
            assert!(!code.contains("feature ="), "{}", file.display());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for folder in ["src", "tests"] {
        for file in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn the_reader_of_sources_sees_what_is_used_and_nothing_else() {
    let source = r##"
        //! [`crate::store`]
        use crate::{agent::{Agent, ports::store::Store}, protocol::Seq, web::{self}};
        use crate::agent::ports::tool::Tool;
        const A: &str = "crate::models"; const B: &str = r#"crate::"ui"#; const C: char = '"'; let x = crate::state::x();
    "##;
    let used: Vec<_> = uses(&code(source), "crate::").into_iter().collect();
    assert_eq!(used, ["agent", "agent::ports", "protocol", "state", "web"]);
    assert!(allowed("store", "agent::ports") && !allowed("store", "agent"));
    assert!(allowed("web", "agent::ports") && allowed("ui", "ui") && !allowed("protocol", "ui"));
}
