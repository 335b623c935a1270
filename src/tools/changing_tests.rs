//! The tools that change files as the turn loop runs them, each test with a workspace and a turn of its own.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{tools_tests::write, *};
use crate::{
    agent::ports::tool::{Action, ToolContext, ToolError, ToolOutput, Tools},
    protocol::Risk,
    workspace::{Workspace, changes::TurnChanges},
};

pub(super) struct Desk {
    place: TempDir,
    tools: Tools,
}

impl Desk {
    pub fn new() -> Self {
        let place = TempDir::new().unwrap();
        fs::create_dir(place.path().join("w")).unwrap();
        Self { place, tools: Tools::new(file_tools()) }
    }

    pub fn with(file: &str, bytes: impl AsRef<[u8]>) -> Self {
        let desk = Self::new();
        write(&desk.at(""), file, bytes.as_ref());
        desk
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.place.path().join("w").join(path)
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.at(path)).unwrap()
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }

    pub async fn run(&self, tool: &str, args: Value) -> Result<ToolOutput, ToolError> {
        let cancel = CancellationToken::new();
        let (root, data) = (self.at(""), self.place.path().join("data/s/1"));
        self.tools.get(tool).unwrap().run(args, ToolContext::alone(&root, &data, &cancel)).await
    }

    pub async fn done(&self, tool: &str, args: Value) -> ToolOutput {
        self.run(tool, args).await.unwrap()
    }

    pub async fn refusal(&self, tool: &str, args: Value) -> String {
        match self.run(tool, args).await {
            Err(ToolError::RespondToModel(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    pub fn undo(&self) {
        let workspace = Workspace::open(&self.at("")).unwrap();
        let undone = TurnChanges::open(&workspace, &self.place.path().join("data/s/1")).undo(None).unwrap();
        assert_eq!(undone.conflicts, []);
    }

    fn foresee(&self, tool: &str, args: &Value) -> Result<Option<String>, ToolError> {
        self.tools.get(tool).unwrap().foresee(args, &self.at(""))
    }

    fn action(&self, tool: &str, args: Value) -> Action {
        self.tools.get(tool).unwrap().action(&args)
    }
}

#[tokio::test]
async fn write_file_makes_a_file_with_its_folders() {
    let desk = Desk::new();
    let output = desk.done("write_file", json!({ "path": "a/b/c.txt", "content": "one\ntwo\n" })).await;
    assert_eq!(output.text, "Created `a/b/c.txt`: 2 lines, 8 bytes.");
    assert_eq!(output.summary, "created, 2 lines, 8 bytes");
    assert_eq!(output.diff.as_deref(), Some("--- /dev/null\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"));
    assert_eq!(output.files_changed, ["a/b/c.txt"]);
    assert_eq!(desk.text("a/b/c.txt"), "one\ntwo\n");
    desk.undo();
    assert!(!desk.at("a").exists());
}

#[tokio::test]
async fn write_file_replaces_and_keeps_permissions_and_ways_of_writing() {
    let desk = Desk::with("run.bat", "\u{feff}echo a\r\nexit\r\n");
    fs::set_permissions(desk.at("run.bat"), fs::Permissions::from_mode(0o755)).unwrap();
    let output = desk.done("write_file", json!({ "path": "run.bat", "content": "echo b\nexit\n" })).await;
    assert_eq!(
        output.text,
        "Replaced `run.bat`: 2 lines, 17 bytes; before it had 2 lines, 17 bytes. Its line endings (CRLF) were kept. Its \
         byte order mark was kept."
    );
    assert_eq!(output.summary, "replaced, +1 -1 lines");
    assert_eq!(desk.text("run.bat"), "\u{feff}echo b\r\nexit\r\n");
    assert_eq!(fs::metadata(desk.at("run.bat")).unwrap().permissions().mode() & 0o777, 0o755);
    let again = desk.done("write_file", json!({ "path": "run.bat", "content": "echo b\nexit\n" })).await;
    assert_eq!(again.summary, "unchanged");
    assert_eq!((again.diff, again.files_changed), (None, vec![]));
    desk.undo();
    assert_eq!(desk.text("run.bat"), "\u{feff}echo a\r\nexit\r\n");
}

#[tokio::test]
async fn write_file_follows_a_link_inside_and_says_where_it_led() {
    let desk = Desk::with("docs/plan.txt", "old\n");
    symlink("docs/plan.txt", desk.at("plan")).unwrap();
    let output = desk.done("write_file", json!({ "path": "plan", "content": "new\n" })).await;
    assert!(output.text.starts_with("Replaced `docs/plan.txt` (where `plan` leads): 1 line, 4 bytes;"), "{output:?}");
    assert_eq!(output.files_changed, ["docs/plan.txt"]);
    assert!(desk.at("plan").is_symlink());
    assert_eq!(desk.text("docs/plan.txt"), "new\n");
}

#[tokio::test]
async fn what_may_not_be_changed_is_refused_with_a_reason() {
    let desk = Desk::with("notes.txt", "a");
    let outside = desk.place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir_all(desk.at(".git/hooks")).unwrap();
    fs::create_dir(desk.at("full")).unwrap();
    fs::write(desk.at("full/x"), "").unwrap();
    symlink(&outside, desk.at("out")).unwrap();
    symlink(".git/hooks", desk.at("hooks")).unwrap();
    symlink("gone", desk.at("dangling")).unwrap();
    let content = |path: &str| json!({ "path": path, "content": "x" });
    for (tool, args, expected) in [
        ("write_file", content("../x"), "`path` can't be `../x`: it has `..` in it; paths stay inside the workspace."),
        ("write_file", content("out/x"), "`out` leads out of the workspace, and is not followed."),
        (
            "write_file",
            content(".git/hooks/x"),
            "`.git/hooks/x` belongs to git's own data, which is changed by git alone.",
        ),
        ("write_file", content("hooks/x"), "`.git/hooks/x` belongs to git's own data"),
        ("write_file", content("sub/.GIT"), "`sub/.GIT` belongs to git's own data"),
        ("write_file", content("dangling"), "`dangling` is a link that leads nowhere."),
        ("write_file", content("full"), "`full` is a folder, not a file. List it with list_directory."),
        ("write_file", content("."), "The workspace's own folder can't be changed, only what is in it."),
        ("write_file", content("notes.txt/x"), "`notes.txt` is a file, not a folder."),
        ("write_file", content(".cowork-part-1"), "`.cowork-part-1` is a name that Cowork keeps"),
        (
            "write_file",
            content(&"x".repeat(300)),
            &format!("`{}` can't be made: a name in it is longer than 255 bytes. Choose", "x".repeat(300)),
        ),
        ("write_file", json!({ "path": "a" }), "`content` is missing."),
        (
            "write_file",
            json!({ "path": "a", "content": "x".repeat(write_file::MAX_CONTENT_BYTES + 1) }),
            "`content` has 1048577 bytes; at most 1048576 are taken.",
        ),
        ("delete_file", json!({ "path": "full" }), "`full` is a folder that is not empty. Delete what is in it first;"),
        ("delete_file", json!({ "path": "." }), "The workspace's own folder can't be changed"),
        ("delete_file", json!({ "path": ".git" }), "`.git` belongs to git's own data"),
        ("delete_file", json!({ "path": "hooks/x" }), "`.git/hooks/x` belongs to git's own data"),
        (
            "delete_file",
            json!({ "path": "notes" }),
            "There is no file or folder `notes` in the workspace. Names near it: notes.txt.",
        ),
        (
            "move_file",
            json!({ "source": "notes.txt", "destination": "full/x" }),
            "`full/x` is there already, and nothing is replaced. Choose another name, or delete it first.",
        ),
        (
            "move_file",
            json!({ "source": "notes.txt", "destination": "full" }),
            "`full` is a folder that is there already. To move into it, name the new path: `full/notes.txt`.",
        ),
        ("move_file", json!({ "source": "full", "destination": "full/in" }), "`full` can't be moved into itself."),
        (
            "move_file",
            json!({ "source": "full", "destination": "hooks/x" }),
            "`.git/hooks/x` belongs to git's own data",
        ),
        ("move_file", json!({ "source": ".git", "destination": "git" }), "`.git` belongs to git's own data"),
        ("move_file", json!({ "source": "notes.txt", "destination": "out/x" }), "`out` leads out of the workspace"),
        ("move_file", json!({ "source": "note.txt", "destination": "b" }), "There is no file or folder `note.txt`"),
        ("move_file", json!({ "source": "/a", "destination": "b" }), "`source` can't be `/a`: it is absolute;"),
        ("move_file", json!({ "source": "a", "destination": "" }), "`destination` can't be ``: it is empty;"),
    ] {
        let refusal = desk.refusal(tool, args).await;
        assert!(refusal.starts_with(expected), "{refusal}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(fs::read_dir(desk.at(".git/hooks")).unwrap().count(), 0);
    assert_eq!(desk.text("notes.txt"), "a");
}

#[tokio::test]
async fn what_is_made_gets_a_name_that_an_upload_may_have_and_what_is_there_keeps_its_own() {
    let desk = Desk::with("con.txt", "a");
    fs::create_dir(desk.at("odd ")).unwrap();
    for (path, why) in [
        ("aux", "`aux` can't be made: `aux` is a device on Windows. Choose another name."),
        ("new/NUL.txt", "`new/NUL.txt` can't be made: `NUL.txt` is a device on Windows."),
        ("odd /end.", "`odd /end.` can't be made: `end.` ends with a dot or a space, which other systems drop."),
        ("new /a", "`new /a` can't be made: `new ` ends with a dot or a space"),
        ("a\u{202E}b", "`a⟨U+202E⟩b` can't be made: it has the character U+202E in it, which can't be seen"),
        ("a\nb", "`a⟨U+000A⟩b` can't be made: it has the character U+000A in it"),
    ] {
        let refusal = desk.refusal("write_file", json!({ "path": path, "content": "x" })).await;
        assert!(refusal.starts_with(why), "{refusal}");
        let refusal = desk.refusal("move_file", json!({ "source": "con.txt", "destination": path })).await;
        assert!(refusal.starts_with(why), "{refusal}");
    }
    assert!(!desk.at("new").exists());
    desk.done("write_file", json!({ "path": "con.txt", "content": "b" })).await;
    desk.done("edit_file", json!({ "path": "con.txt", "old_str": "b", "new_str": "c" })).await;
    desk.done("write_file", json!({ "path": "odd /a", "content": "x" })).await;
    assert_eq!((desk.text("con.txt"), desk.text("odd /a")), ("c".into(), "x".into()));
    let missing = json!({ "path": "prn", "old_str": "b", "new_str": "c" });
    assert!(desk.refusal("edit_file", missing).await.starts_with("There is no file `prn`"));

    // One form of Unicode; a file that has another one is still that file.
    let (composed, apart) = ("caf\u{e9}", "cafe\u{301}");
    let made = desk.done("write_file", json!({ "path": apart, "content": "x" })).await;
    assert_eq!(
        (made.files_changed, made.text),
        (vec![composed.to_owned()], format!("Created `{composed}`: 1 line, 1 byte."))
    );
    desk.done("write_file", json!({ "path": format!("{apart}s/a"), "content": "x" })).await;
    assert!(desk.at(&format!("{composed}s/a")).exists() && !desk.at(apart).exists());
    fs::write(desk.at(&format!("{apart}.txt")), "theirs").unwrap();
    desk.done("write_file", json!({ "path": format!("{apart}.txt"), "content": "new" })).await;
    assert_eq!(desk.text(&format!("{apart}.txt")), "new");
    assert!(!desk.at(&format!("{composed}.txt")).exists());
}

#[tokio::test]
async fn delete_file_takes_files_links_and_empty_folders_and_all_come_back() {
    let desk = Desk::with("a.txt", "one\n");
    fs::create_dir(desk.at("empty")).unwrap();
    symlink("a.txt", desk.at("link")).unwrap();
    write(&desk.at(""), "big.bin", &vec![7; 2 * 1024 * 1024]);
    let output = desk.done("delete_file", json!({ "path": "link" })).await;
    assert_eq!(output.text, "Deleted the link `link`; what it leads to is untouched.");
    let output = desk.done("delete_file", json!({ "path": "a.txt" })).await;
    assert_eq!((output.text.as_str(), output.summary.as_str()), ("Deleted `a.txt` (4 bytes).", "deleted, 4 bytes"));
    assert_eq!(output.diff.as_deref(), Some("--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"));
    assert_eq!(output.files_changed, ["a.txt"]);
    assert_eq!(desk.done("delete_file", json!({ "path": "empty/" })).await.text, "Deleted the empty folder `empty`.");
    let output = desk.done("delete_file", json!({ "path": "big.bin" })).await;
    assert_eq!(output.diff, None);
    assert!(output.text.ends_with("There is no diff, since it is larger than 1 MiB."), "{}", output.text);
    assert_eq!(fs::read_dir(desk.at("")).unwrap().count(), 0);
    desk.undo();
    assert_eq!(desk.text("link"), "one\n");
    assert!(desk.at("link").is_symlink() && desk.at("empty").is_dir());
    assert_eq!(desk.bytes("big.bin").len(), 2 * 1024 * 1024);
}

#[tokio::test]
async fn where_there_is_no_diff_the_result_says_why() {
    let desk = Desk::new();
    write(&desk.at(""), "photo.bin", b"\0\x01\x02");
    let output = desk.done("write_file", json!({ "path": "photo.bin", "content": "text" })).await;
    assert_eq!(output.diff, None);
    assert!(output.text.ends_with("There is no diff, since it is not text."), "{}", output.text);
    let output = desk.done("move_file", json!({ "source": "photo.bin", "destination": "b.txt" })).await;
    assert_eq!(output.text, "Moved `photo.bin` to `b.txt`.");
    assert_eq!(output.files_changed, ["photo.bin", "b.txt"]);
    assert!(output.diff.unwrap().ends_with("rename from photo.bin\nrename to b.txt\n"));
}

#[tokio::test]
async fn move_file_renames_files_and_folders_into_new_folders() {
    let desk = Desk::with("docs/plan.txt", "one\n");
    let output = desk.done("move_file", json!({ "source": "docs", "destination": "archive/2024/docs" })).await;
    assert_eq!(output.text, "Moved `docs` to `archive/2024/docs`. It holds 1 file:\narchive/2024/docs/plan.txt");
    assert_eq!(output.summary, "moved to archive/2024/docs, 1 file");
    assert_eq!(output.files_changed, ["docs/plan.txt", "archive/2024/docs/plan.txt"]);
    let renamed = "diff --git a/docs/plan.txt b/archive/2024/docs/plan.txt\nsimilarity index 100%\n\
                   rename from docs/plan.txt\nrename to archive/2024/docs/plan.txt\n";
    assert_eq!(output.diff.as_deref(), Some(renamed));
    assert_eq!(desk.text("archive/2024/docs/plan.txt"), "one\n");
    desk.undo();
    assert_eq!(desk.text("docs/plan.txt"), "one\n");
    assert!(!desk.at("archive").exists());
}

#[tokio::test]
async fn every_change_says_what_it_would_do_before_it_is_done() {
    let desk = Desk::new();
    for (tool, args, risk, scope, preview) in [
        ("write_file", json!({ "path": "a/b.txt", "content": "" }), Risk::Edit, Some("a"), "a/b.txt"),
        ("edit_file", json!({ "path": "b.txt" }), Risk::Edit, Some("."), "b.txt"),
        ("delete_file", json!({ "path": "a/b/c" }), Risk::Delete, Some("a/b"), "a/b/c"),
        ("move_file", json!({ "source": "a/x", "destination": "a/y" }), Risk::Edit, Some("a"), "a/x → a/y"),
        ("move_file", json!(7), Risk::Edit, None, "→"),
        ("delete_file", json!({ "path": "/etc/passwd" }), Risk::Delete, None, "/etc/passwd"),
    ] {
        let expected = Action::risky(risk, scope.map(str::to_owned));
        assert_eq!(desk.action(tool, args.clone()), expected, "{tool}");
        assert_eq!(desk.tools.get(tool).unwrap().preview(&args), preview);
    }
}

#[tokio::test]
async fn a_stopped_call_changes_nothing() {
    let desk = Desk::with("a.txt", "one");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (root, data) = (desk.at(""), desk.place.path().join("data"));
    for (tool, args) in [
        ("write_file", json!({ "path": "a.txt", "content": "" })),
        ("edit_file", json!({ "path": "a.txt", "old_str": "one", "new_str": "two" })),
        ("delete_file", json!({ "path": "a.txt" })),
        ("move_file", json!({ "source": "a.txt", "destination": "b.txt" })),
    ] {
        let context = ToolContext::alone(&root, &data, &cancel);
        assert_eq!(desk.tools.get(tool).unwrap().run(args, context).await, Err(work::stopped()), "{tool}");
    }
    assert_eq!(desk.text("a.txt"), "one");
    assert!(!data.exists());
}

#[tokio::test]
async fn what_can_not_be_done_is_foreseen_in_the_words_it_fails_with() {
    let desk = Desk::with("twice.txt", "a\na\n");
    for (file, bytes) in
        [("latin.txt", &b"caf\xe9\n"[..]), ("offer.docx", b"PK\x03\x04\0\0"), (".git/config", b"[core]\n")]
    {
        write(&desk.at(""), file, bytes);
    }
    let edit = |path: &str, old: &str| json!({ "path": path, "old_str": old, "new_str": "new" });
    for (tool, args) in [
        ("edit_file", edit("twice.txt", "nowhere")),
        ("edit_file", edit("twice.txt", "a")),
        ("edit_file", edit("twice.txt", "")),
        ("edit_file", edit("latin.txt", "caf")),
        ("edit_file", edit("offer.docx", "PK")),
        ("edit_file", edit(".git/config", "[core]")),
        ("edit_file", edit("missing.txt", "a")),
        ("write_file", json!({ "path": ".git/config", "content": "" })),
        ("write_file", json!({ "path": "twice.txt/below.txt", "content": "" })),
        ("delete_file", json!({ "path": "missing.txt" })),
        ("delete_file", json!({ "path": ".git" })),
        ("move_file", json!({ "source": "missing.txt", "destination": "b.txt" })),
        ("move_file", json!({ "source": "twice.txt", "destination": "latin.txt" })),
    ] {
        let foreseen = desk.foresee(tool, &args);
        let why = desk.refusal(tool, args.clone()).await;
        assert_eq!(foreseen, Err(ToolError::RespondToModel(why)), "{tool} {args}");
    }
    write(&desk.at(""), "full/a.txt", b"");
    let delete = |path: &str| json!({ "path": path });
    assert!(desk.foresee("delete_file", &delete("full")).is_err(), "a folder that is not empty");
}

#[test]
fn what_can_be_done_is_foreseen_and_not_done() {
    let desk = Desk::with("a.txt", "one\n");
    let diff = desk.foresee("edit_file", &json!({ "path": "a.txt", "old_str": "one", "new_str": "two" })).unwrap();
    assert!(diff.unwrap().ends_with("-one\n+two\n"));
    write(&desk.at(""), "data.bin", b"\0\x01");
    let replaced = desk.foresee("write_file", &json!({ "path": "data.bin", "content": "text" }));
    assert_eq!(replaced, Ok(Some(crate::protocol::NOT_SHOWN.into())), "no new file");
    for (tool, args) in [
        ("write_file", json!({ "path": "new/b.txt", "content": "b" })),
        ("edit_file", json!({ "path": "new/b.txt", "old_str": "", "new_str": "b" })),
        ("delete_file", json!({ "path": "a.txt" })),
        ("move_file", json!({ "source": "a.txt", "destination": "new/a.txt" })),
    ] {
        assert_eq!(desk.foresee(tool, &args), Ok(None), "{tool}");
    }
    assert_eq!(desk.text("a.txt"), "one\n");
    assert!(!desk.at("new").exists());
}
