//! A model server that speaks the OpenAI protocol and writes into every chunk its number and when it was sent.

use std::{
    convert::Infallible,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::{net::TcpListener, time};

/// Model and clients are one process, so one monotonic clock times both ends of a chunk's way.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds of the monotonic clock, since the first call.
pub fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// What an answer looks like. Its name is the name of a model, which is how the servers choose it.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    pub chunks: u32,
    /// Time between two chunks; zero is as fast as they are taken.
    pub pace: Duration,
}

impl Script {
    pub const fn new(chunks: u32, pace: Duration) -> Self {
        Self { chunks, pace }
    }

    pub fn name(&self) -> String {
        format!("{}-chunks-{}-us", self.chunks, self.pace.as_micros())
    }

    fn parse(name: &str) -> Option<Self> {
        let (chunks, rest) = name.split_once("-chunks-")?;
        let micros = rest.strip_suffix("-us")?.parse().ok()?;
        Some(Self::new(chunks.parse().ok()?, Duration::from_micros(micros)))
    }
}

/// Starts the server and returns its base URL.
pub async fn start() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // A chunk must not wait for the acknowledgement of the one before it.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let router = Router::new().route("/v1/chat/completions", post(complete));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}/v1"))
}

/// What the answer depends on. The rest is passed over: its reading would count as the servers' time.
#[derive(Deserialize)]
struct Request {
    model: String,
}

async fn complete(Json(request): Json<Request>) -> Response {
    let Some(script) = Script::parse(&request.model) else {
        return axum::http::StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(answer(script))).into_response()
}

fn answer(script: Script) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (start, phase) = (time::Instant::now(), phase(script.pace));
    stream::unfold(0, move |number| async move {
        if number > script.chunks {
            return None;
        }
        // The first chunk comes at once, whatever the pace: the time to it is the servers' own.
        if number > 0 && !script.pace.is_zero() {
            time::sleep_until(start + phase + script.pace * number).await;
        }
        let part = if number == script.chunks { last() } else { chunk(number) };
        Some((Ok(Bytes::from(part)), number + 1))
    })
}

/// Spreads answers that begin together evenly over the time between two chunks.
fn phase(pace: Duration) -> Duration {
    const GOLDEN_RATIO: f64 = 0.618_033_988_75;
    static ANSWERS: AtomicU32 = AtomicU32::new(0);
    let turns = f64::from(ANSWERS.fetch_add(1, Ordering::Relaxed)) * GOLDEN_RATIO;
    pace.mul_f64(turns.fract())
}

fn chunk(number: u32) -> String {
    let content = format!("@{number:06}:{:015} ", now());
    format!(
        "data: {{\"id\":\"bench\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"bench\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn last() -> String {
    "data: {\"id\":\"bench\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"bench\",\
     \"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\
     \"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10,\"total_tokens\":20}}\n\ndata: [DONE]\n\n"
        .into()
}

/// Calls `found` with the number and the sending time of every chunk in `text`.
pub fn stamps(text: &str, mut found: impl FnMut(u32, u64)) -> anyhow::Result<()> {
    for stamp in text.split('@').skip(1) {
        let read = || Some((stamp.get(..6)?.parse().ok()?, stamp.get(7..22)?.parse().ok()?));
        let (number, sent) = read().with_context(|| format!("a chunk came in pieces: {stamp}"))?;
        found(number, sent);
    }
    Ok(())
}
