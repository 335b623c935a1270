//! Which model a turn has, how long it is waited for, and what the meter says.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    model::{call, refuse, say},
    server::{Server, Setup},
};

fn of<'a>(frames: &'a [Value], kind: &str) -> &'a Value {
    frames.iter().find(|frame| frame["type"] == kind).unwrap_or_else(|| panic!("no {kind}: {frames:#?}"))
}

#[tokio::test]
async fn the_model_of_a_session_can_be_another_for_the_next_turn() {
    let server = Server::playing([say("From the script."), say("Again from the script.")]).await;
    server.write_file("notes.txt", "one\n");
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}");
    let frames = server.turn(&id, "Hello").await;
    assert_eq!(of(&frames, "turn_started")["model"], "scripted");
    server.api.patch(&path, json!({"model": "built_in"})).await.expect(200);
    let frames = server.turn(&id, "read notes.txt").await;
    assert_eq!(
        (&of(&frames, "turn_started")["model"], &of(&frames, "turn_completed")["model"]),
        (&json!("built_in"), &json!("built_in"))
    );
    assert_eq!(server.model.requests().len(), 1);
    server.api.patch(&path, json!({"model": "scripted"})).await.expect(200);
    server.turn(&id, "And now?").await;
    // The other model's calls and results are part of the conversation.
    let told = server.model.last_messages();
    assert!(told.iter().any(|message| message["role"] == "tool"), "{told:#?}");
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_for_long_is_not_waited_for() {
    let server = Server::playing([refuse(429, "quota").header("retry-after", "86400")]).await;
    let id = server.session().await;
    let asked = Instant::now();
    let frames = server.turn(&id, "Hello").await;
    assert!(asked.elapsed() < Duration::from_secs(20));
    assert!(of(&frames, "turn_interrupted")["detail"].as_str().unwrap().contains("429"), "{frames:#?}");
    assert_eq!(server.model.requests().len(), 1);
    assert!(server.api.events_of(&id, "model_retry").await.is_empty());
}

#[tokio::test]
async fn the_meter_is_what_the_last_call_of_the_turn_really_took() {
    let server = Setup { context_tokens: 50_000, ..Setup::default() }.start().await;
    server.model.play([call("a", "list_directory", &json!({})), say("Empty.")]);
    let id = server.session().await;
    let end = of(&server.turn(&id, "Look").await, "turn_completed").clone();
    // The scripted model counts 11 and 7 for each call; the sum is what the turn cost, the meter what fills the window.
    assert_eq!((&end["tokens"]["total"], &end["tokens"]["input"]), (&json!(36), &json!(22)));
    assert_eq!(end["context"], json!({"used": 18, "limit": 50_000}));
    assert_eq!(end["tool_calls"], 1);
}
