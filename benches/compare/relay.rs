//! The bare relay: the least that a program can do between a model and a browser. It stores what Cowork stores when a
//! message comes and when its answer is over, and in between hands every chunk on as it is. No history, no tools, no
//! reconnect, no page. It is as fast as its author could make it: the distance to it is what Cowork's features cost.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{
        Path as Segment, State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    http::StatusCode,
    response::Response,
    routing::{get, post},
    serve::ListenerExt,
};
use futures::SinkExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::relay_rows::{Change, Rows};

/// The same buffers as Cowork's sockets have.
const BUFFER_BYTES: usize = 4096;

struct Relay {
    rows: Rows,
    client: reqwest::Client,
    model: String,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

struct Session {
    id: String,
    script: String,
    turns: AtomicU32,
    watcher: Mutex<Option<mpsc::UnboundedSender<Utf8Bytes>>>,
}

/// Serves for ever; prints its address when it is ready.
pub async fn serve(model: &str, database: &Path) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let model = format!("{model}/chat/completions");
    let relay = Arc::new(Relay { rows: Rows::open(database).await?, client, model, sessions: Mutex::default() });
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/cowork/sessions", post(create))
        .route("/cowork/sessions/{id}/stream", get(watch))
        .route("/cowork/sessions/{id}/messages", post(send))
        .with_state(relay);
    listen(router).await
}

/// The bare server of the cold start: it binds and answers.
pub async fn serve_nothing() -> anyhow::Result<()> {
    let ok = || async { "ok" };
    listen(Router::new().route("/", get(ok)).route("/health", get(ok)).route("/watch", get(watch_nothing))).await
}

/// A watcher of nothing: the least that an idle socket costs.
async fn watch_nothing(upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    upgrade.on_upgrade(|mut socket| async move {
        if socket.send(Message::Text(Utf8Bytes::from_static(r#"{"type":"synced"}"#))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    })
}

async fn listen(router: Router) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready: http://{}", listener.local_addr()?);
    Ok(axum::serve(listener.tap_io(|socket| drop(socket.set_nodelay(true))), router).await?)
}

#[derive(Deserialize)]
struct NewSession {
    model: String,
}

async fn create(State(relay): State<Arc<Relay>>, Json(new): Json<NewSession>) -> Result<Json<Value>, StatusCode> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let session = Session { id: id.clone(), script: new.model, turns: AtomicU32::new(0), watcher: Mutex::default() };
    relay.rows.commit(Change::Created { session: id.clone() }).await.map_err(failed)?;
    lock(&relay.sessions).insert(id.clone(), Arc::new(session));
    Ok(Json(json!({ "id": id })))
}

async fn watch(
    State(relay): State<Arc<Relay>>,
    Segment(id): Segment<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, StatusCode> {
    let session = relay.session(&id)?;
    let (frames, received) = mpsc::unbounded_channel();
    *lock(&session.watcher) = Some(frames);
    let upgrade = upgrade.read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    Ok(upgrade.on_upgrade(|socket| forward(socket, received)))
}

/// What waits is written together; a frame that comes alone leaves alone.
async fn forward(mut socket: WebSocket, mut frames: mpsc::UnboundedReceiver<Utf8Bytes>) {
    let mut next = Some(Utf8Bytes::from_static(r#"{"type":"synced"}"#));
    while let Some(frame) = next.take() {
        if socket.feed(Message::Text(frame)).await.is_err() {
            return;
        }
        next = frames.try_recv().ok();
        if next.is_none() {
            if socket.flush().await.is_err() {
                return;
            }
            next = tokio::select! {
                frame = frames.recv() => frame,
                // A client here says nothing but goodbye.
                _ = socket.recv() => return,
            };
        }
    }
}

#[derive(Deserialize)]
struct NewMessage {
    message: String,
}

async fn send(
    State(relay): State<Arc<Relay>>,
    Segment(id): Segment<String>,
    Json(new): Json<NewMessage>,
) -> Result<StatusCode, StatusCode> {
    let session = relay.session(&id)?;
    let turn = session.turns.fetch_add(1, Ordering::Relaxed) + 1;
    let begun = Change::Begun { session: id, turn, text: new.message.clone() };
    relay.rows.commit(begun).await.map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = relay.answer(&session, turn, new.message).await {
            eprintln!("an answer could not be relayed: {error:#}");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

impl Relay {
    fn session(&self, id: &str) -> Result<Arc<Session>, StatusCode> {
        lock(&self.sessions).get(id).cloned().ok_or(StatusCode::NOT_FOUND)
    }

    async fn answer(&self, session: &Session, turn: u32, message: String) -> anyhow::Result<()> {
        let request =
            json!({"model": session.script, "stream": true, "messages": [{"role": "user", "content": message}]});
        let mut response = self.client.post(&self.model).json(&request).send().await?.error_for_status()?;
        let frames = lock(&session.watcher).clone().context("nobody watches")?;
        let (mut waiting, mut text) = (Vec::new(), String::new());
        while let Some(bytes) = response.chunk().await? {
            waiting.extend_from_slice(&bytes);
            let Some(end) = waiting.iter().rposition(|byte| *byte == b'\n') else { continue };
            for line in std::str::from_utf8(&waiting[..end])?.lines() {
                take(line, &frames, &mut text)?;
            }
            waiting.drain(..=end);
        }
        self.rows.commit(Change::Ended { session: session.id.clone(), turn, text }).await?;
        Ok(frames.send(Utf8Bytes::from_static(r#"{"type":"turn_completed"}"#))?)
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: [Choice<'a>; 1],
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    content: Option<&'a str>,
}

/// Hands the chunk of a line on, and keeps its text for the row.
fn take(line: &str, frames: &mpsc::UnboundedSender<Utf8Bytes>, text: &mut String) -> anyhow::Result<()> {
    let Some(data) = line.strip_prefix("data: ").filter(|data| *data != "[DONE]") else { return Ok(()) };
    let Chunk { choices: [choice] } = serde_json::from_str(data)?;
    text.push_str(choice.delta.content.unwrap_or_default());
    Ok(frames.send(data.into())?)
}

fn failed(error: anyhow::Error) -> StatusCode {
    eprintln!("{error:#}");
    StatusCode::INTERNAL_SERVER_ERROR
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
