//! Names that are taken.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    thread,
};

use proptest::prelude::*;
use rustix::fs::{CWD, FileType as NodeType, Mode, mknodat};

use super::{receiver_tests::*, *};
use crate::protocol::ErrorCode;

#[test]
fn each_rule_does_what_it_says() {
    let place = Place::new();
    fs::write(place.root().join("a.txt"), "old").unwrap();
    let failed = place.upload(OnConflict::Fail, "a.txt", "new");
    assert_eq!((code(&failed), place.text("a.txt").as_str()), (Some(ErrorCode::AlreadyExists), "old"));
    let skipped = place.upload(OnConflict::Skip, "a.txt", "new");
    assert_eq!((skipped.status, skipped.error, place.text("a.txt").as_str()), (UploadStatus::Skipped, None, "old"));
    let kept = place.upload(OnConflict::KeepBoth, "a.txt", "new");
    assert_eq!((kept.status, kept.path.as_deref()), (UploadStatus::Uploaded, Some("a (2).txt")));
    assert_eq!(place.upload(OnConflict::KeepBoth, "a.txt", "newer").path.as_deref(), Some("a (3).txt"));
    assert_eq!(place.text("a.txt"), "old");
    let replaced = place.upload(OnConflict::Replace, "a.txt", "new");
    assert_eq!((replaced.status, replaced.path.as_deref()), (UploadStatus::Uploaded, Some("a.txt")));
    assert_eq!(place.text("a.txt"), "new");
    assert_eq!(place.names(), ["a (2).txt", "a (3).txt", "a.txt", "docs"]);
}

#[test]
fn a_file_in_a_folder_keeps_its_folder_when_it_gets_a_number() {
    let place = Place::new();
    fs::write(place.root().join("docs/a"), "old").unwrap();
    assert_eq!(place.upload(OnConflict::KeepBoth, "docs/a", "new").path.as_deref(), Some("docs/a (2)"));
    assert_eq!(place.text("docs/a (2)"), "new");
}

/// Assurance row 35: nothing waits, nothing special is touched.
#[test]
fn what_is_no_ordinary_file_is_not_replaced() {
    let place = Place::new();
    mknodat(CWD, place.root().join("pipe"), NodeType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.root().join("socket")).unwrap();
    fs::write(place.root().join("fixed"), "old").unwrap();
    fs::set_permissions(place.root().join("fixed"), fs::Permissions::from_mode(0o444)).unwrap();
    for (name, expected) in [
        ("pipe", ErrorCode::NotAFile),
        ("socket", ErrorCode::NotAFile),
        ("docs", ErrorCode::NotAFile),
        ("fixed", ErrorCode::ReadOnly),
        ("fixed/below", ErrorCode::NotAFolder),
    ] {
        assert_eq!(code(&place.upload(OnConflict::Replace, name, "x")), Some(expected), "{name}");
    }
    assert_eq!(place.text("fixed"), "old");
    assert!(place.root().join("docs").is_dir());
}

#[test]
fn a_replaced_file_keeps_its_permissions_and_a_link_inside_stays_a_link() {
    let place = Place::new();
    fs::write(place.root().join("docs/run"), "old").unwrap();
    fs::set_permissions(place.root().join("docs/run"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("docs/run", place.root().join("run")).unwrap();
    assert_eq!(place.upload(OnConflict::Replace, "run", "new").status, UploadStatus::Uploaded);
    assert_eq!(place.text("docs/run"), "new");
    assert!(place.root().join("run").is_symlink());
    assert_eq!(fs::metadata(place.root().join("docs/run")).unwrap().permissions().mode() & 0o777, 0o750);
}

/// Without a nameless file the same holds.
#[test]
fn replacing_works_by_names_too() {
    let place = Place::new();
    fs::write(place.root().join("docs/a"), "old").unwrap();
    let mut receiver = place.receiver("docs", OnConflict::Replace);
    receiver.unnamed = false;
    receiver.begin("a");
    receiver.write(b"new");
    receiver.end();
    assert_eq!(receiver.finish()[0].status, UploadStatus::Uploaded);
    assert_eq!(place.text("docs/a"), "new");
    assert_eq!(place.names(), ["docs", "docs/a"]);
}

/// Assurance row 36: two at once, one wins, and the other is told.
#[test]
fn of_two_uploads_of_one_name_exactly_one_wins() {
    for round in 0..300 {
        let place = Place::new();
        let (one, other) = thread::scope(|scope| {
            let upload = |text: &'static str| {
                scope.spawn({
                    let place = &place;
                    move || place.upload(OnConflict::Fail, "same", text)
                })
            };
            let (one, other) = (upload("one"), upload("two"));
            (one.join().unwrap(), other.join().unwrap())
        });
        let won = [&one, &other].iter().filter(|file| file.status == UploadStatus::Uploaded).count();
        assert_eq!(won, 1, "round {round}: {one:?} {other:?}");
        let text = if one.status == UploadStatus::Uploaded { "one" } else { "two" };
        assert_eq!(place.text("same"), text);
        assert_eq!(place.names(), ["docs", "same"]);
    }
}

/// Assurance row 36: a reader sees the old file or the new one, whole.
#[test]
fn replacing_is_one_step_for_readers() {
    let place = Place::new();
    let (old, new) = ("old".repeat(100), "new".repeat(100));
    fs::write(place.root().join("a"), &old).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..300 {
                let file = place.upload(OnConflict::Replace, "a", if round % 2 == 0 { &new } else { &old });
                assert_eq!(file.status, UploadStatus::Uploaded, "{file:?}");
            }
        });
        while !writer.is_finished() {
            let text = place.text("a");
            assert!(text == old || text == new, "{text}");
        }
        writer.join().unwrap();
    });
    assert_eq!(place.names(), ["a", "docs"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, in whatever order: what is said to be uploaded is there, byte for byte, and what is said to be
    /// refused changed nothing.
    #[test]
    fn the_answer_tells_what_is_on_the_disk(
        files in prop::collection::vec((r"(docs/)?[ab](\.txt)?|\.\./x|con|docs", r"[a-z]{0,12}"), 1..12),
        rule in prop::sample::select(vec![OnConflict::Fail, OnConflict::Replace, OnConflict::KeepBoth, OnConflict::Skip]),
    ) {
        let place = Place::new();
        let mut expected = std::collections::BTreeMap::new();
        for (name, text) in &files {
            let file = place.upload(rule, name, text);
            if file.status == UploadStatus::Uploaded {
                expected.insert(file.path.unwrap(), text.clone());
            }
            for (path, text) in &expected {
                prop_assert_eq!(&place.text(path), text);
            }
        }
        let there: Vec<_> = place.names().into_iter().filter(|name| name != "docs").collect();
        prop_assert_eq!(there, expected.into_keys().collect::<Vec<_>>());
    }
}
