//! What a turn's changes come to, and what taking them back does and leaves.

use std::fs;

use super::testing::*;

#[test]
fn each_path_is_told_once_by_what_became_of_it() {
    let place = Place::new();
    for (path, text) in [("changed", "old\n"), ("gone", "old\n"), ("moved", "old\n"), ("again", "old\n")] {
        place.text(path, text);
    }
    place.write("new/deep/file", "x").unwrap();
    place.write("changed", "one\n").unwrap();
    place.write("changed", "two\n").unwrap();
    place.delete("gone").unwrap();
    place.rename("moved", "new/moved").unwrap();
    place.write("again", "other\n").unwrap();
    place.write("again", "old\n").unwrap();
    place.write("passing", "x").unwrap();
    place.delete("passing").unwrap();

    let listed = place.changes().list().unwrap();
    let lines: Vec<String> = listed.changes.iter().map(line).collect();
    assert_eq!(lines, ["modified changed", "deleted gone", "created new/deep/file", "moved new/moved < moved"]);
    let diff = listed.changes[0].diff.as_deref().unwrap();
    assert_eq!(diff, "--- a/changed\n+++ b/changed\n@@ -1 +1 @@\n-old\n+two\n");
    assert!(listed.changes[1].diff.as_deref().unwrap().contains("-old"), "{listed:?}");
}

#[test]
fn a_turn_is_undone_byte_for_byte_and_once() {
    let place = Place::new();
    place.text("a", "one\r\ntwo");
    place.mode("a", 0o640);
    place.text("b/c", "\0binary");
    place.link("link", "a");
    let before = place.tree();
    place.write("a", "other").unwrap();
    place.delete("b/c").unwrap();
    place.delete("b").unwrap();
    place.rename("link", "d/link").unwrap();
    place.write("new", "x").unwrap();

    let (restored, conflicts) = place.undo(None);
    assert_eq!((restored, conflicts), (["a", "b/c", "d/link", "new"].map(String::from).to_vec(), vec![]));
    assert_eq!(place.tree(), before);
    assert_eq!(place.undo(None), (vec![], vec![]), "there is nothing left to take back");
    assert!(place.listed().iter().all(|line| line.contains(" undone")), "{:?}", place.listed());
}

#[test]
fn one_file_is_undone_and_the_others_stay() {
    let place = Place::new();
    place.text("a", "a");
    place.text("dir/b", "b");
    place.text("dir/c", "c");
    for path in ["a", "dir/b", "dir/c"] {
        place.write(path, "changed").unwrap();
    }
    assert_eq!(place.undo(Some(&["dir/b"])), (vec!["dir/b".into()], vec![]));
    assert_eq!(fs::read_to_string(place.at("dir/b")).unwrap(), "b");
    assert_eq!(fs::read_to_string(place.at("dir/c")).unwrap(), "changed");
    assert_eq!(place.undo(Some(&["dir"])), (vec!["dir/c".into()], vec![]), "a folder means what is in it");
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "changed");
    assert_eq!(place.undo(Some(&["nothing"])), (vec![], vec![]));
}

#[test]
fn what_a_person_did_since_is_left_and_told() {
    let place = Place::new();
    place.text("edited", "before");
    place.text("replaced", "before");
    place.write("edited", "by the turn").unwrap();
    place.write("new", "by the turn").unwrap();
    place.delete("replaced").unwrap();
    place.write("removed", "by the turn").unwrap();
    place.text("edited", "by the person");
    place.text("new", "by the person");
    place.text("replaced", "by the person");
    fs::remove_file(place.at("removed")).unwrap();
    let now = place.tree();

    let (restored, conflicts) = place.undo(None);
    let said: Vec<&str> = conflicts.iter().map(|conflict| conflict.split_once(": ").unwrap().0).collect();
    assert_eq!((restored.as_slice(), said), (["removed".to_owned()].as_slice(), vec!["edited", "new", "replaced"]));
    assert!(conflicts[0].contains("It was changed after this turn"), "{conflicts:?}");
    assert_eq!(place.tree(), now, "nothing of the person's is touched");
}

#[test]
fn a_file_that_was_only_moved_or_touched_is_still_known() {
    let place = Place::new();
    place.text("a", "text");
    place.rename("a", "b").unwrap();
    // The same content, written anew: a save without a change.
    place.text("b", "text");
    assert_eq!(place.undo(None), (vec!["b".into()], vec![]));
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "text");
}

#[test]
fn a_file_too_large_to_keep_is_not_written_but_can_be_deleted_and_come_back() {
    let place = Place::new();
    let file = fs::File::create(place.at("large")).unwrap();
    file.set_len(super::MAX_IMAGE_BYTES + 1).unwrap();
    let error = place.write("large", "x").unwrap_err();
    assert!(error.to_string().contains("larger than 32 MiB"), "{error}");
    assert_eq!(file.metadata().unwrap().len(), super::MAX_IMAGE_BYTES + 1);
    place.delete("large").unwrap();
    assert!(!place.at("large").exists());
    assert_eq!(place.undo(None), (vec!["large".into()], vec![]));
    assert_eq!(place.at("large").metadata().unwrap().len(), super::MAX_IMAGE_BYTES + 1);
}
