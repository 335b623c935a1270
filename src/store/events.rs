//! Rows of `cowork_events`: appended with the next seq of their session, read by cursor.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::{Value, json};

use super::{
    approvals,
    chain::{Link, Linked, NO_LINK},
    failure::unreadable,
    loggable::{Fact, Loggable},
    messages, questions, rows, schema, steering,
    writer::Change,
};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{StoreError, StoreResult},
    },
    protocol::{Actor, Event, EventBody, EventPage, QueueChange, Record, Role, Seq, SessionId},
};

pub(super) const AFTER_CURSOR: &str = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
     WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

const AFTER_CURSOR_OF_TYPES: &str = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
     WHERE session_id = :session AND seq > :cursor AND event_type IN (SELECT value FROM json_each(:types))
     ORDER BY seq LIMIT :limit";

/// The plus keeps SQLite from going by the index of types, which is that of all sessions.
pub(super) const NEWEST_OF_UPLOADS: &str = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
     WHERE session_id = ?1 AND seq > ?2 AND +event_type IN ('upload_completed', 'upload_failed')
     ORDER BY seq DESC LIMIT ?3";

pub(super) const FIRST_OF_TURN: &str = "SELECT seq FROM cowork_events
     WHERE session_id = ?1 AND turn >= ?2 ORDER BY turn, seq LIMIT 1";

pub(super) fn append(change: &mut Change<'_>, id: &SessionId, actor: &Actor, fact: impl Into<Fact>) -> StoreResult<()> {
    append_with_text(change, id, actor, fact, None)
}

/// Appends an event whose record carries `text`. The first event of a session that we did not make follows a
/// `session_resumed`; it must be appended before its turn row, since that one counts the turns so far.
pub(super) fn append_with_text(
    change: &mut Change<'_>,
    id: &SessionId,
    actor: &Actor,
    fact: impl Into<Fact>,
    text: Option<String>,
) -> StoreResult<()> {
    let fact = fact.into();
    let last = match change.last_event(id)? {
        None if !matches!(fact.body(), EventBody::SessionStarted { .. }) => {
            let turn_count = rows::turn_count(change.connection, id)?;
            insert(change, id, (0, NO_LINK), actor, EventBody::SessionResumed { turn_count }.into(), None)?
        }
        last => last.unwrap_or((0, NO_LINK)),
    };
    insert(change, id, last, actor, fact, text).map(drop)
}

/// Writes the row behind `last`, and tells its own seq and link.
fn insert(
    change: &mut Change<'_>,
    id: &SessionId,
    last: (Seq, Link),
    actor: &Actor,
    fact: Fact,
    text: Option<String>,
) -> StoreResult<(Seq, Link)> {
    let Loggable { body, payload, digest } = fact.ready(&change.rules.redaction)?;
    let (seq, before) = (last.0 + 1, last.1);
    let event = Event { seq, body, created_at: rfc3339(change.now), actor: actor.clone() };
    let actor = serde_json::to_string(actor).map_err(|error| unreadable("an actor", &error))?;
    let (event_type, turn) = (event.body.event_type(), event.body.turn());
    let (session, created_at) = (id.as_str(), event.created_at.as_str());
    let row = Linked { session, seq, event_type, created_at, actor: &actor, turn, payload: &digest };
    let link = change.rules.key.link(&before, &row);
    let sql = "INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor, turn, link)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    change
        .connection
        .prepare_cached(sql)?
        .execute(params![session, seq as i64, event_type, payload, created_at, actor, turn, link])?;
    change.publish(id, Record { event, text }, link);
    Ok((seq, link))
}

