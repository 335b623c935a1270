//! Old rows leave the log as a block; one row stays in their place and tells how many they were.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::{
    chain::{self, NO_LINK},
    failure::unreadable,
    sessions,
    writer::Change,
};
use crate::{
    agent::ports::{clock::rfc3339, store::StoreResult},
    protocol::{Actor, EventBody, Seq, SessionId},
};

/// How much of a session's log is kept. Without a limit all of it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The newest events of each session.
    pub events: Option<u64>,
    pub age: Option<Duration>,
}

impl Retention {
    pub(super) fn is_off(self) -> bool {
        self == Self::default()
    }
}

/// Removes what is beyond the limits. What belongs to a running turn stays.
pub(super) fn trim(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    if change.rules.retention.is_off() {
        return Ok(());
    }
    let Some(first) = first_seq(change.connection, id)? else { return Ok(()) };
    let last = removable(change, id, first)?;
    if last > first { remove(change, id, last) } else { Ok(()) }
}

/// The first seq that is there; where rows were removed, that of the row in their place.
pub(super) fn first_seq(connection: &Connection, id: &SessionId) -> StoreResult<Option<Seq>> {
    let sql = "SELECT MIN(seq) FROM cowork_events WHERE session_id = ?1";
    let first: Option<i64> = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?;
    Ok(first.map(|first| first as Seq))
}

/// The last seq that may go.
fn removable(change: &Change<'_>, id: &SessionId, first: Seq) -> StoreResult<Seq> {
    let (connection, retention) = (change.connection, change.rules.retention);
    let head = change.last_event(id)?.map_or(0, |(seq, _)| seq);
    let beyond = retention.events.map_or(0, |events| head.saturating_sub(events));
    let expired = match retention.age.and_then(|age| change.now.checked_sub(age).ok()) {
        Some(oldest) => {
            let sql = "SELECT MIN(seq) FROM cowork_events WHERE session_id = ?1 AND seq > ?2 AND created_at >= ?3";
            let kept: Option<i64> = connection
                .prepare_cached(sql)?
                .query_row(params![id.as_str(), first as i64, rfc3339(oldest)], |row| row.get(0))?;
            kept.map_or(head, |kept| (kept as Seq).saturating_sub(1))
        }
        None => 0,
    };
    let running = match sessions::running_turn(connection, id)? {
        Some(turn) => {
            let sql = "SELECT MIN(seq) FROM cowork_events WHERE session_id = ?1 AND turn = ?2";
            let begun: Option<i64> =
                connection.prepare_cached(sql)?.query_row(params![id.as_str(), turn], |row| row.get(0))?;
            begun.map_or(0, |begun| (begun as Seq).saturating_sub(1))
        }
        None => head,
    };
    Ok(beyond.max(expired).min(running))
}

/// The row in their place has the link of the last of them, so that what follows goes on fitting.
fn remove(change: &Change<'_>, id: &SessionId, last: Seq) -> StoreResult<()> {
    let connection = change.connection;
    let sql = "SELECT link FROM cowork_events WHERE session_id = ?1 AND seq = ?2";
    let link: Option<chain::Link> = connection
        .prepare_cached(sql)?
        .query_row(params![id.as_str(), last as i64], |row| row.get(0))
        .optional()?
        .flatten();
    let sql = "DELETE FROM cowork_events WHERE session_id = ?1 AND seq <= ?2";
    connection.prepare_cached(sql)?.execute(params![id.as_str(), last as i64])?;
    let removed = EventBody::EventsRemoved { first_seq: 1, last_seq: last, count: last };
    let actor = serde_json::to_string(&Actor::system()).map_err(|error| unreadable("an actor", &error))?;
    let payload = json!({ "first_seq": 1, "last_seq": last, "count": last }).to_string();
    let sql = "INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor, link)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let at = rfc3339(change.now);
    let link = link.unwrap_or(NO_LINK);
    connection.prepare_cached(sql)?.execute(params![
        id.as_str(),
        last as i64,
        removed.event_type(),
        payload,
        at,
        actor,
        link
    ])?;
    let marks = chain::Marks { removed_through: last, ..chain::read_marks(connection, id.as_str())? };
    Ok(chain::keep_marks(connection, &change.rules.key, id.as_str(), &marks)?)
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
