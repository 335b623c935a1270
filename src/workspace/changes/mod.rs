//! What one turn did to the files of its workspace. Each change goes through [`TurnChanges`]: what was there before
//! is kept and the step recorded, on the disk, before it is made. So a turn's changes can be listed and taken back,
//! also without git and also after a kill.
//!
//! In the turn's own folder, outside the workspace: `changes.jsonl` (the record), `images/` (contents under their
//! hash), `trash/` (deleted files themselves, where the file system can move them there). Beside it, shared by the
//! session's turns, `snapshot/`: what the files were before the last command.

mod compare;
mod diff;
mod foresee;
mod images;
mod list;
mod log;
mod perform;
mod plan;
mod replay;
mod snapshot;
mod state;
mod things;
mod undo;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use self::{
    compare::{CommandChanges, MAX_STEPS},
    diff::{MAX_DIFF_BYTES, MAX_DIFF_FILE_BYTES, Side, is_binary, unified},
    snapshot::{MAX_COMPARED, MAX_KEPT_BYTES, MAX_KEPT_FILE_BYTES, MAX_KEPT_FILES, Snapshot},
    undo::{Conflict, Undone},
};
use self::{
    images::{Durable, Images},
    log::{Deed, Log, Outcome},
    perform::{Now, Wanted},
    state::{FileState, Hash, State},
};
use super::{Workspace, WorkspaceError, WorkspacePath};

/// The largest file whose content is kept, in bytes: it is held in memory meanwhile.
pub const MAX_IMAGE_BYTES: u64 = 32 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;
/// What is kept for one turn, in bytes. A turn that changes more is no longer one that a person can look through.
pub const MAX_TURN_BYTES: u64 = 512 * 1024 * 1024;

