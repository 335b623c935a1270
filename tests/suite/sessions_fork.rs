//! A session that goes on from a turn of another one.

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, call, say},
    server::Server,
};

fn contents(rows: &[Value]) -> Vec<(u64, String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (row["turn"].as_u64().unwrap(), text(row, "role"), text(row, "content"))).collect()
}

#[tokio::test]
async fn a_session_goes_on_from_any_turn_in_another_one() {
    let server = Server::playing([
        call("c", "read_file", &json!({"path": "a.txt"})),
        say("One."),
        say("Two."),
        say("Another two."),
    ])
    .await;
    server.write_file("a.txt", "alpha\n");
    let id = server.api.create(json!({"title": "Report", "mode": "accept_edits", "system_prompt": "Be brief."})).await;
    server.turn(&id, "First").await;
    server.turn(&id, "Second").await;
    let before = (server.api.rows(&id).await, server.api.events(&id).await);

    let answer = server.api.post(&format!("/cowork/sessions/{id}/fork"), json!({"turn": 1})).await;
    let place = answer.header("location").to_owned();
    let forked = answer.expect(201);
    let new = forked["id"].as_str().unwrap();
    assert_eq!(place, format!("/cowork/sessions/{new}"));
    assert_eq!((&forked["title"], &forked["mode"]), (&json!("↳ Report"), &json!("accept_edits")));
    assert_eq!((&forked["turn_count"], &forked["status"]), (&json!(1), &json!("idle")));
    assert_eq!(contents(&server.api.rows(new).await), contents(&before.0[..4]));
    assert_eq!(
        forked["total_tokens"],
        before.0[..4].iter().map(|row| row["token_count"].as_u64().unwrap()).sum::<u64>()
    );
    let events = server.api.events(new).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["payload"]["forked_from"], json!({"session_id": id, "turn": 1}));

    server.turn(new, "Otherwise").await;
    let asked = server.model.last_messages();
    let said: Vec<_> =
        asked.iter().filter(|message| message["role"] == "user").map(|message| &message["content"]).collect();
    assert_eq!(said, [&json!("First"), &json!("Otherwise")], "the model is told what came before and nothing else");
    assert_eq!(asked[0]["content"], "Be brief.");
    assert_eq!((server.api.rows(&id).await, server.api.events(&id).await), before, "the other one is as it was");
}

#[tokio::test]
async fn a_turn_that_is_not_there_or_still_runs_is_no_place_to_go_on_from() {
    let gate = Gate::new();
    let server = Server::playing([say("One."), say("Half").wait(&gate).then(" done.")]).await;
    let id = server.session().await;
    server.turn(&id, "First").await;
    let path = format!("/cowork/sessions/{id}/fork");
    for turn in [0, 2] {
        let refused = server.api.post(&path, json!({"turn": turn})).await.expect(422);
        assert_eq!(refused["code"], "invalid_request", "{turn}");
    }
    server.api.send(&id, "Second").await;
    gate.reached(1).await;
    assert_eq!(server.api.post(&path, json!({"turn": 2})).await.expect(409)["code"], "turn_running");
    server.api.post(&path, json!({"turn": 1})).await.expect(201);
    gate.open();
    server.ended(&id, 2).await;
}

#[tokio::test]
async fn a_form_leads_to_the_new_session() {
    let server = Server::playing([say("One.")]).await;
    let id = server.session().await;
    server.turn(&id, "First").await;
    let page = server.api.page(&format!("/sessions/{id}")).await;
    assert!(page.text.contains(&format!("action=\"/cowork/sessions/{id}/fork\"")), "{}", page.text);
    let answer = server.api.form(&format!("/cowork/sessions/{id}/fork"), &[("turn", "1")]).await;
    assert_eq!(answer.status, 303);
    let forked = server.api.page(answer.header("location")).await;
    assert!(forked.text.contains("One."), "{}", forked.text);
}
