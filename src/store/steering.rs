//! A person's words into a running turn: kept until the model gets them, then a row of the conversation. Where the turn
//! ends before, they are the next message.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::{
    events,
    failure::unreadable,
    loom, messages,
    rows::{self, NewRow},
    sessions,
    writer::Change,
};
use crate::{
    agent::ports::store::{Steering, StoreError, StoreResult},
    protocol::{Actor, EventBody, Role, STEERING_PREFIX, SessionId, SteeringId},
};

pub(super) fn add(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    turn: u32,
    steering: &Steering,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    if sessions::running_turn(change.connection, id)? != Some(turn) {
        return Err(StoreError::NotRunning);
    }
    let sql =
        "INSERT INTO cowork_web_steering (steering_id, session_id, turn, text, actor) VALUES (?1, ?2, ?3, ?4, ?5)";
    change.connection.prepare_cached(sql)?.execute(params![
        steering.steering_id.as_str(),
        id.as_str(),
        turn,
        steering.text,
        loom::json(actor)?,
    ])?;
    let steering_id = steering.steering_id.clone();
    let received = EventBody::SteeringReceived { turn, steering_id, bytes: steering.text.len() as u64 };
    events::append_with_text(change, id, actor, received, Some(steering.text.clone()))?;
    sessions::touch(change, id)
}

fn waiting(connection: &Connection, id: &SessionId, turn: u32) -> StoreResult<Vec<Steering>> {
    let sql = "SELECT steering_id, text FROM cowork_web_steering
               WHERE session_id = ?1 AND turn = ?2 AND NOT taken ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params![id.as_str(), turn], |row| {
        Ok(Steering { steering_id: SteeringId(row.get(0)?), text: row.get(1)? })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// What was said since the last time. Each gets a row of the kind that Loom writes for it, which a model reads as a
/// note and people see in its place.
pub(super) fn take(change: &mut Change<'_>, id: &SessionId, turn: u32) -> StoreResult<Vec<Steering>> {
    let waiting = waiting(change.connection, id, turn)?;
    for Steering { steering_id, text } in &waiting {
        let content = format!("{}{text}", STEERING_PREFIX);
        let metadata = Some(json!({ "steering_id": steering_id }));
        rows::append(change, id, NewRow { metadata, ..NewRow::new(Role::System, &content) })?;
        set_taken(change, steering_id)?;
    }
    Ok(waiting)
}

/// What the model of a turn that ends has not got: nothing that a person said is lost, so it waits as their next message.
pub(super) fn leave(change: &mut Change<'_>, id: &SessionId, turn: u32) -> StoreResult<()> {
    for steering in waiting(change.connection, id, turn)? {
        let sql = "SELECT actor FROM cowork_web_steering WHERE steering_id = ?1";
        let by: String =
            change.connection.prepare_cached(sql)?.query_row([steering.steering_id.as_str()], |row| row.get(0))?;
        let by: Actor = serde_json::from_str(&by).map_err(|error| unreadable("an actor", &error))?;
        messages::enqueue_steering(change, &by, id, &steering)?;
        set_taken(change, &steering.steering_id)?;
    }
    Ok(())
}

fn set_taken(change: &Change<'_>, steering: &SteeringId) -> StoreResult<()> {
    let sql = "UPDATE cowork_web_steering SET taken = 1 WHERE steering_id = ?1";
    change.connection.prepare_cached(sql)?.execute([steering.as_str()])?;
    Ok(())
}

pub(super) fn text(connection: &Connection, steering: &SteeringId) -> StoreResult<Option<String>> {
    let sql = "SELECT text FROM cowork_web_steering WHERE steering_id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([steering.as_str()], |row| row.get(0)).optional()?)
}
