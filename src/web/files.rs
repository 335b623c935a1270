//! The files of a workspace: listed, searched, downloaded. Bytes of people's files are never a page of ours: they
//! come as attachments, or in a sandbox that runs nothing.

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::Path as FolderPath,
};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::{
    error::{Answer, Problem},
    extract::{Params, SessionPath, encode},
    range::Range,
};
use crate::{
    agent::Agent,
    protocol::{ApiError, ErrorCode, FileList, SessionId},
    workspace::{OpenFile, Workspace, WorkspaceError, WorkspacePath},
};

/// Read from the disk and handed on at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Nothing in a file runs, also where a browser opens it as a page of its own.
const SANDBOX: &str = "sandbox; default-src 'none'";
const SEARCH_LIMIT: usize = 20;
const MOST_FOUND: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[serde(default = "root")]
    pub dir: String,
}

fn root() -> String {
    ".".into()
}

pub async fn list(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Params(query): Params<ListQuery>,
) -> Answer<Json<FileList>> {
    let dir = path(&query.dir)?;
    Ok(Json(look(&agent, &id, move |workspace| workspace.entries(&dir).map_err(told)).await?))
}

/// What a page opens with. A folder that can't be read keeps no page from opening: it says so itself.
pub async fn of_root(agent: &Agent, id: &SessionId) -> FileList {
    let Ok(root) = path(".") else { return FileList::default() };
    look(agent, id, move |workspace| workspace.entries(&root).map_err(told)).await.unwrap_or_default()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    q: Option<String>,
    limit: Option<usize>,
}

/// `GET …/files/search`. Without `q` the file of this name is meant.
pub async fn search(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Params(query): Params<SearchQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let Some(words) = query.q else { return send(&agent, &id, "search", None, &headers).await };
    let limit = query.limit.unwrap_or(SEARCH_LIMIT);
    if !(1..=MOST_FOUND).contains(&limit) {
        return Err(Problem::new(ErrorCode::InvalidRequest, format!("`limit` must be from 1 to {MOST_FOUND}.")));
    }
    let found = look(&agent, &id, move |workspace| workspace.search(&words, limit).map_err(told)).await?;
    Ok(Json(found).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DownloadQuery {
    /// For images and PDF alone: to be shown where it stands.
    #[serde(default)]
    inline: bool,
}

pub async fn download(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Path((_, file)): Path<(String, String)>,
    Params(query): Params<DownloadQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let shown = query.inline.then(|| shown_type(&file).map(|(_, content_type)| content_type)).flatten();
    send(&agent, &id, &file, shown, &headers).await
}

/// Images and PDF, by the ending of their name: a browser takes the type for granted and looks at nothing else.
pub fn shown_type(name: &str) -> Option<(crate::protocol::PreviewKind, &'static str)> {
    use crate::protocol::PreviewKind::{Image, Pdf};
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => (Image, "image/png"),
        "jpg" | "jpeg" => (Image, "image/jpeg"),
        "gif" => (Image, "image/gif"),
        "webp" => (Image, "image/webp"),
        "avif" => (Image, "image/avif"),
        "bmp" => (Image, "image/bmp"),
        "ico" => (Image, "image/x-icon"),
        "svg" => (Image, "image/svg+xml"),
        "pdf" => (Pdf, "application/pdf"),
        _ => return None,
    })
}

