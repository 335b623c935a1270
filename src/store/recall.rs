//! Full text search over a session's rows. The index holds words alone; the text stays in Loom's table.

use rusqlite::{Connection, params};

use super::{failure::unreadable, writer::Change};
use crate::{
    agent::ports::store::{Recall, Recalled, StoreResult},
    protocol::SessionId,
};

/// The words of a row: those of a result as they were, not as JSON has them, where a line's first word begins with `n`.
const WORDS: &str = "CASE WHEN role = 'tool' AND json_valid(content) THEN
         COALESCE(json_extract(content, '$.output'), '') || char(10) || COALESCE(json_extract(content, '$.error'), '')
     ELSE content END";

/// Brings the index up to the session's last row.
pub(super) fn index(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    let through = "COALESCE((SELECT recall_through FROM cowork_web_sessions WHERE session_id = ?1), 0)";
    let fill = format!(
        "INSERT INTO cowork_web_recall (rowid, content) SELECT id, {WORDS} FROM conversation_turns
         WHERE session_id = ?1 AND id > {through} AND role <> 'system' AND content <> ''"
    );
    change.connection.execute(&fill, [id.as_str()])?;
    let sql = "UPDATE cowork_web_sessions SET recall_through =
                   COALESCE((SELECT MAX(id) FROM conversation_turns WHERE session_id = ?1), recall_through)
               WHERE session_id = ?1";
    change.connection.execute(sql, [id.as_str()])?;
    Ok(())
}

/// Takes the session's words out of the index; its rows must still be there.
pub(super) fn forget(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO cowork_web_recall (cowork_web_recall, rowid, content)
         SELECT 'delete', id, {WORDS} FROM conversation_turns
         WHERE session_id = ?1 AND role <> 'system' AND content <> ''
           AND id <= (SELECT recall_through FROM cowork_web_sessions WHERE session_id = ?1)"
    );
    connection.execute(&sql, [id])?;
    Ok(())
}

/// Rows that have the words, best first, or the rows of some turns in their order.
pub(super) fn find(connection: &Connection, id: &SessionId, recall: &Recall) -> StoreResult<Vec<Recalled>> {
    match &recall.words {
        Some(words) => {
            let all = search(connection, id, recall, &expression(words, " AND "))?;
            if all.is_empty() { search(connection, id, recall, &expression(words, " OR ")) } else { Ok(all) }
        }
        None => rows(connection, id, recall),
    }
}

/// Each word quoted, so that nothing in it is taken for FTS5's language.
fn expression(words: &str, join: &str) -> String {
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
    let parts = words.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(quoted).collect::<Vec<_>>().join(join)
}

/// The rows of a session with the turn that each belongs to.
const NUMBERED: &str = "SELECT t.id, t.turn_number, t.role, t.tool_name, t.content, t.created_at,
         (SELECT COUNT(*) FROM conversation_turns u WHERE u.session_id = t.session_id AND u.role = 'user'
              AND (u.turn_number, u.id) <= (t.turn_number, t.id)) AS turn
     FROM conversation_turns t WHERE t.session_id = ?1";

fn search(connection: &Connection, id: &SessionId, recall: &Recall, wanted: &str) -> StoreResult<Vec<Recalled>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT r.turn, r.role, r.tool_name, r.content, r.turn_number
         FROM cowork_web_recall JOIN ({NUMBERED}) r ON r.id = cowork_web_recall.rowid
         WHERE cowork_web_recall MATCH ?2 AND r.turn BETWEEN ?3 AND ?4 ORDER BY rank LIMIT ?5"
    );
    let (first, last) = recall.turns;
    read(connection, &sql, params![id.as_str(), wanted, first, last, recall.limit])
}

fn rows(connection: &Connection, id: &SessionId, recall: &Recall) -> StoreResult<Vec<Recalled>> {
    let sql = format!(
        "SELECT turn, role, tool_name, content, turn_number FROM ({NUMBERED}) WHERE role <> 'system' AND content <> ''
         AND turn BETWEEN ?2 AND ?3 AND turn_number = COALESCE(?5, turn_number) ORDER BY id LIMIT ?4"
    );
    let (first, last) = recall.turns;
    read(connection, &sql, params![id.as_str(), first, last, recall.limit, recall.row.map(|row| row as i64)])
}

fn read(connection: &Connection, sql: &str, given: impl rusqlite::Params) -> StoreResult<Vec<Recalled>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(given)?;
    let mut recalled = Vec::new();
    while let Some(row) = found.next()? {
        let role: String = row.get(1)?;
        recalled.push(Recalled {
            turn: row.get(0)?,
            role: serde_json::from_value(role.into()).map_err(|error| unreadable("a role", &error))?,
            tool: row.get(2)?,
            text: row.get(3)?,
            row: row.get::<_, i64>(4)? as u64,
        });
    }
    Ok(recalled)
}
