//! Limits that an operator sets: who reaches one is told which, until when, and what helps; nobody else notices.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cowork::agent::{Allowed, ports::clock::Clock};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{
    http::{Answer, Api},
    model::{Gate, Script, ScriptedModel, refuse, say},
    people::{self, Team},
    process::Home,
    server::{Server, Setup},
    socket::Socket,
    soon,
};

/// The problem of a limit: its `Retry-After` and its detail.
#[track_caller]
fn limited(answer: &Answer, status: u16, code: &str) -> (u64, String) {
    let detail = answer.expect_problem(status, code);
    let wait = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("{answer:?}"));
    (wait, detail)
}

async fn shared(allowed: Allowed) -> (Server, Team) {
    let server = Setup { allowed, ..people::setup() }.start().await;
    let team = Team::join(&server).await;
    (server, team)
}

async fn message(api: &Api, id: &str, text: &str) -> Answer {
    api.post(&format!("/cowork/sessions/{id}/messages"), json!({"message": text})).await
}

#[tokio::test]
async fn sessions_of_a_person() {
    let (_server, team) = shared(Allowed { sessions: Some(2), ..Allowed::default() }).await;
    let first = team.anna.create(json!({})).await;
    team.anna.create(json!({})).await;
    let (wait, detail) = limited(&team.anna.post("/cowork/sessions", json!({})).await, 429, "too_many_sessions");
    assert!(wait > 0 && detail.contains("You have 2 sessions"), "{wait} {detail}");
    team.ben.create(json!({})).await;
    let form = team.anna.form("/cowork/sessions", &[]).await;
    assert_eq!(form.status, 303, "{form:?}");
    assert!(form.header("location").starts_with("/?error=You%20have%20as%20many%20sessions"), "{form:?}");
    team.anna.delete(&format!("/cowork/sessions/{first}")).await.expect(204);
    team.anna.create(json!({})).await;
}

#[tokio::test]
async fn turns_of_a_person_and_of_the_server() {
    let gate = Gate::new();
    let allowed = Allowed { running: Some(2), running_of_person: Some(1), ..Allowed::default() };
    let (server, team) = shared(allowed).await;
    server.model.play_for("one", [say("One.").wait(&gate), say("Two.")]);
    server.model.play_for("ben", [say("Ben's.").wait(&gate)]);
    let (a, b) = (team.anna.create(json!({})).await, team.anna.create(json!({})).await);
    let mut socket = Socket::open(&team.anna, &a, "cursor=0").await;
    message(&team.anna, &a, "one").await.expect(202);
    // What waits in a session that works is let in; it goes on in the same place.
    assert_eq!(message(&team.anna, &a, "two").await.expect(202)["queued"], true);
    let (_, detail) = limited(&message(&team.anna, &b, "three").await, 429, "too_many_turns");
    assert!(detail.starts_with("1 of your sessions work already"), "{detail}");
    let bens = team.ben.create(json!({})).await;
    message(&team.ben, &bens, "ben").await.expect(202);
    let services = team.service.create(json!({})).await;
    limited(&message(&team.service, &services, "four").await, 503, "server_busy");
    for (api, id, words) in [
        (&team.service, &services, "The%20server%20works%20on%20as%20many%20sessions"),
        (&team.anna, &b, "As%20many%20of%20your%20sessions%20work"),
    ] {
        let form = api.form(&format!("/cowork/sessions/{id}/messages"), &[("message", "four")]).await;
        assert!(form.status == 303 && form.header("location").contains(&format!("error={words}")), "{form:?}");
    }
    assert_eq!(team.service.rows(&services).await.len(), 0, "it was not taken");
    gate.open();
    socket.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2).await;
    server.model.play_for("three", [say("Three.")]);
    // The place is free when the turn's end was told.
    loop {
        let answer = message(&team.anna, &b, "three").await;
        if answer.status == 202 {
            break;
        }
        limited(&answer, 429, "too_many_turns");
    }
    let mut other = Socket::open(&team.anna, &b, "cursor=0").await;
    other.wait_event("turn_completed").await;
}

#[tokio::test]
async fn sockets_of_a_person() {
    let (_server, team) = shared(Allowed { sockets: Some(1), ..Allowed::default() }).await;
    let id = team.anna.create(json!({})).await;
    let mut first = Socket::open(&team.anna, &id, "").await;
    first.wait("synced").await;
    let refused = Socket::try_open(&team.anna, &id, "", &[]).await.err().unwrap();
    limited(&refused, 429, "too_many_sockets");
    // As the page asks, which does not learn why its socket failed.
    limited(&team.anna.get(&format!("/cowork/sessions/{id}/stream")).await, 429, "too_many_sockets");
    let bens = team.ben.create(json!({})).await;
    Socket::open(&team.ben, &bens, "").await.wait("synced").await;
    drop(first);
    soon("room for another", async { while Socket::try_open(&team.anna, &id, "", &[]).await.is_err() {} }).await;
}

