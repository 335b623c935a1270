//! Why a path in a workspace could not be used, in words for a person or a model.

use std::io;

use rustix::io::Errno;

use super::WorkspacePath;

#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The workspace's own folder can't be opened.
    #[error("The session's folder can't be opened: {}.", reason(.0))]
    Closed(#[source] io::Error),
    #[error("There is no `{0}` in the workspace.")]
    NotFound(WorkspacePath),
    #[error("`{0}` is a folder, not a file.")]
    NotAFile(WorkspacePath),
    #[error("`{0}` is a file, not a folder.")]
    NotAFolder(WorkspacePath),
    #[error("`{0}` is a pipe, a socket or a device, and is not opened.")]
    Special(WorkspacePath),
    #[error("`{0}` leads out of the workspace, and is not followed.")]
    Outside(WorkspacePath),
    #[error("`{0}` is a link that leads in a circle.")]
    Loop(WorkspacePath),
    #[error("`{0}` may not be read: the file's permissions don't let Cowork.")]
    Denied(WorkspacePath),
    #[error("`{path}` could not be read: {}.", reason(source))]
    Failed { path: WorkspacePath, source: io::Error },
}

impl WorkspaceError {
    pub(super) fn of(path: &WorkspacePath, error: io::Error) -> Self {
        let path = path.clone();
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Self::NotFound(path),
            Some(Errno::LOOP) => Self::Loop(path),
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied(path),
            Some(Errno::NXIO) => Self::Special(path),
            // cap-std's own refusal of an escape carries no number of the operating system.
            None if error.kind() == io::ErrorKind::PermissionDenied => Self::Outside(path),
            _ => Self::Failed { path, source: error },
        }
    }
}

/// The operating system's words without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
