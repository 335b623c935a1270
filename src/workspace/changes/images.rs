//! Contents that are kept, each under its hash.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{log::make_folder, state::Hash};

#[derive(Clone, Debug)]
pub struct Images {
    folder: PathBuf,
}

/// Whether a content must be on the disk before the caller goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    Yes,
    /// It is worth little, or one sync for many follows.
    No,
}

impl Images {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn has(&self, hash: &Hash) -> bool {
        self.path(hash).is_file()
    }

    pub fn load(&self, hash: &Hash) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(hash)) {
            // A kill can leave an image empty or short where it was not synced; such a one is none.
            Ok(bytes) => Ok(Some(bytes).filter(|bytes| Hash::of(bytes) == *hash)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn save(&self, bytes: &[u8], durable: Durable) -> io::Result<Hash> {
        let hash = Hash::of(bytes);
        let path = self.path(&hash);
        if path.metadata().is_ok_and(|metadata| metadata.len() == bytes.len() as u64) {
            if durable == Durable::Yes {
                // It may have been worth little when it was saved.
                File::open(&path)?.sync_all()?;
                File::open(&self.folder)?.sync_all()?;
            }
            return Ok(hash);
        }
        make_folder(&self.folder)?;
        let part = self.folder.join(format!("{}.part", uuid::Uuid::new_v4().simple()));
        let written = write(&part, bytes, durable).and_then(|()| fs::rename(&part, &path));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written?;
        if durable == Durable::Yes {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(hash)
    }

    /// Takes over an image of `other`, which stands in the same file system as a rule.
    pub fn adopt(&self, other: &Self, hash: &Hash) -> io::Result<()> {
        if self.has(hash) {
            return Ok(());
        }
        make_folder(&self.folder)?;
        match fs::hard_link(other.path(hash), self.path(hash)) {
            Err(_) => match other.load(hash)? {
                Some(bytes) => self.save(&bytes, Durable::Yes).map(|_| ()),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            linked => linked,
        }
    }

    /// What was adopted is on the disk after this.
    pub fn sync(&self) -> io::Result<()> {
        match File::open(&self.folder) {
            Ok(folder) => folder.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Bytes of all that is kept here.
    pub fn used(&self) -> io::Result<u64> {
        let mut used = 0;
        for entry in self.entries()? {
            used += entry?.metadata()?.len();
        }
        Ok(used)
    }

    /// Removes all images but those that `keeps` names, and what a kill left half written.
    pub fn retain(&self, keeps: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in self.entries()? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(&keeps) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
        match fs::read_dir(&self.folder) {
            Ok(entries) => Ok(Some(entries).into_iter().flatten()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
            Err(error) => Err(error),
        }
    }

    fn path(&self, hash: &Hash) -> PathBuf {
        self.folder.join(hash.as_str())
    }
}

fn write(path: &Path, bytes: &[u8], durable: Durable) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    if durable == Durable::Yes { file.sync_all() } else { Ok(()) }
}
