//! Tokens that people's messages cost, by days. Kept apart from the log, whose old rows may leave.

use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Change;
use crate::{
    agent::ports::{clock::day, store::StoreResult},
    protocol::{EventBody, SessionId},
};

/// Counts what the model calls among `events` cost, for whoever sent the message that the session works on.
pub(super) fn add(change: &Change<'_>, id: &SessionId, events: &[EventBody]) -> StoreResult<()> {
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
