//! A model that plays scripts: a server that says what a test wrote, waits where the test wants it to, and refuses a
//! conversation that no provider would take. It speaks in each of the forms that model servers have.

mod anthropic;
mod ollama;
mod openai;
mod wire;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, mpsc, watch},
};

use super::soon;
pub use wire::{CACHED, INPUT, OUTPUT, Wire};

/// A place in a script that the test opens.
#[derive(Clone)]
pub struct Gate(Arc<GateParts>);

struct GateParts {
    open: Semaphore,
    reached: watch::Sender<usize>,
}

impl Gate {
    pub fn new() -> Self {
        Self(Arc::new(GateParts { open: Semaphore::new(0), reached: watch::Sender::new(0) }))
    }

    /// Lets one waiting step through.
    pub fn step(&self) {
        self.0.open.add_permits(1);
    }

    /// Lets every step through, now and later.
    pub fn open(&self) {
        self.0.open.close();
    }

    /// Resolves when the script has come to this gate so many times.
    pub async fn reached(&self, times: usize) {
        let mut reached = self.0.reached.subscribe();
        soon("the gate of the script", reached.wait_for(|count| *count >= times)).await.unwrap();
    }

    async fn pass(&self) {
        self.0.reached.send_modify(|count| *count += 1);
        // An error means that it stands open for good.
        if let Ok(permit) = self.0.open.acquire().await {
            permit.forget();
        }
    }
}

/// What the model answers to one request.
#[derive(Clone)]
pub enum Script {
    Answer(Vec<Step>),
    Refusal { status: u16, words: String, headers: Vec<(&'static str, &'static str)> },
}

#[derive(Clone)]
pub enum Step {
    Text(String),
    /// With what the call came to so far, as some servers send each piece.
    Counted {
        text: String,
        input: u64,
        output: u64,
    },
    Thinking(String),
    Call {
        id: String,
        name: String,
        arguments: String,
    },
    Wait(Gate),
    /// The connection breaks here.
    Break,
    /// The provider reports an error inside the stream.
    Fail(Value),
}

/// An answer to write on: `say("Hello").wait(&gate).then("world")`.
pub fn say(text: &str) -> Script {
    Script::Answer(Vec::new()).then(text)
}

/// An answer that asks for a call first.
pub fn call(id: &str, name: &str, arguments: &Value) -> Script {
    Script::Answer(Vec::new()).call(id, name, arguments)
}

pub fn refuse(status: u16, words: &str) -> Script {
    Script::Refusal { status, words: words.into(), headers: Vec::new() }
}

impl Script {
    fn with(mut self, step: Step) -> Self {
        match &mut self {
            Self::Answer(steps) => steps.push(step),
            Self::Refusal { .. } => panic!("a refusal has no steps"),
        }
        self
    }
    pub fn then(self, text: &str) -> Self {
        self.with(Step::Text(text.into()))
    }
    pub fn counted(self, text: &str, input: u64, output: u64) -> Self {
        self.with(Step::Counted { text: text.into(), input, output })
    }
    pub fn think(self, text: &str) -> Self {
        self.with(Step::Thinking(text.into()))
    }
    pub fn wait(self, gate: &Gate) -> Self {
        self.with(Step::Wait(gate.clone()))
    }
    pub fn call(self, id: &str, name: &str, arguments: &Value) -> Self {
        self.call_text(id, name, &arguments.to_string())
    }
    /// A call whose arguments are any text, also one that is no JSON.
    pub fn call_text(self, id: &str, name: &str, arguments: &str) -> Self {
        self.with(Step::Call { id: id.into(), name: name.into(), arguments: arguments.into() })
    }
    pub fn broken(self) -> Self {
        self.with(Step::Break)
    }
    pub fn failing(self, error: Value) -> Self {
        self.with(Step::Fail(error))
    }
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Refusal { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }
}

/// The model server. Scripts are played in order; a conversation may have scripts of its own, told by its first
/// user message.
#[derive(Clone)]
pub struct ScriptedModel {
    pub base_url: String,
    parts: Arc<Parts>,
}

#[derive(Default)]
struct Parts {
    scripts: Mutex<HashMap<String, VecDeque<Script>>>,
    requests: Mutex<Vec<Request>>,
    faults: Mutex<Vec<String>>,
    dropped: Notify,
}

#[derive(Clone)]
struct Request {
    body: Value,
    authorization: Option<String>,
}

const ANY: &str = "";

