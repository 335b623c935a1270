//! The plan of a session.

use rusqlite::{Connection, OptionalExtension};

use super::{failure::unreadable, loom, sessions, writer::Change};
use crate::{
    agent::ports::store::StoreResult,
    protocol::{SessionId, Task},
};

pub(super) fn set(change: &Change<'_>, id: &SessionId, tasks: &[Task]) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let sql = "INSERT INTO cowork_web_tasks (session_id, tasks) VALUES (?1, ?2)
               ON CONFLICT (session_id) DO UPDATE SET tasks = excluded.tasks";
    change.connection.prepare_cached(sql)?.execute([id.as_str(), &loom::json(&tasks)?])?;
    Ok(())
}

pub(super) fn read(connection: &Connection, id: &SessionId) -> StoreResult<Vec<Task>> {
    let sql = "SELECT tasks FROM cowork_web_tasks WHERE session_id = ?1";
    let found: Option<String> =
        connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    let parsed = found.map(|json| serde_json::from_str(&json)).transpose();
    Ok(parsed.map_err(|error| unreadable("a plan", &error))?.unwrap_or_default())
}
