//! Calls that change something: asked first, decided once, remembered, denied, kept over restarts; and taken back.

use serde_json::{Value, json};

use crate::support::{
    model::{Script, ScriptedModel, call, say},
    process::Home,
    server::{Server, is_end},
    socket::Socket,
};

fn write(id: &str, path: &str, content: &str) -> Script {
    call(id, "write_file", &json!({"path": path, "content": content}))
}

async fn decide(server: &Server, session: &str, asked: &Value, decision: &str) {
    server.api.post(&path(session, asked), json!({"decision": decision})).await.expect(200);
}

fn path(session: &str, asked: &Value) -> String {
    format!("/cowork/sessions/{session}/approvals/{}", asked["approval_id"].as_str().unwrap())
}

/// Sends a message and waits until its call asks.
async fn ask(server: &Server, session: &str) -> (Socket, Value) {
    let mut socket = server.socket(session, "").await;
    server.api.send(session, "Write it").await;
    let asked = socket.wait("approval_requested").await;
    (socket, asked)
}

#[tokio::test]
async fn a_write_waits_for_a_word_with_its_exact_arguments_and_runs_after_it() {
    let server = Server::playing([write("w", "notes/todo.md", "milk\n"), say("Written.")]).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!((&asked["name"], &asked["risk"]), (&json!("write_file"), &json!("edit")));
    assert_eq!(asked["args"], json!({"path": "notes/todo.md", "content": "milk\n"}));
    let session = server.api.session(&id).await;
    assert_eq!(
        (&session["status"], &session["pending"][0]["approval_id"]),
        (&json!("awaiting_approval"), &asked["approval_id"])
    );
    assert!(!server.workspace.join("notes").exists(), "nothing is done before the word");

    server.api.post(&path(&id, &asked), json!({"decision": "sure"})).await.expect_problem(422, "invalid_request");
    server.api.post(&path(&id, &asked), json!({})).await.expect_problem(422, "invalid_request");
    decide(&server, &id, &asked, "approve").await;
    let resolved = socket.wait("approval_resolved").await;
    assert_eq!((&resolved["decision"], &resolved["actor"]["name"]), (&json!("approve"), &json!("local")));
    socket.wait("tool_call_started").await;
    let done = socket.wait("tool_call_completed").await;
    assert_eq!((&done["success"], &done["files_changed"]), (&json!(true), &json!(["notes/todo.md"])));
    assert!(done["diff"].as_str().unwrap().contains("+milk"), "{done}");
    socket.wait("turn_completed").await;
    assert_eq!(std::fs::read_to_string(server.workspace.join("notes/todo.md")).unwrap(), "milk\n");
    let late = server.api.post(&path(&id, &asked), json!({"decision": "deny"})).await;
    assert!(late.expect_problem(409, "already_resolved").contains("local"));
}

#[tokio::test]
async fn a_denied_call_never_starts_is_told_to_the_model_and_the_turn_goes_on() {
    let server = Server::playing([write("w", "a.txt", "x"), say("As you wish.")]).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    socket.send(json!({"type": "approve", "approval_id": asked["approval_id"], "decision": "deny"})).await;
    let done = socket.wait("tool_call_completed").await;
    assert_eq!(done["success"], false);
    socket.wait("turn_completed").await;
    assert!(socket.all("tool_call_started").is_empty());
    assert!(server.model.last_messages().last().unwrap()["content"].as_str().unwrap().contains("denied"));
    assert!(!server.workspace.join("a.txt").exists());
}

#[tokio::test]
async fn a_command_has_not_run_before_the_word_and_does_not_after_a_no() {
    for (decision, runs) in [("deny", false), ("approve", true)] {
        let run = call("s", "shell_execute", &json!({"command": "touch ran"}));
        let server = Server::playing([run, say("As you wish.")]).await;
        let id = server.session().await;
        let (mut socket, asked) = ask(&server, &id).await;
        assert_eq!((&asked["risk"], server.workspace.join("ran").exists()), (&json!("run"), false));
        decide(&server, &id, &asked, decision).await;
        socket.wait("turn_completed").await;
        assert_eq!(server.workspace.join("ran").exists(), runs, "{decision}");
    }
}

