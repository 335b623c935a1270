//! A model that plays scripts: an OpenAI-compatible server that says what a test wrote, waits where the test wants
//! it to, and refuses a conversation that no provider would take.

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
    Refusal { status: u16, body: String, headers: Vec<(&'static str, &'static str)> },
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
    let body = json!({"error": {"message": words}}).to_string();
    Script::Refusal { status, body, headers: Vec::new() }
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
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .route("/v1/models", get(|| async { Json(json!({"data": []})) }))
            .with_state(model.clone());
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
        let first = messages.iter().find(|message| message["role"] == "user")?["content"].as_str()?;
        let mut scripts = self.parts.scripts.lock().unwrap();
        let key = if scripts.contains_key(first) { first } else { ANY };
        scripts.get_mut(key)?.pop_front()
    }
}

async fn answer(State(model): State<ScriptedModel>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Err(fault) = check_conversation(&body) {
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
        Some(Script::Refusal { status, body, headers }) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Some(Script::Answer(steps)) => {
            let (pieces, mut stream) = mpsc::channel(1);
            tokio::spawn(async move {
                tokio::select! {
                    () = perform(steps, pieces.clone()) => {}
                    () = pieces.closed() => model.parts.dropped.notify_one(),
                }
            });
            let stream = futures::stream::poll_fn(move |context| stream.poll_recv(context));
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
        }
    }
}

type Pieces = mpsc::Sender<Result<Bytes, std::io::Error>>;

async fn perform(steps: Vec<Step>, pieces: Pieces) {
    let mut calls = 0;
    for step in steps {
        let events = match step {
            Step::Text(text) => vec![delta(&json!({"content": text}))],
            Step::Counted { text, input, output } => {
                let mut piece = delta(&json!({"content": text}));
                piece["usage"] = usage(input, output);
                vec![piece]
            }
            Step::Thinking(text) => vec![delta(&json!({"reasoning_content": text}))],
            Step::Call { id, name, arguments } => {
                let index = calls;
                calls += 1;
                call_in_pieces(index, &id, &name, &arguments)
            }
            Step::Wait(gate) => {
                gate.pass().await;
                continue;
            }
            Step::Break => {
                let _ = pieces.send(Err(std::io::Error::other("broken by the script"))).await;
                return;
            }
            Step::Fail(error) => {
                send(&pieces, &json!({"error": error})).await;
                return;
            }
        };
        for event in events {
            send(&pieces, &event).await;
        }
    }
    let reason = if calls > 0 { "tool_calls" } else { "stop" };
    send(&pieces, &json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})).await;
    send(&pieces, &json!({"choices": [], "usage": usage(11, 7)})).await;
    let _ = pieces.send(Ok(Bytes::from_static(b"data: [DONE]\n\n"))).await;
}

fn usage(input: u64, output: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn delta(delta: &Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

/// As providers send calls: the name first, then the arguments bit by bit.
fn call_in_pieces(index: usize, id: &str, name: &str, arguments: &str) -> Vec<Value> {
    let middle = arguments.char_indices().nth(arguments.chars().count() / 2).map_or(0, |(at, _)| at);
    let (first, second) = arguments.split_at(middle);
    let begin = json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
    let more = |text: &str| json!({"index": index, "function": {"arguments": text}});
    [begin, more(first), more(second)].map(|call| delta(&json!({"tool_calls": [call]}))).into()
}

async fn send(pieces: &Pieces, event: &Value) {
    // A client that has left is noticed by whoever drives the script.
    let _ = pieces.send(Ok(Bytes::from(format!("data: {event}\n\n")))).await;
}

/// What providers refuse: an unknown role, a call without its result right behind it, a result without its call.
fn check_conversation(body: &Value) -> Result<(), String> {
    let messages = body["messages"].as_array().ok_or("there are no messages")?;
    let mut open: VecDeque<&str> = VecDeque::new();
    for (index, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            return Err(format!("the calls {open:?} have no result before message {index}"));
        }
        match role {
            "system" if index == 0 => {}
            "user" if message["content"].is_string() || message["content"].is_array() => {}
            "assistant" => {
                let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
                open.extend(calls.iter().map(|call| call["id"].as_str().unwrap_or_default()));
                for call in calls {
                    let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                    serde_json::from_str::<serde_json::Map<String, Value>>(arguments)
                        .map_err(|error| format!("arguments of message {index} are no object: {error}"))?;
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if open.pop_front() != Some(id) {
                    return Err(format!("message {index} answers {id}, which was not asked for there"));
                }
            }
            other => return Err(format!("message {index} has the role {other:?}")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("the calls {open:?} have no result")) }
}

#[test]
fn a_conversation_with_a_missing_or_foreign_result_is_noticed() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}});
    let asks = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": ""});
    let user = json!({"role": "user", "content": "hello"});
    let check = |messages: Vec<&Value>| check_conversation(&json!({"messages": messages}));
    assert_eq!(check(vec![&user, &asks, &result("a"), &user]), Ok(()));
    assert!(check(vec![&user, &asks]).is_err());
    assert!(check(vec![&user, &asks, &user, &result("a")]).is_err());
    assert!(check(vec![&user, &asks, &result("b")]).is_err());
    assert!(check(vec![&user, &asks, &result("a"), &result("a")]).is_err());
    assert!(check(vec![&json!({"role": "robot"})]).is_err());
}
