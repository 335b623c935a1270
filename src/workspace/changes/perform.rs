//! One step, from its record to its end. What a tool does and what an undo does go the same way.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::Path,
};

use cap_std::{ambient_authority, fs::Dir, fs::MetadataExt};

use super::{
    ChangeError, Durable, MAX_DIFF_FILE_BYTES, MAX_TURN_BYTES, State, TurnChanges, is_binary,
    log::{Deed, Log, Step, make_folder},
    state::{FileState, Hash},
};
use crate::workspace::{
    WorkspaceError, WorkspacePath,
    real::{Node, Sort},
    write::Content,
};

/// What a new file's permissions are taken for until it is there.
const USUAL_FILE_MODE: u32 = 0o644;
const USUAL_FOLDER_MODE: u32 = 0o755;

/// What stands at a path now.
#[derive(Clone, Debug)]
pub struct Now {
    pub(in crate::workspace) node: Option<Node>,
    pub state: State,
}

/// What shall stand there. A mode of `None` is the one that new files get here.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    Absent,
    File {
        bytes: &'a [u8],
        mode: Option<u32>,
    },
    /// The file that a step moved into the trash.
    FromTrash {
        step: u32,
        file: &'a FileState,
    },
    Folder {
        mode: Option<u32>,
    },
    Link(&'a str),
}

/// The steps that a step of an undo takes back; `None` for a step of the turn itself.
pub type Undoes = Option<Vec<u32>>;

impl Wanted<'_> {
    fn state(&self) -> State {
        match *self {
            Self::Absent => State::Absent,
            Self::File { bytes, mode } => State::File(FileState {
                size: bytes.len() as u64,
                mode: mode.unwrap_or(USUAL_FILE_MODE),
                hash: Some(Hash::of(bytes)),
                stamp: None,
                trash: None,
            }),
            Self::FromTrash { file, .. } => State::File(FileState { trash: None, ..file.clone() }),
            Self::Folder { mode } => State::Folder { mode: mode.unwrap_or(USUAL_FOLDER_MODE) },
            Self::Link(target) => State::Link(target.into()),
        }
    }
}

