//! Changes while somebody else is at the same files: nobody's work is lost, and nothing outside is touched.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    thread,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{testing::*, *};

/// Each waits for the disk some times.
const ROUNDS: u32 = 80;
const WRITERS: u32 = 4;

/// Exchanges the two names until `done`, counting.
fn flip(a: &Path, b: &Path, done: &AtomicBool, flips: &AtomicU32) {
    while !done.load(Relaxed) {
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
        flips.fetch_add(1, Relaxed);
    }
}

#[test]
fn edits_of_one_file_at_the_same_time_are_all_in_it() {
    let place = Place::new();
    place.text("a", "");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let place = &place;
            scope.spawn(move || {
                for round in 0..25 {
                    let line = format!("{writer}-{round}\n");
                    place
                        .changes()
                        .write::<ChangeError>(&p("a"), |old| Ok([old.unwrap_or_default(), line.as_bytes()].concat()))
                        .unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(place.at("a")).unwrap();
    assert_eq!(text.lines().count(), 100);
    for writer in 0..WRITERS {
        let own: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{writer}-"))).collect();
        assert_eq!(own, (0..25).map(|round| format!("{writer}-{round}")).collect::<Vec<_>>());
    }
    assert_eq!(place.undo(None), (vec!["a".into()], vec![]));
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "");
}

/// A person saves a file while the turn writes it: each of the person's texts is either still there, or was what the
/// turn found and kept.
#[test]
fn a_person_who_saves_while_the_turn_writes_loses_nothing() {
    let place = Place::new();
    place.text("a", "person 0");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                if done.load(Relaxed) {
                    return;
                }
                // As editors save: another file takes the name.
                fs::write(place.at(".save"), format!("person {number}")).unwrap();
                fs::rename(place.at(".save"), place.at("a")).unwrap();
            }
        });
        for _ in 0..ROUNDS {
            match place.write("a", "turn") {
                Ok(written) => {
                    let before = String::from_utf8(written.before.unwrap()).unwrap();
                    assert!(before == "turn" || before.starts_with("person "), "{before}");
                }
                Err(ChangeError::Workspace(WorkspaceError::Changed(_))) => {}
                Err(error) => panic!("{error}"),
            }
        }
        done.store(true, Relaxed);
    });
    let last = fs::read_to_string(place.at("a")).unwrap();
    assert!(last == "turn" || last.starts_with("person "), "whole, not a mixture: {last}");
    place.write("a", "turn").unwrap();
    place.changes().list().unwrap();
}

#[test]
fn a_link_swapped_in_for_a_folder_leads_no_change_out() {
    let place = Place::new();
    place.text("dir/file", "inside");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "theirs").unwrap();
    place.link("link", outside.path().to_str().unwrap());
    let (done, flips) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| flip(&place.at("dir"), &place.at("link"), &done, &flips));
        for round in 0..ROUNDS {
            // Any of these may fail; none may reach what the link names.
            let _ = place.write("dir/file", &format!("inside {round}"));
            let _ = place.write(&format!("dir/new-{round}"), "inside");
            let _ = place.rename("dir/file", "dir/moved");
            let _ = place.delete("dir/moved");
            if round % 20 == 0 {
                let _ = place.changes().undo(None);
            }
        }
        done.store(true, Relaxed);
    });
    assert!(flips.load(Relaxed) > 0);
    let names: Vec<_> = fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["file"]);
    assert_eq!(fs::read_to_string(outside.path().join("file")).unwrap(), "theirs");
}

#[test]
fn a_command_is_compared_while_files_come_and_go() {
    let place = Place::new();
    place.text("stays", "before");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                place.text("busy/comes", "x");
                fs::remove_dir_all(place.at("busy")).unwrap();
            }
        });
        for round in 0..20 {
            let changes = place.changes();
            let before = changes.snapshot(&|| false).unwrap();
            place.text("stays", &format!("after {round}"));
            let found = changes.record_since(before).unwrap();
            assert!(found.files_changed().contains(&"stays".to_owned()), "{found:?}");
        }
        done.store(true, Relaxed);
    });
    let (restored, _) = place.undo(Some(&["stays"]));
    assert_eq!(restored, ["stays"]);
    assert_eq!(fs::read_to_string(place.at("stays")).unwrap(), "before");
}

#[test]
fn two_who_undo_the_same_turn_do_it_once() {
    let place = Place::new();
    for number in 0..20 {
        place.text(&format!("{number}"), "before");
        place.write(&format!("{number}"), "after").unwrap();
    }
    let restored: usize = thread::scope(|scope| {
        let undone: Vec<_> = (0..2).map(|_| scope.spawn(|| place.undo(None))).collect();
        undone
            .into_iter()
            .map(|undo| undo.join().unwrap())
            .map(|(restored, conflicts)| {
                assert_eq!(conflicts, Vec::<String>::new());
                restored.len()
            })
            .sum()
    });
    assert_eq!(restored, 20);
    assert!(place.tree().values().all(|thing| matches!(thing, Thing::File(_, bytes) if bytes == b"before")));
}
