//! What people's files are brought to the disk by. Through libc, not by a call of the system itself, so that
//! `tests/faults/shim.c` can stand between the two.

use std::os::fd::AsFd;

use rustix::io::Errno;

/// One file, or the names in one folder.
pub(super) fn sync(file: impl AsFd) -> rustix::io::Result<()> {
    nix::unistd::fsync(file).map_err(told)
}

/// Everything in the file system of this file.
pub(super) fn sync_all_of(file: impl AsFd) -> rustix::io::Result<()> {
    nix::unistd::syncfs(file).map_err(told)
}

fn told(error: nix::Error) -> Errno {
    Errno::from_raw_os_error(error as i32)
}
