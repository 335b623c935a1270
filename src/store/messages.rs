//! People's messages from the moment they are accepted, and the queue of those that wait for their turn.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::{events, failure::unreadable, loom, rows, sessions, turns, writer::Change};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{AcceptOutcome, NewMessage, Steering, StoreError, StoreResult},
    },
    protocol::{
        Accepted, Actor, Attached, EventBody, MessageId, QueueChange, QueuedMessage, Role, SessionId, SteeringId,
    },
};

/// Takes a message in, or repeats the answer to one with the same `client_id`.
pub(super) fn accept(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    new: &NewMessage,
) -> StoreResult<AcceptOutcome> {
    sessions::require_for_write(change, id)?;
    if let Some(repeated) = repeated(change.connection, id, new.client_id.as_deref(), &new.text)? {
        return Ok(repeated);
    }
    let place = match &new.start_with {
        Some(_) => Some(turns::next_place(change, id)?),
        None => None,
    };
    let received = EventBody::UserMessageReceived {
        turn: place.map(|place| place.turn),
        turn_number: place.map(|place| place.turn_number),
        message_id: new.message_id.clone(),
        client_id: new.client_id.clone(),
        queued: place.is_none(),
        bytes: new.text.len() as u64,
        attachments: new.attached.paths(),
        steering_id: None,
    };
    events::append_with_text(change, id, actor, received, Some(new.text.clone()))?;
    insert(change, actor, id, new, place)?;
    match (&new.start_with, place) {
        (Some(model), Some(place)) => {
            turns::begin(change, actor, id, place, &new.message_id, model, (&new.text, &new.attached))?;
        }
        _ => sessions::touch(change, id)?,
    }
    Ok(AcceptOutcome::Accepted(Accepted {
        turn: place.map(|place| place.turn),
        message_id: new.message_id.clone(),
        queued: place.is_none(),
    }))
}

/// What a message with the same `client_id` was answered, if there was one.
pub(super) fn repeated(
    connection: &Connection,
    id: &SessionId,
    client_id: Option<&str>,
    text: &str,
) -> StoreResult<Option<AcceptOutcome>> {
    let same = |earlier: String| earlier == hash(text);
    let outcome =
        |(earlier, answer)| if same(earlier) { AcceptOutcome::Repeated(answer) } else { AcceptOutcome::ClientIdReused };
    Ok(earlier(connection, id, client_id)?.map(outcome))
}

/// The hash of the text that came with `client_id` before, and what was answered then.
fn earlier(
    connection: &Connection,
    id: &SessionId,
    client_id: Option<&str>,
) -> StoreResult<Option<(String, Accepted)>> {
    let Some(client_id) = client_id else { return Ok(None) };
    let sql = "SELECT text_hash, accepted_turn, message_id FROM cowork_web_messages
               WHERE session_id = ?1 AND client_id = ?2";
    let answered = |row: &Row<'_>| {
        let turn: Option<u32> = row.get(1)?;
        Ok((row.get(0)?, Accepted { turn, message_id: MessageId(row.get(2)?), queued: turn.is_none() }))
    };
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str(), client_id], answered).optional()?)
}

fn insert(
    change: &Change<'_>,
    actor: &Actor,
    id: &SessionId,
    new: &NewMessage,
    place: Option<rows::Place>,
) -> StoreResult<()> {
    let sql = "INSERT INTO cowork_web_messages (message_id, session_id, client_id, text_hash, accepted_turn,
                   turn_number, waiting_text, actor, created_at, attachments)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    change.connection.prepare_cached(sql)?.execute(params![
        new.message_id.as_str(),
        id.as_str(),
        new.client_id,
        hash(&new.text),
        place.map(|place| place.turn),
        place.map(|place| place.turn_number as i64),
        place.is_none().then_some(&new.text),
        serde_json::to_string(actor).map_err(|error| unreadable("an actor", &error))?,
        rfc3339(change.now),
        (place.is_none() && !new.attached.is_empty()).then(|| loom::json(&new.attached)).transpose()?,
    ])?;
    Ok(())
}

/// Remembers a message that answered a question of `turn`: it starts no turn and waits for none.
pub(super) fn insert_answer(
    change: &Change<'_>,
    actor: &Actor,
    id: &SessionId,
    new: &NewMessage,
    turn: u32,
) -> StoreResult<()> {
    let sql = "INSERT INTO cowork_web_messages (message_id, session_id, client_id, text_hash, accepted_turn, actor,
                   created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    change.connection.prepare_cached(sql)?.execute(params![
        new.message_id.as_str(),
        id.as_str(),
        new.client_id,
        hash(&new.text),
        turn,
        serde_json::to_string(actor).map_err(|error| unreadable("an actor", &error))?,
        rfc3339(change.now),
    ])?;
    Ok(())
}

