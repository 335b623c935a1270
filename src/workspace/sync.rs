//! What people's files are brought to the disk by. Through libc, not by a call of the system itself, so that
//! `tests/faults/shim.c` can stand between the two.

use std::{num::NonZeroU64, os::fd::AsFd};

use rustix::{
    fs::{Advice, fadvise},
    io::Errno,
};

/// One file, or the names in one folder.
pub(super) fn sync(file: impl AsFd) -> rustix::io::Result<()> {
    nix::unistd::fsync(file).map_err(told)
}

/// Everything in the file system of this file.
pub(super) fn sync_all_of(file: impl AsFd) -> rustix::io::Result<()> {
    nix::unistd::syncfs(file).map_err(told)
}

/// Has the system begin to write out a part of a file that nobody reads soon, and waits for nothing: a sync later finds
/// less to do. It is advice, so nothing is lost where it isn't taken.
pub(super) fn write_out(file: impl AsFd, from: u64, bytes: u64) {
    let _ = fadvise(file, from, NonZeroU64::new(bytes), Advice::DontNeed);
}

fn told(error: nix::Error) -> Errno {
    Errno::from_raw_os_error(error as i32)
}
