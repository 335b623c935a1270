use std::{fs, time::Duration};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;

#[test]
fn more_files_than_fit_are_counted() {
    let files = (0..540).map(|number| (None, WorkspacePath::parse(&format!("{number:03}")).unwrap())).collect();
    let output = answer(files, Vec::new());
    assert_eq!(output.text.lines().count(), 502);
    assert!(output.text.starts_with("540 files match\n000\n001\n"));
    assert!(output.text.ends_with("\n499\n[cut: 40 more files; use a narrower pattern]"));
}

#[test]
fn when_time_is_up_what_was_found_is_given_and_after_a_stop_nothing() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("a.txt"), "").unwrap();
    let workspace = Workspace::open(place.path()).unwrap();
    let pattern = NamePattern::parse("pattern", "*").unwrap();
    let cancel = CancellationToken::new();
    let watch = Watch::new(cancel.clone(), Duration::ZERO);
    let output = find(&workspace, &watch, &WorkspacePath::root(), &pattern).unwrap();
    assert_eq!(output.text, "no files match\n[cut: stopped after 30 seconds; look in a folder inside]");
    cancel.cancel();
    assert_eq!(find(&workspace, &watch, &WorkspacePath::root(), &pattern), Err(stopped()));
}
