//! One upload by tus: begun or taken up where it stood, sent piece by piece, each with its hash, and gone on with where
//! the connection broke.

use futures::channel::oneshot;
use leptos::prelude::*;

use super::state::{State, Upload};
use crate::{
    protocol::{
        ErrorCode, UploadStatus, UploadedFile,
        read::{Json, Read},
    },
    ui::{
        browser::{self, Sent},
        session_view::SessionView,
        words::words,
    },
};

/// Files that are sent side by side.
pub const AT_ONCE: u32 = 3;
/// Times that one piece is tried, each after twice the wait of the one before up to the last: ten minutes, in which a server
/// is back, or a laptop on another network.
const TRIES: u32 = 64;
const FIRST_WAIT_MS: u32 = 500;
const LAST_WAIT_MS: u32 = 10_000;

/// What `GET` of an upload tells.
struct Told {
    result: Option<UploadedFile>,
}

impl Read for Told {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self { result: Read::read(&json.field("result"), fits) }
    }
}

/// Brings the file to its end: there, or told why not.
pub async fn send(view: SessionView, upload: Upload) {
    let ended = match begin(view, upload).await {
        Ok((address, offset)) => transfer(upload, &address, offset).await,
        Err(refused) => refused,
    };
    // Cancelled meanwhile: that word stays, or what the person said after it.
    let is_cancelled = upload.state.try_with_untracked(|state| *state == State::Cancelled);
    if ended != State::Cancelled && is_cancelled == Some(false) {
        upload.state.try_set(ended);
    }
}

/// The upload's address and how much of it is there.
async fn begin(view: SessionView, upload: Upload) -> Result<(String, u64), State> {
    let key = key(upload);
    if let Some(known) = browser::load_draft(&key)
        && let Sent::Taken { offset: Some(offset), .. } = browser::tus("HEAD", &known, &[]).await
    {
        return Ok((known, offset));
    }
    let (name, dir) = (upload.name.get_value(), upload.dir.get_value());
    let metadata = [("filename", name.as_str()), ("target_dir", &dir), ("on_conflict", upload.rule.get_untracked())];
    let metadata = metadata.map(|(key, value)| [key, " ", &browser::base64(value)].concat()).join(",");
    let headers = [("upload-length", upload.size.to_string()), ("upload-metadata", metadata)];
    match browser::tus("POST", &view.path("/uploads/tus"), &headers).await {
        Sent::Taken { location: Some(address), .. } => {
            browser::save_draft(&key, &address);
            Ok((address, 0))
        }
        other => Err(refused(other)),
    }
}

async fn transfer(upload: Upload, address: &str, mut offset: u64) -> State {
    let (mut wait, mut broken) = (FIRST_WAIT_MS, 0);
    let started = (browser::now_ms(), offset);
    while offset < upload.size {
        let progress = move |sent: u64| {
            let (passed_ms, there) = ((browser::now_ms() - started.0) as u64, offset + sent);
            let speed = (there > started.1 && passed_ms > 500).then(|| (there - started.1) * 1000 / passed_ms);
            upload.state.try_update(|known| match known {
                State::Cancelled => {}
                known if there >= upload.size => *known = State::Verifying,
                known => *known = State::Sending { sent: there, speed },
            });
        };
        let (stop, stopped) = oneshot::channel();
        upload.stop.try_set_value(Some(stop));
        if upload.state.try_with_untracked(|state| *state == State::Cancelled) != Some(false) {
            return give_up(upload, address).await;
        }
        match browser::send_piece(upload.file, address, offset, progress, stopped).await {
            Sent::Taken { offset: Some(now), .. } => (offset, wait, broken) = (now, FIRST_WAIT_MS, 0),
            Sent::Broken | Sent::Taken { offset: None, .. } => {
                broken += 1;
                if broken == TRIES {
                    return State::Failed(words().frame.no_answer.to_owned());
                }
                upload.state.try_update(|known| {
                    if *known != State::Cancelled {
                        *known = State::Away(offset);
                    }
                });
                browser::sleep(wait).await;
                wait = (wait * 2).min(LAST_WAIT_MS);
                if let Sent::Taken { offset: Some(now), .. } = browser::tus("HEAD", address, &[]).await {
                    offset = now;
                }
            }
            Sent::Cancelled => return give_up(upload, address).await,
            Sent::Refused(error) => {
                browser::save_draft(&key(upload), "");
                return refused(Sent::Refused(error));
            }
        }
    }
    browser::save_draft(&key(upload), "");
    result(address).await
}

/// The server need not keep what came. It answers or not: what nobody goes on with expires.
async fn give_up(upload: Upload, address: &str) -> State {
    browser::save_draft(&key(upload), "");
    browser::tus("DELETE", address, &[]).await;
    State::Cancelled
}

async fn result(address: &str) -> State {
    match browser::get::<Told>(address).await {
        Ok(Told { result: Some(UploadedFile { status: UploadStatus::Skipped, .. }) }) => State::Skipped,
        Ok(Told { result: Some(UploadedFile { path: Some(path), .. }) }) => State::Added(path),
        Ok(_) => State::Failed(words().frame.bad_answer.to_owned()),
        Err(error) => State::Failed(error.detail),
    }
}

fn refused(sent: Sent) -> State {
    match sent {
        Sent::Refused(error) if error.code.as_str() == "already_exists" => State::Exists,
        Sent::Refused(error) => State::Failed([&error.detail, " (", error.code.as_str(), ")"].concat()),
        Sent::Cancelled => State::Cancelled,
        Sent::Broken | Sent::Taken { .. } => State::Failed(ErrorCode::Unavailable.title().to_owned()),
    }
}

/// Where the address of an upload is kept, so that it goes on after a reload.
fn key(upload: Upload) -> String {
    let stamp = upload.file.with_value(|file| file.stamp());
    ["upload:", &upload.dir.get_value(), "/", &upload.name.get_value(), ":", &stamp].concat()
}
