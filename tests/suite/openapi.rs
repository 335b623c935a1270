//! `/openapi.json` against the router and against real answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    form::Form,
    http::{Answer, Api},
    model::{call, say},
    server::{Server, wait_for_end},
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// What browsers open and what they need for it; scripts have no use for these.
const PAGES: [&str; 6] =
    ["/", "/favicon.svg", "/pkg/{build}/{file}", "/sessions/{id}", "/sessions/{id}/live", "/sessions/{id}/sharing"];

async fn document(api: &Api) -> Value {
    api.get("/openapi.json").await.expect(200)
}

/// Every method of every address that the document has, by the router's pattern.
fn described(document: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            found.insert((method.to_ascii_uppercase(), path.clone()));
        }
    }
    found
}

#[tokio::test]
async fn every_method_of_every_address_is_described_and_no_other() {
    let server = Server::start().await;
    let described = described(&document(&server.api).await);
    let is_page = |pattern: &String| PAGES.contains(&pattern.as_str()) || pattern.starts_with("/docs");
    let mut there = BTreeSet::new();
    for pattern in server.addresses.iter().filter(|pattern| !is_page(pattern)) {
        let unknown = "0123456789abcdef0123456789abcdef";
        let address: Vec<&str> =
            pattern.split('/').map(|part| if part.starts_with('{') { unknown } else { part }).collect();
        for method in METHODS {
            let body = (!matches!(method, "GET" | "HEAD" | "OPTIONS")).then(|| "{}".to_owned());
            let headers = [("content-type", "application/json"), ("tus-resumable", "1.0.0")];
            let answer = server.api.request(method, &address.join("/"), &headers, body).await;
            // GET brings HEAD with it; only resumable uploads have one of their own.
            let is_own = method != "HEAD" || pattern.contains("{upload}");
            if answer.status != 405 && is_own {
                there.insert((method.to_owned(), pattern.replace("{*", "{")));
            }
        }
    }
    assert!(there.len() > 50, "{there:?}");
    assert_eq!(described, there);
}

/// The schema of an answer, with all that it refers to.
fn schema(document: &Value, method: &str, path: &str, status: u16, media_type: &str) -> Value {
    let operation = &document["paths"][path][method.to_ascii_lowercase()];
    let responses = &operation["responses"];
    let status = status.to_string();
    let response = responses.get(&status).unwrap_or(&responses["default"]);
    let content = &response["content"][media_type]["schema"];
    assert!(content.is_object(), "{method} {path} {status} {media_type}: {operation:#}");
    let mut whole = content.clone();
    whole["components"] = document["components"].clone();
    whole
}

