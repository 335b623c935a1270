//! What turns did to files, and taking it back.

use std::{collections::HashSet, path::Path};

use crate::protocol::{ApiError, ChangeList, UndoAnswer};

/// All functions touch the disk and block. `workspace` is the session's folder, `data` the turn's own
/// ([`ToolContext::data`](super::tool::ToolContext::data)).
pub trait Changes: Send + Sync {
    fn list(&self, workspace: &Path, data: &Path) -> Result<ChangeList, ApiError>;
    /// Removes the folders below `data` of sessions that are not among `known`.
    fn sweep(&self, data: &Path, known: &HashSet<String>);
    /// Takes back what is listed under `paths`, or everything. What was changed since is left and told.
    fn undo(&self, workspace: &Path, data: &Path, paths: Option<&[String]>) -> Result<UndoAnswer, ApiError>;
}
