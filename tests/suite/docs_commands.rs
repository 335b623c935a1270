//! The commands of the docs are run: most of them here, in their order, in a home of their own beside a real server; those
//! that make a machine of their own by the scripts in `deploy`.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::support::process::{Home, Process};

/// Pages whose commands are run here, and how many blocks of them.
const PAGES: &[(&str, usize)] =
    &[("README.md", 1), ("docs/operators.md", 5), ("docs/events.md", 3), ("docs/tutorial.md", 1)];
/// Blocks that nobody runs: what they start is what runs everything else, or what a developer looks at by eye.
const BY_HAND: &[(&str, usize)] = &[
    ("README.md", 1),
    ("docs/development.md", 3),
    ("docs/guarantees.md", 1),
    // A collector of spans; tests/otel/run builds it and looks at what it sends.
    ("docs/operators.md", 1),
    ("docs/performance.md", 3),
];
/// The address in the docs.
const USUAL: &str = "http://127.0.0.1:9000";

/// Where a block is run, by the words behind its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Beside a server that has a finished session.
    Beside,
    /// After that server has stopped, and Loom has made its file.
    Stopped,
    /// In another home, which knows nothing of the first one.
    Elsewhere,
    /// Not here.
    Unmarked,
}

#[derive(Debug)]
struct Block<'a> {
    section: &'a str,
    place: Place,
    text: &'a str,
}

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

fn pages() -> Vec<String> {
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    pages.chain(["README.md".into(), "ARCHITECTURE.md".into()]).collect()
}

/// Everything that is meant for a shell.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut section, mut found) = ("", Vec::new());
    // Between fences stands prose, then a block, in turn.
    for (at, part) in text.split("```").enumerate() {
        if at % 2 == 0 {
            section = part.lines().filter_map(|line| line.strip_prefix("## ")).next_back().unwrap_or(section);
            continue;
        }
        let (info, text) = part.split_once('\n').unwrap_or((part, ""));
        let place = match info {
            "sh" => Place::Unmarked,
            "sh run" => Place::Beside,
            "sh run stopped" => Place::Stopped,
            "sh run elsewhere" => Place::Elsewhere,
            _ => {
                assert!(!info.starts_with("sh "), "nobody knows where to run {info:?}");
                continue;
            }
        };
        found.push(Block { section, place, text });
    }
    found
}

/// What the docs can only show, and here is.
struct World {
    home: Home,
    elsewhere: Home,
    address: String,
    session: String,
    head: String,
}

impl World {
    async fn start() -> (Self, Process) {
        let home = Home::new();
        fs::create_dir(home.path().join("projects")).unwrap();
        let process = home.start_plain().await;
        let session = process.api.create(json!({})).await;
        let mut socket = process.socket(&session, "").await;
        process.api.send(&session, "Which files are here?").await;
        socket.wait_event("turn_completed").await;
        let address = format!("http://{}", process.address);
        (Self { home, elsewhere: Home::new(), address, session, head: String::new() }, process)
    }

    /// The server ends, and tells its log's head; then Loom's file comes.
    async fn stop(&mut self, process: Process) {
        let log = process.end().await;
        let end = log.lines().find(|line| line.contains("the log ends here")).expect("the log's end is told");
        let head = end.split_once("head=").unwrap().1;
        self.head = head.trim_matches(['"', ' ']).to_owned();
        let looms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loom-0.3.0.db");
        fs::copy(looms, self.home.path().join(".loom/loom.db")).unwrap();
    }

    fn script(&self, text: &str) -> String {
        let database = self.home.path().join(".loom/cowork.db");
        let folder = &self.elsewhere.workspace;
        text.replace(USUAL, &self.address)
            .replace("0123…cdef", &self.session)
            .replace("0a1b2c3d4e5f60718293a4b5c6d7e8f9", &self.session)
            .replace("--database F", &format!("--database {}", database.display()))
            .replace("5f0c…", &self.head)
            .replace("/srv/museum", folder.to_str().unwrap())
    }

