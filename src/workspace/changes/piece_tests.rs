//! A turn taken back piece by piece: whatever the order, it comes to what undoing it as a whole does.

use std::fs;

use super::testing::*;

/// Does something as a command would.
fn command(place: &Place, deeds: impl FnOnce(&Place)) {
    let changes = place.changes();
    let before = changes.snapshot(&|| false).unwrap();
    deeds(place);
    changes.record_since(before).unwrap();
}

/// Undoes one after the other, each of which must go.
fn undo_each(place: &Place, paths: &[&str]) {
    for path in paths {
        assert_eq!(place.undo(Some(&[path])).1, Vec::<String>::new(), "{path} in {:?}", place.listed());
    }
}

#[test]
fn what_was_removed_out_of_a_moved_folder_comes_back_into_it_wherever_it_is() {
    let place = Place::new();
    place.text("b/a", "text");
    place.folder("c");
    let before = place.tree();
    place.rename("b", "c/a").unwrap();
    command(&place, |place| fs::remove_dir_all(place.at("c")).unwrap());
    assert_eq!(place.listed(), ["deleted b/a", "deleted c folder"]);
    undo_each(&place, &["b", "c"]);
    assert_eq!(place.tree(), before);

    let start = || {
        let place = Place::new();
        place.text("b/a", "text");
        let before = place.tree();
        place.rename("b", "c").unwrap();
        command(&place, |place| fs::remove_file(place.at("c/a")).unwrap());
        (place, before)
    };
    let (place, before) = start();
    undo_each(&place, &["c"]);
    assert_eq!(place.tree(), before, "a folder means what is in it");
    let (place, before) = start();
    undo_each(&place, &["c/a", "c"]);
    assert_eq!(place.tree(), before);
}

#[test]
fn what_was_written_before_and_after_a_folder_moved_goes_in_any_order() {
    for order in [["a/a", "a/b"], ["a/b", "a/a"]] {
        let place = Place::new();
        place.write("b/b", "x").unwrap();
        place.rename("b", "a").unwrap();
        place.write("a/a", "x").unwrap();
        assert_eq!(place.listed(), ["created a/a", "created a/b"]);
        undo_each(&place, &order);
        assert_eq!(place.tree().len(), 0, "{order:?}");
    }
}

#[test]
fn a_folder_that_was_removed_and_came_again_gets_its_permissions_back() {
    let start = || {
        let place = Place::new();
        place.text("c/a", "text");
        place.mode("c", 0o600);
        let before = place.tree();
        command(&place, |place| fs::remove_dir_all(place.at("c")).unwrap());
        place.write("c/b/a", "x").unwrap();
        (place, before)
    };
    for order in [["c/b/a", "c/a", "c"], ["c/a", "c/b/a", "c"], ["c", "c/a", "c/b/a"]] {
        let (place, before) = start();
        for path in order {
            place.undo(Some(&[path]));
        }
        assert_eq!(place.tree(), before, "{order:?}");
    }
}

#[test]
fn what_stands_in_the_place_of_another_has_to_go_first_and_is_named() {
    let place = Place::new();
    place.text("a", "text");
    let before = place.tree();
    place.rename("a", "b").unwrap();
    place.write("a", "new").unwrap();
    let why = "`a` stands in its place now. Undo `a` first.";
    let notes: Vec<_> = place.changes().list().unwrap().changes.into_iter().map(|change| change.note).collect();
    assert_eq!(notes, [None, Some(why.to_owned())], "also before somebody tries");
    assert_eq!(place.undo(Some(&["b"])), (vec![], vec![format!("b: {why}")]));
    undo_each(&place, &["a", "b"]);
    assert_eq!(place.tree(), before);
}

#[test]
fn what_changed_places_is_undone_together_and_that_is_said() {
    let place = Place::new();
    for path in ["a", "b", "x/a", "x/b"] {
        place.text(path, path);
    }
    let before = place.tree();
    for (from, to) in [("a", "t"), ("b", "a"), ("t", "b"), ("x", "t"), ("t/a", "x"), ("t", "x2"), ("x2/b", "t")] {
        place.rename(from, to).unwrap();
    }
    let listed = place.changes().list().unwrap().changes;
    let (path, note) = (&listed[0].path, listed[0].note.as_deref());
    assert_eq!((path.as_str(), note), ("a", Some("They stand in each other's places, so undo takes back `b`, too.")));
    assert_eq!(place.undo(Some(&["a"])), (vec!["a".into(), "b".into()], vec![]));
    assert_eq!(place.undo(None).1, Vec::<String>::new());
    assert_eq!(place.tree(), before);
}

