//! Commands in a turn: asked first, heard while they run, ended by a stop, and what they changed is told and taken back.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    jail::processes_with,
    model::{Script, call, say},
    process::Home,
    server::{Server, is_end, write_file},
    socket::Socket,
};

fn shell(id: &str, command: &str) -> Script {
    call(id, "shell_execute", &json!({ "command": command }))
}

/// Sends a message, approves its call and gives the socket.
async fn approved(server: &Server, session: &str) -> Socket {
    let mut socket = server.socket(session, "").await;
    server.api.send(session, "Do it").await;
    let asked = socket.wait("approval_requested").await;
    let path = format!("/cowork/sessions/{session}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    socket
}

#[tokio::test]
async fn what_a_command_changed_is_told_with_its_diff_listed_and_taken_back() {
    let script =
        "mkdir -p new && echo made > new/file && echo after > a.txt && rm gone.txt && mv old.txt moved.txt; echo done";
    let server = Server::playing([shell("s", script), say("Done.")]).await;
    for (name, text) in [("a.txt", "before\n"), ("gone.txt", "gone\n"), ("old.txt", "old\n")] {
        server.write_file(name, text);
    }
    let id = server.session().await;
    let mut socket = approved(&server, &id).await;
    let done = socket.wait("tool_call_completed").await;
    assert_eq!((&done["success"], &done["output"]), (&json!(true), &json!("done")));
    assert_eq!(done["files_changed"], json!(["a.txt", "gone.txt", "moved.txt", "new/file"]));
    let diff = done["diff"].as_str().unwrap();
    assert!(diff.contains("-before\n+after\n") && diff.contains("+made") && diff.contains("-gone"), "{diff}");
    socket.wait("turn_completed").await;
    let turn = format!("/cowork/sessions/{id}/turns/1");
    let changes = server.api.get(&format!("{turn}/changes")).await.expect(200);
    let kinds: Vec<&Value> = changes["changes"].as_array().unwrap().iter().map(|change| &change["kind"]).collect();
    assert_eq!(kinds, ["modified", "deleted", "moved", "created"]);
    let undone = server.api.post(&format!("{turn}/undo"), json!({})).await.expect(200);
    assert_eq!(undone["conflicts"], json!([]));
    for (name, text) in [("a.txt", "before\n"), ("gone.txt", "gone\n"), ("old.txt", "old\n")] {
        assert_eq!(fs::read_to_string(server.workspace.join(name)).unwrap(), text);
    }
    assert!(!server.workspace.join("new").exists() && !server.workspace.join("moved.txt").exists());
}

#[tokio::test]
async fn a_git_call_that_changes_files_is_told_and_one_that_looks_leaves_no_record() {
    let git = |id: &str, args: &[&str]| call(id, "git_command", &json!({ "args": args }));
    let server = Server::playing([git("g", &["init", "-q"]), say("Ready.")]).await;
    server.write_file("a.txt", "one\n");
    let id = server.session().await;
    approved(&server, &id).await.wait("turn_completed").await;
    server.model.play([git("g1", &["add", "a.txt"]), git("g2", &["rm", "-q", "--cached", "a.txt"]), say("Staged.")]);
    let mut socket = approved(&server, &id).await;
    let done = socket.wait("tool_call_completed").await;
    assert_eq!(
        (&done["success"], &done["files_changed"]),
        (&json!(true), &json!([])),
        "the index is no file of theirs"
    );
    let asked = socket.wait("approval_requested").await;
    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    socket.wait("turn_completed").await;

    server.model.play([git("g3", &["mv", "-f", "a.txt", "b.txt"]), say("Moved.")]);
    let mut socket = approved(&server, &id).await;
    assert_eq!(socket.wait("tool_call_completed").await["success"], false, "it is not in the index");
    socket.wait("turn_completed").await;
    server.model.play([git("g4", &["status", "--short"]), say("Seen.")]);
    let frames = server.turn(&id, "Look").await;
    assert!(frames.iter().all(|frame| frame["type"] != "approval_requested"), "looking is free");
    let changes = server.api.get(&format!("/cowork/sessions/{id}/turns/4/changes")).await.expect(200);
    assert_eq!(changes["changes"], json!([]));
}

#[tokio::test]
async fn a_stop_during_a_long_command_ends_it_within_a_second_and_tells_what_it_did() {
    let sleep = format!("60.{:07}12", std::process::id());
    let script = format!("echo half > made.txt; echo started; sleep {sleep}; echo never");
    let server = Server::playing([shell("s", &script).call("l", "list_directory", &json!({})), say("On.")]).await;
    let id = server.session().await;
    let mut socket = approved(&server, &id).await;
    socket.wait_for(|frame| frame["type"] == "tool_call_output" && frame["text"] == "started\n").await;
    assert!(!processes_with(&sleep).is_empty());
    let asked = Instant::now();
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    let end = socket.wait("turn_interrupted").await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(end["reason"], "stopped");
    assert_eq!(processes_with(&sleep), Vec::<u32>::new());
    let results = socket.all("tool_call_completed");
    assert_eq!((results.len(), &results[0]["success"], &results[1]["success"]), (2, &json!(false), &json!(false)));
    assert!(results[0]["error"].as_str().unwrap().starts_with("Stopped by the person"), "{results:?}");
    assert_eq!((&results[0]["output"], &results[0]["files_changed"]), (&json!("started"), &json!(["made.txt"])));
    server.api.post(&format!("/cowork/sessions/{id}/turns/1/undo"), json!({})).await.expect(200);
    assert!(!server.workspace.join("made.txt").exists());
}

#[tokio::test]
async fn a_failed_command_tells_what_it_changed_before() {
    let server = Server::playing([shell("s", "echo x > made.txt; exit 3"), say("It failed.")]).await;
    let id = server.session().await;
    let done = approved(&server, &id).await.wait("tool_call_completed").await;
    assert_eq!((&done["success"], &done["files_changed"]), (&json!(false), &json!(["made.txt"])));
    assert!(done["diff"].as_str().unwrap().contains("+x"), "{done}");
    server.ended(&id, 1).await;
}

/// Without a key, as somebody tries the program out: nothing is configured.
#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_model_runs_a_command_once_it_may() {
    let home = Home::new();
    write_file(&home.workspace, "notes.txt", "one\ntwo\n");
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "run `wc -l notes.txt > lines.txt; cat lines.txt`").await;
    let asked = socket.wait("approval_requested").await;
    assert_eq!((&asked["name"], &asked["risk"]), (&json!("shell_execute"), &json!("run")));
    assert_eq!(asked["args"], json!({"command": "wc -l notes.txt > lines.txt; cat lines.txt"}));
    assert!(!home.workspace.join("lines.txt").exists(), "nothing runs before the word");
    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    process.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    let done = socket.wait("tool_call_completed").await;
    assert_eq!((&done["success"], &done["output"]), (&json!(true), &json!("2 notes.txt")), "{done}");
    assert_eq!(done["files_changed"], json!(["lines.txt"]));
    assert_eq!(socket.wait_for(is_end).await["type"], "turn_completed");
    let answer = process.api.rows(&id).await.pop().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(answer.contains("2 notes.txt"), "{answer}");
}
