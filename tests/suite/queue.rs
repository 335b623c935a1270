//! Messages that wait for their turn.

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, refuse, say},
    server::{Server, Setup},
};

/// A session whose first turn runs until the gate opens, with `waiting` in its queue.
async fn busy(gate: &Gate, waiting: &[&str]) -> (Server, String, Vec<String>) {
    let server = Server::playing([say("Busy").wait(gate)]).await;
    let id = server.session().await;
    server.api.send(&id, "Begin").await;
    gate.reached(1).await;
    let mut ids = Vec::new();
    for text in waiting {
        let accepted = server.api.send(&id, text).await;
        assert_eq!((&accepted["turn"], &accepted["queued"]), (&Value::Null, &json!(true)));
        ids.push(accepted["message_id"].as_str().unwrap().to_owned());
    }
    (server, id, ids)
}

async fn said(server: &Server, id: &str) -> Vec<Value> {
    let rows = server.api.rows(id).await;
    rows.iter().filter(|row| row["role"] == "user").map(|row| row["content"].clone()).collect()
}

fn texts(queue: &[Value]) -> Vec<&str> {
    queue.iter().map(|queued| queued["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_wait_their_turn_and_run_in_the_order_they_came() {
    let gate = Gate::new();
    let (server, id, _) = busy(&gate, &["Second", "Third", "Fourth"]).await;
    assert_eq!(server.api.rows(&id).await.len(), 1, "a waiting message is no row yet");
    let queue = server.api.queue(&id).await;
    assert_eq!(texts(&queue), ["Second", "Third", "Fourth"]);
    let mut fields: Vec<_> = queue[0].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "message", "message_id"]);
    server.model.play([say("2"), say("3"), say("4")]);
    gate.open();
    server.ended(&id, 4).await;
    assert_eq!(said(&server, &id).await, ["Begin", "Second", "Third", "Fourth"]);
    assert_eq!(server.api.queue(&id).await, [] as [Value; 0]);
    let started: Vec<_> =
        server.api.events_of(&id, "turn_started").await.iter().map(|event| event["payload"]["turn"].clone()).collect();
    assert_eq!(started, [1, 2, 3, 4]);
}

#[tokio::test]
async fn who_has_seen_the_end_of_a_turn_does_not_wait_behind_it() {
    let server = Server::start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    for turn in 1..=40 {
        server.model.play([say("Done.")]);
        let sent = server.api.send(&id, "Again").await;
        assert_eq!((&sent["turn"], &sent["queued"]), (&json!(turn), &json!(false)));
        socket.wait_event("turn_completed").await;
    }
}

#[tokio::test]
async fn a_waiting_message_can_be_edited_and_removed_until_it_starts() {
    let gate = Gate::new();
    let (server, id, ids) = busy(&gate, &["Wrong", "Not at all"]).await;
    let path = |message: &str| format!("/cowork/sessions/{id}/queue/{message}");
    let queue = server.api.patch(&path(&ids[0]), json!({"message": "Right"})).await.expect(200);
    assert_eq!(texts(queue.as_array().unwrap()), ["Right", "Not at all"]);
    server.api.delete(&path(&ids[1])).await.expect(204);
    server.api.delete(&path(&ids[1])).await.expect_problem(404, "not_found");
    server.api.patch(&path(&ids[1]), json!({"message": "x"})).await.expect_problem(404, "not_found");
    server.api.patch(&path(&ids[0]), json!({"message": " "})).await.expect_problem(422, "invalid_request");
    server.api.patch(&path(&ids[0]), json!({"text": "x"})).await.expect_problem(422, "invalid_request");
    server.model.play([say("Right.")]);
    gate.open();
    server.ended(&id, 2).await;
    server.api.patch(&path(&ids[0]), json!({"message": "Late"})).await.expect_problem(404, "not_found");
    assert_eq!(said(&server, &id).await, ["Begin", "Right"]);
    let changes: Vec<_> =
        server.api.events_of(&id, "queue_changed").await.iter().map(|e| e["payload"]["change"].clone()).collect();
    assert_eq!(changes, ["edited", "removed"]);
}

