//! All sessions of our own database into one that Loom made later. The copy is one transaction, and read back; only
//! then the old file steps aside, whole and under another name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{PortableError, Table, count, fingerprint, tables};
use crate::{
    agent::ports::clock::rfc3339,
    protocol::{SessionId, derived_title},
    store::{LogFile, OpenError, chain, chain::ChainKey, look, open, schema, sessions::TITLE},
};

const BUSY: Duration = Duration::from_secs(5);
/// What the old file is called afterwards.
const ASIDE: &str = ".moved";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSession {
    pub id: SessionId,
    pub title: String,
    pub turns: u64,
    pub events: u64,
    /// In the other file, too.
    pub already_there: bool,
}

/// What would be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub sessions: Vec<PlannedSession>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub sessions: u64,
    pub turns: u64,
    pub events: u64,
    /// Where the old file stands now.
    pub aside: PathBuf,
}

/// Reads both files and changes neither.
pub fn plan(from: &Path, to: &Path) -> Result<Plan, PortableError> {
    let source = reader(from)?;
    let target = reader(to)?;
    let sql = format!(
        "SELECT s.id, {TITLE}, (SELECT content FROM conversation_turns t WHERE t.session_id = s.id AND role = 'user'
             ORDER BY turn_number LIMIT 1)
         FROM cowork_sessions s ORDER BY s.started_at, s.id"
    );
    let mut statement = source.prepare(&sql)?;
    let found: Vec<(String, Option<String>, Option<String>)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<rusqlite::Result<_>>()?;
    let sessions = found.into_iter().map(|(id, title, first)| {
        Ok(PlannedSession {
            title: title.unwrap_or_else(|| derived_title(&first.unwrap_or_default())),
            turns: count(&source, "conversation_turns", &id)?,
            events: count(&source, "cowork_events", &id)?,
            already_there: is_there(&target, "main", &id)?,
            id: SessionId(id),
        })
    });
    Ok(Plan { sessions: sessions.collect::<rusqlite::Result<_>>()? })
}

fn reader(path: &Path) -> Result<Connection, PortableError> {
    if !path.is_file() {
        return Err(PortableError::NoFile(path.to_owned()));
    }
    let connection = schema::open_reader(path, BUSY).map_err(|error| OpenError::sqlite(path, error))?;
    schema::check(&connection, path, schema::MIGRATIONS)?;
    Ok(connection)
}

fn is_there(connection: &Connection, schema: &str, id: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT EXISTS(SELECT 1 FROM {schema}.cowork_sessions WHERE id = ?1)");
    connection.query_row(&sql, [id], |row| row.get(0))
}

/// Moves all sessions of `from` into `to`. Loom may work on `to` meanwhile; a Cowork may work on neither.
pub fn move_sessions(from: &Path, to: &Path, now: Timestamp) -> Result<Moved, PortableError> {
    for path in [from, to] {
        if !path.is_file() {
            return Err(PortableError::NoFile(path.to_owned()));
        }
    }
    let (old, new) = (open::claim(from)?, open::claim(to)?);
    let now = rfc3339(now);
    prepare_source(&old.path, from, &now)?;
    if !LogFile::open(from)?.verify(&[])?.is_whole() {
        return Err(PortableError::NotWhole(from.to_owned()));
    }
    let (old_data, new_data) = (chain::data_folder(from), chain::data_folder(to));
    let mut connection = schema::open_writer(&new.path, BUSY)?;
    schema::migrate(&mut connection, &new.path, schema::MIGRATIONS)?;
    // The key goes along where there is none yet: then every link stays as it was, and heads that were written down
    // are still found. Who signs in, and what turns keep to be undone, goes along, too.
    copy_missing(&old_data, &new_data)?;
    let key = ChainKey::open(&new_data)?;
    chain::adopt(&mut connection, &key, &now).map_err(|error| OpenError::sqlite(to, error))?;
    connection.execute("ATTACH ?1 AS source", [old.path.display().to_string()])?;
    let moved = copy(&mut connection, &key, &now)?;
    prove(&connection)?;
    connection.execute_batch("DETACH source; PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(connection);
    look(to)?;
    if !LogFile::open(to)?.verify(&[])?.is_whole() {
        return Err(PortableError::BadCopy("its log does not fit its chain".into()));
    }
    let aside = step_aside(from, &old_data)?;
    Ok(Moved { aside, ..moved })
}

/// Brings the old file up to date, so that both have the same tables.
fn prepare_source(path: &Path, given: &Path, now: &str) -> Result<(), PortableError> {
    let mut connection = schema::open_writer(path, BUSY)?;
    schema::migrate(&mut connection, path, schema::MIGRATIONS)?;
    let key = ChainKey::open(&chain::data_folder(given))?;
    chain::adopt(&mut connection, &key, now).map_err(|error| OpenError::sqlite(path, error))?;
    Ok(())
}

/// The tables of the old file, with the columns that both files have.
fn shared_tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let there = tables(connection, "main")?;
    let shared = tables(connection, "source")?.into_iter().filter_map(|table| {
        let other = there.iter().find(|other| other.name == table.name)?;
        Some(table.shared_with(other))
    });
    Ok(shared.collect())
}

