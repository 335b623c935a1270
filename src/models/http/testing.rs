//! What the adapters' tests share: settings, and a server that answers in order what it was told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use super::{
    reader::{Decode, Packing, Reader},
    settings::{Settings, Timeouts},
};
use crate::{
    agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest},
    protocol::{CallId, Tokens, ToolCall},
};

pub const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

pub type Said = Vec<Result<ModelEvent, ModelError>>;

pub fn settings(base_url: impl Into<String>) -> Settings {
    Settings {
        base_url: base_url.into(),
        model: "local".into(),
        api_key: None,
        max_tokens: None,
        temperature: None,
        reasoning_effort: None,
        context_tokens: None,
        vision: None,
        timeouts: Timeouts::default(),
    }
}

pub fn text(text: &str) -> ModelEvent {
    ModelEvent::Text(text.into())
}

pub fn thinking(text: &str) -> ModelEvent {
    ModelEvent::Thinking(text.into())
}

pub fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: CallId::new(id), name: name.into(), arguments: arguments.into() }
}

pub fn tool_call(id: &str, name: &str, arguments: &str) -> ModelEvent {
    ModelEvent::ToolCall(call(id, name, arguments))
}

pub fn usage(input: u64, output: u64, cached: u64) -> ModelEvent {
    ModelEvent::Usage(Tokens { input, output, cached, total: input + output, estimated: false })
}

/// What the server said of the call before its end.
pub fn usage_so_far(input: u64, output: u64, cached: u64) -> ModelEvent {
    ModelEvent::Usage(Tokens { input, output, cached, total: input + output, estimated: true })
}

pub fn ok(events: impl IntoIterator<Item = ModelEvent>) -> Said {
    events.into_iter().map(Ok).collect()
}

/// What an answer says that comes in `pieces`.
pub fn read<'a, D: Decode>(decoder: D, packing: Packing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
    let mut reader = Reader::new(decoder, packing);
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.end();
    assert!(reader.is_over());
    without_pieces(std::iter::from_fn(|| reader.pop()).collect())
}

/// Pieces of calls are for whoever waits, and come as a server cuts them; their tests stand beside the decoders.
fn without_pieces(said: Said) -> Said {
    said.into_iter().filter(|event| !matches!(event, Ok(ModelEvent::CallPiece { .. }))).collect()
}

/// Ids that had to be made up differ from run to run.
pub fn without_made_up_ids(said: Said) -> Said {
    let blank = |event| match event {
        ModelEvent::ToolCall(call) => ModelEvent::ToolCall(ToolCall { id: CallId::new(""), ..call }),
        other => other,
    };
    said.into_iter().map(|event| event.map(blank)).collect()
}

pub async fn said(model: &impl Model, request: ModelRequest) -> Said {
    without_pieces(model.stream(request).collect().await)
}

/// One request as the server saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub line: String,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Keeps what it was asked.
#[derive(Clone, Default)]
pub struct ScriptedServer {
    answers: Arc<Mutex<VecDeque<Response>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedServer {
    /// The server, and its address without a path.
    pub async fn start(answers: impl IntoIterator<Item = Response>) -> (Self, String) {
        let server = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(Self::answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (server, base)
    }

    async fn answer(State(server): State<Self>, request: Request) -> Response {
        let line = format!("{} {}", request.method(), request.uri());
        let headers = request.headers().clone();
        let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        server.asked.lock().unwrap().push(Asked { line, headers, body });
        server.answers.lock().unwrap().pop_front().expect("one answer for each request")
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

pub fn sse(body: impl ToString) -> Response {
    ([("content-type", "text/event-stream")], body.to_string()).into_response()
}

pub fn json(body: Value) -> Response {
    axum::Json(body).into_response()
}

pub fn refusal(status: u16, body: impl ToString) -> Response {
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, body.to_string()).into_response()
}

/// A server of one connection that can do what no proper server does. It has read the request.
pub async fn raw() -> (String, impl Future<Output = TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let accepted = async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
        }
        socket
    };
    (base, accepted)
}

pub fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}