/// The changes of one turn. Cheap to make; its functions touch the disk and block.
#[derive(Debug)]
pub struct TurnChanges<'a> {
    workspace: &'a Workspace,
    data: PathBuf,
    images: Images,
}

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(
        "`{0}` is larger than {limit} MiB, so its content can't be kept for undo. It was left as it is.",
        limit = MAX_IMAGE_BYTES / MIB
    )]
    TooLarge(WorkspacePath),
    #[error(
        "`{0}` was left as it is: this turn has changed so much that {limit} MiB are kept for undo, and more are not. \
         Go on in a new message.",
        limit = MAX_TURN_BYTES / MIB
    )]
    TurnFull(WorkspacePath),
    #[error("The call was stopped before it changed anything.")]
    Stopped,
    /// The content from before is not there to be put back.
    #[error("What `{0}` held before was not kept.")]
    NotKept(WorkspacePath),
    #[error("The record for undo can't be kept ({}), so nothing was changed.", .0.kind())]
    Record(#[from] io::Error),
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it really stands, links resolved.
    pub path: WorkspacePath,
    /// `None`: it was not there.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    pub path: WorkspacePath,
    pub what: DeletedWhat,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedWhat {
    /// `content`: of a file that is small enough for a diff.
    File {
        size: u64,
        content: Option<Vec<u8>>,
    },
    Folder,
    Link,
}

impl<'a> TurnChanges<'a> {
    /// `data`: the turn's own folder, made with the first change.
    pub fn open(workspace: &'a Workspace, data: &Path) -> Self {
        Self { workspace, data: data.to_path_buf(), images: Images::new(data.join("images")) }
    }

    /// Writes a file. `make` gets what it holds, or `None` where there is none, and answers with what it shall hold;
    /// nobody else's change comes in between. Folders that are missing are made. Where nothing would change, nothing
    /// is done.
    pub fn write<E: From<ChangeError>>(
        &self,
        path: &WorkspacePath,
        make: impl FnOnce(Option<&[u8]>) -> Result<Vec<u8>, E>,
    ) -> Result<Written, E> {
        let path = self.workspace.place_to_write(path).map_err(ChangeError::from)?;
        let mut log = self.log()?;
        let (now, before) = self.with_content(&path)?;
        let after = make(before.as_deref())?;
        if before.as_ref() == Some(&after) {
            return Ok(Written { path, before, after });
        }
        self.workspace.check_new(&path).map_err(ChangeError::from)?;
        self.make_parents(&mut log, &path, false)?;
        let mode = now.node.as_ref().map(|node| node.mode);
        self.put(&mut log, &path, &now, Wanted::File { bytes: &after, mode }, None)?;
        Ok(Written { path, before, after })
    }

    /// Deletes a file, a link or an empty folder.
    pub fn delete(&self, path: &WorkspacePath) -> Result<Deleted, ChangeError> {
        let path = self.workspace.check_delete(path)?;
        let mut log = self.log()?;
        let now = self.now_there(&path)?;
        let kept = self.put(&mut log, &path, &now, Wanted::Absent, None)?;
        let what = match &kept {
            State::File(file) => DeletedWhat::File {
                size: file.size,
                content: if file.size <= MAX_DIFF_FILE_BYTES { self.content(&kept)? } else { None },
            },
            State::Link(_) => DeletedWhat::Link,
            State::Folder { .. } | State::Absent => DeletedWhat::Folder,
        };
        Ok(Deleted { path, what })
    }

    /// Renames a file, a link or a folder with all that is in it to a path where nothing stands; folders that are
    /// missing are made. Returns both real paths.
    pub fn rename(
        &self,
        from: &WorkspacePath,
        to: &WorkspacePath,
    ) -> Result<(WorkspacePath, WorkspacePath), ChangeError> {
        let (from, to) = self.workspace.check_rename(from, to)?;
        let mut log = self.log()?;
        let now = self.now_there(&from)?;
        self.make_parents(&mut log, &to, false)?;
        self.relocate(&mut log, &from, &now, &to, None)?;
        Ok((from, to))
    }

    fn log(&self) -> Result<Log, ChangeError> {
        let mut log = Log::open(&self.data)?;
        self.settle(&mut log)?;
        Ok(log)
    }

    /// The record, if the turn changed anything.
    fn existing_log(&self) -> Result<Option<Log>, ChangeError> {
        let mut log = Log::existing(&self.data)?;
        if let Some(log) = &mut log {
            self.settle(log)?;
        }
        Ok(log)
    }

    fn trash(&self) -> PathBuf {
        self.data.join("trash")
    }

    /// The content of a state that was recorded, if it is kept.
    fn content(&self, state: &State) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = state.file() else { return Ok(None) };
        if let Some(step) = file.trash {
            let kept = self.trash().join(step.to_string());
            return match kept.metadata() {
                Ok(metadata) if metadata.len() <= MAX_IMAGE_BYTES => std::fs::read(kept).map(Some),
                _ => Ok(None),
            };
        }
        file.hash.as_ref().map_or(Ok(None), |hash| self.images.load(hash))
    }

    /// Judges steps whose end nobody recorded by what stands at their paths, once: later steps change that.
    fn settle(&self, log: &mut Log) -> Result<(), ChangeError> {
        let open = log.steps().iter().filter(|(_, outcome)| *outcome == Outcome::Open);
        let open: Vec<(u32, Deed)> = open.map(|(step, _)| (step.number, step.deed.clone())).collect();
        for (number, deed) in open {
            if self.happened(&deed)? { log.done(number, None)? } else { log.failed(number)? }
        }
        Ok(())
    }

    fn happened(&self, deed: &Deed) -> Result<bool, WorkspaceError> {
        match deed {
            // Where it is neither, somebody else has been there since, and that is told as a conflict.
            Deed::Put { path, before, after } => {
                Ok(after.holds(self.workspace, path)? || !before.holds(self.workspace, path)?)
            }
            Deed::Move { from, to, what } => {
                Ok(self.workspace.node(from)?.is_none() && what.holds(self.workspace, to)?)
            }
        }
    }

    /// What stands at a real path, unread.
    fn now(&self, path: &WorkspacePath) -> Result<Now, ChangeError> {
        let node = self.workspace.node(path)?;
        let state = node.as_ref().map_or(Ok(State::Absent), |node| State::of(self.workspace, path, node))?;
        Ok(Now { node, state })
    }

    /// What stands at a real path, with the hash of a small file: it then counts as the same also after it was touched
    /// without being changed.
    fn now_known(&self, path: &WorkspacePath) -> Result<Now, ChangeError> {
        let now = self.now(path)?;
        if now.node.as_ref().is_none_or(|node| !node.is_file()) {
            return Ok(now);
        }
        match self.workspace.read_real(path, MAX_DIFF_FILE_BYTES) {
            Ok((node, Some(bytes))) => {
                let state = State::File(FileState::of(&node, Some(Hash::of(&bytes))));
                Ok(Now { node: Some(node), state })
            }
            // What may not be read may still be moved.
            Ok((_, None)) | Err(WorkspaceError::Denied(_)) => Ok(now),
            Err(error) => Err(error.into()),
        }
    }

    /// The same of what must be there.
    fn now_there(&self, path: &WorkspacePath) -> Result<Now, ChangeError> {
        let now = self.now_known(path)?;
        if now.state.is_absent() {
            return Err(WorkspaceError::NotFound(path.clone()).into());
        }
        Ok(now)
    }

    /// The file at a real path with its content, which is kept from now on; or that there is none.
    fn with_content(&self, path: &WorkspacePath) -> Result<(Now, Option<Vec<u8>>), ChangeError> {
        let Some((node, bytes)) = self.workspace.content_to_change(path)? else {
            return Ok((Now { node: None, state: State::Absent }, None));
        };
        if self.images.used()? + bytes.len() as u64 > MAX_TURN_BYTES {
            return Err(ChangeError::TurnFull(path.clone()));
        }
        let hash = self.images.save(&bytes, Durable::Yes)?;
        let state = State::File(FileState::of(&node, Some(hash)));
        Ok((Now { node: Some(node), state }, Some(bytes)))
    }
}

#[cfg(test)]
mod changes_tests;
#[cfg(test)]
mod command_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod piece_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod testing;
