//! The chain of the log: each row of `cowork_events` carries a link, a keyed hash over the row and the link before it.
//! The key stands in a file beside the database, so that who edits the database alone can't make the links again.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::OpenError;
use crate::protocol::{Seq, SessionId};

/// In the data folder of the database.
const KEY_FILE: &str = "log.key";
/// The key in the file, in hex digits.
const KEY_DIGITS: usize = 64;
/// Rows that are read at once while a chain is made anew.
const PAGE: i64 = 1000;

pub(super) type Link = [u8; 32];

/// Before the first row.
pub(super) const NO_LINK: Link = [0; 32];

/// The key of a database's chains.
#[derive(Clone)]
pub(super) struct ChainKey(Hmac<Sha256>);

/// A row as its link sees it.
pub(super) struct Linked<'a> {
    pub session: &'a str,
    pub seq: Seq,
    pub event_type: &'a str,
    pub created_at: &'a str,
    pub actor: &'a str,
    pub turn: Option<u32>,
    /// SHA-256 of the payload: large ones are digested before the writer gets them.
    pub payload: &'a Link,
}

/// What is marked in a session's chain beside its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub adopted_through: Seq,
    pub adopted_at: Option<String>,
    pub removed_through: Seq,
}

/// Where a database keeps what belongs to it and is no row. The configuration names the same folder.
pub fn data_folder(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".files");
    database.with_file_name(name)
}

pub(super) fn digest(payload: &str) -> Link {
    Sha256::digest(payload).into()
}

pub(super) fn hex(link: &Link) -> String {
    link.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ChainKey {
    pub fn of(secret: &[u8]) -> Option<Self> {
        // A key of any length fits.
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// The key in the folder; `None` where there is none.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(folder.join(KEY_FILE)) {
            Ok(text) if text.trim().len() == KEY_DIGITS => Ok(Self::of(text.trim().as_bytes())),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no key")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key in the folder, made where there is none.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::LogKey { path: folder.join(KEY_FILE), source };
        if let Some(key) = Self::read(folder).map_err(failed)? {
            return Ok(key);
        }
        create(folder).map_err(failed)?;
        Self::read(folder).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    /// Tells keys apart, and tells nothing of them.
    pub fn name(&self) -> String {
        hex(&self.seal(b"name", &[]))[..16].to_owned()
    }

    /// Each part goes in with its length, so that no two lists of parts look alike.
    fn seal(&self, kind: &[u8], parts: &[&[u8]]) -> Link {
        let mut mac = self.0.clone();
        for part in [kind].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn over_row(&self, kind: &[u8], link: &Link, row: &Linked<'_>) -> Link {
        let (seq, turn) = (row.seq.to_be_bytes(), row.turn.map(u32::to_be_bytes));
        let turn: &[u8] = turn.as_ref().map_or(&[], |turn| turn);
        let texts = [row.session, row.event_type, row.created_at, row.actor].map(str::as_bytes);
        self.seal(kind, &[link, &seq, texts[0], texts[1], texts[2], texts[3], turn, row.payload])
    }

    /// The link of `row`, which follows one with the link `before`.
    pub fn link(&self, before: &Link, row: &Linked<'_>) -> Link {
        self.over_row(b"row", before, row)
    }

    /// Over a chain's end, so that rows can't be taken from there.
    pub fn head(&self, session: &str, seq: Seq, link: &Link) -> Link {
        self.seal(b"head", &[session.as_bytes(), &seq.to_be_bytes(), link])
    }

    /// `stub` is the row that stands for removed ones, with the link of the last of them.
    pub fn marks(&self, session: &str, marks: &Marks, stub: Option<(&Linked<'_>, &Link)>) -> Link {
        let stub = stub.map_or(NO_LINK, |(row, link)| self.over_row(b"stub", link, row));
        let (adopted, removed) = (marks.adopted_through.to_be_bytes(), marks.removed_through.to_be_bytes());
        let at = marks.adopted_at.as_deref().unwrap_or_default();
        self.seal(b"marks", &[session.as_bytes(), &adopted, at.as_bytes(), &removed, &stub])
    }
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Three ids of 122 random bits each are more than the key needs.
    let random: Vec<u8> = (0..3).flat_map(|_| uuid::Uuid::new_v4().into_bytes()).collect();
    // Whole or not at all: a start that was killed must not leave half a key.
    let draft = folder.join(format!("{KEY_FILE}.new"));
    let _: io::Result<()> = fs::remove_file(&draft);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", hex(&Sha256::digest(random).into()))?;
    file.sync_all()?;
    fs::rename(draft, folder.join(KEY_FILE))?;
    File::open(folder)?.sync_all()
}

/// The last row of a session: its seq and link.
pub(super) fn last(connection: &Connection, id: &SessionId) -> rusqlite::Result<Option<(Seq, Link)>> {
    let sql = "SELECT seq, link FROM cowork_events WHERE session_id = ?1 ORDER BY seq DESC LIMIT 1";
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as Seq, row.get::<_, Option<Link>>(1)?.unwrap_or(NO_LINK)));
    connection.prepare_cached(sql)?.query_row([id.as_str()], read).optional()
}

/// Keeps where a chain ends.
pub(super) fn keep_head(
    connection: &Connection,
    key: &ChainKey,
    id: &str,
    seq: Seq,
    link: &Link,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO cowork_web_chains (session_id, head_seq, head) VALUES (?1, ?2, ?3)
               ON CONFLICT (session_id) DO UPDATE SET head_seq = excluded.head_seq, head = excluded.head";
    connection.prepare_cached(sql)?.execute(params![id, seq as i64, key.head(id, seq, link)])?;
    Ok(())
}

/// A row of `cowork_events`, whole.
pub(super) struct EventRow {
    pub seq: Seq,
    event_type: String,
    created_at: String,
    actor: String,
    turn: Option<u32>,
    payload: Link,
    pub link: Option<Link>,
}

impl EventRow {
    const COLUMNS: &str = "seq, event_type, created_at, actor, turn, payload, link";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get::<_, i64>(0)? as Seq,
            event_type: row.get(1)?,
            created_at: row.get(2)?,
            actor: row.get(3)?,
            turn: row.get(4)?,
            payload: digest(row.get_ref(5)?.as_str()?),
            link: row.get(6)?,
        })
    }

    pub fn linked<'a>(&'a self, session: &'a str) -> Linked<'a> {
        Linked {
            session,
            seq: self.seq,
            event_type: &self.event_type,
            created_at: &self.created_at,
            actor: &self.actor,
            turn: self.turn,
            payload: &self.payload,
        }
    }

    /// Whether it stands for removed rows.
    pub fn is_stub(&self) -> bool {
        self.event_type == "events_removed"
    }

    /// The rows of a session behind `seq`, some at a time.
    pub fn page(connection: &Connection, id: &str, seq: Seq) -> rusqlite::Result<Vec<Self>> {
        let columns = Self::COLUMNS;
        let sql =
            format!("SELECT {columns} FROM cowork_events WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
        connection.prepare_cached(&sql)?.query_map(params![id, seq as i64, PAGE], Self::read)?.collect()
    }
}

