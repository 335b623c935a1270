//! Changes in a workspace, each whole or not at all. Paths are real ones (see [`super::real`]); what is replaced or
//! taken away is named by the node that was seen before, and if another one stands there by now it is left alone.

use std::{
    cell::Cell,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{
        AtFlags, Gid, Mode, OFlags, RenameFlags, Uid, fchmod, fchown, linkat, mkdirat, openat, renameat, renameat_with,
        symlinkat, unlinkat,
    },
    io::Errno,
};
use uuid::Uuid;

use super::{
    Workspace, WorkspaceError, WorkspacePath,
    real::{Node, PART_PREFIX, Sort, nanoseconds, node_in},
    sync::sync,
};

/// An unfinished file that is older was left by a process that was killed; the next write into its folder removes
/// it. No write takes that long, also not on a slow disk.
const LEFT_AFTER: Duration = Duration::from_secs(60 * 60);

/// What is put under a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// `mode`: permission bits; `None` for those that a new file gets here.
    File {
        bytes: &'a [u8],
        mode: Option<u32>,
    },
    Link(&'a str),
}

impl Workspace {
    /// Puts a file or a link in its place in one step. `old` is the file or link that it replaces; without one,
    /// nothing may be there. Returns what stands there now.
    pub(super) fn put(
        &self,
        path: &WorkspacePath,
        content: Content<'_>,
        old: Option<&Node>,
    ) -> Result<Node, WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        sweep(&dir);
        let part = Part::new(&dir);
        let put = part.fill(content, old).and_then(|()| match old {
            None => rename_new(&dir, part.name(), &dir, name, Sort::File).map(|()| true),
            Some(old) => part.exchange(name, old),
        });
        drop(part);
        match put {
            Ok(true) => {}
            Ok(false) => return Err(WorkspaceError::Changed(path.clone())),
            Err(error) => return Err(WorkspaceError::of_change(path, error)),
        }
        durable(&dir, path)?;
        let node = node_in(&dir, name).map_err(|error| WorkspaceError::of(path, error))?;
        node.ok_or_else(|| WorkspaceError::Changed(path.clone()))
    }

    /// `mode`: permission bits; `None` for those that a new folder gets here.
    pub(super) fn make_folder(&self, path: &WorkspacePath, mode: Option<u32>) -> Result<(), WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        let failed = |error| WorkspaceError::of_change(path, error);
        mkdirat(&dir, name, Mode::from_raw_mode(0o777)).map_err(failed)?;
        if let Some(mode) = mode {
            self.set_folder_mode(path, mode)?;
        }
        durable(&dir, path)
    }

    pub(super) fn set_folder_mode(&self, path: &WorkspacePath, mode: u32) -> Result<(), WorkspaceError> {
        let dir = self.real_dir(path)?;
        fchmod(&dir, Mode::from_raw_mode(mode)).map_err(|error| WorkspaceError::of_change(path, error))
    }

    /// Takes an empty folder away.
    pub(super) fn remove_folder(&self, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        sweep(&self.real_dir(path)?);
        let (dir, name) = self.real_place(path)?;
        unlinkat(&dir, name, AtFlags::REMOVEDIR).map_err(|error| WorkspaceError::of_change(path, error))?;
        durable(&dir, path)
    }

    /// Takes a file or a link away for good: its content is kept elsewhere.
    pub(super) fn remove(&self, path: &WorkspacePath, old: &Node) -> Result<(), WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        let part = Part::new(&dir);
        // First to a name that nobody else uses, so that what is looked at is what goes.
        rename_new(&dir, name, &dir, part.name(), old.sort).map_err(|error| WorkspaceError::of_change(path, error))?;
        if !is_still(&dir, part.name(), old) {
            part.foreign.set(!give_back(&dir, part.name(), &dir, name));
            return Err(WorkspaceError::Changed(path.clone()));
        }
        drop(part);
        durable(&dir, path)
    }

    /// Moves a file out of the workspace to the free name `kept` in `trash`. `false`: another file system, where
    /// nothing was done.
    pub(super) fn move_out(
        &self,
        path: &WorkspacePath,
        old: &Node,
        trash: &Dir,
        kept: &Path,
    ) -> Result<bool, WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        match rename_new(&dir, name, trash, kept, old.sort) {
            Ok(()) => {}
            Err(Errno::XDEV) => return Ok(false),
            Err(error) => return Err(WorkspaceError::of_change(path, error)),
        }
        if !is_still(trash, kept, old) {
            give_back(trash, kept, &dir, name);
            return Err(WorkspaceError::Changed(path.clone()));
        }
        durable(trash, path)?;
        durable(&dir, path)?;
        Ok(true)
    }

    /// Moves a file from `trash` back to a free path.
    pub(super) fn move_in(&self, trash: &Dir, kept: &Path, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        rename_new(trash, kept, &dir, name, Sort::File).map_err(|error| WorkspaceError::of_change(path, error))?;
        durable(&dir, path)?;
        durable(trash, path)
    }

    /// Renames to a free path.
    pub(super) fn rename(&self, from: &WorkspacePath, old: &Node, to: &WorkspacePath) -> Result<Node, WorkspaceError> {
        let (old_dir, old_name) = self.real_place(from)?;
        let (new_dir, new_name) = self.real_place(to)?;
        rename_new(&old_dir, old_name, &new_dir, new_name, old.sort).map_err(|error| match error {
            Errno::INVAL => WorkspaceError::IntoItself(from.clone()),
            Errno::EXIST | Errno::NOTEMPTY => WorkspaceError::Exists(to.clone()),
            error => WorkspaceError::of_change(from, error),
        })?;
        let now = node_in(&new_dir, new_name).map_err(|error| WorkspaceError::of(to, error))?;
        let now = now.filter(|now| now.stamp.inode == old.stamp.inode && now.sort == old.sort);
        let Some(now) = now else {
            give_back(&new_dir, new_name, &old_dir, old_name);
            return Err(WorkspaceError::Changed(from.clone()));
        };
        durable(&new_dir, to)?;
        durable(&old_dir, from)?;
        Ok(now)
    }
}

