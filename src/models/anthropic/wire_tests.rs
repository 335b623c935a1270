//! The adapter over real sockets.

use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::Anthropic;
use crate::{
    agent::ports::model::{ChatMessage, Model, ModelError, ModelEvent, ModelRequest},
    config::ApiKey,
    models::http::{
        Settings,
        testing::{
            STREAM_HEAD, Said, ScriptedServer, call, chunk, json as document, ok, raw, refusal, said, settings as bare,
            sse, text,
        },
    },
};

fn events(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

fn hello() -> String {
    let text = json!({"type": "text_delta", "text": "Hello"});
    let stop = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}});
    let delta = json!({"type": "content_block_delta", "index": 0, "delta": text});
    events(&[delta, stop, json!({"type": "message_stop"})])
}

fn error(kind: &str, message: &str) -> String {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).to_string()
}

fn settings(base: &str) -> Settings {
    Settings { api_key: Some(ApiKey::new("sk-ant-secret")), model: "claude-x".into(), ..bare(base) }
}

fn model(base: &str) -> Anthropic {
    Anthropic::new(settings(base)).unwrap()
}

fn question() -> ModelRequest {
    ModelRequest {
        system: "Be brief.".into(),
        messages: vec![ChatMessage::User("Hi".into())],
        ..ModelRequest::default()
    }
}

/// What is said by a server that gives one answer.
async fn told(answer: axum::response::Response) -> Said {
    let (_, base) = ScriptedServer::start([answer]).await;
    said(&model(&base), question()).await
}

#[tokio::test]
async fn a_conversation_is_sent_with_key_and_version() {
    let (server, base) = ScriptedServer::start([sse(hello()), sse(hello())]).await;
    assert_eq!(said(&model(&base), question()).await, ok([text("Hello")]));
    assert_eq!(said(&model(&format!("{base}/v1/")), question()).await, ok([text("Hello")]));
    assert_eq!(server.lines(), ["POST /v1/messages", "POST /v1/messages"]);
    let asked = &server.asked()[0];
    assert_eq!(asked.header("x-api-key"), Some("sk-ant-secret"));
    assert_eq!(asked.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(asked.header("authorization"), None);
    let mark = json!({"type": "ephemeral"});
    let expected = json!({
        "model": "claude-x",
        "max_tokens": 8192,
        "stream": true,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": mark}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": mark}]}],
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn a_turn_goes_on_with_the_thoughts_that_led_to_its_calls() {
    let first = events(&[
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
        json!({"type": "message_stop"}),
    ]);
    let (server, base) = ScriptedServer::start([sse(first), sse(hello())]).await;
    let model = model(&base);
    let said_first = said(&model, question()).await;
    let Some(Ok(ModelEvent::ToolCall(made))) = said_first.last() else { panic!("{said_first:?}") };
    assert_eq!(*made, call("toolu_1", "read", "{}"));

    let mut request = question();
    let result =
        ChatMessage::Tool { call_id: "toolu_1".into(), name: "read".into(), success: true, content: "ok".into() };
    request.messages.extend([ChatMessage::Assistant { text: String::new(), calls: vec![made.clone()] }, result]);
    assert_eq!(said(&model, request).await, ok([text("Hello")]));
    let expected = json!([
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}},
    ]);
    assert_eq!(server.asked()[1].body["messages"][1]["content"], expected);
}

#[tokio::test]
async fn a_model_that_refuses_a_way_to_think_is_asked_in_the_next() {
    let refused = |message| refusal(400, error("invalid_request_error", message));
    let answers = [
        refused("adaptive thinking is not supported on this model"),
        refused("thinking is not supported on this model"),
        refused("`temperature` is deprecated for this model."),
        sse(hello()),
        sse(hello()),
    ];
    let (server, base) = ScriptedServer::start(answers).await;
    let settings = Settings { reasoning_effort: Some("high".into()), temperature: Some(0.1), ..settings(&base) };
    let model = Anthropic::new(settings).unwrap();
    assert_eq!(said(&model, question()).await, ok([text("Hello")]));
    assert_eq!(said(&model, question()).await, ok([text("Hello")]));
    let kinds: Vec<Value> = server.asked().iter().map(|asked| asked.body["thinking"]["type"].clone()).collect();
    assert_eq!(kinds, [json!("adaptive"), json!("enabled"), Value::Null, Value::Null, Value::Null]);
    assert_eq!(server.asked()[4].body.get("temperature"), None);
}

