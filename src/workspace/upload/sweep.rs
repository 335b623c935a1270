//! What a killed process left.

use std::path::Path;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, openat, unlinkat};

use super::{
    super::{Workspace, WorkspacePath, names},
    folders, temp,
};

/// Removes unfinished files of uploads below a folder of the workspace. One that is still being written is locked by
/// its writer, and stays.
pub fn sweep_left(workspace: &Path, target_dir: &str) {
    let Ok(workspace) = Workspace::open(workspace) else { return };
    let Ok(target) = names::folder(target_dir) else { return };
    // Where the folder is not there (yet), its files were written into the nearest one above it.
    let real = match target.is_root() {
        true => Ok(target),
        false => workspace.real(&target, super::Last::Follow),
    };
    let Ok((dir, missing)) = folders::nearest(&workspace, &real.unwrap_or_else(|_| WorkspacePath::root())) else {
        return;
    };
    let prefix = temp::prefix();
    let mut left = Vec::new();
    let mut look = |dir: &Dir, name: &Path, metadata: &cap_std::fs::Metadata| {
        let ours = metadata.is_file() && name.to_str().is_some_and(|name| name.starts_with(&prefix));
        if let (true, Ok(dir)) = (ours, dir.try_clone()) {
            left.push((dir, name.to_owned()));
        }
    };
    // Below a folder that was missing there is nothing of ours.
    let depth = if missing { usize::MAX } else { 0 };
    folders::each_entry(&dir, depth, &mut look);
    for (dir, name) in left {
        if is_free(&dir, &name) {
            let _ = unlinkat(&dir, &name, AtFlags::empty());
        }
    }
}

fn is_free(dir: &Dir, name: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(dir, name, flags, Mode::empty()) else { return false };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}
