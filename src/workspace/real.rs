//! Where a path really stands. Reading may follow links as it goes. A change is recorded and undone under the file's
//! own path, so its links are resolved first, what they lead to is judged, and the folder is opened again name by
//! name without following any: a link that is swapped in meanwhile makes the change fail.

use std::{
    io::{self, Read},
    path::Path,
};

use cap_std::fs::{Dir, File, Metadata, MetadataExt};
use rustix::{
    fs::{Mode, OFlags, openat},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use super::{Kind, Workspace, WorkspaceError, WorkspacePath, names};

/// Begins the name of a file that is still being written. Such files are listed nowhere and can't be named.
pub(super) const PART_PREFIX: &str = ".cowork-part-";

/// Whether the last name of a path is followed where it is a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// What the link leads to: for writing into a file.
    Follow,
    /// The link itself: for deleting and moving.
    Keep,
}

/// What stands under a name at one moment, a link not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub sort: Sort,
    /// Permission bits.
    pub mode: u32,
    pub owner: (u32, u32),
    pub device: u64,
    pub stamp: Stamp,
    /// When content, name or permissions changed last, in nanoseconds since 1970.
    pub changed: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    File,
    Folder,
    Link,
    /// A pipe, socket or device.
    Special,
}

/// Tells a file from another one of the same name, and from itself with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub inode: u64,
    pub size: u64,
    /// In nanoseconds since 1970.
    pub modified: i64,
    /// Numbers of inodes are used again; the time of birth tells them apart, where the file system knows it.
    pub born: Option<i64>,
}

impl Node {
    pub fn is_file(&self) -> bool {
        self.sort == Sort::File
    }

