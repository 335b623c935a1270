//! What was probably meant by a path that isn't there.

use super::{Workspace, WorkspacePath};

/// How many names a text proposes; more would be a listing.
const MAX_NEAR: usize = 5;
/// How alike two names must be, from 0 to 1.
const ALIKE: f32 = 0.6;

impl Workspace {
    /// Paths near to one that does not exist, best first: the first name on the way that is missing, compared
    /// with its neighbours without regard to case.
    pub fn near(&self, path: &WorkspacePath) -> Vec<String> {
        let mut folder = WorkspacePath::root();
        for name in path.names() {
            let next = folder.entry(name);
            if self.facts(&next).is_err() {
                return self.alike(&folder, name);
            }
            folder = next;
        }
        Vec::new()
    }

    fn alike(&self, folder: &WorkspacePath, name: &str) -> Vec<String> {
        let entries = self.list(folder).unwrap_or_default();
        let lower: Vec<String> = entries.iter().map(|entry| entry.name.to_lowercase()).collect();
        let candidates: Vec<&str> = lower.iter().map(String::as_str).collect();
        let best = similar::get_close_matches(name.to_lowercase().as_str(), &candidates, MAX_NEAR, ALIKE);
        let mut paths: Vec<String> = Vec::new();
        for found in best {
            let same = entries.iter().zip(&lower).filter(|(_, lower)| *lower == found);
            for path in same.map(|(entry, _)| folder.entry(&entry.name).to_string()) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        paths.truncate(MAX_NEAR);
        paths
    }
}
