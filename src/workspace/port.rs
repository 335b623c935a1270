//! [`Roots`] and the record of changes as the agent's ports.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    Kind, Workspace, WorkspaceError, WorkspacePath,
    changes::{ChangeError, TurnChanges},
    roots::Roots,
};
use crate::{
    agent::ports::{changes::Changes, workspaces::Workspaces},
    protocol::{ApiError, Attached, ChangeList, ErrorCode, FolderList, SessionId, UndoAnswer, UndoConflict},
};

/// The records that [`TurnChanges`] keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordedChanges;

impl Changes for RecordedChanges {
    fn sweep(&self, data: &Path, known: &HashSet<String>) {
        // Without a folder nothing was kept yet.
        let Ok(entries) = std::fs::read_dir(data) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if SessionId::parse(&name).is_none() || known.contains(&name) {
                continue;
            }
            if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::warn!(folder = %entry.path().display(), %error, "what a deleted session kept could not be removed");
            }
        }
    }

    fn list(&self, workspace: &Path, data: &Path) -> Result<ChangeList, ApiError> {
        let workspace = open(workspace)?;
        TurnChanges::open(&workspace, data).list().map_err(failed)
    }

    fn undo(&self, workspace: &Path, data: &Path, paths: Option<&[String]>) -> Result<UndoAnswer, ApiError> {
        let paths =
            paths.map(|paths| paths.iter().map(|path| listed(path)).collect::<Result<Vec<_>, _>>()).transpose()?;
        let workspace = open(workspace)?;
        let undone = TurnChanges::open(&workspace, data).undo(paths.as_deref()).map_err(failed)?;
        let conflict =
            |conflict: super::changes::Conflict| UndoConflict { path: conflict.path.into(), detail: conflict.reason };
        Ok(UndoAnswer {
            restored: undone.restored.into_iter().map(String::from).collect(),
            conflicts: undone.conflicts.into_iter().map(conflict).collect(),
        })
    }
}

fn listed(path: &str) -> Result<WorkspacePath, ApiError> {
    WorkspacePath::recorded(path).map_err(|error| {
        let detail =
            format!("`paths` holds a path that can't be used: {error}. Give paths as the list of changes has them.");
        ApiError::new(ErrorCode::InvalidRequest, detail)
    })
}

fn open(workspace: &Path) -> Result<Workspace, ApiError> {
    Workspace::open(workspace).map_err(|error| {
        let detail = format!("{error} So its changes can't be told. They are kept until the folder is back.");
        ApiError::new(ErrorCode::WorkspaceNotFound, detail)
    })
}

fn failed(error: ChangeError) -> ApiError {
    match error {
        ChangeError::Workspace(WorkspaceError::Closed(_) | WorkspaceError::Denied(_)) => {
            ApiError::new(ErrorCode::WorkspaceNotFound, format!("{error} So the turn's changes can't be told."))
        }
        error => {
            tracing::error!(%error, "a turn's record of changes can't be used");
            ApiError::internal()
        }
    }
}

const NOT_SENT: &str = "The message was not sent. Choose a file of the workspace.";

impl Workspaces for Roots {
    fn resolve(&self, requested: Option<&str>) -> Result<PathBuf, ApiError> {
        Self::resolve(self, requested)
    }
    fn check(&self, workspace: &Path) -> Result<(), ApiError> {
        Self::check(self, workspace)
    }
    fn attach(&self, workspace: &Path, paths: &[String]) -> Result<Attached, ApiError> {
        let mut attached = Attached::default();
        let workspace = Workspace::open(workspace)
            .map_err(|error| ApiError::new(ErrorCode::WorkspaceNotFound, format!("{error} {NOT_SENT}")))?;
        for path in paths {
            let refused = |code, why: &dyn std::fmt::Display| {
                ApiError::new(code, format!("`{}` can't be attached: {why} {NOT_SENT}", super::names::shown(path)))
            };
            let path = WorkspacePath::parse(path)
                .map_err(|error| refused(ErrorCode::PathOutsideWorkspace, &format!("{error}.")))?;
            let facts = workspace.facts(&path).map_err(|error| match error {
                WorkspaceError::Outside(_) => refused(ErrorCode::PathOutsideWorkspace, &error),
                error => refused(ErrorCode::AttachmentNotFound, &error),
            })?;
            let list = match facts.kind {
                Kind::File => &mut attached.files,
                Kind::Folder => &mut attached.directories,
                Kind::Closed => return Err(refused(ErrorCode::AttachmentNotFound, &"it is no file.")),
            };
            if !list.iter().any(|known| known == path.as_str()) {
                list.push(path.into());
            }
        }
        Ok(attached)
    }
    fn sweep_uploads(&self, workspace: &Path, target_dir: &str) {
        super::upload::sweep_left(workspace, target_dir);
    }
    fn browse(&self, dir: Option<&str>) -> Result<FolderList, ApiError> {
        Self::browse(self, dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_removes_the_folders_of_unknown_sessions_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let (known, gone) = ("a".repeat(32), "b".repeat(32));
        for folder in [known.as_str(), gone.as_str(), "not-a-session"] {
            std::fs::create_dir_all(data.path().join(folder).join("1/images")).unwrap();
        }
        RecordedChanges.sweep(data.path(), &HashSet::from([known.clone()]));
        assert!(data.path().join(known).exists() && data.path().join("not-a-session").exists());
        assert!(!data.path().join(gone).exists());
        RecordedChanges.sweep(&data.path().join("nowhere"), &HashSet::new());
    }
}
