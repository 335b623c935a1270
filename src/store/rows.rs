//! Rows of `conversation_turns`: appended with the next number, read in windows. Rows are never changed.
//!
//! Loom's files may hold a number twice, so rows are ordered by number and then by id.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::Value;

use super::{loom, sessions, times, writer::Change};
use crate::{
    agent::ports::store::{StoreResult, TurnWindow},
    protocol::{CallId, ForkPoint, Role, SessionId, ToolCall, ToolResult, TurnPage, TurnRow},
};

const COLUMNS: &str =
    "turn_number, id, role, content, tool_calls, tool_call_id, tool_name, token_count, created_at, metadata";

/// Where the next turn of a session stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub turn: u32,
    /// The number of its user row.
    pub turn_number: u64,
}

/// A row that is to be appended.
pub(super) struct NewRow<'a> {
    pub role: Role,
    pub content: &'a str,
    pub calls: &'a [ToolCall],
    /// For tool rows: the call that this is the result of, and the tool's name.
    pub answers: Option<(&'a CallId, &'a str)>,
    pub metadata: Option<Value>,
}

impl<'a> NewRow<'a> {
    pub fn new(role: Role, content: &'a str) -> Self {
        Self { role, content, calls: &[], answers: None, metadata: None }
    }
}

/// Appends `row`, which begins no turn, counts it in its session, and returns its number.
pub(super) fn append(change: &Change<'_>, id: &SessionId, row: NewRow<'_>) -> StoreResult<u64> {
    let number = next_number(change.connection, id)?;
    write(change, id, number, None, row)?;
    Ok(number)
}

/// Appends the user's row of a turn in its place, and counts both in the session.
pub(super) fn begin_turn(change: &Change<'_>, id: &SessionId, place: Place, row: NewRow<'_>) -> StoreResult<()> {
    write(change, id, place.turn_number, Some(place.turn), row)
}

/// Writes `row` and counts it in its session, which has `turns` from now on where it begins one.
fn write(change: &Change<'_>, id: &SessionId, number: u64, turns: Option<u32>, row: NewRow<'_>) -> StoreResult<()> {
    let calls = loom::calls_json(row.calls)?;
    let tokens = loom::token_count(row.content, calls.as_deref());
    let sql = "INSERT INTO conversation_turns (session_id, turn_number, role, content, metadata, tool_calls,
                   tool_call_id, tool_name, token_count, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    change.connection.prepare_cached(sql)?.execute(params![
        id.as_str(),
        number as i64,
        role_text(row.role),
        row.content,
        row.metadata.as_ref().map(loom::json).transpose()?,
        calls,
        row.answers.map(|(call, _)| call.as_str()),
        row.answers.map(|(_, name)| name),
        tokens,
        times::utc_form(change.now),
    ])?;
    let sql = "UPDATE cowork_sessions SET last_active_at = ?2, total_tokens = COALESCE(total_tokens, 0) + ?3,
                   turn_count = COALESCE(?4, turn_count) WHERE id = ?1";
    let now = times::local_form(change.now, change.zone);
    change.connection.prepare_cached(sql)?.execute(params![id.as_str(), now, tokens, turns])?;
    Ok(())
}

