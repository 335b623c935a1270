//! A session belongs to its maker until it is shared.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    http::Api,
    model::{Gate, say},
    people::{self, Team},
    server::{Server, wait_for_end},
    socket::Socket,
};

async fn shared() -> (Server, Team, String) {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let id = team.anna.create(json!({"title": "Quarter close"})).await;
    (server, team, id)
}

async fn share(api: &Api, id: &str, name: &str, part: Value) -> Value {
    api.post(&format!("/cowork/sessions/{id}/sharing"), json!({"name": name, "part": part})).await.expect(200)
}

async fn titles(api: &Api, query: &str) -> Vec<String> {
    let list = api.get(&format!("/cowork/sessions{query}")).await.expect(200);
    list["sessions"].as_array().unwrap().iter().map(|session| session["title"].as_str().unwrap().into()).collect()
}

#[tokio::test]
async fn who_may_watch_sees_all_and_changes_nothing() {
    let (server, team, id) = shared().await;
    let sharing = share(&team.anna, &id, "ben", json!("watch")).await;
    assert_eq!(sharing, json!({"owner": "anna", "shares": [{"name": "ben", "part": "watch"}]}));
    assert_eq!((titles(&team.ben, "").await.len(), titles(&team.service, "").await.len()), (1, 0));
    let session = format!("/cowork/sessions/{id}");
    for path in ["", "/turns", "/logs", "/sharing", "/queue", "/approval-rules"] {
        team.ben.get(&format!("{session}{path}")).await.expect(200);
    }
    assert_eq!(team.ben.page(&format!("/sessions/{id}")).await.status, 200);
    for (method, path, body) in [
        ("POST", "/messages", json!({"message": "x"})),
        ("POST", "/stop", json!({})),
        ("POST", "/steer", json!({"message": "x"})),
        ("PATCH", "", json!({"title": "x"})),
        ("DELETE", "", json!({})),
        ("POST", "/update", json!({"title": "x"})),
        ("POST", "/delete", json!({})),
        ("POST", "/uploads/tus", json!({})),
        ("POST", "/sharing", json!({"name": "ben", "part": "take_part"})),
        ("POST", "/turns/1/undo", json!({})),
        ("POST", "/approvals/0123456789abcdef0123456789abcdef", json!({"decision": "approve"})),
        ("POST", "/approvals/deny-all", json!({})),
        ("DELETE", "/approval-rules/1", json!({})),
        ("POST", "/questions/0123456789abcdef0123456789abcdef", json!({"answer": "x"})),
        ("PATCH", "/queue/0123456789abcdef0123456789abcdef", json!({"message": "x"})),
        ("POST", "/queue/0123456789abcdef0123456789abcdef/send", json!({})),
    ] {
        team.ben.json(method, &format!("{session}{path}"), &body).await.expect_problem(403, "not_allowed");
    }
    let mut socket = Socket::open(&team.ben, &id, "cursor=0").await;
    socket.wait("synced").await;
    socket.send(json!({"type": "user_message", "message": "x", "client_id": "c"})).await;
    let error = socket.wait("error").await;
    assert_eq!((&error["code"], &error["client_id"]), (&json!("not_allowed"), &json!("c")));
    assert_eq!(team.anna.event_types(&id).await, ["session_started", "sharing_changed"]);
    server.stop().await;
}

#[tokio::test]
async fn who_takes_part_does_all_but_delete_and_share() {
    let (server, team, id) = shared().await;
    server.model.play([say("Hello, Ben.")]);
    share(&team.anna, &id, "ben", json!("take_part")).await;
    let mut socket = Socket::open(&team.ben, &id, "cursor=0").await;
    socket.send(json!({"type": "user_message", "message": "Hi"})).await;
    assert_eq!(socket.wait("message_accepted").await["actor"]["name"], "ben");
    wait_for_end(&mut socket).await;
    let session = format!("/cowork/sessions/{id}");
    team.ben.patch(&session, json!({"title": "Ours"})).await.expect(200);
    for (method, path) in
        [("DELETE", session.clone()), ("POST", format!("{session}/sharing")), ("POST", format!("{session}/restore"))]
    {
        let body = json!({"name": "nightly", "part": "watch"});
        team.ben.json(method, &path, &body).await.expect_problem(403, "not_allowed");
    }
    team.anna.delete(&session).await.expect(204);
    team.ben.get(&session).await.expect(404);
    team.anna.post(&format!("{session}/restore"), json!({})).await.expect(200);
}

