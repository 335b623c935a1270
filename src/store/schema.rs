//! Connections and the tables in them: pragmas, our version, migrations.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, config::DbConfig};

use super::open::OpenError;

/// One file per version, oldest first. A file that was released never changes; a change is a new file.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_events_and_web_tables.sql"),
    include_str!("../../migrations/0002_agent_runtime.sql"),
    include_str!("../../migrations/0003_uploads.sql"),
    include_str!("../../migrations/0004_log_chain.sql"),
    include_str!("../../migrations/0005_pinned_sessions.sql"),
    include_str!("../../migrations/0007_access.sql"),
    include_str!("../../migrations/0008_usage.sql"),
    include_str!("../../migrations/0009_running_calls.sql"),
    include_str!("../../migrations/0010_rules_have_a_scope.sql"),
    include_str!("../../migrations/0011_late_steering.sql"),
    include_str!("../../migrations/0012_recall_of_plain_words.sql"),
    include_str!("../../migrations/0013_who_works.sql"),
    include_str!("../../migrations/0014_sent_first.sql"),
];

const LOOM_TABLES: &str = include_str!("../../migrations/loom_tables.sql");

/// What we read and write of Loom's tables. A file that lacks one of them is not Loom's.
const LOOM_COLUMNS: &[(&str, &[&str])] = &[
    (
        "cowork_sessions",
        &[
            "id",
            "workspace_path",
            "model_name",
            "system_prompt",
            "started_at",
            "last_active_at",
            "total_tokens",
            "turn_count",
            "session_state",
        ],
    ),
    (
        "conversation_turns",
        &[
            "id",
            "session_id",
            "turn_number",
            "role",
            "content",
            "metadata",
            "tool_calls",
            "tool_call_id",
            "tool_name",
            "token_count",
            "created_at",
        ],
    ),
];

/// Page cache of each connection, in KiB: small, since the program should be small and the system caches the file.
const CACHE_KIB: i64 = 2048;

/// Statements that a connection keeps ready, more than there are: preparing them anew took a fifth of a message's time.
const STATEMENTS: usize = 256;

/// The WAL file is cut back to this size, in bytes, when a burst has made it larger.
const WAL_KEEP_BYTES: i64 = 16 * 1024 * 1024;

/// The one connection that writes.
pub(super) fn open_writer(path: &Path, busy: Duration) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::sqlite(path, error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy).map_err(sqlite)?;
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(sqlite)?;
    if !journal.eq_ignore_ascii_case("wal") {
        return Err(OpenError::NoWal(path.to_owned()));
    }
    set_durable(&connection).map_err(sqlite)?;
    Ok(connection)
}

fn set_durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEEP_BYTES)?;
    // The writer checkpoints by itself: SQLite's own, after a commit, would swallow an I/O error.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

pub(super) fn open_reader(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy)
}

fn connect(path: &Path, access: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    #[cfg(test)]
    let connection = super::testing::note_scans(connection);
    connection.busy_timeout(busy)?;
    // Our SQLite switches foreign keys on by default. Loom leaves them off, and its files hold turns of sessions
    // that are gone: with the checks on, writes to such files would fail.
    connection.pragma_update(None, "foreign_keys", false)?;
    // Loom's file is not ours: what its schema says must not run functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // What a change may have to take back would else be written to a file in the system's folder for such: people's words,
    // outside the data folder, and a third of what taking a message in costs this thread.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Our SQLite collects statistics of values, and for their sake plans a statement anew whenever a bound value
    // changes. Our statements are kept and have one good plan each; planning took a quarter of a message's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Whether a file may be worked on: not newer than `steps`, and what stands in it under Loom's names is Loom's.
pub(super) fn check(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let found = version(connection).map_err(|error| OpenError::sqlite(path, error))?;
    let known = steps.len() as u32;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    match missing_column(connection).map_err(|error| OpenError::sqlite(path, error))? {
        Some((table, column)) => Err(OpenError::ForeignShape { path: path.to_owned(), table, column }),
        None => Ok(()),
    }
}

/// A column of Loom's that the file lacks; none where it has neither table, since then we create both.
fn missing_column(connection: &Connection) -> rusqlite::Result<Option<(&'static str, &'static str)>> {
    if has_no_loom_tables(connection)? {
        return Ok(None);
    }
    let mut exists = connection.prepare("SELECT EXISTS(SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)")?;
    for (table, columns) in LOOM_COLUMNS {
        for column in *columns {
            if !exists.query_row([table, column], |row| row.get(0))? {
                return Ok(Some((table, column)));
            }
        }
    }
    Ok(None)
}

fn has_no_loom_tables(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(!has_table(connection, "cowork_sessions")? && !has_table(connection, "conversation_turns")?)
}

/// Brings the file up to the last of `steps` in one transaction: it has the old version or the new, never half.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), OpenError> {
    check(connection, path, steps)?;
    apply(connection, steps).map_err(|error| OpenError::sqlite(path, error))
}

fn apply(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if has_no_loom_tables(&transaction)? {
        transaction.execute_batch(LOOM_TABLES)?;
    }
    // Not `user_version`: in a file that Loom made, that one is Loom's.
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS cowork_web_meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    )?;
    let done = version(&transaction)?;
    for step in &steps[(done as usize).min(steps.len())..] {
        transaction.execute_batch(step)?;
    }
    transaction.execute(
        "INSERT INTO cowork_web_meta (key, value) VALUES ('schema_version', ?1)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        [steps.len() as u32],
    )?;
    transaction.commit()
}

/// The version of our tables in the file; 0 where there are none.
fn version(connection: &Connection) -> rusqlite::Result<u32> {
    if !has_table(connection, "cowork_web_meta")? {
        return Ok(0);
    }
    let sql = "SELECT value FROM cowork_web_meta WHERE key = 'schema_version'";
    Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?.unwrap_or(0))
}

pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    connection.query_row(sql, [name], |row| row.get(0))
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
