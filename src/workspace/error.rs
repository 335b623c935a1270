//! Why a path in a workspace could not be used, in words for a person or a model.

use std::io;

use rustix::io::Errno;

use super::{
    WorkspacePath,
    names::{NameError, shown},
};

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
    #[error("`{0}` is there already; nothing was replaced.")]
    Exists(WorkspacePath),
    #[error("`{0}` is a folder that is not empty.")]
    NotEmpty(WorkspacePath),
    #[error("`{0}` belongs to git's own data, which is changed by git alone.")]
    Git(WorkspacePath),
    #[error(
        "`{0}` belongs to Cowork itself, with its settings, data or keys: here it is neither read nor changed. Whoever \
         runs the server does that outside of Cowork."
    )]
    Own(WorkspacePath),
    #[error("`{0}` is a name that Cowork keeps for files that it is still writing.")]
    Reserved(WorkspacePath),
    #[error("`{}` can't be made: {why}. Choose another name.", shown(.path.as_str()))]
    Name { path: WorkspacePath, why: NameError },
    #[error("The workspace's own folder can't be changed, only what is in it.")]
    Root,
    #[error("`{0}` is a link that leads nowhere.")]
    Dangling(WorkspacePath),
    #[error("`{0}` can't be moved into itself.")]
    IntoItself(WorkspacePath),
    #[error("`{0}` was changed by somebody else at the same moment, so it was left as it is.")]
    Changed(WorkspacePath),
    #[error("`{path}` could not be changed: {}.", reason(source))]
    NotChanged { path: WorkspacePath, source: io::Error },
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

impl WorkspaceError {
    /// The same for a change. What isn't about the path itself is told in the system's words: a full disk, a
    /// folder that may not be written.
    pub(super) fn of_change(path: &WorkspacePath, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT) => Self::NotFound(path.clone()),
            Some(Errno::EXIST) => Self::Exists(path.clone()),
            Some(Errno::NOTEMPTY) => Self::NotEmpty(path.clone()),
            Some(Errno::ISDIR) => Self::NotAFile(path.clone()),
            Some(Errno::NOTDIR) => Self::NotAFolder(path.clone()),
            _ => Self::NotChanged { path: path.clone(), source: error },
        }
    }
}

/// The operating system's words without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
