//! How much more may be written: for one file, for the workspace, and until the disk has too little left.

use std::os::fd::AsFd;

use cap_std::fs::Dir;
use rustix::fs::fstatvfs;

use super::{super::Workspace, folders, refusal};
use crate::protocol::{ApiError, UploadLimits};

/// The disk is looked at again after so many bytes: others write to it too.
const LOOK_AFTER_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct Room {
    limits: UploadLimits,
    /// What the workspace may still take, less what was kept.
    left: Option<u64>,
    unlooked: u64,
}

impl Room {
    pub fn measure(workspace: &Workspace, limits: &UploadLimits, announced: Option<u64>) -> Result<Self, ApiError> {
        let left = match limits.workspace_bytes {
            None => None,
            Some(most) => {
                let left = most.saturating_sub(folders::bytes_in(workspace)?);
                if left == 0 || announced.is_some_and(|bytes| bytes > left.saturating_add(ENVELOPE_BYTES)) {
                    return Err(refusal::full(most));
                }
                Some(left)
            }
        };
        let room = Self { limits: *limits, left, unlooked: 0 };
        room.check_disk(&workspace.dir, announced.unwrap_or(0))?;
        Ok(room)
    }

    /// A file of `size` bytes so far, `more` of which are new.
    pub fn take(&mut self, size: u64, more: usize, file: impl AsFd) -> Result<(), ApiError> {
        if size > self.limits.file_bytes {
            return Err(refusal::too_large(self.limits.file_bytes));
        }
        if self.left.is_some_and(|left| size > left) {
            return Err(refusal::full(self.limits.workspace_bytes.unwrap_or_default()));
        }
        self.unlooked += more as u64;
        if self.unlooked >= LOOK_AFTER_BYTES {
            self.unlooked = 0;
            self.check_disk(file, more as u64)?;
        }
        Ok(())
    }

    pub fn look(&self, dir: &Dir) -> Result<(), ApiError> {
        self.check_disk(dir, 0)
    }

    pub fn keep(&mut self, size: u64) {
        self.left = self.left.map(|left| left.saturating_sub(size));
    }

    pub fn give_back(&mut self, size: u64) {
        self.left = self.left.map(|left| left.saturating_add(size));
    }

    fn check_disk(&self, on: impl AsFd, wanted: u64) -> Result<(), ApiError> {
        // A file system that can't tell says so when it is full.
        let Ok(disk) = fstatvfs(on) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < self.limits.free_bytes.saturating_add(wanted) {
            return Err(refusal::no_space(self.limits.free_bytes));
        }
        Ok(())
    }
}

/// What a request holds beside its files; a file that fits exactly is not refused for its envelope.
const ENVELOPE_BYTES: u64 = 64 * 1024;