#[tokio::test]
async fn a_stop_holds_the_queue_until_the_person_goes_on() {
    let gate = Gate::new();
    let (server, id, _) = busy(&gate, &["Waits", "Waits too"]).await;
    let mut watcher = server.socket(&id, "").await;
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    let end = watcher.wait("turn_interrupted").await;
    assert_eq!((&end["turn"], &end["reason"]), (&json!(1), &json!("stopped")));
    let types = server.api.event_types(&id).await;
    assert_eq!(types[types.len() - 2..], ["queue_changed", "turn_interrupted"], "the end is the turn's last event");
    assert_eq!(texts(&server.api.queue(&id).await), ["Waits", "Waits too"]);
    assert_eq!(server.model.requests().len(), 1, "nothing has started");

    server.model.play([say("New."), say("Old."), say("Old too.")]);
    server.api.send(&id, "Now").await;
    watcher.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 4).await;
    let mut said = said(&server, &id).await;
    assert_eq!(said.remove(0), "Begin");
    assert_eq!(said.len(), 3, "all of them went on: {said:?}");
    assert_eq!(server.api.queue(&id).await, [] as [Value; 0]);
}

#[tokio::test]
async fn an_error_holds_the_queue_too() {
    let gate = Gate::new();
    let server = Server::playing([say("").wait(&gate).failing(json!({"code": 401, "message": "no"}))]).await;
    let id = server.session().await;
    server.api.send(&id, "Begin").await;
    gate.reached(1).await;
    server.api.send(&id, "Waits").await;
    gate.open();
    let end = server.ended(&id, 1).await;
    assert_eq!(end["reason"], "error");
    assert_eq!(texts(&server.api.queue(&id).await), ["Waits"]);
    assert_eq!(server.model.requests().len(), 1);
}

#[tokio::test]
async fn a_waiting_message_that_is_sent_now_goes_first_and_releases_the_others() {
    let gate = Gate::new();
    let (server, id, ids) = busy(&gate, &["Second", "First"]).await;
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    server.ended(&id, 1).await;
    server.model.play([say("a"), say("b")]);
    let path = format!("/cowork/sessions/{id}/queue/{}/send", ids[1]);
    server.api.post(&path, json!({})).await.expect(202);
    server.ended(&id, 3).await;
    assert_eq!(said(&server, &id).await, ["Begin", "First", "Second"]);
    server.api.post(&path, json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_message_that_is_sent_next_stands_first_in_the_queue_meanwhile() {
    let gate = Gate::new();
    let (server, id, ids) = busy(&gate, &["Third", "Fourth", "Second"]).await;
    let mut watcher = server.socket(&id, "").await;
    server.api.post(&format!("/cowork/sessions/{id}/queue/{}/send", ids[2]), json!({})).await.expect(202);
    let moved = watcher.wait("queue_changed").await;
    assert_eq!((&moved["change"], &moved["message_id"]), (&json!("first"), &json!(ids[2])));
    assert_eq!(texts(&server.api.queue(&id).await), ["Second", "Third", "Fourth"]);
    server.model.play([say("2"), say("3"), say("4")]);
    gate.open();
    server.ended(&id, 4).await;
    assert_eq!(said(&server, &id).await, ["Begin", "Second", "Third", "Fourth"]);
}

#[tokio::test]
async fn a_queue_has_a_limit_and_the_running_turn_goes_on() {
    let gate = Gate::new();
    let server = Setup { queued_messages: 2, ..Setup::default() }.start().await;
    server.model.play([say("Busy").wait(&gate), say("1"), refuse(401, "enough")]);
    let id = server.session().await;
    for text in ["Begin", "One", "Two"] {
        server.api.send(&id, text).await;
        gate.reached(1).await;
    }
    let answer = server.api.post(&format!("/cowork/sessions/{id}/messages"), json!({"message": "Three"})).await;
    answer.expect_problem(429, "queue_full");
    assert_eq!(texts(&server.api.queue(&id).await), ["One", "Two"]);
    gate.open();
    server.ended(&id, 3).await;
}

#[tokio::test]
async fn a_second_tab_sees_a_waiting_message_and_its_turn() {
    let gate = Gate::new();
    let (server, id, _) = busy(&gate, &[]).await;
    let mut tab = server.socket(&id, "").await;
    tab.wait("synced").await;
    let sent = json!({"message": "Seen by all", "client_id": "c-9"});
    server.api.post(&format!("/cowork/sessions/{id}/messages"), sent).await.expect(202);
    let seen = tab.wait("message_accepted").await;
    assert_eq!((&seen["message"], &seen["client_id"]), (&json!("Seen by all"), &json!("c-9")));
    assert_eq!((&seen["turn"], &seen["queued"]), (&Value::Null, &json!(true)));
    server.model.play([say("Done.")]);
    gate.open();
    let started = tab.wait_for(|frame| frame["type"] == "turn_started" && frame["turn"] == 2).await;
    assert_eq!(started["message_id"], seen["message_id"]);
    tab.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2).await;
}
