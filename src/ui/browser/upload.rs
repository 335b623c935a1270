//! Files of the person's computer, and bringing them to the server with a measured progress.

use std::pin::pin;

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::{ev, html, prelude::*};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

use super::wire::{Body, Reply, exchange};
use crate::protocol::ApiError;

/// A file as the browser hands it out, with the folders that it was dropped with.
#[derive(Clone)]
pub struct LocalFile {
    file: File,
    path: String,
}

impl LocalFile {
    fn new(file: File, folder: &str) -> Self {
        // A folder that was chosen gives its files' paths itself.
        let relative = js_sys::Reflect::get(&file, &"webkitRelativePath".into()).ok().and_then(|path| path.as_string());
        let path = relative.filter(|path| !path.is_empty()).unwrap_or_else(|| [folder, &file.name()].concat());
        Self { file, path }
    }

    pub fn path(&self) -> String {
        self.path.clone()
    }

    pub fn size(&self) -> u64 {
        self.file.size() as u64
    }

    /// Tells this state of the file from a later one.
    pub fn stamp(&self) -> String {
        [self.size().to_string(), (self.file.last_modified() as u64).to_string()].join(":")
    }
}

/// The status of tus for a piece that is not what its checksum says.
const CHECKSUM_MISMATCH: u16 = 460;

/// What the server said to a request of tus.
pub enum Sent {
    Taken { offset: Option<u64>, location: Option<String> },
    Refused(ApiError),
    Broken,
    Cancelled,
}

fn listed(files: Option<web_sys::FileList>) -> Vec<LocalFile> {
    let Some(files) = files else { return Vec::new() };
    (0..files.length()).filter_map(|index| files.get(index)).map(|file| LocalFile::new(file, "")).collect()
}

/// The files that were chosen; the field is free for the next choice.
pub fn chosen_files(event: &ev::Event) -> Vec<LocalFile> {
    let Some(input) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return Vec::new();
    };
    let files = listed(input.files());
    input.set_value("");
    files
}

/// Lets a field choose folders.
pub fn choose_folders(field: NodeRef<html::Input>) {
    if let Some(field) = field.get_untracked() {
        field.set_webkitdirectory(true);
    }
}

pub fn pasted_files(event: &ev::ClipboardEvent) -> Vec<LocalFile> {
    listed(event.clipboard_data().and_then(|data| data.files()))
}

