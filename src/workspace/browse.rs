//! A folder's entries and a search over all files, for people who look for one.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use super::{Found, Hidden, Kind, Workspace, WorkspaceError, WorkspacePath};
use crate::{
    agent::ports::clock::rfc3339,
    protocol::{FileEntry, FileKind, FileList},
};

/// Entries of one listing: a person pages through no more, and a browser shows no more at once.
pub const MAX_ENTRIES: usize = 10_000;
/// Files that a search looks at, and how long: it runs while somebody types.
const MAX_SEARCHED: usize = 100_000;
const LONGEST_SEARCH: Duration = Duration::from_millis(400);

impl Workspace {
    /// What is in a folder, with sizes and times.
    pub fn entries(&self, folder: &WorkspacePath) -> Result<FileList, WorkspaceError> {
        let mut listed = self.list(folder)?;
        let truncated = listed.len() > MAX_ENTRIES;
        listed.truncate(MAX_ENTRIES);
        let entries = listed.into_iter().map(|entry| self.entry(&folder.entry(&entry.name), entry.kind)).collect();
        Ok(FileList { entries, truncated })
    }

    fn entry(&self, path: &WorkspacePath, kind: Kind) -> FileEntry {
        let facts = self.facts(path).ok();
        FileEntry {
            name: path.split().map_or_else(String::new, |(_, name)| name.to_owned()),
            path: path.to_string(),
            kind: match kind {
                Kind::Folder => FileKind::Folder,
                Kind::File => FileKind::File,
                Kind::Closed => FileKind::Other,
            },
            size: facts.filter(|facts| facts.kind == Kind::File).map(|facts| facts.size),
            modified_at: facts.and_then(|facts| facts.modified).and_then(time),
        }
    }

    /// Files and folders whose path fits `words`, the best first. What `.gitignore` names and what is hidden is left
    /// out. Without words: what stands nearest to the top.
    pub fn search(&self, words: &str, limit: usize) -> Result<FileList, WorkspaceError> {
        let wanted = words.trim().to_lowercase();
        let until = Instant::now() + LONGEST_SEARCH;
        let (mut found, mut looked) = (Vec::new(), 0);
        let mut truncated = false;
        for step in self.walk(&WorkspacePath::root(), Hidden::Skip)? {
            looked += 1;
            if looked > MAX_SEARCHED || Instant::now() > until {
                truncated = true;
                break;
            }
            let (path, kind) = match step {
                Found::Folder(path) => (path, Kind::Folder),
                Found::File(path) => (path, Kind::File),
                Found::Link(_) => continue,
            };
            if let Some(rank) = rank(&wanted, path.as_str()) {
                found.push((rank, path, kind));
            }
        }
        found.sort_by(|(a, one, _), (b, other, _)| (a, one.as_str().len(), one).cmp(&(b, other.as_str().len(), other)));
        truncated |= found.len() > limit;
        found.truncate(limit);
        let entries = found.into_iter().map(|(_, path, kind)| self.entry(&path, kind)).collect();
        Ok(FileList { entries, truncated })
    }
}

/// RFC 3339.
pub fn time(at: SystemTime) -> Option<String> {
    Timestamp::try_from(at).ok().map(rfc3339)
}

/// How well a path fits what was typed, 0 best; `None` where it doesn't.
fn rank(wanted: &str, path: &str) -> Option<u8> {
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    if wanted.is_empty() {
        // Depth goes before length.
        return Some(u8::try_from(path.matches('/').count()).unwrap_or(u8::MAX));
    }
    let words = || wanted.split_whitespace();
    Some(match () {
        () if name == wanted || path == wanted => 0,
        () if name.starts_with(wanted) => 1,
        () if words().all(|word| name.contains(word)) => 2,
        () if words().all(|word| path.contains(word)) => 3,
        () if has_in_order(&path, wanted) => 4,
        () => return None,
    })
}

/// Whether all letters of `wanted` stand in `path` in this order.
fn has_in_order(path: &str, wanted: &str) -> bool {
    let mut path = path.chars();
    wanted.chars().filter(|c| !c.is_whitespace()).all(|c| path.any(|other| other == c))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn place(files: &[&str]) -> (TempDir, Workspace) {
        let place = TempDir::new().unwrap();
        for file in files {
            let path = place.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "12345").unwrap();
        }
        let workspace = Workspace::open(place.path()).unwrap();
        (place, workspace)
    }

    fn found(workspace: &Workspace, words: &str) -> Vec<String> {
        workspace.search(words, 10).unwrap().entries.into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn a_listing_has_sizes_and_times() {
        let (_place, workspace) = place(&["docs/a.txt"]);
        let list = workspace.entries(&WorkspacePath::parse("docs").unwrap()).unwrap();
        let entry = &list.entries[0];
        assert_eq!((entry.path.as_str(), entry.kind, entry.size), ("docs/a.txt", FileKind::File, Some(5)));
        assert!(entry.modified_at.as_ref().unwrap().ends_with('Z'));
        assert_eq!(workspace.entries(&WorkspacePath::root()).unwrap().entries[0].size, None, "a folder has no size");
    }

    #[test]
    fn the_best_comes_first() {
        let (_place, workspace) =
            place(&["x/plan/other.md", "my-plan.md", "plan.md", "deep/er/plan", "p/l/a/n.md", "zzz"]);
        assert_eq!(
            found(&workspace, "PLAN"),
            ["x/plan", "deep/er/plan", "plan.md", "my-plan.md", "x/plan/other.md", "p/l/a/n.md"]
        );
        assert_eq!(found(&workspace, "plan md"), ["plan.md", "my-plan.md", "x/plan/other.md", "p/l/a/n.md"]);
        assert_eq!(found(&workspace, "nothing like it"), Vec::<String>::new());
    }

    #[test]
    fn what_is_ignored_or_hidden_is_not_found_and_limits_hold() {
        let (place, workspace) = place(&["a.log", "b.txt", ".secret", "node/c.txt"]);
        fs::write(place.path().join(".gitignore"), "*.log\n").unwrap();
        assert_eq!(found(&workspace, ""), ["node", "b.txt", "node/c.txt"]);
        let list = workspace.search("", 1).unwrap();
        assert_eq!((list.entries.len(), list.truncated), (1, true));
    }
}
