//! Rows of `cowork_events`: appended with the next seq of their session, read by cursor.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::{Value, json};

use super::{failure::unreadable, messages, questions, rows, steering, writer::Change};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{StoreError, StoreResult},
    },
    protocol::{Actor, Approval, Asked, Event, EventBody, EventPage, QueueChange, Record, Role, Seq, SessionId},
};

/// Longest `output` and `diff` in an event, in bytes. The log stays readable; the turn row has the whole.
const EVENT_TEXT_LIMIT: usize = 16 * 1024;

pub(super) const AFTER_CURSOR: &str = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
     WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

const AFTER_CURSOR_OF_TYPES: &str = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
     WHERE session_id = :session AND seq > :cursor AND event_type IN (SELECT value FROM json_each(:types))
     ORDER BY seq LIMIT :limit";

pub(super) const FIRST_OF_TURN: &str = "SELECT seq FROM cowork_events
     WHERE session_id = ?1 AND turn >= ?2 ORDER BY turn, seq LIMIT 1";

pub(super) fn append(change: &mut Change<'_>, id: &SessionId, actor: &Actor, body: EventBody) -> StoreResult<()> {
    append_with_text(change, id, actor, body, None)
}

/// Appends an event whose record carries `text`. The first event of a session that we did not make follows a
/// `session_resumed`; it must be appended before its turn row, since that one counts the turns so far.
pub(super) fn append_with_text(
    change: &mut Change<'_>,
    id: &SessionId,
    actor: &Actor,
    body: EventBody,
    text: Option<String>,
) -> StoreResult<()> {
    let head = head(change.connection, id)?;
    if head == 0 && !matches!(body, EventBody::SessionStarted { .. }) {
        let turn_count = rows::turn_count(change.connection, id)?;
        insert(change, id, 1, actor, EventBody::SessionResumed { turn_count }, None)?;
        return insert(change, id, 2, actor, body, text);
    }
    insert(change, id, head + 1, actor, body, text)
}

fn insert(
    change: &mut Change<'_>,
    id: &SessionId,
    seq: Seq,
    actor: &Actor,
    body: EventBody,
    text: Option<String>,
) -> StoreResult<()> {
    let event = Event { seq, body: cut(body), created_at: rfc3339(change.now), actor: actor.clone() };
    let actor = serde_json::to_string(actor).map_err(|error| unreadable("an actor", &error))?;
    let sql = "INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor, turn)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    change.connection.prepare_cached(sql)?.execute(params![
        id.as_str(),
        seq as i64,
        event.body.event_type(),
        payload(&event.body)?,
        event.created_at,
        actor,
        turn(&event.body),
    ])?;
    change.publish(id, Record { event, text });
    Ok(())
}

fn payload(body: &EventBody) -> StoreResult<String> {
    let whole = serde_json::to_value(body).map_err(|error| unreadable("an event", &error))?;
    Ok(whole.get("payload").unwrap_or(&Value::Null).to_string())
}

/// Bounds what a tool says in the log.
fn cut(body: EventBody) -> EventBody {
    let EventBody::ToolCallCompleted {
        turn,
        tool_call_id,
        name,
        success,
        elapsed_ms,
        preview,
        mut output,
        error,
        mut diff,
        files_changed,
        truncated,
    } = body
    else {
        return body;
    };
    let truncated = cut_text(&mut output) | diff.as_mut().is_some_and(cut_text) | truncated;
    EventBody::ToolCallCompleted {
        turn,
        tool_call_id,
        name,
        success,
        elapsed_ms,
        preview,
        output,
        error,
        diff,
        files_changed,
        truncated,
    }
}

fn cut_text(text: &mut String) -> bool {
    let too_long = text.len() > EVENT_TEXT_LIMIT;
    text.truncate(text.floor_char_boundary(EVENT_TEXT_LIMIT));
    too_long
}

/// The turn that an event belongs to.
fn turn(body: &EventBody) -> Option<u32> {
    match body {
        EventBody::UserMessageReceived { turn, .. } => *turn,
        EventBody::TurnStarted { turn, .. }
        | EventBody::ModelCall { turn, .. }
        | EventBody::ModelRetry { turn, .. }
        | EventBody::MessageCompleted { turn, .. }
        | EventBody::ToolCallStarted { turn, .. }
        | EventBody::ToolCallCompleted { turn, .. }
        | EventBody::ApprovalRequested(Approval { turn, .. })
        | EventBody::ApprovalResolved { turn, .. }
        | EventBody::AwaitingUserInput(Asked { turn, .. })
        | EventBody::UserInputReceived { turn, .. }
        | EventBody::SteeringReceived { turn, .. }
        | EventBody::ChangesUndone { turn, .. }
        | EventBody::TurnCompleted { turn, .. }
        | EventBody::TurnInterrupted { turn, .. } => Some(*turn),
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::QueueChanged { .. }
        | EventBody::UploadStarted { .. }
        | EventBody::UploadCompleted { .. }
        | EventBody::UploadFailed { .. }
        | EventBody::SessionError { .. } => None,
    }
}

/// The last seq of a session; 0 where it has no event.
pub(super) fn head(connection: &Connection, id: &SessionId) -> StoreResult<Seq> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM cowork_events WHERE session_id = ?1";
    let head: i64 = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?;
    Ok(head as Seq)
}

