//! The server's side of [`super`]: there is no browser.

use leptos::{html, prelude::*};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    protocol::{ApiError, ErrorCode},
    ui::words::Language,
};

pub struct Socket;

impl Socket {
    pub fn open(_path: &str) -> Option<Self> {
        None
    }
    pub async fn next(&mut self) -> Option<String> {
        None
    }
}

pub async fn sleep(_ms: u32) {}

pub fn random() -> f64 {
    0.0
}

pub fn now_ms() -> f64 {
    0.0
}

pub async fn post(_path: &str, _body: Value) -> Result<Value, ApiError> {
    Err(ApiError::new(ErrorCode::Unavailable, "There is no browser here."))
}

pub async fn get<T: DeserializeOwned>(_path: &str) -> Result<T, ApiError> {
    Err(ApiError::new(ErrorCode::Unavailable, "There is no browser here."))
}

pub fn language() -> Language {
    use_context::<Language>().unwrap_or_default()
}

pub fn go_to(_path: &str) {}

pub fn new_client_id() -> String {
    String::new()
}

pub fn mark_hydrated() {}

/// The title as HTML: leptos_meta writes it into the page as it is given.
pub fn page_title(title: String) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;")
}

pub fn local_clock(_iso: &str) -> Option<String> {
    None
}

pub fn local_day(_iso: &str) -> Option<String> {
    None
}

pub fn load_draft(_key: &str) -> Option<String> {
    None
}

pub fn save_draft(_key: &str, _text: &str) {}

pub fn is_near_end(_element: NodeRef<html::Div>) -> bool {
    true
}

pub fn scroll_to_end(_element: NodeRef<html::Div>) {}

pub fn fit_height(_element: NodeRef<html::Textarea>) {}
