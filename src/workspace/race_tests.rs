//! A folder of the workspace changes places with a link to a folder outside, over and over, while it is read.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    thread,
};

use rustix::fs::{CWD, FileType as NodeType, Mode, RenameFlags, mknodat, renameat_with};
use tempfile::TempDir;

use super::*;

const ROUNDS: u32 = 50_000;
const INSIDE: &str = "inside";
const OUTSIDE: &str = "OUTSIDE";

/// Exchanges the two names until `done`, counting.
fn flip(a: &Path, b: &Path, done: &AtomicBool, flips: &AtomicU32) {
    while !done.load(Relaxed) {
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
        flips.fetch_add(1, Relaxed);
    }
}

fn race(read: impl Fn(&Workspace) -> Option<String>) {
    let place = TempDir::new().unwrap();
    let inside = place.path().join("w");
    for (folder, text) in [(inside.join("dir"), INSIDE), (place.path().join("outside"), OUTSIDE)] {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("file.txt"), text).unwrap();
    }
    fs::write(place.path().join("outside/only-outside.txt"), OUTSIDE).unwrap();
    symlink(place.path().join("outside"), inside.join("link")).unwrap();
    let workspace = Workspace::open(&inside).unwrap();
    let (done, flips) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut seen_inside = 0;
    thread::scope(|scope| {
        scope.spawn(|| flip(&inside.join("dir"), &inside.join("link"), &done, &flips));
        for round in 0..ROUNDS {
            if let Some(text) = read(&workspace) {
                if text != INSIDE {
                    done.store(true, Relaxed);
                    panic!("{text:?} came from outside in round {round}");
                }
                seen_inside += 1;
            }
        }
        done.store(true, Relaxed);
    });
    assert!(flips.load(Relaxed) > 0, "the folder was exchanged meanwhile");
    assert!(seen_inside > 0, "the folder was also read");
}

#[test]
fn a_link_swapped_in_while_files_are_read_leaks_no_byte() {
    let file = WorkspacePath::parse("dir/file.txt").unwrap();
    race(|workspace| {
        let mut text = String::new();
        workspace.open_file(&file).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    });
}

#[test]
fn a_link_swapped_in_while_folders_are_listed_leaks_no_name() {
    let folder = WorkspacePath::parse("dir").unwrap();
    race(|workspace| {
        let names: Vec<String> = workspace.list(&folder).ok()?.into_iter().map(|entry| entry.name).collect();
        Some(if names == ["file.txt"] { INSIDE.into() } else { format!("{names:?}") })
    });
}

#[test]
fn a_pipe_swapped_in_while_a_file_is_opened_never_makes_the_reader_wait() {
    let place = TempDir::new().unwrap();
    let (file, pipe) = (place.path().join("file"), place.path().join("pipe"));
    fs::write(&file, INSIDE).unwrap();
    mknodat(CWD, &pipe, NodeType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let workspace = Workspace::open(place.path()).unwrap();
    let name = WorkspacePath::parse("file").unwrap();
    let (done, flips) = (AtomicBool::new(false), AtomicU32::new(0));
    let (mut opened, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| flip(&file, &pipe, &done, &flips));
        for _ in 0..ROUNDS {
            match workspace.open_file(&name) {
                Ok(_) => opened += 1,
                Err(WorkspaceError::Special(_)) => refused += 1,
                Err(_) => {}
            }
        }
        done.store(true, Relaxed);
    });
    assert!(opened > 0 && refused > 0, "both were met: {opened} files, {refused} pipes");
}