async fn send(
    agent: &Agent,
    id: &SessionId,
    file: &str,
    shown: Option<&'static str>,
    headers: &HeaderMap,
) -> Answer<Response> {
    let file = path(file)?;
    let name = file.split().map_or_else(|| "workspace".to_owned(), |(_, name)| name.to_owned());
    let opened = look(agent, id, move |workspace| workspace.open_file(&file).map_err(told)).await?;
    let tag = tag(&opened);
    let same = headers.get(header::IF_RANGE).is_none_or(|seen| seen.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| same).and_then(|range| range.to_str().ok());
    let size = opened.size;
    let range = Range::read(range, size);
    let (status, first, length) = match range {
        Range::All => (StatusCode::OK, 0, size),
        Range::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Range::Beyond => {
            let mut refused =
                Problem::new(ErrorCode::RangeNotSatisfiable, format!("The file has {size} bytes.")).into_response();
            set(&mut refused, header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(refused);
        }
    };
    let mut response = (status, Body::from_stream(pieces(opened, first, length))).into_response();
    set(&mut response, header::CONTENT_LENGTH, length.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut response, header::CONTENT_RANGE, format!("bytes {first}-{}/{size}", first + length - 1));
    }
    set(&mut response, header::ETAG, tag);
    set(&mut response, header::ACCEPT_RANGES, "bytes".into());
    set(&mut response, header::CONTENT_TYPE, shown.unwrap_or("application/octet-stream").into());
    set(&mut response, header::CONTENT_DISPOSITION, disposition(shown.is_some(), &name));
    set(&mut response, header::CONTENT_SECURITY_POLICY, SANDBOX.into());
    Ok(response)
}

pub fn set(response: &mut Response, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(name, value);
    }
}

/// Both forms of a name: the plain one for programs that know no other.
pub fn disposition(inline: bool, name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ' { c } else { '_' }).collect();
    let kind = if inline { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", encode(name))
}

/// Changes with every write that a person makes.
fn tag(file: &OpenFile) -> String {
    let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
    let modified = file.modified.and_then(since).unwrap_or_default().as_nanos();
    format!("\"{:x}-{modified:x}\"", file.size)
}

/// `length` bytes from `first` on. A file that has become shorter ends the connection: what came was not all of it.
fn pieces(file: OpenFile, first: u64, length: u64) -> impl futures::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, first, length), |(mut file, at, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = spawn_blocking(move || {
            let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES))];
            file.seek(SeekFrom::Start(at))?;
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            io::Result::Ok((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = piece.len() as u64;
        Ok(Some((Bytes::from(piece), (file, at + read, left - read))))
    })
}

pub fn path(text: &str) -> Result<WorkspacePath, Problem> {
    // What a listing of ours named may hold characters that nobody would write.
    WorkspacePath::parse(text).or_else(|error| WorkspacePath::recorded(text).map_err(|_| error)).map_err(|error| {
        let detail = format!("The path can't be used: {error}. Take it from the list of files.");
        Problem::new(ErrorCode::PathOutsideWorkspace, detail)
    })
}

/// Looks into a session's folder where nobody waits for the disk.
pub async fn look<T: Send + 'static>(
    agent: &Agent,
    id: &SessionId,
    work: impl FnOnce(&Workspace) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let folder = agent.folder(id).await?;
    let done = spawn_blocking(move || work(&open(&folder)?)).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "looking into a workspace panicked");
        Err(ApiError::internal())
    })
}

pub fn open(folder: &FolderPath) -> Result<Workspace, ApiError> {
    Workspace::open(folder).map_err(told)
}

pub fn told(error: WorkspaceError) -> ApiError {
    let code = match &error {
        WorkspaceError::NotFound(_) | WorkspaceError::Dangling(_) => ErrorCode::NotFound,
        WorkspaceError::Outside(_) | WorkspaceError::Loop(_) => ErrorCode::PathOutsideWorkspace,
        WorkspaceError::NotAFile(_) | WorkspaceError::Special(_) => ErrorCode::NotAFile,
        WorkspaceError::NotAFolder(_) => ErrorCode::NotAFolder,
        WorkspaceError::Denied(_) | WorkspaceError::Own(_) => ErrorCode::NotReadable,
        WorkspaceError::Closed(_) => ErrorCode::WorkspaceNotFound,
        error => {
            tracing::error!(%error, "a file could not be read");
            ErrorCode::Internal
        }
    };
    ApiError::new(code, error.to_string())
}