fn source_ids(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT id FROM source.cowork_sessions ORDER BY started_at, id")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn copy(connection: &mut Connection, key: &ChainKey, now: &str) -> Result<Moved, PortableError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT value FROM source.cowork_web_meta WHERE key = 'chain_key'";
    let old_key: Option<String> = transaction.query_row(sql, [], |row| row.get(0)).optional()?;
    let same_key = old_key == Some(key.name());
    let tables = shared_tables(&transaction)?;
    let mut moved = Moved { sessions: 0, turns: 0, events: 0, aside: PathBuf::new() };
    for id in source_ids(&transaction)? {
        if is_there(&transaction, "main", &id)? {
            // A former run got as far as this.
            if fingerprint(&transaction, "main", &tables, &id)? != fingerprint(&transaction, "source", &tables, &id)? {
                return Err(PortableError::Differs(id));
            }
        } else {
            for table in &tables {
                let (name, columns) = (&table.name, table.column_list());
                let sql = format!("INSERT INTO main.\"{name}\" ({columns}) {}", table.select("source"));
                transaction.execute(&sql, [&id])?;
            }
            chain_rows(&transaction, key, same_key, &id, now)?;
        }
        moved.sessions += 1;
        moved.turns += count(&transaction, "main.conversation_turns", &id)?;
        moved.events += count(&transaction, "main.cowork_events", &id)?;
    }
    transaction.commit()?;
    Ok(moved)
}

/// With the same key links and ends stay as they are; with another one the chain is made anew, and marked.
fn chain_rows(connection: &Connection, key: &ChainKey, same_key: bool, id: &str, now: &str) -> rusqlite::Result<()> {
    if same_key {
        let links = "UPDATE main.cowork_events AS new SET link = (SELECT link FROM source.cowork_events old
                     WHERE old.session_id = new.session_id AND old.seq = new.seq) WHERE session_id = ?1";
        connection.execute(links, [id])?;
        let ends = "INSERT INTO main.cowork_web_chains SELECT * FROM source.cowork_web_chains WHERE session_id = ?1";
        connection.execute(ends, [id]).map(drop)
    } else if connection.query_row(
        "SELECT EXISTS(SELECT 1 FROM main.cowork_events WHERE session_id = ?1)",
        [id],
        |row| row.get(0),
    )? {
        chain::chain_anew(connection, key, id, now)
    } else {
        Ok(())
    }
}

/// Reads both files again: every session, every row, every value.
fn prove(connection: &Connection) -> Result<(), PortableError> {
    let tables = shared_tables(connection)?;
    for id in source_ids(connection)? {
        if fingerprint(connection, "main", &tables, &id)? != fingerprint(connection, "source", &tables, &id)? {
            return Err(PortableError::BadCopy(format!("session {id} differs")));
        }
    }
    Ok(())
}

/// Copies what the other folder lacks. What it has stays.
fn copy_missing(from: &Path, to: &Path) -> Result<(), PortableError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| PortableError::Io { path, source }
    };
    if !from.is_dir() {
        return Ok(());
    }
    if !to.is_dir() {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(to).map_err(failed(to))?;
    }
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed(&old))?;
        if kind.is_dir() {
            copy_missing(&old, &new)?;
        } else if kind.is_file() && !new.exists() {
            // Under another name until it is whole; a copy keeps its mode.
            let mut draft = new.clone().into_os_string();
            draft.push(".copied");
            let draft = PathBuf::from(draft);
            fs::copy(&old, &draft).map_err(failed(&draft))?;
            fs::File::open(&draft).and_then(|file| file.sync_all()).map_err(failed(&draft))?;
            fs::rename(&draft, &new).map_err(failed(&new))?;
        }
    }
    fs::File::open(to).and_then(|folder| folder.sync_all()).map_err(failed(to))
}

/// The old file and its folder keep everything, under names that no program looks for.
fn step_aside(database: &Path, data: &Path) -> Result<PathBuf, PortableError> {
    let named = |number: u32| {
        let mut name = database.as_os_str().to_owned();
        name.push(ASIDE);
        if number > 1 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let aside = (1..).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(1));
    let failed = |source| PortableError::Io { path: database.to_owned(), source };
    fs::rename(database, &aside).map_err(failed)?;
    if data.is_dir() {
        fs::rename(data, chain::data_folder(&aside)).map_err(failed)?;
    }
    Ok(aside)
}
