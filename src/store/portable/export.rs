//! A session as lines of JSON: a head, its rows, the files of its folder by name, and an end with a hash over all
//! lines before it. docs/operators.md describes them.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, types::Value as Cell};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{PortableError, Table, values};
use crate::{
    agent::ports::clock::rfc3339,
    protocol::SessionId,
    store::{OpenError, chain, schema, sessions},
};

pub(super) const FORMAT: &str = "cowork-session";
pub(super) const VERSION: u64 = 1;

/// What an export holds, in this order. Approval rules and shares stay behind: whom and what somebody trusted here
/// says nothing about another place.
pub(super) const TABLES: &[&str] = &[
    "cowork_sessions",
    "conversation_turns",
    "cowork_events",
    "cowork_web_sessions",
    "cowork_web_messages",
    "cowork_web_approvals",
    "cowork_web_questions",
    "cowork_web_steering",
    "cowork_web_tasks",
];

/// Of our own row beside Loom's.
const SESSION_COLUMNS: &[&str] = &["session_id", "mode", "archived", "pinned", "queue_held", "uploads_told_through"];

/// A writer at work holds nobody up for longer.
const BUSY: Duration = Duration::from_secs(5);

/// A file of the session's folder. Its bytes are not in the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedFile {
    pub path: String,
    pub size: u64,
    pub modified_at: Option<String>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    pub turns: u64,
    pub events: u64,
    pub files: u64,
}

pub(super) fn columns_of(mut table: Table) -> Table {
    if table.name == "cowork_web_sessions" {
        table.columns.retain(|column| SESSION_COLUMNS.contains(&column.as_str()));
    }
    table
}

/// A database that sessions are read from, beside whoever writes it.
#[derive(Debug)]
pub struct SessionFile {
    connection: Connection,
}

impl SessionFile {
    pub fn open(path: &Path) -> Result<Self, PortableError> {
        if !path.is_file() {
            return Err(PortableError::NoFile(path.to_owned()));
        }
        let connection = schema::open_reader(path, BUSY).map_err(|error| OpenError::sqlite(path, error))?;
        schema::check(&connection, path, schema::MIGRATIONS)?;
        if !schema::has_table(&connection, "cowork_sessions")? {
            return Err(PortableError::NoFile(path.to_owned()));
        }
        Ok(Self { connection })
    }

    /// The folder of a session.
    pub fn workspace(&self, id: &SessionId) -> Result<PathBuf, PortableError> {
        let sql = "SELECT workspace_path FROM cowork_sessions WHERE id = ?1";
        let found = self.connection.query_row(sql, [id.as_str()], |row| row.get::<_, String>(0));
        found.map(PathBuf::from).map_err(|_| PortableError::NoSession(id.0.clone()))
    }

    /// Writes one session, as it is at one moment.
    pub fn export(
        &self,
        id: &SessionId,
        now: Timestamp,
        files: &[ListedFile],
        out: &mut impl Write,
    ) -> Result<Exported, PortableError> {
        let transaction = self.connection.unchecked_transaction()?;
        if schema::has_table(&transaction, "cowork_web_sessions")? {
            sessions::require(&transaction, id).map_err(|_| PortableError::NoSession(id.0.clone()))?;
            if sessions::running_turn(&transaction, id)?.is_some() {
                return Err(PortableError::Running(id.0.clone()));
            }
        }
        let mut lines = Lines { out, hash: Sha256::new(), rows: 0 };
        let program = env!("CARGO_PKG_VERSION");
        let head = json!({"format": FORMAT, "version": VERSION, "session": id, "exported_at": rfc3339(now), "program": program});
        lines.line(&head)?;
        let mut exported = Exported { turns: 0, events: 0, files: files.len() as u64 };
        for name in TABLES {
            let table = columns_of(Table::read(&transaction, "main", name)?);
            // A file that only Loom has worked on has none of ours.
            if table.columns.is_empty() {
                continue;
            }
            let before = lines.rows;
            lines.table(&transaction, &table, id)?;
            let written = lines.rows - before;
            match *name {
                "conversation_turns" => exported.turns = written,
                "cowork_events" => exported.events = written,
                _ => {}
            }
        }
        for file in files {
            lines.line(&json!({ "file": file }))?;
        }
        lines.end(files.len())?;
        Ok(exported)
    }
}

/// Every session of a database that is not deleted, the oldest first.
pub fn session_ids(file: &SessionFile) -> Result<Vec<SessionId>, PortableError> {
    let connection = &file.connection;
    let deleted = if schema::has_table(connection, "cowork_web_sessions")? {
        "WHERE NOT EXISTS (SELECT 1 FROM cowork_web_sessions w WHERE w.session_id = s.id AND w.deleted_at IS NOT NULL)"
    } else {
        ""
    };
    let sql = format!("SELECT id FROM cowork_sessions s {deleted} ORDER BY started_at, id");
    let mut statement = connection.prepare(&sql)?;
    let ids = statement.query_map([], |row| row.get(0).map(SessionId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

struct Lines<'a, W: Write> {
    out: &'a mut W,
    hash: Sha256,
    rows: u64,
}

impl<W: Write> Lines<'_, W> {
    fn line(&mut self, value: &Value) -> Result<(), PortableError> {
        let line = format!("{value}\n");
        self.hash.update(&line);
        self.out.write_all(line.as_bytes()).map_err(unwritten)
    }

    fn table(&mut self, connection: &Connection, table: &Table, id: &SessionId) -> Result<(), PortableError> {
        let mut statement = connection.prepare(&table.select("main"))?;
        let mut rows = statement.query([id.as_str()])?;
        while let Some(row) = rows.next()? {
            let cells = values(row, table.columns.len())?.into_iter().map(value);
            let row: Map<String, Value> = table.columns.iter().cloned().zip(cells).collect();
            self.line(&json!({"table": table.name, "row": row}))?;
            self.rows += 1;
        }
        Ok(())
    }

    fn end(&mut self, files: usize) -> Result<(), PortableError> {
        let hash = chain::hex(&self.hash.clone().finalize().into());
        let end = json!({"end": {"rows": self.rows, "files": files, "sha256": hash}});
        self.line(&end)?;
        self.out.flush().map_err(unwritten)
    }
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => number.into(),
        Cell::Text(text) => text.into(),
        // None of these tables has such a column; Loom's file may hold anything in any.
        Cell::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}

fn unwritten(source: io::Error) -> PortableError {
    PortableError::Io { path: "The export can't be written".into(), source }
}
