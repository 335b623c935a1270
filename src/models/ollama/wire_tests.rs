//! The adapter over real sockets.

use axum::response::IntoResponse;
use serde_json::json;

use super::Ollama;
use crate::{
    agent::ports::model::{ChatMessage, Model, ModelError, ModelRequest, ToolSpec},
    models::http::{
        Settings,
        testing::{ScriptedServer, json as document, ok, refusal, said, settings, text, usage, without_made_up_ids},
    },
};

const USUAL: u64 = 24_000;
const HELLO: &str = "{\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"done\":false}\n\
    {\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"prompt_eval_count\":3,\"eval_count\":1}\n";

fn lines(body: &str) -> axum::response::Response {
    ([("content-type", "application/x-ndjson")], body.to_owned()).into_response()
}

fn question() -> ModelRequest {
    ModelRequest { messages: vec![ChatMessage::User("Hi".into())], ..ModelRequest::default() }
}

fn configured(base: String) -> Ollama {
    Ollama::new(Settings { context_tokens: Some(4096), ..settings(base) }, USUAL).unwrap()
}

#[tokio::test]
async fn a_conversation_is_sent_with_its_window_and_the_answer_read() {
    let (server, base) = ScriptedServer::start([lines(HELLO)]).await;
    let parameters = json!({"type": "object", "properties": {}});
    let spec = ToolSpec { name: "mcp.a.read".into(), description: "Reads.".into(), parameters: parameters.clone() };
    let request = ModelRequest { system: "Be brief.".into(), tools: [spec].into(), ..question() };
    assert_eq!(said(&configured(base), request).await, ok([text("Hello"), usage(3, 1, 0)]));
    let [asked] = &server.asked()[..] else { panic!() };
    assert_eq!((asked.line.as_str(), asked.header("authorization")), ("POST /api/chat", None));
    let expected = json!({
        "model": "local",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": true,
        "options": {"num_ctx": 4096},
        "tools": [{"type": "function", "function": {"name": "mcp_a_read", "description": "Reads.", "parameters": parameters}}],
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn the_window_is_asked_for_once_and_is_the_one_that_is_sent() {
    let shown = json!({"parameters": "num_ctx 16384", "model_info": {"qwen3.context_length": 40960}});
    let (server, base) = ScriptedServer::start([document(shown), lines(HELLO)]).await;
    let model = Ollama::new(settings(format!("{base}/v1/")), USUAL).unwrap();
    assert_eq!(model.context_limit().await, Some(16_384));
    said(&model, question()).await;
    assert_eq!(server.lines(), ["POST /api/show", "POST /api/chat"]);
    assert_eq!(server.asked()[0].body, json!({"model": "local"}));
    assert_eq!(server.asked()[1].body["options"]["num_ctx"], 16_384);
}

#[tokio::test]
async fn a_server_that_does_not_say_gets_the_usual_window() {
    let (_, base) = ScriptedServer::start([refusal(404, "404 page not found")]).await;
    assert_eq!(Ollama::new(settings(base), USUAL).unwrap().context_limit().await, Some(USUAL));
}

#[tokio::test]
async fn a_model_that_is_not_there_is_an_error_with_the_command_for_it() {
    let missing = refusal(404, r#"{"error":"model \"local\" not found, try pulling it first"}"#);
    let (_, base) = ScriptedServer::start([missing]).await;
    let said = said(&configured(base.clone()), question()).await;
    let [Err(ModelError::Fatal(detail))] = &said[..] else { panic!("{said:?}") };
    assert!(detail.starts_with(&base) && detail.contains("`ollama pull local`"), "{detail}");
}

#[tokio::test]
async fn health_says_whether_the_model_is_there() {
    let list = json!({"models": [{"name": "other:latest"}, {"name": "local:latest", "model": "local:latest"}]});
    let answers = [document(list), document(json!({"models": []})), refusal(500, "no")];
    let (server, base) = ScriptedServer::start(answers).await;
    let model = configured(base);
    assert_eq!(model.health().await, Ok(()));
    let Err(ModelError::Fatal(detail)) = model.health().await else { panic!() };
    assert!(detail.contains("`ollama pull local`"), "{detail}");
    assert!(matches!(model.health().await, Err(ModelError::Retry { .. })));
    assert_eq!(server.lines()[0], "GET /api/tags");
}

#[tokio::test]
async fn a_model_that_can_not_think_is_not_asked_to_again() {
    let cannot = || refusal(400, r#"{"error":"\"local\" does not support thinking"}"#);
    let (server, base) = ScriptedServer::start([cannot(), lines(HELLO), lines(HELLO)]).await;
    let settings = Settings { reasoning_effort: Some("high".into()), context_tokens: Some(4096), ..settings(base) };
    let model = Ollama::new(settings, USUAL).unwrap();
    for _ in 0..2 {
        assert_eq!(without_made_up_ids(said(&model, question()).await).len(), 2);
    }
    let thinks: Vec<bool> = server.asked().iter().map(|asked| asked.body.get("think").is_some()).collect();
    assert_eq!(thinks, [true, false, false]);
}
