//! Questions of the agent, and their answers.

use rusqlite::{Connection, OptionalExtension, params};

use super::{events, failure::unreadable, loom, messages, sessions, writer::Change};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{AcceptOutcome, NewMessage, NewQuestion, QuestionState, Resolution, StoreError, StoreResult},
    },
    protocol::{Accepted, Actor, Asked, CallId, EventBody, Pending, QuestionId, Seq, SessionId},
};

pub(super) fn ask(change: &mut Change<'_>, actor: &Actor, id: &SessionId, new: NewQuestion) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let known = "SELECT EXISTS(SELECT 1 FROM cowork_web_questions WHERE session_id = ?1 AND tool_call_id = ?2)";
    let places = [id.as_str(), new.tool_call_id.as_str()];
    if change.connection.prepare_cached(known)?.query_row(places, |row| row.get(0))? {
        return Ok(());
    }
    let NewQuestion { question_id, turn, tool_call_id, question } = new;
    let asked = Asked { turn, question_id, tool_call_id, question };
    events::append(change, id, actor, EventBody::AwaitingUserInput(asked.clone()))?;
    let sql = "INSERT INTO cowork_web_questions (question_id, session_id, turn, seq, tool_call_id, question)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    change.connection.prepare_cached(sql)?.execute(params![
        asked.question_id.as_str(),
        id.as_str(),
        asked.turn,
        events::head(change.connection, id)? as i64,
        asked.tool_call_id.as_str(),
        loom::json(&asked.question)?,
    ])?;
    Ok(())
}

pub(super) fn state(connection: &Connection, id: &SessionId, call: &CallId) -> StoreResult<QuestionState> {
    let sql = "SELECT answer, answered_by, withdrawn FROM cowork_web_questions
               WHERE session_id = ?1 AND tool_call_id = ?2";
    let found: Option<(Option<String>, Option<String>, bool)> = connection
        .prepare_cached(sql)?
        .query_row([id.as_str(), call.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match found.ok_or(StoreError::NoQuestion)? {
        (Some(words), Some(by), _) => Ok(QuestionState::Answered { words, by: actor(&by)? }),
        (_, _, true) => Ok(QuestionState::Withdrawn),
        _ => Ok(QuestionState::Waiting),
    }
}

/// The question itself, whether it waits or not.
pub(super) fn find(connection: &Connection, id: &SessionId, question: &QuestionId) -> StoreResult<Asked> {
    let sql =
        "SELECT turn, tool_call_id, question FROM cowork_web_questions WHERE session_id = ?1 AND question_id = ?2";
    let found: Option<(u32, String, String)> = connection
        .prepare_cached(sql)?
        .query_row([id.as_str(), question.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (turn, call, json) = found.ok_or(StoreError::NoQuestion)?;
    Ok(Asked { turn, question_id: question.clone(), tool_call_id: CallId(call), question: parse(&json)? })
}

/// The answer in words, for its frame.
pub(super) fn answer_text(connection: &Connection, question: &QuestionId) -> StoreResult<Option<String>> {
    let sql = "SELECT answer FROM cowork_web_questions WHERE question_id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([question.as_str()], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// The first answer counts.
pub(super) fn answer(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    question: &QuestionId,
    words: &str,
) -> StoreResult<Resolution> {
    sessions::require_for_write(change, id)?;
    let asked = find(change.connection, id, question)?;
    if let Some(already) = already(change.connection, question)? {
        return Ok(already);
    }
    let sql = "UPDATE cowork_web_questions SET answer = ?2, answered_by = ?3, answered_at = ?4 WHERE question_id = ?1";
    let (by, at) = (loom::json(actor)?, rfc3339(change.now));
    change.connection.prepare_cached(sql)?.execute([question.as_str(), words, &by, &at])?;
    let Asked { turn, question_id, tool_call_id, .. } = asked;
    let received = EventBody::UserInputReceived { turn, question_id, tool_call_id };
    events::append_with_text(change, id, actor, received, Some(words.to_owned()))?;
    sessions::touch(change, id)?;
    Ok(Resolution::Done)
}

fn already(connection: &Connection, question: &QuestionId) -> StoreResult<Option<Resolution>> {
    let sql = "SELECT COALESCE(answer, ''), answered_by, answered_at FROM cowork_web_questions
               WHERE question_id = ?1 AND answered_at IS NOT NULL";
    let found: Option<(String, String, String)> = connection
        .prepare_cached(sql)?
        .query_row([question.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.map(|(word, by, at)| Ok(Resolution::Already { by: actor(&by)?, at, word })).transpose()
}

/// A message that is an answer: its `client_id` counts as used, and it becomes no turn.
pub(super) fn answer_with_message(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    asked: &Asked,
    new: &NewMessage,
) -> StoreResult<AcceptOutcome> {
    if let Some(repeated) = messages::repeated(change.connection, id, new.client_id.as_deref(), &new.text)? {
        return Ok(repeated);
    }
    match answer(change, actor, id, &asked.question_id, &new.attached.with_text(&new.text))? {
        Resolution::Done => {
            messages::insert_answer(change, actor, id, new, asked.turn)?;
            let (turn, message_id) = (Some(asked.turn), new.message_id.clone());
            Ok(AcceptOutcome::Accepted(Accepted { turn, message_id, queued: false }))
        }
        Resolution::Already { .. } => Err(StoreError::NoQuestion),
    }
}

/// Nobody's answer is waited for any more, since the turn is over.
pub(super) fn withdraw(change: &Change<'_>, actor: &Actor, id: &SessionId) -> StoreResult<()> {
    let sql = "UPDATE cowork_web_questions SET withdrawn = 1, answered_by = ?2, answered_at = ?3
               WHERE session_id = ?1 AND answer IS NULL AND NOT withdrawn";
    let (by, at) = (loom::json(actor)?, rfc3339(change.now));
    change.connection.prepare_cached(sql)?.execute([id.as_str(), &by, &at])?;
    Ok(())
}

/// The questions that wait, oldest first.
pub(super) fn pending(connection: &Connection, id: &SessionId) -> StoreResult<Vec<Pending>> {
    let sql = "SELECT seq, turn, question_id, tool_call_id, question FROM cowork_web_questions
               WHERE session_id = ?1 AND answer IS NULL AND NOT withdrawn ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_str()])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        let asked = Asked {
            turn: row.get(1)?,
            question_id: QuestionId(row.get(2)?),
            tool_call_id: CallId(row.get(3)?),
            question: parse(&row.get::<_, String>(4)?)?,
        };
        pending.push(Pending::AwaitingUserInput { seq: row.get::<_, i64>(0)? as Seq, asked });
    }
    Ok(pending)
}

fn parse(json: &str) -> StoreResult<crate::protocol::Question> {
    serde_json::from_str(json).map_err(|error| unreadable("a question", &error))
}

fn actor(json: &str) -> StoreResult<Actor> {
    serde_json::from_str(json).map_err(|error| unreadable("an actor", &error))
}
