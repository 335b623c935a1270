//! Sessions: Loom's row `cowork_sessions` and ours beside it, `cowork_web_sessions`.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::{approvals, events, loom, questions, rows, tasks, times, writer::Change};
use crate::{
    agent::ports::store::{NewSession, StoreError, StoreResult, StoredSession},
    protocol::{Actor, EventBody, Mode, Seq, SessionId, UpdateSession, derived_title},
};

/// Characters of a first message that are looked at for a title.
const TITLE_SOURCE_CHARS: usize = 1000;

/// The title in Loom's JSON, as SQL over `s`; NULL where there is none.
pub(super) const TITLE: &str = "CASE WHEN json_valid(s.session_state)
     THEN CAST(json_extract(s.session_state, '$.title') AS TEXT) END";

/// Sessions that are not deleted, with ours beside Loom's. One that only Loom has written to has no row of ours.
pub(super) const PRESENT: &str = "cowork_sessions s LEFT JOIN cowork_web_sessions w ON w.session_id = s.id
     WHERE w.deleted_at IS NULL";

/// What [`read`] reads.
pub(super) fn columns() -> String {
    // The unary plus keeps the planner on the index that is in the rows' order: the first row is a user's.
    format!(
        "s.id, {TITLE}, s.workspace_path, s.model_name, s.system_prompt, s.started_at, s.last_active_at,
         COALESCE(s.total_tokens, 0),
         (SELECT COUNT(*) FROM conversation_turns t WHERE t.session_id = s.id AND t.role = 'user'),
         (SELECT substr(t.content, 1, {TITLE_SOURCE_CHARS}) FROM conversation_turns t
          WHERE t.session_id = s.id AND +t.role = 'user' ORDER BY t.turn_number, t.id LIMIT 1),
         (SELECT COALESCE(MAX(seq), 0) FROM cowork_events e WHERE e.session_id = s.id),
         w.mode, COALESCE(w.archived, 0), w.running_turn, COALESCE(w.queue_held, 0),
         COALESCE(w.pinned, 0)"
    )
}

pub(super) fn read(row: &Row<'_>, zone: &TimeZone) -> rusqlite::Result<StoredSession> {
    let title: Option<String> = row.get(1)?;
    let first_message: Option<String> = row.get(9)?;
    Ok(StoredSession {
        id: SessionId(row.get(0)?),
        title: title
            .filter(|title| !title.trim().is_empty())
            .unwrap_or_else(|| derived_title(&first_message.unwrap_or_default())),
        workspace: row.get(2)?,
        model: row.get(3)?,
        system_prompt: row.get::<_, Option<String>>(4)?.filter(|prompt| !prompt.is_empty()),
        mode: mode(row.get::<_, Option<String>>(11)?.as_deref()),
        turn_count: row.get(8)?,
        total_tokens: row.get::<_, i64>(7)?.max(0) as u64,
        started_at: times::read(&row.get::<_, String>(5)?, zone),
        last_active_at: times::read(&row.get::<_, String>(6)?, zone),
        archived: row.get(12)?,
        pinned: row.get(15)?,
        head_seq: row.get::<_, i64>(10)? as Seq,
        running_turn: row.get(13)?,
        queue_held: row.get(14)?,
        pending: Vec::new(),
        tasks: Vec::new(),
    })
}

/// Adds what stands in tables of its own: what waits for a person, which only a running turn has, and the plan.
pub(super) fn complete(connection: &Connection, mut session: StoredSession) -> StoreResult<StoredSession> {
    if session.running_turn.is_some() {
        session.pending = approvals::pending(connection, &session.id)?;
        session.pending.extend(questions::pending(connection, &session.id)?);
    }
    session.tasks = tasks::read(connection, &session.id)?;
    Ok(session)
}

/// An unknown mode is read as the one that asks.
fn mode(text: Option<&str>) -> Mode {
    match text {
        Some("accept_edits") => Mode::AcceptEdits,
        Some("read_only") => Mode::ReadOnly,
        Some("full") => Mode::Full,
        _ => Mode::Ask,
    }
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Ask => "ask",
        Mode::AcceptEdits => "accept_edits",
        Mode::ReadOnly => "read_only",
        Mode::Full => "full",
    }
}

pub(super) fn find(connection: &Connection, zone: &TimeZone, id: &SessionId) -> StoreResult<Option<StoredSession>> {
    let sql = format!("SELECT {} FROM {PRESENT} AND s.id = ?1", columns());
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row([id.as_str()], |row| read(row, zone)).optional()?;
    found.map(|session| complete(connection, session)).transpose()
}

