//! The real process, killed and started again: what was acknowledged is there, what ran is told to be interrupted.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, ScriptedModel, call, say},
    process::{Home, Process},
    replica::Replica,
    socket::Socket,
};

async fn world(scripts: impl IntoIterator<Item = Script>) -> (ScriptedModel, Home, Process) {
    let model = ScriptedModel::start().await;
    model.play(scripts);
    let home = Home::with(&model);
    let process = home.start().await;
    (model, home, process)
}

/// A watcher that has seen `text` of the running message.
async fn seen(process: &Process, id: &str, text: &str) -> (Socket, Replica) {
    let mut socket = process.socket(id, "cursor=0").await;
    let mut replica = Replica::default();
    while replica.texts.values().all(|known| !known.ends_with(text)) {
        replica.take(&socket.next().await.unwrap());
    }
    (socket, replica)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_in_mid_turn_everything_acknowledged_is_there_and_work_goes_on() {
    let (first, second) = (Gate::new(), Gate::new());
    let long = "Wörter ".repeat(700);
    let (model, home, process) = world([
        say("Done before."),
        say(&long).wait(&first).then("tail").wait(&second),
        say("As new."),
        say("Was waiting."),
    ])
    .await;
    let id = process.api.create(json!({"title": "Survivor"})).await;
    process.api.send(&id, "One").await;
    let mut socket = process.socket(&id, "cursor=0").await;
    socket.wait_event("turn_completed").await;
    process.api.send(&id, "Two").await;
    seen(&process, &id, &long).await;
    process.api.send(&id, "Waiting").await;
    let head = process.api.session(&id).await["head_seq"].as_u64().unwrap();
    let before = process.api.events(&id).await;
    let boot = socket.frames[0]["boot_id"].clone();
    process.kill_9();

    let process = home.start().await;
    let session = process.api.session(&id).await;
    assert_eq!((&session["status"], &session["title"]), (&json!("idle"), &json!("Survivor")));
    let after = process.api.events(&id).await;
    assert_eq!(after[..before.len()], before, "every event that was seen is there, unchanged");
    let seqs: Vec<_> = after.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=after.len() as u64).collect::<Vec<_>>());
    let end = after.last().unwrap();
    assert_eq!((&end["event_type"], &end["payload"]["reason"]), (&json!("turn_interrupted"), &json!("restart")));
    let ends = after.iter().filter(|event| event["payload"]["turn"] == 2 && event["event_type"] == "turn_interrupted");
    assert_eq!(ends.count(), 1);

    let rows = process.api.rows(&id).await;
    let contents: Vec<_> = rows.iter().map(|row| row["content"].as_str().unwrap()).collect();
    assert_eq!(contents[..3], ["One", "Done before.", "Two"]);
    assert_eq!(contents[3], long, "what was shown and filled 2 KiB is kept");
    assert_eq!(rows[3]["metadata"]["partial"], true);
    let queue = process.api.queue(&id).await;
    assert_eq!(queue.iter().map(|queued| &queued["message"]).collect::<Vec<_>>(), ["Waiting"]);
    assert_eq!(model.requests().len(), 2, "nothing was started by itself");

    let mut socket = process.socket(&id, &format!("cursor={head}")).await;
    let hello = socket.wait("hello").await;
    assert_ne!(hello["boot_id"], boot);
    assert_eq!(hello["in_flight"], Value::Null);
    process.api.send(&id, "Three").await;
    socket.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 4).await;
    assert_eq!(process.api.rows(&id).await.len(), 8, "the new message and the one that waited have run");
    model.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_text_that_was_shown_for_a_quarter_second_survives_kill_9() {
    let gate = Gate::new();
    let (_model, home, process) = world([say("kurz und grün").wait(&gate)]).await;
    let id = process.api.create(json!({})).await;
    process.api.send(&id, "Hi").await;
    let (socket, _) = seen(&process, &id, "kurz und grün").await;
    // The promise is about time, so here time must pass; the store's own file says when it has.
    let file = rusqlite::Connection::open(&home.database).unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    let kept = |file: &rusqlite::Connection| -> u32 {
        file.query_row("SELECT COUNT(*) FROM cowork_web_partials", [], |row| row.get(0)).unwrap()
    };
    while kept(&file) == 0 {
        assert!(Instant::now() < until, "the text was not kept");
        tokio::task::yield_now().await;
    }
    drop((socket, file));
    process.kill_9();
    let process = home.start().await;
    let row = process.api.rows(&id).await.pop().unwrap();
    assert_eq!((&row["role"], &row["content"]), (&json!("assistant"), &json!("kurz und grün")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ran_at_kill_9_gets_a_failed_result_and_is_not_repeated() {
    let slow = json!({"pattern": "(a|b|[c-z0-9])+(x|y)+q$", "case_insensitive": true});
    let (model, home, process) = world([call("call_1", "ripgrep_search", &slow), say("I see.")]).await;
    let text = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop\n".repeat(600_000);
    std::fs::write(home.workspace.join("big.txt"), text).unwrap();
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Search").await;
    socket.wait("tool_call_started").await;
    process.kill_9();

    let process = home.start().await;
    let completed = process.api.events_of(&id, "tool_call_completed").await;
    let payload = &completed[0]["payload"];
    assert_eq!((completed.len(), &payload["success"]), (1, &json!(false)));
    assert!(payload["error"].as_str().unwrap().contains("not repeated"), "{payload}");
    let types = process.api.event_types(&id).await;
    assert_eq!(types[types.len() - 2..], ["tool_call_completed", "turn_interrupted"]);
    assert_eq!(process.api.rows(&id).await.last().unwrap()["tool_call_id"], "call_1");
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Go on").await;
    socket.wait("turn_completed").await;
    assert_eq!(process.api.events_of(&id, "tool_call_started").await.len(), 1);
    model.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_that_a_client_has_seen_outlives_kill_9() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let mut process = home.start().await;
    let id = process.api.create(json!({})).await;
    let gate = Gate::new();
    gate.open();
    let list = json!({});
    let mut replica = Replica::default();
    for frames in [3, 6, 9, 12, 15] {
        model.play([say("a").wait(&gate).call("c", "list_directory", &list), say("b").wait(&gate).then("c")]);
        let mut socket = process.socket(&id, &format!("cursor={}", replica.cursor())).await;
        process.api.send(&id, "Go").await;
        for _ in 0..frames {
            replica.take(&socket.next().await.unwrap());
        }
        process.kill_9();
        process = home.start().await;
        let log = process.api.events(&id).await;
        for (seq, seen) in &replica.rows {
            let mut seen = seen.clone();
            seen.as_object_mut().unwrap().remove("type");
            assert_eq!(log[*seq as usize - 1], seen, "event {seq} is there as it was shown");
        }
        let open = |kind: &str| log.iter().filter(|event| event["event_type"] == kind).count();
        assert_eq!(open("turn_started"), open("turn_completed") + open("turn_interrupted"));
        // A call that was asked for and had not begun gets a result, too.
        assert!(open("tool_call_completed") >= open("tool_call_started"));
        let mut socket = process.socket(&id, &format!("cursor={}", replica.cursor())).await;
        socket.wait("synced").await;
        replica.take_all(&socket.frames);
        assert_eq!(replica.rows.len(), log.len());
        // A script that the killed process did not come to would be played to the next turn.
        model.forget();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_turns_closes_sockets_with_1001_and_the_process_within_five_seconds() {
    let gate = Gate::new();
    let (_model, home, process) = world([say("Half of it").wait(&gate)]).await;
    let id = process.api.create(json!({})).await;
    process.api.send(&id, "Hi").await;
    let (mut socket, mut replica) = seen(&process, &id, "Half of it").await;
    let asked = Instant::now();
    process.terminate();
    while let Some(frame) = socket.next().await {
        replica.take(&frame);
    }
    assert_eq!(socket.closed, Some(1001));
    let last = replica.rows.values().next_back().unwrap();
    assert_eq!((&last["event_type"], &last["payload"]["reason"]), (&json!("turn_interrupted"), &json!("restart")));
    drop(socket);
    assert_eq!(process.exit_code().await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());

    let process = home.start().await;
    let log = process.api.events(&id).await;
    assert_eq!(log.len(), replica.rows.len(), "the start finds nothing to mend");
    assert_eq!(process.api.rows(&id).await[1]["content"], "Half of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_ends_in_time_is_not_interrupted_by_a_stop_and_what_waits_is_kept() {
    let gate = Gate::new();
    let model = ScriptedModel::start().await;
    model.play([say("Half of it,").wait(&gate).then(" and the rest.")]);
    let home = Home::with(&model);
    home.add_settings("[cowork]\ngrace_period_ms = 60000");
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    process.api.send(&id, "Hi").await;
    let (mut socket, mut replica) = seen(&process, &id, "Half of it,").await;
    process.api.send(&id, "Later").await;
    process.terminate();
    while process.api.get("/health/ready").await.status != 503 {
        tokio::task::yield_now().await;
    }
    gate.step();
    while let Some(frame) = socket.next().await {
        replica.take(&frame);
    }
    assert_eq!(socket.closed, Some(1001));
    let last = replica.rows.values().next_back().unwrap();
    assert_eq!(last["event_type"], "turn_completed");
    drop(socket);
    assert_eq!(process.exit_code().await, Some(0));

    let process = home.start().await;
    assert_eq!(process.api.rows(&id).await[1]["content"], "Half of it, and the rest.");
    assert_eq!(process.api.queue(&id).await.len(), 1, "the next message waits for a person");
    model.check();
}

/// Promise P14: who asks twice waits for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_sigterm_ends_the_process_at_once_and_the_next_start_mends_it() {
    let gate = Gate::new();
    let model = ScriptedModel::start().await;
    model.play([say("Half of it").wait(&gate)]);
    let home = Home::with(&model);
    home.add_settings("[cowork]\ngrace_period_ms = 60000");
    let mut process = home.start().await;
    let id = process.api.create(json!({})).await;
    process.api.send(&id, "Hi").await;
    let _watching = seen(&process, &id, "Half of it").await;
    // The end of the turn can't be written, so the orderly end takes its time.
    let other = rusqlite::Connection::open(&home.database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    while !process.has_ended() {
        process.terminate();
    }
    assert_eq!(process.exit_code().await, Some(130), "it waited for nothing");
    drop(other);
    let process = home.start().await;
    let kinds = process.api.event_types(&id).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "turn_interrupted").count(), 1, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_deleted_long_before_the_start_leaves_no_row() {
    let (_model, home, process) = world([say("Remember the fox.")]).await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Hello").await;
    socket.wait_event("turn_completed").await;
    process.api.delete(&format!("/cowork/sessions/{id}")).await.expect(204);
    process.kill_9();
    let file = rusqlite::Connection::open(&home.database).unwrap();
    let earlier = "UPDATE cowork_web_sessions SET deleted_at = '2026-01-01T00:00:00.000Z'";
    assert_eq!(file.execute(earlier, []).unwrap(), 1);
    drop(file);

    let process = home.start().await;
    process.api.post(&format!("/cowork/sessions/{id}/restore"), json!({})).await.expect_problem(404, "not_found");
    let file = rusqlite::Connection::open(&home.database).unwrap();
    for table in
        ["cowork_sessions", "conversation_turns", "cowork_events", "cowork_web_sessions", "cowork_web_messages"]
    {
        let rows: u32 = file.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}
