use std::{path::Path, time::Duration};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::tools::tools_tests::{run, write};

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    for (file, text) in [
        ("invoices/a.txt", "total for ACME\r\nnothing\r\nACME again\r\n"),
        ("notes.txt", "one\ntwo\nacme\nfour\nfive\nsix\nseven\nACME\n"),
        ("bin.dat", "ACME\n\0\n"),
        (".hidden", "ACME\n"),
        ("build/out.txt", "ACME\n"),
        (".gitignore", "build/\n"),
    ] {
        write(place.path(), file, text.as_bytes());
    }
    place
}

async fn search(root: &Path, args: Value) -> String {
    match run(root, "ripgrep_search", args).await {
        Ok(output) => output.text,
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn matches_come_with_path_and_line_number() {
    let place = place();
    let output =
        run(place.path(), "ripgrep_search", json!({ "pattern": "acme", "case_insensitive": true })).await.unwrap();
    let expected = "4 matches in 2 files\ninvoices/a.txt:1: total for ACME\ninvoices/a.txt:3: ACME again\n\
        notes.txt:3: acme\nnotes.txt:8: ACME";
    assert_eq!(output.text, expected);
    assert_eq!(output.summary, "4 matches in 2 files");
    assert_eq!(output.data, Some(json!({ "matches": 4, "files": 2 })));
    for (args, expected) in [
        (json!({ "pattern": "acme" }), "1 match in 1 file\nnotes.txt:3: acme"),
        (json!({ "pattern": "zebra" }), "no matches"),
        (
            json!({ "pattern": "ACME", "path": "invoices/a.txt", "max_matches": 2 }),
            "2 matches in 1 file\ninvoices/a.txt:1: total for ACME\ninvoices/a.txt:3: ACME again",
        ),
        (
            json!({ "pattern": "ACME$", "glob": "*.TXT", "path": "invoices" }),
            "1 match in 1 file\ninvoices/a.txt:1: total for ACME",
        ),
        (json!({ "pattern": "^ACME", "path": ".hidden" }), "1 match in 1 file\n.hidden:1: ACME"),
        (json!({ "pattern": "ACME", "path": "bin.dat" }), "no matches"),
        (json!({ "pattern": "ACME", "path": "build" }), "1 match in 1 file\nbuild/out.txt:1: ACME"),
    ] {
        assert_eq!(search(place.path(), args).await, expected);
    }
}

#[tokio::test]
async fn files_only_gives_each_file_with_its_count() {
    let place = place();
    let all = search(place.path(), json!({ "pattern": "ACME", "files_only": true })).await;
    assert_eq!(all, "2 files match\ninvoices/a.txt (2)\nnotes.txt (1)");
    let none = search(place.path(), json!({ "pattern": "zebra", "files_only": true, "context": 2 })).await;
    assert_eq!(none, "no files match");
}

#[tokio::test]
async fn context_stands_around_matches_in_groups() {
    let place = place();
    let text = search(place.path(), json!({ "pattern": "(?i)acme", "context": 1 })).await;
    let expected = "4 matches in 2 files\ninvoices/a.txt:1: total for ACME\ninvoices/a.txt-2- nothing\n\
        invoices/a.txt:3: ACME again\n--\nnotes.txt-2- two\nnotes.txt:3: acme\nnotes.txt-4- four\n--\n\
        notes.txt-7- seven\nnotes.txt:8: ACME";
    assert_eq!(text, expected);
}

#[tokio::test]
async fn the_search_stops_at_the_match_that_is_one_too_many() {
    let place = place();
    let text = search(place.path(), json!({ "pattern": "(?i)acme", "max_matches": 3, "context": 1 })).await;
    assert!(text.starts_with("3 matches in 2 files\n"), "{text}");
    assert!(
        text.ends_with(
            "notes.txt:3: acme\nnotes.txt-4- four\n[cut: stopped at 3 matches; narrow the pattern or the path]"
        ),
        "{text}"
    );
    let exact = search(place.path(), json!({ "pattern": "(?i)acme", "max_matches": 4 })).await;
    assert!(!exact.contains("[cut:"), "{exact}");
    let files = search(place.path(), json!({ "pattern": "(?i)acme", "max_matches": 2, "files_only": true })).await;
    assert_eq!(
        files,
        "1 file matches\ninvoices/a.txt (2)\n[cut: stopped at 2 matches; narrow the pattern or the path]"
    );
}

#[tokio::test]
async fn long_lines_and_long_answers_are_cut() {
    let place = TempDir::new().unwrap();
    write(place.path(), "long.txt", "é".repeat(401).as_bytes());
    let long = search(place.path(), json!({ "pattern": "é" })).await;
    assert_eq!(long, format!("1 match in 1 file\nlong.txt:1: {} […]", "é".repeat(400)));
    write(place.path(), "long.txt", format!("{}\n", "é".repeat(400)).repeat(1000).as_bytes());
    let full = search(place.path(), json!({ "pattern": "é", "max_matches": 1000 })).await;
    assert!(full.len() < MAX_TEXT_BYTES + 200);
    assert!(
        full.ends_with(" matches, as much as fits; narrow the pattern or the path]"),
        "{}",
        &full[full.len() - 90..]
    );
}

#[tokio::test]
async fn a_bad_expression_shows_where() {
    let place = place();
    let text = search(place.path(), json!({ "pattern": "total (for" })).await;
    assert!(text.contains("unclosed group") && text.contains("    total (for\n          ^"), "{text}");
    let lines = search(place.path(), json!({ "pattern": "a\nb" })).await;
    assert!(lines.starts_with("`pattern` is not a regular expression that can be searched for:"), "{lines}");
    let missing = search(place.path(), json!({ "pattern": "a", "path": "note.txt" })).await;
    assert!(missing.starts_with("There is no file or folder `note.txt` in the workspace. Names near it: notes.txt."));
}

#[test]
fn when_time_is_up_the_text_says_so_and_after_a_stop_there_is_none() {
    let place = place();
    let workspace = Workspace::open(place.path()).unwrap();
    let cancel = CancellationToken::new();
    let watch = Watch::new(cancel.clone(), Duration::ZERO);
    for target in [".", "notes.txt"] {
        let args: Args = arguments(json!({ "pattern": "ACME", "path": target })).unwrap();
        let output = Search::new(&args, usize::MAX).unwrap().run(&workspace, &watch).unwrap();
        assert_eq!(output.text, "no matches\n[cut: stopped after 30 seconds; narrow the pattern or the path]");
    }
    cancel.cancel();
    let args: Args = arguments(json!({ "pattern": "ACME" })).unwrap();
    assert_eq!(Search::new(&args, usize::MAX).unwrap().run(&workspace, &watch), Err(stopped()));
}