#[tokio::test]
async fn several_calls_of_one_batch_wait_at_once_and_each_gets_its_own_word() {
    let batch = write("w1", "one.txt", "1").call("w2", "write_file", &json!({"path": "two.txt", "content": "2"}));
    let server = Server::playing([batch, say("One of two.")]).await;
    let id = server.session().await;
    let (mut socket, first) = ask(&server, &id).await;
    let second = socket.wait("approval_requested").await;
    assert_eq!(server.api.session(&id).await["pending"].as_array().unwrap().len(), 2);
    decide(&server, &id, &second, "deny").await;
    decide(&server, &id, &first, "approve").await;
    socket.wait("turn_completed").await;
    assert!(server.workspace.join("one.txt").exists() && !server.workspace.join("two.txt").exists());
}

#[tokio::test]
async fn always_is_remembered_for_the_folder_listed_and_revocable() {
    let scripts = [
        write("w1", "notes/a.txt", "a"),
        say("One."),
        write("w2", "notes/2024/b.txt", "b"),
        say("Two."),
        write("w3", "other/c.txt", "c"),
        say("Three."),
        write("w4", "notes/d.txt", "d"),
        say("Four."),
    ];
    let server = Server::playing(scripts).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["scope"], "notes");
    decide(&server, &id, &asked, "approve_always").await;
    socket.wait("turn_completed").await;
    let frames = server.turn(&id, "Again").await;
    assert!(frames.iter().all(|frame| frame["type"] != "approval_requested"), "the rule covers what is below");
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["scope"], "other", "another folder asks");
    decide(&server, &id, &asked, "approve").await;
    socket.wait("turn_completed").await;

    let rules_path = format!("/cowork/sessions/{id}/approval-rules");
    let rules = server.api.get(&rules_path).await.expect(200);
    assert_eq!((&rules[0]["tool"], &rules[0]["scope"]), (&json!("write_file"), &json!("notes")));
    let rule = rules[0]["rule_id"].as_str().unwrap();
    assert_eq!(server.api.delete(&format!("{rules_path}/{rule}")).await.status, 204);
    server.api.delete(&format!("{rules_path}/{rule}")).await.expect_problem(404, "not_found");
    let (mut socket, asked) = ask(&server, &id).await;
    decide(&server, &id, &asked, "approve").await;
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn what_has_no_scope_asks_each_time_and_no_word_can_free_it() {
    let remove = |id: &str| call(id, "shell_execute", &json!({"command": "rm -f a.txt"}));
    let server = Server::playing([remove("r1"), say("One."), remove("r2"), say("Two.")]).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!((&asked["risk"], &asked["scope"]), (&json!("run"), &json!(null)));
    let always = json!({"decision": "approve_always"});
    let refused = server.api.post(&path(&id, &asked), always).await;
    assert!(refused.expect_problem(422, "no_always").contains("still waits"));
    socket.send(json!({"type": "approve", "approval_id": asked["approval_id"], "decision": "approve_always"})).await;
    assert_eq!(socket.wait("error").await["code"], "no_always");
    assert_eq!(server.api.session(&id).await["pending"][0]["approval_id"], asked["approval_id"]);
    decide(&server, &id, &asked, "approve").await;
    socket.wait("turn_completed").await;
    assert_eq!(server.api.get(&format!("/cowork/sessions/{id}/approval-rules")).await.expect(200), json!([]));
    let (mut socket, asked) = ask(&server, &id).await;
    decide(&server, &id, &asked, "deny").await;
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn always_for_a_file_directly_in_the_folder_frees_those_alone() {
    let scripts = [
        write("w1", "a.txt", "a"),
        say("One."),
        write("w2", "b.txt", "b"),
        say("Two."),
        write("w3", "notes/c.txt", "c"),
        say("Three."),
    ];
    let server = Server::playing(scripts).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["scope"], ".");
    decide(&server, &id, &asked, "approve_always").await;
    socket.wait("turn_completed").await;
    let frames = server.turn(&id, "Again").await;
    assert!(frames.iter().all(|frame| frame["type"] != "approval_requested"), "the rule covers its like");
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["scope"], "notes", "a folder in the folder asks");
    decide(&server, &id, &asked, "deny").await;
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn an_edit_that_can_not_be_done_goes_back_at_once_and_asks_nobody() {
    let edit =
        |id: &str, old: &str| call(id, "edit_file", &json!({"path": "letter.txt", "old_str": old, "new_str": "Hello"}));
    let server = Server::playing([edit("e1", "Sir"), edit("e2", "Dear"), say("Done.")]).await;
    server.write_file("letter.txt", "Dear Ada\n");
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["tool_call_id"], "e2", "only what can be done asks");
    let done = server.api.events_of(&id, "tool_call_completed").await.remove(0);
    assert_eq!((&done["payload"]["tool_call_id"], &done["payload"]["success"]), (&json!("e1"), &json!(false)));
    assert!(done["payload"]["error"].as_str().unwrap().contains("`old_str` is not in the file"), "{done}");
    decide(&server, &id, &asked, "approve").await;
    socket.wait("turn_completed").await;
    assert_eq!(std::fs::read_to_string(server.workspace.join("letter.txt")).unwrap(), "Hello Ada\n");
}

