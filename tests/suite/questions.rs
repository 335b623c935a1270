//! Questions of the agent: put, answered in every way, once; kept over reload, restart and stop.

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, ScriptedModel, call, say},
    process::Home,
    server::{Server, is_end},
};

fn asking(question: &Value) -> Script {
    call("q", "ask_user", question)
}

fn which() -> Value {
    json!({"question": "Which colour?", "options": ["Blue", "Red"], "allow_custom_response": false})
}

fn question_of(session: &Value) -> &Value {
    let pending = session["pending"].as_array().unwrap();
    assert_eq!(pending.len(), 1, "{session}");
    &pending[0]
}

#[tokio::test]
async fn an_answer_becomes_the_result_of_its_call_and_the_turn_goes_on() {
    let server = Server::playing([asking(&which()), say("Blue it is.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Paint it").await;
    let asked = socket.wait("awaiting_user_input").await;
    assert_eq!(
        (&asked["kind"], &asked["allow_custom"], &asked["question"]),
        (&json!("single_choice"), &json!(false), &json!("Which colour?"))
    );
    assert_eq!(asked["options"][1], json!({"id": "2", "label": "Red", "description": ""}));
    let session = server.api.session(&id).await;
    assert_eq!(session["status"], "awaiting_user_input");
    assert_eq!(question_of(&session)["question_id"], asked["question_id"]);

    let path = format!("/cowork/sessions/{id}/questions/{}", asked["question_id"].as_str().unwrap());
    for wrong in
        [json!({"answer": "Green"}), json!({"option_ids": ["7"]}), json!({"option_ids": ["1", "2"]}), json!({})]
    {
        server.api.post(&path, wrong).await.expect_problem(422, "invalid_answer");
    }
    let answered = server.api.post(&path, json!({"option_ids": ["1"]})).await.expect(200);
    assert_eq!(answered["pending"], json!([]));
    let received = socket.wait("user_input_received").await;
    assert_eq!((&received["answer"], &received["actor"]["name"]), (&json!("Blue"), &json!("local")));
    let completed = socket.wait("tool_call_completed").await;
    assert_eq!((&completed["output"], &completed["success"]), (&json!("Blue"), &json!(true)));
    socket.wait("turn_completed").await;

    let late = server.api.post(&path, json!({"option_ids": ["2"]})).await;
    assert!(late.expect_problem(409, "already_resolved").contains("local"));
    let told = server.model.last_messages();
    assert_eq!(told.last().unwrap()["content"], "Blue");
    assert_eq!(server.api.rows(&id).await[2]["tool_call_id"], "q");
}

#[tokio::test]
async fn several_choices_and_own_words_to_a_choice_reach_the_model() {
    let months =
        json!({"question": "Which months?", "question_type": "multi_choice", "options": ["Jan", "Feb", "Mar"]});
    let format = json!({"question": "Which format?", "options": ["PDF", {"id": "x", "label": "Excel"}]});
    let [jan, mar] = ["1", "3"];
    for (question, kind, wrong, right, words) in [
        (&months, "multi_choice", json!({"option_ids": [jan, "9"]}), json!({"option_ids": [jan, mar]}), "Jan, Mar"),
        (&months, "multi_choice", json!({"option_ids": []}), json!({"answer": "All of 2025"}), "All of 2025"),
        (&format, "single_choice", json!({"option_ids": ["1", "x"]}), json!({"option_ids": ["x"]}), "Excel"),
        (&format, "single_choice", json!({"answer": "CSV", "option_ids": ["x"]}), json!({"answer": "CSV"}), "CSV"),
    ] {
        let server = Server::playing([asking(question), say("As you like.")]).await;
        let id = server.session().await;
        let mut socket = server.socket(&id, "").await;
        server.api.send(&id, "Export it").await;
        let asked = socket.wait("awaiting_user_input").await;
        assert_eq!((&asked["kind"], &asked["allow_custom"]), (&json!(kind), &json!(true)));
        let path = format!("/cowork/sessions/{id}/questions/{}", asked["question_id"].as_str().unwrap());
        server.api.post(&path, wrong).await.expect_problem(422, "invalid_answer");
        server.api.post(&path, right).await.expect(200);
        assert_eq!(socket.wait("user_input_received").await["answer"], words);
        socket.wait("turn_completed").await;
        assert_eq!(server.model.last_messages().last().unwrap()["content"], words);
    }
}

#[tokio::test]
async fn a_plain_message_answers_and_does_not_start_a_turn() {
    let server = Server::playing([asking(&json!({"question": "What name?"})), say("Hello, Ada.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Greet me").await;
    socket.wait("awaiting_user_input").await;
    let path = format!("/cowork/sessions/{id}/messages");
    let message = json!({"message": "Ada", "client_id": "c1"});
    let sent = server.api.post(&path, message.clone()).await.expect(202);
    assert_eq!((&sent["turn"], &sent["queued"]), (&json!(1), &json!(false)));
    socket.wait("turn_completed").await;
    assert_eq!(server.api.post(&path, message).await.expect(202), sent, "sent again, it is answered the same");
    assert_eq!(server.api.session(&id).await["turn_count"], 1);
    let log = server.api.get(&format!("/cowork/sessions/{id}/logs?types=user_input_received")).await.text;
    assert!(!log.contains("Ada"), "{log}");
}

#[tokio::test]
async fn a_message_that_was_queued_before_the_question_does_not_answer_it() {
    let gate = Gate::new();
    let ask = say("").wait(&gate).call("q", "ask_user", &json!({"question": "What name?"}));
    let server = Server::playing([ask, say("Fine."), say("And now this.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Greet me").await;
    gate.reached(1).await;
    let queued = server.api.send(&id, "Then list the files").await;
    assert_eq!(queued["queued"], true);
    gate.open();
    let asked = socket.wait("awaiting_user_input").await;
    let path = format!("/cowork/sessions/{id}/questions/{}", asked["question_id"].as_str().unwrap());
    server.api.post(&path, json!({"answer": "Ada"})).await.expect(200);
    server.ended(&id, 2).await;
    let rows = server.api.rows(&id).await;
    let said: Vec<_> = rows.iter().filter(|row| row["role"] == "user").map(|row| row["content"].clone()).collect();
    assert_eq!(said, ["Greet me", "Then list the files"]);
}

#[tokio::test]
async fn a_stop_while_a_question_waits_ends_the_turn_and_the_question() {
    let server = Server::playing([asking(&which()), say("On we go.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Paint it").await;
    let asked = socket.wait("awaiting_user_input").await;
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    assert_eq!(socket.wait("turn_interrupted").await["reason"], "stopped");
    let session = server.api.session(&id).await;
    assert_eq!((&session["status"], &session["pending"]), (&json!("idle"), &json!([])));
    let path = format!("/cowork/sessions/{id}/questions/{}", asked["question_id"].as_str().unwrap());
    server.api.post(&path, json!({"option_ids": ["1"]})).await.expect_problem(409, "already_resolved");
    server.turn(&id, "Never mind").await;
}

#[tokio::test]
async fn frames_answer_too_and_mistakes_are_told_on_the_socket() {
    let server = Server::playing([asking(&json!({"question": "What name?"})), say("Hello.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Greet me").await;
    let asked = socket.wait("awaiting_user_input").await;
    socket.send(json!({"type": "answer", "question_id": "nobody", "answer": "x", "client_id": "a1"})).await;
    let error = socket.wait("error").await;
    assert_eq!((&error["code"], &error["client_id"]), (&json!("not_found"), &json!("a1")));
    socket.send(json!({"type": "answer", "question_id": asked["question_id"], "answer": "Ada"})).await;
    socket.wait("turn_completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_kill_9_and_sigterm_and_its_answer_goes_to_the_model() {
    let model = ScriptedModel::start().await;
    model.play([asking(&json!({"question": "What name?"})), say("Hello, Ada.")]);
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({"model": "scripted"})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Greet me").await;
    socket.wait("awaiting_user_input").await;
    process.kill_9();
    let process = home.start().await;
    let waiting = process.api.session(&id).await;
    assert_eq!(waiting["status"], "awaiting_user_input", "after kill -9: {waiting}");
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    let process = home.start().await;
    let waiting = process.api.session(&id).await;
    assert_eq!(waiting["status"], "awaiting_user_input", "after SIGTERM: {waiting}");
    let path = format!("/cowork/sessions/{id}/questions/{}", question_of(&waiting)["question_id"].as_str().unwrap());
    process.api.post(&path, json!({"answer": "Ada"})).await.expect(200);
    process.socket(&id, "cursor=0").await.wait_for(is_end).await;
    let rows = process.api.rows(&id).await;
    assert_eq!(rows.last().unwrap()["content"], "Hello, Ada.");
    assert_eq!(model.last_messages().last().unwrap()["content"], "Ada");
    let asked = process.api.events_of(&id, "awaiting_user_input").await;
    let started = process.api.events_of(&id, "tool_call_started").await;
    assert_eq!((asked.len(), started.len()), (1, 1), "it was put once");
}
