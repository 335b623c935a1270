//! `POST …/uploads`: files from a form, streamed to the disk. The work goes on by itself when the client is gone, so
//! that it ends in order: no piece of a file is left, and the log tells what became of each.

mod disposition;
mod fields;
mod intake;
mod multipart;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    body::BodyDataStream,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tracing::Instrument;

pub use self::intake::panicked;
use self::{
    fields::{FIELD_BYTES, Fields, bad},
    intake::Intake,
    multipart::{Fault, Multipart, Part, boundary},
};
use super::{
    auth::Who,
    error::{Problem, document, with_document},
    extract::{SessionPath, WantsPage},
    sessions::page_of,
};
use crate::{
    agent::{new_id, ports::store::NewUpload},
    protocol::{Actor, ApiError, ErrorCode, SessionId, UploadAnswer, UploadId, UploadStatus, UploadedFile},
    state::AppState,
    workspace::upload::{Receiver, Rules, cut_off},
};

/// Requests that are taken at once; more wait, and nothing of them is read meanwhile. Each holds some MiB.
const AT_ONCE: usize = 64;
/// What comes after a refusal is read and dropped for so long: a client that still sends does not hear it else.
const DRAIN: Duration = Duration::from_secs(10);
/// One who sends nothing for so long listens.
const DRAIN_PAUSE: Duration = Duration::from_secs(1);

/// What all uploads share.
pub struct Desk {
    places: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }
}

pub async fn upload(
    State(state): State<AppState>,
    Who(actor): Who,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    page: WantsPage,
    request: Request,
) -> Response {
    let place = page_of(&id);
    let work = {
        let state = state.clone();
        async move { Upload::take(state, &desk, actor, id, request).await }
    };
    let outcome =
        state.sockets.spawn(work.in_current_span()).await.unwrap_or_else(|error| Outcome::refused(panicked(error)));
    outcome.answer(&page, &place)
}

/// What an upload came to.
struct Outcome {
    files: Vec<UploadedFile>,
    /// Why it is not as it should be, as a whole.
    error: Option<ApiError>,
}

impl Outcome {
    fn refused(error: ApiError) -> Self {
        Self { files: Vec::new(), error: Some(error) }
    }

    fn answer(self, page: &WantsPage, place: &str) -> Response {
        let Self { files, error } = self;
        let begun = !files.is_empty();
        let answer = UploadAnswer::new(files);
        if page.wanted {
            let told = error.or_else(|| told(&answer));
            let result = told.map_or_else(|| Ok(StatusCode::OK.into_response()), |error| Err(Problem(error)));
            return page.answer(place, result);
        }
        match error {
            None => Json(answer).into_response(),
            Some(error) if !begun => Problem(error).into_response(),
            Some(error) => {
                let mut problem = document(&error);
                if let (Some(problem), Ok(serde_json::Value::Object(files))) =
                    (problem.as_object_mut(), serde_json::to_value(&answer))
                {
                    problem.extend(files);
                }
                with_document(error.code, &problem)
            }
        }
    }
}

/// For the page without scripts: what was not uploaded and why.
fn told(answer: &UploadAnswer) -> Option<ApiError> {
    let first = answer.files.iter().find(|file| file.status == UploadStatus::Failed)?;
    let error = first.error.as_ref()?;
    let detail = match (answer.files.len(), answer.failed) {
        (1, _) => format!("{}: {}", first.name, error.detail),
        (all, 1) => format!("1 of {all} files was not uploaded. {}: {}", first.name, error.detail),
        (all, failed) => {
            format!("{failed} of {all} files were not uploaded. The first is {}: {}", first.name, error.detail)
        }
    };
    Some(ApiError::new(error.code, detail))
}

struct Upload {
    state: AppState,
    actor: Actor,
    id: SessionId,
    upload_id: UploadId,
    intake: Intake,
    reader: Multipart<BodyDataStream>,
}

impl Upload {
    async fn take(state: AppState, desk: &Desk, actor: Actor, id: SessionId, request: Request) -> Outcome {
        let (parts, body) = request.into_parts();
        let limits = state.site.uploads;
        let announced = announced(&parts.headers);
        let checked = match announced.filter(|bytes| *bytes > limits.request_bytes) {
            Some(_) => Err(too_large(limits.request_bytes)),
            None => check(&state, &id, &parts.headers).await,
        };
        let boundary = match checked {
            Ok(boundary) => boundary,
            Err(error) => {
                drain(body.into_data_stream());
                return Outcome::refused(error);
            }
        };
        // It is never closed.
        let _place = desk.places.acquire().await;
        let mut reader = Multipart::new(body.into_data_stream(), &boundary, limits.request_bytes);
        let (fields, first) = match read_fields(&mut reader, limits.request_bytes).await {
            Ok(read) => read,
            Err(error) => {
                drain(reader.into_body());
                return Outcome::refused(error);
            }
        };
        match begin(&state, &actor, &id, &fields, announced).await {
            Ok((upload_id, receiver)) => {
                let upload = Self { state, actor, id, upload_id, intake: Intake::new(receiver), reader };
                upload.run(first).await
            }
            Err(error) => {
                drain(reader.into_body());
                Outcome::refused(error)
            }
        }
    }

