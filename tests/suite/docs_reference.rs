//! The reference pages against the program: keys of the configuration and codes of errors.

use std::{collections::BTreeSet, fs, path::Path};

use cowork::{config, protocol::ErrorCode};

pub fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// Rows of tables whose first cell holds code: the first cell, and the others.
pub fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[0].clone(), cells[1..].to_vec())).collect()
}

/// What stands between backticks.
pub fn codes(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Keys of the page, each with its section: `[server] host`, `port` names two of `server`.
fn documented(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut section = String::new();
    for part in text.split("\n## ") {
        // These have a table each, whose first line names the section.
        let below = match part.split('\n').next().unwrap_or_default() {
            "Access" => Some("cowork.access"),
            "Limits" => Some("cowork.limits"),
            "Models" => Some("models"),
            "MCP servers" => Some("mcp.servers"),
            _ => None,
        };
        for (first, _) in rows(part) {
            let mut before = String::new();
            for code in codes(&first) {
                let name = match code.strip_prefix('[').and_then(|code| code.split_once(']')) {
                    Some((named, name)) => {
                        section = named.to_owned();
                        name.trim().to_owned()
                    }
                    None => code,
                };
                // `…_max_delay_seconds` goes on like the key before it.
                let name = match name.strip_prefix('…') {
                    Some("") => continue,
                    Some(end) => format!("{}{end}", before.split("_base").next().unwrap_or_default()),
                    None => {
                        before.clone_from(&name);
                        name
                    }
                };
                found.insert((below.unwrap_or(&section).to_owned(), name));
            }
        }
    }
    found
}

#[test]
fn every_key_of_the_configuration_is_on_its_page() {
    let documented = documented(&page("configuration.md"));
    let there: BTreeSet<(String, String)> =
        config::own_keys().into_iter().map(|(section, key)| (section.to_owned(), key.to_owned())).collect();
    assert!(there.len() > 40, "{there:?}");
    let missing: Vec<_> = there.difference(&documented).collect();
    let strange: Vec<_> = documented.difference(&there).collect();
    assert!(missing.is_empty() && strange.is_empty(), "not on the page: {missing:#?}\nno such key: {strange:#?}");
}

#[test]
fn every_error_code_is_on_its_page_with_its_status_and_no_other() {
    let text = page("errors.md");
    let there: BTreeSet<(String, u16)> =
        ErrorCode::ALL.iter().map(|code| (code.as_str().to_owned(), code.status())).collect();
    let mut documented = BTreeSet::new();
    for (first, cells) in rows(&text) {
        let status = |text: &str| text.trim().parse::<u16>().unwrap_or_else(|_| panic!("{first}: {cells:?}"));
        let statuses: Vec<u16> = cells[0].split(',').map(status).collect();
        // One status for all of the row, or one for each.
        let each = codes(&first).into_iter().zip(statuses.iter().cycle().copied());
        documented.extend(each);
        assert!(cells[1].len() > 10, "{first} says what helps");
    }
    assert_eq!(documented, there);
}
