//! The one door to the files of staff. Everything goes through a handle on the workspace's folder, and the
//! operating system resolves each path beneath it: no link, also none that is swapped in meanwhile, leads out.

mod browse;
pub mod changes;
mod encoding;
mod error;
pub mod names;
mod near;
mod own;
mod path;
mod port;
mod real;
pub mod roots;
mod sync;
pub mod upload;
mod walk;
mod write;

use std::{
    cmp::Ordering,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::SystemTime,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, File, FileType, Metadata, OpenOptions, OpenOptionsExt},
};
use rustix::fs::OFlags;

pub use browse::time;
pub use encoding::{Decoded, decoded};
pub use error::WorkspaceError;
pub use own::close_own;
pub use path::{MAX_PATH_BYTES, PathError, WorkspacePath};
pub use port::RecordedChanges;
pub use real::Last;
pub use walk::{Found, Hidden, Walk};

/// An open workspace. It stays the same folder even if its path is renamed meanwhile.
#[derive(Debug)]
pub struct Workspace {
    dir: Dir,
    /// The server's own files in it.
    own: Vec<WorkspacePath>,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the file system has it; bytes that aren't UTF-8 are replaced, and such an entry can't be opened.
    pub name: String,
    pub kind: Kind,
    /// Where a symlink points, as it is written in the link; `kind` is what it leads to.
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    /// A pipe, socket or device, or a link that leads out of the workspace or nowhere. It can't be opened.
    Closed,
}

/// What stands behind a path, links followed inside the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub kind: Kind,
    pub size: u64,
    pub modified: Option<SystemTime>,
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    /// Size in bytes when it was opened.
    pub size: u64,
    /// As of the same moment.
    pub modified: Option<SystemTime>,
}

impl Workspace {
    pub fn open(root: &Path) -> Result<Self, WorkspaceError> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(WorkspaceError::Closed)?;
        Ok(Self { dir, own: own::inside(root) })
    }

    /// What is in a folder, in the order of [`by_name`]; without the server's own files and those that are still being
    /// written.
    pub fn list(&self, folder: &WorkspacePath) -> Result<Vec<Entry>, WorkspaceError> {
        let real = if self.own.is_empty() { None } else { Some(self.canonical(folder)?) };
        if let Some(real) = &real {
            self.check_own(real, Last::Follow)?;
        }
        let dir = self.dir.open_dir(folder).map_err(|error| self.explain_folder(folder, error))?;
        let mut entries = Vec::new();
        for entry in dir.entries().map_err(|error| WorkspaceError::of(folder, error))? {
            let entry = entry.map_err(|error| WorkspaceError::of(folder, error))?;
            let Ok(file_type) = entry.file_type() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(real::PART_PREFIX) || real.as_ref().is_some_and(|real| self.is_own(&real.entry(&name)))
            {
                continue;
            }
            let link = file_type.is_symlink().then(|| link_target(&dir, &name));
            let kind = if link.is_some() { self.kind_behind(&folder.entry(&name)) } else { kind_of(file_type) };
            entries.push(Entry { name, kind, link });
        }
        entries.sort_by(|a, b| by_name(&a.name, &b.name));
        Ok(entries)
    }

    pub fn facts(&self, path: &WorkspacePath) -> Result<Facts, WorkspaceError> {
        let metadata = self.dir.metadata(path).map_err(|error| WorkspaceError::of(path, error))?;
        Ok(Facts {
            kind: kind_of(metadata.file_type()),
            size: metadata.len(),
            modified: metadata.modified().ok().map(|time| time.into_std()),
        })
    }

    /// Opens a regular file. Never waits: a pipe or a device is refused, also one that takes the file's place
    /// between the look and the open.
    pub fn open_file(&self, path: &WorkspacePath) -> Result<OpenFile, WorkspaceError> {
        let before = self.dir.metadata(path).map_err(|error| WorkspaceError::of(path, error))?;
        regular(path, &before)?;
        if !self.own.is_empty() {
            self.check_own(&self.canonical(path)?, Last::Follow)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = self.dir.open_with(path, &options).map_err(|error| WorkspaceError::of(path, error))?;
        let opened = file.metadata().map_err(|error| WorkspaceError::of(path, error))?;
        regular(path, &opened)?;
        let modified = opened.modified().ok().map(|time| time.into_std());
        Ok(OpenFile { file, size: opened.len(), modified })
    }

    /// Up to `limit` bytes of a small file, or `None` where it can't be read.
    pub fn read_small(&self, path: &WorkspacePath, limit: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn kind_behind(&self, path: &WorkspacePath) -> Kind {
        self.facts(path).map_or(Kind::Closed, |facts| facts.kind)
    }

    /// "Not a folder" is said of the file that was named, not of a file on the way to it.
    fn explain_folder(&self, path: &WorkspacePath, error: io::Error) -> WorkspaceError {
        if error.kind() == io::ErrorKind::NotADirectory && self.facts(path).is_ok() {
            return WorkspaceError::NotAFolder(path.clone());
        }
        WorkspaceError::of(path, error)
    }
}

impl Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// The order of names everywhere: without regard to case, then by bytes, so that it is always the same.
pub fn by_name(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b))
}

fn kind_of(file_type: FileType) -> Kind {
    if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Closed
    }
}

fn link_target(dir: &Dir, name: &str) -> String {
    dir.read_link_contents(name).map_or_else(|_| "?".into(), |target| target.to_string_lossy().into_owned())
}

fn regular(path: &WorkspacePath, metadata: &Metadata) -> Result<(), WorkspaceError> {
    match kind_of(metadata.file_type()) {
        Kind::File => Ok(()),
        Kind::Folder => Err(WorkspaceError::NotAFile(path.clone())),
        Kind::Closed => Err(WorkspaceError::Special(path.clone())),
    }
}

#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod walk_tests;
#[cfg(test)]
mod workspace_tests;