#[derive(Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        "2026-03-01T23:00:00Z".parse::<Timestamp>().unwrap() + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn requests_of_a_person() {
    let clock = Arc::new(Hand::default());
    let allowed = Allowed { requests_per_minute: Some(3), ..Allowed::default() };
    let server = Setup { allowed, clock: clock.clone(), ..people::setup() }.start().await;
    let team = Team::join(&server).await;
    for _ in 0..3 {
        team.anna.get("/me").await.expect(200);
        // What everybody may ask counts for nobody.
        team.anna.get("/health").await.expect(200);
    }
    assert_eq!(limited(&team.anna.get("/me").await, 429, "too_many_requests").0, 20);
    let german = [("accept-language", "de"), ("accept", "text/html")];
    let page = team.anna.request("GET", "/", &german, None).await;
    assert_eq!((page.status, page.header("retry-after")), (429, "20"), "{page:?}");
    assert!(page.text.contains("Versuchen Sie es in 20 Sekunden noch einmal."), "{page:?}");
    team.anna.get("/health").await.expect(200);
    team.ben.get("/me").await.expect(200);
    clock.0.store(20, Ordering::SeqCst);
    team.anna.get("/me").await.expect(200);
    limited(&team.anna.get("/me").await, 429, "too_many_requests");
}

#[tokio::test]
async fn tokens_of_a_day() {
    let clock = Arc::new(Hand::default());
    let allowed = Allowed { tokens_per_day: Some(1), ..Allowed::default() };
    let server = Setup { allowed, clock: clock.clone(), ..people::setup() }.start().await;
    let team = Team::join(&server).await;
    server.model.play([say("One."), say("Ben's."), say("Two.")]);
    let id = team.anna.create(json!({})).await;
    let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
    message(&team.anna, &id, "one").await.expect(202);
    socket.wait_event("turn_completed").await;
    let (wait, detail) = limited(&message(&team.anna, &id, "two").await, 429, "tokens_used_up");
    assert_eq!(wait, 3600, "{detail}");
    let form = team.anna.form(&format!("/cowork/sessions/{id}/messages"), &[("message", "two")]).await;
    assert!(form.header("location").contains("Your%20tokens%20of%20today%20are%20used%20up"), "{form:?}");
    let bens = team.ben.create(json!({})).await;
    let mut other = Socket::open(&team.ben, &bens, "cursor=0").await;
    message(&team.ben, &bens, "his").await.expect(202);
    other.wait_event("turn_completed").await;
    clock.0.store(3600, Ordering::SeqCst);
    message(&team.anna, &id, "two").await.expect(202);
    socket.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2).await;
}

/// What the log says that the session's model calls cost.
async fn spent(api: &Api, id: &str) -> Vec<Value> {
    let calls = api.events(id).await.into_iter().filter(|event| event["event_type"] == "model_call");
    calls.map(|event| event["payload"]["tokens"].clone()).collect()
}

#[tokio::test]
async fn tokens_of_a_call_that_comes_to_no_end_count_as_far_as_it_came() {
    let gate = Gate::new();
    let allowed = Allowed { tokens_per_day: Some(1), ..Allowed::default() };
    let (server, team) = shared(allowed).await;
    let written = "Half of it. ".repeat(100);
    let stopped = team.anna.create(json!({})).await;
    server.model.play_for("stop this", [say(&written).wait(&gate)]);
    let mut socket = Socket::open(&team.anna, &stopped, "cursor=0").await;
    message(&team.anna, &stopped, "stop this").await.expect(202);
    socket.wait("text_delta").await;
    team.anna.post(&format!("/cowork/sessions/{stopped}/stop"), json!({})).await.expect(202);
    socket.wait_event("turn_interrupted").await;

    let failed = team.ben.create(json!({})).await;
    server.model.play_for("fail at this", [Script::Answer(vec![]).think(&written).broken()]);
    let mut socket = Socket::open(&team.ben, &failed, "cursor=0").await;
    message(&team.ben, &failed, "fail at this").await.expect(202);
    socket.wait_event("turn_interrupted").await;

    for (api, id) in [(&team.anna, &stopped), (&team.ben, &failed)] {
        let [tokens] = spent(api, id).await.try_into().unwrap_or_else(|calls| panic!("{calls:?}"));
        let count = |kind: &str| tokens[kind].as_u64().unwrap();
        assert_eq!(tokens["estimated"], true, "{tokens}");
        assert!(count("input") > 100 && count("output") == written.len() as u64 / 4, "{tokens}");
        assert_eq!(count("total"), count("input") + count("output"), "{tokens}");
        let (_, detail) = limited(&message(api, id, "more").await, 429, "tokens_used_up");
        assert!(detail.contains(&format!("You have used {} tokens today", count("total"))), "{detail}");
    }
}

