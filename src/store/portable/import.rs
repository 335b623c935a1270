//! Reads what [`super::export`] wrote, into the database that the server uses. What the lines say is not trusted:
//! tables and columns are those that an export has, every event and row must be readable, and nothing that somebody
//! decided elsewhere (rules, shares, the mode that never asks) comes along.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params, params_from_iter, types::Value as Cell};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    PortableError, Table, count,
    export::{FORMAT, TABLES, VERSION, columns_of},
    fingerprint,
};
use crate::{
    agent::ports::clock::rfc3339,
    protocol::SessionId,
    store::{OpenError, chain, chain::ChainKey, events, open, schema},
};

const BUSY: Duration = Duration::from_secs(5);
/// Events that are read back at once.
const EVENTS_A_READ: u32 = 500;
const ROLES: [&str; 4] = ["user", "assistant", "tool", "system"];

/// How an import differs from the export.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The folder of the sessions here; else the one that the file names.
    pub workspace: Option<PathBuf>,
    /// Whose they are.
    pub owner: String,
    /// Everything is done and nothing is kept.
    pub dry_run: bool,
}

/// What became of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub session: SessionId,
    pub turns: u64,
    pub events: u64,
    /// It was here already, with the same rows, and was left as it is.
    pub already_here: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Head { format: String, version: u64, session: String },
    Row { table: String, row: Map<String, Value> },
    File { file: Value },
    End { end: End },
}

#[derive(Deserialize)]
struct End {
    rows: u64,
    files: u64,
    sha256: String,
}

/// All sessions of a file, or none of them.
pub fn import(
    database: &Path,
    from: &mut impl BufRead,
    options: &ImportOptions,
    now: Timestamp,
) -> Result<Vec<Imported>, PortableError> {
    let data = chain::data_folder(database);
    let claimed = open::claim(database)?;
    let mut connection = schema::open_writer(&claimed.path, BUSY)?;
    schema::migrate(&mut connection, &claimed.path, schema::MIGRATIONS)?;
    let key = ChainKey::open(&data)?;
    chain::adopt(&mut connection, &key, &rfc3339(now)).map_err(|error| OpenError::sqlite(database, error))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut reader = Reader { connection: &transaction, options, key: &key, now, line: 0, imported: Vec::new() };
    reader.read(from)?;
    let imported = reader.imported;
    if options.dry_run {
        transaction.rollback()?
    } else {
        transaction.commit()?
    }
    Ok(imported)
}

/// A session of which lines are still to come.
struct Open {
    session: SessionId,
    hash: Sha256,
    rows: u64,
    files: u64,
    /// The rows of one that is here already; they are compared and not written.
    here: Option<chain::Link>,
}

struct Reader<'a> {
    connection: &'a Transaction<'a>,
    options: &'a ImportOptions,
    key: &'a ChainKey,
    now: Timestamp,
    line: usize,
    imported: Vec<Imported>,
}