#[test]
fn what_stands_in_a_new_folder_in_the_place_of_another_is_undone_with_it() {
    let start = || {
        let place = Place::new();
        place.folder("b");
        place.folder("c");
        let before = place.tree();
        for (from, to) in [("c", "t"), ("b", "c"), ("t", "b"), ("c", "a"), ("a", "c/a")] {
            place.rename(from, to).unwrap();
        }
        (place, before)
    };
    for path in ["b", "c/a"] {
        let (place, before) = start();
        assert_eq!(place.undo(Some(&[path])), (vec!["b".into(), "c/a".into()], vec![]));
        assert_eq!(place.tree(), before);
    }
    let (place, before) = start();
    place.write("c/d", "x").unwrap();
    let why = "`c` stands in its place now, with `c/d` in it. Undo `c/d` first.";
    assert_eq!(place.undo(Some(&["b"])), (vec![], vec![format!("b: {why}")]));
    undo_each(&place, &["c/d", "b"]);
    assert_eq!(place.tree(), before);
}

#[test]
fn a_folder_that_was_turned_inside_out_comes_back() {
    let start = || {
        let place = Place::new();
        place.text("a/a/file", "text");
        let before = place.tree();
        // Now the inner one is outside, under the same names.
        for (from, to) in [("a/a", "t"), ("a", "t/a"), ("t", "a")] {
            place.rename(from, to).unwrap();
        }
        (place, before)
    };
    for order in [vec!["a"], vec!["a/a"], vec!["a/a", "a"]] {
        let (place, before) = start();
        for path in &order {
            place.undo(Some(&[path]));
        }
        assert_eq!(place.tree(), before, "{order:?}");
    }
}

#[test]
fn permissions_that_somebody_gave_since_stay_and_those_of_the_turn_go() {
    let place = Place::new();
    for path in ["theirs", "turns", "both", "gone"] {
        place.text(path, "before");
        place.mode(path, 0o644);
        place.write(path, "after").unwrap();
    }
    place.folder("folder");
    command(&place, |place| {
        place.mode("turns", 0o755);
        place.mode("both", 0o755);
        place.mode("folder", 0o777);
    });
    place.mode("theirs", 0o600);
    place.mode("both", 0o600);
    place.mode("folder", 0o700);
    assert_eq!(place.undo(None).1, Vec::<String>::new());
    let tree = place.tree();
    let modes = ["theirs", "turns", "both", "folder"].map(|path| match tree[path] {
        Thing::File(mode, _) | Thing::Folder(mode) => mode,
        Thing::Link(_) => 0,
    });
    assert_eq!(modes, [0o600, 0o644, 0o600, 0o700]);
}

/// To root every folder is open; this shows more where the tests run as somebody else.
#[test]
fn a_folder_that_may_not_be_written_is_opened_first_and_shut_last() {
    let place = Place::new();
    for path in ["open/a", "shut/a", "shut/b/a", "gone/a"] {
        place.text(path, "text");
    }
    place.mode("shut", 0o500);
    place.mode("gone", 0o500);
    let before = place.tree();
    command(&place, |place| {
        place.text("open/a", "other");
        place.text("open/new/a", "new");
        place.mode("open", 0o500);
        place.mode("shut", 0o700);
        fs::remove_dir_all(place.at("shut/b")).unwrap();
        place.text("shut/a", "other");
        place.mode("gone", 0o700);
        fs::remove_dir_all(place.at("gone")).unwrap();
    });
    assert_eq!(place.undo(None).1, Vec::<String>::new());
    assert_eq!(place.tree(), before);
}

#[test]
fn permissions_come_back_also_to_what_was_thrown_away() {
    let place = Place::new();
    place.text("a", "text");
    place.mode("a", 0o755);
    let before = place.tree();
    command(&place, |place| place.mode("a", 0o600));
    place.delete("a").unwrap();
    undo_each(&place, &["a"]);
    assert_eq!(place.tree(), before);
}

#[test]
fn what_a_person_wrote_during_the_turn_comes_back_and_that_is_said() {
    let place = Place::new();
    place.text("a", "before");
    place.write("a", "turn").unwrap();
    place.text("a", "person");
    place.write("a", "turn again").unwrap();
    place.write("b", "turn").unwrap();
    place.text("b", "person");
    place.delete("b").unwrap();
    let listed = place.changes().list().unwrap().changes;
    let told = Some("Somebody else changed it during the turn. Undo brings back what they left.");
    assert!(listed.len() == 2 && listed.iter().all(|change| change.note.as_deref() == told), "{listed:?}");
    assert_eq!(place.undo(None).1, Vec::<String>::new());
    assert_eq!(["a", "b"].map(|path| fs::read_to_string(place.at(path)).unwrap()), ["person", "person"]);
}

