//! A turn from its first row to its last event.

use serde_json::json;

use super::{
    calls, events, messages, partials, recover, retention,
    rows::{self, NewRow, Place},
    sessions, steering, uploads, usage,
    writer::Change,
};
use crate::{
    agent::ports::store::{MessageEnd, StoreError, StoreResult},
    protocol::{Actor, Attached, EventBody, MessageId, Role, SessionId},
};

/// Makes room for a turn. One that still counts as running has lost its end to a failed write, and is ended first:
/// a session runs one turn, and each turn has one end.
pub(super) fn next_place(change: &mut Change<'_>, id: &SessionId) -> StoreResult<Place> {
    recover::end_left_turn(change, id, &recover::LOST_END)?;
    calls::index_ids(change, id)?;
    Ok(Place {
        turn: rows::turn_count(change.connection, id)? + 1,
        turn_number: rows::next_number(change.connection, id)?,
    })
}

/// The turn's event and its user row; the session runs.
pub(super) fn begin(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    place: Place,
    message_id: &MessageId,
    model: &str,
    (text, attached): (&str, &Attached),
) -> StoreResult<()> {
    let started = EventBody::TurnStarted { turn: place.turn, message_id: message_id.clone(), model: model.into() };
    // With its text: one that waited may have been edited since watchers saw it.
    events::append_with_text(change, id, actor, started, Some(text.to_owned()))?;
    rows::begin_turn(change, id, place, NewRow { metadata: attached.metadata(), ..NewRow::new(Role::User, text) })?;
    uploads::tell(change, id)?;
    sessions::set_running_turn(change.connection, id, Some(place.turn))
}

/// The row of an assistant message, and its events.
pub(super) fn end_message(change: &mut Change<'_>, id: &SessionId, end: MessageEnd) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let MessageEnd { by, turn, message, text, calls, partial, events } = end;
    usage::add(change, id, &events)?;
    for event in events {
        events::append(change, id, &by, event)?;
    }
    let metadata = partial.then(|| json!({ "partial": true }));
    let row = NewRow { calls: &calls, metadata, ..NewRow::new(Role::Assistant, &text) };
    let turn_number = rows::append(change, id, row)?;
    partials::clear(change.connection, id, turn, message)?;
    let completed = EventBody::MessageCompleted { turn, message, turn_number, bytes: text.len() as u64, partial };
    events::append_with_text(change, id, &by, completed, Some(text))
}

/// The end of the running turn. What its model has not got waits as the next message. An interruption holds the queue,
/// which is said before it: an end is the last event of its turn.
pub(super) fn end(change: &mut Change<'_>, actor: &Actor, id: &SessionId, end: EventBody) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let (EventBody::TurnCompleted { turn, .. } | EventBody::TurnInterrupted { turn, .. }) = end else {
        return Err(StoreError::Failed(format!("{} does not end a turn", end.event_type())));
    };
    if sessions::running_turn(change.connection, id)? != Some(turn) {
        return Err(StoreError::Failed(format!("turn {turn} does not run")));
    }
    steering::leave(change, id, turn)?;
    if matches!(end, EventBody::TurnInterrupted { .. }) {
        recover::withdraw(change, id)?;
        messages::hold(change, actor, id, true)?;
    }
    partials::clear_all(change.connection, id)?;
    sessions::set_running_turn(change.connection, id, None)?;
    sessions::touch(change, id)?;
    events::append(change, id, actor, end)?;
    retention::trim(change, id)
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