/// A name for a file that is still being written; what stands under it is removed at the end.
struct Part<'a> {
    dir: &'a Dir,
    name: PathBuf,
    /// Somebody else's file, which could not be given back.
    foreign: Cell<bool>,
}

impl<'a> Part<'a> {
    fn new(dir: &'a Dir) -> Self {
        let name = format!("{PART_PREFIX}{}", Uuid::new_v4().simple()).into();
        Self { dir, name, foreign: Cell::new(false) }
    }

    fn name(&self) -> &Path {
        &self.name
    }

    fn fill(&self, content: Content<'_>, old: Option<&Node>) -> rustix::io::Result<()> {
        let (bytes, mode) = match content {
            Content::Link(target) => return symlinkat(target, self.dir, self.name()),
            Content::File { bytes, mode } => (bytes, mode),
        };
        let first = Mode::from_raw_mode(if mode.is_some() { 0o600 } else { 0o666 });
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(self.dir, self.name(), flags, first)?);
        file.write_all(bytes).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        if let Some(old) = old.filter(|old| old.is_file()) {
            take_owner(&file, old);
        }
        if let Some(mode) = mode {
            fchmod(&file, Mode::from_raw_mode(mode))?;
        }
        sync(&file)
    }
}

impl Part<'_> {
    fn exchange(&self, name: &Path, old: &Node) -> rustix::io::Result<bool> {
        exchange((self.dir, self.name()), (self.dir, name), old, &self.foreign)
    }
}

/// A folder and a name in it.
type Place<'a> = (&'a Dir, &'a Path);

