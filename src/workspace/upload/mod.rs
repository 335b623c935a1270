//! Files that people bring. A file is written where nobody sees it, synced, and then gets its name in one step; so
//! it is there whole or not at all. Folders are opened name by name without following a link, right before they are
//! used: one that is swapped in meanwhile makes the file fail and leads nowhere.

mod folders;
mod place;
mod refusal;
mod room;
mod sweep;
mod temp;
mod touched;

use std::{io::Write, path::Path};

use cap_std::fs::Dir;
use sha2::{Digest, Sha256};

use self::{place::Placed, room::Room, temp::Temp, touched::Touched};
use super::{
    Last, PathError, Workspace, WorkspacePath, names,
    real::{Sort, node_in},
    sync::write_out,
};
use crate::protocol::{ApiError, OnConflict, UploadLimits, UploadStatus, UploadedFile};

pub use self::{
    refusal::{cut_off, no_space},
    sweep::sweep_left,
};

/// Files that wait for their sync and their name together: one sync for many is what makes thousands of small files
/// quick. Each is an open file; the bytes bound what the disk has to write at once.
const MOST_TOGETHER: usize = 128;
const MOST_BYTES_TOGETHER: u64 = 64 * 1024 * 1024;
/// So much of a large file gathers in memory before the disk is given it to write, beside the rest that arrives: else it
/// would begin when everything is there, and the sync would wait for all of it.
const WRITE_OUT_BYTES: u64 = 8 * 1024 * 1024;

/// What a request says about all of its files.
#[derive(Clone, Debug)]
pub struct Rules {
    pub target: WorkspacePath,
    pub on_conflict: OnConflict,
    pub limits: UploadLimits,
}

impl Rules {
    /// `target_dir` as a person wrote it.
    pub fn new(target_dir: &str, on_conflict: OnConflict, limits: UploadLimits) -> Result<Self, ApiError> {
        let target = names::folder(target_dir).map_err(|error| refusal::target(&error))?;
        Ok(Self { target, on_conflict, limits })
    }
}

/// Takes the files of one request, one after another. Its functions touch the disk and block.
pub struct Receiver {
    workspace: Workspace,
    rules: Rules,
    room: Room,
    files: Vec<UploadedFile>,
    current: Option<Incoming>,
    /// Arrived, and not yet under their names.
    whole: Vec<Whole>,
    whole_bytes: u64,
    touched: Touched,
    unnamed: bool,
}

/// The file that is arriving.
struct Incoming {
    /// In [`Receiver::files`].
    index: usize,
    fate: Fate,
}

enum Fate {
    Taken(Box<Taken>),
    /// Its bytes are dropped; its entry says why.
    Refused,
    Skipped,
}

struct Taken {
    real: WorkspacePath,
    temp: Temp,
    hash: Sha256,
    /// From here on it lies in memory, as far as is known.
    held_from: u64,
}

/// A file that has arrived and has no name yet.
struct Whole {
    index: usize,
    real: WorkspacePath,
    temp: Temp,
    size: u64,
}

impl Receiver {
    /// `announced`: bytes that will come, if that is known. Refuses what concerns all files.
    pub fn open(root: &Path, rules: Rules, announced: Option<u64>) -> Result<Self, ApiError> {
        let workspace = Workspace::open(root).map_err(refusal::workspace)?;
        if !rules.target.is_root() {
            // Links on the way, `.git`, a file in its place: told once, and not for each file.
            let real = workspace.real(&rules.target, Last::Follow).map_err(refusal::workspace)?;
            folders::nearest(&workspace, &real)?;
        }
        let room = Room::measure(&workspace, &rules.limits, announced)?;
        Ok(Self {
            workspace,
            rules,
            room,
            files: Vec::new(),
            current: None,
            whole: Vec::new(),
            whole_bytes: 0,
            touched: Touched::default(),
            unnamed: temp::can_be_unnamed(),
        })
    }

