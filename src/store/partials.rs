//! The text of the message that is being written, kept in pieces so that a killed process loses little of it.

use rusqlite::{Connection, OptionalExtension, params};

use super::{sessions, usage, writer::Change};
use crate::{
    agent::ports::store::{PartialText, StoreResult},
    protocol::SessionId,
};

/// Keeps a piece. One that starts earlier than where the kept text ends replaces what it overlaps: the model call
/// was made again.
pub(super) fn keep(change: &Change<'_>, id: &SessionId, piece: &PartialText) -> StoreResult<()> {
    sessions::require(change.connection, id)?;
    let PartialText { turn, message, offset, text, call } = piece;
    usage::keep_running(change, id, call)?;
    let offset = *offset as i64;
    let clear = "DELETE FROM cowork_web_partials
                 WHERE session_id = ?1 AND turn = ?2 AND message = ?3 AND byte_offset >= ?4";
    change.connection.prepare_cached(clear)?.execute(params![id.as_str(), turn, message, offset])?;
    if text.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO cowork_web_partials (session_id, turn, message, byte_offset, text)
                  VALUES (?1, ?2, ?3, ?4, ?5)";
    change.connection.prepare_cached(insert)?.execute(params![id.as_str(), turn, message, offset, text])?;
    Ok(())
}

/// The last message of `turn` that has kept text, and the text up to its first gap.
pub(super) fn last_of_turn(connection: &Connection, id: &SessionId, turn: u32) -> StoreResult<Option<(u32, String)>> {
    let sql = "SELECT MAX(message) FROM cowork_web_partials WHERE session_id = ?1 AND turn = ?2";
    let last = connection.prepare_cached(sql)?.query_row(params![id.as_str(), turn], |row| row.get(0)).optional()?;
    let Some(message) = last.flatten() else { return Ok(None) };
    let sql = "SELECT byte_offset, text FROM cowork_web_partials
               WHERE session_id = ?1 AND turn = ?2 AND message = ?3 ORDER BY byte_offset";
    let mut statement = connection.prepare_cached(sql)?;
    let mut pieces = statement.query(params![id.as_str(), turn, message])?;
    let mut whole = String::new();
    while let Some(piece) = pieces.next()? {
        let offset = piece.get::<_, i64>(0)? as usize;
        if offset > whole.len() || !whole.is_char_boundary(offset) {
            break;
        }
        whole.truncate(offset);
        whole.push_str(&piece.get::<_, String>(1)?);
    }
    Ok(Some((message, whole)))
}

/// The message has a row now.
pub(super) fn clear(connection: &Connection, id: &SessionId, turn: u32, message: u32) -> StoreResult<()> {
    let sql = "DELETE FROM cowork_web_partials WHERE session_id = ?1 AND turn = ?2 AND message = ?3";
    connection.prepare_cached(sql)?.execute(params![id.as_str(), turn, message])?;
    Ok(())
}

pub(super) fn clear_all(connection: &Connection, id: &SessionId) -> StoreResult<()> {
    connection.prepare_cached("DELETE FROM cowork_web_partials WHERE session_id = ?1")?.execute([id.as_str()])?;
    Ok(())
}
