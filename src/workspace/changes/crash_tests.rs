//! A process that is killed between any two writes: what it left is told as it is, and undo loses nothing.

use std::{collections::BTreeSet, fs};

use super::{
    log::{Deed, Log, Step},
    state::State,
    testing::*,
};

/// Records a step that is about to be made, as a process does that is killed right after.
fn begun(place: &Place, deed: Deed) {
    let mut log = Log::open(&place.data()).unwrap();
    let number = log.next();
    log.begin(Step { number, undoes: Vec::new(), undo: false, deed }).unwrap();
}

fn file_state(place: &Place, path: &str) -> State {
    place.changes().with_content(&p(path)).unwrap().0.state
}

#[test]
fn a_step_that_was_recorded_and_not_made_is_no_change() {
    let place = Place::new();
    place.text("a", "before");
    let before = file_state(&place, "a");
    begun(&place, Deed::Put { path: p("a"), before: before.clone(), after: State::Absent });
    begun(&place, Deed::Put { path: p("new"), before: State::Absent, after: State::Folder { mode: 0o755 } });
    begun(&place, Deed::Move { from: p("a"), to: p("b"), what: before });
    assert_eq!(place.listed(), Vec::<String>::new());
    assert_eq!(place.undo(None), (vec![], vec![]));
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "before");
}

#[test]
fn a_step_that_was_made_and_not_ended_is_a_change_that_can_be_taken_back() {
    let place = Place::new();
    place.text("a", "before");
    place.text("m", "moved");
    let (written, moved) = (file_state(&place, "a"), file_state(&place, "m"));
    place.text("later", "after");
    let after = file_state(&place, "later");
    begun(&place, Deed::Put { path: p("a"), before: written, after });
    fs::rename(place.at("later"), place.at("a")).unwrap();
    begun(&place, Deed::Move { from: p("m"), to: p("n"), what: moved });
    fs::rename(place.at("m"), place.at("n")).unwrap();
    begun(&place, Deed::Put { path: p("f"), before: State::Absent, after: State::Folder { mode: 0o755 } });
    fs::create_dir(place.at("f")).unwrap();

    assert_eq!(place.listed(), ["modified a", "created f folder", "moved n < m"]);
    assert_eq!(place.undo(None), (["a", "f", "n"].map(String::from).to_vec(), vec![]));
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "before");
    assert!(place.at("m").exists() && !place.at("f").exists());
}

#[test]
fn an_undo_that_was_cut_off_half_way_is_gone_on_with() {
    let place = Place::new();
    place.text("a", "a");
    place.text("b", "b");
    let before = place.tree();
    for (from, to) in [("a", "t"), ("b", "a"), ("t", "b")] {
        place.rename(from, to).unwrap();
    }
    // One of them was put aside, so that the other has room.
    let what = file_state(&place, "b");
    let mut log = Log::open(&place.data()).unwrap();
    let deed = Deed::Move { from: p("b"), to: p(".cowork-undo-4"), what };
    log.begin(Step { number: log.next(), undoes: Vec::new(), undo: true, deed }).unwrap();
    drop(log);
    fs::rename(place.at("b"), place.at(".cowork-undo-4")).unwrap();

    assert_eq!(place.listed(), ["moved .cowork-undo-4 < a", "moved a < b"]);
    assert_eq!(place.undo(None), ([".cowork-undo-4", "a"].map(String::from).to_vec(), vec![]));
    assert_eq!(place.tree(), before);
}

#[test]
fn how_an_open_step_ended_is_judged_once() {
    let place = Place::new();
    place.text("a", "before");
    let before = file_state(&place, "a");
    begun(&place, Deed::Put { path: p("a"), before, after: State::Absent });
    assert_eq!(place.listed(), Vec::<String>::new());
    // What happens later was not this step.
    fs::remove_file(place.at("a")).unwrap();
    assert_eq!(place.listed(), Vec::<String>::new());
}

