//! The adapter over real sockets.

use std::time::Duration;

use axum::response::IntoResponse;
use futures::StreamExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{OpenAiCompatible, Settings};
use crate::{
    agent::ports::model::{ChatMessage, Model, ModelError, ModelEvent, ModelRequest, ToolSpec},
    config::ApiKey,
    models::http::{
        Timeouts,
        testing::{self, STREAM_HEAD, Said, ScriptedServer, call, chunk, json as document, refusal, said, sse},
    },
};

const HELLO: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n";

async fn start(answers: impl IntoIterator<Item = axum::response::Response>) -> (ScriptedServer, String) {
    let (server, base) = ScriptedServer::start(answers).await;
    (server, format!("{base}/v1"))
}

async fn raw() -> (String, impl Future<Output = tokio::net::TcpStream>) {
    let (base, accepted) = testing::raw().await;
    (format!("{base}/v1"), accepted)
}

fn settings(base_url: impl Into<String>) -> Settings {
    let api_key = Some(ApiKey::new("sk-secret"));
    Settings { api_key, max_tokens: Some(64), temperature: Some(0.1), ..testing::settings(base_url) }
}

fn model(base_url: impl Into<String>) -> OpenAiCompatible {
    OpenAiCompatible::new(settings(base_url)).unwrap()
}

fn question() -> ModelRequest {
    ModelRequest {
        system: "Be brief.".into(),
        messages: vec![ChatMessage::User("Hi".into())],
        ..ModelRequest::default()
    }
}

/// The only thing said, an error.
async fn error(base_url: impl Into<String>) -> ModelError {
    let mut said = said(&model(base_url), question()).await;
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0).unwrap_err()
}

fn hello() -> Said {
    vec![Ok(ModelEvent::Text("Hello".into()))]
}

