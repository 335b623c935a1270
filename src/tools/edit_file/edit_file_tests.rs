use proptest::prelude::*;
use serde_json::json;

use super::{
    super::changing_tests::Desk,
    apply::{Edit, apply},
    *,
};

async fn edit_one(file: &str, old: &str, new: &str) -> (Desk, Result<ToolOutput, ToolError>) {
    let desk = Desk::with("a.txt", file);
    let result = desk.run("edit_file", json!({ "path": "a.txt", "old_str": old, "new_str": new })).await;
    (desk, result)
}

async fn edited_text(file: &str, old: &str, new: &str) -> String {
    let (desk, result) = edit_one(file, old, new).await;
    result.unwrap();
    desk.text("a.txt")
}

async fn refused(file: &str, old: &str, new: &str) -> String {
    let (desk, result) = edit_one(file, old, new).await;
    assert_eq!(desk.text("a.txt"), file, "nothing was changed");
    match result {
        Err(ToolError::RespondToModel(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_exact_text_is_replaced_and_the_change_is_shown() {
    let (desk, result) = edit_one("one\ntwo\nthree\n", "two", "2").await;
    let output = result.unwrap();
    assert_eq!(output.text, "Edited `a.txt`: 1 edit, +1 -1 lines.\n1\tone\n2\t2\n3\tthree");
    assert_eq!(output.summary, "+1 -1 lines");
    assert!(output.diff.unwrap().ends_with("@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"));
    assert_eq!(output.files_changed, ["a.txt"]);
    desk.undo();
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
}

#[tokio::test]
async fn line_endings_the_last_line_and_the_mark_stay_as_they_are() {
    for (file, old, new, expected) in [
        ("a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", "x\r\ny\r\nz\r\nc\r\n"),
        ("a\r\nb\nc", "b", "x\ny", "a\r\nx\ny\nc"),
        ("\u{feff}a\r\nb", "a", "x", "\u{feff}x\r\nb"),
        ("a\nlast", "last\n", "end\n", "a\nend"),
        ("a\nlast", "last", "end\n", "a\nend\n"),
        ("  a\r\n  b\r\n", "a\nb\n", "x\ny\n", "  x\r\n  y\r\n"),
        ("ä\n数\n", "数", "é", "ä\né\n"),
    ] {
        assert_eq!(edited_text(file, old, new).await, expected, "{file:?}");
    }
}

#[tokio::test]
async fn lines_that_differ_in_spaces_alone_are_found_and_keep_their_indentation() {
    let file = "fn a() {\n\tif x {\n\t\ty();\n\t}\n}\n";
    let old = "if x {\n    y();\n}";
    let (desk, result) = edit_one(file, old, "if x {\n    if z {\n        y();\n    }\n}").await;
    let output = result.unwrap();
    assert!(output.text.contains("\nTaken for `old_str`: lines 2-4, the same but for spaces.\n"), "{}", output.text);
    assert_eq!(desk.text("a.txt"), "fn a() {\n\tif x {\n\t\tif z {\n\t\t\ty();\n\t\t}\n\t}\n}\n");
    // Empty lines between them don't matter; lines that go take their break with them.
    assert_eq!(edited_text("a  b\n\n c\nd\n", "a b\nc\n", "").await, "d\n");
    assert_eq!(edited_text("x\n\n  a b\n\ny\n", "\na  b\n\n", "\nc\n\n").await, "x\n\n  c\n\ny\n");
}

#[tokio::test]
async fn lines_with_other_figures_are_other_lines_and_shown() {
    let file = "Rent, March;23.000;paid by transfer\nHeating;1.200;open\n";
    let why = refused(file, "Rent, March;25.000;paid by transfer", "Rent, March;26.000;paid by transfer").await;
    assert!(why.contains("other figures") && why.contains("1\tRent, March;23.000"), "{why}");
    let file = "a = total[10]\n";
    assert!(refused(file, "a = total[1 0]", "b").await.contains("other figures"));
}

#[tokio::test]
async fn lines_much_alike_are_taken_where_nothing_else_is_near() {
    let file = "let total = sum(items);\nlet count = items.len();\nreturn Some(total / count);\n";
    let (desk, result) =
        edit_one(file, "let total = sums(items);\nlet counts = items.len();", "let total = 0;\nlet count = 1;").await;
    let text = result.unwrap().text;
    assert!(text.contains("Taken for `old_str`: lines 1-2, 97 % alike; nothing else is near."), "{text}");
    assert_eq!(desk.text("a.txt"), "let total = 0;\nlet count = 1;\nreturn Some(total / count);\n");
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_the_nearest_place() {
    let file: String = (1..=20).map(|line| format!("line number {line}\n")).collect::<String>()
        + "fn parse(input: &str) -> u32 {\n    input.len()\n}\n";
    let text = refused(&file, "fn parse_all(text: String) {\n    text.trim()\n}", "x").await;
    assert_eq!(
        text,
        "`old_str` is not in the file. Read the file again and copy the text exactly. Nearest to it is lines 21-23:\n\
         18\tline number 18\n19\tline number 19\n20\tline number 20\n21\tfn parse(input: &str) -> u32 {\n\
         22\t    input.len()\n23\t}"
    );
    let text = refused("a\nb\n", "1\ta\n2\tb", "x").await;
    assert!(text.starts_with("`old_str` is not in the file. Leave out the numbers that read_file puts"), "{text}");
    assert_eq!(
        refused("a\n", "x\ny\nz", "q").await,
        "`old_str` is not in the file. Read the file again and copy the text exactly."
    );
}

#[tokio::test]
async fn what_is_there_more_than_once_is_answered_with_its_lines() {
    assert_eq!(
        refused("a\nb\na\nc a\n", "a", "x").await,
        "`old_str` stands there 3 times, in lines 1, 3 and 4. Add lines around it so that it is there once, or set \
         replace_all."
    );
    assert!(refused("aaa\n", "aa", "x").await.starts_with("`old_str` stands there 2 times, in line 1."));
    assert_eq!(
        refused("  f(a)\n\tf(a)\n", "f( a )\n".replace("( a )", "(a) ").as_str(), "x").await,
        "`old_str` is not there exactly, and more than one place is much like it: line 1 and line 2. Copy the text from \
         the file, with lines around it that tell the places apart."
    );
    // Alike enough, but the runner-up is too near.
    let near = refused("value_of_item_1 = 10;\nvalue_of_item_2 = 10;\n", "value_of_item_3 = 10;", "x").await;
    assert!(near.contains("more than one place is much like it: line 1 and line 2."), "{near}");
}

#[tokio::test]
async fn several_edits_are_done_in_order_all_or_none() {
    let desk = Desk::with("a.txt", "one\ntwo\none\n");
    let output = desk
        .done(
            "edit_file",
            json!({ "path": "a.txt", "edits": [
                { "old_str": "one", "new_str": "1", "replace_all": true },
                { "old_str": "1\ntwo", "new_str": "zero\n1\ntwo" },
            ] }),
        )
        .await;
    assert!(output.text.starts_with("Edited `a.txt`: 2 edits, +3 -2 lines.\nEdit 1: It stood there 2 times.\n"));
    assert_eq!(desk.text("a.txt"), "zero\n1\ntwo\n1\n");
    let refusal = desk
        .refusal(
            "edit_file",
            json!({ "path": "a.txt", "edits": [
                { "old_str": "zero", "new_str": "0" },
                { "old_str": "zero", "new_str": "00" },
            ] }),
        )
        .await;
    assert!(refusal.starts_with("Edit 2 of 2 can't be done, so none was: `old_str` is not in the file."), "{refusal}");
    assert_eq!(desk.text("a.txt"), "zero\n1\ntwo\n1\n");
}

#[tokio::test]
async fn an_empty_old_text_makes_a_file_that_is_missing() {
    let desk = Desk::with("full.txt", "a");
    std::fs::write(desk.at("empty.txt"), "").unwrap();
    let make = |path: &str| json!({ "path": path, "old_str": "", "new_str": "a\n" });
    assert_eq!(desk.done("edit_file", make("x/new.txt")).await.text, "Created `x/new.txt`: 1 line, 2 bytes.");
    desk.done("edit_file", make("empty.txt")).await;
    assert_eq!((desk.text("x/new.txt"), desk.text("empty.txt")), ("a\n".into(), "a\n".into()));
    let refusal = desk.refusal("edit_file", make("full.txt")).await;
    assert!(refusal.starts_with("`full.txt` is there already, so an empty `old_str` can't make it."), "{refusal}");
}

#[tokio::test]
async fn what_can_not_be_edited_is_refused_in_words() {
    let desk = Desk::with("latin.txt", b"caf\xe9\n");
    std::fs::write(desk.at("image.png"), b"\x89PNG\0").unwrap();
    std::fs::write(desk.at("big.txt"), vec![b'a'; MAX_FILE_BYTES + 1]).unwrap();
    let args = |path: &str| json!({ "path": path, "old_str": "a", "new_str": "b" });
    for (args, expected) in [
        (args("latin.txt"), "`latin.txt` is not in UTF-8, so an edit would spoil it. It was left as it is."),
        (args("image.png"), "`image.png` is a binary file, so it can't be edited as text."),
        (args("big.txt"), "`big.txt` is larger than 8 MiB, so it can't be edited."),
        (args("latin.tx"), "There is no file `latin.tx` in the workspace. Names near it: latin.txt."),
        (json!({ "path": "a", "old_str": "a" }), "`new_str` is missing; to take text out, let it be \"\"."),
        (json!({ "path": "a", "new_str": "a" }), "`old_str` is missing."),
        (json!({ "path": "a" }), "Give `old_str` and `new_str`, or `edits`."),
        (
            json!({ "path": "a", "old_str": "a", "edits": [{ "old_str": "a", "new_str": "b" }] }),
            "Give either `old_str` and `new_str`, or `edits`, not both.",
        ),
        (json!({ "path": "a", "edits": [] }), "`edits` must be a list of 1 to 100, not []."),
        (json!({ "path": "a", "edits": [{ "old_str": "a" }] }), "`edits[0].new_str` is missing."),
        (
            json!({ "path": "latin.txt", "edits": [{ "old_str": "", "new_str": "b" }, { "old_str": "a", "new_str": "b" }] }),
            "`old_str` is empty in one of the edits.",
        ),
    ] {
        let refusal = desk.refusal("edit_file", args).await;
        assert!(refusal.starts_with(expected), "{refusal}");
    }
    assert_eq!(refused("a", "a", "a").await, "`old_str` and `new_str` are the same.");
    assert_eq!(desk.bytes("latin.txt"), b"caf\xe9\n");
}

proptest! {
    /// A model that copies the text exactly gets exactly what it asked for.
    #[test]
    fn a_text_that_is_there_once_is_replaced_and_nothing_else(
        file in r"[ab \t]{0,6}(\r?\n[ab \t]{0,6}){0,6}", new in r"[c\n]{0,6}", a in 0..60_usize, b in 0..60_usize,
    ) {
        let mut text = TextFile::read(file.as_bytes()).unwrap();
        let whole = text.text().to_owned();
        let (from, to) = (a.min(b).min(whole.len()), a.max(b).min(whole.len()));
        let old = &whole[from..to];
        let once = !old.is_empty() && whole.find(old) == whole.rfind(old) && whole[from + 1..].find(old).is_none();
        prop_assume!(once && old != new);
        let edit = Edit { old: old.into(), new: new.clone(), all: false };
        prop_assert_eq!(apply(&mut text, &edit, &|| false), Ok(None));
        prop_assert_eq!(text.text(), format!("{}{new}{}", &whole[..from], &whole[to..]));
    }

    /// Whatever is asked: it is done or refused, and never does the text outside the lines that were meant change.
    #[test]
    fn no_edit_panics_or_touches_distant_lines(
        file in r"([ab ]{0,8}\r?\n){0,8}", old in r"[ab \n]{1,12}", new in r"[ab \n]{0,12}", all: bool,
    ) {
        let mut text = TextFile::read(file.as_bytes()).unwrap();
        if apply(&mut text, &Edit { old, new, all }, &|| false).is_err() {
            prop_assert_eq!(text.bytes(), file.into_bytes());
        }
    }
}
