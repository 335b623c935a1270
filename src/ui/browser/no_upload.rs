//! The server's side of `upload`: there are no files of a person's computer.

use futures::channel::oneshot;
use leptos::{ev, html, prelude::*};

use crate::protocol::ApiError;

#[derive(Clone)]
pub struct LocalFile;

impl LocalFile {
    pub fn path(&self) -> String {
        String::new()
    }
    pub fn size(&self) -> u64 {
        0
    }
    pub fn stamp(&self) -> String {
        String::new()
    }
}

pub enum Sent {
    Taken { offset: Option<u64>, location: Option<String> },
    Refused(ApiError),
    Broken,
    Cancelled,
}

pub fn chosen_files(_event: &ev::Event) -> Vec<LocalFile> {
    Vec::new()
}

pub fn pasted_files(_event: &ev::ClipboardEvent) -> Vec<LocalFile> {
    Vec::new()
}

pub fn drags_files(_event: &ev::DragEvent) -> bool {
    false
}

pub fn dropped_files(_event: &ev::DragEvent) -> impl Future<Output = Vec<LocalFile>> + use<> {
    std::future::ready(Vec::new())
}

pub fn choose_folders(_field: NodeRef<html::Input>) {}

pub fn base64(_text: &str) -> String {
    String::new()
}

pub async fn tus(_method: &str, _path: &str, _headers: &[(&str, String)]) -> Sent {
    Sent::Broken
}

pub async fn send_piece(
    _file: StoredValue<LocalFile, LocalStorage>,
    _address: &str,
    _offset: u64,
    _progress: impl Fn(u64) + 'static,
    _stopped: oneshot::Receiver<()>,
) -> Sent {
    Sent::Broken
}

pub fn warn_before_leaving(_busy: bool) {}