    /// A file begins; `name` is as it was sent, with `/` where folders are.
    pub fn begin(&mut self, name: &str) {
        let index = self.files.len();
        self.files.push(UploadedFile {
            name: names::shown(name),
            status: UploadStatus::Failed,
            path: None,
            size: 0,
            sha256: None,
            error: None,
        });
        let fate = match self.prepare(index, name) {
            Ok(fate) => fate,
            Err(error) => self.refuse(index, error),
        };
        self.current = Some(Incoming { index, fate });
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let Some(mut incoming) = self.current.take() else { return };
        let size = &mut self.files[incoming.index].size;
        *size += bytes.len() as u64;
        let size = *size;
        if let Fate::Taken(taken) = &mut incoming.fate
            && let Err(error) =
                self.room.take(size, bytes.len(), &taken.temp.file).and_then(|()| taken.write(bytes, size))
        {
            incoming.fate = self.refuse(incoming.index, error);
        }
        self.current = Some(incoming);
    }

    /// The last byte of the file has arrived.
    pub fn end(&mut self) {
        let Some(Incoming { index, fate }) = self.current.take() else { return };
        let file = &mut self.files[index];
        match fate {
            Fate::Refused => {}
            Fate::Skipped => file.status = UploadStatus::Skipped,
            Fate::Taken(taken) => {
                let Taken { real, temp, hash, .. } = *taken;
                file.sha256 = Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
                self.room.keep(file.size);
                self.whole_bytes += file.size;
                self.whole.push(Whole { index, real, temp, size: file.size });
            }
        }
        if self.whole.len() >= MOST_TOGETHER || self.whole_bytes >= MOST_BYTES_TOGETHER {
            self.settle();
        }
    }

    /// What stands against a file of this name before its first byte has come.
    pub fn probe(mut self, name: &str) -> Result<(), ApiError> {
        self.begin(name);
        self.files.pop().and_then(|file| file.error).map_or(Ok(()), Err)
    }

    /// A file that stands elsewhere and is whole. It is not written again where it can get a second name here.
    pub fn adopt(&mut self, name: &str, mut file: std::fs::File) {
        let hashed = place::hash(&mut file);
        self.begin(name);
        let Some(Incoming { index, fate: Fate::Taken(taken) }) = &mut self.current else { return self.end() };
        let adopted = hashed.map_err(|error| refusal::system(&taken.real, &error)).and_then(|(size, hash)| {
            self.files[*index].size = size;
            self.room.take(size, 0, &file)?;
            match place::same_file_system(&file, &taken.temp.file) {
                true => taken.temp = Temp::adopt(file),
                false => place::copy(&mut file, &mut taken.temp.file).map_err(|e| refusal::system(&taken.real, &e))?,
            }
            taken.hash = hash;
            Ok(())
        });
        let index = *index;
        if let Err(error) = adopted {
            let fate = self.refuse(index, error);
            self.current = Some(Incoming { index, fate });
        }
        self.end();
    }

    /// The current file will not arrive whole.
    pub fn abandon(&mut self, why: ApiError) {
        if let Some(Incoming { index, fate: Fate::Taken(_) | Fate::Skipped }) = self.current.take() {
            self.refuse(index, why);
        }
    }

    /// Everything that arrived is under its name and on the disk after this.
    pub fn finish(mut self) -> Vec<UploadedFile> {
        self.abandon(refusal::cut_off());
        self.settle();
        self.sync_names();
        self.files
    }