#[tokio::test]
async fn what_is_taken_back_is_gone_at_once_also_for_one_who_watches() {
    let (_server, team, id) = shared().await;
    share(&team.anna, &id, "*", json!("watch")).await;
    let mut ben = Socket::open(&team.ben, &id, "cursor=0").await;
    ben.wait("synced").await;
    assert_eq!(titles(&team.service, "?q=quarter").await, ["Quarter close"]);
    assert_eq!(share(&team.anna, &id, "*", Value::Null).await, json!({"owner": "anna", "shares": []}));
    assert_eq!(ben.close_code().await, Some(1008));
    team.ben.get(&format!("/cowork/sessions/{id}")).await.expect_problem(404, "not_found");
    assert_eq!(titles(&team.service, "?q=quarter").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_search_finds_words_in_ones_own_and_shared_sessions_alone() {
    let (server, team, id) = shared().await;
    server.model.play([say("The margin is four percent.")]);
    let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
    team.anna.send(&id, "What is the secretmargin?").await;
    wait_for_end(&mut socket).await;
    for (words, found) in [("secretmargin", 1), ("four+percent", 1), ("quarter", 1), ("nothing", 0)] {
        let query = format!("?q={words}");
        assert_eq!(
            (titles(&team.anna, &query).await.len(), titles(&team.ben, &query).await.len()),
            (found, 0),
            "{words}"
        );
        let page = team.ben.page(&format!("/{query}")).await.text;
        assert!(!page.contains("Quarter close") && !page.contains("margin is"), "{page}");
    }
    share(&team.anna, &id, "ben", json!("watch")).await;
    assert_eq!(titles(&team.ben, "?q=secretmargin").await, ["Quarter close"]);
}

#[tokio::test]
async fn the_larger_part_counts_and_nonsense_is_refused() {
    let (_server, team, id) = shared().await;
    share(&team.anna, &id, "*", json!("take_part")).await;
    share(&team.anna, &id, "ben", json!("watch")).await;
    team.ben.patch(&format!("/cowork/sessions/{id}"), json!({"title": "Ours"})).await.expect(200);
    let sharing = format!("/cowork/sessions/{id}/sharing");
    for body in [
        json!({"name": "ben", "part": "own"}),
        json!({"name": "", "part": "watch"}),
        json!({"name": "anna", "part": "watch"}),
        json!({"name": "ben", "part": "boss"}),
        json!({"part": "watch"}),
    ] {
        team.anna.post(&sharing, body).await.expect_problem(422, "invalid_request");
    }
    let again = team.anna.event_types(&id).await.len();
    share(&team.anna, &id, "ben", json!("watch")).await;
    assert_eq!(team.anna.event_types(&id).await.len(), again, "what is so already is no event");
}

#[tokio::test]
async fn a_session_that_has_no_maker_is_everybodys() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let id = team.anna.create(json!({"title": "From Loom"})).await;
    let file = rusqlite::Connection::open(&server.database).unwrap();
    file.execute("DELETE FROM cowork_web_sessions WHERE session_id = ?1", [&id]).unwrap();
    for api in [&team.anna, &team.ben, &team.service] {
        assert_eq!(titles(api, "").await, ["From Loom"]);
        api.patch(&format!("/cowork/sessions/{id}"), json!({"title": "From Loom"})).await.expect(200);
    }
    let detail =
        team.ben.post(&format!("/cowork/sessions/{id}/sharing"), json!({"name": "anna", "part": "watch"})).await;
    assert!(detail.expect_problem(422, "invalid_request").contains("everybody"), "{detail:?}");
}

#[tokio::test]
async fn one_person_alone_has_every_session() {
    let server = Server::start().await;
    let id = server.session().await;
    let file = rusqlite::Connection::open(&server.database).unwrap();
    file.execute("UPDATE cowork_web_sessions SET owner = 'anna'", []).unwrap();
    server.api.session(&id).await;
    assert_eq!(titles(&server.api, "").await.len(), 1);
}

#[tokio::test]
async fn a_session_is_shared_on_a_page_of_its_own_without_scripts() {
    let (_server, team, id) = shared().await;
    let (page, action) = (format!("/sessions/{id}/sharing"), format!("/cowork/sessions/{id}/sharing"));
    assert!(team.anna.page(&page).await.text.contains("shared with nobody"));
    let shared = team.anna.form(&action, &[("name", "ben"), ("part", "watch")]).await;
    assert_eq!((shared.status, shared.header("location")), (303, page.as_str()), "{shared:?}");
    let hers = team.anna.page(&page).await.text;
    assert!(hers.contains("ben") && hers.contains("Take back") && hers.contains("name=\"part\""), "{hers}");
    let watched = team.ben.page(&format!("/sessions/{id}")).await.text;
    assert!(
        watched.contains("You may watch this session") && !watched.contains("composer-text"),
        "no way to say anything"
    );
    assert!(team.anna.page(&format!("/sessions/{id}")).await.text.contains("composer-text"));
    let his = team.ben.page(&page).await.text;
    assert!(his.contains("may watch") && !his.contains("Take back") && !his.contains("name=\"part\""), "{his}");
    let wrong = team.anna.form(&action, &[("name", "anna"), ("part", "watch")]).await;
    assert!(wrong.header("location").starts_with(&format!("{page}?error=")), "{wrong:?}");
    assert!(team.anna.page(wrong.header("location")).await.text.contains("own"));
    assert_eq!(team.anna.form(&action, &[("name", "ben"), ("part", "")]).await.status, 303);
    team.ben.get(&page).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn the_end_of_a_turn_names_who_stopped_it() {
    let (server, team, id) = shared().await;
    share(&team.anna, &id, "ben", json!("take_part")).await;
    let gate = Gate::new();
    server.model.play([say("Half").wait(&gate), say("Half again").wait(&gate), say("Half more").wait(&gate)]);
    let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
    for (api, name, by_frame) in [(&team.ben, "ben", false), (&team.anna, "anna", true)] {
        team.anna.send(&id, "Go on").await;
        socket.wait("text_delta").await;
        if by_frame {
            socket.send(json!({"type": "stop"})).await;
        } else {
            api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
        }
        let end = socket.wait_event("turn_interrupted").await;
        assert_eq!((&end["actor"]["kind"], &end["actor"]["name"]), (&json!("person"), &json!(name)), "{end}");
    }
    team.anna.send(&id, "Go on").await;
    socket.wait("text_delta").await;
    server.agent.shut_down(Duration::ZERO).await;
    let end = socket.wait_event("turn_interrupted").await;
    assert_eq!((&end["actor"]["kind"], &end["payload"]["reason"]), (&json!("system"), &json!("restart")), "{end}");
}
