//! Uploads from their first byte to their last event, and what the model is told of them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::{
    events,
    failure::unreadable,
    loom,
    rows::{self, NewRow},
    sessions,
    writer::Change,
};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{NewUpload, StoreError, StoreResult, StoredUpload},
    },
    protocol::{
        Actor, EventBody, OnConflict, Role, Seq, SessionId, UploadId, UploadStatus, UploadedFile, uploads_note,
    },
};

/// Names that a note to the model holds; the folder tells the rest.
const TOLD_NAMES: u32 = 20;

const COLUMNS: &str =
    "upload_id, session_id, target_dir, on_conflict, actor, name, length, received, expires_at, result";

/// The row and `upload_started`.
pub(super) fn begin(change: &mut Change<'_>, actor: &Actor, id: &SessionId, new: &NewUpload) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let resumable = new.resumable.as_ref();
    let started = EventBody::UploadStarted {
        upload_id: new.upload_id.clone(),
        target_dir: new.target_dir.clone(),
        on_conflict: new.on_conflict,
        resumable: resumable.is_some(),
        name: resumable.map(|resumable| resumable.name.clone()),
        bytes: resumable.map(|resumable| resumable.length).or(new.bytes),
    };
    events::append(change, id, actor, started)?;
    let sql = "INSERT INTO cowork_web_uploads (upload_id, session_id, target_dir, on_conflict, actor, created_at,
                   name, length, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    change.connection.prepare_cached(sql)?.execute(params![
        new.upload_id.as_str(),
        id.as_str(),
        new.target_dir,
        new.on_conflict.as_str(),
        loom::json(actor)?,
        rfc3339(change.now),
        resumable.map(|resumable| &resumable.name),
        resumable.map(|resumable| resumable.length as i64),
        resumable.map(|resumable| rfc3339(resumable.expires)),
    ])?;
    sessions::touch(change, id)
}

/// The events of its files. A resumable upload keeps its result until it expires, for whoever lost the answer.
pub(super) fn end(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    upload: &UploadId,
    files: Vec<EventBody>,
    result: Option<&UploadedFile>,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    for event in files {
        events::append(change, id, actor, event)?;
    }
    match result {
        Some(result) => {
            let sql = "UPDATE cowork_web_uploads SET result = ?2 WHERE upload_id = ?1";
            change.connection.prepare_cached(sql)?.execute([upload.as_str(), &loom::json(result)?])?;
        }
        None => forget(change.connection, upload)?,
    }
    sessions::touch(change, id)
}

pub(super) fn forget(connection: &Connection, upload: &UploadId) -> StoreResult<()> {
    let sql = "DELETE FROM cowork_web_uploads WHERE upload_id = ?1";
    connection.prepare_cached(sql)?.execute([upload.as_str()])?;
    Ok(())
}

pub(super) fn received(connection: &Connection, upload: &UploadId, received: u64, expires: &str) -> StoreResult<()> {
    let sql = "UPDATE cowork_web_uploads SET received = ?2, expires_at = ?3 WHERE upload_id = ?1";
    let changed = connection.prepare_cached(sql)?.execute(params![upload.as_str(), received as i64, expires])?;
    if changed == 0 { Err(StoreError::NoUpload) } else { Ok(()) }
}

pub(super) fn find(connection: &Connection, id: &SessionId, upload: &UploadId) -> StoreResult<StoredUpload> {
    let sql = format!("SELECT {COLUMNS} FROM cowork_web_uploads WHERE upload_id = ?1 AND session_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row([upload.as_str(), id.as_str()], parts).optional()?;
    found.ok_or(StoreError::NoUpload).and_then(stored)
}

/// Every upload that has a row, of all sessions.
pub(super) fn all(connection: &Connection) -> StoreResult<Vec<StoredUpload>> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM cowork_web_uploads ORDER BY created_at"))?;
    let found = statement.query_map([], parts)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.into_iter().map(stored).collect()
}

/// A row, with what is JSON in it still as text.
type Parts = (StoredUpload, String, Option<String>);

fn parts(row: &Row<'_>) -> rusqlite::Result<Parts> {
    let on_conflict: String = row.get(3)?;
    let length: Option<i64> = row.get(6)?;
    let upload = StoredUpload {
        upload_id: UploadId(row.get(0)?),
        session_id: SessionId(row.get(1)?),
        target_dir: row.get(2)?,
        on_conflict: OnConflict::parse(&on_conflict).unwrap_or_default(),
        actor: Actor::system(),
        name: row.get(5)?,
        length: length.unwrap_or_default() as u64,
        received: row.get::<_, i64>(7)? as u64,
        expires_at: row.get(8)?,
        result: None,
    };
    Ok((upload, row.get(4)?, row.get(9)?))
}

fn stored((mut upload, actor, result): Parts) -> StoreResult<StoredUpload> {
    upload.actor = serde_json::from_str(&actor).map_err(|error| unreadable("an actor", &error))?;
    let result = result.map(|result| serde_json::from_str(&result)).transpose();
    upload.result = result.map_err(|error| unreadable("the result of an upload", &error))?;
    Ok(upload)
}

/// Writes a row that tells the model which files came since the last time; `None` where none did.
pub(super) fn tell(change: &mut Change<'_>, id: &SessionId) -> StoreResult<Option<String>> {
    let (paths, count, through) = untold(change.connection, id)?;
    let sql = "UPDATE cowork_web_sessions SET uploads_told_through = ?2 WHERE session_id = ?1";
    change.connection.prepare_cached(sql)?.execute(params![id.as_str(), through as i64])?;
    if paths.is_empty() {
        return Ok(None);
    }
    let note = uploads_note(&paths, count);
    let metadata = Some(json!({ "workspace_files": paths }));
    rows::append(change, id, NewRow { metadata, ..NewRow::new(Role::System, &note) })?;
    Ok(Some(note))
}

/// The newest files that the model was not told of, how many there are, and the seq up to which was looked.
fn untold(connection: &Connection, id: &SessionId) -> StoreResult<(Vec<String>, u32, Seq)> {
    let sql = "SELECT uploads_told_through FROM cowork_web_sessions WHERE session_id = ?1";
    let told: Option<i64> = connection.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
    let told = told.unwrap_or_default();
    let through = events::head(connection, id)?;
    let since = "session_id = ?1 AND seq > ?2 AND +event_type = 'upload_completed'
                 AND json_extract(payload, '$.status') = ?3";
    let status = loom::json(&UploadStatus::Uploaded)?;
    let given = params![id.as_str(), told, status.trim_matches('"')];
    let sql = format!("SELECT COUNT(*) FROM cowork_events WHERE {since}");
    let count: u32 = connection.prepare_cached(&sql)?.query_row(given, |row| row.get(0))?;
    if count == 0 {
        return Ok((Vec::new(), 0, through));
    }
    let sql = format!(
        "SELECT json_extract(payload, '$.path') FROM cowork_events WHERE {since} ORDER BY seq DESC LIMIT {TOLD_NAMES}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut paths = statement.query_map(given, |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    paths.reverse();
    Ok((paths, count, through))
}

#[cfg(test)]
#[path = "uploads_tests.rs"]
mod tests;
