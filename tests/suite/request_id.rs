//! The name of a request: in every answer, in the document of every error, and in what the process log says of it.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    http::Answer,
    model::{ScriptedModel, say},
    people,
    process::Home,
    server::{Server, Setup},
    soon,
};

fn name(answer: &Answer) -> &str {
    let name = answer.header("x-request-id");
    assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{answer:?}");
    name
}

#[tokio::test]
async fn every_answer_has_a_name_of_its_own_and_errors_tell_it() {
    let server = Server::start().await;
    let id = server.session().await;
    let nobody = server.api.nobody();
    let fine = [
        server.api.get("/health").await,
        server.api.page(&format!("/sessions/{id}")).await,
        server.api.form("/cowork/look", &[("theme", "dark")]).await,
        server.api.page("/nowhere").await,
    ];
    let refused = [
        server.api.get("/cowork/nowhere").await,
        server.api.post("/health", json!({})).await,
        nobody.get("/models").await,
        server.api.request("GET", "/models", &[("host", "evil.example")], None).await,
        server.api.request("POST", "/cowork/sessions", &[("origin", "https://evil.example")], None).await,
        server.api.text("POST", "/cowork/sessions", "{").await,
    ];
    let mut names: Vec<&str> = fine.iter().chain(&refused).map(name).collect();
    for answer in &refused {
        answer.expect_problem(answer.status, answer.json()["code"].as_str().unwrap());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), fine.len() + refused.len());
}

#[tokio::test]
async fn a_name_is_believed_from_the_proxy_alone() {
    let theirs = [("x-request-id", "edge-7.a_b"), ("x-forwarded-user", "anna")];
    let server = Server::start().await;
    assert_ne!(name(&server.api.request("GET", "/health", &theirs, None).await), "edge-7.a_b");
    let text = "[cowork.access]\nproxy_header = \"X-Forwarded-User\"\nproxies = [\"127.0.0.1\"]";
    let access =
        cowork::config::Config::from_toml(text, "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap().0.access;
    let server = Setup { access, ..people::setup() }.start().await;
    let proxy = server.api.nobody();
    let answer = proxy.request("GET", "/me", &theirs, None).await;
    assert_eq!((answer.status, answer.header("x-request-id")), (200, "edge-7.a_b"));
    let missing = proxy.request("GET", "/cowork/nowhere", &theirs, None).await;
    missing.expect_problem(404, "not_found");
    assert_eq!(missing.header("x-request-id"), "edge-7.a_b");
    for odd in ["two words", "a\tb", &"x".repeat(129), "\"quoted\""] {
        name(&proxy.request("GET", "/me", &[("x-request-id", odd), ("x-forwarded-user", "anna")], None).await);
    }
}

/// Waits until the log holds such a line.
async fn line(log: &std::sync::Mutex<String>, fits: impl Fn(&Value) -> bool) -> Value {
    soon("a line of the log", async {
        loop {
            let lines: Vec<Value> =
                log.lock().unwrap().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            match lines.into_iter().find(&fits) {
                Some(line) => return line,
                None => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_request_the_turn_that_it_starts_and_the_socket_that_it_opens() {
    let model = ScriptedModel::start().await;
    model.play([say("Fine.")]);
    let home = Home::with(&model);
    let variables = [("COWORK_LOG_FORMAT", "json"), ("RUST_LOG", "cowork=debug")];
    let process = home.start_with(&variables).await;
    let wrong = process.api.nobody().post("/sign-in", json!({"name": "anna", "password": "wrong"})).await;
    let told = line(&process.log, |line| line["message"] == "a sign-in was refused").await;
    assert_eq!(told["spans"][0]["id"], wrong.header("x-request-id"), "{told}");
    assert_eq!((&told["spans"][0]["method"], &told["spans"][0]["route"]), (&json!("POST"), &json!("/sign-in")));

    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    let opened = line(&process.log, |line| line["message"] == "a watcher came").await;
    assert_eq!(opened["spans"][0]["route"], "/cowork/sessions/{id}/stream");
    let sent = process.api.post(&format!("/cowork/sessions/{id}/messages"), json!({"message": "Hello"})).await;
    socket.wait_event("turn_completed").await;
    let turn = line(&process.log, |line| line["message"] == "a turn ended").await;
    let spans = turn["spans"].as_array().unwrap();
    assert_eq!(
        (&spans[0]["id"], &spans[0]["name"]),
        (&json!(sent.header("x-request-id")), &json!("request")),
        "{turn}"
    );
    assert_eq!((&spans[1]["session"], &spans[1]["turn"]), (&json!(id), &json!(1)), "{turn}");
    drop(socket);
    let closed = line(&process.log, |line| line["message"] == "a watcher left").await;
    let (closed, opened) = (&closed["spans"][0], &opened["spans"][0]);
    assert_eq!((&closed["id"], &closed["session"]), (&opened["id"], &json!(id)));
    assert_eq!((&closed["status"], &opened["route"]), (&json!(101), &closed["route"]));
}