/// Whether files are dragged, and not a text or a link of the page.
pub fn drags_files(event: &ev::DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Files and folders that were dropped; what they are must be asked before the event ends.
pub fn dropped_files(event: &ev::DragEvent) -> impl Future<Output = Vec<LocalFile>> + use<> {
    let items = event.data_transfer().map(|data| data.items());
    let entries: Vec<FileSystemEntry> = items.map_or_else(Vec::new, |items| {
        (0..items.length()).filter_map(|index| items.get(index)?.webkit_get_as_entry().ok().flatten()).collect()
    });
    let plain = listed(event.data_transfer().and_then(|data| data.files()));
    async move {
        if entries.is_empty() {
            return plain;
        }
        let mut found = Vec::new();
        let mut waiting: Vec<(String, FileSystemEntry)> =
            entries.into_iter().map(|entry| (String::new(), entry)).collect();
        while let Some((folder, entry)) = waiting.pop() {
            if entry.is_file() {
                let entry: FileSystemFileEntry = entry.unchecked_into();
                if let Some(file) = ask(|tell| entry.file_with_callback(tell)).await {
                    found.push(LocalFile::new(file.unchecked_into(), &folder));
                }
                continue;
            }
            let inner = [&folder, &entry.name(), "/"].concat();
            let reader = entry.unchecked_into::<FileSystemDirectoryEntry>().create_reader();
            // A reader hands out a hundred at a time, until there are none.
            while let Some(batch) = ask(|tell| reader.read_entries_with_callback(tell).ok()).await {
                let batch: js_sys::Array = batch.unchecked_into();
                if batch.length() == 0 {
                    break;
                }
                waiting.extend(batch.iter().map(|entry| (inner.clone(), entry.unchecked_into())));
            }
        }
        found.reverse();
        found
    }
}

/// An answer that comes by a callback; `None` where it never comes.
async fn ask<T>(question: impl FnOnce(&js_sys::Function) -> T) -> Option<JsValue> {
    let (tell, told) = oneshot::channel();
    let answer = Closure::once(move |value: JsValue| drop(tell.send(value)));
    question(answer.as_ref().unchecked_ref());
    told.await.ok()
}

/// A text in base64, as tus writes metadata.
pub fn base64(text: &str) -> String {
    let bytes: String = text.bytes().map(char::from).collect();
    window().btoa(&bytes).unwrap_or_default()
}

/// A request of tus without a body.
pub async fn tus(method: &str, path: &str, headers: &[(&str, String)]) -> Sent {
    let headers: Vec<_> = headers.iter().cloned().chain([version()]).collect();
    told(exchange(method, path, &headers, Body::None, |_| ()).await)
}

/// What is sent with one hash: what a piece that arrived wrongly costs again, and what the page holds of a file at once.
const PIECE_BYTES: u64 = 8 * 1024 * 1024;

/// The next piece of a file from an offset on, given up when `stopped` says so.
pub async fn send_piece(
    file: StoredValue<LocalFile, LocalStorage>,
    address: &str,
    offset: u64,
    progress: impl Fn(u64) + 'static,
    stopped: oneshot::Receiver<()>,
) -> Sent {
    let (from, to) = (offset as f64, (offset + PIECE_BYTES) as f64);
    let piece = file.try_with_value(|file| file.file.slice_with_f64_and_f64(from, to));
    let Some(Ok(piece)) = piece else { return Sent::Cancelled };
    let kind = ("content-type", "application/offset+octet-stream".to_owned());
    let headers = [("upload-offset", offset.to_string()), kind, version()];
    let checksum = checksum(&piece).await.map(|hash| ("upload-checksum", hash));
    let headers: Vec<_> = headers.into_iter().chain(checksum).collect();
    let reply = pin!(exchange("PATCH", address, &headers, Body::Bytes(&piece), progress));
    match select(stopped, reply).await {
        Either::Left((Ok(()), _)) => Sent::Cancelled,
        // The page that could stop it is gone.
        Either::Left((Err(_), reply)) => told(reply.await),
        Either::Right((reply, _)) => told(reply),
    }
}

/// What the server is to find in the piece. `None` where the browser hashes nothing: on pages that came without TLS.
async fn checksum(piece: &Blob) -> Option<String> {
    let bytes = JsFuture::from(piece.array_buffer()).await.ok()?;
    let digest =
        window().crypto().ok()?.subtle().digest_with_str_and_buffer_source("SHA-256", bytes.unchecked_ref()).ok()?;
    let hash = js_sys::Uint8Array::new(&JsFuture::from(digest).await.ok()?).to_vec();
    let hash: String = hash.into_iter().map(char::from).collect();
    Some(["sha256 ", &window().btoa(&hash).ok()?].concat())
}

fn version() -> (&'static str, String) {
    ("tus-resumable", "1.0.0".to_owned())
}

fn told(reply: Option<Reply>) -> Sent {
    match reply {
        Some(reply) if (200..300).contains(&reply.status) => Sent::Taken {
            offset: reply.header("upload-offset").and_then(|offset| offset.parse().ok()),
            location: reply.header("location"),
        },
        // A piece that arrived wrongly is sent again, as one that did not arrive.
        Some(reply) if reply.status == CHECKSUM_MISMATCH => Sent::Broken,
        Some(reply) if reply.status != 0 => reply.taken().map_or_else(Sent::Refused, |_| Sent::Broken),
        _ => Sent::Broken,
    }
}

/// Asks before the page is left while something is on its way.
pub fn warn_before_leaving(busy: bool) {
    window().set_onbeforeunload(None);
    if busy {
        let ask = Closure::<dyn Fn(web_sys::Event)>::new(|event: web_sys::Event| event.prevent_default());
        window().set_onbeforeunload(Some(ask.as_ref().unchecked_ref()));
        // As long as the page.
        ask.forget();
    }
}