/// Where the document says more than the answer, or the answer more than the document.
fn check(document: &Value, method: &str, path: &str, answer: &Answer) {
    let media_type = answer.header("content-type").split(';').next().unwrap();
    let schema = schema(document, method, path, answer.status, media_type);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value = answer.json();
    let faults: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{method} {path} {}: {faults:#?}\n{value:#}", answer.status);
}

#[tokio::test]
async fn the_document_is_openapi_and_all_its_schemas_hold() {
    let server = Server::start().await;
    let document = document(&server.api).await;
    assert_eq!(document["openapi"], "3.1.0");
    fn refers(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| refers(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| refers(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    refers(&document, &mut found);
    assert!(found.contains("#/components/schemas/Session"), "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema:#}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        let in_path: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap();
            let told = parameters.iter().filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap());
            assert_eq!(told.collect::<BTreeSet<_>>(), in_path, "{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty() && operation["responses"].is_object());
        }
    }
    let code = &document["components"]["schemas"]["ErrorCode"]["enum"];
    assert_eq!(code.as_array().unwrap().len(), cowork::protocol::ErrorCode::ALL.len());
}

const OWN: &str = "/cowork/sessions/{id}";

/// Asks, and holds each answer against the document.
struct Checked<'a> {
    api: &'a Api,
    document: &'a Value,
}

impl Checked<'_> {
    async fn ask(&self, method: &str, pattern: &str, address: &str, body: Option<Value>) -> Answer {
        let headers = [("content-type", "application/json")];
        let answer = self.api.request(method, address, &headers, body.map(|body| body.to_string())).await;
        check(self.document, method, pattern, &answer);
        answer
    }

    /// At an address of the session.
    async fn own(&self, method: &str, id: &str, pattern: &str, address: &str, body: Option<Value>) -> Answer {
        self.ask(method, &format!("{OWN}{pattern}"), &format!("/cowork/sessions/{id}{address}"), body).await
    }
}

/// A turn that asks for everything, with a message that waits meanwhile.
async fn work(server: &Server, checked: &Checked<'_>, id: &str) {
    let mut socket = server.socket(id, "").await;
    checked.own("POST", id, "/messages", "/messages", Some(json!({"message": "Write, then ask."}))).await;
    socket.wait("approval_requested").await;
    let waiting = checked.own("GET", id, "", "", None).await.json();
    let approval = format!("/approvals/{}", waiting["pending"][0]["approval_id"].as_str().unwrap());
    let queued = json!({"message": "And then?", "client_id": "c1"});
    checked.own("POST", id, "/messages", "/messages", Some(queued)).await;
    let queue = checked.own("GET", id, "/queue", "/queue", None).await.json();
    let message = format!("/queue/{}", queue[0]["message_id"].as_str().unwrap());
    checked.own("PATCH", id, "/queue/{message}", &message, Some(json!({"message": "And then, please?"}))).await;
    assert_eq!(server.api.delete(&format!("/cowork/sessions/{id}{message}")).await.status, 204);
    let always = json!({"decision": "approve_always"});
    for status in [200, 409] {
        let answer = checked.own("POST", id, "/approvals/{approval}", &approval, Some(always.clone())).await;
        assert_eq!(answer.status, status);
    }
    let asked = socket.wait("awaiting_user_input").await;
    checked.own("GET", id, "", "", None).await;
    let question = format!("/questions/{}", asked["question_id"].as_str().unwrap());
    let chosen = json!({"option_ids": [asked["options"][0]["id"]]});
    assert_eq!(checked.own("POST", id, "/questions/{question}", &question, Some(chosen)).await.status, 200);
    wait_for_end(&mut socket).await;
    let uploaded = server.api.upload(id, Form::new().file("up.txt", "uploaded\n")).await;
    check(checked.document, "POST", &format!("{OWN}/uploads"), &uploaded);
}

/// A day's work, each answer checked as it comes.
#[tokio::test]
async fn real_answers_have_the_shapes_of_the_document() {
    let server = Server::playing([
        call("a", "write_file", &json!({"path": "made.txt", "content": "made\n"})),
        say("").call("q", "ask_user", &json!({"question": "Which?", "options": ["a", "b"]})),
        say("Done."),
    ])
    .await;
    let document = document(&server.api).await;
    let checked = Checked { api: &server.api, document: &document };
    let made = checked.ask("POST", "/cowork/sessions", "/cowork/sessions", Some(json!({"title": "First"}))).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    work(&server, &checked, &id).await;
    for (pattern, address) in [
        ("/health", "/health"),
        ("/models", "/models"),
        ("/models/offers", "/models/offers"),
        ("/tools", "/tools"),
        ("/config", "/config"),
        ("/me", "/me"),
        ("/cowork/workspaces", "/cowork/workspaces"),
        ("/cowork/sessions", "/cowork/sessions?q=Write&limit=10"),
    ] {
        checked.ask("GET", pattern, address, None).await;
    }
    for (pattern, address) in [
        ("/turns", "/turns?limit=1000"),
        ("/logs", "/logs?limit=1000"),
        ("/sharing", "/sharing"),
        ("/approval-rules", "/approval-rules"),
        ("/files", "/files"),
        ("/files/search", "/files/search?q=made"),
        ("/preview/{path}", "/preview/made.txt"),
        ("/turns/{turn}/changes", "/turns/1/changes"),
        ("/earlier", "/earlier?before=5"),
        ("/queue", "/queue"),
    ] {
        let answer = checked.own("GET", &id, pattern, address, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let events = server.api.events(&id).await;
    let types: BTreeSet<&str> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert!(types.len() > 15, "many kinds of events were checked: {types:?}");
    checked.own("POST", &id, "/turns/{turn}/undo", "/turns/1/undo", Some(json!({}))).await;
    checked.own("PATCH", &id, "", "", Some(json!({"title": "Renamed", "pinned": true}))).await;
    checked.ask("POST", "/launch", "/launch", Some(json!({}))).await;
}

/// What goes wrong has the problem's shape, everywhere.
#[tokio::test]
async fn refusals_have_the_shape_of_the_document() {
    let server = Server::start().await;
    let document = document(&server.api).await;
    let checked = Checked { api: &server.api, document: &document };
    let id = server.session().await;
    let nonsense = || Some(json!({"nonsense": 1}));
    for (method, id, pattern, address, body) in [
        ("GET", "0123456789abcdef0123456789abcdef", "", "", None),
        ("POST", &id, "/stop", "/stop", nonsense()),
        ("POST", &id, "/messages", "/messages", nonsense()),
        ("GET", &id, "/turns", "/turns?limit=0", None),
    ] {
        let answer = checked.own(method, id, pattern, address, body).await;
        assert!(answer.status >= 400, "{answer:?}");
    }
    let refused = checked.ask("POST", "/cowork/sessions", "/cowork/sessions", nonsense()).await;
    assert_eq!(refused.status, 422);
}

/// A schema that would pass anything would prove nothing.
#[tokio::test]
async fn a_wrong_answer_would_be_noticed() {
    let server = Server::start().await;
    let document = document(&server.api).await;
    let schema = schema(&document, "GET", "/cowork/sessions/{id}", 200, "application/json");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let id = server.session().await;
    let right = server.api.session(&id).await;
    assert!(validator.is_valid(&right));
    let mut without = right.clone();
    without.as_object_mut().unwrap().remove("head_seq");
    let mut other = right.clone();
    other["mode"] = json!("whatever");
    let mut pending = right;
    pending["pending"] = json!([{"type": "approval_requested", "seq": 1}]);
    for wrong in [without, other, pending] {
        assert!(!validator.is_valid(&wrong), "{wrong:#}");
    }
}