#[tokio::test]
async fn what_a_call_before_it_may_make_possible_asks() {
    let batch = write("w", "letter.txt", "Dear Ada\n").call(
        "e",
        "edit_file",
        &json!({"path": "letter.txt", "old_str": "Dear", "new_str": "Hello"}),
    );
    let server = Server::playing([batch, say("Done.")]).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    let second = socket.wait("approval_requested").await;
    for asked in [asked, second] {
        decide(&server, &id, &asked, "approve").await;
    }
    socket.wait("turn_completed").await;
    assert_eq!(std::fs::read_to_string(server.workspace.join("letter.txt")).unwrap(), "Hello Ada\n");
}

#[tokio::test]
async fn all_that_waits_is_denied_by_one_word_and_a_word_before_it_holds() {
    let batch = write("a", "a.txt", "a").call("b", "write_file", &json!({"path": "b.txt", "content": "b"})).call(
        "c",
        "write_file",
        &json!({"path": "c.txt", "content": "c"}),
    );
    let server = Server::playing([batch, say("Then not.")]).await;
    let id = server.session().await;
    let (mut socket, _) = ask(&server, &id).await;
    socket.wait("approval_requested").await;
    let last = socket.wait("approval_requested").await;
    decide(&server, &id, &last, "approve").await;
    let all = format!("/cowork/sessions/{id}/approvals/deny-all");
    server.api.post(&all, json!({})).await.expect(200);
    socket.wait("turn_completed").await;
    let there = ["a.txt", "b.txt", "c.txt"].map(|name| server.workspace.join(name).exists());
    assert_eq!(there, [false, false, true]);
    let decisions = server.api.events_of(&id, "approval_resolved").await;
    let decisions: Vec<_> = decisions.iter().map(|event| event["payload"]["decision"].clone()).collect();
    assert_eq!(decisions, ["approve", "deny", "deny"]);
    server.api.post(&all, json!({})).await.expect(200);
}

