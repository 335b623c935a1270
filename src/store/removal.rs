//! Deleting a session: at once out of sight, later out of every table.

use jiff::Timestamp;
use rusqlite::Connection;

use super::{recall, sessions, writer::Change};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{RESTORE_WINDOW, StoreError, StoreResult, StoredSession},
    },
    protocol::SessionId,
};

pub(super) fn delete(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let sql = "UPDATE cowork_web_sessions SET deleted_at = ?2 WHERE session_id = ?1";
    change.connection.execute(sql, [id.as_str(), &rfc3339(change.now)])?;
    Ok(())
}

pub(super) fn restore(change: &Change<'_>, id: &SessionId) -> StoreResult<StoredSession> {
    let sql = "UPDATE cowork_web_sessions SET deleted_at = NULL WHERE session_id = ?1 AND deleted_at > ?2";
    if change.connection.execute(sql, [id.as_str(), &oldest_restorable(change.now)])? == 0 {
        let sql = "SELECT EXISTS(SELECT 1 FROM cowork_sessions WHERE id = ?1)";
        let is_there = change.connection.query_row(sql, [id.as_str()], |row| row.get(0))?;
        return Err(if is_there { StoreError::NotRestorable } else { StoreError::NoSession });
    }
    sessions::find(change.connection, change.zone, id)?.ok_or(StoreError::NotRestorable)
}

/// What can't be restored any more is purged a moment later.
pub(super) fn is_restorable(connection: &Connection, id: &SessionId) -> StoreResult<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM cowork_web_sessions WHERE session_id = ?1 AND deleted_at IS NOT NULL)";
    Ok(connection.query_row(sql, [id.as_str()], |row| row.get(0))?)
}

/// What was deleted at this time or before is gone for good. RFC 3339 in UTC with fixed digits sorts as text.
fn oldest_restorable(now: Timestamp) -> String {
    rfc3339(now.saturating_sub(RESTORE_WINDOW).unwrap_or(now))
}

/// Removes the rows of sessions that were deleted too long ago to be restored.
pub(super) fn purge_expired(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let expired: Vec<String> = connection
        .prepare("SELECT session_id FROM cowork_web_sessions WHERE deleted_at <= ?1")?
        .query_map([oldest_restorable(now)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    expired.iter().try_for_each(|id| erase(connection, id))
}

/// Every table that names sessions: ours, and whichever this version of Loom has. Its search index over memory
/// entries follows through Loom's triggers; virtual tables and their shadows are not ours to write.
fn erase(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    recall::forget(connection, id)?;
    let tables: Vec<String> = connection
        .prepare(
            "SELECT l.name FROM pragma_table_list l JOIN pragma_table_info(l.name) c ON c.name = 'session_id'
             WHERE l.schema = 'main' AND l.type = 'table' ORDER BY l.name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        connection.execute(&format!("DELETE FROM \"{quoted}\" WHERE session_id = ?1"), [id])?;
    }
    connection.execute("DELETE FROM cowork_sessions WHERE id = ?1", [id])?;
    Ok(())
}

#[cfg(test)]
#[path = "removal_tests.rs"]
mod tests;