/// The row that stands for removed ones, as the first of its session.
pub(super) fn stub(connection: &Connection, id: &str) -> rusqlite::Result<Option<EventRow>> {
    let columns = EventRow::COLUMNS;
    let sql = format!("SELECT {columns} FROM cowork_events WHERE session_id = ?1 ORDER BY seq LIMIT 1");
    let first = connection.prepare_cached(&sql)?.query_row([id], EventRow::read).optional()?;
    Ok(first.filter(EventRow::is_stub))
}

pub(super) fn read_marks(connection: &Connection, id: &str) -> rusqlite::Result<Marks> {
    let sql = "SELECT adopted_through, adopted_at, removed_through FROM cowork_web_chains WHERE session_id = ?1";
    let read = |row: &Row<'_>| {
        let (adopted, removed): (i64, i64) = (row.get(0)?, row.get(2)?);
        Ok(Marks { adopted_through: adopted as Seq, adopted_at: row.get(1)?, removed_through: removed as Seq })
    };
    Ok(connection.prepare_cached(sql)?.query_row([id], read).optional()?.unwrap_or_default())
}

pub(super) fn keep_marks(connection: &Connection, key: &ChainKey, id: &str, marks: &Marks) -> rusqlite::Result<()> {
    let stub = stub(connection, id)?;
    let stub = stub.as_ref().map(|row| (row.linked(id), row.link.unwrap_or(NO_LINK)));
    let seal = key.marks(id, marks, stub.as_ref().map(|(row, link)| (row, link)));
    let sql = "UPDATE cowork_web_chains SET adopted_through = ?2, adopted_at = ?3, removed_through = ?4, marks = ?5
               WHERE session_id = ?1";
    let (adopted, removed) = (marks.adopted_through as i64, marks.removed_through as i64);
    connection.prepare_cached(sql)?.execute(params![id, adopted, marks.adopted_at, removed, seal])?;
    Ok(())
}

/// Puts rows that this key has not chained under it, and marks them so that nobody takes them for more: those of a
/// file from before the chain, and all of a file whose key is gone.
pub(super) fn adopt(connection: &mut Connection, key: &ChainKey, now: &str) -> rusqlite::Result<()> {
    let sql = "SELECT value FROM cowork_web_meta WHERE key = 'chain_key'";
    let known: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    if known.as_ref() == Some(&key.name()) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sessions: Vec<String> = transaction
        .prepare("SELECT DISTINCT session_id FROM cowork_events")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &sessions {
        chain_anew(&transaction, key, id, now)?;
    }
    let sql = "INSERT INTO cowork_web_meta (key, value) VALUES ('chain_key', ?1)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    transaction.execute(sql, [key.name()])?;
    transaction.commit()?;
    match (known, sessions.len()) {
        (Some(_), sessions) => tracing::warn!(
            sessions,
            "the key of the event log is not the one that it was chained with; its rows are chained anew and marked, and `cowork verify` says so"
        ),
        (None, 1..) => {
            tracing::info!(sessions = sessions.len(), "the event log is chained from here on; earlier rows are marked")
        }
        (None, 0) => {}
    }
    Ok(())
}

/// Makes the links of a session anew, and marks its rows as taken for what they are.
pub(super) fn chain_anew(connection: &Connection, key: &ChainKey, id: &str, now: &str) -> rusqlite::Result<()> {
    let (mut seq, mut link) = match stub(connection, id)? {
        Some(stub) => (stub.seq, stub.link.unwrap_or(NO_LINK)),
        None => (0, NO_LINK),
    };
    let mut marks = Marks { removed_through: seq, ..Marks::default() };
    let mut set = connection.prepare_cached("UPDATE cowork_events SET link = ?3 WHERE session_id = ?1 AND seq = ?2")?;
    set.execute(params![id, seq as i64, link])?;
    loop {
        let page = EventRow::page(connection, id, seq)?;
        if page.is_empty() {
            break;
        }
        for row in page {
            link = key.link(&link, &row.linked(id));
            seq = row.seq;
            set.execute(params![id, seq as i64, link])?;
        }
    }
    keep_head(connection, key, id, seq, &link)?;
    (marks.adopted_through, marks.adopted_at) = (seq, Some(now.to_owned()));
    keep_marks(connection, key, id, &marks)
}