/// Lets a part and the file at `place` change places, and looks what came out: `false` if it is not `old`, and then
/// they have changed back. Where that failed, `foreign` says that the part is now somebody else's file.
pub(super) fn exchange(
    part: Place<'_>,
    place: Place<'_>,
    old: &Node,
    foreign: &Cell<bool>,
) -> rustix::io::Result<bool> {
    match renameat_with(part.0, part.1, place.0, place.1, RenameFlags::EXCHANGE) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(false),
        // A file system that can't: there is a moment between the look and the replacement.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            return if is_still(place.0, place.1, old) {
                renameat(part.0, part.1, place.0, place.1).map(|()| true)
            } else {
                Ok(false)
            };
        }
        Err(error) => return Err(error),
    }
    if is_still(part.0, part.1, old) {
        return Ok(true);
    }
    if renameat_with(part.0, part.1, place.0, place.1, RenameFlags::EXCHANGE).is_err() {
        foreign.set(!give_back(part.0, part.1, place.0, place.1));
    }
    Ok(false)
}

/// Colleagues read a file by its group. Where we may not give it that group, it stays ours.
pub(super) fn take_owner(file: &File, old: &Node) {
    let (owner, group) = old.owner;
    let _ = fchown(file, Some(Uid::from_raw(owner)), Some(Gid::from_raw(group)))
        .or_else(|_| fchown(file, None, Some(Gid::from_raw(group))));
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.foreign.get() {
            let _ = unlinkat(self.dir, self.name(), AtFlags::empty());
        }
    }
}

/// Renames to a name that is free, in one step also where the file system can't rename that way.
pub(super) fn rename_new(from_dir: &Dir, from: &Path, to_dir: &Dir, to: &Path, sort: Sort) -> rustix::io::Result<()> {
    match renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => rename_by_other_means(from_dir, from, to_dir, to, sort),
        renamed => renamed,
    }
}

/// A folder replaces an empty folder, so an empty one of ours holds the place; a file gets a second name first.
fn rename_by_other_means(from_dir: &Dir, from: &Path, to_dir: &Dir, to: &Path, sort: Sort) -> rustix::io::Result<()> {
    if sort == Sort::Folder {
        mkdirat(to_dir, to, Mode::from_raw_mode(0o700))?;
        return renameat(from_dir, from, to_dir, to).inspect_err(|_| {
            let _ = unlinkat(to_dir, to, AtFlags::REMOVEDIR);
        });
    }
    linkat(from_dir, from, to_dir, to, AtFlags::empty())?;
    unlinkat(from_dir, from, AtFlags::empty())
}

/// Undoes a renaming that took what it should not have taken; whether that went well.
fn give_back(from_dir: &Dir, from: &Path, to_dir: &Dir, to: &Path) -> bool {
    let given = renameat_with(from_dir, from, to_dir, to, RenameFlags::NOREPLACE);
    if let Err(error) = &given {
        tracing::error!(%error, kept_as = %from.display(), "a file that changed while it was moved is not back in its place");
    }
    given.is_ok()
}

fn is_still(dir: &Dir, name: &Path, old: &Node) -> bool {
    let now = node_in(dir, name).ok().flatten();
    now.is_some_and(|now| now.sort == old.sort && now.stamp == old.stamp)
}

/// What a name stands for is on the disk after this.
pub(super) fn durable(dir: &Dir, path: &WorkspacePath) -> Result<(), WorkspaceError> {
    // The handle may be one that only names the folder.
    let opened = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    match opened.and_then(sync) {
        // Some network file systems can't sync a folder; they do it with the file. A folder that may be written
        // and not read can't be opened for it.
        Ok(()) | Err(Errno::INVAL | Errno::ACCESS) => Ok(()),
        Err(error) => Err(WorkspaceError::of_change(path, error)),
    }
}

/// Removes what killed processes left in a folder. That it can't be removed is no reason not to write.
fn sweep(dir: &Dir) {
    let Ok(entries) = dir.entries() else { return };
    let oldest = nanoseconds(SystemTime::now() - LEFT_AFTER);
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PART_PREFIX));
        if ours && node_in(dir, Path::new(&name)).is_ok_and(|node| node.is_some_and(|node| node.changed < oldest)) {
            let _: io::Result<()> = dir.remove_file(&name);
        }
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod write_tests;
