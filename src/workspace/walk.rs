//! All files below a folder, in a fixed order, without what `.gitignore` names.
//!
//! The walk opens every folder and every `.gitignore` through the workspace, one level at a time: a link that is
//! swapped in meanwhile makes entries vanish and can't add any. Links are not followed.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use super::{Entry, Kind, Workspace, WorkspaceError, WorkspacePath};

/// How much of a `.gitignore` is read: far more than people write.
const MAX_GITIGNORE_BYTES: u64 = 1024 * 1024;
/// How deep the walk goes. A deeper tree is a fault of some program, and every level is kept in memory.
const MAX_DEPTH: usize = 256;

/// Folders of programs for what they can make again. Others carry the file `CACHEDIR.TAG`.
const CACHES: &[&str] = &["node_modules", "__pycache__"];
const CACHE_TAG: &str = "CACHEDIR.TAG";

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
    Folder(WorkspacePath),
    File(WorkspacePath),
    /// Only from a walk that compares.
    Link(WorkspacePath),
}

/// What a walk left out and why, so that a later one leaves out the same although `.gitignore` files changed.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut {
    rules: HashMap<WorkspacePath, Arc<Gitignore>>,
    caches: HashSet<WorkspacePath>,
}

/// What a walk that compares has beyond others.
struct Comparing<'a> {
    before: Option<&'a LeftOut>,
    now: LeftOut,
}

pub struct Walk<'a> {
    workspace: &'a Workspace,
    hidden: Hidden,
    /// Rules of the folders above the one where the walk began.
    above: Vec<Rules>,
    levels: Vec<Level>,
    comparing: Option<Comparing<'a>>,
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
    rules: Arc<Gitignore>,
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
        let mut walk = Walk { workspace: self, hidden, above, levels: Vec::new(), comparing: None };
        walk.enter(folder)?;
        Ok(walk)
    }

    /// Walks everything that is worth comparing: hidden names and links too, but no caches. `before` is what an
    /// earlier walk left out.
    pub(super) fn walk_comparing<'a>(&'a self, before: Option<&'a LeftOut>) -> Result<Walk<'a>, WorkspaceError> {
        let comparing = Some(Comparing { before, now: LeftOut::default() });
        let mut walk =
            Walk { workspace: self, hidden: Hidden::Include, above: Vec::new(), levels: Vec::new(), comparing };
        walk.enter(&WorkspacePath::root())?;
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
        let rules = builder.build().unwrap_or_else(|_| Gitignore::empty());
        Rules { folder: folder.clone(), rules: Arc::new(rules) }
    }
}

impl Rules {
    fn matched(&self, path: &WorkspacePath, kind: Kind) -> Match<()> {
        let Some(below) = path.below(&self.folder) else { return Match::None };
        self.rules.matched(Path::new(below), kind == Kind::Folder).map(|_| ())
    }
}

impl Walk<'_> {
    /// What was left out, once the walk is through.
    pub(super) fn left_out(self) -> LeftOut {
        self.comparing.map(|comparing| comparing.now).unwrap_or_default()
    }

    /// `false`: the folder is left out with all that is in it.
    fn enter(&mut self, folder: &WorkspacePath) -> Result<bool, WorkspaceError> {
        let entries = self.workspace.list(folder)?;
        let Some(comparing) = &mut self.comparing else {
            let rules = self.workspace.rules(folder);
            self.levels.push(Level { folder: folder.clone(), entries: entries.into_iter(), rules });
            return Ok(true);
        };
        let known = comparing.before.and_then(|before| before.rules.get(folder));
        let was_cache = comparing.before.is_some_and(|before| before.caches.contains(folder));
        if was_cache || known.is_none() && is_cache(folder, &entries) {
            comparing.now.caches.insert(folder.clone());
            return Ok(false);
        }
        let rules = match known {
            Some(rules) => Rules { folder: folder.clone(), rules: rules.clone() },
            None => self.workspace.rules(folder),
        };
        comparing.now.rules.insert(folder.clone(), rules.rules.clone());
        self.levels.push(Level { folder: folder.clone(), entries: entries.into_iter(), rules });
        Ok(true)
    }

    fn skips(&self, entry: &Entry, path: &WorkspacePath) -> bool {
        let link = entry.link.is_some();
        if link && self.comparing.is_none() || !link && entry.kind == Kind::Closed || entry.name == ".git" {
            return true;
        }
        if self.hidden == Hidden::Skip && entry.name.starts_with('.') {
            return true;
        }
        self.ignored(path, if link { Kind::File } else { entry.kind })
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
            if entry.link.is_some() {
                return Some(Found::Link(path));
            }
            if entry.kind == Kind::File {
                return Some(Found::File(path));
            }
            // A folder that is gone or may not be read has nothing to show.
            if self.levels.len() < MAX_DEPTH && matches!(self.enter(&path), Ok(true)) {
                return Some(Found::Folder(path));
            }
        }
    }
}

fn is_cache(folder: &WorkspacePath, entries: &[Entry]) -> bool {
    let named = folder.split().is_some_and(|(_, name)| CACHES.contains(&name));
    // The workspace itself was chosen to be worked in, whatever a program thinks of it.
    named || !folder.is_root() && entries.iter().any(|entry| entry.name == CACHE_TAG)
}
