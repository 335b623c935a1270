//! The browser's side of [`super`].

use futures::StreamExt;
use gloo_net::{
    http::Request,
    websocket::{Message, futures::WebSocket},
};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Math, Object, Reflect};
use leptos::{html, prelude::*};
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasm_bindgen::JsValue;

use crate::{
    protocol::{ApiError, ErrorCode},
    ui::words::Language,
};

/// Distance from the end, in pixels, within which a reader counts as following.
const NEAR_END: i32 = 80;

pub struct Socket(WebSocket);

impl Socket {
    /// Opens a socket to a path of this server; `None` where the browser won't.
    pub fn open(path: &str) -> Option<Self> {
        let location = window().location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let address = format!("{scheme}://{}{path}", location.host().ok()?);
        WebSocket::open(&address).ok().map(Self)
    }

    /// The next frame; `None` when the connection is over, for whatever reason.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Bytes(_)) => {}
                Err(_) => return None,
            }
        }
    }
}

pub async fn sleep(ms: u32) {
    TimeoutFuture::new(ms).await;
}

/// From 0 up to 1.
pub fn random() -> f64 {
    Math::random()
}

pub fn now_ms() -> f64 {
    Date::now()
}

/// Posts JSON; the error is the server's own, or that it did not answer.
pub async fn post(path: &str, body: Value) -> Result<Value, ApiError> {
    let silent = |_| ApiError::new(ErrorCode::Unavailable, "The server did not answer. Your text is kept; try again.");
    let request = Request::post(path).header("content-type", "application/json").header("accept", "application/json");
    let response = request.body(body.to_string()).map_err(silent)?.send().await.map_err(silent)?;
    let text = response.text().await.map_err(silent)?;
    if response.ok() {
        return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
    }
    let problem =
        || ApiError::new(ErrorCode::Internal, format!("The server answered with an error ({}).", response.status()));
    Err(serde_json::from_str(&text).unwrap_or_else(|_| problem()))
}

pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    let text = ask("GET", path, None).await?;
    serde_json::from_str(&text).map_err(|_| ApiError::new(ErrorCode::Internal, ""))
}

pub async fn ask(_method: &str, path: &str, _body: Option<Value>) -> Result<String, ApiError> {
    let silent = |_| ApiError::new(ErrorCode::Unavailable, "");
    let response = Request::get(path).build().map_err(silent)?.send().await.map_err(silent)?;
    response.text().await.map_err(silent)
}

pub fn go_to(path: &str) {
    let _ = window().location().set_href(path);
}

pub fn language() -> Language {
    Language::English
}

/// An id for a message, so that sending it twice is sending it once.
pub fn new_client_id() -> String {
    let part = || format!("{:08x}", (Math::random() * 4_294_967_296.0) as u32);
    format!("{}{}{}", part(), part(), part())
}

/// Tells tests and styles that the page is live.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// The title as a browser takes it: text.
pub fn page_title(title: String) -> String {
    title
}

/// The time of day where the reader is.
pub fn local_clock(iso: &str) -> Option<String> {
    format_date(iso, &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")])
}

/// "14:05" today, "3 Mar" before.
pub fn local_day(iso: &str) -> Option<String> {
    let then = Date::new(&JsValue::from_str(iso));
    let same_day = then.to_date_string() == Date::new_0().to_date_string();
    let fields: &[_] = if same_day {
        &[("hour", "2-digit"), ("minute", "2-digit")]
    } else {
        &[("day", "numeric"), ("month", "short")]
    };
    format_date(iso, fields)
}

fn format_date(iso: &str, fields: &[(&str, &str)]) -> Option<String> {
    let date = Date::new(&JsValue::from_str(iso));
    if date.get_time().is_nan() {
        return None;
    }
    let options = Object::new();
    for (name, value) in fields {
        Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value)).ok()?;
    }
    Reflect::set(&options, &JsValue::from_str("hourCycle"), &JsValue::from_str("h23")).ok()?;
    date.to_locale_string("default", &options).as_string()
}

pub fn load_draft(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

pub fn save_draft(key: &str, text: &str) {
    let Ok(Some(storage)) = window().local_storage() else { return };
    // A full or forbidden storage costs the draft's survival of a reload, nothing else.
    let _ = if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
}

pub fn is_near_end(element: NodeRef<html::Div>) -> bool {
    let Some(element) = element.get_untracked() else { return true };
    element.scroll_height() - element.scroll_top() - element.client_height() < NEAR_END
}

pub fn scroll_to_end(element: NodeRef<html::Div>) {
    request_animation_frame(move || {
        if let Some(element) = element.try_get_untracked().flatten() {
            element.set_scroll_top(element.scroll_height());
        }
    });
}

/// Lets a text field be as high as its text, within what the style allows.
pub fn fit_height(element: NodeRef<html::Textarea>) {
    let Some(element) = element.get_untracked() else { return };
    let style = web_sys::HtmlElement::style(&element);
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", element.scroll_height()));
}