    /// What stands against a file before its first byte has come.
    fn prepare(&mut self, index: usize, name: &str) -> Result<Fate, ApiError> {
        if index >= self.rules.limits.files as usize {
            return Err(refusal::too_many(self.rules.limits.files));
        }
        let below = names::new_path(name).map_err(|error| refusal::name(&error))?;
        let too_long = || refusal::name(&PathError::TooLong.into());
        let wanted = self.rules.target.join(&below).ok_or_else(too_long)?;
        self.files[index].path = Some(wanted.to_string());
        let mut real = self.workspace.real(&wanted, Last::Keep).map_err(refusal::workspace)?;
        let (mut dir, mut missing) = folders::nearest(&self.workspace, &real.folder())?;
        let node = |dir: &Dir, real: &WorkspacePath| {
            let name = real.split().map_or("", |(_, name)| name).to_owned();
            node_in(dir, Path::new(&name)).map_err(|error| refusal::system(&wanted, &error))
        };
        let mut there = if missing { None } else { node(&dir, &real)? };
        if self.rules.on_conflict == OnConflict::Replace && there.as_ref().is_some_and(|old| old.sort == Sort::Link) {
            // What the link leads to is replaced, if that is inside.
            real = self.workspace.real(&wanted, Last::Follow).map_err(refusal::workspace)?;
            (dir, missing) = folders::nearest(&self.workspace, &real.folder())?;
            there = if missing { None } else { node(&dir, &real)? };
        }
        if let Some(old) = there {
            match self.rules.on_conflict {
                OnConflict::Fail => return Err(refusal::exists()),
                OnConflict::Skip => return Ok(Fate::Skipped),
                OnConflict::Replace => place::replaceable(&old)?,
                OnConflict::KeepBoth => {}
            }
        }
        self.room.look(&dir)?;
        let temp = self.temp(&dir, &wanted)?;
        Ok(Fate::Taken(Box::new(Taken { real, temp, hash: Sha256::new(), held_from: 0 })))
    }

    fn temp(&mut self, dir: &Dir, wanted: &WorkspacePath) -> Result<Temp, ApiError> {
        let opened = Temp::open(dir, self.unnamed).or_else(|error| match error {
            // Others have files open, too: what waits gives its own back.
            rustix::io::Errno::MFILE | rustix::io::Errno::NFILE => {
                self.settle();
                Temp::open(dir, self.unnamed)
            }
            error => Err(error),
        });
        opened.map_err(|error| refusal::system(wanted, &error.into()))
    }

    fn refuse(&mut self, index: usize, error: ApiError) -> Fate {
        let file = &mut self.files[index];
        file.status = UploadStatus::Failed;
        file.sha256 = None;
        file.error = Some(error);
        Fate::Refused
    }

    /// Syncs what has arrived, and gives it its names.
    fn settle(&mut self) {
        let whole = std::mem::take(&mut self.whole);
        self.whole_bytes = 0;
        let synced = place::sync_files(&whole);
        for (mut whole, synced) in whole.into_iter().zip(synced) {
            let index = whole.index;
            let placed = synced
                .map_err(|error| refusal::system(&whole.real, &error))
                .and_then(|()| place::place(&self.workspace, self.rules.on_conflict, &mut whole, &mut self.touched));
            let file = &mut self.files[index];
            match placed {
                Ok(Placed::There { renamed }) => {
                    file.status = UploadStatus::Uploaded;
                    if let (Some(name), Some(path)) = (renamed, file.path.as_mut()) {
                        let folder = path.rfind('/').map_or(0, |at| at + 1);
                        path.replace_range(folder.., &name);
                    }
                }
                Ok(Placed::Skipped) => file.status = UploadStatus::Skipped,
                Err(error) => {
                    self.room.give_back(whole.size);
                    self.refuse(index, error);
                }
            }
        }
    }

    fn sync_names(&mut self) {
        if let Err(error) = self.touched.sync() {
            tracing::error!(%error, "the names of uploaded files could not be synced");
            let placed = self.files.iter_mut().filter(|file| file.status == UploadStatus::Uploaded);
            for file in placed {
                file.status = UploadStatus::Failed;
                file.error = Some(refusal::not_confirmed());
            }
        }
    }
}

impl Taken {
    /// `size`: of what there is then.
    fn write(&mut self, bytes: &[u8], size: u64) -> Result<(), ApiError> {
        self.temp.file.write_all(bytes).map_err(|error| refusal::system(&self.real, &error))?;
        self.hash.update(bytes);
        if size - self.held_from >= WRITE_OUT_BYTES {
            write_out(&self.temp.file, self.held_from, size - self.held_from);
            self.held_from = size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod conflict_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod receiver_tests;