#[test]
fn what_has_to_wait_for_something_that_fails_stays_where_it_is() {
    let place = Place::new();
    place.text("x/a", "a");
    place.text("z/v", "v");
    place.folder("y");
    place.rename("x/a", "y/b").unwrap();
    place.rename("z/v", "x/a").unwrap();
    fs::remove_dir(place.at("z")).unwrap();
    place.text("z", "a person's");
    let now = place.tree();
    let (restored, conflicts) = place.undo(None);
    assert_eq!((restored.len(), conflicts.len()), (0, 2), "{conflicts:?}");
    assert_eq!(conflicts[1], "y/b: What has to be undone before it could not be. It stands at `y/b` now.");
    assert_eq!(place.tree(), now);
}

/// As it was written before things were told from each other by where they stand: a folder moved, a file in it
/// changed, one deleted; two more that were undone step by step.
#[test]
fn a_record_of_an_earlier_version_is_read_and_undone() {
    let hash = |text: &str| super::state::Hash::of(text.as_bytes()).as_str().to_owned();
    let file = |text: &str, more: &str| {
        format!(r#"{{"file":{{"size":{},"mode":420,"hash":"{}"{more}}}}}"#, text.len(), hash(text))
    };
    let stamp = r#","stamp":{"inode":7,"size":5,"modified":8,"born":9}"#;
    let (before, after, first, second) =
        (file("before\n", ""), file("after\n", ""), file("m\n", stamp), file("m2\n", ""));
    let steps = [
        r#""deed":{"move":{"from":"b","to":"c","what":{"folder":{"mode":493}}}}"#.to_owned(),
        format!(r#""deed":{{"put":{{"path":"c/a","before":{before},"after":{after}}}}}"#),
        format!(
            r#""deed":{{"put":{{"path":"d","before":{{"file":{{"size":5,"mode":420{stamp},"trash":3}}}},"after":"absent"}}}}"#
        ),
        r#""deed":{"put":{"path":"new","before":"absent","after":{"folder":{"mode":493}}}}"#.to_owned(),
        format!(r#""deed":{{"put":{{"path":"new/file","before":"absent","after":{after}}}}}"#),
        format!(r#""deed":{{"move":{{"from":"m","to":"n","what":{first}}}}}"#),
        format!(r#""deed":{{"put":{{"path":"n","before":{first},"after":{second}}}}}"#),
        format!(r#""undoes":[7],"undo":true,"deed":{{"put":{{"path":"n","before":{second},"after":{first}}}}}"#),
        format!(r#""undoes":[6],"undo":true,"deed":{{"move":{{"from":"n","to":"m","what":{first}}}}}"#),
        format!(r#""undoes":[5],"undo":true,"deed":{{"put":{{"path":"new/file","before":{after},"after":"absent"}}}}"#),
        r#""undoes":[4],"undo":true,"deed":{"put":{"path":"new","before":{"folder":{"mode":493}},"after":"absent"}}"#
            .to_owned(),
    ];
    let line = |(at, step): (usize, &String)| {
        format!("{{\"step\":{{\"number\":{0},{step}}}}}\n{{\"done\":{{\"step\":{0}}}}}\n", at + 1)
    };
    let place = Place::new();
    place.text("c/a", "after\n");
    place.text("m", "m\n");
    fs::create_dir_all(place.data().join("images")).unwrap();
    fs::create_dir_all(place.data().join("trash")).unwrap();
    fs::write(place.data().join("images").join(hash("before\n")), "before\n").unwrap();
    fs::write(place.data().join("trash/3"), "gone\n").unwrap();
    fs::write(place.data().join("changes.jsonl"), steps.iter().enumerate().map(line).collect::<String>()).unwrap();
    let undone = ["created new/file undone fixed", "moved n < m undone fixed"];
    let listed = place.listed();
    assert_eq!(listed[..3], ["moved c < b folder", "modified c/a", "deleted d"]);
    assert!(undone.iter().all(|line| listed.contains(&(*line).to_owned())) && listed.len() == 5, "{listed:?}");
    undo_each(&place, &["c", "d"]);
    let texts = ["b/a", "d", "m"].map(|path| fs::read_to_string(place.at(path)).unwrap());
    assert_eq!(texts, ["before\n", "gone\n", "m\n"]);
    assert_eq!(place.tree().len(), 4);
}
