//! Which folders sessions may work in.

use std::path::{Path, PathBuf};

use crate::protocol::{ApiError, FolderList};

pub trait Workspaces: Send + Sync {
    /// The folder of a new session: the one asked for, or the default; absolute and without symlinks.
    fn resolve(&self, requested: Option<&str>) -> Result<PathBuf, ApiError>;
    /// Whether an existing session may go on in its folder.
    fn check(&self, workspace: &Path) -> Result<(), ApiError>;
    /// The folders inside `dir`, or the allowed roots themselves.
    fn browse(&self, dir: Option<&str>) -> Result<FolderList, ApiError>;
}
