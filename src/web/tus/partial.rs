//! The pieces of an upload on the disk, in a file of the data folder until it is whole.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustix::fs::fstatvfs;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::protocol::{ApiError, ErrorCode, UploadId};

pub const ALGORITHMS: &str = "sha1,sha256";

/// What a client says that a piece's hash is, and the hash so far.
pub struct Checksum {
    hash: Hash,
    expected: Vec<u8>,
}

enum Hash {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// `Upload-Checksum`: algorithm and base64.
    pub fn parse(header: &str) -> Result<Self, ApiError> {
        let wrong = || {
            let detail = format!("`Upload-Checksum` is none of {ALGORITHMS} with a hash in base64. Nothing was taken.");
            ApiError::new(ErrorCode::InvalidRequest, detail)
        };
        let (algorithm, hash) = header.trim().split_once(' ').ok_or_else(wrong)?;
        let expected = STANDARD.decode(hash.trim()).map_err(|_| wrong())?;
        let hash = match algorithm {
            "sha1" => Hash::Sha1(Sha1::default()),
            "sha256" => Hash::Sha256(Sha256::new()),
            _ => return Err(wrong()),
        };
        Ok(Self { hash, expected })
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => sha1::Digest::update(hash, bytes),
            Hash::Sha256(hash) => hash.update(bytes),
        }
    }

    pub fn fits(self) -> bool {
        match self.hash {
            Hash::Sha1(hash) => sha1::Digest::finalize(hash).as_slice() == self.expected,
            Hash::Sha256(hash) => hash.finalize().as_slice() == self.expected,
        }
    }
}

/// The file, open for one piece. A write that nobody waits for any more still ends before the piece does.
#[derive(Clone)]
pub struct Partial {
    open: Arc<Mutex<Open>>,
}

struct Open {
    /// `None` once the piece is over: a write that comes later does nothing.
    file: Option<File>,
    checksum: Option<Checksum>,
    from: u64,
    at: u64,
    /// Bytes that stay free on the disk.
    floor: u64,
}

pub fn place(folder: &Path, upload: &UploadId) -> PathBuf {
    folder.join(upload.as_str())
}

/// Makes the empty file of a new upload.
pub fn create(folder: &Path, upload: &UploadId) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = OpenOptions::new().write(true).create_new(true).open(place(folder, upload))?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

impl Partial {
    /// Opens the file where `received` bytes are safe; what stands behind them came with a piece that was not kept. It
    /// leaves `floor` bytes free on the disk.
    pub fn open(
        folder: &Path,
        upload: &UploadId,
        received: u64,
        checksum: Option<Checksum>,
        floor: u64,
    ) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(place(folder, upload))?;
        file.set_len(received)?;
        file.seek(SeekFrom::Start(received))?;
        let open = Open { file: Some(file), checksum, from: received, at: received, floor };
        Ok(Self { open: Arc::new(Mutex::new(open)) })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks. Others write to the disk too, so it is looked at each time.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut open = self.lock();
        let Open { file: Some(file), checksum, at, floor, .. } = &mut *open else { return Ok(()) };
        // A file system that can't tell says so when it is full.
        if let Ok(disk) = fstatvfs(&*file)
            && disk.f_bavail.saturating_mul(disk.f_frsize) < floor.saturating_add(bytes.len() as u64)
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all(bytes)?;
        *at += bytes.len() as u64;
        if let Some(checksum) = checksum {
            checksum.update(bytes);
        }
        Ok(())
    }

    /// Ends the piece: what came of it is on the disk after this. Returns where the upload stands; `None` where the
    /// checksum does not fit. A piece with a checksum counts whole or not at all. Blocks.
    pub fn keep(&self, whole: bool) -> io::Result<Option<u64>> {
        let mut open = self.lock();
        let Some(file) = open.file.take() else { return Ok(Some(open.from)) };
        if let Some(checksum) = open.checksum.take() {
            if !whole {
                return Ok(Some(open.from));
            }
            if !checksum.fits() {
                return Ok(None);
            }
        }
        file.sync_all()?;
        Ok(Some(open.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_was_not_kept_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let upload = UploadId::new("u");
        create(folder.path(), &upload).unwrap();
        let piece = Partial::open(folder.path(), &upload, 0, None, 0).unwrap();
        piece.write(b"onetwo").unwrap();
        assert_eq!(piece.keep(true).unwrap(), Some(6));
        let piece = Partial::open(folder.path(), &upload, 3, None, 0).unwrap();
        piece.write(b"2").unwrap();
        assert_eq!(piece.keep(false).unwrap(), Some(4), "what came of a piece that broke off counts");
        piece.write(b"late").unwrap();
        assert_eq!(std::fs::read(place(folder.path(), &upload)).unwrap(), b"one2");
    }

    #[test]
    fn a_piece_leaves_the_disk_its_floor_and_what_was_written_before_counts() {
        let folder = tempfile::tempdir().unwrap();
        let upload = UploadId::new("u");
        create(folder.path(), &upload).unwrap();
        let piece = Partial::open(folder.path(), &upload, 0, None, 0).unwrap();
        piece.write(b"one").unwrap();
        piece.lock().floor = u64::MAX;
        assert_eq!(piece.write(b"two").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(piece.keep(false).unwrap(), Some(3));
    }

    #[test]
    fn a_piece_with_a_checksum_counts_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let upload = UploadId::new("u");
        create(folder.path(), &upload).unwrap();
        for (text, whole, stands) in [("hel", false, Some(0)), ("hallo", true, None), ("hello", true, Some(5))] {
            let checksum = Checksum::parse("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=").unwrap();
            let piece = Partial::open(folder.path(), &upload, 0, Some(checksum), 0).unwrap();
            piece.write(text.as_bytes()).unwrap();
            assert_eq!(piece.keep(whole).unwrap(), stands, "{text}");
        }
    }

    #[test]
    fn checksums_of_both_kinds_are_checked() {
        for (header, fits) in [
            ("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=", true),
            ("sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", true),
            ("sha1 AAAA", false),
        ] {
            let mut checksum = Checksum::parse(header).unwrap();
            checksum.update(b"hel");
            checksum.update(b"lo");
            assert_eq!(checksum.fits(), fits, "{header}");
        }
        for wrong in ["", "sha1", "md5 AAAA", "sha1 !"] {
            assert!(Checksum::parse(wrong).is_err(), "{wrong}");
        }
    }
}