/// Makes a message of a word that the model of its turn did not get: the next one to start.
pub(super) fn enqueue_steering(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    steering: &Steering,
) -> StoreResult<()> {
    let Steering { steering_id, text } = steering;
    let received = EventBody::UserMessageReceived {
        turn: None,
        turn_number: None,
        message_id: MessageId::new(steering_id.as_str()),
        client_id: None,
        queued: true,
        bytes: text.len() as u64,
        attachments: Vec::new(),
        steering_id: Some(steering_id.clone()),
    };
    events::append_with_text(change, id, actor, received, Some(text.clone()))?;
    let sql =
        "INSERT INTO cowork_web_messages (message_id, session_id, text_hash, waiting_text, actor, created_at, steered,
                   put_first)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 1 + (SELECT COALESCE(MAX(put_first), 0) FROM cowork_web_messages
                   WHERE session_id = ?2 AND waiting_text IS NOT NULL AND NOT steered))";
    let (actor, at) = (loom::json(actor)?, rfc3339(change.now));
    change.connection.prepare_cached(sql)?.execute(params![
        steering_id.as_str(),
        id.as_str(),
        hash(text),
        text,
        actor,
        at
    ])?;
    Ok(())
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a message that was queued when it was accepted; `None` where it was removed since.
pub(super) fn text(connection: &Connection, id: &SessionId, message: &MessageId) -> StoreResult<Option<String>> {
    let sql = "SELECT waiting_text, turn_number FROM cowork_web_messages WHERE message_id = ?1 AND session_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found: Option<(Option<String>, Option<i64>)> =
        statement.query_row([message.as_str(), id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match found {
        Some((Some(waiting), _)) => Ok(Some(waiting)),
        Some((None, Some(number))) => rows::content(connection, id, number as u64, Role::User),
        Some((None, None)) | None => Ok(None),
    }
}

/// The queue, in the order in which it starts.
pub(super) fn queue(connection: &Connection, id: &SessionId) -> StoreResult<Vec<QueuedMessage>> {
    let sql = "SELECT message_id, waiting_text, created_at, attachments, steered FROM cowork_web_messages
               WHERE session_id = ?1 AND waiting_text IS NOT NULL ORDER BY put_first DESC, steered DESC, id";
    let mut statement = connection.prepare_cached(sql)?;
    let waiting = statement.query_map([id.as_str()], |row| {
        let attachments = attached(row.get(3)?).paths();
        let (message_id, message, created_at) = (MessageId(row.get(0)?), row.get(1)?, row.get(2)?);
        let steering_id = row.get::<_, bool>(4)?.then(|| SteeringId::new(message_id.as_str()));
        Ok(QueuedMessage { message_id, message, created_at, attachments, steering_id })
    })?;
    Ok(waiting.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn any_waits(connection: &Connection, id: &SessionId) -> StoreResult<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM cowork_web_messages WHERE session_id = ?1 AND waiting_text IS NOT NULL)";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?)
}

fn queue_length(connection: &Connection, id: &SessionId) -> StoreResult<u32> {
    let sql = "SELECT COUNT(*) FROM cowork_web_messages WHERE session_id = ?1 AND waiting_text IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?)
}

/// A column that is our own; what it can't be is nothing.
fn attached(column: Option<String>) -> Attached {
    column.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

struct Waiting {
    message_id: MessageId,
    text: String,
    attached: Attached,
    actor: Actor,
}

/// The message named, or the next one, if it waits.
fn waiting(connection: &Connection, id: &SessionId, message: Option<&MessageId>) -> StoreResult<Option<Waiting>> {
    let sql = "SELECT message_id, waiting_text, actor, attachments FROM cowork_web_messages
               WHERE session_id = ?1 AND waiting_text IS NOT NULL AND message_id = COALESCE(?2, message_id)
               ORDER BY put_first DESC, steered DESC, id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let parts = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, attached(row.get(3)?)));
    let found = statement.query_row(params![id.as_str(), message.map(MessageId::as_str)], parts).optional()?;
    let Some((message_id, text, actor, attached)): Option<(String, String, String, Attached)> = found else {
        return Ok(None);
    };
    let actor = serde_json::from_str(&actor).map_err(|error| unreadable("an actor", &error))?;
    Ok(Some(Waiting { message_id: MessageId(message_id), text, attached, actor }))
}

/// Starts the turn of a waiting message. One that is named and does not wait is `NoMessage`.
pub(super) fn start_queued(
    change: &mut Change<'_>,
    id: &SessionId,
    message: Option<&MessageId>,
    model: &str,
) -> StoreResult<Option<Accepted>> {
    sessions::require_for_write(change, id)?;
    let Some(Waiting { message_id, text, attached, actor }) = waiting(change.connection, id, message)? else {
        return if message.is_some() { Err(StoreError::NoMessage) } else { Ok(None) };
    };
    let place = turns::next_place(change, id)?;
    turns::begin(change, &actor, id, place, &message_id, model, (&text, &attached))?;
    let sql = "UPDATE cowork_web_messages SET waiting_text = NULL, turn_number = ?2 WHERE message_id = ?1";
    change.connection.prepare_cached(sql)?.execute(params![message_id.as_str(), place.turn_number as i64])?;
    release_empty_queue(change.connection, id)?;
    Ok(Some(Accepted { turn: Some(place.turn), message_id, queued: false }))
}

pub(super) fn edit(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    message: &MessageId,
    text: &str,
) -> StoreResult<()> {
    set_waiting_text(change, actor, id, message, Some(text), QueueChange::Edited)
}

pub(super) fn remove(change: &mut Change<'_>, actor: &Actor, id: &SessionId, message: &MessageId) -> StoreResult<()> {
    set_waiting_text(change, actor, id, message, None, QueueChange::Removed)?;
    release_empty_queue(change.connection, id)
}

/// Makes a waiting message the next one.
pub(super) fn put_first(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    message: &MessageId,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    waiting(change.connection, id, Some(message))?.ok_or(StoreError::NoMessage)?;
    if waiting(change.connection, id, None)?.is_some_and(|next| next.message_id == *message) {
        return Ok(());
    }
    let sql = "UPDATE cowork_web_messages SET put_first = 1 + (SELECT MAX(put_first) FROM cowork_web_messages
                   WHERE session_id = ?1 AND waiting_text IS NOT NULL) WHERE message_id = ?2";
    change.connection.prepare_cached(sql)?.execute([id.as_str(), message.as_str()])?;
    let (message_id, length) = (Some(message.clone()), queue_length(change.connection, id)?);
    events::append(change, id, actor, EventBody::QueueChanged { change: QueueChange::First, message_id, length })
}

