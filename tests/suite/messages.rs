//! Messages: what is accepted, once, and in which order.

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, say},
    server::{Server, Setup},
};

#[tokio::test]
async fn a_message_is_accepted_with_its_turn_and_its_id() {
    let server = Server::playing([say("Hello.")]).await;
    let id = server.session().await;
    let answer = server.api.post(&format!("/cowork/sessions/{id}/messages"), json!({"message": "Hi"})).await;
    let accepted = answer.expect(202);
    assert_eq!((&accepted["turn"], &accepted["queued"]), (&json!(1), &json!(false)));
    assert_eq!(accepted["message_id"].as_str().unwrap().len(), 32);
    assert_eq!(accepted.as_object().unwrap().len(), 3);
    server.ended(&id, 1).await;
    let received = server.api.events_of(&id, "user_message_received").await.remove(0);
    assert_eq!(received["payload"]["message_id"], accepted["message_id"]);
    assert_eq!(received["payload"]["bytes"], 2);
    assert_eq!(received["payload"].get("message"), None, "the text stands in the conversation alone");
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_before_the_answer() {
    let gate = Gate::new();
    let server = Server::playing([say("").wait(&gate)]).await;
    let id = server.session().await;
    let accepted = server.api.send(&id, "Keep me").await;
    let file = rusqlite::Connection::open(&server.database).unwrap();
    let sql = "SELECT (SELECT content FROM conversation_turns WHERE session_id = ?1),
                      (SELECT message_id FROM cowork_web_messages WHERE session_id = ?1)";
    let kept: (String, String) = file.query_row(sql, [&id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept, ("Keep me".into(), accepted["message_id"].as_str().unwrap().into()));
}

#[tokio::test]
async fn a_client_id_is_answered_the_same_for_ever_and_starts_nothing_again() {
    let server = Server::playing([say("Once."), say("Next.")]).await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/messages");
    let message = json!({"message": "Do it", "client_id": "c-1"});
    let first = server.api.post(&path, message.clone()).await.expect(202);
    assert_eq!(server.api.post(&path, message.clone()).await.expect(202), first, "while it runs");
    server.ended(&id, 1).await;
    assert_eq!(server.api.post(&path, message.clone()).await.expect(202), first, "after it ended");
    let other = json!({"message": "Do another", "client_id": "c-1"});
    server.api.post(&path, other).await.expect_problem(409, "client_id_reused");
    server.turn(&id, "Go on").await;
    assert_eq!(server.api.post(&path, message).await.expect(202), first, "after another turn");
    assert_eq!(server.api.rows(&id).await.len(), 4);
    assert_eq!(server.model.requests().len(), 2);

    let elsewhere = server.session().await;
    server.model.play([say("Elsewhere.")]);
    let path = format!("/cowork/sessions/{elsewhere}/messages");
    let accepted = server.api.post(&path, json!({"message": "New", "client_id": "c-1"})).await.expect(202);
    assert_eq!(accepted["turn"], 1, "another session has client ids of its own");
    server.ended(&elsewhere, 1).await;
}

#[tokio::test]
async fn many_at_once_with_one_client_id_are_one_message() {
    let server = Server::playing([say("Once.")]).await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/messages");
    let send = || server.api.post(&path, json!({"message": "Do it", "client_id": "same"}));
    let answers = futures::future::join_all((0..8).map(|_| send())).await;
    let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect(202)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    server.ended(&id, 1).await;
    assert_eq!(server.api.rows(&id).await.len(), 2);
    assert_eq!(server.api.queue(&id).await, [] as [Value; 0]);
}

#[tokio::test]
async fn of_two_messages_at_once_one_runs_and_one_waits() {
    let (first, second) = (Gate::new(), Gate::new());
    let server = Server::playing([say("").wait(&first).then("One."), say("").wait(&second).then("Two.")]).await;
    let id = server.session().await;
    let (a, b) = tokio::join!(server.api.send(&id, "Red"), server.api.send(&id, "Blue"));
    let mut turns = [a["turn"].clone(), b["turn"].clone()];
    turns.sort_by_key(|turn| turn.as_u64().unwrap_or(u64::MAX));
    assert_eq!(turns, [json!(1), Value::Null]);
    first.reached(1).await;
    assert_eq!(server.model.requests().len(), 1, "the other one has not begun");
    assert_eq!(server.api.queue(&id).await.len(), 1);
    first.open();
    second.open();
    server.ended(&id, 2).await;
    let roles: Vec<_> = server.api.rows(&id).await.iter().map(|row| row["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
}

#[tokio::test]
async fn a_message_that_can_not_be_taken_is_refused_with_the_limit() {
    let server = Setup { message_bytes: 100, ..Setup::default() }.start().await;
    server.model.play([say("Just fits.")]);
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/messages");
    let detail = server.api.post(&path, json!({"message": "ä".repeat(51)})).await;
    let detail = detail.expect_problem(422, "message_too_large");
    assert!(detail.contains("102 bytes") && detail.contains("100"), "{detail}");
    for (body, word) in [
        (json!({"message": ""}), "empty"),
        (json!({"message": " \n\t"}), "empty"),
        (json!({}), "empty"),
        (json!({"message": 7}), "message"),
        (json!({"message": null}), "message"),
        (json!({"message": "x", "client_id": ""}), "client_id"),
        (json!({"message": "x", "client_id": "c".repeat(129)}), "client_id"),
        (json!({"message": "x", "colour": "red"}), "colour"),
    ] {
        let detail = server.api.post(&path, body.clone()).await.expect_problem(422, "invalid_request");
        assert!(detail.contains(word), "{body}: {detail}");
    }
    server.api.text("POST", &path, "{\"message\": \"half").await.expect_problem(400, "bad_json");
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
    server.turn(&id, &"ä".repeat(50)).await;
}

#[tokio::test]
async fn a_message_keeps_every_character() {
    let text = "Zeile 1\r\n\tTab \u{0} NUL, 𝄞, e\u{301}, \u{202e}rtl, <b>&amp;\"'\\ \u{feff}\u{fffd}";
    let server = Server::playing([say(text)]).await;
    let id = server.session().await;
    server.turn(&id, text).await;
    let rows = server.api.rows(&id).await;
    assert_eq!((&rows[0]["content"], &rows[1]["content"]), (&json!(text), &json!(text)));
    assert_eq!(server.model.last_messages().last().unwrap()["content"], text);
}

#[tokio::test]
async fn where_nothing_runs_nothing_can_be_stopped() {
    let server = Server::start().await;
    let id = server.session().await;
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect_problem(409, "not_running");
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
}
