//! A path inside a workspace, as people, models and scripts write it.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

/// The longest path that is taken, in bytes: Linux's own limit, so a longer one could never name a file.
pub const MAX_PATH_BYTES: usize = 4096;

/// A relative path with `/` between names, without `.` and `..`; `.` alone is the workspace itself.
/// Text from outside becomes one by [`WorkspacePath::parse`] at the edge and nowhere else. What was one before and
/// was kept in a file comes back by [`WorkspacePath::recorded`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspacePath(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("it is empty; `.` is the workspace itself")]
    Empty,
    #[error("it is absolute; paths are relative to the workspace")]
    Absolute,
    #[error("it has `..` in it; paths stay inside the workspace")]
    Parent,
    #[error("it has a backslash in it; names are divided by `/`")]
    Backslash,
    #[error("it starts with a drive letter; paths are relative to the workspace")]
    Drive,
    #[error("it has a NUL character in it")]
    Nul,
    #[error("it is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
}

impl WorkspacePath {
    pub fn root() -> Self {
        Self(".".into())
    }

    /// Takes `a/b`, and forgives a leading `./`, a trailing `/` and doubled slashes. Percent signs and `~` are
    /// characters like any other: nothing is decoded or expanded.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        if text.contains('\0') {
            return Err(PathError::Nul);
        }
        if text.contains('\\') {
            return Err(PathError::Backslash);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        if has_drive(text) {
            return Err(PathError::Drive);
        }
        let names: Vec<&str> = text.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        if names.contains(&"..") {
            return Err(PathError::Parent);
        }
        Ok(if names.is_empty() { Self::root() } else { Self(names.join("/")) })
    }

    /// A path as a listing of ours named it. It may hold what a person would not write, such as a backslash.
    pub fn recorded(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.contains('\0') {
            return Err(PathError::Nul);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        match text.split('/').any(|name| matches!(name, "" | "." | "..")) && text != "." {
            true => Err(PathError::Parent),
            false => Ok(Self(text)),
        }
    }

    /// The entry `name` of this folder. `name` comes from a listing of it, so it is one plain name.
    pub(crate) fn entry(&self, name: &str) -> Self {
        if self.is_root() { Self(name.into()) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// `below` as seen from this folder; `None` where that is longer than a path may be.
    pub fn join(&self, below: &Self) -> Option<Self> {
        if below.is_root() {
            return Some(self.clone());
        }
        Some(self.entry(&below.0)).filter(|path| path.0.len() <= MAX_PATH_BYTES)
    }

    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names from the workspace down; none for the workspace itself.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| *name != ".")
    }

    /// The folder that holds this path, and its last name; `None` for the workspace itself.
    pub fn split(&self) -> Option<(Self, &str)> {
        match self.0.rsplit_once('/') {
            Some((folder, name)) => Some((Self(folder.into()), name)),
            None if self.is_root() => None,
            None => Some((Self::root(), &self.0)),
        }
    }

    /// The folder that holds this path; the workspace holds itself.
    pub fn folder(&self) -> Self {
        self.split().map_or_else(Self::root, |(folder, _)| folder)
    }

    /// This path after `from` was renamed to `to`, if it is `from` or stands below it.
    pub fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        if self == from {
            return Some(to.clone());
        }
        self.below(from).map(|rest| to.entry(rest))
    }

    /// This path as seen from `folder`, if it stands inside it.
    pub fn below(&self, folder: &Self) -> Option<&str> {
        if folder.is_root() {
            return Some(&self.0);
        }
        self.0.strip_prefix(folder.as_str())?.strip_prefix('/')
    }
}

impl TryFrom<String> for WorkspacePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::recorded(text)
    }
}

impl From<WorkspacePath> for String {
    fn from(path: WorkspacePath) -> Self {
        path.0
    }
}

/// `C:` and the like. On Linux `c:notes` would be a plain name, but a person who writes it means a drive.
fn has_drive(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for WorkspacePath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn harmless_forms_of_a_path_become_one() {
        for (text, path) in [
            ("a/b", "a/b"),
            ("./a/b", "a/b"),
            ("a/b/", "a/b"),
            ("a//b", "a/b"),
            ("a/./b", "a/b"),
            (".", "."),
            ("./", "."),
            ("~/a", "~/a"),
            ("%2e%2e/a", "%2e%2e/a"),
            ("...", "..."),
            ("..a", "..a"),
            ("Überschuß/naïve 数.txt", "Überschuß/naïve 数.txt"),
        ] {
            assert_eq!(WorkspacePath::parse(text).unwrap().as_str(), path, "{text}");
        }
    }

    #[test]
    fn paths_that_could_lead_out_are_refused_with_their_reason() {
        for (text, error) in [
            ("", PathError::Empty),
            ("..", PathError::Parent),
            ("../a", PathError::Parent),
            ("a/../../b", PathError::Parent),
            ("a/..", PathError::Parent),
            ("/etc/passwd", PathError::Absolute),
            ("//host/share", PathError::Absolute),
            ("..\\a", PathError::Backslash),
            ("a\\b", PathError::Backslash),
            ("C:/a", PathError::Drive),
            ("c:a", PathError::Drive),
            ("a\0b", PathError::Nul),
        ] {
            assert_eq!(WorkspacePath::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(WorkspacePath::parse(&"a/".repeat(MAX_PATH_BYTES)), Err(PathError::TooLong));
    }

    #[test]
    fn a_path_is_below_a_folder_by_names_and_not_by_letters() {
        let path = |text| WorkspacePath::parse(text).unwrap();
        assert_eq!(path("a/b/c").below(&path("a/b")), Some("c"));
        assert_eq!(path("a/b").below(&path(".")), Some("a/b"));
        assert_eq!(path("ab/c").below(&path("a")), None);
    }

    #[test]
    fn a_recorded_path_comes_back_as_it_was_and_never_leads_out() {
        for text in ["a", "a/b", ".", "a\\b", "c:d", "..."] {
            assert_eq!(WorkspacePath::recorded(text).unwrap().as_str(), text);
        }
        for text in ["", "/a", "../a", "a/..", "a//b", "./a", "a/", "a\0"] {
            assert!(WorkspacePath::recorded(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_path_follows_the_folder_that_was_renamed() {
        let path = |text| WorkspacePath::parse(text).unwrap();
        assert_eq!(path("a/b/c").moved(&path("a/b"), &path("d")), Some(path("d/c")));
        assert_eq!(path("a").moved(&path("a"), &path("b/c")), Some(path("b/c")));
        assert_eq!(path("ab").moved(&path("a"), &path("d")), None);
        assert_eq!(path("a/b").split(), Some((path("a"), "b")));
        assert_eq!(path("a").split(), Some((path("."), "a")));
        assert_eq!(path(".").split(), None);
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_relative_and_has_plain_names_only(text in r"[a./\\:~\x00 é]{0,24}") {
            if let Ok(path) = WorkspacePath::parse(&text) {
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert!(path.names().all(|name| !name.is_empty() && name != ".."));
                prop_assert_eq!(WorkspacePath::parse(path.as_str()).unwrap(), path);
            }
        }
    }
}
