//! Uploads that go on after their connection broke, by the tus protocol 1.0: creation, also with the first bytes,
//! checksum, termination and expiration. What is acknowledged is on the disk; the file appears when it is whole, as any
//! other upload.

mod metadata;
mod overridden;
mod partial;
mod turnstile;

pub use overridden::by_post;

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::BodyDataStream,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::json;
use tokio::task::spawn_blocking;
use tracing::Instrument;

use self::{
    metadata::Metadata,
    partial::{ALGORITHMS, Checksum, Partial},
    turnstile::{Inside, Turnstile},
};
use super::{
    auth::Who,
    error::{Answer, Problem},
    extract::SessionPath,
    files::set,
    upload::panicked,
};
use crate::{
    agent::{
        new_id,
        ports::store::{NewUpload, Resumable, StoredUpload},
    },
    protocol::{Actor, ApiError, ErrorCode, SessionId, UploadId, UploadStatus, UploadedFile},
    state::AppState,
    workspace::{
        names,
        upload::{Receiver, Rules, cut_off, no_space},
    },
};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,checksum,termination,expiration";
/// The type of bytes that belong into an upload.
const PIECE_TYPE: &str = "application/offset+octet-stream";
/// Gathered before it is written.
const PIECE_BYTES: usize = 1024 * 1024;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

#[derive(Default)]
pub struct Desk {
    turnstile: Turnstile,
    /// Held from the sweep of old pieces until a new upload is on record: else the sweep would take its pieces.
    beginning: tokio::sync::Mutex<()>,
}

/// Every answer says which version it speaks.
pub async fn speak(mut response: Response) -> Response {
    set(&mut response, RESUMABLE, VERSION.into());
    response
}

/// What the server can do, for a client that asks first.
pub async fn options(State(state): State<AppState>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in [
        ("tus-version", VERSION.to_owned()),
        ("tus-extension", EXTENSIONS.to_owned()),
        ("tus-max-size", state.site.uploads.file_bytes.to_string()),
        ("tus-checksum-algorithm", ALGORITHMS.to_owned()),
    ] {
        set(&mut response, HeaderName::from_static(name), value);
    }
    response
}

pub async fn create(
    State(state): State<AppState>,
    Extension(desk): Extension<Arc<Desk>>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    request: Request,
) -> Answer<Response> {
    let headers = request.headers();
    check_version(headers)?;
    let limits = state.site.uploads;
    let length = number(headers, &LENGTH)?;
    if length > limits.file_bytes {
        let detail =
            format!("The file has {length} bytes; {} is the limit for one file. Nothing was begun.", limits.file_bytes);
        return Err(Problem::new(ErrorCode::FileTooLarge, detail));
    }
    let metadata = Metadata::parse(text(headers, "upload-metadata"))?;
    let upload = begin(&state, &desk, &actor, &id, metadata, length).await?;
    let taken = if length == 0 {
        let stored = state.agent.resumable(&id, &upload).await?;
        finish(&state, &stored).await?;
        0
    } else if text(headers, "content-type") == PIECE_TYPE {
        first_piece(&state, &desk, &id, &upload, request).await?
    } else {
        0
    };
    let mut response = StatusCode::CREATED.into_response();
    set(&mut response, header::LOCATION, state.site.base.at(&format!("/cowork/sessions/{id}/uploads/tus/{upload}")));
    tell(&mut response, &state, taken);
    Ok(response)
}

/// Nothing but a row, an event and an empty file; or what stands against the upload, told now and not after its last byte.
async fn begin(
    state: &AppState,
    desk: &Desk,
    actor: &Actor,
    id: &SessionId,
    metadata: Metadata,
    length: u64,
) -> Result<UploadId, ApiError> {
    let Metadata { file_name, target_dir, on_conflict } = metadata;
    let _beginning = desk.beginning.lock().await;
    state.agent.expire_uploads().await?;
    let folder = state.agent.folder(id).await?;
    let limits = state.site.uploads;
    let rules = Rules::new(&target_dir, on_conflict, limits)?;
    // The pieces stand on the server's own disk first, which may be another one than the workspace's.
    if state.agent.upload_space().await? < limits.free_bytes.saturating_add(length) {
        return Err(no_space(limits.free_bytes));
    }
    let upload_id = UploadId::new(new_id());
    let (partials, upload, name, target) =
        (state.agent.partial_uploads(), upload_id.clone(), file_name.clone(), rules.target.to_string());
    blocking(move || {
        Receiver::open(&folder, rules, Some(length))?.probe(&name)?;
        partial::create(&partials, &upload).map_err(|error| not_kept(&error))
    })
    .await?;
    let new = NewUpload {
        upload_id: upload_id.clone(),
        target_dir: target,
        on_conflict,
        bytes: None,
        resumable: Some(Resumable { name: file_name, length, expires: expiry(state) }),
    };
    state.agent.begin_upload(actor, id, new).await?;
    Ok(upload_id)
}

