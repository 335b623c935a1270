//! After a process that ended in the middle of a turn: the turn gets the end that it lacks.

use rusqlite::{Connection, params};

use super::{approvals, calls, events, partials, questions, sessions, turns, usage, writer::Change};
use crate::{
    agent::ports::store::{CallEnd, MessageEnd, StoreResult},
    protocol::{Actor, EventBody, InterruptReason, SessionId, ToolCall, ToolResult},
};

/// Why a turn was left without an end, in words for the person and for the model.
pub(super) struct Cause {
    reason: InterruptReason,
    detail: &'static str,
    call_error: &'static str,
}

pub(super) const RESTART: Cause = Cause {
    reason: InterruptReason::Restart,
    detail: "The server was restarted while this turn ran. What was written so far is kept; send a message to go on.",
    call_error: "The server was restarted before this call ended. Whether it took effect is not known, and it is not repeated.",
};

/// The turn's task crashed, or the write that should have ended it failed, for example on a full disk.
pub(super) const LOST_END: Cause = Cause {
    reason: InterruptReason::Error,
    detail: "The server made a mistake in this turn, or could not save its end. What was saved before is kept; send a message to go on.",
    call_error: "The result of this call could not be saved. Whether it took effect is not known, and it is not repeated.",
};

/// Whether a turn needs nothing but a person's word to go on: something waits, no call has begun without an end but
/// those that ask, and no text was being written.
pub(super) fn only_waits(connection: &Connection, id: &SessionId) -> StoreResult<bool> {
    let Some(turn) = sessions::running_turn(connection, id)? else { return Ok(false) };
    let pending = approvals::pending(connection, id)?.len() + questions::pending(connection, id)?.len();
    if pending == 0 || partials::last_of_turn(connection, id, turn)?.is_some() {
        return Ok(false);
    }
    let sql = "SELECT EXISTS(SELECT 1 FROM cowork_events e WHERE e.session_id = ?1 AND e.turn = ?2
                   AND e.event_type = 'tool_call_started'
                   AND NOT EXISTS (SELECT 1 FROM conversation_turns t WHERE t.session_id = ?1
                       AND t.role = 'tool' AND t.tool_call_id = json_extract(e.payload, '$.tool_call_id'))
                   AND NOT EXISTS (SELECT 1 FROM cowork_web_questions q WHERE q.session_id = ?1
                       AND q.tool_call_id = json_extract(e.payload, '$.tool_call_id')))";
    let running: bool = connection.prepare_cached(sql)?.query_row(params![id.as_str(), turn], |row| row.get(0))?;
    Ok(!running)
}

/// Sessions whose turn was running when the former process ended.
pub(super) fn left_running(connection: &Connection) -> StoreResult<Vec<SessionId>> {
    let sql = format!("SELECT s.id FROM {} AND w.running_turn IS NOT NULL ORDER BY s.id", sessions::PRESENT);
    let mut statement = connection.prepare(&sql)?;
    let ids = statement.query_map([], |row| row.get(0).map(SessionId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Ends the running turn of a session, so that its history can be sent to a model again: each call has one result,
/// and the text that was being written is a message. What the model was at work on is counted. Returns whether there was
/// such a turn.
pub(super) fn end_left_turn(change: &mut Change<'_>, id: &SessionId, cause: &Cause) -> StoreResult<bool> {
    let Some(turn) = sessions::running_turn(change.connection, id)? else { return Ok(false) };
    let system = Actor::system();
    withdraw(change, id)?;
    for ToolCall { id: tool_call_id, name, .. } in calls::open(change.connection, id)? {
        let result = ToolResult::failed(cause.call_error);
        let preview = "interrupted".into();
        let end = CallEnd { turn, tool_call_id, name, result, elapsed_ms: 0, preview, diff: None };
        calls::end(change, &system, id, &end, calls::completed(&end))?;
    }
    let cut: Vec<_> = usage::running(change.connection, id)?.into_iter().collect();
    usage::add(change, id, &cut)?;
    for call in cut {
        events::append(change, id, &system, call)?;
    }
    let written = partials::last_of_turn(change.connection, id, turn)?;
    if let Some((message, text)) = written.filter(|(_, text)| !text.is_empty()) {
        let (by, calls, events) = (system.clone(), Vec::new(), Vec::new());
        turns::end_message(change, id, MessageEnd { by, turn, message, text, calls, partial: true, events })?;
    }
    let interrupted = EventBody::TurnInterrupted { turn, reason: cause.reason, detail: cause.detail.into() };
    turns::end(change, &system, id, interrupted)?;
    Ok(true)
}

/// Nobody's word is waited for any more, since the turn is over.
pub(super) fn withdraw(change: &mut Change<'_>, id: &SessionId) -> StoreResult<()> {
    let system = Actor::system();
    approvals::withdraw(change, &system, id)?;
    questions::withdraw(change, &system, id)
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
