//! SIGHUP: a changed configuration holds without a restart, as far as that can be; a broken one changes nothing.

use std::sync::Mutex;

use serde_json::json;

use crate::support::{
    model::ScriptedModel,
    process::{Home, Process},
    socket::Socket,
    soon,
};

/// Asks for a reload and waits until the log tells of it.
async fn reload(process: &Process, told: &str) {
    let before = count(&process.log, told);
    process.signal("HUP");
    soon("the word of the log", async {
        while count(&process.log, told) == before {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn count(log: &Mutex<String>, told: &str) -> usize {
    log.lock().unwrap().matches(told).count()
}

const READ: &str = "the configuration was read again";

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_the_level_of_the_log_hold_after_a_hangup() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    process.api.create(json!({})).await;
    let config = process.api.get("/config").await.expect(200);
    assert_eq!((&config["limits"]["sessions_per_person"], &config["logging"]["level"]), (&json!(null), &json!("info")));

    home.add_settings("[cowork.limits]\nsessions_per_person = 1\n[logging]\nlevel = \"debug\"");
    reload(&process, READ).await;
    process.api.post("/cowork/sessions", json!({})).await.expect_problem(429, "too_many_sessions");
    let config = process.api.get("/config").await.expect(200);
    assert_eq!((&config["limits"]["sessions_per_person"], &config["logging"]["level"]), (&json!(1), &json!("debug")));
    assert_eq!(config["server"]["port"], process.address.port(), "what does not change is told as it is");
    let id = process.api.get("/cowork/sessions").await.expect(200)["sessions"][0]["id"].as_str().unwrap().to_owned();
    let mut socket = process.socket(&id, "").await;
    socket.wait("synced").await;
    soon("a line of the new level", async {
        while count(&process.log, "a watcher came") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;

    home.add_settings("this is no TOML");
    reload(&process, "the configuration was not read again").await;
    process.api.post("/cowork/sessions", json!({})).await.expect_problem(429, "too_many_sessions");
}

/// Row 14: whoever is no longer among the people is out, also with a socket that is open.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_off_the_list_is_out_after_a_hangup_and_nobody_else() {
    let home = Home::new();
    let access = |people: &str| {
        let text = format!(
            "[cowork.access]\nproxy_header = \"X-Forwarded-User\"\nproxies = [\"127.0.0.1\"]\npeople = [{people}]\n"
        );
        std::fs::write(home.path().join("loom.toml"), text).unwrap();
    };
    access("\"anna\", \"ben\"");
    let process = home.start().await;
    let named = |name: &str| process.api.named_by("x-forwarded-user", name);
    let (anna, ben) = (named("anna"), named("ben"));
    let mut sockets = Vec::new();
    for api in [&anna, &ben] {
        let id = api.create(json!({})).await;
        let mut socket = Socket::open(api, &id, "").await;
        socket.wait("synced").await;
        sockets.push((id, socket));
    }
    access("\"anna\"");
    reload(&process, READ).await;
    let (id, mut socket) = sockets.pop().unwrap();
    assert_eq!(socket.close_code().await, Some(1008));
    assert_ne!(ben.get(&format!("/cowork/sessions/{id}")).await.status, 200);
    let (id, mut socket) = sockets.pop().unwrap();
    anna.patch(&format!("/cowork/sessions/{id}"), json!({"title": "Still here"})).await.expect(200);
    socket.wait_event("session_updated").await;
}
