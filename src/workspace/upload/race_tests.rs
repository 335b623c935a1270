//! A folder of the workspace changes places with a link to a folder outside, over and over, while files arrive.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    thread,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{receiver_tests::*, *};

/// Requests, and files in each: most of a request's price is that it is one.
const REQUESTS: u32 = 600;
const FILES: u32 = 20;

/// Exchanges the two names until `done`, counting.
fn flip(a: &Path, b: &Path, done: &AtomicBool, flips: &AtomicU32) {
    while !done.load(Relaxed) {
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
        flips.fetch_add(1, Relaxed);
    }
}

/// Uploads files into `folder` again and again while `a` and `b` change places; nothing may come to stand outside.
fn race(place: &Place, a: &Path, b: &Path, folder: &str) {
    let outside = place.folder.path().join("outside");
    let (done, flips) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut uploaded = 0;
    thread::scope(|scope| {
        scope.spawn(|| flip(a, b, &done, &flips));
        for request in 0..REQUESTS {
            let mut receiver = place.receiver(".", OnConflict::Replace);
            receiver.unnamed = request % 2 == 0;
            for file in 0..FILES {
                receiver.begin(&format!("{folder}/{file}.txt"));
                receiver.write(b"inside");
                receiver.end();
            }
            let files = receiver.finish();
            uploaded += files.iter().filter(|file| file.status == UploadStatus::Uploaded).count();
            if fs::read_dir(&outside).unwrap().next().is_some() {
                done.store(true, Relaxed);
                panic!("a file of request {request} came to stand outside: {files:?}");
            }
        }
        done.store(true, Relaxed);
    });
    assert!(flips.load(Relaxed) > 0, "the folder was exchanged meanwhile");
    assert!(uploaded > 0, "files were also uploaded");
}

/// Assurance row 34.
#[test]
fn a_link_swapped_in_while_a_file_arrives_takes_nothing_out() {
    let place = Place::new();
    let link = place.root().join("link");
    symlink(place.folder.path().join("outside"), &link).unwrap();
    race(&place, &place.root().join("docs"), &link, "docs");
}

/// Assurance row 34: the link is an ancestor of the folder.
#[test]
fn a_link_swapped_in_above_takes_nothing_out() {
    let place = Place::new();
    let link = place.root().join("link");
    symlink(place.folder.path().join("outside"), &link).unwrap();
    race(&place, &place.root().join("docs"), &link, "docs/new/deeper");
}
