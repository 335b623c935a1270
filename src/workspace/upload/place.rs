//! From a file without a name to one under its name: sync, then one step that can't replace anything unseen.

use std::{
    fs::File,
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    path::Path,
};

use cap_std::fs::Dir;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::{
    super::{
        Workspace, WorkspaceError, names,
        real::{Node, Sort, node_in},
        sync::{sync, sync_all_of},
    },
    Whole, folders, refusal,
    touched::Touched,
};
use crate::protocol::{ApiError, ErrorCode, OnConflict};

/// From here on one sync of the file system is quicker than one of each file.
pub(super) const SYNC_TOGETHER: usize = 4;
/// Numbers that are tried for a name, and looks at a file that others keep changing.
const MOST_NUMBERS: u32 = 1000;
const MOST_LOOKS: u32 = 16;
const PIECE_BYTES: usize = 256 * 1024;

pub(super) enum Placed {
    There {
        /// The name that it got where its own was taken.
        renamed: Option<String>,
    },
    Skipped,
}

/// Brings the content of files to the disk; one result for each.
pub(super) fn sync_files(files: &[Whole]) -> Vec<io::Result<()>> {
    if files.len() < SYNC_TOGETHER {
        return files.iter().map(|whole| Ok(sync(&whole.temp.file)?)).collect();
    }
    let mut synced: Vec<(u64, Result<(), Errno>)> = Vec::new();
    let mut each = Vec::with_capacity(files.len());
    for whole in files {
        each.push(whole.temp.file.metadata().and_then(|metadata| {
            let device = metadata.dev();
            let known = synced.iter().find(|(known, _)| *known == device).map(|(_, result)| *result);
            let result = known.unwrap_or_else(|| {
                let result = sync_all_of(&whole.temp.file);
                synced.push((device, result));
                result
            });
            Ok(result?)
        }));
    }
    each
}

/// Whether a file may take the place of what is there.
pub(super) fn replaceable(old: &Node) -> Result<(), ApiError> {
    match old.sort {
        Sort::Folder => Err(refusal::is_folder()),
        Sort::Special | Sort::Link => Err(refusal::is_special()),
        // The folder would let us; whoever made the file read-only would not.
        Sort::File if old.mode & 0o222 == 0 => Err(refusal::is_read_only()),
        Sort::File => Ok(()),
    }
}

/// Gives a file its name, or says why not.
pub(super) fn place(
    workspace: &Workspace,
    rule: OnConflict,
    whole: &mut Whole,
    touched: &mut Touched,
) -> Result<Placed, ApiError> {
    let (folder, name) = whole.real.split().ok_or_else(|| refusal::workspace(WorkspaceError::Root))?;
    let name = name.to_owned();
    let name = name.as_str();
    let dir = folders::make_way(workspace, &folder, touched)?;
    let wrong = |error: Errno| refusal::system(&whole.real, &error.into());
    let mut placed = None;
    for look in 0..MOST_LOOKS {
        match whole.temp.link(&dir, Path::new(name)) {
            Ok(()) => placed = Some(Placed::There { renamed: None }),
            Err(Errno::EXIST) => match rule {
                OnConflict::Fail => return Err(refusal::exists()),
                OnConflict::Skip => return Ok(Placed::Skipped),
                OnConflict::KeepBoth => placed = Some(beside(&dir, name, whole)?),
                OnConflict::Replace => {
                    let old = node_in(&dir, Path::new(name)).map_err(|error| refusal::system(&whole.real, &error))?;
                    // It is gone again: the name is free.
                    let Some(old) = old else { continue };
                    replaceable(&old)?;
                    match whole.temp.replace(&dir, Path::new(name), &old) {
                        Ok(true) => placed = Some(Placed::There { renamed: None }),
                        Ok(false) => {
                            tracing::debug!(look, "a file changed while it was replaced");
                            continue;
                        }
                        Err(error) => return Err(wrong(error)),
                    }
                }
            },
            Err(error) => return Err(wrong(error)),
        }
        break;
    }
    let placed = placed.ok_or_else(|| {
        let detail = "Somebody else keeps changing the file of this name. It was not uploaded. Try again later.";
        ApiError::new(ErrorCode::AlreadyExists, detail)
    })?;
    touched.add(dir).map_err(|error| refusal::system(&whole.real, &error))?;
    Ok(placed)
}

/// Under the first name with a number that is free.
fn beside(dir: &Dir, name: &str, whole: &mut Whole) -> Result<Placed, ApiError> {
    for number in 2..=MOST_NUMBERS {
        let numbered = names::numbered(name, number);
        match whole.temp.link(dir, Path::new(&numbered)) {
            Ok(()) => return Ok(Placed::There { renamed: Some(numbered) }),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(refusal::system(&whole.real, &error.into())),
        }
    }
    Err(refusal::no_number_free())
}

/// Size and hash of a file from its beginning.
pub(super) fn hash(file: &mut File) -> io::Result<(u64, Sha256)> {
    let (mut size, mut hash) = (0, Sha256::new());
    each_piece(file, |piece| {
        size += piece.len() as u64;
        hash.update(piece);
        Ok(())
    })?;
    Ok((size, hash))
}

pub(super) fn copy(from: &mut File, to: &mut File) -> io::Result<()> {
    each_piece(from, |piece| io::Write::write_all(to, piece))
}

fn each_piece(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    file.rewind()?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            read => take(&piece[..read])?,
        }
    }
}

pub(super) fn same_file_system(one: &File, other: &File) -> bool {
    let device = |file: &File| file.metadata().ok().map(|metadata| metadata.dev());
    device(one).is_some_and(|one| device(other) == Some(one))
}
