//! From a path to a file that may be worked on: folder, file, lock, and a look inside before anything is changed.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::schema;

/// The first SQLite without the fault that can damage a file when two connections write and checkpoint a WAL.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Why a database can't be opened. Shown to the person who starts the program, hence the paths.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "This program was built with SQLite {0}, which can damage databases, so it opens none. Use a build with SQLite 3.51.3 or later."
    )]
    OldSqlite(&'static str),
    #[error(
        "The folder {path} can't be created ({source}), so no session can be kept. Make it writable for you, or name another file with --database."
    )]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "The file {path} can't be opened for writing ({source}), so no session can be kept. Make the file and its folder writable for you, or name another file with --database."
    )]
    File { path: PathBuf, source: io::Error },
    #[error(
        "Another Cowork uses the database {0}, and two at once would mix up their sessions. Stop the other one, or name another file with --database."
    )]
    InUse(PathBuf),
    #[error(
        "The file {0} is not an SQLite database, so it was left as it is. Move it away, or name another file with --database."
    )]
    NotADatabase(PathBuf),
    #[error(
        "The database {0} is damaged, so it was not opened. Bring it back from a backup, or save what can be read with `sqlite3 <file> .recover`."
    )]
    Damaged(PathBuf),
    #[error(
        "The database {path} was written by a newer Cowork (its version is {found}, this program knows up to {known}), so it was left as it is. Start the newer program, or name another file with --database."
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error(
        "The database {path} has sessions of another program (it lacks the column {column} of {table}), so it was left as it is. Name another file with --database."
    )]
    ForeignShape { path: PathBuf, table: &'static str, column: &'static str },
    #[error(
        "The key of the event log, {path}, can't be used ({source}), so no event can be written. Make it readable for you, or put it back from a backup."
    )]
    LogKey { path: PathBuf, source: io::Error },
    #[error(
        "The folder of the database {0} allows no write-ahead log, without which sessions are not safe. Put the database on a local disk with --database."
    )]
    NoWal(PathBuf),
    #[error(
        "The database {path} can't be opened ({source}), so no session can be kept. Make sure that no other program locks it and that its folder is on a local disk and writable, then start again."
    )]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl OpenError {
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(path),
            _ => Self::Sqlite { path, source },
        }
    }
}

/// A database file that is ours alone among Coworks as long as `lock` lives. Loom may use it at the same time.
#[derive(Debug)]
pub(super) struct Claimed {
    /// Without links, so that every way to the file finds the same lock.
    pub path: PathBuf,
    pub lock: File,
}

/// Creates what is missing, takes the lock, and refuses a file that we can't work on before a byte of it changes.
pub(super) fn claim(path: &Path) -> Result<Claimed, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    let file_error = |source| OpenError::File { path: path.to_owned(), source };
    create_folder(path)?;
    private_file(path).map_err(file_error)?;
    let path = path.canonicalize().map_err(file_error)?;
    let lock = take_lock(&path)?;
    inspect(&path)?;
    Ok(Claimed { path, lock })
}

fn create_folder(file: &Path) -> Result<(), OpenError> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| OpenError::Folder { path: folder.to_owned(), source })
}

/// Opens for reading and writing; what is created can be read by its owner alone. SQLite gives the files that it
/// creates beside a database the mode of the database.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The lock stands on a file beside the database: one on the database itself would keep Loom out, and closing it
/// would drop the locks that SQLite holds.
fn take_lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-cowork.lock");
    let file_error = |source| OpenError::File { path: PathBuf::from(&name), source };
    let lock = private_file(Path::new(&name)).map_err(file_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(file_error(source)),
    }
}

/// A look that writes nothing of its own and leaves a write-ahead log as it is. Not a read-only connection: that can't
/// take back what a process was writing when it was killed, and would refuse such a file for ever.
fn inspect(path: &Path) -> Result<(), OpenError> {
    let sqlite = |error| OpenError::sqlite(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite)?;
    connection.pragma_update(None, "query_only", true).map_err(sqlite)?;
    schema::check(&connection, path, schema::MIGRATIONS)
}

/// Whether the file is a database with sessions in it. Nothing is created and nothing changed.
pub fn holds_sessions(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(connection) = Connection::open_with_flags(path, flags) else { return false };
    connection.query_row("SELECT EXISTS (SELECT 1 FROM cowork_sessions)", [], |row| row.get(0)).unwrap_or(false)
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
