//! The three forms in which model servers speak, each over the real loop: what a turn sends, shows, counts and survives.
//! Each test goes to all three at the same time.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    model::{CACHED, Gate, INPUT, OUTPUT, Script, Wire, call, refuse, say},
    server::{Server, Setup},
};

async fn speaking(wire: Wire, scripts: impl IntoIterator<Item = Script>) -> Server {
    let server = Setup { wire, ..Setup::default() }.start().await;
    server.model.play(scripts);
    server
}

fn of<'a>(frames: &'a [Value], kind: &str) -> &'a Value {
    frames.iter().find(|frame| frame["type"] == kind).unwrap_or_else(|| panic!("no {kind}: {frames:#?}"))
}

fn texts(frames: &[Value], kind: &str) -> String {
    let pieces = frames.iter().filter(|frame| frame["type"] == kind).map(|frame| frame["text"].as_str().unwrap());
    pieces.collect()
}

/// The same without the marks of what is to be cached.
fn unmarked(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.remove("cache_control");
            map.values_mut().for_each(|value| *value = unmarked(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = unmarked(value.take())),
        _ => {}
    }
    value
}

/// The messages of the last request, without the system prompt.
fn told(server: &Server) -> Value {
    let messages = server.model.last_messages();
    unmarked(messages.into_iter().filter(|message| message["role"] != "system").collect())
}

#[tokio::test]
async fn two_calls_and_their_results_go_there_and_back_in_the_form_of_each_server() {
    join_all(Wire::ALL.map(async |wire| {
        let (poem, gone) = (json!({"path": "poem.txt"}), json!({"path": "gone.txt"}));
        let asks = Script::Answer(Vec::new()).think("Hm, ").think("two files.").then("I ").then("look.");
        let asks = asks.call("call_1", "read_file", &poem).call("call_2", "read_file", &gone);
        let server = speaking(wire, [asks, say("Only one.")]).await;
        server.write_file("poem.txt", "one\n\n  two\n");
        let id = server.session().await;
        let frames = server.turn(&id, "Look").await;
        assert_eq!(texts(&frames, "thinking_delta"), "Hm, two files.", "{wire:?}");
        assert_eq!(texts(&frames, "text_delta"), "I look.Only one.", "{wire:?}");

        let rows = server.api.rows(&id).await;
        assert!(!json!(rows).to_string().contains("Hm,"), "thoughts are kept nowhere: {rows:#?}");
        let results = [2, 3].map(|row| serde_json::from_str::<Value>(rows[row]["content"].as_str().unwrap()).unwrap());
        assert_eq!([&results[0]["success"], &results[1]["success"]], [&json!(true), &json!(false)], "{wire:?}");
        let (read, reason) = (&results[0]["output"], results[1]["error"].as_str().unwrap());
        assert!(reason.contains("gone.txt"), "{wire:?}: {reason}");
        let failed = format!("Error: {reason}");
        let ids = [0, 1].map(|call| rows[1]["tool_calls"][call]["id"].clone());
        assert_eq!([&rows[2]["tool_call_id"], &rows[3]["tool_call_id"]], [&ids[0], &ids[1]]);
        let expected = match wire {
            Wire::OpenAi => {
                let call = |index: usize, arguments: &Value| {
                    let function = json!({"name": "read_file", "arguments": arguments.to_string()});
                    json!({"id": ids[index], "type": "function", "function": function})
                };
                json!([
                    {"role": "user", "content": "Look"},
                    {"role": "assistant", "content": "I look.", "tool_calls": [call(0, &poem), call(1, &gone)]},
                    {"role": "tool", "tool_call_id": "call_1", "content": read},
                    {"role": "tool", "tool_call_id": "call_2", "content": failed},
                ])
            }
            Wire::Anthropic => {
                let thought = "Hm, two files.";
                json!([
                    {"role": "user", "content": [{"type": "text", "text": "Look"}]},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": thought, "signature": "signed: Hm, two files."},
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "call_1", "name": "read_file", "input": poem},
                        {"type": "tool_use", "id": "call_2", "name": "read_file", "input": gone},
                    ]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "call_1", "content": read},
                        {"type": "tool_result", "tool_use_id": "call_2", "content": reason, "is_error": true},
                    ]},
                ])
            }
            Wire::Ollama => {
                let call = |index: usize, arguments: &Value| {
                    let function = json!({"name": "read_file", "arguments": arguments});
                    json!({"id": ids[index], "type": "function", "function": function})
                };
                json!([
                    {"role": "user", "content": "Look"},
                    {"role": "assistant", "content": "I look.", "tool_calls": [call(0, &poem), call(1, &gone)]},
                    {"role": "tool", "tool_name": "read_file", "tool_call_id": ids[0], "content": read},
                    {"role": "tool", "tool_name": "read_file", "tool_call_id": ids[1], "content": failed},
                ])
            }
        };
        assert_eq!(told(&server), expected, "{wire:?}");

        let cached = if wire == Wire::Anthropic { CACHED } else { 0 };
        let (input, output, cached) = (2 * INPUT, 2 * OUTPUT, 2 * cached);
        let tokens = json!({"input": input, "output": output, "cached": cached, "total": input + output});
        assert_eq!(of(&frames, "turn_completed")["tokens"], tokens, "{wire:?}");
    }))
    .await;
}

