//! The server's own files, where they stand inside a workspace: its configuration, database, keys and users. Who could
//! write them would be the operator, and who could read them anybody; so to every workspace they are closed.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{Workspace, WorkspaceError, WorkspacePath, real::Last};

/// Of this process, whatever workspace it opens.
static OWN: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Closes files, and folders with all that is in them, also such as are not there yet. Counts once, at the start.
pub fn close_own(files: &[PathBuf]) {
    OWN.get_or_init(|| files.to_vec());
}

/// Those of the process that stand inside the folder.
pub(super) fn inside(root: &Path) -> Vec<WorkspacePath> {
    OWN.get().map_or_else(Vec::new, |own| below(root, own))
}

fn below(root: &Path, own: &[PathBuf]) -> Vec<WorkspacePath> {
    let Ok(root) = root.canonicalize() else { return Vec::new() };
    let mut inside: Vec<_> =
        own.iter().flat_map(|file| places(file)).filter_map(|file| seen_from(&root, &file)).collect();
    inside.sort();
    inside.dedup();
    inside
}

/// Where a file stands, and where it leads if it is a link.
fn places(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
    let named = folder.zip(file.file_name()).map_or_else(|| file.to_path_buf(), |(folder, name)| folder.join(name));
    [Some(named), file.canonicalize().ok()].into_iter().flatten().collect()
}

fn seen_from(root: &Path, file: &Path) -> Option<WorkspacePath> {
    if root.starts_with(file) {
        return Some(WorkspacePath::root());
    }
    WorkspacePath::recorded(file.strip_prefix(root).ok()?.to_str()?).ok()
}

impl Workspace {
    /// Whether a real path is one of the server's own, or inside one. Not every file system tells capitals apart.
    pub(super) fn is_own(&self, real: &WorkspacePath) -> bool {
        self.own.iter().any(|own| is_in(real, own))
    }

    /// Refuses a real path that is the server's own; where the path itself would go (`Last::Keep`) also a folder that
    /// holds such a file, since that would go with it.
    pub(super) fn check_own(&self, real: &WorkspacePath, last: Last) -> Result<(), WorkspaceError> {
        let goes_along = || last == Last::Keep && self.own.iter().any(|own| is_in(own, real));
        if self.is_own(real) || goes_along() { Err(WorkspaceError::Own(real.clone())) } else { Ok(()) }
    }
}

fn is_in(path: &WorkspacePath, folder: &WorkspacePath) -> bool {
    let mut names = path.names();
    folder.names().all(|name| names.next().is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::*;
    use crate::workspace::{Found, Hidden};

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    /// A workspace with a configuration that is a link, a data folder, and a place where another file may come.
    fn place() -> (TempDir, Workspace) {
        let place = TempDir::new().unwrap();
        let root = place.path().join("w");
        fs::create_dir_all(root.join("server/data")).unwrap();
        fs::write(root.join("server/real.toml"), "key").unwrap();
        symlink("server/real.toml", root.join("loom.toml")).unwrap();
        fs::write(root.join("server/data/token"), "secret").unwrap();
        fs::write(root.join("plan.txt"), "plan").unwrap();
        symlink("server/data", root.join("shortcut")).unwrap();
        let own = ["loom.toml", "server/data", "later.toml"].map(|name| root.join(name));
        let mut workspace = Workspace::open(&root).unwrap();
        workspace.own = below(&root, &own);
        (place, workspace)
    }

    #[test]
    fn own_files_are_neither_read_nor_changed_however_they_are_named() {
        let (_place, workspace) = place();
        let is_own = |result: Result<(), WorkspaceError>| matches!(result, Err(WorkspaceError::Own(_)));
        for file in ["loom.toml", "server/real.toml", "server/data/token", "shortcut/token"] {
            assert!(is_own(workspace.open_file(&path(file)).map(drop)), "{file}");
            assert!(is_own(workspace.real(&path(file), Last::Follow).map(drop)), "{file}");
            assert!(is_own(workspace.real(&path(file), Last::Keep).map(drop)), "{file}");
        }
        for file in ["later.toml", "LATER.toml", "server/data/new", "shortcut/new"] {
            assert!(is_own(workspace.real(&path(file), Last::Follow).map(drop)), "{file}");
        }
        assert!(is_own(workspace.real(&path("server"), Last::Keep).map(drop)), "they would move along");
        assert!(workspace.real(&path("server/other.txt"), Last::Follow).is_ok());
        assert!(workspace.open_file(&path("plan.txt")).is_ok());
    }

    #[test]
    fn a_listing_and_a_walk_pass_own_files_over() {
        let (_place, workspace) = place();
        let names: Vec<_> =
            workspace.list(&WorkspacePath::root()).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["plan.txt", "server", "shortcut"]);
        for folder in ["server/data", "shortcut"] {
            assert!(matches!(workspace.list(&path(folder)), Err(WorkspaceError::Own(_))), "{folder}");
        }
        let walk = workspace.walk(&WorkspacePath::root(), Hidden::Include).unwrap();
        let found: Vec<_> = walk.collect();
        assert_eq!(found, [Found::File(path("plan.txt")), Found::Folder(path("server"))], "nor what a link leads to");
    }
}
