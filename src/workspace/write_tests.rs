//! Files and links put in their place in one step.

use std::{fs as std_fs, os::unix::fs::symlink};

use tempfile::TempDir;

use super::*;

fn place() -> (TempDir, Workspace) {
    let place = TempDir::new().unwrap();
    let workspace = Workspace::open(place.path()).unwrap();
    (place, workspace)
}

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

fn file(bytes: &[u8]) -> Content<'_> {
    Content::File { bytes, mode: None }
}

#[test]
fn what_was_not_seen_before_is_not_replaced() {
    let (place, workspace) = place();
    std_fs::write(place.path().join("a"), "theirs").unwrap();
    assert!(matches!(workspace.put(&path("a"), file(b"ours"), None), Err(WorkspaceError::Exists(_))));
    let seen = workspace.node(&path("a")).unwrap().unwrap();
    std_fs::write(place.path().join("a"), "theirs, longer").unwrap();
    assert!(matches!(workspace.put(&path("a"), file(b"ours"), Some(&seen)), Err(WorkspaceError::Changed(_))));
    assert_eq!(std_fs::read_to_string(place.path().join("a")).unwrap(), "theirs, longer");
    let seen = workspace.node(&path("a")).unwrap().unwrap();
    workspace.put(&path("a"), file(b"ours"), Some(&seen)).unwrap();
    assert_eq!(std_fs::read_to_string(place.path().join("a")).unwrap(), "ours");
    assert_eq!(std_fs::read_dir(place.path()).unwrap().count(), 1, "no unfinished file is left");
}

#[test]
fn a_file_that_changed_is_neither_removed_nor_moved() {
    let (place, workspace) = place();
    std_fs::write(place.path().join("a"), "one").unwrap();
    let seen = workspace.node(&path("a")).unwrap().unwrap();
    std_fs::write(place.path().join("a"), "another").unwrap();
    assert!(matches!(workspace.remove(&path("a"), &seen), Err(WorkspaceError::Changed(_))));
    assert_eq!(std_fs::read_to_string(place.path().join("a")).unwrap(), "another");
    std_fs::write(place.path().join("b"), "").unwrap();
    let seen = workspace.node(&path("a")).unwrap().unwrap();
    assert!(matches!(workspace.rename(&path("a"), &seen, &path("b")), Err(WorkspaceError::Exists(_))));
    workspace.remove(&path("a"), &seen).unwrap();
    assert!(!place.path().join("a").exists());
}

#[test]
fn a_link_is_put_and_replaced_as_a_link() {
    let (place, workspace) = place();
    symlink("nowhere", place.path().join("link")).unwrap();
    let seen = workspace.node(&path("link")).unwrap().unwrap();
    workspace.put(&path("link"), Content::Link("elsewhere"), Some(&seen)).unwrap();
    assert_eq!(std_fs::read_link(place.path().join("link")).unwrap().to_str(), Some("elsewhere"));
}

#[test]
fn a_link_on_the_way_is_not_followed() {
    let (place, workspace) = place();
    let outside = TempDir::new().unwrap();
    symlink(outside.path(), place.path().join("out")).unwrap();
    assert!(workspace.put(&path("out/a"), file(b"x"), None).is_err());
    assert!(std_fs::read_dir(outside.path()).unwrap().next().is_none());
}

#[test]
fn old_unfinished_files_are_swept_and_young_ones_stay() {
    let (place, workspace) = place();
    std_fs::write(place.path().join(format!("{PART_PREFIX}young")), "").unwrap();
    workspace.put(&path("a"), file(b"x"), None).unwrap();
    assert_eq!(std_fs::read_dir(place.path()).unwrap().count(), 2);
    assert_eq!(workspace.list(&WorkspacePath::root()).unwrap().len(), 1, "it is listed nowhere");
}
