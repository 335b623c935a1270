//! Whose a session is, and who else may do what in it.

use rusqlite::{Connection, OptionalExtension, params};

use super::{events, sessions, writer::Change};
use crate::{
    agent::ports::store::{StoreError, StoreResult},
    protocol::{Actor, EVERYBODY, EventBody, Right, SessionId, Share, Sharing},
};

/// As SQL over [`sessions::PRESENT`]: what `:viewer` may see; all where it is NULL.
pub(super) const VISIBLE: &str = "(:viewer IS NULL OR w.owner IS NULL OR w.owner = :viewer OR EXISTS (
     SELECT 1 FROM cowork_web_shares h WHERE h.session_id = s.id AND h.name IN (:viewer, '*')))";

/// What `name` may do; `None` where the session is not there for them. One that was deleted counts until it is purged.
pub(super) fn part(connection: &Connection, id: &SessionId, name: &str) -> StoreResult<Option<Right>> {
    let sql = "SELECT w.owner, (SELECT h.part FROM cowork_web_shares h
                   WHERE h.session_id = s.id AND h.name IN (?2, ?3) ORDER BY h.part LIMIT 1)
               FROM cowork_sessions s LEFT JOIN cowork_web_sessions w ON w.session_id = s.id WHERE s.id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([id.as_str(), name, EVERYBODY], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?))
    });
    Ok(found.optional()?.and_then(|(owner, shared)| match owner {
        None => Some(Right::Own),
        Some(owner) if owner == name => Some(Right::Own),
        Some(_) => shared.as_deref().and_then(read),
    }))
}

pub(super) fn sharing(connection: &Connection, id: &SessionId) -> StoreResult<Sharing> {
    let sql = "SELECT owner FROM cowork_web_sessions WHERE session_id = ?1";
    let owner = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?.flatten();
    let mut statement =
        connection.prepare_cached("SELECT name, part FROM cowork_web_shares WHERE session_id = ?1 ORDER BY name")?;
    let shares = statement.query_map([id.as_str()], |row| {
        let part: String = row.get(1)?;
        Ok(Share { name: row.get(0)?, part: read(&part) })
    })?;
    Ok(Sharing { owner, shares: shares.collect::<rusqlite::Result<_>>()? })
}

pub(super) fn share(change: &mut Change<'_>, actor: &Actor, id: &SessionId, share: &Share) -> StoreResult<Sharing> {
    sessions::require_for_write(change, id)?;
    let before = sharing(change.connection, id)?;
    let known = before.shares.iter().find(|known| known.name == share.name).and_then(|known| known.part);
    if known == share.part {
        return Ok(before);
    }
    match share.part {
        Some(part) => change.connection.execute(
            "INSERT INTO cowork_web_shares (session_id, name, part) VALUES (?1, ?2, ?3)
             ON CONFLICT (session_id, name) DO UPDATE SET part = excluded.part",
            params![id.as_str(), share.name, text(part)?],
        )?,
        None => change
            .connection
            .execute("DELETE FROM cowork_web_shares WHERE session_id = ?1 AND name = ?2", [id.as_str(), &share.name])?,
    };
    events::append(change, id, actor, EventBody::SharingChanged { name: share.name.clone(), part: share.part })?;
    sharing(change.connection, id)
}

/// "take_part" stands before "watch" in the order of texts, so the first is the most.
fn read(part: &str) -> Option<Right> {
    match part {
        "watch" => Some(Right::Watch),
        "take_part" => Some(Right::TakePart),
        _ => None,
    }
}

fn text(part: Right) -> StoreResult<&'static str> {
    match part {
        Right::Watch => Ok("watch"),
        Right::TakePart => Ok("take_part"),
        Right::Own => Err(StoreError::Failed("a session is not shared to be owned".into())),
    }
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
