//! What a command did, found by comparing the files before and after, and within which limits.

use std::fs;

use super::{testing::*, *};

/// Does something as a command would, and tells what was found: the lines, and the note.
fn command(place: &Place, deeds: impl FnOnce(&Place)) -> (Vec<String>, Option<String>) {
    let found = recorded(place, deeds);
    (found.changes.iter().map(line).collect(), found.note)
}

fn recorded(place: &Place, deeds: impl FnOnce(&Place)) -> CommandChanges {
    let changes = place.changes();
    let before = changes.snapshot(&|| false).unwrap();
    deeds(place);
    changes.record_since(before).unwrap()
}

fn lines(lines: &[&str]) -> (Vec<String>, Option<String>) {
    (lines.iter().map(|line| (*line).to_owned()).collect(), None)
}

#[test]
fn every_kind_of_change_is_found_with_its_diff_and_can_be_taken_back() {
    let place = Place::new();
    for path in ["changed", "gone", "old/moved", "mode", "same"] {
        place.text(path, "before\n");
    }
    place.link("link", "changed");
    let before = place.tree();
    let found = recorded(&place, |place| {
        place.text("changed", "after\n");
        place.text("new/file", "new\n");
        fs::remove_file(place.at("gone")).unwrap();
        fs::rename(place.at("old"), place.at("young")).unwrap();
        place.mode("mode", 0o755);
        // Touched, not changed.
        place.text("same", "before\n");
        fs::remove_file(place.at("link")).unwrap();
        place.link("link", "mode");
    });
    let told: Vec<String> = found.changes.iter().map(line).collect();
    let expected = [
        "modified changed",
        "deleted gone",
        "modified link",
        "modified mode",
        "created new/file",
        "moved young < old folder",
    ];
    assert_eq!((told.as_slice(), found.note.as_deref()), (expected.map(String::from).as_slice(), None));
    let paths = ["changed", "gone", "link", "mode", "new/file", "young"];
    assert_eq!(found.files_changed(), paths);
    let diff = found.diff().unwrap();
    assert!(diff.contains("--- a/changed\n+++ b/changed\n@@ -1 +1 @@\n-before\n+after\n"), "{diff}");
    assert!(diff.contains("+++ b/new/file") && diff.contains("--- a/gone"), "{diff}");
    assert_eq!(place.listed(), expected, "the turn's list has them too");

    assert_eq!(place.undo(None).1, Vec::<String>::new());
    assert_eq!(place.tree(), before);
}

#[test]
fn a_command_that_changes_nothing_is_told_so() {
    let place = Place::new();
    place.text("a", "x");
    assert_eq!(command(&place, |_| ()), lines(&[]));
    assert_eq!(place.listed(), Vec::<String>::new());
    assert_eq!(recorded(&place, |_| ()).diff(), None);
}

#[test]
fn several_commands_of_a_turn_come_to_one_change() {
    let place = Place::new();
    place.text("a", "one\n");
    assert_eq!(command(&place, |place| place.text("a", "two\n")), lines(&["modified a"]));
    // The content of the first look is known by its hash, the second file is read anew.
    assert_eq!(command(&place, |place| place.text("a", "three\n")), lines(&["modified a"]));
    let listed = place.changes().list().unwrap().changes;
    assert!(listed.len() == 1 && listed[0].diff.as_deref().unwrap().contains("-one\n+three"), "{listed:?}");
    place.undo(None);
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "one\n");
}

