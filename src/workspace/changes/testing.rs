//! What the tests of the record share.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use tempfile::TempDir;

use super::*;

/// A workspace `w` with the data folder of a turn beside it.
pub struct Place {
    place: TempDir,
    pub workspace: Workspace,
    turn: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    File(u32, Vec<u8>),
    Folder(u32),
    Link(String),
}

impl Place {
    pub fn new() -> Self {
        let place = TempDir::new().unwrap();
        fs::create_dir(place.path().join("w")).unwrap();
        let workspace = Workspace::open(&place.path().join("w")).unwrap();
        Self { place, workspace, turn: 1 }
    }

    /// From here on another turn of the session.
    pub fn turn(&mut self, turn: u32) {
        self.turn = turn;
    }

    /// A path in the workspace.
    pub fn at(&self, path: &str) -> std::path::PathBuf {
        self.place.path().join("w").join(path)
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.place.path().join(format!("data/session/{}", self.turn))
    }

    pub fn changes(&self) -> TurnChanges<'_> {
        TurnChanges::open(&self.workspace, &self.data())
    }

    pub fn text(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    pub fn folder(&self, path: &str) {
        fs::create_dir_all(self.at(path)).unwrap();
    }

    pub fn link(&self, path: &str, target: &str) {
        symlink(target, self.at(path)).unwrap();
    }

    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Everything in the workspace, byte for byte.
    pub fn tree(&self) -> BTreeMap<String, Thing> {
        let mut tree = BTreeMap::new();
        collect(&self.at(""), "", &mut tree);
        tree
    }

    pub fn write(&self, path: &str, text: &str) -> Result<Written, ChangeError> {
        self.changes().write(&p(path), |_| Ok(text.as_bytes().to_vec()))
    }

    pub fn delete(&self, path: &str) -> Result<Deleted, ChangeError> {
        self.changes().delete(&p(path))
    }

    pub fn rename(&self, from: &str, to: &str) -> Result<(WorkspacePath, WorkspacePath), ChangeError> {
        self.changes().rename(&p(from), &p(to))
    }

    /// The listing as `kind path [< from] [flags]`.
    pub fn listed(&self) -> Vec<String> {
        self.changes().list().unwrap().changes.iter().map(line).collect()
    }

    /// Undoes and gives what was restored and the conflicts.
    pub fn undo(&self, paths: Option<&[&str]>) -> (Vec<String>, Vec<String>) {
        let paths: Option<Vec<WorkspacePath>> = paths.map(|paths| paths.iter().map(|path| p(path)).collect());
        let undone = self.changes().undo(paths.as_deref()).unwrap();
        let conflict = |conflict: &Conflict| format!("{}: {}", conflict.path, conflict.reason);
        (undone.restored.iter().map(ToString::to_string).collect(), undone.conflicts.iter().map(conflict).collect())
    }
}

pub fn p(path: &str) -> WorkspacePath {
    WorkspacePath::parse(path).unwrap()
}

pub fn line(change: &crate::protocol::FileChange) -> String {
    let mut line = format!("{:?} {}", change.kind, change.path).to_lowercase();
    if let Some(from) = &change.from {
        line += &format!(" < {from}");
    }
    for (flag, word) in [(change.folder, " folder"), (change.undone, " undone"), (!change.undoable, " fixed")] {
        line += if flag { word } else { "" };
    }
    line
}

fn collect(folder: &Path, prefix: &str, tree: &mut BTreeMap<String, Thing>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let metadata = entry.path().symlink_metadata().unwrap();
        let mode = metadata.mode() & 0o777;
        let thing = if metadata.is_symlink() {
            Thing::Link(fs::read_link(entry.path()).unwrap().to_str().unwrap().into())
        } else if metadata.is_dir() {
            collect(&entry.path(), &format!("{path}/"), tree);
            Thing::Folder(mode)
        } else {
            Thing::File(mode, fs::read(entry.path()).unwrap())
        };
        tree.insert(path, thing);
    }
}