#[tokio::test]
async fn errors_are_told_apart_by_status_and_words() {
    for (status, kind, message, expected) in [
        (401, "authentication_error", "invalid x-api-key", "Auth"),
        (403, "permission_error", "no", "Auth"),
        (404, "not_found_error", "model: claude-x", "Fatal"),
        (413, "request_too_large", "too large", "ContextFull"),
        (400, "invalid_request_error", "prompt is too long: 205000 tokens > 200000 maximum", "ContextFull"),
        (400, "invalid_request_error", "messages: roles must alternate", "Fatal"),
        (400, "invalid_request_error", "Your credit balance is too low", "Refused"),
        (429, "rate_limit_error", "slow down", "Retry"),
        (500, "api_error", "Internal server error", "Retry"),
        (529, "overloaded_error", "Overloaded", "Retry"),
    ] {
        let said = told(refusal(status, error(kind, message))).await;
        assert!(format!("{said:?}").starts_with(&format!("[Err({expected}")), "{status} {message}: {said:?}");
        assert!(!format!("{said:?}").contains("sk-ant-secret"));
    }
}

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_passed_on() {
    let busy = (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], error("rate_limit_error", "x"));
    let said = told(busy.into_response()).await;
    let [Err(ModelError::Retry { after: Some(wait), .. })] = &said[..] else { panic!("{said:?}") };
    assert_eq!(wait.as_secs(), 7);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_worth_another_try_after_what_was_said() {
    let (base, accepted) = raw().await;
    let model = model(&base);
    let first = hello().split_inclusive("\n\n").next().unwrap().to_owned();
    let serve = async {
        let mut socket = accepted.await;
        socket.write_all(format!("{STREAM_HEAD}{}", chunk(&first)).as_bytes()).await.unwrap();
    };
    let (said, ()) = tokio::join!(said(&model, question()), serve);
    assert_eq!(said[0], Ok(text("Hello")));
    assert!(matches!(&said[1..], [Err(ModelError::Retry { after: None, .. })]), "{said:?}");
}

#[tokio::test]
async fn window_and_longest_answer_are_asked_of_the_server() {
    let entry = json!({"type": "model", "id": "claude-x", "max_input_tokens": 1_000_000, "max_tokens": 16_000});
    let (server, base) = ScriptedServer::start([document(entry), sse(hello())]).await;
    let model = model(&base);
    assert_eq!(model.context_limit().await, Some(1_000_000));
    said(&model, question()).await;
    assert_eq!(server.lines(), ["GET /v1/models/claude-x", "POST /v1/messages"]);
    assert_eq!(server.asked()[1].body["max_tokens"], 16_000);

    let (_, base) = ScriptedServer::start([refusal(404, "")]).await;
    assert_eq!(self::model(&base).context_limit().await, Some(200_000), "what every Claude has");
    let (_, base) = ScriptedServer::start([refusal(404, "")]).await;
    let other = Anthropic::new(Settings { model: "qwen".into(), ..settings(&base) }).unwrap();
    assert_eq!(other.context_limit().await, None);
}

#[tokio::test]
async fn health_costs_nothing() {
    let answers = [document(json!({"data": []})), refusal(404, "no"), refusal(401, error("authentication_error", "x"))];
    let (server, base) = ScriptedServer::start(answers).await;
    let model = model(&base);
    assert_eq!(model.health().await, Ok(()));
    assert_eq!(model.health().await, Ok(()));
    assert!(matches!(model.health().await, Err(ModelError::Auth(_))));
    assert_eq!(server.lines(), ["GET /v1/models"; 3]);
}
