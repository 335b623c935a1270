//! How the page speaks with the server: a socket, requests, and the time between them.

use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
};
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Blob, MessageEvent, ProgressEvent, WebSocket, XmlHttpRequest};

use super::json::read;
use crate::{
    protocol::{ApiError, ErrorCode, read::Read},
    ui::words::{fill, words},
};

/// A socket that is closed when it is dropped.
pub struct Socket {
    socket: WebSocket,
    /// `None` is the end.
    frames: mpsc::UnboundedReceiver<Option<String>>,
    _heard: Closure<dyn Fn(MessageEvent)>,
    _closed: Closure<dyn Fn(JsValue)>,
}

impl Socket {
    /// Opens a socket to a path of this server; `None` where the browser won't.
    pub fn open(path: &str) -> Option<Self> {
        let location = window().location();
        let scheme = if location.protocol().ok()? == "https:" { "wss://" } else { "ws://" };
        let socket = WebSocket::new(&[scheme, &location.host().ok()?, path].concat()).ok()?;
        let (tell, frames) = mpsc::unbounded();
        let told = tell.clone();
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                let _ = told.unbounded_send(Some(text));
            }
        });
        let closed = Closure::<dyn Fn(JsValue)>::new(move |_: JsValue| {
            let _ = tell.unbounded_send(None);
        });
        socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { socket, frames, _heard: heard, _closed: closed })
    }

    pub fn speaker(&self) -> Speaker {
        Speaker(self.socket.clone())
    }

    /// The next frame; `None` when the connection is over, for whatever reason.
    pub async fn next(&mut self) -> Option<String> {
        self.frames.next().await.flatten()
    }
}

/// Says something over a socket, as long as it is open.
pub struct Speaker(WebSocket);

impl Speaker {
    pub fn say(&self, frame: &Value) {
        let _ = self.0.send_with_str(&frame.to_string());
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

pub async fn sleep(ms: u32) {
    let (tell, told) = oneshot::channel::<()>();
    let ring = Closure::once(move || {
        let _ = tell.send(());
    });
    let ring = ring.as_ref().unchecked_ref::<js_sys::Function>();
    let timer = window().set_timeout_with_callback_and_timeout_and_arguments_0(ring, ms as i32);
    let _timer = timer.ok().map(Timer);
    let _ = told.await;
}

/// One that nobody waits for any more does not ring.
struct Timer(i32);

impl Drop for Timer {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.0);
    }
}

/// What a proxy says while the server behind it is away. Our own answers of that kind are documents.
const AWAY: [u16; 3] = [502, 503, 504];

/// What came back; a status of 0 means that nothing did, or nothing of the server's.
pub struct Reply {
    pub status: u16,
    pub text: String,
    request: XmlHttpRequest,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.get_response_header(name).ok().flatten()
    }

    /// The answer's text, the server's own error, or that it did not answer.
    pub fn taken(self) -> Result<String, ApiError> {
        match self.status {
            0 => Err(ApiError::new(ErrorCode::Unavailable, words().frame.no_answer)),
            200..=299 => Ok(self.text),
            status => {
                let mut error = read(&self.text).unwrap_or_else(|| problem(status));
                let wait = self.header("retry-after").and_then(|wait| wait.parse().ok()).unwrap_or_default();
                if let Some(told) = words().limits.told(error.code, wait) {
                    error.detail = told;
                }
                Err(error)
            }
        }
    }
}

fn problem(status: u16) -> ApiError {
    ApiError::new(ErrorCode::Internal, fill(words().frame.bad_answer, &[&status.to_string()]))
}

pub enum Body<'a> {
    None,
    Text(&'a str),
    Bytes(&'a Blob),
}

/// One that nobody waits for any more is given up.
struct Asked(Option<XmlHttpRequest>);

impl Drop for Asked {
    fn drop(&mut self) {
        let Some(request) = &self.0 else { return };
        request.set_onloadend(None);
        request.upload().into_iter().for_each(|upload| upload.set_onprogress(None));
        let _ = request.abort();
    }
}

/// Asks and waits. `progress` is told the bytes that were sent.
pub async fn exchange(
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: Body<'_>,
    progress: impl Fn(u64) + 'static,
) -> Option<Reply> {
    let request = XmlHttpRequest::new().ok()?;
    let (tell, told) = oneshot::channel::<()>();
    let ended = Closure::once(move |_: JsValue| {
        let _ = tell.send(());
    });
    request.set_onloadend(Some(ended.as_ref().unchecked_ref()));
    let moved = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| progress(event.loaded() as u64));
    if let (Ok(upload), Body::Bytes(_)) = (request.upload(), &body) {
        upload.set_onprogress(Some(moved.as_ref().unchecked_ref()));
    }
    request.open(method, path).ok()?;
    for (name, value) in headers {
        request.set_request_header(name, value).ok()?;
    }
    let sent = match body {
        Body::None => request.send(),
        Body::Text(text) => request.send_with_opt_str(Some(text)),
        Body::Bytes(bytes) => request.send_with_opt_blob(Some(bytes)),
    };
    sent.ok()?;
    // Let go before what it calls is.
    let mut asked = Asked(Some(request.clone()));
    told.await.ok()?;
    // What has been answered would forget its answer.
    asked.0 = None;
    let text = request.response_text().ok().flatten().unwrap_or_default();
    let status = request.status().unwrap_or_default();
    let is_away = AWAY.contains(&status) && read::<ApiError>(&text).is_none();
    Some(Reply { status: if is_away { 0 } else { status }, text, request })
}

/// Posts JSON, and hands out the answer's text; the error is the server's own, or that it did not answer.
pub async fn post(path: &str, body: Value) -> Result<String, ApiError> {
    ask("POST", path, Some(body)).await
}

/// Asks for JSON of a known form.
pub async fn get<T: Read>(path: &str) -> Result<T, ApiError> {
    let text = ask("GET", path, None).await?;
    read(&text).ok_or_else(|| problem(200))
}

/// The answer's text. A method of its own such as PATCH goes here too.
pub async fn ask(method: &str, path: &str, body: Option<Value>) -> Result<String, ApiError> {
    let json = || "application/json".to_owned();
    let text = body.map(|body| body.to_string());
    let headers: &[_] =
        if text.is_some() { &[("accept", json()), ("content-type", json())] } else { &[("accept", json())] };
    let body = text.as_deref().map_or(Body::None, Body::Text);
    let reply = exchange(method, path, headers, body, |_| ()).await;
    reply.map_or_else(|| Err(ApiError::new(ErrorCode::Unavailable, words().frame.no_answer)), Reply::taken)
}