/// A page of the log; an empty `types` means all.
pub(super) fn page(
    connection: &Connection,
    id: &SessionId,
    cursor: Seq,
    limit: u32,
    types: &[String],
) -> StoreResult<EventPage> {
    let (events, total) = if types.is_empty() {
        (after(connection, id, cursor, limit.into())?, count(connection, id)?)
    } else {
        let types = json!(types).to_string();
        (after_of_types(connection, id, cursor, limit, &types)?, count_of_types(connection, id, &types)?)
    };
    let next_cursor = events.last().map_or(cursor, |event| event.seq);
    Ok(EventPage { events, next_cursor, head_seq: head(connection, id)?, total })
}

/// Events after `cursor` with the text that their frames carry.
pub(super) fn records(
    connection: &Connection,
    id: &SessionId,
    cursor: Seq,
    limit: i64,
) -> StoreResult<Vec<Arc<Record>>> {
    after(connection, id, cursor, limit)?
        .into_iter()
        .map(|event| Ok(Arc::new(Record { text: text(connection, id, &event.body)?, event })))
        .collect()
}

/// All records from the first event of `turn` on, or of a later turn where `turn` has none.
pub(super) fn records_from_turn(connection: &Connection, id: &SessionId, turn: u32) -> StoreResult<Vec<Arc<Record>>> {
    let mut first = connection.prepare_cached(FIRST_OF_TURN)?;
    let first: Option<i64> = first.query_row(params![id.as_str(), turn], |row| row.get(0)).optional()?;
    match first {
        // A negative limit is none.
        Some(first) => records(connection, id, (first as Seq).saturating_sub(1), -1),
        None => Ok(Vec::new()),
    }
}

fn after(connection: &Connection, id: &SessionId, cursor: Seq, limit: i64) -> StoreResult<Vec<Event>> {
    let mut statement = connection.prepare_cached(AFTER_CURSOR)?;
    let found = statement.query_map(params![id.as_str(), sql_cursor(cursor), limit], RawEvent::read)?;
    found.map(|raw| raw?.event()).collect()
}

fn after_of_types(
    connection: &Connection,
    id: &SessionId,
    cursor: Seq,
    limit: u32,
    types: &str,
) -> StoreResult<Vec<Event>> {
    let mut statement = connection.prepare_cached(AFTER_CURSOR_OF_TYPES)?;
    let named =
        named_params! { ":session": id.as_str(), ":cursor": sql_cursor(cursor), ":types": types, ":limit": limit };
    let found = statement.query_map(named, RawEvent::read)?;
    found.map(|raw| raw?.event()).collect()
}

fn count(connection: &Connection, id: &SessionId) -> StoreResult<u64> {
    let sql = "SELECT COUNT(*) FROM cowork_events WHERE session_id = ?1";
    let count: i64 = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?;
    Ok(count as u64)
}

fn count_of_types(connection: &Connection, id: &SessionId, types: &str) -> StoreResult<u64> {
    let sql = "SELECT COUNT(*) FROM cowork_events
               WHERE session_id = ?1 AND event_type IN (SELECT value FROM json_each(?2))";
    let count: i64 = connection.prepare_cached(sql)?.query_row([id.as_str(), types], |row| row.get(0))?;
    Ok(count as u64)
}

/// A cursor comes from outside and may be larger than any seq.
fn sql_cursor(cursor: Seq) -> i64 {
    i64::try_from(cursor).unwrap_or(i64::MAX)
}

struct RawEvent {
    seq: i64,
    event_type: String,
    payload: String,
    created_at: String,
    actor: String,
}

impl RawEvent {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            event_type: row.get(1)?,
            payload: row.get(2)?,
            created_at: row.get(3)?,
            actor: row.get(4)?,
        })
    }

    fn event(self) -> StoreResult<Event> {
        self.parse().map_err(|error| unreadable("an event", &error))
    }

    fn parse(self) -> serde_json::Result<Event> {
        let payload: Value = serde_json::from_str(&self.payload)?;
        let body = serde_json::from_value(json!({ "event_type": self.event_type, "payload": payload }))?;
        let actor = serde_json::from_str(&self.actor)?;
        Ok(Event { seq: self.seq as Seq, body, created_at: self.created_at, actor })
    }
}

/// The text that belongs to an event and stands in the conversation. A queued message that was removed has none.
fn text(connection: &Connection, id: &SessionId, body: &EventBody) -> Result<Option<String>, StoreError> {
    match body {
        EventBody::UserMessageReceived { turn_number: Some(number), .. } => {
            rows::content(connection, id, *number, Role::User)
        }
        EventBody::UserMessageReceived { turn_number: None, message_id, .. }
        | EventBody::TurnStarted { message_id, .. }
        | EventBody::QueueChanged { change: QueueChange::Edited, message_id: Some(message_id), .. } => {
            messages::text(connection, id, message_id)
        }
        EventBody::MessageCompleted { turn_number, .. } => rows::content(connection, id, *turn_number, Role::Assistant),
        EventBody::SteeringReceived { steering_id, .. } => steering::text(connection, steering_id),
        EventBody::UserInputReceived { question_id, .. } => questions::answer_text(connection, question_id),
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::ModelCall { .. }
        | EventBody::ModelRetry { .. }
        | EventBody::ToolCallStarted { .. }
        | EventBody::ToolCallCompleted { .. }
        | EventBody::ApprovalRequested(_)
        | EventBody::ApprovalResolved { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. }
        | EventBody::AwaitingUserInput(_)
        | EventBody::ChangesUndone { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::QueueChanged { .. }
        | EventBody::TurnCompleted { .. }
        | EventBody::TurnInterrupted { .. }
        | EventBody::UploadStarted { .. }
        | EventBody::UploadCompleted { .. }
        | EventBody::UploadFailed { .. }
        | EventBody::SessionError { .. } => Ok(None),
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