/// What makes a server's cache of the prompt hit: nothing that was sent before is sent otherwise.
#[tokio::test]
async fn each_request_goes_on_where_the_one_before_it_ended() {
    join_all(Wire::ALL.map(async |wire| {
        let list = json!({});
        let scripts = [
            call("a", "list_directory", &list).call("b", "read_file", &json!({"path": "gone.txt"})),
            call("c", "list_directory", &json!({"path": "."})),
            say("Nothing."),
            say("Still nothing."),
        ];
        let server = speaking(wire, scripts).await;
        let id = server.session().await;
        server.turn(&id, "Look").await;
        server.turn(&id, "And now?").await;
        let requests: Vec<BTreeMap<String, Value>> =
            server.model.requests().into_iter().map(|body| serde_json::from_value(unmarked(body)).unwrap()).collect();
        assert_eq!(requests.len(), 4);
        for pair in requests.windows(2) {
            let [before, after] = [0, 1].map(|index| pair[index]["messages"].as_array().unwrap());
            assert!(before.len() < after.len() && after.starts_with(before), "{wire:?}: {before:#?} {after:#?}");
            for (key, value) in &pair[0] {
                assert!(key == "messages" || pair[1][key] == *value, "{wire:?}: {key} is another");
            }
        }
    }))
    .await;
}

#[tokio::test]
async fn an_anthropic_server_is_told_what_to_cache() {
    let list = |id: &str, path: &str| call(id, "list_directory", &json!({"path": path}));
    let server = speaking(Wire::Anthropic, [list("a", "."), list("b", "./"), say("Nothing.")]).await;
    let id = server.session().await;
    server.turn(&id, "Look").await;
    let marked = |block: &Value| block["cache_control"] == json!({"type": "ephemeral"});
    let last_of = |list: &Value| list.as_array().unwrap().last().unwrap().clone();
    for (request, expected) in server.model.requests().iter().zip([vec![0], vec![0, 2], vec![2, 4]]) {
        assert!(marked(&last_of(&request["tools"])) && marked(&last_of(&request["system"])), "{request:#}");
        let messages = request["messages"].as_array().unwrap();
        let ends: Vec<usize> =
            (0..messages.len()).filter(|index| marked(&last_of(&messages[*index]["content"]))).collect();
        assert_eq!(ends, expected, "the newest two of the person's side: {request:#}");
    }
}

