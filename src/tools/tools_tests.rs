//! The tools as the turn loop runs them: arguments in, text out.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    agent::ports::tool::{Action, ToolContext, ToolError, ToolOutput, Tools},
    protocol::Risk,
    sandbox::Settings,
};

/// The workspace of the examples. Later files are older.
fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    for (age, (file, text)) in [
        ("invoices/2024/b.csv", "id,total\n1,20\n"),
        ("ledger-march.csv", "id,total\n"),
        ("notes.txt", "alpha\nbeta needle\n\n"),
        ("invoices/a.txt", "total for ACME\r\nnothing\r\nACME again\r\n"),
        ("old.txt", ""),
        (".hidden", "needle\n"),
        (".git/config", "needle\n"),
        ("build/out.csv", "needle\n"),
        (".gitignore", "build/\n"),
    ]
    .into_iter()
    .enumerate()
    {
        write(place.path(), file, text.as_bytes());
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - 60 * age as u64);
        fs::File::options().write(true).open(place.path().join(file)).unwrap().set_modified(time).unwrap();
    }
    place
}

pub(super) fn write(root: &Path, file: &str, bytes: &[u8]) {
    let file = root.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

pub(super) async fn run(root: &Path, tool: &str, args: Value) -> Result<ToolOutput, ToolError> {
    let cancel = CancellationToken::new();
    let tools = Tools::new(reading_tools(Reader::new("/nowhere")));
    tools.get(tool).unwrap().run(args, ToolContext::alone(root, root, &cancel)).await
}

async fn text(root: &Path, tool: &str, args: Value) -> String {
    run(root, tool, args).await.unwrap().text
}

async fn refusal(root: &Path, tool: &str, args: Value) -> String {
    match run(root, tool, args).await {
        Err(ToolError::RespondToModel(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_tool_has_a_clean_schema_and_a_preview_of_one_line() {
    let tools = all_tools(Arc::new(Sandbox::new("nowhere", Settings::default())));
    let names = [
        "ask_user",
        "conversation_recall",
        "delete_file",
        "edit_file",
        "git_command",
        "glob_find",
        "list_directory",
        "move_file",
        "read_file",
        "ripgrep_search",
        "shell_execute",
        "task_tracker",
        "write_file",
    ];
    assert_eq!(tools.names().collect::<Vec<_>>(), names);
    for spec in tools.specs().iter() {
        let schema = spec.parameters.to_string();
        for noise in ["$schema", "title", "format", "null", "$ref"] {
            assert!(!schema.contains(noise), "{}: {schema}", spec.name);
        }
        assert_eq!(spec.parameters["additionalProperties"], json!(false));
        let tool = tools.get(&spec.name).unwrap();
        let long = format!("a\nb{}", "é".repeat(200));
        let args = json!({ "path": long, "pattern": long, "source": long, "command": long, "args": [long] });
        let preview = tool.preview(&args);
        assert!(preview.chars().count() <= 80 && !preview.contains('\n'), "{preview:?}");
        tool.preview(&json!("no object"));
    }
    let search = tools.get("ripgrep_search").unwrap();
    assert_eq!(search.preview(&json!({ "pattern": "a+" })), "/a+/");
    assert_eq!(search.preview(&json!({ "pattern": "a+", "path": "x" })), "/a+/ in x");
    let git = tools.get("git_command").unwrap();
    assert_eq!(git.preview(&json!({ "args": ["commit", "-m", "Add March"] })), "git commit -m Add March");
}

#[test]
fn running_tools_say_what_a_call_would_do() {
    let tools = all_tools(Arc::new(Sandbox::new("nowhere", Settings::default())));
    let action = |tool: &str, args: Value| tools.get(tool).unwrap().action(&args);
    let run = |scope: Option<&str>| Action::risky(Risk::Run, scope.map(str::to_owned));
    assert_eq!(action("shell_execute", json!({ "command": "cargo test -q" })), run(Some("cargo test")));
    assert_eq!(action("shell_execute", json!({ "command": "ls; rm -rf ." })), run(None));
    assert_eq!(action("git_command", json!({ "args": ["status", "-s"] })), Action::READ);
    assert_eq!(action("git_command", json!({ "args": ["commit", "-m", "x"] })), run(Some("git commit")));
    assert_eq!(action("git_command", json!({ "args": ["reset", "--hard"] })), run(None));
    let push = Action::risky(Risk::Network, Some("git push".into()));
    assert_eq!(action("git_command", json!({ "args": ["push", "origin", "main"] })), push);
    for wrong in [json!(null), json!({}), json!({ "args": "status", "command": 7 }), json!({ "args": [1] })] {
        assert_eq!(action("git_command", wrong.clone()), run(None));
        assert_eq!(action("shell_execute", wrong), run(None));
    }
}

#[tokio::test]
async fn list_directory_shows_folders_then_files() {
    let place = place();
    symlink("invoices", place.path().join("bills")).unwrap();
    symlink("/etc/passwd", place.path().join("zz")).unwrap();
    let output = run(place.path(), "list_directory", json!({})).await.unwrap();
    let expected = ".: 3 folders, 6 files\nbills@ -> invoices\nbuild/\ninvoices/\n.gitignore (7 bytes)\n.hidden (7 bytes)\n\
        ledger-march.csv (9 bytes)\nnotes.txt (19 bytes)\nold.txt (0 bytes)\nzz@ -> /etc/passwd";
    assert_eq!(output.text, expected);
    assert_eq!(output.summary, "3 folders, 6 files");
    let inside = text(place.path(), "list_directory", json!({ "path": "./bills/" })).await;
    assert_eq!(inside, "bills: 1 folder, 1 file\n2024/\na.txt (37 bytes)");
}

#[tokio::test]
async fn list_directory_says_what_it_left_out() {
    let place = TempDir::new().unwrap();
    assert_eq!(text(place.path(), "list_directory", json!({ "path": "" })).await, ".: 0 folders, 0 files");
    for number in 0..502 {
        write(place.path(), &format!("{number:03}.txt"), b"");
    }
    let listing = text(place.path(), "list_directory", json!({})).await;
    assert_eq!(listing.lines().count(), 502);
    assert!(listing.starts_with(".: 0 folders, 502 files\n000.txt (0 bytes)\n"));
    assert!(listing.ends_with("499.txt (0 bytes)\n[cut: 2 more entries; list a folder inside]"));
}

#[tokio::test]
async fn a_name_with_a_line_break_stays_one_line() {
    let place = TempDir::new().unwrap();
    write(place.path(), "a\n[cut: nothing].txt", b"");
    let listing = text(place.path(), "list_directory", json!({})).await;
    assert_eq!(listing, ".: 0 folders, 1 file\na\u{fffd}[cut: nothing].txt (0 bytes)");
}

#[tokio::test]
async fn paths_that_cannot_be_used_say_why_and_what_to_do() {
    let place = place();
    symlink("/etc", place.path().join("etc")).unwrap();
    for (tool, args, expected) in [
        (
            "read_file",
            json!({ "path": "notes.tx" }),
            "There is no file `notes.tx` in the workspace. Names near it: notes.txt. List the folder with list_directory.",
        ),
        (
            "read_file",
            json!({ "path": "zzz/zzz" }),
            "There is no file `zzz/zzz` in the workspace. List the folder with list_directory.",
        ),
        (
            "list_directory",
            json!({ "path": "invoice" }),
            "There is no folder `invoice` in the workspace. Names near it: invoices. List the folder with list_directory.",
        ),
        (
            "read_file",
            json!({ "path": "invoices" }),
            "`invoices` is a folder, not a file. List it with list_directory.",
        ),
        ("list_directory", json!({ "path": "old.txt" }), "`old.txt` is a file, not a folder. Read it with read_file."),
        (
            "glob_find",
            json!({ "pattern": "*", "path": "old.txt" }),
            "`old.txt` is a file, not a folder. Read it with read_file.",
        ),
        ("read_file", json!({ "path": "etc/passwd" }), "`etc/passwd` leads out of the workspace, and is not followed."),
        (
            "ripgrep_search",
            json!({ "pattern": "root", "path": "etc" }),
            "`etc` leads out of the workspace, and is not followed.",
        ),
        (
            "list_directory",
            json!({ "path": "../x" }),
            "`path` can't be `../x`: it has `..` in it; paths stay inside the workspace. Write it like `invoices/march.csv`.",
        ),
        (
            "read_file",
            json!({ "line_start": "ten" }),
            "`path` is missing. `line_start` must be a whole number, 1 or more, not \"ten\".",
        ),
    ] {
        assert_eq!(refusal(place.path(), tool, args).await, expected);
    }
}

#[tokio::test]
async fn a_stopped_call_answers_at_once() {
    let place = place();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let context = ToolContext::alone(place.path(), place.path(), &cancel);
    let tools = Tools::new(reading_tools(Reader::new("/nowhere")));
    for (tool, args) in [
        ("list_directory", json!({})),
        ("read_file", json!({ "path": "notes.txt" })),
        ("glob_find", json!({ "pattern": "*" })),
        ("ripgrep_search", json!({ "pattern": "." })),
    ] {
        assert_eq!(tools.get(tool).unwrap().run(args, context).await, Err(work::stopped()), "{tool}");
    }
}

#[tokio::test]
async fn read_file_numbers_lines() {
    let place = place();
    let output = run(place.path(), "read_file", json!({ "path": "notes.txt" })).await.unwrap();
    assert_eq!(output.text, "notes.txt: lines 1-3 of 3\n1\talpha\n2\tbeta needle\n3\t");
    assert_eq!(output.summary, "3 lines");
    assert_eq!(output.data, Some(json!({ "total_lines": 3, "line_start": 1, "line_end": 3 })));
    let crlf =
        text(place.path(), "read_file", json!({ "path": "invoices/a.txt", "line_start": 2, "line_end": 2 })).await;
    assert_eq!(crlf, "invoices/a.txt: lines 2-2 of 3\n2\tnothing");
    assert_eq!(text(place.path(), "read_file", json!({ "path": "old.txt" })).await, "old.txt: empty");
}

#[tokio::test]
async fn read_file_takes_text_of_every_kind() {
    let place = TempDir::new().unwrap();
    for (file, bytes, expected) in [
        ("no-end.txt", "äöü 数\nlast".as_bytes(), "no-end.txt: lines 1-2 of 2\n1\täöü 数\n2\tlast"),
        (
            "latin1.txt",
            b"caf\xe9\n",
            "latin1.txt (not UTF-8; read as Windows-1252, and edit_file can't change it): lines 1-1 of 1\n1\tcafé",
        ),
        ("break.txt", b"\n", "break.txt: lines 1-1 of 1\n1\t"),
        ("tabs.txt", b"\ta  b\n", "tabs.txt: lines 1-1 of 1\n1\t\ta  b"),
    ] {
        write(place.path(), file, bytes);
        assert_eq!(text(place.path(), "read_file", json!({ "path": file })).await, expected);
    }
    write(place.path(), "long.txt", "é".repeat(2001).as_bytes());
    let long = text(place.path(), "read_file", json!({ "path": "long.txt" })).await;
    assert_eq!(long, format!("long.txt: lines 1-1 of 1\n1\t{} […]", "é".repeat(2000)));
}

#[tokio::test]
async fn read_file_gives_long_files_in_pages() {
    let place = TempDir::new().unwrap();
    let lines: String = (1..=3812).map(|number| format!("line {number}\n")).collect();
    write(place.path(), "long.txt", lines.as_bytes());
    let first = run(place.path(), "read_file", json!({ "path": "long.txt" })).await.unwrap();
    assert!(first.text.starts_with("long.txt: lines 1-2000 of 3812\n1\tline 1\n"));
    assert!(
        first.text.ends_with("\n2000\tline 2000\n[cut: lines 2001-3812 follow; call read_file with line_start=2001]")
    );
    assert_eq!(first.summary, "lines 1-2,000 of 3,812");
    assert_eq!(first.data, Some(json!({ "total_lines": 3812, "line_start": 1, "line_end": 2000 })));
    let second = text(place.path(), "read_file", json!({ "path": "long.txt", "line_start": 2001 })).await;
    assert!(second.starts_with("long.txt: lines 2001-3812 of 3812\n2001\tline 2001\n"));
    assert!(second.ends_with("\n3812\tline 3812"));
    let asked = text(place.path(), "read_file", json!({ "path": "long.txt", "line_start": 2, "line_end": 2500 })).await;
    assert!(asked.ends_with("[cut: lines 2002-2500 follow; call read_file with line_start=2002]"));

    write(place.path(), "wide.txt", format!("{}\n", "x".repeat(1000)).repeat(100).as_bytes());
    let wide = text(place.path(), "read_file", json!({ "path": "wide.txt" })).await;
    assert!(
        wide.ends_with("[cut: lines 66-100 follow; call read_file with line_start=66]"),
        "{}",
        &wide[wide.len() - 80..]
    );
}

#[tokio::test]
async fn read_file_refuses_what_is_no_text_and_lines_that_are_not_there() {
    let place = TempDir::new().unwrap();
    write(place.path(), "image.png", b"\x89PNG\0\0");
    write(place.path(), "three.txt", b"1\n2\n3\n");
    fs::File::create(place.path().join("huge.txt")).unwrap().set_len(read_file::MAX_FILE_BYTES + 1).unwrap();
    for (args, expected) in [
        (json!({ "path": "image.png" }), "`image.png` is a binary file (6 bytes), so it can't be read as text."),
        (json!({ "path": "huge.txt" }), "`huge.txt` is larger than 64 MiB. Look for a part of it with ripgrep_search."),
        (
            json!({ "path": "three.txt", "line_start": 4 }),
            "`three.txt` has 3 lines, so there is nothing from line_start=4 on.",
        ),
        (json!({ "path": "three.txt", "line_start": 3, "line_end": 2 }), "line_end=2 comes before line_start=3."),
        (json!({ "path": "three.txt", "line_start": 0 }), "`line_start` must be a whole number, 1 or more, not 0."),
    ] {
        assert_eq!(refusal(place.path(), "read_file", args).await, expected);
    }
}

#[tokio::test]
async fn glob_find_gives_the_newest_first() {
    let place = place();
    let output = run(place.path(), "glob_find", json!({ "pattern": "**/*.CSV" })).await.unwrap();
    assert_eq!(output.text, "2 files match\ninvoices/2024/b.csv\nledger-march.csv");
    assert_eq!(output.summary, "2 files match");
    for (args, expected) in [
        (json!({ "pattern": "*.csv", "path": "invoices" }), "1 file matches\ninvoices/2024/b.csv"),
        (json!({ "pattern": "2024/*", "path": "invoices" }), "1 file matches\ninvoices/2024/b.csv"),
        (json!({ "pattern": "config" }), "no files match"),
        (json!({ "pattern": ".hid*" }), "1 file matches\n.hidden"),
    ] {
        assert_eq!(text(place.path(), "glob_find", args).await, expected);
    }
    let wrong = refusal(place.path(), "glob_find", json!({ "pattern": "../*" })).await;
    assert!(wrong.starts_with("`pattern` can't be `../*`: it has `..` in it"), "{wrong}");
}
