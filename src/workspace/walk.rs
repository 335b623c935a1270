//! All files below a folder, in a fixed order, without what `.gitignore` names.
//!
//! The walk opens every folder and every `.gitignore` through the workspace, one level at a time: a link that is
//! swapped in meanwhile makes entries vanish and can't add any. Links are not followed.

use std::{path::Path, time::SystemTime};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use super::{Entry, Kind, Workspace, WorkspaceError, WorkspacePath};

/// How much of a `.gitignore` is read: far more than people write.
const MAX_GITIGNORE_BYTES: u64 = 1024 * 1024;
/// How deep the walk goes. A deeper tree is a fault of some program, and every level is kept in memory.
const MAX_DEPTH: usize = 256;

/// Whether names that start with a dot are walked. `.git` never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Skip,
    Include,
}

/// One step of a walk: a file, or a folder that has been entered. Folders come too, so that whoever walks a
/// large tree without a file in it can still stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Folder,
    File(WorkspacePath),
}

pub struct Walk<'a> {
    workspace: &'a Workspace,
    hidden: Hidden,
    /// Rules of the folders above the one where the walk began.
    above: Vec<Rules>,
    levels: Vec<Level>,
}

/// A folder that is being walked.
struct Level {
    folder: WorkspacePath,
    entries: std::vec::IntoIter<Entry>,
    rules: Rules,
}

/// The `.gitignore` of one folder.
struct Rules {
    folder: WorkspacePath,
    rules: Gitignore,
}

impl Workspace {
    /// Walks the files below `folder`, which is walked even if it is hidden or ignored itself: it was named.
    pub fn walk(&self, folder: &WorkspacePath, hidden: Hidden) -> Result<Walk<'_>, WorkspaceError> {
        let mut above = Vec::new();
        let mut parent = WorkspacePath::root();
        for name in folder.names() {
            above.push(self.rules(&parent));
            parent = parent.entry(name);
        }
        let mut walk = Walk { workspace: self, hidden, above, levels: Vec::new() };
        walk.enter(folder.clone())?;
        Ok(walk)
    }

    /// When a file was changed last, for an order by age.
    pub fn modified(&self, path: &WorkspacePath) -> Option<SystemTime> {
        self.facts(path).ok()?.modified
    }

    fn rules(&self, folder: &WorkspacePath) -> Rules {
        let file = folder.entry(".gitignore");
        let bytes = self.read_small(&file, MAX_GITIGNORE_BYTES).unwrap_or_default();
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A line that is no valid pattern counts for nothing, as it does in git.
            let _ = builder.add_line(None, line);
        }
        Rules { folder: folder.clone(), rules: builder.build().unwrap_or_else(|_| Gitignore::empty()) }
    }
}

impl Rules {
    fn matched(&self, path: &WorkspacePath, kind: Kind) -> Match<()> {
        let Some(below) = path.below(&self.folder) else { return Match::None };
        self.rules.matched(Path::new(below), kind == Kind::Folder).map(|_| ())
    }
}

impl Walk<'_> {
    fn enter(&mut self, folder: WorkspacePath) -> Result<(), WorkspaceError> {
        let entries = self.workspace.list(&folder)?.into_iter();
        let rules = self.workspace.rules(&folder);
        self.levels.push(Level { folder, entries, rules });
        Ok(())
    }

    fn skips(&self, entry: &Entry, path: &WorkspacePath) -> bool {
        if entry.link.is_some() || entry.kind == Kind::Closed || entry.name == ".git" {
            return true;
        }
        if self.hidden == Hidden::Skip && entry.name.starts_with('.') {
            return true;
        }
        self.ignored(path, entry.kind)
    }

    /// The rules of the nearest folder win, as in git.
    fn ignored(&self, path: &WorkspacePath, kind: Kind) -> bool {
        let nearest_first = self.levels.iter().map(|level| &level.rules).rev().chain(self.above.iter().rev());
        for rules in nearest_first {
            match rules.matched(path, kind) {
                Match::Ignore(()) => return true,
                Match::Whitelist(()) => return false,
                Match::None => {}
            }
        }
        false
    }
}

impl Iterator for Walk<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let level = self.levels.last_mut()?;
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let path = level.folder.entry(&entry.name);
            if self.skips(&entry, &path) {
                continue;
            }
            if entry.kind == Kind::File {
                return Some(Found::File(path));
            }
            // A folder that is gone or may not be read has nothing to show.
            if self.levels.len() < MAX_DEPTH && self.enter(path).is_ok() {
                return Some(Found::Folder);
            }
        }
    }
}