#[tokio::test]
async fn a_stop_in_mid_stream_leaves_each_server_at_once_and_keeps_what_it_said() {
    join_all(Wire::ALL.map(async |wire| {
        let gate = Gate::new();
        let server = speaking(wire, [say("So far, so gut – ").wait(&gate).then("never"), say("Going on.")]).await;
        let id = server.session().await;
        let mut socket = server.socket(&id, "").await;
        server.api.send(&id, "Tell me").await;
        socket.wait("text_delta").await;
        server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
        assert_eq!(socket.wait("turn_interrupted").await["reason"], "stopped", "{wire:?}");
        server.model.left_by_client().await;
        let completed = of(&socket.frames, "message_completed");
        assert_eq!((&completed["text"], &completed["partial"]), (&json!("So far, so gut – "), &json!(true)));
        // What a server has said of the cost by then counts, else what was sent is estimated.
        let cost = server.api.events_of(&id, "model_call").await.remove(0)["payload"]["tokens"].clone();
        assert_eq!(cost["estimated"], true, "{wire:?}: {cost}");
        assert_eq!(cost["input"] == json!(INPUT), wire == Wire::Anthropic, "{wire:?}: {cost}");
        server.turn(&id, "Go on").await;
        let kept = json!("So far, so gut – ");
        let expected = if wire == Wire::Anthropic { json!([{"type": "text", "text": kept}]) } else { kept };
        assert_eq!(told(&server)[1], json!({"role": "assistant", "content": expected}), "{wire:?}");
    }))
    .await;
}

#[tokio::test]
async fn an_error_in_the_stream_is_told_and_asked_again_only_before_the_first_word() {
    join_all(Wire::ALL.map(async |wire| {
        let overload = json!({"type": "overloaded_error", "message": "Too much to do"});
        let nothing = Script::Answer(Vec::new());
        let begun = say("Half an answ").failing(overload.clone());
        let server = speaking(wire, [nothing.failing(overload), say("Here."), begun, say("Whole.")]).await;
        let id = server.session().await;
        server.turn(&id, "Hello").await;
        assert_eq!(server.api.rows(&id).await[1]["content"], "Here.", "{wire:?}");
        let retries = server.api.events_of(&id, "model_retry").await;
        assert_eq!(retries.len(), 1, "{wire:?}");
        assert!(retries[0]["payload"]["reason"].as_str().unwrap().contains("Too much to do"), "{retries:#?}");

        let frames = server.turn(&id, "Again").await;
        let end = of(&frames, "turn_interrupted");
        assert_eq!(end["reason"], "error", "{wire:?}");
        assert!(end["detail"].as_str().unwrap().contains("Too much to do"), "{end}");
        let completed = of(&frames, "message_completed");
        assert_eq!((&completed["text"], &completed["partial"]), (&json!("Half an answ"), &json!(true)), "{wire:?}");
        assert_eq!(server.model.requests().len(), 3, "{wire:?}");
        server.turn(&id, "And now?").await;
    }))
    .await;
}

#[tokio::test]
async fn a_server_that_names_the_seconds_to_wait_is_left_alone_for_as_long() {
    join_all(Wire::ALL.map(async |wire| {
        let server = speaking(wire, [refuse(429, "slow down").header("retry-after", "1"), say("Here.")]).await;
        let id = server.session().await;
        server.turn(&id, "Hello").await;
        let retry = server.api.events_of(&id, "model_retry").await.remove(0)["payload"].clone();
        assert_eq!((&retry["wait_ms"], &retry["attempt"]), (&json!(1000), &json!(1)), "{wire:?}");
        let reason = retry["reason"].as_str().unwrap();
        assert!(reason.contains("429") && reason.contains("slow down"), "{wire:?}: {reason}");
        assert_eq!(server.api.rows(&id).await[1]["content"], "Here.", "{wire:?}");
        assert_eq!(server.model.requests().len(), 2, "{wire:?}");
    }))
    .await;
}
