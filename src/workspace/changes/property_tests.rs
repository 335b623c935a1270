//! Random turns on random folders: whatever they do, undo brings back every byte and permission.

use std::{fs, os::unix::fs::PermissionsExt};

use proptest::prelude::*;

use super::testing::*;

#[derive(Clone, Debug)]
enum Act {
    Write(String, String),
    Delete(String),
    Move(String, String),
    /// What a command does, between two looks at the folder.
    Command(Vec<Shell>),
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

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|names| names.join("/"))
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "x", "one\ntwo\n", "one\r\ntwo", "b\0in", "ä\n"]).prop_map(str::to_owned)
}

fn mode() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0o644, 0o755, 0o600, 0o700])
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
        3 => (path(), text()).prop_map(|(path, text)| Act::Write(path, text)),
        2 => path().prop_map(Act::Delete),
        3 => (path(), path()).prop_map(|(from, to)| Act::Move(from, to)),
        1 => prop::collection::vec(shell(), 1..6).prop_map(Act::Command),
    ]
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn undo_brings_a_whole_turn_back(
        things in prop::collection::vec(shell(), 0..14),
        acts in prop::collection::vec(act(), 1..10),
    ) {
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
    fn undoing_file_by_file_comes_to_the_same(
        things in prop::collection::vec(shell(), 0..14),
        acts in prop::collection::vec(act(), 1..10),
        order in any::<prop::sample::Index>(),
    ) {
        let place = Place::new();
        start(&place, &things);
        let before = place.tree();
        acts.iter().for_each(|act| run(&place, act));
        loop {
            let listed = place.changes().list().unwrap().changes;
            let open: Vec<_> = listed.iter().filter(|change| !change.undone).collect();
            if open.is_empty() {
                break;
            }
            let chosen = open[order.index(open.len())].path.clone();
            if place.undo(Some(&[&chosen])).0.is_empty() {
                break;
            }
        }
        // What hangs together can't be undone one by one; the rest of the turn brings it back.
        let (_, conflicts) = place.undo(None);
        prop_assert_eq!(conflicts, Vec::<String>::new());
        prop_assert_eq!(place.tree(), before);
    }
}
