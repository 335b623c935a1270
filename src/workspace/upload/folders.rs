//! Folders on the way to a new file, opened name by name without following a link.

use std::path::Path;

use cap_std::fs::{Dir, MetadataExt};
use rustix::{
    fs::{Mode, OFlags, mkdirat, openat},
    io::Errno,
};

use super::{
    super::{Workspace, WorkspaceError, WorkspacePath, names},
    refusal,
    touched::Touched,
};
use crate::protocol::ApiError;

/// How deep a workspace is measured; a deeper tree is a fault of some program.
const MAX_DEPTH: usize = 256;

/// The folder at a real path, or the nearest one above it that is there; whether some are missing. Names of missing
/// ones must be names that may be made.
pub(super) fn nearest(workspace: &Workspace, folder: &WorkspacePath) -> Result<(Dir, bool), ApiError> {
    let mut dir = workspace.dir.try_clone().map_err(|error| refusal::system(folder, &error))?;
    let mut at = WorkspacePath::root();
    let mut missing = false;
    for name in folder.names() {
        at = at.entry(name);
        if !missing {
            match enter(&dir, name) {
                Ok(below) => {
                    dir = below;
                    continue;
                }
                Err(Errno::NOENT) => missing = true,
                Err(error) => return Err(not_entered(&at, error)),
            }
        }
        names::check(name).map_err(|error| refusal::name(&error))?;
    }
    Ok((dir, missing))
}

/// The folder at a real path; what is missing is made. Those that got a new entry that way go to `touched`.
pub(super) fn make_way(workspace: &Workspace, folder: &WorkspacePath, touched: &mut Touched) -> Result<Dir, ApiError> {
    let mut dir = workspace.dir.try_clone().map_err(|error| refusal::system(folder, &error))?;
    let mut at = WorkspacePath::root();
    for name in folder.names() {
        at = at.entry(name);
        let below = match enter(&dir, name) {
            Err(Errno::NOENT) => {
                match mkdirat(&dir, name, Mode::from_raw_mode(0o777)) {
                    // Another upload made it.
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(refusal::system(&at, &error.into())),
                }
                dir.try_clone().and_then(|dir| touched.add(dir)).map_err(|error| refusal::system(&at, &error))?;
                enter(&dir, name)
            }
            entered => entered,
        };
        dir = below.map_err(|error| not_entered(&at, error))?;
    }
    Ok(dir)
}

fn enter(dir: &Dir, name: &str) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(dir, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(opened.into()))
}

fn not_entered(at: &WorkspacePath, error: Errno) -> ApiError {
    match error {
        // A link that was not there a moment ago, when the path was resolved.
        Errno::LOOP => refusal::workspace(WorkspaceError::Outside(at.clone())),
        Errno::NOTDIR => refusal::workspace(WorkspaceError::NotAFolder(at.clone())),
        error => refusal::system(at, &error.into()),
    }
}

/// Bytes of all files of a workspace, each counted once.
pub(super) fn bytes_in(workspace: &Workspace) -> Result<u64, ApiError> {
    let root = workspace.dir.try_clone().map_err(|error| refusal::system(&WorkspacePath::root(), &error))?;
    let mut linked = std::collections::HashSet::new();
    let mut bytes = 0_u64;
    each_entry(&root, 0, &mut |_, _, metadata| {
        if metadata.is_file() && (metadata.nlink() == 1 || linked.insert((metadata.dev(), metadata.ino()))) {
            bytes = bytes.saturating_add(metadata.len());
        }
    });
    Ok(bytes)
}

/// Every entry below a folder, links not followed. What can't be read is passed over.
pub(super) fn each_entry(dir: &Dir, depth: usize, look: &mut dyn FnMut(&Dir, &Path, &cap_std::fs::Metadata)) {
    let Ok(entries) = dir.entries() else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Ok(metadata) = dir.symlink_metadata(&name) else { continue };
        look(dir, Path::new(&name), &metadata);
        if metadata.is_dir()
            && depth < MAX_DEPTH
            && let Some(below) = name.to_str().and_then(|name| enter(dir, name).ok())
        {
            each_entry(&below, depth + 1, look);
        }
    }
}