impl ScriptedModel {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let model = Self { base_url, parts: Arc::default() };
        let router = Router::new().route("/v1/models", get(|| async { Json(json!({"data": []})) }));
        let router = Wire::ALL.into_iter().fold(router, |router, wire| {
            router.route(wire.path(), post(move |state, headers, body| answer(wire, state, headers, body)))
        });
        let router = router.with_state(model.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        model
    }

    pub fn play(&self, scripts: impl IntoIterator<Item = Script>) {
        self.play_for(ANY, scripts);
    }

    /// Scripts for the conversation that begins with `first_message`.
    pub fn play_for(&self, first_message: &str, scripts: impl IntoIterator<Item = Script>) {
        self.parts.scripts.lock().unwrap().entry(first_message.into()).or_default().extend(scripts);
    }

    /// Drops the scripts that were not asked for.
    pub fn forget(&self) {
        self.parts.scripts.lock().unwrap().clear();
    }

    /// The bodies of all requests so far.
    pub fn requests(&self) -> Vec<Value> {
        self.parts.requests.lock().unwrap().iter().map(|request| request.body.clone()).collect()
    }

    /// The messages of the last request.
    pub fn last_messages(&self) -> Vec<Value> {
        self.requests().last().unwrap()["messages"].as_array().unwrap().clone()
    }

    pub fn authorizations(&self) -> Vec<Option<String>> {
        self.parts.requests.lock().unwrap().iter().map(|request| request.authorization.clone()).collect()
    }

    /// Resolves when a client has left a stream before its end.
    pub async fn left_by_client(&self) {
        soon("the end of the model's stream", self.parts.dropped.notified()).await;
    }

    /// # Panics
    /// When a request was malformed or no script was left for one.
    pub fn check(&self) {
        let faults = self.parts.faults.lock().unwrap();
        assert!(faults.is_empty(), "what the model was asked is wrong: {faults:#?}");
    }

    fn take(&self, body: &Value) -> Option<Script> {
        let messages = body["messages"].as_array()?;
        let content = &messages.iter().find(|message| message["role"] == "user")?["content"];
        let first = content.as_str().or(content[0]["text"].as_str())?;
        let mut scripts = self.parts.scripts.lock().unwrap();
        let key = if scripts.contains_key(first) { first } else { ANY };
        scripts.get_mut(key)?.pop_front()
    }
}

async fn answer(
    wire: Wire,
    State(model): State<ScriptedModel>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Err(fault) = wire.check(&headers, &body) {
        model.parts.faults.lock().unwrap().push(format!("{fault}: {body:#}"));
    }
    let script = model.take(&body);
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    model.parts.requests.lock().unwrap().push(Request { body: body.clone(), authorization });
    match script {
        None => {
            model.parts.faults.lock().unwrap().push(format!("no script is left for {body:#}"));
            (StatusCode::BAD_REQUEST, "the script is over").into_response()
        }
        Some(Script::Refusal { status, words, headers }) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), wire.refusal(status, &words)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Some(Script::Answer(steps)) => {
            let (pieces, mut stream) = mpsc::channel(1);
            tokio::spawn(async move {
                tokio::select! {
                    () = perform(wire, steps, pieces.clone()) => {}
                    () = pieces.closed() => model.parts.dropped.notify_one(),
                }
            });
            let stream = futures::stream::poll_fn(move |context| stream.poll_recv(context));
            ([(header::CONTENT_TYPE, wire.content_type())], Body::from_stream(stream)).into_response()
        }
    }
}

async fn perform(wire: Wire, steps: Vec<Step>, pieces: mpsc::Sender<Result<Bytes, std::io::Error>>) {
    // A client that has left is noticed by whoever drives the script.
    let send = async |texts: Vec<String>| {
        for text in texts {
            let _ = pieces.send(Ok(Bytes::from(text))).await;
        }
    };
    let mut writer = wire.writer();
    send(writer.begin()).await;
    for step in steps {
        match step {
            Step::Text(text) => send(writer.text(&text)).await,
            Step::Counted { text, input, output } => send(writer.counted(&text, input, output)).await,
            Step::Thinking(text) => send(writer.thinking(&text)).await,
            Step::Call { id, name, arguments } => send(writer.call(&id, &name, &arguments)).await,
            Step::Wait(gate) => gate.pass().await,
            Step::Break => {
                let _ = pieces.send(Err(std::io::Error::other("broken by the script"))).await;
                return;
            }
            Step::Fail(error) => return send(writer.failure(&error)).await,
        }
    }
    send(writer.end()).await;
}