    pub fn is_folder(&self) -> bool {
        self.sort == Sort::Folder
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        let file_type = metadata.file_type();
        let sort = if file_type.is_symlink() {
            Sort::Link
        } else {
            match super::kind_of(file_type) {
                Kind::File => Sort::File,
                Kind::Folder => Sort::Folder,
                Kind::Closed => Sort::Special,
            }
        };
        // What a file is when it runs (setuid) is not ours to give back; a folder's group inheritance is.
        let kept = if sort == Sort::Folder { 0o7777 } else { 0o777 };
        let born = metadata.created().ok().map(|time| nanoseconds(time.into_std()));
        Self {
            sort,
            mode: metadata.mode() & kept,
            owner: (metadata.uid(), metadata.gid()),
            device: metadata.dev(),
            stamp: Stamp {
                inode: metadata.ino(),
                size: metadata.len(),
                modified: time(metadata.mtime(), metadata.mtime_nsec()),
                born,
            },
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Workspace {
    /// The path without links on the way to it. Folders at its end may be missing. Refuses what no tool may change.
    pub fn real(&self, path: &WorkspacePath, last: Last) -> Result<WorkspacePath, WorkspaceError> {
        let (folder, name) = path.split().ok_or(WorkspaceError::Root)?;
        changeable(path)?;
        let mut real = self.real_folder(&folder)?.entry(name);
        if last == Last::Follow && self.dir.symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            real = self.canonical(path).map_err(|error| match error {
                WorkspaceError::NotFound(path) => WorkspaceError::Dangling(path),
                other => other,
            })?;
        }
        changeable(&real)?;
        self.check_own(&real, last)?;
        Ok(real)
    }

    /// The path with names that are missing in the form that names are kept in.
    pub(super) fn composed(&self, path: &WorkspacePath) -> WorkspacePath {
        path.names().fold(WorkspacePath::root(), |folder, name| {
            let at = folder.entry(name);
            if self.is_there(&at) { at } else { folder.entry(&names::composed(name)) }
        })
    }

    /// Whether what is missing of a path may be made under its names. What is there may have any name.
    pub(super) fn check_new(&self, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let mut at = WorkspacePath::root();
        for name in path.names() {
            at = at.entry(name);
            if !self.is_there(&at) {
                names::check(name).map_err(|why| WorkspaceError::Name { path: path.clone(), why })?;
            }
        }
        Ok(())
    }

    fn is_there(&self, path: &WorkspacePath) -> bool {
        self.dir.symlink_metadata(path).is_ok()
    }

    fn real_folder(&self, folder: &WorkspacePath) -> Result<WorkspacePath, WorkspaceError> {
        let mut there = folder.clone();
        let mut missing = Vec::new();
        while !there.is_root() {
            match self.canonical(&there) {
                Ok(_) => break,
                Err(WorkspaceError::NotFound(_)) if self.dir.symlink_metadata(&there).is_ok() => {
                    return Err(WorkspaceError::Dangling(there));
                }
                Err(WorkspaceError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
            let Some((above, name)) = there.split() else { break };
            missing.push(name.to_owned());
            there = above;
        }
        if self.facts(&there)?.kind != Kind::Folder {
            return Err(WorkspaceError::NotAFolder(there));
        }
        let real = self.canonical(&there)?;
        Ok(missing.iter().rev().fold(real, |folder, name| folder.entry(name)))
    }

    pub(super) fn canonical(&self, path: &WorkspacePath) -> Result<WorkspacePath, WorkspaceError> {
        let real = self.dir.canonicalize(path).map_err(|error| WorkspaceError::of(path, error))?;
        let text = real.to_str().map(|text| text.trim_end_matches('/').to_owned());
        text.and_then(|text| WorkspacePath::recorded(text).ok()).ok_or_else(|| WorkspaceError::NotFound(path.clone()))
    }

    /// Opens a folder by its real path; a link on the way is refused.
    pub(super) fn real_dir(&self, folder: &WorkspacePath) -> Result<Dir, WorkspaceError> {
        let mut dir = self.dir.try_clone().map_err(WorkspaceError::Closed)?;
        let mut at = WorkspacePath::root();
        for name in folder.names() {
            at = at.entry(name);
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(&dir, name, flags, Mode::empty()).map_err(|error| match error {
                Errno::LOOP | Errno::NOTDIR => WorkspaceError::NotAFolder(at.clone()),
                error => WorkspaceError::of(&at, error.into()),
            })?;
            dir = Dir::from_std_file(opened.into());
        }
        Ok(dir)
    }

    /// The folder that holds a real path, and the path's last name.
    pub(super) fn real_place<'a>(&self, path: &'a WorkspacePath) -> Result<(Dir, &'a Path), WorkspaceError> {
        let (folder, name) = path.split().ok_or(WorkspaceError::Root)?;
        Ok((self.real_dir(&folder)?, Path::new(name)))
    }

    /// What stands at a real path; `None` where nothing does, also where a folder on the way is gone.
    pub(super) fn node(&self, path: &WorkspacePath) -> Result<Option<Node>, WorkspaceError> {
        if path.is_root() {
            let metadata = self.dir.dir_metadata().map_err(WorkspaceError::Closed)?;
            return Ok(Some(Node::of(&metadata)));
        }
        match self.real_place(path) {
            Ok((dir, name)) => node_in(&dir, name).map_err(|error| WorkspaceError::of(path, error)),
            Err(WorkspaceError::NotFound(_) | WorkspaceError::NotAFolder(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file at a real path and its bytes, or `None` for those of one with more than `limit`. Never waits for a
    /// pipe, and a file that changes while it is read is refused.
    pub(super) fn read_real(
        &self,
        path: &WorkspacePath,
        limit: u64,
    ) -> Result<(Node, Option<Vec<u8>>), WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(&dir, name, flags, Mode::empty()).map_err(|error| match error {
            Errno::LOOP => WorkspaceError::Changed(path.clone()),
            error => WorkspaceError::of(path, error.into()),
        })?;
        let mut file = File::from_std(opened.into());
        let unreadable = |error| WorkspaceError::of(path, error);
        let metadata = file.metadata().map_err(unreadable)?;
        super::regular(path, &metadata)?;
        let before = Node::of(&metadata);
        if before.stamp.size > limit {
            return Ok((before, None));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(before.stamp.size).unwrap_or_default());
        (&mut file).take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let after = Node::of(&file.metadata().map_err(unreadable)?);
        if after.stamp != before.stamp || bytes.len() as u64 != after.stamp.size {
            return Err(WorkspaceError::Changed(path.clone()));
        }
        Ok((after, Some(bytes)))
    }

    /// Where the link at a real path points, as it is written in the link.
    pub(super) fn link_text(&self, path: &WorkspacePath) -> Result<String, WorkspaceError> {
        let (dir, name) = self.real_place(path)?;
        let target = dir.read_link_contents(name).map_err(|error| WorkspaceError::of(path, error))?;
        target.into_os_string().into_string().map_err(|_| WorkspaceError::Special(path.clone()))
    }
}

pub(super) fn node_in(dir: &Dir, name: &Path) -> io::Result<Option<Node>> {
    match dir.symlink_metadata(name) {
        Ok(metadata) => Ok(Some(Node::of(&metadata))),
        // Under a name that is too long nothing can stand.
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::NAMETOOLONG)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Git's own data and our unfinished files are nobody's to change. File systems that don't tell capitals apart, or drop
/// dots and spaces at the end, have more than one way to write `.git`.
fn changeable(path: &WorkspacePath) -> Result<(), WorkspaceError> {
    for name in path.names() {
        if name.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(".git") {
            return Err(WorkspaceError::Git(path.clone()));
        }
        if name.starts_with(PART_PREFIX) {
            return Err(WorkspaceError::Reserved(path.clone()));
        }
    }
    Ok(())
}

fn time(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

pub(super) fn nanoseconds(time: std::time::SystemTime) -> i64 {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