#[test]
fn what_is_ignored_or_can_be_made_again_is_passed_over() {
    let place = Place::new();
    place.text(".gitignore", "*.log\nbuild/\n");
    place.text("build/kept", "x");
    let found = command(&place, |place| {
        place.text("build/out", "x");
        place.text("run.log", "x");
        place.text("node_modules/left-pad/index.js", "x");
        place.text("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
        place.text("cache/data", "x");
        place.text(".git/index", "x");
        place.text("seen.txt", "x");
    });
    assert_eq!(found, lines(&["created seen.txt"]));
}

#[test]
fn rules_that_a_command_writes_hide_nothing_that_was_seen_before() {
    let place = Place::new();
    place.text("a.log", "before\n");
    let found = command(&place, |place| {
        place.text(".gitignore", "*.log\n");
        place.text("a.log", "after\n");
    });
    assert_eq!(found, lines(&["created .gitignore", "modified a.log"]));
    // And what was ignored does not come up as new when the rules are gone.
    let found = command(&place, |place| fs::remove_file(place.at(".gitignore")).unwrap());
    assert_eq!(found, lines(&["deleted .gitignore"]));
}

#[test]
fn a_file_that_became_a_folder_and_the_other_way_round_come_back() {
    let place = Place::new();
    place.text("file", "text");
    place.text("folder/inside", "text");
    let before = place.tree();
    command(&place, |place| {
        fs::remove_file(place.at("file")).unwrap();
        place.text("file/inside", "new");
        fs::remove_dir_all(place.at("folder")).unwrap();
        place.text("folder", "new");
    });
    assert_eq!(place.undo(None).1, Vec::<String>::new());
    assert_eq!(place.tree(), before);
}

#[test]
fn a_large_file_is_told_but_was_not_kept() {
    let place = Place::new();
    let large = "x".repeat(MAX_KEPT_FILE_BYTES as usize + 1);
    place.text("large", &large);
    place.text("small", "before");
    let (told, note) = command(&place, |place| {
        place.text("large", &large.replace('x', "y"));
        place.text("small", "after");
    });
    assert_eq!(told, ["modified large fixed", "modified small"]);
    assert_eq!(note.as_deref(), Some("1 of these changes can't be undone: what was there before was not kept."));
    let (restored, conflicts) = place.undo(None);
    assert_eq!(restored, ["small"]);
    assert!(conflicts[0].starts_with("large: What it held before was not kept"), "{conflicts:?}");
    // One that only came is taken back whatever its size.
    let place = Place::new();
    assert_eq!(command(&place, |place| place.text("large", &large)), lines(&["created large"]));
    assert_eq!(place.undo(None).0, ["large"]);
}

#[test]
fn more_changes_than_a_person_reads_are_not_listed_and_that_is_said() {
    let place = Place::new();
    let (told, note) = command(&place, |place| {
        for number in 0..=MAX_STEPS {
            fs::write(place.at(&format!("{number}")), "").unwrap();
        }
    });
    let expected = "The command changed more than 5000 files. They are not listed and can't be undone.";
    assert_eq!((told, note.as_deref()), (vec![], Some(expected)));
    let list = place.changes().list().unwrap();
    assert_eq!((list.changes.len(), list.notes), (0, vec![expected.to_owned()]), "also later");
}

#[test]
fn a_workspace_with_too_many_files_is_not_compared_and_that_is_said() {
    let place = Place::new();
    for folder in 0..=MAX_COMPARED / 1_000 {
        place.folder(&format!("{folder}"));
        for file in 0..1_000 {
            fs::hard_link(first_file(&place), place.at(&format!("{folder}/{file}"))).unwrap();
        }
    }
    let (told, note) = command(&place, |place| place.text("a", "after"));
    assert!(told.is_empty() && note.as_deref().unwrap().starts_with("The workspace has more than 50000 files"));
    assert_eq!(place.changes().list().unwrap().notes, [note.unwrap()]);
}

/// One file with many names is made faster than many files.
fn first_file(place: &Place) -> std::path::PathBuf {
    if !place.at("a").exists() {
        place.text("a", "before");
    }
    place.at("a")
}

#[test]
fn a_look_that_is_stopped_begins_nothing() {
    let place = Place::new();
    place.text("a", "x");
    assert!(matches!(place.changes().snapshot(&|| true), Err(ChangeError::Stopped)));
    assert_eq!(place.changes().list().unwrap().notes, Vec::<String>::new());
}

#[test]
fn a_look_that_took_too_long_is_on_record() {
    let place = Place::new();
    let changes = place.changes();
    let before = changes.snapshot_of_nothing("It took too long.".into()).unwrap();
    place.text("a", "x");
    let found = changes.record_since(before).unwrap();
    assert_eq!((found.changes.len(), found.note.as_deref()), (0, Some("It took too long.")));
    assert_eq!(changes.list().unwrap().notes, ["It took too long."]);
}

#[test]
fn a_diff_of_many_files_is_cut() {
    let place = Place::new();
    let found = recorded(&place, |place| {
        for number in 0..40 {
            place.text(&format!("{number}"), &"a line of text\n".repeat(1_000));
        }
    });
    let diff = found.diff().unwrap();
    assert!(diff.len() < MAX_DIFF_BYTES + 100 && diff.ends_with(" more lines]\n"), "{}", diff.len());
}

#[test]
fn names_that_are_no_text_and_nodes_that_are_no_files_are_left_alone() {
    use std::os::unix::{ffi::OsStrExt, net::UnixListener};
    let place = Place::new();
    let odd = place.at("").join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    let found = command(&place, |place| {
        fs::write(&odd, "x").unwrap();
        let _socket = UnixListener::bind(place.at("socket")).unwrap();
        place.text("a", "x");
    });
    assert_eq!(found, lines(&["created a"]));
    place.undo(None);
    assert!(odd.exists() && place.at("socket").exists());
}
