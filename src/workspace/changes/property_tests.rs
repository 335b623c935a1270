//! Random turns on random folders: whatever they do, undo brings back every byte and permission, and takes nothing
//! away from anybody else.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use proptest::{prelude::*, sample::Index, test_runner::TestCaseError};

use super::testing::*;

#[derive(Clone, Debug)]
enum Act {
    Write(String, String),
    Delete(String),
    Move(String, String),
    /// What a command does, between two looks at the folder.
    Command(Vec<Shell>),
    /// Two change places by a third name.
    Swap(String, String),
}

#[derive(Clone, Debug)]
enum Shell {
    Write(String, String),
    Append(String, String),
    Remove(String),
    Move(String, String),
    Folder(String),
    Link(String, String),
    Mode(String, u32),
}

/// Names that meet often, some of which begin with another one or differ in their case alone.
fn path() -> impl Strategy<Value = String> {
    let name = prop_oneof![9 => prop::sample::select(vec!["a", "b", "c"]), 1 => prop::sample::select(vec!["ab", "A"])];
    prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"))
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "x", "one\ntwo\n", "one\r\ntwo", "b\0in", "ä\n"]).prop_map(str::to_owned)
}

fn mode() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0o644, 0o755, 0o600, 0o700, 0o500])
}

fn shell() -> impl Strategy<Value = Shell> {
    prop_oneof![
        (path(), text()).prop_map(|(path, text)| Shell::Write(path, text)),
        (path(), text()).prop_map(|(path, text)| Shell::Append(path, text)),
        path().prop_map(Shell::Remove),
        (path(), path()).prop_map(|(from, to)| Shell::Move(from, to)),
        path().prop_map(Shell::Folder),
        (path(), path()).prop_map(|(path, target)| Shell::Link(path, target)),
        (path(), mode()).prop_map(|(path, mode)| Shell::Mode(path, mode)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (path(), text()).prop_map(|(path, text)| Act::Write(path, text)),
        4 => path().prop_map(Act::Delete),
        6 => (path(), path()).prop_map(|(from, to)| Act::Move(from, to)),
        2 => prop::collection::vec(shell(), 1..6).prop_map(Act::Command),
        1 => (path(), path()).prop_map(|(a, b)| Act::Swap(a, b)),
    ]
}

fn things() -> impl Strategy<Value = Vec<Shell>> {
    prop::collection::vec(shell(), 0..14)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..10)
}

fn order() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 1..8)
}

/// What can't be done is not done, as in a real turn.
fn run(place: &Place, act: &Act) {
    match act {
        Act::Write(path, text) => drop(place.write(path, text)),
        Act::Delete(path) => drop(place.delete(path)),
        Act::Move(from, to) => drop(place.rename(from, to)),
        Act::Command(shell) => {
            let changes = place.changes();
            let before = changes.snapshot(&|| false).unwrap();
            shell.iter().for_each(|shell| run_shell(place, shell));
            changes.record_since(before).unwrap();
        }
        Act::Swap(a, b) => {
            for (from, to) in [(a.as_str(), "aside"), (b, a), ("aside", b)] {
                let _ = place.rename(from, to);
            }
        }
    }
}

fn run_shell(place: &Place, shell: &Shell) {
    let _: std::io::Result<()> = match shell {
        Shell::Write(path, text) => fs::write(place.at(path), text),
        Shell::Append(path, text) => {
            let mut bytes = fs::read(place.at(path)).unwrap_or_default();
            bytes.extend(text.bytes());
            fs::write(place.at(path), bytes)
        }
        Shell::Remove(path) => fs::remove_dir_all(place.at(path)).or_else(|_| fs::remove_file(place.at(path))),
        Shell::Move(from, to) => fs::rename(place.at(from), place.at(to)),
        Shell::Folder(path) => fs::create_dir_all(place.at(path)),
        Shell::Link(path, target) => std::os::unix::fs::symlink(target, place.at(path)),
        Shell::Mode(path, mode) => fs::set_permissions(place.at(path), fs::Permissions::from_mode(*mode)),
    };
}

fn start(place: &Place, things: &[Shell]) {
    things.iter().for_each(|thing| run_shell(place, thing));
}

/// Undoes what the listing offers, one path at a time, in some order. Where one has to wait for another, the other
/// can be undone; so it comes to an end.
fn undo_by_pieces(place: &Place, order: &[Index]) -> Result<(), TestCaseError> {
    let mut order = order.iter().cycle();
    loop {
        let listed = place.changes().list().unwrap().changes;
        let mut open: Vec<&str> =
            listed.iter().filter(|change| !change.undone).map(|change| change.path.as_str()).collect();
        if open.is_empty() {
            return Ok(());
        }
        loop {
            prop_assert!(!open.is_empty(), "nothing of this can be undone by itself: {listed:#?}");
            let chosen = open.remove(order.next().unwrap().index(open.len()));
            let (restored, conflicts) = place.undo(Some(&[chosen]));
            prop_assert!(!restored.is_empty() || !conflicts.is_empty(), "{chosen} is not told of: {listed:#?}");
            if !restored.is_empty() {
                break;
            }
        }
    }
}

