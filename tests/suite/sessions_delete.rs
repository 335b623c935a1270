//! Deleting a session, also one that runs, and bringing it back.

use serde_json::json;

use crate::support::{
    model::{Gate, say},
    server::Server,
};

#[tokio::test]
async fn a_deleted_session_is_gone_at_once_for_everyone() {
    let server = Server::playing([say("Remember the fox.")]).await;
    let id = server.session().await;
    server.turn(&id, "Hello").await;
    let mut watcher = server.socket(&id, "").await;
    watcher.wait("synced").await;
    let answer = server.api.delete(&format!("/cowork/sessions/{id}")).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(watcher.close_code().await, Some(1000));
    for rest in ["", "/turns", "/logs", "/queue"] {
        server.api.get(&format!("/cowork/sessions/{id}{rest}")).await.expect_problem(404, "not_found");
    }
    assert_eq!(server.api.get("/cowork/sessions").await.expect(200)["total"], 0);
    assert_eq!(server.api.get("/cowork/sessions?q=fox").await.expect(200)["total"], 0);
    let Err(refused) = server.try_socket(&id, "", &[]).await else { panic!("a socket on a deleted session") };
    refused.expect_problem(404, "not_found");
    server.api.delete(&format!("/cowork/sessions/{id}")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn deleting_a_running_session_stops_its_turn_first() {
    let gate = Gate::new();
    let server = Server::playing([say("Half of it").wait(&gate).then(" and the rest")]).await;
    server.write_file("keep.txt", "stays");
    let id = server.session().await;
    let mut watcher = server.socket(&id, "").await;
    server.api.send(&id, "Work").await;
    watcher.wait("text_delta").await;
    server.api.delete(&format!("/cowork/sessions/{id}")).await.expect(204);
    server.model.left_by_client().await;
    assert_eq!(watcher.close_code().await, Some(1000));
    assert_eq!(std::fs::read_to_string(server.workspace.join("keep.txt")).unwrap(), "stays");

    let back = server.api.post(&format!("/cowork/sessions/{id}/restore"), json!({})).await.expect(200);
    assert_eq!((&back["id"], &back["status"]), (&json!(id), &json!("idle")));
    let end = server.api.events_of(&id, "turn_interrupted").await.remove(0);
    assert_eq!(end["payload"]["reason"], "stopped");
    let rows = server.api.rows(&id).await;
    assert_eq!((&rows[1]["content"], rows.len()), (&json!("Half of it"), 2));
}

#[tokio::test]
async fn a_restored_session_lives_on_with_its_history() {
    let server = Server::playing([say("One."), say("Two.")]).await;
    let id = server.session().await;
    server.turn(&id, "First").await;
    let before = server.api.session(&id).await;
    server.api.delete(&format!("/cowork/sessions/{id}")).await.expect(204);
    server.api.post(&format!("/cowork/sessions/{id}/restore"), json!({})).await.expect(200);
    let after = server.api.session(&id).await;
    assert_eq!((&after["turn_count"], &after["title"]), (&before["turn_count"], &before["title"]));
    assert_eq!(server.api.get("/cowork/sessions").await.expect(200)["total"], 1);
    server.turn(&id, "Second").await;
    let said: Vec<_> = server.api.rows(&id).await.iter().map(|row| row["content"].clone()).collect();
    assert_eq!(said, ["First", "One.", "Second", "Two."]);
}

#[tokio::test]
async fn only_what_was_deleted_can_be_restored_and_only_once() {
    let server = Server::start().await;
    let id = server.session().await;
    let restore = format!("/cowork/sessions/{id}/restore");
    server.api.post(&restore, json!({})).await.expect_problem(409, "not_restorable");
    server.api.delete(&format!("/cowork/sessions/{id}")).await.expect(204);
    server.api.post(&restore, json!({})).await.expect(200);
    server.api.post(&restore, json!({})).await.expect_problem(409, "not_restorable");
}

#[tokio::test]
async fn the_form_that_deletes_leads_to_the_offer_to_undo() {
    let server = Server::start().await;
    let id = server.session().await;
    let answer = server.api.form(&format!("/cowork/sessions/{id}/delete"), &[]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let place = answer.header("location").to_owned();
    assert_eq!(place, format!("/?deleted={id}"));
    let page = server.api.page(&place).await.text;
    assert!(page.contains(&format!("action=\"/cowork/sessions/{id}/restore\"")), "{page}");
    let back = server.api.form(&format!("/cowork/sessions/{id}/restore"), &[]).await;
    assert_eq!((back.status, back.header("location")), (303, format!("/sessions/{id}").as_str()));
}