#[tokio::test]
async fn the_mode_decides_what_asks() {
    let server = Server::playing([]).await;
    for (mode, kind) in [("accept_edits", "free"), ("read_only", "refused")] {
        server.model.play([write("w", "a.txt", mode), say("Done.")]);
        let id = server.api.create(json!({"mode": mode})).await;
        let frames = server.turn(&id, "Write it").await;
        assert!(frames.iter().all(|frame| frame["type"] != "approval_requested"), "{mode}");
        let done = frames.iter().find(|frame| frame["type"] == "tool_call_completed").unwrap();
        assert_eq!(done["success"], kind == "free", "{mode}: {done}");
    }
    assert_eq!(std::fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "accept_edits");
    server.model.play([call("d", "delete_file", &json!({"path": "a.txt"})), say("Kept.")]);
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(asked["risk"], "delete", "deleting asks also where edits are free");
    decide(&server, &id, &asked, "deny").await;
    socket.wait("turn_completed").await;
    assert!(server.workspace.join("a.txt").exists());
}

#[tokio::test]
async fn another_mode_judges_what_waits_anew() {
    let delete = json!({"path": "sub/none.txt"});
    let batch = write("w", "a.txt", "free").call("d", "delete_file", &delete);
    let server = Server::playing([batch, say("One of two.")]).await;
    std::fs::create_dir(server.workspace.join("sub")).unwrap();
    std::fs::write(server.workspace.join("sub/none.txt"), "stays").unwrap();
    let id = server.session().await;
    let (mut socket, written) = ask(&server, &id).await;
    let deleted =
        socket.wait_for(|frame| frame["type"] == "approval_requested" && frame["name"] == "delete_file").await;
    let path = format!("/cowork/sessions/{id}");

    server.api.patch(&path, json!({"mode": "accept_edits"})).await.expect(200);
    let resolved = socket.wait("approval_resolved").await;
    assert_eq!((&resolved["approval_id"], &resolved["decision"]), (&written["approval_id"], &json!("approve")));
    let done = socket.wait("tool_call_completed").await;
    assert_eq!((&done["name"], &done["success"]), (&json!("write_file"), &json!(true)));
    let session = server.api.session(&id).await;
    assert_eq!(session["status"], "awaiting_approval", "what the mode does not spare still waits");
    assert_eq!(session["pending"].as_array().unwrap().len(), 1);

    server.api.patch(&path, json!({"mode": "read_only"})).await.expect(200);
    let resolved = socket.wait("approval_resolved").await;
    assert_eq!((&resolved["approval_id"], &resolved["decision"]), (&deleted["approval_id"], &json!("deny")));
    assert_eq!(resolved["actor"]["name"], "local");
    let done = socket.wait("tool_call_completed").await;
    assert_eq!((&done["name"], &done["success"]), (&json!("delete_file"), &json!(false)));
    socket.wait("turn_completed").await;
    assert!(server.workspace.join("sub/none.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_that_never_asks_ends_when_the_operator_takes_it_back() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    process.api.post("/cowork/sessions", json!({"mode": "full"})).await.expect_problem(422, "mode_not_allowed");
    process.kill_9();
    home.add_settings("[cowork]\nallow_full_mode = true");
    let process = home.start().await;
    let id = process.api.create(json!({"model": "scripted", "mode": "full"})).await;
    let run = json!({"command": "rm -f a.txt; echo gone > b.txt"});
    model.play([write("w", "a.txt", "1").call("r", "shell_execute", &run), say("Done.")]);
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Do it").await;
    socket.wait("turn_completed").await;
    assert!(socket.all("approval_requested").is_empty());
    assert!(home.workspace.join("b.txt").exists() && !home.workspace.join("a.txt").exists());
    assert!(socket.all("tool_call_completed").iter().all(|done| done["success"] == true));
    process.kill_9();

    home.configure(&model);
    model.play([write("w2", "c.txt", "2"), say("Not done.")]);
    let process = home.start().await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Again").await;
    let asked = socket.wait("approval_requested").await;
    let told = process.api.events_of(&id, "session_error").await;
    assert_eq!(told[0]["payload"]["code"], "mode_not_allowed");
    assert_eq!(process.api.session(&id).await["mode"], "ask", "what the page shows is what holds");
    assert!(!home.workspace.join("c.txt").exists());
    process.api.post(&path(&id, &asked), json!({"decision": "deny"})).await.expect(200);
    socket.wait("turn_completed").await;
    process.kill_9();
    home.add_settings("[cowork]\nallow_full_mode = true");
    assert_eq!(home.start().await.api.session(&id).await["mode"], "ask", "a person has to choose it again");
}

#[tokio::test]
async fn a_stop_while_an_approval_waits_denies_it_and_messages_queue_meanwhile() {
    let server = Server::playing([write("w", "a.txt", "x"), say("On.")]).await;
    let id = server.session().await;
    let (mut socket, asked) = ask(&server, &id).await;
    assert_eq!(server.api.send(&id, "And then?").await["queued"], true, "an approval is no question");
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    socket.wait("turn_interrupted").await;
    let kinds: Vec<_> = ["approval_resolved", "tool_call_completed"].map(|kind| socket.all(kind).len()).into();
    assert_eq!(kinds, [1, 1]);
    server.api.post(&path(&id, &asked), json!({"decision": "approve"})).await.expect_problem(409, "already_resolved");
    assert!(!server.workspace.join("a.txt").exists());
    let queued = server.api.queue(&id).await[0]["message_id"].as_str().unwrap().to_owned();
    server.api.post(&format!("/cowork/sessions/{id}/queue/{queued}/send"), json!({})).await.expect(202);
    server.ended(&id, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_outlives_kill_9_and_the_call_runs_once_after_the_word() {
    let model = ScriptedModel::start().await;
    let batch =
        call("r", "list_directory", &json!({})).call("w", "write_file", &json!({"path": "a.txt", "content": "whole"}));
    model.play([batch, say("Written.")]);
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({"model": "scripted"})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Write it").await;
    let asked = socket.wait("approval_requested").await;
    socket.wait("tool_call_completed").await;
    process.kill_9();
    let process = home.start().await;
    let waiting = process.api.session(&id).await;
    assert_eq!(
        (&waiting["status"], &waiting["pending"][0]["approval_id"]),
        (&json!("awaiting_approval"), &asked["approval_id"])
    );
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    let process = home.start().await;
    process.api.post(&path(&id, &asked), json!({"decision": "approve"})).await.expect(200);
    process.socket(&id, "cursor=0").await.wait_for(is_end).await;
    assert_eq!(std::fs::read_to_string(home.workspace.join("a.txt")).unwrap(), "whole");
    let kinds = process.api.event_types(&id).await;
    let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!((count("approval_requested"), count("tool_call_started"), count("turn_interrupted")), (1, 2, 0));
    assert_eq!(kinds.last().unwrap(), "turn_completed");
}

#[tokio::test]
async fn a_turns_changes_are_listed_and_taken_back_and_somebody_elses_work_is_not_lost() {
    let edit = json!({"path": "letter.txt", "old_str": "Dear", "new_str": "Hello"});
    let batch = write("w", "new.txt", "new\n").call("e", "edit_file", &edit);
    let server = Server::playing([batch, say("Done.")]).await;
    server.write_file("letter.txt", "Dear Ada,\r\nhi\r\n");
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    server.turn(&id, "Change it").await;
    let turn = format!("/cowork/sessions/{id}/turns/1");
    let changes = server.api.get(&format!("{turn}/changes")).await.expect(200);
    let shape: Vec<_> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["path"].clone(), change["kind"].clone()))
        .collect();
    assert_eq!(shape, [(json!("letter.txt"), json!("modified")), (json!("new.txt"), json!("created"))]);
    assert!(changes["changes"][0]["diff"].as_str().unwrap().contains("-Dear Ada,"), "{changes}");

    server.write_file("new.txt", "a person wrote here\n");
    let undone = server.api.post(&format!("{turn}/undo"), json!({})).await.expect(200);
    assert_eq!(undone["restored"], json!(["letter.txt"]));
    assert_eq!(undone["conflicts"][0]["path"], "new.txt");
    assert_eq!(std::fs::read_to_string(server.workspace.join("letter.txt")).unwrap(), "Dear Ada,\r\nhi\r\n");
    assert_eq!(std::fs::read_to_string(server.workspace.join("new.txt")).unwrap(), "a person wrote here\n");
    let event = server.api.events_of(&id, "changes_undone").await.remove(0);
    assert_eq!((&event["payload"]["turn"], &event["actor"]["name"]), (&json!(1), &json!("local")));
    server.api.get(&format!("/cowork/sessions/{id}/turns/9/changes")).await.expect_problem(404, "not_found");
    server.api.post(&format!("{turn}/undo"), json!({"paths": ["../x"]})).await.expect_problem(422, "invalid_request");
}

#[tokio::test]
async fn of_a_turn_that_changed_several_files_each_is_taken_back_by_itself() {
    let batch = write("w", "new.txt", "new\n")
        .call("e", "edit_file", &json!({"path": "letter.txt", "old_str": "Dear", "new_str": "Hello"}))
        .call("f", "edit_file", &json!({"path": "list.txt", "old_str": "one", "new_str": "two"}))
        .call("d", "delete_file", &json!({"path": "old.txt"}));
    let server = Server::playing([batch, say("Done.")]).await;
    for (name, text) in [("letter.txt", "Dear Ada\n"), ("list.txt", "one\n"), ("old.txt", "old\n")] {
        server.write_file(name, text);
    }
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    let (mut socket, asked) = ask(&server, &id).await;
    decide(&server, &id, &asked, "approve").await;
    socket.wait("turn_completed").await;
    let turn = format!("/cowork/sessions/{id}/turns/1");
    let text = |name: &str| std::fs::read_to_string(server.workspace.join(name)).ok();
    let texts = || ["letter.txt", "list.txt", "new.txt", "old.txt"].map(text);
    let shape = async || {
        let changes = server.api.get(&format!("{turn}/changes")).await.expect(200)["changes"].clone();
        let changes: Vec<Value> = changes.as_array().unwrap().clone();
        changes.iter().map(|change| (change["path"].clone(), change["undone"].clone())).collect::<Vec<_>>()
    };
    let [hello, two, new] = ["Hello Ada\n", "two\n", "new\n"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(), [hello, two.clone(), new.clone(), None]);

    let undo = async |paths: Value| server.api.post(&format!("{turn}/undo"), json!({"paths": paths})).await.expect(200);
    assert_eq!(undo(json!(["letter.txt"])).await, json!({"restored": ["letter.txt"], "conflicts": []}));
    let [dear, one, old] = ["Dear Ada\n", "one\n", "old\n"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(), [dear.clone(), two, new.clone(), None]);
    let undone =
        ["letter.txt", "list.txt", "new.txt", "old.txt"].map(|path| (json!(path), json!(path == "letter.txt")));
    assert_eq!(shape().await, undone);

    let both = undo(json!(["old.txt", "list.txt"])).await;
    assert_eq!(both, json!({"restored": ["list.txt", "old.txt"], "conflicts": []}));
    assert_eq!(texts(), [dear.clone(), one.clone(), new, old.clone()]);
    // What was taken back before is done, and the rest goes with the whole turn.
    assert_eq!(undo(json!(["letter.txt"])).await, json!({"restored": [], "conflicts": []}));
    let rest = server.api.post(&format!("{turn}/undo"), json!({})).await.expect(200);
    assert_eq!(rest, json!({"restored": ["new.txt"], "conflicts": []}));
    assert_eq!(texts(), [dear, one, None, old]);
    let events = server.api.events_of(&id, "changes_undone").await;
    let restored: Vec<_> = events.iter().map(|event| event["payload"]["restored"].clone()).collect();
    assert_eq!(restored, [json!(["letter.txt"]), json!(["list.txt", "old.txt"]), json!(["new.txt"])]);
}