/// Gives a session that has no rows those of another one, up to the end of a turn.
pub(super) fn copy(change: &Change<'_>, from: &ForkPoint, to: &SessionId) -> StoreResult<()> {
    sessions::require(change.connection, &from.session_id)?;
    let next = "SELECT turn_number, id FROM conversation_turns
                WHERE session_id = ?1 AND role = 'user' ORDER BY turn_number, id LIMIT 1 OFFSET ?2";
    let end: Option<(i64, i64)> = change
        .connection
        .query_row(next, params![from.session_id.as_str(), from.turn], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (number, row_id) = end.unwrap_or((i64::MAX, i64::MAX));
    let copied = "role, content, metadata, tool_calls, tool_call_id, tool_name, token_count, created_at";
    let sql = format!(
        "INSERT INTO conversation_turns (session_id, turn_number, {copied})
         SELECT ?1, ROW_NUMBER() OVER (ORDER BY turn_number, id), {copied} FROM conversation_turns
         WHERE session_id = ?2 AND (turn_number, id) < (?3, ?4) ORDER BY turn_number, id"
    );
    change.connection.execute(&sql, params![to.as_str(), from.session_id.as_str(), number, row_id])?;
    let sum = "SELECT COALESCE(SUM(token_count), 0) FROM conversation_turns WHERE session_id = ?1";
    let sql = format!("UPDATE cowork_sessions SET total_tokens = ({sum}), turn_count = ?2 WHERE id = ?1");
    change.connection.execute(&sql, params![to.as_str(), turn_count(change.connection, to)?])?;
    Ok(())
}

/// The number that the session's next row gets.
pub(super) fn next_number(connection: &Connection, id: &SessionId) -> StoreResult<u64> {
    let sql = "SELECT COALESCE(MAX(turn_number), 0) + 1 FROM conversation_turns WHERE session_id = ?1";
    let next: i64 = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?;
    Ok(next as u64)
}

/// Turns that have started: user rows.
pub(super) fn turn_count(connection: &Connection, id: &SessionId) -> StoreResult<u32> {
    let sql = "SELECT COUNT(*) FROM conversation_turns WHERE session_id = ?1 AND role = 'user'";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?)
}

/// The content of one of our own rows. Loom may have given its number a second time, to a later row.
pub(super) fn content(connection: &Connection, id: &SessionId, number: u64, role: Role) -> StoreResult<Option<String>> {
    let sql = "SELECT content FROM conversation_turns
               WHERE session_id = ?1 AND turn_number = ?2 AND role = ?3 ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![id.as_str(), number as i64, role_text(role)], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

/// What a call of `turn` ended with. Loom's ids repeat in a session, hence the turn.
pub(super) fn call_result(
    connection: &Connection,
    id: &SessionId,
    turn: u32,
    call: &CallId,
) -> StoreResult<Option<ToolResult>> {
    let sql = "WITH said AS (SELECT turn_number, LEAD(turn_number) OVER (ORDER BY turn_number, id) AS next,
                   ROW_NUMBER() OVER (ORDER BY turn_number, id) AS turn
               FROM conversation_turns WHERE session_id = ?1 AND role = 'user')
               SELECT content FROM conversation_turns, said
               WHERE session_id = ?1 AND role = 'tool' AND tool_call_id = ?3 AND said.turn = ?2
                   AND conversation_turns.turn_number > said.turn_number
                   AND (said.next IS NULL OR conversation_turns.turn_number < said.next)
               ORDER BY conversation_turns.turn_number LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![id.as_str(), turn, call.as_str()], |row| row.get::<_, Option<String>>(0));
    Ok(found.optional()?.flatten().map(|content| ToolResult::from_row(&content)))
}

/// A window of the conversation, chronological.
pub(super) fn page(
    connection: &Connection,
    zone: &TimeZone,
    id: &SessionId,
    window: TurnWindow,
) -> StoreResult<TurnPage> {
    let sql = "SELECT COUNT(*) FROM conversation_turns WHERE session_id = ?1";
    let total: i64 = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0))?;
    let mut turns = match window {
        TurnWindow::From { offset, limit } => from_offset(connection, zone, id, offset, limit)?,
        TurnWindow::Before { turn_number, limit } => newest_before(connection, zone, id, turn_number, limit)?,
    };
    place(connection, id, &mut turns)?;
    Ok(TurnPage { turns: turns.into_iter().map(|(_, row)| row).collect(), total: total as u64 })
}

/// Rows with their ids, which only order them.
type Numbered = Vec<(i64, TurnRow)>;

pub(super) fn from_offset_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conversation_turns WHERE session_id = :session
         ORDER BY turn_number, id LIMIT :limit OFFSET :offset"
    )
}

pub(super) fn newest_before_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conversation_turns WHERE session_id = :session AND turn_number < :before
         ORDER BY turn_number DESC, id DESC LIMIT :limit"
    )
}

