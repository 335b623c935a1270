//! What in a workspace makes Git run programs: hooks and settings of its repositories. A command must not change
//! them, since the person's own Git outside of the sandbox would run what they name.
//!
//! What is there becomes a read-only mount of its own, and every folder above it a mount that can't be renamed away.
//! What is not there yet can't be mounted; if it is there at the end, it is removed.

use std::{
    collections::{BTreeSet, VecDeque},
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use super::Fault;

/// Folders that are searched before a workspace counts as too large to protect: some seconds of work.
const MAX_FOLDERS: usize = 200_000;
/// Where packages are unpacked: thousands of folders, and nobody uses Git in them.
const NOT_SEARCHED: &str = "node_modules";
/// In the folder of a repository: what names programs, or names another folder that does.
const SETTINGS: &[&str] = &["hooks", "config", "config.worktree", "commondir"];
/// By these a folder is a repository of its own.
const REPOSITORY: [&str; 3] = ["HEAD", "objects", "refs"];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Repositories {
    /// Folders that must stay where they are.
    pub pinned: BTreeSet<PathBuf>,
    /// Files and folders that must not change.
    pub frozen: BTreeSet<PathBuf>,
    /// What must be as it is now: not there, or this link.
    expected: Vec<(PathBuf, Option<PathBuf>)>,
}

impl Repositories {
    /// All of a workspace, whose path must be canonical.
    pub fn find(workspace: &Path) -> Result<Self, Fault> {
        let mut found = Self::default();
        let mut waiting = VecDeque::from([workspace.to_path_buf()]);
        let mut searched = 0;
        while let Some(folder) = waiting.pop_front() {
            searched += 1;
            if searched > MAX_FOLDERS {
                return Err(Fault::new(format!(
                    "the workspace has more than {MAX_FOLDERS} folders, too many to find the Git repositories that must be protected; choose a smaller folder"
                )));
            }
            // A folder that can't be read hides its repositories from the command, too.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            let mut marks = 0;
            for entry in entries.flatten() {
                let name = entry.file_name();
                marks += usize::from(REPOSITORY.iter().any(|mark| name == *mark));
                if name == ".git" {
                    found.git_entry(workspace, &entry.path());
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) && name != NOT_SEARCHED {
                    waiting.push_back(entry.path());
                }
            }
            if marks == REPOSITORY.len() {
                found.repository(workspace, &folder);
            }
        }
        Ok(found)
    }

    /// `.git`: the repository, or a file or link that leads to it.
    fn git_entry(&mut self, workspace: &Path, entry: &Path) {
        let Ok(facts) = fs::symlink_metadata(entry) else { return };
        if facts.is_dir() {
            return self.repository(workspace, entry);
        }
        let folder = entry.parent().unwrap_or(workspace);
        if facts.is_symlink() {
            self.expect(entry);
        } else {
            self.pin(workspace, folder);
            self.frozen.insert(entry.into());
        }
        let target = if facts.is_symlink() { entry.canonicalize().ok() } else { pointed_to(folder, entry) };
        if let Some(target) = target.filter(|target| target.starts_with(workspace) && target.is_dir()) {
            self.repository(workspace, &target);
        }
    }

    fn repository(&mut self, workspace: &Path, folder: &Path) {
        self.pin(workspace, folder);
        for name in SETTINGS {
            let path = folder.join(name);
            match fs::symlink_metadata(&path) {
                Err(_) => self.expected.push((path, None)),
                Ok(facts) if facts.is_symlink() => {
                    self.expect(&path);
                    if let Ok(target) = path.canonicalize()
                        && target.starts_with(workspace)
                    {
                        self.pin(workspace, target.parent().unwrap_or(workspace));
                        self.frozen.insert(target);
                    }
                }
                Ok(_) => {
                    self.frozen.insert(path);
                }
            }
        }
        for worktree in folders_in(&folder.join("worktrees")) {
            self.repository(workspace, &worktree);
        }
        self.modules(workspace, &folder.join("modules"));
    }

    /// Submodules; their names may have slashes.
    fn modules(&mut self, workspace: &Path, folder: &Path) {
        for inside in folders_in(folder) {
            if inside.join("HEAD").exists() {
                self.repository(workspace, &inside);
            } else {
                self.modules(workspace, &inside);
            }
        }
    }

    fn pin(&mut self, workspace: &Path, folder: &Path) {
        let above = folder.ancestors().take_while(|above| *above != workspace && above.starts_with(workspace));
        self.pinned.extend(above.map(Path::to_path_buf));
    }

    /// What must not be there at the end either.
    pub fn expect_absent(&mut self, paths: &[PathBuf]) {
        self.expected.extend(paths.iter().map(|path| (path.clone(), None)));
    }

    fn expect(&mut self, link: &Path) {
        if let Ok(target) = fs::read_link(link) {
            self.expected.push((link.into(), Some(target)));
        }
    }

    /// Puts back what could not be mounted. For when nothing runs any more. What was changed, in words.
    pub fn mend(&self) -> Vec<String> {
        let mut mended = Vec::new();
        for (path, expected) in &self.expected {
            let is = fs::symlink_metadata(path).ok().map(|_| fs::read_link(path).ok());
            let should_be = expected.as_ref().map(|target| Some(target.clone()));
            if is != should_be {
                let done = put_back(path, expected.as_deref());
                let path = path.display();
                mended.push(done.map_or_else(|error| format!("{path}, which stayed: {error}"), |()| path.to_string()));
            }
        }
        mended
    }
}

fn put_back(path: &Path, link: Option<&Path>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mode = fs::metadata(folder)?.permissions().mode();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o700))?;
    }
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => fs::remove_dir_all(path)?,
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    link.map_or(Ok(()), |target| symlink(target, path))
}

/// Where a file `.git` with `gitdir: <path>` leads.
fn pointed_to(folder: &Path, file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    folder.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}