/// Whether the file has a log at all. One that only Loom has worked on has none.
pub(super) fn is_logged(connection: &Connection) -> StoreResult<bool> {
    let logged = |name| schema::has_table(connection, name);
    Ok(logged("cowork_events")? && logged("cowork_web_sessions")?)
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

/// How far back an upload is recent: no page waits for a look through a whole long log.
const RECENT_EVENTS: Seq = 2_000;

/// The newest ends of uploads, ascending.
pub(super) fn recent_uploads(connection: &Connection, id: &SessionId, limit: u32) -> StoreResult<Vec<Event>> {
    let after = head(connection, id)?.saturating_sub(RECENT_EVENTS);
    let mut statement = connection.prepare_cached(NEWEST_OF_UPLOADS)?;
    let found = statement.query_map(params![id.as_str(), sql_cursor(after), limit], RawEvent::read)?;
    let mut events = found.map(|raw| raw?.event()).collect::<StoreResult<Vec<_>>>()?;
    events.reverse();
    Ok(events)
}

/// What one watcher is given at once, but for the last record: it holds that until its client has taken it.
const BATCH_BYTES: usize = 512 * 1024;

/// The next events after `cursor` with the text that their frames carry: `limit` at most, fewer where they are large.
pub(super) fn batch(connection: &Connection, id: &SessionId, cursor: Seq, limit: u32) -> StoreResult<Vec<Arc<Record>>> {
    let mut statement = connection.prepare_cached(AFTER_CURSOR)?;
    let mut rows = statement.query(params![id.as_str(), sql_cursor(cursor), limit])?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while bytes < BATCH_BYTES
        && let Some(row) = rows.next()?
    {
        let raw = RawEvent::read(row)?;
        bytes += raw.payload.len();
        let event = raw.event()?;
        let text = text(connection, id, &event.body)?;
        bytes += text.as_ref().map_or(0, String::len);
        records.push(Arc::new(Record { event, text }));
    }
    Ok(records)
}

/// Events after `cursor` with the text that their frames carry.
fn records(connection: &Connection, id: &SessionId, cursor: Seq, limit: i64) -> StoreResult<Vec<Arc<Record>>> {
    after(connection, id, cursor, limit)?
        .into_iter()
        .map(|event| Ok(Arc::new(Record { text: text(connection, id, &event.body)?, event })))
        .collect()
}

/// All records from the first event of `turn` on, or of a later turn where `turn` has none.
pub(super) fn records_from_turn(connection: &Connection, id: &SessionId, turn: u32) -> StoreResult<Vec<Arc<Record>>> {
    match first_of_turn(connection, id, turn)? {
        // A negative limit is none.
        Some(first) => records(connection, id, first.saturating_sub(1), -1),
        None => Ok(Vec::new()),
    }
}

/// The records from the first event of `turns.0` up to the first one of a turn after `turns.1`.
pub(super) fn records_of_turns(
    connection: &Connection,
    id: &SessionId,
    turns: (u32, u32),
) -> StoreResult<Vec<Arc<Record>>> {
    let Some(first) = first_of_turn(connection, id, turns.0)? else { return Ok(Vec::new()) };
    let next = first_of_turn(connection, id, turns.1.saturating_add(1))?;
    // The numbers are dense, so a distance is a count.
    let limit = next.map_or(-1, |next| next.saturating_sub(first) as i64);
    records(connection, id, first.saturating_sub(1), limit)
}

fn first_of_turn(connection: &Connection, id: &SessionId, turn: u32) -> StoreResult<Option<Seq>> {
    let mut statement = connection.prepare_cached(FIRST_OF_TURN)?;
    let first = statement.query_row(params![id.as_str(), turn], |row| row.get::<_, i64>(0)).optional()?;
    Ok(first.map(|seq| seq as Seq))
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
        EventBody::ApprovalRequested(approval) => approvals::whole(connection, approval),
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::ModelCall { .. }
        | EventBody::ModelRetry { .. }
        | EventBody::ToolCallStarted { .. }
        | EventBody::ToolCallCompleted { .. }
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
        | EventBody::EventsRemoved { .. }
        | EventBody::SessionError { .. } => Ok(None),
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
