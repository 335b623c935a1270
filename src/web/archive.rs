//! A folder as a zip, written while it is sent: nothing of it is kept.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use jiff::{Timestamp, tz::TimeZone};
use std::sync::Arc;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
    time::timeout,
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{
    error::{Answer, Problem},
    extract::{Params, SessionPath},
    files::{ListQuery, disposition, look, path, set, told},
};
use crate::{
    agent::Agent,
    protocol::{ApiError, ErrorCode},
    workspace::{Kind, Workspace, WorkspaceError, WorkspacePath},
};

/// Archives that are written at once: each holds a thread for as long as its client takes.
const AT_ONCE: usize = 8;
/// Gathered before it is handed on, and pieces that may wait for the client.
const PIECE_BYTES: usize = 64 * 1024;
const PIECES: usize = 4;
/// A client that takes nothing for so long has gone.
const STALLED: Duration = Duration::from_secs(60);
/// How deep a folder is packed; a deeper tree is a fault of some program.
const MAX_DEPTH: usize = 256;

pub struct Desk {
    places: Arc<Semaphore>,
}

impl Default for Desk {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

pub async fn archive(
    State(agent): State<Agent>,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    Params(query): Params<ListQuery>,
) -> Answer<Response> {
    let dir = path(&query.dir)?;
    let root = agent.folder(&id).await?;
    let name = match dir.split() {
        Some((_, name)) => name.to_owned(),
        None => root.file_name().map_or_else(|| "workspace".into(), |name| name.to_string_lossy().into_owned()),
    };
    let folder = dir.clone();
    // What stands against all of it is told before the first byte.
    look(&agent, &id, move |workspace| workspace.list(&folder).map(drop).map_err(told)).await?;
    let place = desk.places.clone().try_acquire_owned().map_err(|_| {
        let detail = "Many folders are being downloaded at this moment. Nothing was sent. Try again in a minute.";
        Problem(ApiError::new(ErrorCode::Unavailable, detail))
    })?;
    let (pieces, inbox) = mpsc::channel(PIECES);
    let writer = Pieces { buffer: Vec::with_capacity(PIECE_BYTES), pieces, runtime: Handle::current() };
    spawn_blocking(move || {
        if let Err(error) =
            super::files::open(&root).map_err(io::Error::other).and_then(|w| pack(&w, &dir, writer, place))
        {
            tracing::debug!(%error, "an archive was not sent whole");
        }
    });
    let body = stream::unfold(inbox, |mut inbox| async { inbox.recv().await.map(|piece| (piece, inbox)) });
    let mut response = Body::from_stream(body).into_response();
    set(&mut response, header::CONTENT_TYPE, "application/zip".into());
    set(&mut response, header::CONTENT_DISPOSITION, disposition(false, &format!("{name}.zip")));
    Ok(response)
}

/// What the archive is written to: a channel to the client, which it waits for.
struct Pieces {
    buffer: Vec<u8>,
    pieces: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Pieces {
    fn send(&mut self, piece: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(timeout(STALLED, self.pieces.send(piece)));
        sent.map_err(|_| io::ErrorKind::TimedOut)?.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            let piece = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_BYTES)));
            self.send(Ok(piece))?;
        }
        Ok(bytes.len())
    }

    /// Pieces leave when they are full: zip flushes after each file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pack(workspace: &Workspace, dir: &WorkspacePath, writer: Pieces, _place: OwnedSemaphorePermit) -> io::Result<()> {
    let (pieces, runtime) = (writer.pieces.clone(), writer.runtime.clone());
    let mut zip = ZipWriter::new_stream(writer);
    let packed = add_folder(workspace, dir, dir, &mut zip, 0)
        .and_then(|()| zip.finish().map_err(io::Error::other))
        .and_then(|stream| {
            let mut writer = stream.into_inner();
            let rest = Bytes::from(std::mem::take(&mut writer.buffer));
            writer.send(Ok(rest))
        });
    if let Err(error) = &packed {
        // The client learns that what came is not all.
        let cut = Err(io::Error::other(error.to_string()));
        let _ = runtime.block_on(timeout(STALLED, pieces.send(cut)));
    }
    packed
}

type Zip = ZipWriter<zip::write::StreamWriter<Pieces>>;

/// Files and folders below `folder`, without git's own data. What vanishes meanwhile or may not be read is left out.
fn add_folder(
    workspace: &Workspace,
    top: &WorkspacePath,
    folder: &WorkspacePath,
    zip: &mut Zip,
    depth: usize,
) -> io::Result<()> {
    let entries = match workspace.list(folder) {
        Ok(entries) => entries,
        Err(WorkspaceError::Failed { source, .. }) => return Err(source),
        Err(_) => return Ok(()),
    };
    for entry in entries {
        if entry.link.is_some() || entry.name == ".git" {
            continue;
        }
        let name = if folder.is_root() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
        let Ok(path) = WorkspacePath::recorded(name) else { continue };
        let inside = path.below(top).unwrap_or(path.as_str()).to_owned();
        match entry.kind {
            Kind::Folder if depth < MAX_DEPTH => {
                zip.add_directory(inside, SimpleFileOptions::default()).map_err(io::Error::other)?;
                add_folder(workspace, top, &path, zip, depth + 1)?;
            }
            Kind::File => add_file(workspace, &path, inside, zip)?,
            Kind::Folder | Kind::Closed => {}
        }
    }
    Ok(())
}

fn add_file(workspace: &Workspace, path: &WorkspacePath, inside: String, zip: &mut Zip) -> io::Result<()> {
    let Ok(mut file) = workspace.open_file(path) else { return Ok(()) };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        // As quick as the wire; what is compressed already gets no smaller by more work.
        .compression_level(Some(1))
        .large_file(file.size >= u32::MAX.into())
        .last_modified_time(file.modified.and_then(packed_time).unwrap_or_default());
    zip.start_file(inside, options).map_err(io::Error::other)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = file.size;
    while left > 0 {
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(piece.len()));
        match file.read(&mut piece[..wanted])? {
            0 => break,
            read => {
                zip.write_all(&piece[..read])?;
                left -= read as u64;
            }
        }
    }
    Ok(())
}

/// Zip knows local time alone, in steps of two seconds; UTC is the same for everyone.
fn packed_time(at: std::time::SystemTime) -> Option<DateTime> {
    let at = Timestamp::try_from(at).ok()?.to_zoned(TimeZone::UTC);
    let part = |number: i8| u8::try_from(number).ok();
    let (year, month, day) = (u16::try_from(at.year()).ok()?, part(at.month())?, part(at.day())?);
    DateTime::from_date_and_time(year, month, day, part(at.hour())?, part(at.minute())?, part(at.second())?).ok()
}
