use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use tempfile::TempDir;

use super::*;

struct Place {
    folder: TempDir,
    workspace: Workspace,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        Self { folder, workspace }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    fn node(&self, name: &str) -> Node {
        self.workspace.node(&path(name)).unwrap().unwrap()
    }

    fn put(&self, name: &str, text: &str, old: Option<&Node>) -> Result<Node, WorkspaceError> {
        self.workspace.put(&path(name), Content::File { bytes: text.as_bytes(), mode: None }, old)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn path(name: &str) -> WorkspacePath {
    WorkspacePath::parse(name).unwrap()
}

#[test]
fn a_new_file_takes_no_name_that_is_taken() {
    let place = Place::new();
    place.put("a", "one", None).unwrap();
    assert!(matches!(place.put("a", "two", None), Err(WorkspaceError::Exists(_))));
    assert_eq!((place.text("a").as_str(), place.names()), ("one", vec!["a".to_owned()]));
}

#[test]
fn only_the_file_that_was_seen_is_replaced_or_removed() {
    let place = Place::new();
    place.put("a", "seen", None).unwrap();
    let seen = place.node("a");
    fs::write(place.at("b"), "a person's").unwrap();
    fs::rename(place.at("b"), place.at("a")).unwrap();
    assert!(matches!(place.put("a", "mine", Some(&seen)), Err(WorkspaceError::Changed(_))));
    assert!(matches!(place.workspace.remove(&path("a"), &seen), Err(WorkspaceError::Changed(_))));
    assert_eq!((place.text("a").as_str(), place.names()), ("a person's", vec!["a".to_owned()]));
    let now = place.node("a");
    place.put("a", "mine", Some(&now)).unwrap();
    assert_eq!(place.text("a"), "mine");
    place.workspace.remove(&path("a"), &place.node("a")).unwrap();
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_rename_replaces_nothing_and_moves_only_what_was_seen() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.put(name, name, None).unwrap();
    }
    let seen = place.node("a");
    let taken = place.workspace.rename(&path("a"), &seen, &path("b"));
    assert!(matches!(taken, Err(WorkspaceError::Exists(_))), "{taken:?}");
    fs::write(place.at("c"), "another").unwrap();
    fs::rename(place.at("c"), place.at("a")).unwrap();
    let changed = place.workspace.rename(&path("a"), &seen, &path("d"));
    assert!(matches!(changed, Err(WorkspaceError::Changed(_))), "{changed:?}");
    assert_eq!((place.text("a").as_str(), place.names()), ("another", vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_replaced_file_keeps_the_permissions_that_are_wanted() {
    let place = Place::new();
    place.put("a", "one", None).unwrap();
    let content = Content::File { bytes: b"two", mode: Some(0o640) };
    place.workspace.put(&path("a"), content, Some(&place.node("a"))).unwrap();
    assert_eq!(fs::metadata(place.at("a")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_file_that_is_being_written_is_left_and_listed_nowhere() {
    let place = Place::new();
    let part = format!("{PART_PREFIX}of-another-process");
    fs::write(place.at(&part), "half").unwrap();
    place.put("a", "one", None).unwrap();
    assert_eq!(place.names(), [part, "a".to_owned()]);
    let listed = place.workspace.list(&WorkspacePath::root()).unwrap();
    assert_eq!(listed.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a"]);
}
