//! Turns: what a model does with tools, and what is kept of it.

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, call, say},
    server::Server,
};

fn lines(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_turn_with_two_calls_leaves_its_rows_and_its_events_in_order() {
    let read = json!({"path": "notes/a.txt"});
    let server = Server::playing([
        say("I look.").call("call_a", "read_file", &read).call("call_b", "list_directory", &json!({})),
        say("It says ").then("alpha."),
    ])
    .await;
    server.write_file("notes/a.txt", "alpha\n\n  beta\n");
    let id = server.session().await;
    server.turn(&id, "What is in it?").await;

    let rows = server.api.rows(&id).await;
    let shape: Vec<_> =
        rows.iter().map(|row| (row["role"].as_str().unwrap(), row["message"].clone(), row["turn"].clone())).collect();
    let turn = json!(1);
    let expected = [
        ("user", Value::Null, turn.clone()),
        ("assistant", json!(0), turn.clone()),
        ("tool", Value::Null, turn.clone()),
        ("tool", Value::Null, turn.clone()),
        ("assistant", json!(1), turn),
    ];
    assert_eq!(shape, expected);
    assert_eq!(rows[1]["tool_calls"][0]["function"]["name"], "read_file");
    assert_eq!((&rows[2]["tool_call_id"], &rows[2]["tool_name"]), (&json!("call_a"), &json!("read_file")));
    assert_eq!(rows[4]["content"], "It says alpha.");

    let events = server.api.events(&id).await;
    let expected = "session_started user_message_received turn_started model_call message_completed tool_call_started \
        tool_call_started tool_call_completed tool_call_completed model_call message_completed turn_completed";
    assert_eq!(lines(&events).join(" "), expected);
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
    let completed = &events[7]["payload"];
    assert_eq!((&completed["tool_call_id"], &completed["success"]), (&json!("call_a"), &json!(true)));
    let end = &events[11]["payload"];
    assert_eq!((&end["tool_calls"], &end["model"]), (&json!(2), &json!("scripted")));
    assert_eq!(end["tokens"], json!({"input": 22, "output": 14, "cached": 0, "total": 36}));
    assert_eq!(end["context"], json!({"used": 18, "limit": 100_000}));
    assert_eq!(end.get("stopped_by"), None);
}

#[tokio::test]
async fn results_reach_the_model_right_behind_their_calls_with_their_lines() {
    let server = Server::playing([
        call("a", "read_file", &json!({"path": "poem.txt"})).call("b", "read_file", &json!({"path": "gone.txt"})),
        say("Read."),
    ])
    .await;
    server.write_file("poem.txt", "one\n\n  two\n");
    let id = server.session().await;
    server.turn(&id, "Read it").await;
    let messages = server.model.last_messages();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
    assert!(messages[0]["content"].as_str().unwrap().contains(&server.workspace.display().to_string()));
    let (poem, gone) = (messages[3]["content"].as_str().unwrap(), messages[4]["content"].as_str().unwrap());
    assert!(poem.contains("one\n") && poem.contains("  two"), "{poem:?}");
    assert!(gone.starts_with("Error: ") && gone.contains("gone.txt"), "{gone:?}");
    assert!(!gone.contains(&server.workspace.display().to_string()), "a path of the workspace is relative: {gone}");
    let failed = server.api.events_of(&id, "tool_call_completed").await.remove(1);
    assert_eq!((&failed["payload"]["success"], &failed["payload"]["tool_call_id"]), (&json!(false), &json!("b")));
}

#[tokio::test]
async fn the_model_is_given_the_conversation_and_the_tools() {
    let server = Server::playing([say("Four."), say("Five.")]).await;
    let id = server.session().await;
    server.turn(&id, "2 + 2?").await;
    server.turn(&id, "And one more?").await;
    let request = server.model.requests().pop().unwrap();
    let said: Vec<_> = server.model.last_messages()[1..].iter().map(|message| message["content"].clone()).collect();
    assert_eq!(said, ["2 + 2?", "Four.", "And one more?"]);
    assert_eq!((&request["model"], &request["stream"]), (&json!("scripted-1"), &json!(true)));
    let told: Vec<_> = request["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    let tools = server.api.get("/tools").await.expect(200);
    assert_eq!(told, tools.as_array().unwrap().iter().map(|tool| &tool["name"]).collect::<Vec<_>>());
    assert!(told.contains(&&json!("read_file")), "{told:?}");
}

#[tokio::test]
async fn malformed_arguments_and_unknown_tools_are_told_to_the_model_and_the_turn_goes_on() {
    let server = Server::playing([
        Script::Answer(Vec::new())
            .call_text("a", "read_file", "{\"path\": ")
            .call_text("b", "launch_rockets", "{}")
            .call_text("c", "read_file", "{\"file\": 7}")
            .call_text("d", "read_file", "[1]"),
        say("I give up."),
    ])
    .await;
    let id = server.session().await;
    let frames = server.turn(&id, "Try").await;
    let told: Vec<_> = server.model.last_messages()[3..].iter().map(|message| message["content"].clone()).collect();
    for (told, word) in
        told.iter().zip(["JSON object", "There is no tool `launch_rockets`", "`path` is missing", "object"])
    {
        assert!(told.as_str().unwrap().contains(word), "{told} lacks {word}");
    }
    assert_eq!(told.len(), 4);
    let failed = frames.iter().filter(|frame| frame["type"] == "tool_call_completed" && frame["success"] == false);
    assert_eq!(failed.count(), 4);
    assert_eq!(server.api.rows(&id).await.last().unwrap()["content"], "I give up.");
}

#[tokio::test]
async fn a_call_id_that_was_used_before_gets_a_suffix_that_is_stored_and_sent_back() {
    let list = json!({});
    let server = Server::playing([
        call("call_1", "list_directory", &list).call("call_1", "list_directory", &list),
        call("call_1", "list_directory", &list),
        say("Done."),
        call("call_1", "list_directory", &list).call("", "list_directory", &list),
        say("Again."),
    ])
    .await;
    let id = server.session().await;
    server.turn(&id, "List").await;
    server.turn(&id, "List again").await;
    let started = server.api.events_of(&id, "tool_call_started").await;
    let mut ids: Vec<_> = started.iter().map(|event| event["payload"]["tool_call_id"].as_str().unwrap()).collect();
    assert_eq!(ids[..4], ["call_1", "call_1-2", "call_1-3", "call_1-4"]);
    let rows = server.api.rows(&id).await;
    let stored: Vec<_> = rows.iter().filter_map(|row| row["tool_call_id"].as_str()).collect();
    assert_eq!(stored, ids);
    let messages = server.model.last_messages();
    let sent: Vec<_> = messages.iter().filter_map(|message| message["tool_call_id"].as_str()).collect();
    assert_eq!(sent, ids);
    ids.dedup();
    assert_eq!(ids.len(), 5, "each is another: {ids:?}");
}

#[tokio::test]
async fn a_model_that_never_rests_is_ended_with_a_message_that_says_so() {
    const MOST_CALLS: usize = 40;
    let next = |step| call("next", "list_directory", &json!({"path": format!("folder-{step}")}));
    let server = Server::playing((0..MOST_CALLS).map(next)).await;
    let id = server.session().await;
    let frames = server.turn(&id, "Go round").await;
    assert_eq!(server.model.requests().len(), MOST_CALLS);
    let end = frames.iter().find(|frame| frame["type"] == "turn_completed").unwrap();
    assert_eq!((&end["stopped_by"], &end["tool_calls"]), (&json!("limit"), &json!(MOST_CALLS)));
    let last = server.api.rows(&id).await.pop().unwrap();
    let text = last["content"].as_str().unwrap();
    assert_eq!(last["role"], "assistant");
    assert!(text.contains("limit") && text.contains("40"), "{text}");
    let shown: String = frames
        .iter()
        .filter(|frame| frame["type"] == "text_delta" && frame["message"] == MOST_CALLS)
        .map(|frame| frame["text"].as_str().unwrap())
        .collect();
    assert_eq!(shown, text, "it is shown live as any other text");
}

#[tokio::test]
async fn thoughts_are_shown_live_and_kept_nowhere() {
    let gate = Gate::new();
    let server =
        Server::playing([Script::Answer(Vec::new()).think("Hm, früh").wait(&gate).think("!").then("Ja.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Denk nach").await;
    let thought = socket.wait("thinking_delta").await;
    assert_eq!((&thought["offset"], &thought["text"]), (&json!(0), &json!("Hm, früh")));
    let mut late = server.socket(&id, "").await;
    let hello = late.wait("hello").await;
    assert_eq!((&hello["in_flight"]["thinking"], &hello["in_flight"]["text"]), (&json!("Hm, früh"), &json!("")));
    gate.open();
    let more = late.wait("thinking_delta").await;
    assert_eq!((&more["offset"], &more["text"]), (&json!("Hm, früh".len()), &json!("!")));
    late.wait("turn_completed").await;
    assert_eq!(server.api.rows(&id).await[1]["content"], "Ja.");
    let log = server.api.get(&format!("/cowork/sessions/{id}/logs")).await.text;
    assert!(!log.contains("Hm,"), "{log}");
}

#[tokio::test]
async fn the_built_in_model_finds_what_a_person_asks_for() {
    let server = Server::start().await;
    server.write_file("invoices/march.txt", "Invoice 17 for ACME\n");
    server.write_file("invoices/april.txt", "Nothing of note\n");
    server.write_file("letters/acme.md", "Dear ACME,\nthanks.\n");
    let id = server.api.create(json!({"model": "built_in"})).await;
    let frames = server.turn(&id, "Which files mention ACME?").await;
    let calls: Vec<_> = frames.iter().filter(|frame| frame["type"] == "tool_call_completed").collect();
    assert!(!calls.is_empty() && calls.iter().all(|call| call["success"] == true), "{calls:#?}");
    assert!(calls.iter().any(|call| call["name"] == "ripgrep_search"), "{calls:#?}");
    let answer = server.api.rows(&id).await.pop().unwrap();
    let text = answer["content"].as_str().unwrap();
    assert!(text.contains("invoices/march.txt") && text.contains("letters/acme.md"), "{text}");
    assert!(!text.contains("april.txt"), "{text}");
    assert!(server.model.requests().is_empty());
}
