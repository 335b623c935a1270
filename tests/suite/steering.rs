//! A person's word into a turn that ends before its model gets it: it is never lost.

use serde_json::{Value, json};

use crate::support::{
    http::Api,
    model::{Gate, Script, ScriptedModel, call, refuse, say},
    process::Home,
    server::Server,
    soon,
};

async fn steer(api: &Api, id: &str, text: &str) {
    api.post(&format!("/cowork/sessions/{id}/steer"), json!({"message": text})).await.expect(202);
}

/// What people said, as the conversation has it: messages, and words into a turn.
async fn said(api: &Api, id: &str) -> Vec<String> {
    let rows = api.rows(id).await;
    let by_people = rows.iter().filter(|row| ["user", "system"].contains(&row["role"].as_str().unwrap()));
    by_people.map(|row| row["content"].as_str().unwrap().to_owned()).collect()
}

fn texts(queue: &[Value]) -> Vec<&str> {
    queue.iter().map(|waiting| waiting["message"].as_str().unwrap()).collect()
}

/// A session whose first turn waits at the gate.
async fn busy(gate: &Gate, first: Script, more: impl IntoIterator<Item = Script>) -> (Server, String) {
    let server = Server::playing([first]).await;
    server.model.play(more);
    let id = server.session().await;
    server.api.send(&id, "Begin").await;
    gate.reached(1).await;
    (server, id)
}

#[tokio::test]
async fn after_a_stop_it_waits_first_in_the_queue_that_the_stop_holds() {
    let gate = Gate::new();
    let (server, id) = busy(&gate, say("Busy").wait(&gate), [say("Kurz.")]).await;
    server.api.send(&id, "And then?").await;
    let mut socket = server.socket(&id, "").await;
    steer(&server.api, &id, "Shorter!").await;
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    socket.wait("turn_interrupted").await;
    let accepted = socket.all("message_accepted").into_iter().next_back().unwrap().clone();
    assert_eq!(
        (&accepted["message"], &accepted["queued"], &accepted["actor"]["name"]),
        (&json!("Shorter!"), &json!(true), &json!("local"))
    );
    let queue = server.api.queue(&id).await;
    assert_eq!(texts(&queue), ["Shorter!", "And then?"]);
    assert_eq!(said(&server.api, &id).await, ["Begin"]);
    let page = server.api.page(&format!("/sessions/{id}")).await.text;
    assert_eq!(page.matches("Shorter!").count(), page.matches("And then?").count(), "it stands in the queue alone");
    let next = queue[0]["message_id"].as_str().unwrap();
    server.model.play([say("Dann.")]);
    server.api.post(&format!("/cowork/sessions/{id}/queue/{next}/send"), json!({})).await.expect(202);
    server.ended(&id, 3).await;
    assert_eq!(said(&server.api, &id).await, ["Begin", "Shorter!", "And then?"]);
}

#[tokio::test]
async fn after_an_error_it_is_kept_too() {
    let gate = Gate::new();
    let (server, id) = busy(&gate, say("Busy").wait(&gate).broken(), []).await;
    steer(&server.api, &id, "Shorter!").await;
    gate.open();
    server.ended(&id, 1).await;
    assert_eq!(texts(&server.api.queue(&id).await), ["Shorter!"]);
}

#[tokio::test]
async fn at_the_cap_of_calls_it_becomes_the_next_turn() {
    let gate = Gate::new();
    let look = |step: usize| json!({"path": format!("folder-{step}")});
    let calls = (0..39).map(|step| call("next", "list_directory", &look(step)));
    let last = call("next", "list_directory", &look(39)).wait(&gate);
    let server = Server::playing(calls.chain([last, say("Here.")])).await;
    let id = server.session().await;
    server.api.send(&id, "Go round").await;
    gate.reached(1).await;
    steer(&server.api, &id, "Stop looking.").await;
    gate.open();
    let end = server.ended(&id, 1).await;
    assert_eq!(end["stopped_by"], "limit");
    server.ended(&id, 2).await;
    assert_eq!(said(&server.api, &id).await, ["Go round", "Stop looking."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_it_is_the_next_message() {
    let (model, gate) = (ScriptedModel::start().await, Gate::new());
    model.play([say("Busy").wait(&gate)]);
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({"model": "scripted"})).await;
    process.api.send(&id, "Begin").await;
    gate.reached(1).await;
    steer(&process.api, &id, "Shorter!").await;
    process.kill_9();
    let process = home.start().await;
    assert_eq!(texts(&process.api.queue(&id).await), ["Shorter!"]);
    let kinds = process.api.event_types(&id).await;
    assert_eq!(kinds.last().unwrap(), "turn_interrupted");
    model.play([say("Kurz.")]);
    let queue = process.api.queue(&id).await;
    let next = queue[0]["message_id"].as_str().unwrap();
    process.api.post(&format!("/cowork/sessions/{id}/queue/{next}/send"), json!({})).await.expect(202);
    let mut socket = process.socket(&id, "cursor=0").await;
    socket.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2).await;
    assert_eq!(said(&process.api, &id).await, ["Begin", "Shorter!"]);
}

/// Whichever comes first, the word or the end: what was taken is in the conversation once, what was not was refused.
#[tokio::test]
async fn a_word_that_races_with_the_end_is_taken_once_or_refused() {
    let server = Server::start().await;
    for round in 0..20 {
        let (gate, first) = (Gate::new(), format!("Round {round}"));
        server.model.play_for(&first, [say("A").wait(&gate), say("B"), refuse(400, "asked a third time")]);
        let id = server.session().await;
        server.api.send(&id, &first).await;
        gate.reached(1).await;
        let path = format!("/cowork/sessions/{id}/steer");
        let (answer, ()) = tokio::join!(server.api.post(&path, json!({"message": "Late"})), async { gate.open() });
        if answer.status == 409 {
            answer.expect_problem(409, "not_running");
            continue;
        }
        answer.expect(202);
        let arrived = async {
            while !said(&server.api, &id).await.iter().any(|text| text.ends_with("Late")) {
                tokio::task::yield_now().await;
            }
        };
        soon("the word in the conversation", arrived).await;
        let count = said(&server.api, &id).await.iter().filter(|text| text.ends_with("Late")).count();
        assert_eq!(count, 1, "round {round}");
    }
}
