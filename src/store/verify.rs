//! Reads a log without the program that writes it: whether each row fits its chain, and the rows of one session.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension};

use super::{
    OpenError,
    chain::{self, ChainKey, EventRow, Link, Marks, NO_LINK},
    events, schema, sessions,
};
use crate::{
    agent::ports::store::{StoreError, StoreResult},
    protocol::{EventPage, Seq, SessionId},
};

/// A writer at work holds nobody up for longer.
const BUSY: Duration = Duration::from_secs(5);

/// What a check of all chains found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub sessions: u64,
    pub rows: u64,
    /// The first row of each session that does not fit.
    pub faults: Vec<Fault>,
    /// Sessions whose first rows stood before the chain.
    pub adopted: Vec<Adopted>,
    /// Heads that were asked for and stand nowhere.
    pub missing_heads: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub session: String,
    pub seq: Seq,
    pub what: Misfit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The row was changed, exchanged or written by somebody who has not got the key.
    Forged,
    /// The row, and maybe others behind it, is not there.
    Missing,
    /// What tells where the chain ends, or what was removed from it, was changed.
    Marks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    pub session: String,
    pub through: Seq,
    pub at: String,
}

impl Verified {
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.missing_heads.is_empty()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, seq, what } = self;
        let what = match what {
            Misfit::Forged => "does not fit: it was changed, exchanged or not written by this server",
            Misfit::Missing => "is not there: rows were removed",
            Misfit::Marks => "is where the chain's own marks were changed or removed",
        };
        write!(f, "session {session}: event {seq} {what}")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("There is no file {}, so there is nothing to read. Name the database with --database.", .0.display())]
    NoFile(PathBuf),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("The key {path} can't be read ({why}), and without it nobody can tell whether a row fits. Put it back from a backup.", path = path.display())]
    NoKey { path: PathBuf, why: String },
    #[error("The events of this file were never chained: no version that chains them has opened it yet.")]
    NoChain,
    #[error(
        "The events were chained with another key than the one in {}. Put that one back from a backup, or let the server chain them anew: it marks them.",
        .0.display()
    )]
    OtherKey(PathBuf),
    #[error("The database can't be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// The log of a file, read beside whoever writes it.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    connection: Connection,
}

