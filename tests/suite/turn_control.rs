//! What a person can say into a running turn, and how a turn ends that gets nowhere.

use std::sync::Arc;

use async_trait::async_trait;
use cowork::agent::ports::{
    model::ToolSpec,
    tool::{Tool, ToolContext, ToolError, ToolOutput},
};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{
    model::{Gate, Script, call, say},
    server::{Server, Setup},
};

fn nothing() -> Script {
    Script::Answer(Vec::new())
}

#[tokio::test]
async fn steering_reaches_the_next_model_call_and_stands_in_the_conversation() {
    let gate = Gate::new();
    let slow = say("I look. ").wait(&gate).call("a", "list_directory", &json!({}));
    let server = Server::playing([slow, say("Kurz: leer.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "What is here?").await;
    gate.reached(1).await;
    server
        .api
        .post(&format!("/cowork/sessions/{id}/steer"), json!({"message": "In German, please."}))
        .await
        .expect(202);
    socket.send(json!({"type": "steer", "message": "And short."})).await;
    let first = socket.wait("steering_received").await;
    assert_eq!((&first["message"], &first["actor"]["name"]), (&json!("In German, please."), &json!("local")));
    socket.wait("steering_received").await;
    assert_eq!(server.model.requests().len(), 1);
    gate.open();
    socket.wait("turn_completed").await;
    let told = server.model.last_messages();
    let said: Vec<_> = told.iter().filter_map(|message| message["content"].as_str()).collect();
    let place = |text: &str| said.iter().position(|message| message.contains(text)).unwrap();
    assert!(place("In German, please.") < place("And short."), "{said:?}");
    let rows = server.api.rows(&id).await;
    let roles: Vec<_> = rows.iter().map(|row| row["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "system", "system", "assistant"]);
    assert_eq!(server.api.session(&id).await["turn_count"], 1);
    let log = server.api.get(&format!("/cowork/sessions/{id}/logs")).await.text;
    assert!(!log.contains("German"), "{log}");
}

#[tokio::test]
async fn steering_that_comes_with_the_last_words_is_still_answered() {
    let gate = Gate::new();
    let server = Server::playing([say("Done").wait(&gate).then("."), say("Fertig.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Do it").await;
    gate.reached(1).await;
    server.api.post(&format!("/cowork/sessions/{id}/steer"), json!({"message": "In German!"})).await.expect(202);
    gate.open();
    socket.wait("turn_completed").await;
    assert_eq!(server.api.rows(&id).await.last().unwrap()["content"], "Fertig.");
}

#[tokio::test]
async fn nothing_can_be_steered_where_nothing_runs() {
    let server = Server::start().await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/steer");
    server.api.post(&path, json!({"message": "Left!"})).await.expect_problem(409, "not_running");
    server.api.post(&path, json!({"message": " "})).await.expect_problem(422, "invalid_request");
}

#[tokio::test]
async fn the_same_call_again_and_again_is_not_run_and_ends_in_words() {
    let again = || call("again", "list_directory", &json!({}));
    let server = Server::playing([again(), again(), again(), again()]).await;
    let id = server.session().await;
    let frames = server.turn(&id, "Go round").await;
    assert_eq!(server.model.requests().len(), 4);
    let end = frames.iter().find(|frame| frame["type"] == "turn_completed").unwrap();
    assert_eq!(end["stopped_by"], "limit");
    let started = frames.iter().filter(|frame| frame["type"] == "tool_call_started").count();
    let completed: Vec<_> = frames.iter().filter(|frame| frame["type"] == "tool_call_completed").collect();
    assert_eq!((started, completed.len()), (2, 4), "the third and the fourth are answered and not run");
    assert!(completed[2]["error"].as_str().unwrap().contains("twice before"), "{}", completed[2]);
    let text = server.api.rows(&id).await.pop().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(text.contains("repeating"), "{text}");
    server.model.play([say("Something else.")]);
    server.turn(&id, "Try another way").await;
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_once_more_and_then_said() {
    let server = Server::playing([nothing(), say("Sorry: 4.")]).await;
    let id = server.session().await;
    server.turn(&id, "2 + 2?").await;
    let told = server.model.last_messages();
    assert!(told.last().unwrap()["content"].as_str().unwrap().contains("direct answer"), "{told:?}");
    assert_eq!(server.api.rows(&id).await.last().unwrap()["content"], "Sorry: 4.");

    server.model.play([nothing(), nothing()]);
    let frames = server.turn(&id, "And 3 + 3?").await;
    let end = frames.iter().find(|frame| frame["type"] == "turn_completed").unwrap();
    assert_eq!(end["stopped_by"], "limit");
    let text = server.api.rows(&id).await.pop().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(text.contains("the model said nothing"), "{text}");
}

#[tokio::test]
async fn calls_that_look_run_side_by_side_and_their_results_stand_in_the_models_order() {
    let looks = (0..6).fold(nothing(), |script, index| {
        script.call(&format!("c{index}"), "read_file", &json!({"path": format!("{index}.txt")}))
    });
    let server = Server::playing([looks, say("Read.")]).await;
    for index in 0..6 {
        server.write_file(&format!("{index}.txt"), &format!("content {index}\n"));
    }
    let id = server.session().await;
    server.turn(&id, "Read all").await;
    let types: Vec<_> = server.api.event_types(&id).await;
    let begun = types.iter().filter(|kind| *kind == "tool_call_started").count();
    let first_end = types.iter().position(|kind| kind == "tool_call_completed").unwrap();
    let last_start = types.iter().rposition(|kind| kind == "tool_call_started").unwrap();
    assert_eq!(begun, 6);
    assert!(last_start < first_end, "all have begun before one has ended: {types:?}");
    let rows = server.api.rows(&id).await;
    let ids: Vec<_> = rows.iter().filter_map(|row| row["tool_call_id"].as_str()).collect();
    assert_eq!(ids, ["c0", "c1", "c2", "c3", "c4", "c5"]);
}

/// A tool that only looks, and ends when another call of it has begun.
struct Meets(Barrier);

#[async_trait]
impl Tool for Meets {
    fn spec(&self) -> ToolSpec {
        ToolSpec { name: "meet".into(), description: "Meets.".into(), parameters: json!({"type": "object"}) }
    }

    fn preview(&self, _args: &Value) -> String {
        String::new()
    }

    async fn run(&self, _args: Value, _context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        self.0.wait().await;
        Ok(ToolOutput { text: "met".into(), ..ToolOutput::default() })
    }
}

#[tokio::test]
async fn two_looks_that_wait_for_each_other_both_end() {
    let meets = Arc::new(Meets(Barrier::new(2)));
    let server = Setup { more_tools: vec![meets], ..Setup::default() }.start().await;
    server.model.play([call("a", "meet", &json!({})).call("b", "meet", &json!({})), say("They met.")]);
    let id = server.session().await;
    let frames = server.turn(&id, "Meet").await;
    let results: Vec<_> = frames.iter().filter(|frame| frame["type"] == "tool_call_completed").collect();
    assert_eq!((results.len(), &results[0]["output"], &results[1]["output"]), (2, &json!("met"), &json!("met")));
}

#[tokio::test]
async fn the_plan_is_kept_and_shown_with_the_session() {
    let plan = json!({"tasks": [
        {"content": "Read the invoices", "status": "completed"},
        {"content": "Add them up", "status": "in_progress"}
    ]});
    let wrong = json!({"tasks": [{"content": "x", "status": "soon"}]});
    let server =
        Server::playing([call("a", "task_tracker", &plan), call("b", "task_tracker", &wrong), say("On it.")]).await;
    let id = server.session().await;
    let frames = server.turn(&id, "Add up").await;
    assert_eq!(server.api.session(&id).await["tasks"], plan["tasks"]);
    let results: Vec<_> = frames.iter().filter(|frame| frame["type"] == "tool_call_completed").collect();
    assert_eq!((&results[0]["success"], &results[1]["success"]), (&json!(true), &json!(false)));
    assert!(results[1]["error"].as_str().unwrap().contains("in_progress"), "{}", results[1]);
}

#[tokio::test]
async fn earlier_turns_can_be_recalled_and_other_sessions_can_not() {
    let recall = call("r", "conversation_recall", &json!({"query": "Lieferschein 4711"}));
    let server = Server::playing([say("Noted."), say("Noted too."), recall, say("It was 4711.")]).await;
    let other = server.session().await;
    server.turn(&other, "Lieferschein 4711 of somebody else").await;
    let id = server.session().await;
    server.turn(&id, "The Lieferschein is 4711, from Monday").await;
    let frames = server.turn(&id, "Which one was it?").await;
    let found = frames.iter().find(|frame| frame["type"] == "tool_call_completed").unwrap();
    let output = found["output"].as_str().unwrap();
    assert!(output.contains("from Monday") && !output.contains("somebody else"), "{output}");
}
