//! A file that is still arriving. It has no name where the system can do that, so that a kill leaves nothing; else
//! one that is listed nowhere, and a lock that tells a file that is still being written from one that was left.

use std::{
    cell::Cell,
    fs::File,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, fchmod, flock, linkat, openat, unlinkat},
    io::Errno,
};
use uuid::Uuid;

use super::super::{
    real::{Node, PART_PREFIX, Sort},
    write::{exchange, rename_new, take_owner},
};

/// Permissions of a new file, less the umask.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

/// Begins the names of these files, among those of all unfinished ones.
pub(super) fn prefix() -> String {
    format!("{PART_PREFIX}upload-")
}

pub(super) struct Temp {
    pub file: File,
    /// Where its name stands, once it has one.
    name: Option<(Dir, PathBuf)>,
    /// Somebody else's file stands under the name, which could not be given back.
    foreign: Cell<bool>,
}

/// Whether files without a name can be made here; a file system may refuse all the same.
pub(super) fn can_be_unnamed() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    // It gets its name by way of its number there.
    *CAN.get_or_init(|| Path::new("/proc/self/fd").is_dir())
}

impl Temp {
    /// `dir`: a folder in the file system where the file will stand.
    pub fn open(dir: &Dir, unnamed: bool) -> rustix::io::Result<Self> {
        if unnamed {
            let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
            match openat(dir, ".", flags, NEW_FILE) {
                Ok(file) => return Ok(Self { file: file.into(), name: None, foreign: Cell::new(false) }),
                Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        let name = free_name();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(dir, &name, flags, NEW_FILE)?);
        let temp = Self { file, name: Some((clone(dir)?, name)), foreign: Cell::new(false) };
        lock(&temp.file)?;
        Ok(temp)
    }

    /// A file that stands elsewhere in the same file system and is to get a name here beside its own.
    pub fn adopt(file: File) -> Self {
        Self { file, name: None, foreign: Cell::new(false) }
    }

    /// Gives it a name that must be free, for good.
    pub fn link(&mut self, dir: &Dir, name: &Path) -> rustix::io::Result<()> {
        match &self.name {
            Some((part_dir, part)) => {
                rename_new(part_dir, part, dir, name, Sort::File)?;
                self.name = None;
                Ok(())
            }
            None => link_unnamed(&self.file, dir, name),
        }
    }

    /// Puts it in the place of `old`; `false` where another file stands there by now.
    pub fn replace(&mut self, dir: &Dir, name: &Path, old: &Node) -> rustix::io::Result<bool> {
        take_owner(&self.file, old);
        fchmod(&self.file, Mode::from_raw_mode(old.mode))?;
        let (part_dir, part) = match &self.name {
            Some((part_dir, part)) => (part_dir, part),
            None => {
                // From here on a kill would leave it.
                lock(&self.file)?;
                let part = free_name();
                link_unnamed(&self.file, dir, &part)?;
                let (part_dir, part) = self.name.insert((clone(dir)?, part));
                (&*part_dir, &*part)
            }
        };
        exchange((part_dir, part), (dir, name), old, &self.foreign)
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if let Some((dir, name)) = self.name.as_ref().filter(|_| !self.foreign.get()) {
            let _ = unlinkat(dir, name, AtFlags::empty());
        }
    }
}

fn free_name() -> PathBuf {
    format!("{}{}", prefix(), Uuid::new_v4().simple()).into()
}

fn clone(dir: &Dir) -> rustix::io::Result<Dir> {
    dir.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Held as long as the file is open. A file system without locks has nobody who could sweep it either.
fn lock(file: &File) -> rustix::io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) | Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOLCK) => Ok(()),
        Err(error) => Err(error),
    }
}

fn link_unnamed(file: &File, dir: &Dir, name: &Path) -> rustix::io::Result<()> {
    use std::os::fd::AsRawFd;
    let number = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, number, dir, name, AtFlags::SYMLINK_FOLLOW)
}