#[test]
fn a_command_that_was_cut_off_is_told_and_later_ones_are_not_mixed_with_it() {
    let place = Place::new();
    let changes = place.changes();
    drop(changes.snapshot(&|| false).unwrap());
    place.text("by-the-lost-command", "x");
    let list = changes.list().unwrap();
    assert!(
        list.changes.is_empty() && list.notes[0].starts_with("A command has not ended, or was cut off."),
        "{list:?}"
    );

    let before = changes.snapshot(&|| false).unwrap();
    place.text("a", "x");
    changes.record_since(before).unwrap();
    assert_eq!(place.listed(), ["created a"]);
    place.undo(None);
    assert!(place.at("by-the-lost-command").exists() && !place.at("a").exists());
}

/// The record is cut at and beside each of its borders, and here and there, as if the disk had taken no more of it.
#[test]
fn a_record_cut_anywhere_is_read_as_far_as_it_goes_and_written_on() {
    let turn = |place: &Place| {
        place.text("a", "one");
        place.text("b", "two");
        place.write("a", "other").unwrap();
        place.rename("b", "c").unwrap();
        place.write("e/f", "two").unwrap();
    };
    let whole = Place::new();
    turn(&whole);
    let record = fs::read(whole.data().join("changes.jsonl")).unwrap();
    let borders = record.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let cuts: BTreeSet<usize> =
        borders.flat_map(|at| [at - 1, at, at + 1]).chain((0..record.len()).step_by(97)).collect();
    let mut listings = BTreeSet::new();
    for cut in cuts {
        let place = Place::new();
        turn(&place);
        let record = place.data().join("changes.jsonl");
        let bytes = fs::read(&record).unwrap();
        fs::write(&record, &bytes[..cut.min(bytes.len())]).unwrap();
        listings.insert(place.listed());
        // The half line at the end does not swallow the next one.
        place.write("d", "new").unwrap();
        assert!(place.listed().contains(&"created d".to_owned()), "cut at {cut}");
        place.undo(None);
        assert!(!place.at("d").exists(), "cut at {cut}");
        // Nothing else is made up: what stands there is a content that stood there.
        for (path, thing) in place.tree() {
            let Thing::File(_, bytes) = thing else { continue };
            assert!(
                [b"one".as_slice(), b"two", b"other"].contains(&bytes.as_slice()),
                "cut at {cut}: {path} {bytes:?}"
            );
        }
    }
    let all = ["modified a", "moved c < b", "created e/f"].map(String::from).to_vec();
    assert!(
        listings.contains(&[] as &[String]) && listings.contains(&all[..1]) && listings.contains(&all),
        "{listings:?}"
    );
}

#[test]
fn an_image_that_is_not_whole_is_no_content_to_put_back() {
    let place = Place::new();
    place.text("a", "before the turn");
    place.write("a", "after").unwrap();
    let images = fs::read_dir(place.data().join("images")).unwrap();
    for image in images.map(|entry| entry.unwrap().path()) {
        let half = fs::read(&image).unwrap().len() / 2;
        fs::OpenOptions::new().write(true).open(&image).unwrap().set_len(half as u64).unwrap();
    }
    let (restored, conflicts) = place.undo(None);
    assert!(restored.is_empty() && conflicts[0].starts_with("a: "), "{restored:?} {conflicts:?}");
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "after", "it is left as it is");
}

#[test]
fn an_index_of_kept_contents_that_is_broken_is_made_anew() {
    let place = Place::new();
    place.text("a", "before");
    let changes = place.changes();
    drop(changes.snapshot(&|| false).unwrap());
    let index = place.data().parent().unwrap().join("snapshot/index.jsonl");
    fs::write(&index, "{\"path\": \"a\", half a li").unwrap();
    let before = changes.snapshot(&|| false).unwrap();
    place.text("a", "after");
    assert_eq!(changes.record_since(before).unwrap().changes.len(), 1);
    assert_eq!(place.undo(None).0, ["a"]);
    assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "before");
}
