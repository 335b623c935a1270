//! Spans over the wire: the built program, with the feature `otel`, beside a collector that this test plays.
//!
//!     cargo test --features ssr,otel --test otel

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod collector;
// Half of it is for the suite alone.
#[allow(dead_code)]
#[path = "../suite/support/mod.rs"]
mod support;

use serde_json::json;

use collector::{Collector, Span};
use support::{
    model::{ScriptedModel, call, refuse, say},
    process::{Home, Process},
    soon,
};

/// What stands in a conversation, each with a mark that no span may have.
const MESSAGE: &str = "message-mark: what stands in the report?";
const ANSWER: &str = "answer-mark: nothing much.";
const FILE: &str = "content-mark";
const KEY: &str = "key-mark-of-the-model";

/// A turn with a tool call and two model calls; the id of its session and that of the request that began it.
async fn turn(process: &Process, model: &ScriptedModel) -> (String, String) {
    let id = process.api.create(json!({"title": "title-mark", "mode": "accept_edits"})).await;
    let arguments = json!({"path": "path-mark.txt", "content": FILE});
    model.play([call("a", "write_file", &arguments), say(ANSWER)]);
    let mut socket = process.socket(&id, "").await;
    let body = json!({"message": MESSAGE}).to_string();
    let headers = [("content-type", "application/json")];
    let path = format!("/cowork/sessions/{id}/messages");
    let sent = process.api.request("POST", &path, &headers, Some(body)).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    socket.wait_event("turn_completed").await;
    (id, sent.header("x-request-id").to_owned())
}

#[track_caller]
fn named<'a>(spans: &'a [Span], name: &str, session: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name && span.text("session_id") == session).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn request_turn_model_and_tool_are_spans_of_one_trace_that_tell_no_text() {
    let collector = Collector::start().await;
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    home.add_settings(&format!("api_key = \"{KEY}\""));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20header-mark"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let process = home.start_with(&variables).await;
    let token = process.api.token().to_owned();
    let (session, request) = turn(&process, &model).await;
    process.api.get("/cowork/sessions/00000000000000000000000000000000").await.expect(404);
    // A model that fails, and a tool that isn't there, whose name is a text of the model's.
    model.play([call("b", "tool-mark", &json!({})), refuse(401, "refusal-mark")]);
    let failed = process.api.create(json!({})).await;
    let mut socket = process.socket(&failed, "").await;
    process.api.send(&failed, MESSAGE).await;
    socket.wait_event("turn_interrupted").await;
    drop(socket);
    let log = process.end().await;
    assert!(!log.contains("header-mark"), "{log}");

    let (spans, resource) = (collector.spans(), collector.resource());
    assert_eq!(
        (resource["service.name"].as_str(), resource["service.version"].as_str()),
        ("cowork", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(resource["deployment.environment.name"], "test");
    let sent = spans.iter().find(|span| span.name == "request" && span.text("request_id") == request).unwrap();
    assert_eq!((sent.text("method"), sent.text("route")), ("POST", "/cowork/sessions/{id}/messages"));
    assert_eq!((sent.text("session_id"), sent.number("status")), (session.as_str(), 202));
    let turns = named(&spans, "turn", &session);
    let [turn] = turns.as_slice() else { panic!("{spans:#?}") };
    assert_eq!((&turn.parent, turn.number("turn")), (&sent.id, 1));
    let (models, tools) = (named(&spans, "model_call", &session), named(&spans, "tool_call", &session));
    assert_eq!((models.len(), tools.len()), (2, 1), "{spans:#?}");
    for span in turns.iter().chain(&models).chain(&tools) {
        assert_eq!((&span.trace, span.text("request_id")), (&sent.trace, request.as_str()), "{span:?}");
        assert!(span.name == "turn" || span.parent == turn.id, "{span:?}");
        assert!(!span.failed && span.end >= span.start, "{span:?}");
        assert_eq!(span.events, 0, "a line of the log is no part of it");
    }
    for (message, span) in models.iter().enumerate() {
        assert_eq!((span.text("model"), span.number("message")), ("scripted", message as i64));
        assert_eq!((span.number("input_tokens"), span.number("output_tokens")), (11, 7));
        assert_eq!((span.text("outcome"), span.number("attempt")), ("complete", 1));
    }
    assert_eq!((tools[0].text("tool"), tools[0].text("success")), ("write_file", "true"));

    assert!(spans.iter().any(|span| span.name == "request" && span.number("status") == 404), "{spans:#?}");
    let (models, tools) = (named(&spans, "model_call", &failed), named(&spans, "tool_call", &failed));
    assert_eq!((tools[0].text("tool"), tools[0].text("success"), tools[0].failed), ("unknown", "false", true));
    assert_eq!((models[1].text("outcome"), models[1].failed), ("failed", true));

    for request in collector.requests() {
        assert_eq!(request.authorization, "Bearer header-mark", "the operator's own header goes along");
        let told = String::from_utf8_lossy(&request.body);
        for secret in ["-mark", token.as_str(), KEY] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_until_a_variable_says_where() {
    let collector = Collector::start().await;
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str());
    for variables in [vec![], vec![there, ("OTEL_SDK_DISABLED", "true")], vec![there, ("OTEL_TRACES_EXPORTER", "none")]]
    {
        let process = home.start_with(&variables).await;
        turn(&process, &model).await;
        process.end().await;
        assert!(collector.requests().is_empty(), "{variables:?}");
    }
    let process = home.start_with(&[there, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).await;
    turn(&process, &model).await;
    let log = process.end().await;
    assert!(log.contains("no spans are sent") && log.contains("http/protobuf"), "{log}");
    assert!(collector.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_arrive_while_the_server_runs_and_a_collector_that_is_not_there_holds_nothing_up() {
    let collector = Collector::start().await;
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let own = format!("{}/v1/traces", collector.url);
    let process =
        home.start_with(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &own), ("OTEL_BSP_SCHEDULE_DELAY", "50")]).await;
    let (session, _) = turn(&process, &model).await;
    let arrived = async {
        while named(&collector.spans(), "turn", &session).is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    soon("the span of the turn", arrived).await;
    process.end().await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let process = home.start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{nobody}"))]).await;
    turn(&process, &model).await;
    process.end().await;
}
