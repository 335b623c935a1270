//! Sessions that leave a file and come into another one: as lines of text ([`export`], [`import`]), or all of them
//! from our own database into Loom's ([`moving`]).

mod export;
mod import;
mod moving;

use std::{io, path::PathBuf};

use rusqlite::{Connection, Row, types::Value};
use sha2::{Digest, Sha256};

pub use self::{
    export::{Exported, ListedFile, SessionFile, session_ids},
    import::{ImportOptions, Imported, import},
    moving::{Moved, Plan, PlannedSession, move_sessions, plan},
};
use super::{OpenError, VerifyError, backup::BackupError, chain::Link};
use crate::agent::ports::store::StoreError;

/// Why sessions stay where they are. Shown to the person who runs the command, hence the paths.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    #[error("There is no file {}, so there is nothing to read. Name the database with --database.", .0.display())]
    NoFile(PathBuf),
    #[error("There is no session {0} in this database. `cowork export` without a name writes all that there are.")]
    NoSession(String),
    #[error(
        "A turn of session {0} runs or waits for a person, so it was not written. Let the turn end, or stop it, and export again."
    )]
    Running(String),
    #[error("Line {line} can't be taken in: {why}. Nothing was imported.")]
    Line { line: usize, why: String },
    #[error(
        "Session {0} is in both files, and not the same in both: somebody went on with it there. Nothing was changed. Delete the one that you don't want, then run this again."
    )]
    Differs(String),
    #[error(
        "The log of {path} does not fit its chain, and moved events could not be told from forged ones. Nothing was moved. `cowork verify --database {path}` says where.",
        path = .0.display()
    )]
    NotWhole(PathBuf),
    #[error(
        "The copy is not what was copied ({0}). Nothing was removed: the sessions are still where they were. Check the disk, then run this again."
    )]
    BadCopy(String),
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("A copy could not be proven: {0}. Nothing was removed.")]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("The database can't be used: {0}. Nothing was changed.")]
    Sqlite(#[from] rusqlite::Error),
    #[error("A row can't be read: {0}. Nothing was changed.")]
    Row(#[from] StoreError),
}

/// What means something in its own file alone: a link is made with that file's key, and the recall index counts its
/// rows. Both are made anew.
const LOCAL: &[(&str, &str)] = &[("cowork_events", "link"), ("cowork_web_sessions", "recall_through")];

/// A table with rows of sessions, and those of its columns that go along.
struct Table {
    name: String,
    columns: Vec<String>,
    /// The column that names the session.
    key: &'static str,
    /// Whether its rows have an order of arrival, told by a number that each file gives itself.
    numbered: bool,
}

impl Table {
    fn read(connection: &Connection, schema: &str, name: &str) -> rusqlite::Result<Self> {
        let sql = "SELECT name, pk = 1 AND upper(type) = 'INTEGER' FROM pragma_table_info(?1, ?2)";
        let mut statement = connection.prepare(sql)?;
        let columns = statement.query_map([name, schema], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (mut kept, mut numbered) = (Vec::new(), false);
        for column in columns {
            let (column, is_number): (String, bool) = column?;
            numbered |= is_number;
            if !is_number && !LOCAL.contains(&(name, column.as_str())) {
                kept.push(column);
            }
        }
        let key = if name == "cowork_sessions" { "id" } else { "session_id" };
        Ok(Self { name: name.to_owned(), columns: kept, key, numbered })
    }

    /// The columns that both have. Another version of Loom may have more in its own tables.
    fn shared_with(mut self, other: &Self) -> Self {
        self.columns.retain(|column| other.columns.contains(column));
        self
    }

    fn column_list(&self) -> String {
        self.columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
    }

    /// The rows of one session, always in the same order.
    fn select(&self, schema: &str) -> String {
        let order = match self.numbered {
            true => "id".to_owned(),
            false => (1..=self.columns.len()).map(|at| at.to_string()).collect::<Vec<_>>().join(", "),
        };
        let Self { name, key, .. } = self;
        format!("SELECT {} FROM {schema}.\"{name}\" WHERE \"{key}\" = ?1 ORDER BY {order}", self.column_list())
    }
}

/// All tables of a schema that hold rows of sessions and are ours or shared with Loom. What Loom keeps beside them
/// is Loom's to make.
fn tables(connection: &Connection, schema: &str) -> rusqlite::Result<Vec<Table>> {
    let sql = "SELECT l.name FROM pragma_table_list l
               WHERE l.schema = ?1 AND l.type = 'table' AND (l.name = 'cowork_sessions' OR (
                   l.name IN ('conversation_turns', 'cowork_events') OR l.name GLOB 'cowork_web_*')
                   AND EXISTS (SELECT 1 FROM pragma_table_info(l.name, l.schema) WHERE name = 'session_id')
                   AND l.name <> 'cowork_web_chains')
               ORDER BY l.name <> 'cowork_sessions', l.name";
    let names: Vec<String> =
        connection.prepare(sql)?.query_map([schema], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    names.iter().map(|name| Table::read(connection, schema, name)).collect()
}

/// All rows of a session, as one hash: equal where every value of every row is.
fn fingerprint(connection: &Connection, schema: &str, tables: &[Table], id: &str) -> rusqlite::Result<Link> {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for table in tables {
        part(table.name.as_bytes());
        let mut statement = connection.prepare(&table.select(schema))?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            for value in values(row, table.columns.len())? {
                match value {
                    Value::Null => part(b"0"),
                    Value::Integer(number) => part(format!("i{number}").as_bytes()),
                    Value::Real(number) => part(format!("r{number:?}").as_bytes()),
                    Value::Text(text) => part(format!("t{text}").as_bytes()),
                    Value::Blob(bytes) => part(&[b"b", bytes.as_slice()].concat()),
                }
            }
        }
    }
    Ok(hash.finalize().into())
}

fn values(row: &Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    (0..columns).map(|at| row.get(at)).collect()
}

fn count(connection: &Connection, table: &str, id: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT COUNT(*) FROM {table} WHERE session_id = ?1");
    connection.query_row(&sql, [id], |row| row.get::<_, i64>(0)).map(|count| count as u64)
}
