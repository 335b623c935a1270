//! The server's side of [`super`]: there is no browser.

use std::sync::Arc;

use leptos::{html, prelude::*};
use serde_json::Value;

use super::Still;
use crate::{
    protocol::{ApiError, ErrorCode, Opened, read::Read},
    ui::words::Language,
};

pub struct Socket;

impl Socket {
    pub fn open(_path: &str) -> Option<Self> {
        None
    }
    pub fn speaker(&self) -> Speaker {
        Speaker
    }
    pub async fn next(&mut self) -> Option<String> {
        None
    }
}

pub struct Speaker;

impl Speaker {
    pub fn say(&self, _frame: &Value) {}
}

pub async fn sleep(_ms: u32) {}

pub fn random() -> f64 {
    0.0
}

pub fn now_ms() -> f64 {
    0.0
}

fn no_browser() -> ApiError {
    ApiError::new(ErrorCode::Unavailable, "There is no browser here.")
}

pub async fn post(_path: &str, _body: Value) -> Result<String, ApiError> {
    Err(no_browser())
}

pub fn read<T: Read>(_text: &str) -> Option<T> {
    None
}

pub fn first_event(_answer: &str) -> Option<String> {
    None
}

pub async fn get<T: Read>(_path: &str) -> Result<T, ApiError> {
    Err(no_browser())
}

pub async fn ask(_method: &str, _path: &str, _body: Option<Value>) -> Result<String, ApiError> {
    Err(no_browser())
}

pub fn new_client_id() -> String {
    String::new()
}

pub fn mark_hydrated() {}

/// What the page's handler has read.
pub fn opened() -> Opened {
    use_context::<Arc<Opened>>().map(Arc::unwrap_or_clone).unwrap_or_default()
}

/// What the page's handler has drawn.
pub fn still() -> Still {
    use_context::<Still>().unwrap_or_default()
}

/// The address of what stands at `path` of this server.
pub fn at(path: &str) -> String {
    use_context::<Arc<Opened>>().map_or_else(|| path.to_owned(), |opened| opened.base.at(path))
}

/// What the page's handler has chosen.
pub fn language() -> Language {
    use_context::<Language>().unwrap_or_default()
}

pub fn set_title(_title: &str) {}

pub fn set_root_attribute(_name: &str, _value: &str) {}

pub fn set_root_property(_name: &str, _value: &str) {}

pub fn set_cookie(_name: &str, _value: &str) {}

pub fn media(_query: &str) -> bool {
    false
}

pub fn window_width() -> f64 {
    0.0
}

pub fn reload() {}

pub fn go_to(_path: &str) {}

pub fn minutes_ahead() -> i64 {
    0
}

pub fn move_focus(_selector: &str, _step: i32) -> bool {
    false
}

pub fn capture_pointer(_event: &leptos::ev::PointerEvent) {}

pub fn close_menus() -> bool {
    false
}

pub fn close_other_menus(_event: &leptos::ev::PointerEvent) {}

pub fn is_visible() -> bool {
    false
}

pub fn encode(text: &str) -> String {
    text.to_owned()
}

pub fn copy(_text: &str) {}

pub fn focus(_selector: &str) {}

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

pub fn take_over_scrolling(_element: NodeRef<html::Div>) -> i32 {
    0
}

pub fn scroll_to_end(_element: NodeRef<html::Div>) {}

pub fn on_resize(_element: NodeRef<html::Div>, _act: impl Fn() + 'static) {}

pub fn fit_height(_element: NodeRef<html::Textarea>) {}

pub fn scroll_place(_element: NodeRef<html::Div>) -> (f64, f64) {
    (0.0, 0.0)
}

pub fn scroll_to(_element: NodeRef<html::Div>, _top: f64) {}

pub fn set_padding(_element: NodeRef<html::Div>, _above: usize, _below: usize) {}

pub fn show_dialog(_dialog: NodeRef<html::Dialog>) {}

pub fn close_dialog(_dialog: NodeRef<html::Dialog>) {}

pub fn lowercase(text: &str) -> String {
    text.to_lowercase()
}

pub fn is_typing() -> bool {
    false
}

pub fn can_ask_to_notify() -> bool {
    false
}

pub fn ask_to_notify() {}

pub fn notify(_title: &str, _text: &str) {}
