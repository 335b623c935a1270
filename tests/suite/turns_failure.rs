//! Turns that don't end as they should: errors of the model, broken streams, a person's stop.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, call, refuse, say},
    server::{Server, Setup},
    socket::Socket,
};

fn end_of(frames: &[Value]) -> &Value {
    frames.iter().find(|frame| frame["type"] == "turn_interrupted").expect("the turn was interrupted")
}

async fn stop(server: &Server, id: &str) {
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
}

#[tokio::test]
async fn a_refused_key_ends_the_turn_at_once_after_one_request() {
    let server = Server::playing([refuse(401, "Incorrect API key")]).await;
    let id = server.session().await;
    let frames = server.turn(&id, "Hello").await;
    let end = end_of(&frames);
    assert_eq!(end["reason"], "error");
    let detail = end["detail"].as_str().unwrap();
    assert!(detail.contains("`scripted`") && detail.contains("key"), "{detail}");
    assert_eq!(server.model.requests().len(), 1);
    assert_eq!(server.api.session(&id).await["status"], "idle");
}

#[tokio::test]
async fn a_request_that_the_server_does_not_take_is_sent_once_and_its_words_are_told() {
    for (status, said, told) in
        [(400, "unknown field `x`", "does not accept the request"), (404, "no", "does not find")]
    {
        let server = Server::playing([refuse(status, said)]).await;
        let id = server.session().await;
        let frames = server.turn(&id, "Hello").await;
        let detail = end_of(&frames)["detail"].as_str().unwrap();
        assert!(detail.contains(said) && detail.contains(told), "{detail}");
        assert_eq!(server.model.requests().len(), 1, "{status}");
        assert!(server.api.events_of(&id, "model_retry").await.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again_and_every_try_is_on_record() {
    let server =
        Server::playing([refuse(503, "busy"), refuse(429, "slow down").header("retry-after", "0"), say("Here.")]).await;
    let id = server.session().await;
    server.turn(&id, "Hello").await;
    let retries = server.api.events_of(&id, "model_retry").await;
    let attempts: Vec<_> = retries.iter().map(|event| event["payload"]["attempt"].clone()).collect();
    assert_eq!(attempts, [1, 2]);
    assert!(retries[0]["payload"]["reason"].as_str().unwrap().contains("503"), "{retries:#?}");
    let calls = server.api.events_of(&id, "model_call").await;
    let attempts: Vec<_> =
        calls.iter().map(|event| (&event["payload"]["attempt"], &event["payload"]["tokens"])).collect();
    assert_eq!(attempts[..2], [(&json!(1), &Value::Null), (&json!(2), &Value::Null)]);
    assert_eq!((attempts[2].0, &attempts[2].1["total"]), (&json!(3), &json!(18)));
    assert_eq!(server.api.rows(&id).await[1]["content"], "Here.");
}

#[tokio::test]
async fn a_server_that_stays_down_ends_the_turn_after_the_last_try() {
    let server = Setup { attempts: 2, ..Setup::default() }.start().await;
    server.model.play([refuse(500, "no"), refuse(500, "no")]);
    let id = server.session().await;
    let frames = server.turn(&id, "Hello").await;
    assert_eq!(end_of(&frames)["reason"], "error");
    assert_eq!(server.model.requests().len(), 2);
}

#[tokio::test]
async fn a_stream_that_breaks_keeps_what_it_said_and_is_not_repeated() {
    for script in
        [say("Half an answ").broken(), say("Half an answ").failing(json!({"code": 503, "message": "overload"}))]
    {
        let server = Server::playing([script, say("Whole.")]).await;
        let id = server.session().await;
        let frames = server.turn(&id, "Hello").await;
        assert_eq!(end_of(&frames)["reason"], "error");
        let completed = frames.iter().find(|frame| frame["type"] == "message_completed").unwrap();
        assert_eq!((&completed["text"], &completed["partial"]), (&json!("Half an answ"), &json!(true)));
        let row = server.api.rows(&id).await.pop().unwrap();
        assert_eq!((&row["content"], &row["metadata"]["partial"]), (&json!("Half an answ"), &json!(true)));
        assert_eq!(server.model.requests().len(), 1);
        server.turn(&id, "Again").await;
        let said = server.model.last_messages();
        assert_eq!(said[2], json!({"role": "assistant", "content": "Half an answ"}));
    }
}

#[tokio::test]
async fn a_call_whose_stream_breaks_never_runs() {
    let server = Server::playing([call("a", "list_directory", &json!({})).broken(), say("Fine.")]).await;
    let id = server.session().await;
    server.turn(&id, "Hello").await;
    // Nothing had been shown, so the request may be made again; either way no call of the broken answer is run.
    assert!(server.api.events_of(&id, "tool_call_started").await.is_empty());
    server.model.check();
}

#[tokio::test]
async fn a_stop_ends_the_stream_within_a_second_and_keeps_the_text() {
    let gate = Gate::new();
    let server = Server::playing([say("So far, so gut – ").wait(&gate).then("never"), say("Going on.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Tell me").await;
    socket.wait("text_delta").await;
    assert_eq!(server.api.session(&id).await["status"], "running");
    let asked = Instant::now();
    stop(&server, &id).await;
    let end = socket.wait("turn_interrupted").await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!((&end["reason"], &end["turn"]), (&json!("stopped"), &json!(1)));
    server.model.left_by_client().await;
    let completed = socket.all("message_completed")[0].clone();
    assert_eq!((&completed["text"], &completed["partial"]), (&json!("So far, so gut – "), &json!(true)));
    assert_eq!(server.api.session(&id).await["status"], "idle");
    server.turn(&id, "Go on").await;
    assert_eq!(server.model.last_messages()[2]["content"], "So far, so gut – ");
}

#[tokio::test]
async fn a_stop_over_the_socket_is_the_same() {
    let gate = Gate::new();
    let server = Server::playing([say("A").wait(&gate)]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    socket.send(json!({"type": "user_message", "message": "Hi"})).await;
    socket.wait("text_delta").await;
    socket.send(json!({"type": "stop"})).await;
    assert_eq!(socket.wait("turn_interrupted").await["reason"], "stopped");
}

#[tokio::test]
async fn a_stop_before_the_first_word_leaves_an_empty_message_and_a_history_that_goes_on() {
    let gate = Gate::new();
    let server = Server::playing([say("").wait(&gate), say("Now.")]).await;
    let id = server.session().await;
    server.api.send(&id, "Hello").await;
    gate.reached(1).await;
    stop(&server, &id).await;
    server.ended(&id, 1).await;
    server.turn(&id, "And now?").await;
}

#[tokio::test]
async fn a_stop_during_a_tool_gives_every_call_a_result() {
    let slow = json!({"pattern": "(a|b|[c-z0-9])+(x|y)+q$", "case_insensitive": true});
    // A call that only reads would run beside the search and could be done before the stop.
    let note = json!({"path": "note.txt", "content": "Found."});
    let server =
        Server::playing([call("a", "ripgrep_search", &slow).call("b", "write_file", &note), say("Fine.")]).await;
    server.write_file("big.txt", &"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop\n".repeat(600_000));
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Search").await;
    socket.wait("tool_call_started").await;
    stop(&server, &id).await;
    let end = socket.wait("turn_interrupted").await;
    assert_eq!(end["reason"], "stopped");
    let results: Vec<_> = socket
        .all("tool_call_completed")
        .iter()
        .map(|call| (call["tool_call_id"].clone(), call["success"].clone()))
        .collect();
    assert_eq!(results, [(json!("a"), json!(false)), (json!("b"), json!(false))]);
    assert!(!server.workspace.join("note.txt").exists());
    // The scripted model checks that each call has its result.
    server.turn(&id, "Go on").await;
}

#[tokio::test]
async fn a_failed_turn_does_not_touch_the_next_one() {
    let server = Server::playing([refuse(400, "nonsense"), say("Better.")]).await;
    let id = server.session().await;
    let first = server.turn(&id, "One").await;
    assert_eq!(end_of(&first)["reason"], "error");
    let second = server.turn(&id, "Two").await;
    assert!(second.iter().any(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2));
}

#[tokio::test]
async fn a_turn_that_waits_slows_no_other_session() {
    let gate = Gate::new();
    let server = Server::start().await;
    server.model.play_for("Wait", [say("").wait(&gate).then("Late.")]);
    server.model.play_for("Run", [say("Early.")]);
    let (slow, fast) = (server.session().await, server.session().await);
    server.api.send(&slow, "Wait").await;
    gate.reached(1).await;
    server.turn(&fast, "Run").await;
    assert_eq!(server.api.session(&slow).await["status"], "running");
    let mut socket: Socket = server.socket(&slow, "").await;
    gate.open();
    socket.wait("turn_completed").await;
}
