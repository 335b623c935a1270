//! Tool calls: the intent before a tool runs, the result after, and which ids are taken.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use serde_json::json;

use super::{
    events,
    loggable::{Fact, Loggable},
    loom,
    rows::{self, NewRow},
    sessions,
    writer::Change,
};
use crate::{
    agent::ports::store::{CallEnd, CallStart, StoreResult},
    protocol::{Actor, CallId, EventBody, Role, SessionId, ToolCall},
};

/// Records the intent. It is durable before the tool runs, so that no call is made twice without anyone knowing.
pub(super) fn start(change: &mut Change<'_>, actor: &Actor, id: &SessionId, started: Loggable) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    events::append(change, id, actor, started)
}

/// The event of an intent.
pub(super) fn started(start: CallStart) -> EventBody {
    let CallStart { turn, tool_call_id, name, args, preview } = start;
    EventBody::ToolCallStarted { turn, tool_call_id, name, args, preview }
}

/// The tool row with the whole result, and its event. The row has no column for a diff, so it is metadata.
pub(super) fn end(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    end: &CallEnd,
    completed: impl Into<Fact>,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let content = loom::json(&end.result)?;
    let metadata = end.diff.as_ref().map(|diff| json!({ "diff": diff }));
    let answers = Some((&end.tool_call_id, end.name.as_str()));
    rows::append(change, id, NewRow { answers, metadata, ..NewRow::new(Role::Tool, &content) })?;
    events::append(change, id, actor, completed)
}

/// The event of a result.
pub(super) fn completed(end: &CallEnd) -> EventBody {
    let result = end.result.clone();
    EventBody::ToolCallCompleted {
        turn: end.turn,
        tool_call_id: end.tool_call_id.clone(),
        name: end.name.clone(),
        success: result.success,
        elapsed_ms: end.elapsed_ms,
        preview: end.preview.clone(),
        output: result.output,
        error: result.error,
        diff: end.diff.clone(),
        files_changed: result.files_changed,
        truncated: false,
    }
}

/// Calls of the last turn that no tool row answers, in the order that the model made them.
pub(super) fn open(connection: &Connection, id: &SessionId) -> StoreResult<Vec<ToolCall>> {
    let sql = "SELECT tool_calls, tool_call_id FROM conversation_turns
               WHERE session_id = ?1 AND turn_number > COALESCE((SELECT MAX(turn_number) FROM conversation_turns
                   WHERE session_id = ?1 AND role = 'user'), 0)
               ORDER BY turn_number, id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_str()])?;
    let (mut asked, mut answered) = (Vec::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        asked.extend(row.get::<_, Option<String>>(0)?.map(|json| rows::parse_calls(&json)).unwrap_or_default());
        answered.extend(row.get::<_, Option<String>>(1)?);
    }
    asked.retain(|call| !answered.contains(call.id.as_str()));
    Ok(asked)
}

/// Whether a row of the session names `call`: in the index for earlier turns, in the rows themselves since then.
pub(super) fn id_used(connection: &Connection, id: &SessionId, call: &CallId) -> StoreResult<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM cowork_web_call_ids WHERE session_id = ?1 AND tool_call_id = ?2)";
    let indexed: bool = connection.prepare_cached(sql)?.query_row([id.as_str(), call.as_str()], |row| row.get(0))?;
    Ok(indexed || ids_not_indexed(connection, id)?.contains(call))
}

/// Brings the index up to the last row, whoever wrote it.
pub(super) fn index_ids(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    let connection = change.connection;
    let mut insert = connection.prepare_cached(
        "INSERT INTO cowork_web_call_ids (session_id, tool_call_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for call in ids_not_indexed(connection, id)? {
        insert.execute([id.as_str(), call.as_str()])?;
    }
    let through = rows::next_number(connection, id)?.saturating_sub(1);
    let sql = "UPDATE cowork_web_sessions SET call_ids_through = ?2 WHERE session_id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.as_str(), through as i64])?;
    Ok(())
}

fn ids_not_indexed(connection: &Connection, id: &SessionId) -> StoreResult<HashSet<CallId>> {
    let sql = "SELECT tool_calls, tool_call_id FROM conversation_turns
               WHERE session_id = ?1 AND turn_number > COALESCE(
                   (SELECT call_ids_through FROM cowork_web_sessions WHERE session_id = ?1), 0)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_str()])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        let calls = row.get::<_, Option<String>>(0)?.map(|json| rows::parse_calls(&json)).unwrap_or_default();
        ids.extend(calls.into_iter().map(|call| call.id));
        ids.extend(row.get::<_, Option<String>>(1)?.map(CallId));
    }
    Ok(ids)
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