impl Reader<'_> {
    fn fault(&self, why: impl ToString) -> PortableError {
        PortableError::Line { line: self.line, why: why.to_string() }
    }

    fn read(&mut self, from: &mut impl BufRead) -> Result<(), PortableError> {
        let mut open: Option<Open> = None;
        let mut text = String::new();
        loop {
            text.clear();
            self.line += 1;
            if from.read_line(&mut text).map_err(|error| self.fault(error))? == 0 {
                break;
            }
            let line: Line = serde_json::from_str(&text)
                .map_err(|_| self.fault("it is no line of an export, which `cowork export` writes"))?;
            match (line, open.as_mut()) {
                (Line::Head { format, version, session }, None) => {
                    open = Some(self.begin(&format, version, &session)?);
                }
                (Line::Row { table, row }, Some(open)) => {
                    self.row(open, &table, row)?;
                    open.rows += 1;
                }
                (Line::File { file }, Some(open)) => {
                    file["path"].as_str().ok_or_else(|| self.fault("it names no file"))?;
                    open.files += 1;
                }
                (Line::End { end }, Some(open_now)) => {
                    self.end(open_now, &end)?;
                    open = None;
                    continue;
                }
                _ => return Err(self.fault("it is not in its place: a head comes first, then rows, files and the end")),
            }
            if let Some(open) = &mut open {
                open.hash.update(&text);
            }
        }
        if open.is_some() {
            return Err(self.fault("the file ends before the session does: it was cut off"));
        }
        if self.imported.is_empty() {
            return Err(self.fault("the file is empty"));
        }
        Ok(())
    }

    fn begin(&self, format: &str, version: u64, session: &str) -> Result<Open, PortableError> {
        if format != FORMAT {
            return Err(self.fault("it begins something else than a session"));
        }
        if version > VERSION {
            return Err(self.fault(format!("a newer Cowork wrote it (version {version}, this one reads {VERSION})")));
        }
        let id = SessionId::parse(session).ok_or_else(|| self.fault("it names no session: an id has 32 hex digits"))?;
        let here = self.session_here(&id)?.then(|| fingerprint_of(self.connection, &id)).transpose()?;
        if here.is_some() {
            // Written beside the one that is here, compared, and taken away again.
            self.connection.execute_batch("SAVEPOINT session")?;
            remove(self.connection, &id)?;
        }
        Ok(Open { session: id, hash: Sha256::new(), rows: 0, files: 0, here })
    }

    fn session_here(&self, id: &SessionId) -> Result<bool, PortableError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM cowork_sessions WHERE id = ?1)";
        Ok(self.connection.query_row(sql, [id.as_str()], |row| row.get(0))?)
    }

    fn row(&self, open: &Open, table: &str, row: Map<String, Value>) -> Result<(), PortableError> {
        let Some(name) = TABLES.iter().find(|name| **name == table) else {
            return Err(self.fault(format!("`{table}` is nothing that a session has")));
        };
        let table = columns_of(Table::read(self.connection, "main", name)?);
        if row.get(table.key).and_then(Value::as_str) != Some(open.session.as_str()) {
            return Err(self.fault("it is a row of another session"));
        }
        let (mut columns, mut cells) = (Vec::new(), Vec::new());
        for (column, value) in row {
            if table.columns.contains(&column) {
                cells.push(self.cell(name, &column, value)?);
                columns.push(format!("\"{column}\""));
            } else if !value.is_null() {
                return Err(self.fault(format!("`{name}` has no `{column}` here: a newer program wrote it")));
            }
        }
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO \"{name}\" ({}) VALUES ({marks})", columns.join(", "));
        let inserted = self.connection.prepare_cached(&sql)?.execute(params_from_iter(cells));
        inserted.map(drop).map_err(|error| self.fault(error))
    }

    /// A value as it is here: only scalars stand in rows, and some are this place's own.
    fn cell(&self, table: &str, column: &str, value: Value) -> Result<Cell, PortableError> {
        let cell = match value {
            Value::Null => Cell::Null,
            Value::String(text) => Cell::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Cell::Integer(whole),
                (None, Some(real)) => Cell::Real(real),
                (None, None) => return Err(self.fault(format!("`{column}` is too large a number"))),
            },
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(self.fault(format!("`{column}` is neither text nor number")));
            }
        };
        Ok(match (table, column, &cell) {
            ("cowork_sessions", "workspace_path", _) => match &self.options.workspace {
                Some(folder) => Cell::Text(folder.display().to_string()),
                None => cell,
            },
            ("cowork_web_sessions", "mode", Cell::Text(mode)) if mode == "full" => Cell::Text("ask".into()),
            ("conversation_turns", "role", Cell::Text(role)) if !ROLES.contains(&role.as_str()) => {
                return Err(self.fault(format!("`{role}` is nobody in a conversation")));
            }
            _ => cell,
        })
    }

    fn end(&mut self, open: &mut Open, end: &End) -> Result<(), PortableError> {
        let hash = chain::hex(&open.hash.clone().finalize().into());
        if (end.rows, end.files) != (open.rows, open.files) || end.sha256 != hash {
            return Err(self.fault("what stands before it is not what was written: the file was changed or damaged"));
        }
        let (connection, id) = (self.connection, &open.session);
        let now = rfc3339(self.now);
        // What waits in its queue waits for a person's word: it must not start by itself here.
        let sql = "INSERT INTO cowork_web_sessions (session_id, owner) VALUES (?1, ?2)
                   ON CONFLICT (session_id) DO UPDATE SET owner = excluded.owner, queue_held = queue_held
                       OR EXISTS(SELECT 1 FROM cowork_web_messages WHERE session_id = ?1 AND waiting_text IS NOT NULL)";
        connection.execute(sql, params![id.as_str(), self.options.owner])?;
        self.check(id)?;
        let imported = Imported {
            session: id.clone(),
            turns: count(connection, "conversation_turns", id.as_str())?,
            events: count(connection, "cowork_events", id.as_str())?,
            already_here: open.here.is_some(),
        };
        if let Some(here) = open.here {
            let same = fingerprint_of(connection, id)? == here;
            connection.execute_batch("ROLLBACK TO session; RELEASE session")?;
            if !same {
                return Err(PortableError::Differs(id.0.clone()));
            }
        } else if imported.events > 0 {
            chain::chain_anew(connection, self.key, id.as_str(), &now)?;
        }
        self.imported.push(imported);
        Ok(())
    }

    /// Whether the program can read what was written: a session with a gap or an unknown event could not be shown.
    fn check(&self, id: &SessionId) -> Result<(), PortableError> {
        if !self.session_here(id)? {
            return Err(self.fault("the session itself is missing"));
        }
        let gap = "SELECT COALESCE(MAX(seq) - MIN(seq) + 1 <> COUNT(*), 0) FROM cowork_events WHERE session_id = ?1";
        if self.connection.query_row(gap, [id.as_str()], |row| row.get(0))? {
            return Err(self.fault("the log has a gap"));
        }
        let mut cursor = 0;
        loop {
            let page = events::page(self.connection, id, cursor, EVENTS_A_READ, &[])
                .map_err(|error| self.fault(format!("an event behind {cursor} can't be read ({error})")))?;
            if page.events.is_empty() {
                return Ok(());
            }
            cursor = page.next_cursor;
        }
    }
}

fn exported_tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    TABLES.iter().map(|name| Table::read(connection, "main", name).map(columns_of)).collect()
}

/// What an import would write of the session; the folder may be another one here, and the queue waits.
fn fingerprint_of(connection: &Connection, id: &SessionId) -> rusqlite::Result<chain::Link> {
    let mut tables = exported_tables(connection)?;
    for table in &mut tables {
        table.columns.retain(|column| !["workspace_path", "mode", "queue_held"].contains(&column.as_str()));
    }
    fingerprint(connection, "main", &tables, id.as_str())
}

fn remove(connection: &Connection, id: &SessionId) -> rusqlite::Result<()> {
    for table in exported_tables(connection)? {
        let sql = format!("DELETE FROM \"{}\" WHERE \"{}\" = ?1", table.name, table.key);
        connection.execute(&sql, [id.as_str()])?;
    }
    Ok(())
}
