//! Messages that name files of the workspace.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::{
    model::{Gate, say},
    server::Server,
};

fn with(text: &str, paths: &[&str]) -> Value {
    let attachments: Vec<_> = paths.iter().map(|path| json!({ "path": path })).collect();
    json!({ "message": text, "attachments": attachments })
}

#[tokio::test]
async fn files_that_a_message_names_stand_in_its_row_and_reach_the_model() {
    let server = Server::playing([say("Read.")]).await;
    server.write_file("docs/a.txt", "x");
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=0").await;
    let messages = format!("/cowork/sessions/{id}/messages");
    server.api.post(&messages, with("Look at these", &["docs/a.txt", "./docs/", "docs/a.txt"])).await.expect(202);
    let accepted = socket.wait("message_accepted").await;
    assert_eq!(accepted["attachments"], json!(["docs/a.txt", "docs"]));
    socket.wait("turn_completed").await;
    let rows = server.api.rows(&id).await;
    assert_eq!(rows[0]["content"], "Look at these", "the text is the person's own");
    assert_eq!(
        rows[0]["metadata"],
        json!({
            "workspace_paths": ["docs/a.txt", "docs"],
            "workspace_files": ["docs/a.txt"],
            "workspace_directories": ["docs"],
        })
    );
    let asked = server.model.requests()[0]["messages"].to_string();
    assert!(asked.contains("`docs/a.txt`") && asked.contains("the folder `docs`"), "{asked}");
}

#[tokio::test]
async fn what_is_not_there_or_leads_out_is_refused_and_nothing_is_sent() {
    let server = Server::start().await;
    symlink("/etc/passwd", server.workspace.join("out")).unwrap();
    let id = server.session().await;
    let messages = format!("/cowork/sessions/{id}/messages");
    for (path, code) in [
        ("gone.txt", "attachment_not_found"),
        ("../x", "path_outside_workspace"),
        ("/etc/passwd", "path_outside_workspace"),
        ("out", "path_outside_workspace"),
        ("", "path_outside_workspace"),
    ] {
        let detail = server.api.post(&messages, with("Look", &[path])).await.expect_problem(422, code);
        assert!(detail.contains("was not sent"), "{detail}");
    }
    let many: Vec<_> = (0..51).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    server.api.post(&messages, with("Look", &many)).await.expect_problem(422, "invalid_request");
    server
        .api
        .post(&messages, json!({"message": "x", "attachments": [{"file": "a"}]}))
        .await
        .expect_problem(422, "invalid_request");
    assert!(server.api.rows(&id).await.is_empty());
}

#[tokio::test]
async fn a_message_that_waits_keeps_what_it_names() {
    let gate = Gate::new();
    let server = Server::playing([say("One.").wait(&gate), say("Two.")]).await;
    server.write_file("a.txt", "x");
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=0").await;
    server.api.send(&id, "First").await;
    socket.wait("turn_started").await;
    socket.send(json!({"type": "user_message", "message": "Second", "attachments": [{"path": "a.txt"}]})).await;
    socket.wait_for(|frame| frame["type"] == "message_accepted" && frame["queued"] == true).await;
    assert_eq!(server.api.queue(&id).await[0]["attachments"], json!(["a.txt"]));
    gate.open();
    socket.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == 2).await;
    assert!(server.model.requests()[1]["messages"].to_string().contains("`a.txt`"));
}