    async fn run(&self, page: &str, block: &Block<'_>) {
        let script = self.script(block.text);
        let program = Path::new(env!("CARGO_BIN_EXE_cowork")).parent().unwrap();
        let home = if block.place == Place::Elsewhere { &self.elsewhere } else { &self.home };
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", &script])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()));
        let ended = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success(), "{page}:\n{script}\n{out}\n{err}");
        // `curl -s` succeeds with every answer of a server that is there.
        assert!(!out.contains("about:blank"), "{page}:\n{script}\n{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_is_marked_runs() {
    for (page, expected) in PAGES {
        let text = read(page);
        let blocks = blocks(&text);
        assert_eq!(blocks.iter().filter(|block| block.place != Place::Unmarked).count(), *expected, "{page}");
        let (mut world, process) = World::start().await;
        for block in blocks.iter().filter(|block| block.place == Place::Beside) {
            world.run(page, block).await;
        }
        world.stop(process).await;
        for block in blocks.iter().filter(|block| matches!(block.place, Place::Stopped | Place::Elsewhere)) {
            world.run(page, block).await;
        }
    }
}

/// The script that runs the `number`th unmarked block of a section, if there is one.
fn runner(block: &Block<'_>, number: usize) -> Option<&'static str> {
    let section = block.section;
    let walked =
        if section.contains(' ') { format!("guide '{section}' {number}") } else { format!("guide {section} {number}") };
    let is_walked = read("deploy/walk").lines().any(|line| line.trim() == walked);
    let contained = format!("deploy/block \"{section}\" sh {number}");
    let is_contained = read("deploy/container").contains(&contained);
    let is_served = block.text.trim() == "cowork --workspace museum";
    match (is_walked, is_contained, is_served) {
        (true, ..) => Some("deploy/walk"),
        (_, true, _) => Some("deploy/container"),
        // The server that the tutorial is followed on.
        (.., true) => Some("docs_tutorial"),
        _ => None,
    }
}

/// Commands of ours within sentences and tables.
fn commands_in_prose(text: &str) -> Vec<Vec<&str>> {
    let prose = text.split("```").step_by(2);
    let codes = prose.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    codes.filter_map(|code| code.strip_prefix("cowork ")).map(|words| words.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn a_command_within_a_sentence_is_one_that_the_program_has() {
    let home = Home::new();
    let mut asked = 0;
    for page in pages() {
        let text = read(&page);
        for words in commands_in_prose(&text) {
            let named = if words[0] == "user" { words.len().min(2) } else { 1 };
            let help = home.run(&[&words[..named], &["--help"]].concat()).await;
            assert_eq!(help.code, Some(0), "{page}: {words:?}: {help:?}");
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.out.contains(option), "{page}: {words:?}: {}", help.out);
            }
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

/// What a developer starts by hand is there, and can be started.
#[test]
fn every_script_that_the_docs_name_is_there() {
    let mut found = 0;
    for page in pages() {
        let text = read(&page);
        for line in blocks(&text).iter().flat_map(|block| block.text.lines()) {
            let words = line.split('#').next().unwrap_or_default().split([' ', '(', '"', ')']);
            for script in
                words.filter(|word| ["./", "scripts/", "tests/", "deploy/"].iter().any(|start| word.starts_with(start)))
            {
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(script).is_file(), "{page}: {line}");
                found += 1;
            }
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn every_other_command_is_run_by_a_script_or_stands_on_a_short_list() {
    for page in pages() {
        let text = read(&page);
        let blocks = blocks(&text);
        let mut by_hand = Vec::new();
        for (at, block) in blocks.iter().enumerate().filter(|(_, block)| block.place == Place::Unmarked) {
            let same = |other: &&Block<'_>| other.section == block.section && other.place == Place::Unmarked;
            let number = blocks[..=at].iter().filter(same).count();
            if runner(block, number).is_none() {
                by_hand.push(block);
            }
        }
        let known = BY_HAND.iter().find(|(known, _)| *known == page).map_or(0, |(_, count)| *count);
        assert_eq!(by_hand.len(), known, "{page}: {by_hand:?}");
        let is_known = PAGES.iter().any(|(known, _)| *known == page);
        assert!(is_known || blocks.iter().all(|block| block.place == Place::Unmarked), "{page}");
    }
}
