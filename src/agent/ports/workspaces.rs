//! Which folders sessions may work in.

use std::path::{Path, PathBuf};

use crate::protocol::{ApiError, Attached, FolderList};

pub trait Workspaces: Send + Sync {
    /// The folder of a new session: the one asked for, or the default; absolute and without symlinks.
    fn resolve(&self, requested: Option<&str>) -> Result<PathBuf, ApiError>;
    /// Whether an existing session may go on in its folder.
    fn check(&self, workspace: &Path) -> Result<(), ApiError>;
    /// Which of these paths are files and which are folders; one that is neither is refused.
    fn attach(&self, workspace: &Path, paths: &[String]) -> Result<Attached, ApiError>;
    /// Removes what uploads into `target_dir` left half written when a former process was killed.
    fn sweep_uploads(&self, workspace: &Path, target_dir: &str);
    /// The folders inside `dir`, or the allowed roots themselves.
    fn browse(&self, dir: Option<&str>) -> Result<FolderList, ApiError>;
}
