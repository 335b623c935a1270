//! Folders that got new entries, until those are on the disk.

use std::io;

use cap_std::fs::{Dir, MetadataExt};
use rustix::fs::{Mode, OFlags, openat};

use super::{
    super::{WorkspacePath, sync::sync_all_of, write::durable},
    place::SYNC_TOGETHER,
};

#[derive(Default)]
pub(super) struct Touched {
    folders: Vec<Folder>,
    /// More than are kept open, so their file systems are synced whole.
    many: bool,
}

struct Folder {
    device: u64,
    inode: u64,
    dir: Dir,
}

impl Touched {
    pub fn add(&mut self, dir: Dir) -> io::Result<()> {
        let metadata = dir.dir_metadata()?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        if self.folders.iter().any(|known| (known.device, known.inode) == (device, inode)) {
            return Ok(());
        }
        let known_device = self.folders.iter().any(|known| known.device == device);
        if known_device && self.folders.len() >= SYNC_TOGETHER {
            self.many = true;
            return Ok(());
        }
        self.folders.push(Folder { device, inode, dir });
        Ok(())
    }

    /// Everything that was added is on the disk after this.
    pub fn sync(&mut self) -> io::Result<()> {
        let Self { folders, many } = std::mem::take(self);
        let mut synced = Vec::new();
        for folder in folders {
            if !many {
                let root = WorkspacePath::root();
                durable(&folder.dir, &root).map_err(|error| io::Error::other(error.to_string()))?;
            } else if !synced.contains(&folder.device) {
                // The handle may be one that only names the folder.
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                sync_all_of(openat(&folder.dir, ".", flags, Mode::empty())?)?;
                synced.push(folder.device);
            }
        }
        Ok(())
    }
}
