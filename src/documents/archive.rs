//! The parts of an Office file, which is a zip archive, read within limits whatever it says of itself.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// The largest part that is unpacked, in bytes. Real ones stay far below; an archive can pack a thousand times as much.
pub const MAX_PART_BYTES: u64 = 64 * 1024 * 1024;
/// What all parts of one file may unpack to, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;
/// Names of parts that are looked at.
const MAX_PARTS: usize = 10_000;

pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    room: u64,
}

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("its archive is damaged: {error}"))?;
        if zip.len() > MAX_PARTS {
            return Err(format!("its archive has more than {MAX_PARTS} parts"));
        }
        Ok(Self { zip, room: MAX_UNPACKED_BYTES })
    }

    /// The text of a part; `None` where there is none of that name.
    pub fn part(&mut self, name: &str) -> Result<Option<String>, String> {
        let Ok(file) = self.zip.by_name(name) else { return Ok(None) };
        let limit = MAX_PART_BYTES.min(self.room);
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| format!("its part {name} is damaged: {error}"))?;
        if bytes.len() as u64 > limit {
            return Err(format!("its part {name} unpacks to more than {} MiB", limit / 1024 / 1024));
        }
        self.room -= bytes.len() as u64;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Unpacks everything and keeps nothing: whether a reader that does the same stays within the limits.
    pub fn check_all(&mut self) -> Result<(), String> {
        for index in 0..self.zip.len() {
            let Ok(file) = self.zip.by_index(index) else { continue };
            let limit = MAX_PART_BYTES.min(self.room);
            let name = file.name().map_or_else(|_| index.to_string(), |name| name.into_owned());
            let unpacked = std::io::copy(&mut file.take(limit + 1), &mut std::io::sink())
                .map_err(|error| format!("its part {name} is damaged: {error}"))?;
            if unpacked > limit {
                return Err(format!("its part {name} unpacks to more than {} MiB", limit / 1024 / 1024));
            }
            self.room -= unpacked;
        }
        Ok(())
    }
}

/// The names of the parts; none where the bytes are no archive.
pub fn names(bytes: &[u8]) -> Vec<String> {
    let Ok(zip) = ZipArchive::new(Cursor::new(bytes)) else { return Vec::new() };
    zip.file_names().take(MAX_PARTS).flatten().map(|name| name.into_owned()).collect()
}