/// What people have written is told by its text.
fn by_people(place: &Place) -> BTreeSet<Vec<u8>> {
    let texts = place.tree().into_values().filter_map(|thing| match thing {
        Thing::File(_, text) => Some(text),
        Thing::Folder(_) | Thing::Link(_) => None,
    });
    let whole = |text: &Vec<u8>| {
        text.starts_with(b"person ") && text.iter().position(|byte| *byte == b'\n') == Some(text.len() - 1)
    };
    texts.filter(whole).collect()
}

/// A person does something; each of their texts is another one.
fn run_person(place: &Place, shell: &Shell, number: usize) {
    match shell {
        Shell::Write(path, _) | Shell::Append(path, _) => {
            run_shell(place, &Shell::Write(path.clone(), format!("person {number}\n")));
        }
        other => run_shell(place, other),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn undo_brings_a_whole_turn_back(things in things(), acts in acts()) {
        let place = Place::new();
        start(&place, &things);
        let before = place.tree();
        acts.iter().for_each(|act| run(&place, act));
        let after = place.tree();
        let listed = place.changes().list().unwrap();
        prop_assert!(listed.changes.iter().all(|change| change.undoable && !change.undone), "{listed:#?}");
        prop_assert!(before == after || !listed.changes.is_empty());
        let (_, conflicts) = place.undo(None);
        prop_assert_eq!(conflicts, Vec::<String>::new());
        prop_assert_eq!(place.tree(), before.clone());
        let listed = place.changes().list().unwrap();
        prop_assert!(listed.changes.iter().all(|change| change.undone && !change.undoable), "{listed:#?}");
        prop_assert_eq!(place.undo(None), (vec![], vec![]));
        prop_assert_eq!(place.tree(), before);
    }

    #[test]
    fn undoing_file_by_file_comes_to_the_same(things in things(), acts in acts(), order in order()) {
        let place = Place::new();
        start(&place, &things);
        let before = place.tree();
        acts.iter().for_each(|act| run(&place, act));
        undo_by_pieces(&place, &order)?;
        prop_assert_eq!(place.tree(), before);
    }

    #[test]
    fn a_part_and_then_the_rest_comes_to_the_same(things in things(), acts in acts(), path in path()) {
        let place = Place::new();
        start(&place, &things);
        let before = place.tree();
        acts.iter().for_each(|act| run(&place, act));
        place.undo(Some(&[&path]));
        let (_, conflicts) = place.undo(None);
        prop_assert_eq!(conflicts, Vec::<String>::new());
        prop_assert_eq!(place.tree(), before);
    }

    #[test]
    fn two_turns_are_undone_one_after_the_other(
        things in things(), first in acts(), second in acts(), order in order(),
    ) {
        let mut place = Place::new();
        start(&place, &things);
        let before = place.tree();
        first.iter().for_each(|act| run(&place, act));
        let between = place.tree();
        place.turn(2);
        second.iter().for_each(|act| run(&place, act));
        undo_by_pieces(&place, &order)?;
        prop_assert_eq!(place.tree(), between);
        place.turn(1);
        undo_by_pieces(&place, &order)?;
        prop_assert_eq!(place.tree(), before);
    }

    /// The second turn stands for anybody: what it left stays.
    #[test]
    fn an_older_turn_is_undone_without_a_newer_one(
        things in things(), first in acts(), second in prop::collection::vec(shell(), 1..8), whole in any::<bool>(),
        order in order(),
    ) {
        let place = Place::new();
        start(&place, &things);
        first.iter().for_each(|act| run(&place, act));
        second.iter().enumerate().for_each(|(number, shell)| run_person(&place, shell, number));
        let theirs = by_people(&place);
        if whole {
            place.undo(None);
        } else {
            // What people have changed can't all be undone.
            let _ = undo_by_pieces(&place, &order);
        }
        prop_assert!(by_people(&place).is_superset(&theirs), "{theirs:?} {:#?}", place.tree());
        // Nothing is left between two places.
        prop_assert!(place.tree().keys().all(|path| !path.contains(".cowork-")), "{:#?}", place.tree());
    }

    #[test]
    fn what_a_person_writes_during_a_turn_is_not_lost(
        things in things(), acts in prop::collection::vec((act(), prop::option::of(shell())), 1..10),
        order in prop::option::of(order()),
    ) {
        let place = Place::new();
        start(&place, &things);
        // What the turn took away since a person was there last.
        let mut taken = BTreeSet::new();
        for (number, (act, person)) in acts.iter().enumerate() {
            let before = by_people(&place);
            run(&place, act);
            taken.extend(before.difference(&by_people(&place)).cloned());
            if let Some(shell) = person {
                run_person(&place, shell, number);
                taken.clear();
            }
        }
        let theirs = by_people(&place);
        let conflicts = match order {
            None => place.undo(None).1,
            Some(order) => {
                let _ = undo_by_pieces(&place, &order);
                vec![String::new()]
            }
        };
        let left = by_people(&place);
        prop_assert!(left.is_superset(&theirs), "{theirs:?} {:#?}", place.tree());
        prop_assert!(!conflicts.is_empty() || left.is_superset(&taken), "{taken:?} {:#?}", place.tree());
        prop_assert!(place.tree().keys().all(|path| !path.contains(".cowork-")), "{:#?}", place.tree());
    }
}