/// The bytes that came with the creation. What is wrong with them is no reason to refuse an upload that is begun: its
/// address and how much of it is there are the answer, and what is sent next is told why. One that ended is told now.
async fn first_piece(
    state: &AppState,
    desk: &Arc<Desk>,
    id: &SessionId,
    upload: &UploadId,
    request: Request,
) -> Result<u64, ApiError> {
    match take_on(state, desk, id, upload.to_string(), 0, request).await {
        Ok(taken) => Ok(taken),
        Err(error) => {
            let stored = state.agent.resumable(id, upload).await?;
            if stored.result.is_some() { Err(error) } else { Ok(stored.received) }
        }
    }
}

/// Where the upload stands; whoever sends to it at this moment stops and keeps what has arrived.
pub async fn head(
    State(state): State<AppState>,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    Path((_, upload)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    check_version(&headers)?;
    let (_inside, stored) = enter(&state, &desk, &id, upload).await?;
    let mut response = StatusCode::OK.into_response();
    set(&mut response, LENGTH, stored.length.to_string());
    tell(&mut response, &state, offset(&stored)?);
    Ok(response)
}

/// The upload for people and scripts: where it stands, or what became of it.
pub async fn result(
    State(state): State<AppState>,
    SessionPath(id): SessionPath,
    Path((_, upload)): Path<(String, String)>,
) -> Answer<Response> {
    let stored = state.agent.resumable(&id, &UploadId(upload)).await?;
    let told = json!({
        "upload_id": stored.upload_id,
        "name": stored.name,
        "length": stored.length,
        "offset": stored.received,
        "expires_at": stored.expires_at,
        "result": stored.result,
    });
    Ok(Json(told).into_response())
}

pub async fn cancel(
    State(state): State<AppState>,
    Who(actor): Who,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    Path((_, upload)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    check_version(&headers)?;
    let (_inside, stored) = enter(&state, &desk, &id, upload).await?;
    state.agent.cancel_resumable(&actor, &stored).await?;
    remove_pieces(&state, &stored).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The next piece.
pub async fn send(
    State(state): State<AppState>,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    Path((_, upload)): Path<(String, String)>,
    request: Request,
) -> Answer<Response> {
    check_version(request.headers())?;
    if text(request.headers(), "content-type") != PIECE_TYPE {
        let detail = format!("A piece of an upload is of the type {PIECE_TYPE}. Nothing was taken.");
        return Err(Problem::new(ErrorCode::UnsupportedMediaType, detail));
    }
    let from = number(request.headers(), &OFFSET)?;
    let taken = take_on(&state, &desk, &id, upload, from, request).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    tell(&mut response, &state, taken);
    Ok(response)
}

/// Takes a piece in a task of its own, which goes on when the client is gone: what has arrived is kept.
async fn take_on(
    state: &AppState,
    desk: &Arc<Desk>,
    id: &SessionId,
    upload: String,
    from: u64,
    request: Request,
) -> Result<u64, ApiError> {
    let work = {
        let (state, desk, id) = (state.clone(), desk.clone(), id.clone());
        async move { take(&state, &desk, &id, upload, from, request).await }
    };
    state.sockets.spawn(work.in_current_span()).await.unwrap_or_else(|error| Err(panicked(error)))
}

/// Returns the offset after the piece.
async fn take(
    state: &AppState,
    desk: &Desk,
    id: &SessionId,
    upload: String,
    from: u64,
    request: Request,
) -> Result<u64, ApiError> {
    let (parts, body) = request.into_parts();
    let checksum = parts.headers.get("upload-checksum").map(|_| text(&parts.headers, "upload-checksum"));
    let checksum = checksum.map(Checksum::parse).transpose()?;
    let (inside, stored) = enter(state, desk, id, upload).await?;
    let at = offset(&stored)?;
    if from != at {
        let detail = format!(
            "The upload stands at {at}, not at {from}. Nothing was taken. Ask where it stands and go on there."
        );
        return Err(ApiError::new(ErrorCode::OffsetMismatch, detail));
    }
    if stored.result.is_some() {
        return Ok(at);
    }
    let (partials, upload) = (state.agent.partial_uploads(), stored.upload_id.clone());
    let floor = state.site.uploads.free_bytes;
    let open = move || Partial::open(&partials, &upload, from, checksum, floor).map_err(|error| not_kept(&error));
    let mut piece = Piece { partial: blocking(open).await?, at, length: stored.length, gathered: Vec::new() };
    let stopping = state.stopping.clone();
    let ended = tokio::select! {
        ended = piece.read(body.into_data_stream()) => ended,
        () = inside.leave.cancelled() => Err(cut_off()),
        () = stopping.cancelled() => Err(cut_off()),
    };
    let ended = piece.write().await.and(ended);
    let received = piece.keep(ended.is_ok()).await?;
    if received != at {
        state.agent.keep_received(id, &stored.upload_id, received, expiry(state)).await?;
    }
    ended?;
    if received == stored.length {
        finish(state, &stored).await?;
    }
    Ok(received)
}

/// A piece on its way to the disk.
struct Piece {
    partial: Partial,
    /// Bytes of the upload, with what is gathered.
    at: u64,
    length: u64,
    gathered: Vec<u8>,
}

impl Piece {
    async fn read(&mut self, mut body: BodyDataStream) -> Result<(), ApiError> {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|_| cut_off())?;
            if self.at + bytes.len() as u64 > self.length {
                let detail =
                    "The piece is longer than what is missing. What came before is kept. Check the file's length.";
                return Err(ApiError::new(ErrorCode::RequestTooLarge, detail));
            }
            self.at += bytes.len() as u64;
            self.gathered.extend_from_slice(&bytes);
            if self.gathered.len() >= PIECE_BYTES {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), ApiError> {
        let (partial, gathered) = (self.partial.clone(), std::mem::take(&mut self.gathered));
        blocking(move || partial.write(&gathered).map_err(|error| not_kept(&error))).await
    }

    async fn keep(self, whole: bool) -> Result<u64, ApiError> {
        let kept = blocking(move || self.partial.keep(whole).map_err(|error| not_kept(&error))).await?;
        kept.ok_or_else(|| {
            let detail = "The piece is not what its checksum says, so it was dropped. Send it again.";
            ApiError::new(ErrorCode::ChecksumMismatch, detail)
        })
    }
}

/// The upload is whole: it gets its name, and its end is recorded.
async fn finish(state: &AppState, stored: &StoredUpload) -> Result<(), ApiError> {
    let placed = place_whole(state, stored).await;
    let result = placed.unwrap_or_else(|error| UploadedFile {
        name: names::shown(stored.name.as_deref().unwrap_or_default()),
        status: UploadStatus::Failed,
        path: None,
        size: stored.length,
        sha256: None,
        error: Some(error),
    });
    state.agent.end_resumable(stored, &result).await?;
    remove_pieces(state, stored).await;
    result.error.map_or(Ok(()), Err)
}

async fn place_whole(state: &AppState, stored: &StoredUpload) -> Result<UploadedFile, ApiError> {
    let folder = state.agent.folder(&stored.session_id).await?;
    let rules = Rules::new(&stored.target_dir, stored.on_conflict, state.site.uploads)?;
    let (partials, upload) = (state.agent.partial_uploads(), stored.upload_id.clone());
    let name = stored.name.clone().unwrap_or_default();
    blocking(move || {
        let whole = std::fs::File::open(partial::place(&partials, &upload)).map_err(|error| not_kept(&error))?;
        let mut receiver = Receiver::open(&folder, rules, None)?;
        receiver.adopt(&name, whole);
        receiver.finish().pop().ok_or_else(ApiError::internal)
    })
    .await
}

/// A second name of the file in the workspace, or what is not wanted. What can't be removed goes with the next sweep.
async fn remove_pieces(state: &AppState, stored: &StoredUpload) {
    let place = partial::place(&state.agent.partial_uploads(), &stored.upload_id);
    let _ = blocking(move || std::fs::remove_file(place).map_err(|error| not_kept(&error))).await;
}

async fn enter<'a>(
    state: &AppState,
    desk: &'a Desk,
    id: &SessionId,
    upload: String,
) -> Result<(Inside<'a>, StoredUpload), ApiError> {
    let upload = UploadId(upload);
    // Only for what is there: a name that anybody makes up takes no place.
    state.agent.resumable(id, &upload).await?;
    let inside = desk.turnstile.enter(&upload).await;
    let stored = state.agent.resumable(id, &upload).await?;
    Ok((inside, stored))
}

/// Where an upload stands. One that failed stands nowhere.
fn offset(stored: &StoredUpload) -> Result<u64, ApiError> {
    match stored.result.as_ref().and_then(|result| result.error.clone()) {
        Some(error) => Err(error),
        None => Ok(stored.received),
    }
}

fn tell(response: &mut Response, state: &AppState, offset: u64) {
    set(response, OFFSET, offset.to_string());
    if let Ok(expires) = DateTimePrinter::new().timestamp_to_rfc9110_string(&expiry(state)) {
        set(response, EXPIRES, expires);
    }
    set(response, header::CACHE_CONTROL, "no-store".into());
}

fn expiry(state: &AppState) -> Timestamp {
    let now = Timestamp::now();
    let kept = SignedDuration::try_from(state.site.uploads.keep_partial).ok();
    kept.and_then(|kept| now.checked_add(kept).ok()).unwrap_or(now)
}

fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    if text(headers, RESUMABLE.as_str()) == VERSION {
        return Ok(());
    }
    let detail = format!("This server speaks tus {VERSION}. Set `Tus-Resumable: {VERSION}`. Nothing was done.");
    Err(Problem::new(ErrorCode::TusVersion, detail))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ApiError> {
    text(headers, name.as_str()).parse().map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, format!("`{name}` must be a number of bytes. Nothing was taken."))
    })
}

fn not_kept(error: &std::io::Error) -> ApiError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        let detail = "The disk has no room for more. What was acknowledged is kept. Free some space and go on.";
        return ApiError::new(ErrorCode::NoSpace, detail);
    }
    tracing::error!(%error, "the pieces of an upload could not be kept");
    ApiError::internal()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(panicked(error)))
}