/// Every session that has rows, also those that are deleted and can be restored.
pub(super) fn all_ids(connection: &Connection) -> StoreResult<Vec<SessionId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM cowork_sessions")?;
    let ids = statement.query_map([], |row| row.get(0).map(SessionId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// `NoSession` where it does not exist or is deleted.
pub(super) fn require(connection: &Connection, id: &SessionId) -> StoreResult<()> {
    let sql = format!("SELECT EXISTS(SELECT 1 FROM {PRESENT} AND s.id = ?1)");
    let there: bool = connection.prepare_cached(&sql)?.query_row([id.as_str()], |row| row.get(0))?;
    if there { Ok(()) } else { Err(StoreError::NoSession) }
}

/// [`require`], and sees to it that the session has a row of ours.
pub(super) fn require_for_write(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    let sql = format!("SELECT w.session_id IS NOT NULL FROM {PRESENT} AND s.id = ?1");
    let has_ours = change.connection.prepare_cached(&sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    if has_ours.ok_or(StoreError::NoSession)? {
        return Ok(());
    }
    let sql = "INSERT INTO cowork_web_sessions (session_id) VALUES (?1)";
    change.connection.prepare_cached(sql)?.execute([id.as_str()])?;
    Ok(())
}

fn require_whole(change: &Change<'_>, id: &SessionId) -> StoreResult<StoredSession> {
    find(change.connection, change.zone, id)?.ok_or(StoreError::NoSession)
}

pub(super) fn create(change: &mut Change<'_>, actor: &Actor, new: &NewSession) -> StoreResult<StoredSession> {
    let now = times::local_form(change.now, change.zone);
    let titled = !new.title.trim().is_empty();
    let state = titled.then(|| loom::json(&json!({ "title": new.title }))).transpose()?;
    // Loom writes an empty prompt where there is none.
    let prompt = new.system_prompt.as_deref().unwrap_or_default();
    change.connection.execute(
        "INSERT INTO cowork_sessions (id, workspace_path, model_name, system_prompt, started_at, last_active_at,
             session_state) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        params![new.id.as_str(), new.workspace, new.model, prompt, now, state],
    )?;
    change.connection.execute(
        "INSERT INTO cowork_web_sessions (session_id, mode, owner) VALUES (?1, ?2, ?3)",
        [new.id.as_str(), mode_text(new.mode), &actor.name],
    )?;
    let started = EventBody::SessionStarted {
        workspace: new.workspace.clone(),
        model: new.model.clone(),
        mode: new.mode,
        forked_from: new.forked_from.clone(),
    };
    events::append(change, &new.id, actor, started)?;
    if let Some(from) = &new.forked_from {
        rows::copy(change, from, &new.id)?;
    }
    require_whole(change, &new.id)
}

/// Changes what `update` names; the event says what is different now. Neither makes the session newer in the list.
pub(super) fn update(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    update: &UpdateSession,
) -> StoreResult<StoredSession> {
    require_for_write(change, id)?;
    let before = require_whole(change, id)?;
    set(change.connection, id, update)?;
    let after = require_whole(change, id)?;
    let updated = EventBody::SessionUpdated {
        title: (after.title != before.title).then_some(after.title),
        model: (after.model != before.model).then_some(after.model),
        archived: (after.archived != before.archived).then_some(after.archived),
        pinned: (after.pinned != before.pinned).then_some(after.pinned),
        mode: (after.mode != before.mode).then_some(after.mode),
    };
    let nothing = EventBody::SessionUpdated { title: None, model: None, archived: None, pinned: None, mode: None };
    if updated == nothing {
        return require_whole(change, id);
    }
    let changed_mode = (after.mode != before.mode).then_some(after.mode);
    events::append(change, id, actor, updated)?;
    if let Some(mode) = changed_mode {
        approvals::judge_anew(change, actor, id, mode)?;
    }
    require_whole(change, id)
}

fn set(connection: &Connection, id: &SessionId, update: &UpdateSession) -> StoreResult<()> {
    if let Some(title) = &update.title {
        // SQLite's own JSON keeps every other key, their order and their numbers.
        let sql = "UPDATE cowork_sessions
                   SET session_state = json_set(COALESCE(NULLIF(session_state, ''), '{}'), '$.title', ?2) WHERE id = ?1";
        connection.execute(sql, [id.as_str(), title])?;
    }
    if let Some(model) = &update.model {
        connection.execute("UPDATE cowork_sessions SET model_name = ?2 WHERE id = ?1", [id.as_str(), model])?;
    }
    if let Some(archived) = update.archived {
        let sql = "UPDATE cowork_web_sessions SET archived = ?2 WHERE session_id = ?1";
        connection.execute(sql, params![id.as_str(), archived])?;
    }
    if let Some(pinned) = update.pinned {
        let sql = "UPDATE cowork_web_sessions SET pinned = ?2 WHERE session_id = ?1";
        connection.execute(sql, params![id.as_str(), pinned])?;
    }
    if let Some(mode) = update.mode {
        let sql = "UPDATE cowork_web_sessions SET mode = ?2 WHERE session_id = ?1";
        connection.execute(sql, [id.as_str(), mode_text(mode)])?;
    }
    Ok(())
}

/// Makes the session the newest in the list.
pub(super) fn touch(change: &Change<'_>, id: &SessionId) -> StoreResult<()> {
    let now = times::local_form(change.now, change.zone);
    let sql = "UPDATE cowork_sessions SET last_active_at = ?2 WHERE id = ?1";
    change.connection.prepare_cached(sql)?.execute([id.as_str(), &now])?;
    Ok(())
}

pub(super) fn running_turn(connection: &Connection, id: &SessionId) -> StoreResult<Option<u32>> {
    let sql = "SELECT running_turn FROM cowork_web_sessions WHERE session_id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

pub(super) fn set_running_turn(connection: &Connection, id: &SessionId, turn: Option<u32>) -> StoreResult<()> {
    let sql = "UPDATE cowork_web_sessions SET running_turn = ?2 WHERE session_id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.as_str(), turn])?;
    Ok(())
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