impl LogFile {
    pub fn open(path: &Path) -> Result<Self, VerifyError> {
        if !path.is_file() {
            return Err(VerifyError::NoFile(path.to_owned()));
        }
        let connection = schema::open_reader(path, BUSY).map_err(|error| OpenError::sqlite(path, error))?;
        schema::check(&connection, path, schema::MIGRATIONS)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// A page of a session's log, as the REST route gives it.
    pub fn events(&self, id: &SessionId, cursor: Seq, limit: u32, types: &[String]) -> StoreResult<EventPage> {
        let transaction = self.connection.unchecked_transaction()?;
        if !events::is_logged(&transaction)? {
            return Err(StoreError::NoSession);
        }
        sessions::require(&transaction, id)?;
        events::page(&transaction, id, cursor, limit, types)
    }

    /// Checks every row. `heads` are links that must stand in it, in hex digits.
    pub fn verify(&self, heads: &[String]) -> Result<Verified, VerifyError> {
        let folder = chain::data_folder(&self.path);
        let no_key = |why: String| VerifyError::NoKey { path: folder.clone(), why };
        let transaction = self.connection.unchecked_transaction()?;
        let name = known_key(&transaction)?.ok_or(VerifyError::NoChain)?;
        let key = ChainKey::read(&folder).map_err(|error| no_key(error.kind().to_string()))?;
        let key = key.ok_or_else(|| no_key("it is not there".into()))?;
        if key.name() != name {
            return Err(VerifyError::OtherKey(folder));
        }
        let mut check =
            Check { connection: &transaction, key: &key, wanted: wanted(heads), found: Verified::default() };
        for id in sessions_of_log(&transaction)? {
            check.session(&id)?;
        }
        check.found.missing_heads = check.wanted.into_iter().collect();
        Ok(check.found)
    }
}

fn wanted(heads: &[String]) -> BTreeSet<String> {
    heads.iter().map(|head| head.trim().to_ascii_lowercase()).collect()
}

fn known_key(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if !schema::has_table(connection, "cowork_web_meta")? {
        return Ok(None);
    }
    let sql = "SELECT value FROM cowork_web_meta WHERE key = 'chain_key'";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Those with rows, and those that should have some.
fn sessions_of_log(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT session_id FROM cowork_events UNION SELECT session_id FROM cowork_web_chains ORDER BY 1";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

struct Check<'a> {
    connection: &'a Connection,
    key: &'a ChainKey,
    wanted: BTreeSet<String>,
    found: Verified,
}

impl Check<'_> {
    fn session(&mut self, id: &str) -> rusqlite::Result<()> {
        self.found.sessions += 1;
        let fault = match self.rows(id)? {
            Ok((seq, link)) => self.end(id, seq, &link)?,
            Err(fault) => Some(fault),
        };
        self.found.faults.extend(fault.map(|(seq, what)| Fault { session: id.to_owned(), seq, what }));
        Ok(())
    }

    /// The last row, or the first that does not fit.
    fn rows(&mut self, id: &str) -> rusqlite::Result<Result<(Seq, Link), (Seq, Misfit)>> {
        let (mut seq, mut link) = (0, NO_LINK);
        if let Some(stub) = chain::stub(self.connection, id)? {
            (seq, link) = (stub.seq, stub.link.unwrap_or(NO_LINK));
            self.seen(&link);
        }
        loop {
            let page = EventRow::page(self.connection, id, seq)?;
            if page.is_empty() {
                return Ok(Ok((seq, link)));
            }
            for row in page {
                if row.seq != seq + 1 {
                    return Ok(Err((seq + 1, Misfit::Missing)));
                }
                link = self.key.link(&link, &row.linked(id));
                if row.link != Some(link) {
                    return Ok(Err((row.seq, Misfit::Forged)));
                }
                self.seen(&link);
                seq = row.seq;
            }
        }
    }

    fn seen(&mut self, link: &Link) {
        self.found.rows += 1;
        if !self.wanted.is_empty() {
            self.wanted.remove(&chain::hex(link));
        }
    }

    /// Whether the chain ends where it should, and begins as it is marked.
    fn end(&mut self, id: &str, seq: Seq, link: &Link) -> rusqlite::Result<Option<(Seq, Misfit)>> {
        let sql = "SELECT head_seq, head, marks FROM cowork_web_chains WHERE session_id = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)? as Seq, row.get(1)?, row.get(2)?));
        let kept: Option<(Seq, Link, Option<Link>)> =
            self.connection.prepare_cached(sql)?.query_row([id], read).optional()?;
        let Some((head_seq, head, sealed)) = kept else { return Ok(Some((seq, Misfit::Marks))) };
        if head_seq > seq {
            return Ok(Some((seq + 1, Misfit::Missing)));
        }
        if head_seq < seq || head != self.key.head(id, seq, link) {
            return Ok(Some((seq, Misfit::Marks)));
        }
        let marks = chain::read_marks(self.connection, id)?;
        let stub = chain::stub(self.connection, id)?;
        let first = stub.as_ref().map_or(0, |stub| stub.seq);
        let stub = stub.as_ref().map(|row| (row.linked(id), row.link.unwrap_or(NO_LINK)));
        let expected = self.key.marks(id, &marks, stub.as_ref().map(|(row, link)| (row, link)));
        let fits = match sealed {
            None => marks == Marks::default(),
            Some(sealed) => sealed == expected,
        };
        if !fits || first != marks.removed_through {
            return Ok(Some((first.max(1), Misfit::Marks)));
        }
        if let Some(at) = marks.adopted_at {
            self.found.adopted.push(Adopted { session: id.to_owned(), through: marks.adopted_through, at });
        }
        Ok(None)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
