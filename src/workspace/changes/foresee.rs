//! What a change would be, or why it can't be made, as the files stand: judged like the change itself, and not made.

use super::{ChangeError, MAX_IMAGE_BYTES, Written};
use crate::workspace::{
    Last, Workspace, WorkspaceError, WorkspacePath,
    real::{Node, Sort},
};

impl Workspace {
    /// As [`TurnChanges::write`](super::TurnChanges::write) would write.
    pub fn foresee_write<E: From<ChangeError>>(
        &self,
        path: &WorkspacePath,
        make: impl FnOnce(Option<&[u8]>) -> Result<Vec<u8>, E>,
    ) -> Result<Written, E> {
        let path = self.place_to_write(path).map_err(ChangeError::from)?;
        let before = self.content_to_change(&path)?.map(|(_, bytes)| bytes);
        let after = make(before.as_deref())?;
        self.check_new(&path).map_err(ChangeError::from)?;
        Ok(Written { path, before, after })
    }

    /// Where a file is really written: links followed, missing names in the form that names are kept in.
    pub(super) fn place_to_write(&self, path: &WorkspacePath) -> Result<WorkspacePath, WorkspaceError> {
        self.real(&self.composed(path), Last::Follow)
    }

    /// The file at a real path with its content, small enough to be kept; or that there is none.
    pub(super) fn content_to_change(&self, path: &WorkspacePath) -> Result<Option<(Node, Vec<u8>)>, ChangeError> {
        match self.node(path)?.map(|node| node.sort) {
            None => return Ok(None),
            Some(Sort::File) => {}
            Some(Sort::Folder) => return Err(WorkspaceError::NotAFile(path.clone()).into()),
            Some(Sort::Link | Sort::Special) => return Err(WorkspaceError::Changed(path.clone()).into()),
        }
        let (node, bytes) = self.read_real(path, MAX_IMAGE_BYTES)?;
        let bytes = bytes.ok_or_else(|| ChangeError::TooLarge(path.clone()))?;
        Ok(Some((node, bytes)))
    }

    /// The real path of what is to be deleted, where it may be.
    pub fn check_delete(&self, path: &WorkspacePath) -> Result<WorkspacePath, WorkspaceError> {
        let path = self.real(path, Last::Keep)?;
        let node = self.node(&path)?.ok_or_else(|| WorkspaceError::NotFound(path.clone()))?;
        // One that can't be looked into is left to the system's judgement.
        if node.is_folder() && self.list(&path).is_ok_and(|entries| !entries.is_empty()) {
            return Err(WorkspaceError::NotEmpty(path));
        }
        Ok(path)
    }

    /// The real paths of a move, where it may be made.
    pub fn check_rename(
        &self,
        from: &WorkspacePath,
        to: &WorkspacePath,
    ) -> Result<(WorkspacePath, WorkspacePath), WorkspaceError> {
        let from = self.real(from, Last::Keep)?;
        let to = self.real(&self.composed(to), Last::Keep)?;
        if self.node(&from)?.is_none() {
            return Err(WorkspaceError::NotFound(from));
        }
        if to.below(&from).is_some() {
            return Err(WorkspaceError::IntoItself(from));
        }
        if self.node(&to)?.is_some() {
            return Err(WorkspaceError::Exists(to));
        }
        self.check_new(&to)?;
        Ok((from, to))
    }
}
