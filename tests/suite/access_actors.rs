//! Each event names who did it: Ben does everything in Anna's session that who takes part may do.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{
    form::Form,
    model::{Gate, call, say},
    people::{self, Team},
    socket::Socket,
};

#[tokio::test]
async fn whatever_ben_does_in_annas_session_carries_his_name() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let (anna, ben) = (&team.anna, &team.ben);
    let gate = Gate::new();
    let question = json!({"question": "Which?", "options": ["Blue", "Red"]});
    server.model.play([
        say("Wait").wait(&gate).call("w", "write_file", &json!({"path": "notes/a.txt", "content": "a\n"})),
        call("q", "ask_user", &question),
        say("Done."),
        say("Half").wait(&Gate::new()),
    ]);
    let id = anna.create(json!({"title": "Quarter close"})).await;
    let session = format!("/cowork/sessions/{id}");
    anna.post(&format!("{session}/sharing"), json!({"name": "ben", "part": "take_part"})).await.expect(200);
    let before = anna.events(&id).await.len();

    let mut socket = Socket::open(ben, &id, "cursor=0").await;
    ben.patch(&session, json!({"title": "Ours"})).await.expect(200);
    ben.upload(&id, Form::new().file("up.txt", "up")).await.expect(200);
    ben.send(&id, "Do it").await;
    gate.reached(1).await;
    ben.post(&format!("{session}/steer"), json!({"message": "Shorter"})).await.expect(202);
    let waits = ben.send(&id, "And then").await["message_id"].as_str().unwrap().to_owned();
    let queued = format!("{session}/queue/{waits}");
    ben.patch(&queued, json!({"message": "And then this"})).await.expect(200);
    ben.delete(&queued).await.expect(204);
    gate.open();
    let asked = socket.wait("approval_requested").await;
    let approval = format!("{session}/approvals/{}", asked["approval_id"].as_str().unwrap());
    ben.post(&approval, json!({"decision": "approve_always"})).await.expect(200);
    let asked = socket.wait("awaiting_user_input").await;
    let question = format!("{session}/questions/{}", asked["question_id"].as_str().unwrap());
    ben.post(&question, json!({"option_ids": ["1"]})).await.expect(200);
    socket.wait("turn_completed").await;
    let rules = ben.get(&format!("{session}/approval-rules")).await.expect(200);
    let rule = rules[0]["rule_id"].as_str().unwrap();
    ben.delete(&format!("{session}/approval-rules/{rule}")).await.expect(204);
    ben.post(&format!("{session}/turns/1/undo"), json!({})).await.expect(200);
    ben.send(&id, "Again").await;
    socket.wait("text_delta").await;
    ben.post(&format!("{session}/stop"), json!({})).await.expect(202);
    socket.wait("turn_interrupted").await;

    let done = anna.events(&id).await.split_off(before);
    let by = |kind: &str, name: &str| -> BTreeSet<String> {
        let theirs = done.iter().filter(|event| event["actor"] == json!({"kind": kind, "name": name}));
        theirs.map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    };
    let his = [
        "session_updated",
        "upload_started",
        "upload_completed",
        "user_message_received",
        "turn_started",
        "steering_received",
        "queue_changed",
        "approval_resolved",
        "approval_rule_added",
        "approval_rule_removed",
        "user_input_received",
        "changes_undone",
        "turn_interrupted",
    ];
    assert_eq!(by("person", "ben"), his.map(str::to_owned).into());
    let kinds: BTreeSet<_> = done.iter().map(|event| event["actor"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["agent", "person"].into(), "what is nobody's is the agent's");
    assert_eq!(by("person", "anna"), BTreeSet::new());
}