impl TurnChanges<'_> {
    /// Makes one path what is wanted. Returns what it was before, with where that is kept.
    pub(super) fn put(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        now: &Now,
        wanted: Wanted<'_>,
        undoes: Undoes,
    ) -> Result<State, ChangeError> {
        // A file that goes is moved into the trash whatever its size; only where that is another file system its
        // content has to be copied.
        if let (Wanted::Absent, Some(node)) = (wanted, now.node.as_ref().filter(|node| node.is_file())) {
            let hash = now.state.file().and_then(|file| file.hash.clone());
            if let Some(kept) = self.put_into_trash(log, path, (node, hash), undoes.clone())? {
                return Ok(kept);
            }
            let (now, _) = self.with_content(path)?;
            return self.put_recorded(log, path, &now, wanted, undoes);
        }
        self.put_recorded(log, path, now, wanted, undoes)
    }

    fn put_recorded(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        now: &Now,
        wanted: Wanted<'_>,
        undoes: Undoes,
    ) -> Result<State, ChangeError> {
        if let Wanted::File { bytes, .. } = wanted {
            self.keep_for_diff(bytes)?;
        }
        let deed = Deed::Put { path: path.clone(), before: now.state.clone(), after: wanted.state() };
        let step = self.begin(log, deed, undoes)?;
        match self.make(path, now.node.as_ref(), wanted) {
            Ok(node) => {
                ended(log.done(step, node.as_ref().map(|node| seen(node, wanted))));
                Ok(now.state.clone())
            }
            Err(error) => {
                ended(log.failed(step));
                Err(error)
            }
        }
    }

    /// `None`: the trash stands in another file system.
    fn put_into_trash(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        (node, hash): (&Node, Option<Hash>),
        undoes: Undoes,
    ) -> Result<Option<State>, ChangeError> {
        make_folder(&self.trash())?;
        let trash = Dir::open_ambient_dir(self.trash(), ambient_authority())?;
        if trash.dir_metadata()?.dev() != node.device {
            return Ok(None);
        }
        let step = log.next();
        let before = State::File(FileState { trash: Some(step), ..FileState::of(node, hash) });
        let deed = Deed::Put { path: path.clone(), before: before.clone(), after: State::Absent };
        self.begin(log, deed, undoes)?;
        match self.workspace.move_out(path, node, &trash, Path::new(&step.to_string())) {
            Ok(true) => {
                ended(log.done(step, None));
                Ok(Some(before))
            }
            Ok(false) => {
                ended(log.failed(step));
                Ok(None)
            }
            Err(error) => {
                ended(log.failed(step));
                Err(error.into())
            }
        }
    }

    /// Renames, and records it. `to` must be free.
    pub(super) fn relocate(
        &self,
        log: &mut Log,
        from: &WorkspacePath,
        now: &Now,
        to: &WorkspacePath,
        undoes: Undoes,
    ) -> Result<(), ChangeError> {
        let Some(node) = &now.node else { return Err(WorkspaceError::NotFound(from.clone()).into()) };
        let deed = Deed::Move { from: from.clone(), to: to.clone(), what: now.state.clone() };
        let step = self.begin(log, deed, undoes)?;
        match self.workspace.rename(from, node, to) {
            Ok(_) => {
                ended(log.done(step, None));
                Ok(())
            }
            Err(error) => {
                ended(log.failed(step));
                Err(error.into())
            }
        }
    }

    /// Makes the folders above `path` that are missing, and names them from the top down.
    pub(super) fn make_parents(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        undo: bool,
    ) -> Result<Vec<WorkspacePath>, ChangeError> {
        let mut missing = Vec::new();
        let mut folder = path.folder();
        while !folder.is_root() {
            match self.workspace.node(&folder)? {
                Some(node) if node.is_folder() => break,
                Some(_) => return Err(WorkspaceError::NotAFolder(folder).into()),
                None => missing.push(folder.clone()),
            }
            folder = folder.folder();
        }
        let nothing = Now { node: None, state: State::Absent };
        missing.reverse();
        for folder in &missing {
            self.put(log, folder, &nothing, Wanted::Folder { mode: None }, undo.then(Vec::new))?;
        }
        Ok(missing)
    }

    pub(super) fn begin(&self, log: &mut Log, deed: Deed, undoes: Undoes) -> Result<u32, ChangeError> {
        let number = log.next();
        let undo = undoes.is_some();
        log.begin(Step { number, undoes: undoes.unwrap_or_default(), undo, deed })?;
        Ok(number)
    }

    fn make(&self, path: &WorkspacePath, old: Option<&Node>, wanted: Wanted<'_>) -> Result<Option<Node>, ChangeError> {
        let workspace = self.workspace;
        match (wanted, old) {
            (Wanted::Absent, None) => {}
            (Wanted::Absent, Some(old)) if old.is_folder() => workspace.remove_folder(path)?,
            (Wanted::Absent, Some(old)) => workspace.remove(path, old)?,
            (Wanted::Folder { mode: Some(mode) }, Some(old)) if old.is_folder() => {
                workspace.set_folder_mode(path, mode)?;
            }
            (_, Some(old)) if old.sort == Sort::Folder => {
                return Err(WorkspaceError::NotAFile(path.clone()).into());
            }
            (Wanted::File { bytes, mode }, old) => {
                return Ok(Some(workspace.put(path, Content::File { bytes, mode }, old)?));
            }
            (Wanted::Link(target), old) => return Ok(Some(workspace.put(path, Content::Link(target), old)?)),
            (Wanted::Folder { .. } | Wanted::FromTrash { .. }, Some(_)) => {
                return Err(WorkspaceError::Exists(path.clone()).into());
            }
            (Wanted::Folder { mode }, None) => workspace.make_folder(path, mode)?,
            (Wanted::FromTrash { step, file }, None) => {
                // It may have had other permissions when it was thrown away.
                let kept = self.trash().join(step.to_string());
                if kept.metadata()?.mode() & 0o777 != file.mode {
                    std::fs::set_permissions(kept, Permissions::from_mode(file.mode))?;
                }
                let trash = Dir::open_ambient_dir(self.trash(), ambient_authority())?;
                workspace.move_in(&trash, Path::new(&step.to_string()), path)?;
            }
        }
        Ok(workspace.node(path)?)
    }

    /// What a change leaves is kept too, where it is small: a diff then shows what this turn did, whatever came
    /// after it.
    fn keep_for_diff(&self, bytes: &[u8]) -> Result<(), ChangeError> {
        let small = bytes.len() as u64 <= MAX_DIFF_FILE_BYTES;
        if small && !is_binary(bytes) && self.images.used()? + bytes.len() as u64 <= MAX_TURN_BYTES {
            self.images.save(bytes, Durable::No)?;
        }
        Ok(())
    }
}

/// A step whose end can't be recorded counts like one that a kill cut off: its path tells how it ended.
fn ended(recorded: io::Result<()>) {
    if let Err(error) = recorded {
        tracing::warn!(%error, "the end of a change could not be recorded");
    }
}

/// What was left at a path, as it was seen.
fn seen(node: &Node, wanted: Wanted<'_>) -> State {
    match (wanted, node.sort) {
        (Wanted::File { bytes, .. }, Sort::File) => State::File(FileState::of(node, Some(Hash::of(bytes)))),
        (Wanted::FromTrash { file, .. }, Sort::File) => State::File(FileState::of(node, file.hash.clone())),
        (_, Sort::Folder) => State::Folder { mode: node.mode },
        _ => wanted.state(),
    }
}
