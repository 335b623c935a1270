//! What monitoring reads: counted from what happened, on a listener of its own, and without anybody's name.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde_json::json;

use crate::support::{
    form::Form,
    http::Api,
    model::{Gate, ScriptedModel, call, say},
    process::{Home, Process},
    server::Server,
    soon,
};

/// Each line of a scrape, without comments.
async fn scrape(monitor: &Api) -> BTreeMap<String, f64> {
    let answer = monitor.get("/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"), "{answer:?}");
    assert!(answer.text.ends_with("# EOF\n"), "{answer:?}");
    let lines = answer.text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

/// One who asks the operator's listener, where the log says that it is.
async fn monitor(process: &Process) -> Api {
    let address = soon("the address of the metrics", async {
        loop {
            let told = process.log.lock().unwrap().clone();
            let line = told.lines().find(|line| line.contains("metrics are told"));
            match line.and_then(|line| line.rsplit_once("address=")) {
                Some((_, address)) => return address.trim().parse::<SocketAddr>().unwrap(),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    process.api.nobody().through(address.await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted_and_nobody_is_named() {
    let (model, gate) = (ScriptedModel::start().await, Gate::new());
    model.play([
        call("a", "list_directory", &json!({})).call("b", "invent_a_tool", &json!({})),
        say("Fine."),
        say("Half").wait(&gate),
    ]);
    let home = Home::with(&model);
    home.add_settings("[metrics]\nlisten = \"127.0.0.1:0\"");
    let process = home.start().await;
    let monitor = monitor(&process).await;
    let id = process.api.create(json!({"title": "Secret plans"})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "List").await;
    socket.wait_event("turn_completed").await;
    process.api.send(&id, "Go on").await;
    socket.wait("text_delta").await;
    for text in ["Wait", "Wait more"] {
        process.api.send(&id, text).await;
    }
    process.api.upload(&id, Form::new().file("a.txt", b"12345")).await.expect(200);
    process.api.get("/cowork/sessions/0123456789abcdef0123456789abcdef").await.expect_problem(404, "not_found");
    process.api.get("/wp-login.php").await.expect_problem(404, "not_found");

    let now = scrape(&monitor).await;
    for (name, value) in [
        ("cowork_turns_started_total", 2.0),
        ("cowork_turns_ended_total{reason=\"completed\"}", 1.0),
        ("cowork_tool_calls_total{tool=\"list_directory\",success=\"true\"}", 1.0),
        ("cowork_tool_calls_total{tool=\"unknown\",success=\"false\"}", 1.0),
        ("cowork_upload_bytes_total", 5.0),
        ("cowork_sockets", 1.0),
        ("cowork_sessions", 1.0),
        ("cowork_sessions_running", 1.0),
        ("cowork_messages_waiting", 2.0),
        ("cowork_longest_queue", 2.0),
        ("cowork_http_requests_total{route=\"/cowork/sessions/{id}/messages\",status=\"202\"}", 4.0),
        ("cowork_http_requests_total{route=\"/cowork/sessions/{id}\",status=\"404\"}", 1.0),
        ("cowork_http_requests_total{route=\"none\",status=\"404\"}", 1.0),
        (&format!("cowork_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name} in {now:#?}");
    }
    for kind in ["input", "output", "cached"] {
        let name = format!("cowork_tokens_total{{model=\"scripted\",kind=\"{kind}\"}}");
        assert!(now.contains_key(&name), "{name} in {now:#?}");
    }
    assert!(now["cowork_commit_seconds_count"] >= 5.0 && now["cowork_commit_seconds_sum"] > 0.0, "{now:#?}");
    let text = monitor.get("/metrics").await.text;
    for name in [id.as_str(), "local", "Secret", "a.txt", "invent_a_tool", process.api.token()] {
        assert!(!text.contains(name), "{name} in {text}");
    }

    process.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    socket.wait_event("turn_interrupted").await;
    drop(socket);
    soon("the socket's end", async {
        while scrape(&monitor).await["cowork_sockets"] > 0.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let then = scrape(&monitor).await;
    assert_eq!(then["cowork_turns_ended_total{reason=\"stopped\"}"], 1.0);
    assert_eq!(then["cowork_sessions_running"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_tells_nothing_and_the_operators_nothing_else() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    home.add_settings("[metrics]\nlisten = \"127.0.0.1:0\"");
    let process = home.start().await;
    process.api.get("/metrics").await.expect_problem(404, "not_found");
    process.api.nobody().get("/metrics").await.expect_problem(401, "not_signed_in");
    let monitor = monitor(&process).await;
    for path in ["/", "/health", "/cowork/sessions", "/config"] {
        assert_eq!(monitor.get(path).await.status, 404, "{path}");
    }
    assert_eq!(monitor.post("/metrics", json!({})).await.status, 405);
}

#[tokio::test]
async fn health_tells_life_and_readiness_apart() {
    let server = Server::start().await;
    let nobody = server.api.nobody();
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(nobody.get(path).await.expect(200)["ready"], true, "{path}");
    }
    server.agent.shut_down(Duration::ZERO).await;
    for (path, status) in [("/health", 200), ("/health/live", 200), ("/health/ready", 503)] {
        assert_eq!(nobody.get(path).await.expect(status)["ready"], false, "{path}");
    }
}