#[tokio::test]
async fn a_server_that_counts_with_every_piece_is_believed_also_of_a_call_that_is_cut() {
    let (server, team) = shared(Allowed::default()).await;
    let gate = Gate::new();
    let long = "Many letters and few tokens. ".repeat(20);
    // What comes behind the last count is estimated, at four letters a token.
    let counted = || say("").counted("One. ", 200, 1).counted(&long, 200, 3).then("Twenty-eight letters it has.");
    server.model.play_for("stop this", [counted().wait(&gate)]);
    server.model.play_for("break this", [counted().broken()]);
    for words in ["stop this", "break this"] {
        let id = team.anna.create(json!({})).await;
        let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
        message(&team.anna, &id, words).await.expect(202);
        if words == "stop this" {
            socket.wait_for(|frame| frame["text"].as_str().is_some_and(|text| text.ends_with("it has."))).await;
            team.anna.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
        }
        socket.wait_event("turn_interrupted").await;
        let expected = json!({"input": 200, "output": 10, "cached": 0, "total": 210, "estimated": true});
        assert_eq!(spent(&team.anna, &id).await, [expected], "{words}");
    }
}

#[tokio::test]
async fn a_call_that_the_model_refused_or_never_got_costs_nothing() {
    let (server, team) = shared(Allowed { tokens_per_day: Some(1), ..Allowed::default() }).await;
    let id = team.anna.create(json!({})).await;
    let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
    server.model.play([refuse(401, "wrong key"), refuse(503, "busy"), say("At last.")]);
    message(&team.anna, &id, "one").await.expect(202);
    socket.wait_event("turn_interrupted").await;
    // The second message comes through, at the second try.
    message(&team.anna, &id, "two").await.expect(202);
    socket.wait_event("turn_completed").await;
    let of_the_last = json!({"input": 11, "output": 7, "cached": 0, "total": 18});
    assert_eq!(spent(&team.anna, &id).await, [Value::Null, Value::Null, of_the_last]);
    let (_, detail) = limited(&message(&team.anna, &id, "three").await, 429, "tokens_used_up");
    assert!(detail.contains("You have used 18 tokens"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_count_on_over_a_restart_and_the_configuration_says_the_limit() {
    let model = ScriptedModel::start().await;
    model.play([say("One.")]);
    let home = Home::with(&model);
    home.add_settings("[cowork.limits]\ntokens_per_day = 1");
    let process = home.start().await;
    assert_eq!(process.api.get("/config").await.expect(200)["limits"]["tokens_per_day"], 1);
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "one").await;
    socket.wait_event("turn_completed").await;
    process.kill_9();
    let process = home.start().await;
    limited(&message(&process.api, &id, "two").await, 429, "tokens_used_up");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_call_that_a_kill_cut_are_counted_once() {
    let model = ScriptedModel::start().await;
    let (gate, written) = (Gate::new(), "Half of it. ".repeat(100));
    let home = Home::with(&model);
    home.add_settings("[cowork.limits]\ntokens_per_day = 1");
    let process = home.start().await;
    // The one was thinking, the other had its prompt to read when the process ended.
    let mut cut = Vec::new();
    for (words, script, output) in
        [("think", say("").think(&written).wait(&gate), written.len() as u64 / 4), ("read", say("").wait(&gate), 0)]
    {
        model.play_for(words, [script]);
        let id = process.api.create(json!({})).await;
        process.api.send(&id, words).await;
        cut.push((id, output));
    }
    gate.reached(2).await;
    // A kill takes no more than a quarter of a second with it; the store's own file says when that is over.
    let file = rusqlite::Connection::open(&home.database).unwrap();
    for (id, output) in &cut {
        let sql = "SELECT EXISTS(SELECT 1 FROM cowork_web_running_calls
                   WHERE session_id = ?1 AND json_extract(model_call, '$.payload.tokens.output') = ?2)";
        let kept = || -> bool { file.query_row(sql, rusqlite::params![id, *output as i64], |row| row.get(0)).unwrap() };
        soon("what the call came to", async {
            while !kept() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    drop(file);
    process.kill_9();

    home.start().await.kill_9();
    let process = home.start().await;
    let mut sum = 0;
    for (id, output) in &cut {
        let [tokens] = spent(&process.api, id).await.try_into().unwrap_or_else(|calls| panic!("{calls:?}"));
        assert_eq!((&tokens["estimated"], &tokens["output"]), (&json!(true), &json!(output)), "{tokens}");
        assert!(tokens["input"].as_u64().unwrap() > 100, "{tokens}");
        sum += tokens["total"].as_u64().unwrap();
    }
    let (_, detail) = limited(&message(&process.api, &cut[0].0, "more").await, 429, "tokens_used_up");
    assert!(detail.contains(&format!("You have used {sum} tokens today")), "{detail}");
}

#[tokio::test]
async fn the_space_that_the_database_needs() {
    let server =
        Setup { allowed: Allowed { free_bytes: u64::MAX, ..Allowed::default() }, ..Setup::default() }.start().await;
    let refused = server.api.post("/cowork/sessions", json!({})).await;
    let (_, detail) = limited(&refused, 503, "disk_low");
    assert!(detail.starts_with("The disk of this server is almost full"), "{detail}");
    let form = server.api.form("/cowork/sessions", &[]).await;
    assert!(
        form.header("location").starts_with("/?error=The%20disk%20of%20the%20server%20is%20almost%20full"),
        "{form:?}"
    );
}
