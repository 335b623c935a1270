use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
};

use rustix::fs::{CWD, FileType as NodeType, Mode, mknodat};
use tempfile::TempDir;

use super::*;

const SECRET: &str = "the secret of the house next door";

/// A workspace in `w`, with the folder `w-secret` beside it.
fn place() -> (TempDir, Workspace) {
    let place = TempDir::new().unwrap();
    fs::create_dir_all(place.path().join("w/docs")).unwrap();
    fs::create_dir_all(place.path().join("w-secret")).unwrap();
    fs::write(place.path().join("w/docs/plan.txt"), "the plan").unwrap();
    fs::write(place.path().join("w-secret/key.txt"), SECRET).unwrap();
    let workspace = Workspace::open(&place.path().join("w")).unwrap();
    (place, workspace)
}

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

fn text(workspace: &Workspace, file: &str) -> Result<String, WorkspaceError> {
    let mut text = String::new();
    workspace.open_file(&path(file))?.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[test]
fn files_and_links_inside_the_workspace_are_read() {
    let (place, workspace) = place();
    symlink("docs", place.path().join("w/papers")).unwrap();
    symlink("../docs/plan.txt", place.path().join("w/docs/same.txt")).unwrap();
    for file in ["docs/plan.txt", "papers/plan.txt", "docs/same.txt", "papers/same.txt"] {
        assert_eq!(text(&workspace, file).unwrap(), "the plan", "{file}");
    }
}

#[test]
fn no_link_leads_out_of_the_workspace() {
    let (place, workspace) = place();
    let outside = place.path().join("w-secret");
    for (link, target) in [
        ("file", outside.join("key.txt").to_str().unwrap()),
        ("folder", outside.to_str().unwrap()),
        ("relative", "../w-secret/key.txt"),
        ("docs/deep", "../../w-secret/key.txt"),
        ("detour", "docs/../../w-secret/key.txt"),
        ("sibling", "../w-secret"),
        ("proc", "/proc/self/root"),
        ("own", "/proc/self/cwd"),
        ("chain", "sibling"),
    ] {
        symlink(target, place.path().join("w").join(link)).unwrap();
        assert!(matches!(workspace.open_file(&path(link)), Err(WorkspaceError::Outside(_))), "{link}");
        assert!(workspace.facts(&path(link)).is_err(), "{link}");
        assert!(workspace.list(&path(link)).is_err(), "{link}");
    }
    for below in ["folder/key.txt", "sibling/key.txt", "chain/key.txt", "proc/etc/passwd"] {
        assert!(matches!(text(&workspace, below), Err(WorkspaceError::Outside(_))), "{below}");
    }
    let kinds: Vec<Kind> = workspace.list(&path(".")).unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind != Kind::Closed).count(), 1, "docs alone is open: {kinds:?}");
}

#[test]
fn links_that_lead_nowhere_or_in_a_circle_say_so() {
    let (place, workspace) = place();
    symlink("gone", place.path().join("w/dangling")).unwrap();
    symlink("circle", place.path().join("w/circle")).unwrap();
    assert!(matches!(workspace.open_file(&path("dangling")), Err(WorkspaceError::NotFound(_))));
    assert!(matches!(workspace.open_file(&path("circle")), Err(WorkspaceError::Loop(_))));
}

#[test]
fn pipes_sockets_and_folders_are_refused_at_once() {
    let (place, workspace) = place();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, place.path().join("w/pipe"), NodeType::Fifo, mode, 0).unwrap();
    let _socket = UnixListener::bind(place.path().join("w/socket")).unwrap();
    symlink("pipe", place.path().join("w/to-pipe")).unwrap();
    for special in ["pipe", "socket", "to-pipe"] {
        assert!(matches!(workspace.open_file(&path(special)), Err(WorkspaceError::Special(_))), "{special}");
    }
    assert!(matches!(workspace.open_file(&path("docs")), Err(WorkspaceError::NotAFile(_))));
    assert!(matches!(workspace.list(&path("docs/plan.txt")), Err(WorkspaceError::NotAFolder(_))));
    assert!(matches!(workspace.list(&path("docs/plan.txt/x")), Err(WorkspaceError::NotFound(_))));
}

#[test]
fn a_listing_is_ordered_without_regard_to_case() {
    let (place, workspace) = place();
    for name in ["b.txt", "A.txt", "a.txt", "Ä.txt", ".hidden"] {
        fs::write(place.path().join("w").join(name), "").unwrap();
    }
    let names: Vec<String> = workspace.list(&path(".")).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [".hidden", "A.txt", "a.txt", "b.txt", "docs", "Ä.txt"]);
}

#[test]
fn a_missing_path_has_near_names_at_the_place_where_it_goes_wrong() {
    let (place, workspace) = place();
    fs::write(place.path().join("w/notes.txt"), "").unwrap();
    fs::write(place.path().join("w/NOTES.md"), "").unwrap();
    assert_eq!(workspace.near(&path("notes.tx")), ["notes.txt", "NOTES.md"]);
    assert_eq!(workspace.near(&path("doc/plan.txt")), ["docs"]);
    assert_eq!(workspace.near(&path("docs/Plan.TXT")), ["docs/plan.txt"]);
    assert_eq!(workspace.near(&path("zzz")), Vec::<String>::new());
    assert_eq!(workspace.near(&path("docs/plan.txt")), Vec::<String>::new());
}

#[test]
fn a_workspace_that_is_not_there_is_an_error_without_its_path() {
    let (place, _) = place();
    let error = Workspace::open(&place.path().join("gone")).unwrap_err();
    assert_eq!(error.to_string(), "The session's folder can't be opened: no such file or directory.");
}