#[tokio::test]
async fn a_whole_conversation_is_sent_as_the_wire_wants_it() {
    let (server, base) = start([sse(HELLO)]).await;
    let call = call("c1", "mcp.files.read", r#"{"path":"a"}"#);
    let request = ModelRequest {
        system: "Be brief.".into(),
        messages: vec![
            ChatMessage::User("Hi".into()),
            ChatMessage::Assistant { text: String::new(), calls: vec![call] },
            ChatMessage::Tool {
                call_id: "c1".into(),
                name: "mcp.files.read".into(),
                success: false,
                content: String::new(),
            },
        ],
        tools: [ToolSpec {
            name: "mcp.files.read".into(),
            description: "Reads a file.".into(),
            parameters: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
        }]
        .into(),
    };
    assert_eq!(said(&model(format!("{base}/")), request).await, hello());
    let body = json!({
        "model": "local",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "mcp_files_read", "arguments": r#"{"path":"a"}"#}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "Error: the tool failed without saying why"},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "tools": [{"type": "function", "function": {
            "name": "mcp_files_read",
            "description": "Reads a file.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        }}],
        "max_tokens": 64,
        "temperature": 0.1,
    });
    let [asked] = &server.asked()[..] else { panic!() };
    assert_eq!(asked.line, "POST /v1/chat/completions");
    assert_eq!(asked.header("authorization"), Some("Bearer sk-secret"));
    assert_eq!(asked.body, body);
}

#[tokio::test]
async fn a_stream_without_done_ends_and_is_asked_for_once() {
    let (server, base) = start([sse(HELLO)]).await;
    assert_eq!(said(&model(base), question()).await, hello());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn without_a_key_no_authorization_is_sent() {
    let (server, base) = start([sse(HELLO)]).await;
    let model = OpenAiCompatible::new(Settings { api_key: Some(ApiKey::new("")), ..settings(base) }).unwrap();
    said(&model, question()).await;
    assert_eq!(server.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_whole_answer_to_the_request_for_a_stream_is_taken() {
    let answer = json!({"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]});
    let (_, base) = start([document(answer)]).await;
    assert_eq!(said(&model(base), question()).await, hello());
}

#[tokio::test]
async fn an_error_in_the_stream_ends_it_after_what_was_said() {
    let stream = format!("{HELLO}data: {{\"error\":{{\"message\":\"out of memory\",\"code\":500}}}}\n\n{HELLO}");
    let (_, base) = start([sse(stream)]).await;
    let said = said(&model(base), question()).await;
    assert_eq!(said[..1], hello());
    assert!(
        matches!(&said[1..], [Err(ModelError::Retry { detail, .. })] if detail.contains("out of memory")),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_a_server_refuses_is_left_out_then_and_later() {
    let refusals = [
        refusal(
            400,
            json!({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}}),
        ),
        refusal(
            400,
            json!({"error": {"message": "Unsupported value: 'temperature' does not support 0.1 with this model."}}),
        ),
        refusal(422, json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]})),
    ];
    let (server, base) = start(refusals.into_iter().chain([sse(HELLO), sse(HELLO)])).await;
    let model = model(base);
    assert_eq!(said(&model, question()).await, hello());
    assert_eq!(said(&model, question()).await, hello());
    let asked = server.asked();
    assert_eq!(asked.len(), 5);
    for body in asked[3..].iter().map(|asked| &asked.body) {
        let left_out = ["max_tokens", "temperature", "stream_options"];
        assert!(left_out.iter().all(|field| body.get(field).is_none()), "{body}");
        assert_eq!(body["max_completion_tokens"], 64);
    }
}

#[tokio::test]
async fn a_refusal_that_does_not_change_is_not_asked_for_again() {
    let words = "max_completion_tokens: no. max_tokens: no.";
    let (server, base) = start([refusal(400, words), refusal(400, words)]).await;
    assert!(matches!(error(base).await, ModelError::Fatal(_)));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_full_context_is_told_at_once_even_where_it_names_the_limit() {
    let words = "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096 tokens";
    let (server, base) = start([refusal(400, json!({"error": {"message": words}}))]).await;
    assert!(matches!(error(base).await, ModelError::ContextFull(_)));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn the_wait_in_the_header_comes_with_the_error() {
    let busy = ([("retry-after", "7")], "busy").into_response();
    let (parts, body) = busy.into_parts();
    let busy = (axum::http::StatusCode::TOO_MANY_REQUESTS, parts.headers, body).into_response();
    let (_, base) = start([busy]).await;
    let made = error(base).await;
    assert!(matches!(made, ModelError::Retry { after: Some(wait), .. } if wait == Duration::from_secs(7)), "{made:?}");
}

#[tokio::test]
async fn a_refused_key_is_not_repeated() {
    let (_, base) = start([refusal(401, "Incorrect API key provided: sk-secret")]).await;
    let ModelError::Auth(text) = error(base.clone()).await else { panic!() };
    assert!(text.starts_with(&base) && !text.contains("sk-secret"), "{text}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_but_named() {
    let elsewhere = (axum::http::StatusCode::FOUND, [("location", "http://elsewhere.example/v1")]).into_response();
    let (_, base) = start([elsewhere]).await;
    let ModelError::Fatal(text) = error(base).await else { panic!() };
    assert!(text.contains("redirects to http://elsewhere.example/v1"), "{text}");
}

#[tokio::test]
async fn where_nothing_listens_the_error_says_what_to_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let detail = format!("Nothing answers at {base}. Start the model server or correct base_url.");
    assert_eq!(error(base.clone()).await, ModelError::Retry { after: None, detail: detail.clone() });
    assert_eq!(model(base).health().await, Err(ModelError::Retry { after: None, detail }));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_worth_another_try_after_what_was_said() {
    let (base, accepted) = raw().await;
    let model = model(base);
    let serve = async {
        let mut socket = accepted.await;
        socket.write_all(format!("{STREAM_HEAD}{}", chunk(HELLO)).as_bytes()).await.unwrap();
    };
    let (said, ()) = tokio::join!(said(&model, question()), serve);
    assert_eq!(said[..1], hello());
    assert!(matches!(&said[1..], [Err(ModelError::Retry { after: None, .. })]), "{said:?}");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let short = Duration::from_millis(50);
    for (first_byte, idle, sends) in [(short, Timeouts::IDLE, ""), (Timeouts::FIRST_BYTE, short, HELLO)] {
        let (base, accepted) = raw().await;
        let timeouts = Timeouts { first_byte, idle, ..Timeouts::default() };
        let model = OpenAiCompatible::new(Settings { timeouts, ..settings(base) }).unwrap();
        let serve = async {
            let mut socket = accepted.await;
            let body = if sends.is_empty() { String::new() } else { chunk(sends) };
            socket.write_all(format!("{STREAM_HEAD}{body}").as_bytes()).await.unwrap();
            socket
        };
        let (said, _open) = tokio::join!(said(&model, question()), serve);
        let Some(Err(ModelError::Retry { detail, .. })) = said.last() else { panic!("{said:?}") };
        assert!(detail.contains("has sent nothing for 50ms"), "{detail}");
        assert_eq!(said.len(), if sends.is_empty() { 1 } else { 2 });
    }
}

/// A machine that answers no call: one waits to be taken already, and there is room for no other.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_does_not_come_about_is_given_up_long_before_the_first_byte_is() {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _waits = tokio::net::TcpStream::connect(address).await.unwrap();

    let base = format!("http://{address}/v1");
    let timeouts = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let model = OpenAiCompatible::new(Settings { timeouts, ..settings(&base) }).unwrap();
    let said = tokio::time::timeout(Duration::from_secs(20), said(&model, question())).await;
    let said = said.expect("the connection is given up");
    let [Err(ModelError::Retry { after: None, detail })] = &said[..] else { panic!("{said:?}") };
    assert!(detail.starts_with(&format!("No connection to {base} comes about in time.")), "{detail}");
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let (base, accepted) = raw().await;
    let mut stream = model(base).stream(question());
    let serve = async {
        let mut socket = accepted.await;
        socket.write_all(format!("{STREAM_HEAD}{}", chunk(HELLO)).as_bytes()).await.unwrap();
        socket
    };
    let (first, mut socket) = tokio::join!(stream.next(), serve);
    assert_eq!(first, hello().pop());
    drop(stream);
    let closed = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut [0; 16])).await;
    assert!(matches!(closed.expect("the connection ends"), Ok(0) | Err(_)));
}

#[tokio::test]
async fn health_asks_for_the_models_and_does_without_the_list() {
    let answers = [sse("{}"), refusal(404, "no"), refusal(401, "no"), refusal(503, "Loading model")];
    let (server, base) = start(answers).await;
    let model = model(base);
    assert_eq!(model.health().await, Ok(()));
    assert_eq!(model.health().await, Ok(()));
    assert!(matches!(model.health().await, Err(ModelError::Auth(_))));
    assert!(matches!(model.health().await, Err(ModelError::Retry { .. })));
    assert_eq!(server.asked()[0].line, "GET /v1/models");
}

#[tokio::test]
async fn the_window_is_the_configured_one_or_what_the_server_says() {
    let configured = Settings { context_tokens: Some(5), ..settings("http://127.0.0.1:9/v1") };
    assert_eq!(OpenAiCompatible::new(configured).unwrap().context_limit().await, Some(5));

    let vllm = json!({"object": "list", "data": [{"id": "other", "max_model_len": 1}, {"id": "local", "max_model_len": 40960}]});
    let (server, base) = start([document(vllm)]).await;
    let model = model(base);
    assert_eq!(model.context_limit().await, Some(40960));
    assert_eq!(model.context_limit().await, Some(40960));
    assert_eq!(server.lines(), ["GET /v1/models"], "asked once");
}

#[tokio::test]
async fn local_servers_are_asked_in_their_own_ways() {
    let trained = json!({"data": [{"id": "/m/a.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]});
    let props = json!({"default_generation_settings": {"n_ctx": 8192}, "total_slots": 4});
    let (server, base) = start([document(trained), document(props)]).await;
    assert_eq!(model(base).context_limit().await, Some(8192));
    assert_eq!(server.lines(), ["GET /v1/models", "GET /props"]);

    let listed = json!({"data": [{"id": "local"}, {"id": "other"}]});
    let loaded = json!({"id": "local", "state": "loaded", "max_context_length": 131072, "loaded_context_length": 4096});
    let unknown = document(json!({"error": "Unexpected endpoint or method. (GET /props)"}));
    let (server, base) = start([document(listed), unknown, document(loaded)]).await;
    assert_eq!(model(base).context_limit().await, Some(4096));
    assert_eq!(server.lines()[2], "GET /api/v0/models/local");

    let (_, base) = start([refusal(404, ""), refusal(404, ""), refusal(404, "")]).await;
    assert_eq!(model(base).context_limit().await, None);
}