fn set_waiting_text(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    message: &MessageId,
    text: Option<&str>,
    kind: QueueChange,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let before = waiting(change.connection, id, Some(message))?.ok_or(StoreError::NoMessage)?;
    if text == Some(&before.text) {
        return Ok(());
    }
    let sql = "UPDATE cowork_web_messages SET waiting_text = ?2 WHERE message_id = ?1";
    change.connection.prepare_cached(sql)?.execute(params![message.as_str(), text])?;
    let length = queue_length(change.connection, id)?;
    let changed = EventBody::QueueChanged { change: kind, message_id: Some(message.clone()), length };
    events::append_with_text(change, id, actor, changed, text.map(Into::into))?;
    sessions::touch(change, id)
}

/// Holds or releases the queue. An empty queue can't be held: what comes later was not there to be stopped.
pub(super) fn hold(change: &mut Change<'_>, actor: &Actor, id: &SessionId, held: bool) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let held = held && queue_length(change.connection, id)? > 0;
    let sql = "UPDATE cowork_web_sessions SET queue_held = ?2 WHERE session_id = ?1 AND queue_held <> ?2";
    if change.connection.prepare_cached(sql)?.execute(params![id.as_str(), held])? == 0 {
        return Ok(());
    }
    let kind = if held { QueueChange::Held } else { QueueChange::Released };
    let length = queue_length(change.connection, id)?;
    events::append(change, id, actor, EventBody::QueueChanged { change: kind, message_id: None, length })
}

fn release_empty_queue(connection: &Connection, id: &SessionId) -> StoreResult<()> {
    if queue_length(connection, id)? > 0 {
        return Ok(());
    }
    let sql = "UPDATE cowork_web_sessions SET queue_held = 0 WHERE session_id = ?1";
    connection.prepare_cached(sql)?.execute([id.as_str()])?;
    Ok(())
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