fn from_offset(
    connection: &Connection,
    zone: &TimeZone,
    id: &SessionId,
    offset: u64,
    limit: u32,
) -> StoreResult<Numbered> {
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&from_offset_sql())?;
    let named = named_params! { ":session": id.as_str(), ":limit": limit, ":offset": offset };
    let rows = statement.query_map(named, |row| read(row, zone))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn newest_before(
    connection: &Connection,
    zone: &TimeZone,
    id: &SessionId,
    before: Option<u64>,
    limit: u32,
) -> StoreResult<Numbered> {
    let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&newest_before_sql())?;
    let named = named_params! { ":session": id.as_str(), ":limit": limit, ":before": before };
    let rows = statement.query_map(named, |row| read(row, zone))?;
    let mut rows = rows.collect::<rusqlite::Result<Numbered>>()?;
    rows.reverse();
    Ok(rows)
}

fn read(row: &Row<'_>, zone: &TimeZone) -> rusqlite::Result<(i64, TurnRow)> {
    let calls: Option<String> = row.get(4)?;
    let metadata: Option<String> = row.get(9)?;
    let turn = TurnRow {
        turn_number: row.get::<_, i64>(0)? as u64,
        turn: 0,
        message: None,
        role: role(&row.get::<_, String>(2)?),
        content: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        tool_calls: calls.map(|json| parse_calls(&json)).unwrap_or_default(),
        tool_call_id: row.get::<_, Option<String>>(5)?.map(CallId),
        tool_name: row.get(6)?,
        token_count: row.get::<_, Option<i64>>(7)?.unwrap_or(0).max(0) as u64,
        created_at: times::read(&row.get::<_, String>(8)?, zone),
        metadata: metadata.and_then(|json| serde_json::from_str(&json).ok()),
    };
    Ok((row.get(1)?, turn))
}

/// Calls of an assistant row; one that lacks an id or a name can't have been run and is left out.
pub(super) fn parse_calls(json: &str) -> Vec<ToolCall> {
    let calls: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
    calls.into_iter().filter_map(|call| serde_json::from_value(call).ok()).collect()
}

/// Fills in `turn` and `message`, which no column holds, from what stands before the window.
fn place(connection: &Connection, id: &SessionId, rows: &mut Numbered) -> StoreResult<()> {
    let Some((first_id, first)) = rows.first() else { return Ok(()) };
    let (mut turn, mut messages) = place_before(connection, id, first.turn_number, *first_id)?;
    for (_, row) in rows {
        match row.role {
            Role::User => (turn, messages) = (turn + 1, 0),
            Role::Assistant => {
                row.message = Some(messages);
                messages += 1;
            }
            Role::Tool | Role::System => {}
        }
        row.turn = turn;
    }
    Ok(())
}

pub(super) const USER_ROWS_BEFORE: &str = "SELECT COUNT(*) FROM conversation_turns
     WHERE session_id = ?1 AND role = 'user' AND (turn_number, id) < (?2, ?3)";

pub(super) const ROLES_BACKWARDS: &str = "SELECT role FROM conversation_turns
     WHERE session_id = ?1 AND (turn_number, id) < (?2, ?3) ORDER BY turn_number DESC, id DESC";

/// Turns before a row, and the assistant rows of its own turn that stand before it.
fn place_before(connection: &Connection, id: &SessionId, number: u64, row: i64) -> StoreResult<(u32, u32)> {
    let at = params![id.as_str(), number as i64, row];
    let turns = connection.prepare_cached(USER_ROWS_BEFORE)?.query_row(at, |row| row.get(0))?;
    let mut statement = connection.prepare_cached(ROLES_BACKWARDS)?;
    let mut backwards = statement.query(at)?;
    let mut messages = 0;
    while let Some(row) = backwards.next()? {
        match role(&row.get::<_, String>(0)?) {
            Role::User => break,
            Role::Assistant => messages += 1,
            Role::Tool | Role::System => {}
        }
    }
    Ok((turns, messages))
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
        Role::System => "system",
    }
}

/// What is none of the others is a note of the program's.
fn role(text: &str) -> Role {
    match text {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::System,
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
