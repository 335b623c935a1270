//! Tokens that people's messages cost, by days. Kept apart from the log, whose old rows may leave. And what the model call
//! that runs has cost so far, for the case that the process is killed.

use rusqlite::{Connection, OptionalExtension, params};

use super::{failure::unreadable, writer::Change};
use crate::{
    agent::ports::{clock::day, store::StoreResult},
    protocol::{EventBody, SessionId},
};

/// Counts what the model calls among `events` cost, for whoever sent the message that the session works on. None of them
/// runs any more.
pub(super) fn add(change: &Change<'_>, id: &SessionId, events: &[EventBody]) -> StoreResult<()> {
    if events.iter().any(|event| matches!(event, EventBody::ModelCall { .. })) {
        forget_running(change.connection, id)?;
    }
    let cost = |event: &EventBody| match event {
        EventBody::ModelCall { tokens, .. } => tokens.map_or(0, |tokens| tokens.total),
        _ => 0,
    };
    let tokens: u64 = events.iter().map(cost).sum();
    let Some(person) = sender(change.connection, id)?.filter(|_| tokens > 0) else { return Ok(()) };
    let sql = "INSERT INTO cowork_web_usage (person, day, tokens) VALUES (?1, ?2, ?3)
               ON CONFLICT (person, day) DO UPDATE SET tokens = tokens + excluded.tokens";
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    change.connection.prepare_cached(sql)?.execute(params![person, day(change.now), tokens])?;
    Ok(())
}

/// Keeps how far the call that runs has come.
pub(super) fn keep_running(change: &Change<'_>, id: &SessionId, call: &EventBody) -> StoreResult<()> {
    let call = serde_json::to_string(call).map_err(|error| unreadable("a model call", &error))?;
    let sql = "INSERT INTO cowork_web_running_calls (session_id, model_call) VALUES (?1, ?2)
               ON CONFLICT (session_id) DO UPDATE SET model_call = excluded.model_call";
    change.connection.prepare_cached(sql)?.execute([id.as_str(), &call])?;
    Ok(())
}

/// The call that ran when the process ended, as far as it was kept.
pub(super) fn running(connection: &Connection, id: &SessionId) -> StoreResult<Option<EventBody>> {
    let sql = "SELECT model_call FROM cowork_web_running_calls WHERE session_id = ?1";
    let call: Option<String> = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    call.map(|call| serde_json::from_str(&call).map_err(|error| unreadable("a model call", &error))).transpose()
}

fn forget_running(connection: &Connection, id: &SessionId) -> StoreResult<()> {
    connection.prepare_cached("DELETE FROM cowork_web_running_calls WHERE session_id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

/// The running turn's message is the last that has a row. One that Loom wrote has no sender here.
fn sender(connection: &Connection, id: &SessionId) -> StoreResult<Option<String>> {
    let sql = "SELECT json_extract(actor, '$.name') FROM cowork_web_messages
               WHERE session_id = ?1 AND turn_number IS NOT NULL ORDER BY turn_number DESC LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?)
}

pub(super) fn of(connection: &Connection, person: &str, day: &str) -> StoreResult<u64> {
    let sql = "SELECT tokens FROM cowork_web_usage WHERE person = ?1 AND day = ?2";
    let tokens: Option<i64> = connection.prepare_cached(sql)?.query_row([person, day], |row| row.get(0)).optional()?;
    Ok(tokens.unwrap_or_default() as u64)
}