    async fn run(mut self, first: Part) -> Outcome {
        let stopping = self.state.stopping.clone();
        let ended = tokio::select! {
            ended = self.read_files(first) => ended,
            () = stopping.cancelled() => Err(cut_off()),
        };
        if let Err(error) = &ended {
            let _ = self.intake.abandon(error.clone()).await;
            drain(self.reader.into_body());
        }
        let files = match self.intake.finish().await {
            Ok(files) => files,
            Err(error) => return Outcome::refused(error),
        };
        match self.state.agent.end_upload(&self.actor, &self.id, &self.upload_id, &files).await {
            Ok(()) => Outcome { files, error: ended.err() },
            Err(error) => Outcome { files, error: Some(error) },
        }
    }

    async fn read_files(&mut self, first: Part) -> Result<(), ApiError> {
        let limit = self.state.site.uploads.request_bytes;
        let mut next = Some(first);
        while let Some(part) = next {
            let Some(name) = part.file_name.filter(|_| part.name == "files") else {
                return Err(bad("a field stands behind the first file"));
            };
            self.read_file(name).await?;
            next = self.reader.next_part().await.map_err(|fault| told_fault(fault, limit))?;
        }
        Ok(())
    }

    async fn read_file(&mut self, name: String) -> Result<(), ApiError> {
        let limit = self.state.site.uploads.request_bytes;
        if name.is_empty() {
            return pass_over(&mut self.reader, limit).await;
        }
        self.intake.begin(name).await?;
        while let Some(bytes) = self.reader.next_piece().await.map_err(|fault| told_fault(fault, limit))? {
            self.intake.write(bytes).await?;
        }
        self.intake.end().await
    }
}

/// What can be said before the body is read: the session, its folder, and the boundary.
async fn check(state: &AppState, id: &SessionId, headers: &HeaderMap) -> Result<String, ApiError> {
    state.agent.folder(id).await?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = boundary(content_type).ok_or_else(|| {
        let detail = "An upload is a form of the type multipart/form-data. Nothing was uploaded.";
        ApiError::new(ErrorCode::UnsupportedMediaType, detail)
    })?;
    boundary.map_err(|fault| told_fault(fault, state.site.uploads.request_bytes))
}

/// What stands against all files is told before the upload counts as begun.
async fn begin(
    state: &AppState,
    actor: &Actor,
    id: &SessionId,
    fields: &Fields,
    announced: Option<u64>,
) -> Result<(UploadId, Receiver), ApiError> {
    let rules = Rules::new(fields.target_dir(), fields.on_conflict(), state.site.uploads)?;
    let (folder, target_dir) = (state.agent.folder(id).await?, rules.target.to_string());
    let opened = spawn_blocking(move || Receiver::open(&folder, rules, announced)).await.map_err(panicked)?;
    let receiver = opened?;
    let upload_id = UploadId::new(new_id());
    let new = NewUpload {
        upload_id: upload_id.clone(),
        target_dir,
        on_conflict: fields.on_conflict(),
        bytes: announced,
        resumable: None,
    };
    state.agent.begin_upload(actor, id, new).await?;
    Ok((upload_id, receiver))
}

/// The fields, and the first file.
async fn read_fields(reader: &mut Multipart<BodyDataStream>, limit: u64) -> Result<(Fields, Part), ApiError> {
    let mut fields = Fields::default();
    let wrong = |fault| told_fault(fault, limit);
    while let Some(part) = reader.next_part().await.map_err(wrong)? {
        if part.name == "files" && part.file_name.as_ref().is_some_and(String::is_empty) {
            pass_over(reader, limit).await?;
            continue;
        }
        if part.name == "files" && part.file_name.is_some() {
            return Ok((fields, part));
        }
        if part.file_name.is_some() {
            return Err(bad("a file is not named `files`"));
        }
        let mut value = Vec::new();
        while let Some(bytes) = reader.next_piece().await.map_err(wrong)? {
            if value.len() + bytes.len() > FIELD_BYTES {
                return Err(bad("a field is too long"));
            }
            value.extend_from_slice(&bytes);
        }
        fields.take(&part.name, &value)?;
    }
    Err(bad("it holds no file"))
}

/// A picker that nothing was chosen in sends a part without a name and without a byte.
async fn pass_over(reader: &mut Multipart<BodyDataStream>, limit: u64) -> Result<(), ApiError> {
    match reader.next_piece().await.map_err(|fault| told_fault(fault, limit))? {
        None => Ok(()),
        Some(_) => Err(bad("a file has no name")),
    }
}

fn told_fault(fault: Fault, limit: u64) -> ApiError {
    match fault {
        Fault::Malformed(why) => bad(why),
        Fault::TooLarge => too_large(limit),
        Fault::Broken => cut_off(),
    }
}

fn too_large(limit: u64) -> ApiError {
    let detail = format!(
        "The upload has more than {limit} bytes, which is the limit for one request. What `files` doesn't list was not \
         taken. Upload fewer files at once, or ask whoever runs this server to raise `max_upload_request_bytes`."
    );
    ApiError::new(ErrorCode::RequestTooLarge, detail)
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads and drops what a client still sends, so that it gets to hear the answer.
fn drain(mut body: BodyDataStream) {
    tokio::spawn(timeout(DRAIN, async move { while let Ok(Some(Ok(_))) = timeout(DRAIN_PAUSE, body.next()).await {} }));
}
