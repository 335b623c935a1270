//! What a client sees of a log whose old events have left it.

use cowork::store::Retention;
use serde_json::{Value, json};

use crate::support::{
    model::say,
    server::{Server, Setup},
};

/// A session of six turns whose log keeps five events and the row in place of the others.
async fn trimmed() -> (Server, String, u64) {
    let retention = Retention { events: Some(5), age: None };
    let server = Setup { retention, ..Setup::default() }.start().await;
    server.model.play((0..6).map(|turn| say(&format!("Answer {turn}."))));
    let id = server.session().await;
    for _ in 0..6 {
        server.turn(&id, "Go").await;
    }
    let head = server.api.session(&id).await["head_seq"].as_u64().unwrap();
    (server, id, head)
}

#[tokio::test]
async fn a_cursor_older_than_the_log_is_reset_and_a_newer_one_is_served() {
    let (server, id, head) = trimmed().await;
    let first = head - 5;
    for cursor in [0, 1, first - 1] {
        let mut socket = server.socket(&id, &format!("cursor={cursor}")).await;
        assert_eq!(socket.next().await.unwrap()["type"], "hello");
        let reset = socket.next().await.unwrap();
        assert_eq!((&reset["type"], &reset["first_seq"]), (&json!("reset"), &json!(first)), "cursor {cursor}");
        server.model.play([say("Live.")]);
        server.api.patch(&format!("/cowork/sessions/{id}"), json!({"archived": cursor != 1})).await.expect(200);
        let live = socket.wait("log_event").await;
        assert_eq!(live["event_type"], "session_updated", "from there it is live");
    }
    let (server, id, head) = trimmed().await;
    for cursor in head - 5..=head {
        let mut socket = server.socket(&id, &format!("cursor={cursor}")).await;
        socket.wait("synced").await;
        let rows: Vec<_> = socket.all("log_event").iter().map(|row| row["seq"].as_u64().unwrap()).collect();
        assert_eq!(rows, (cursor + 1..=head).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn rest_and_lines_start_at_the_row_in_place_of_the_old_ones() {
    let (server, id, head) = trimmed().await;
    let path = format!("/cowork/sessions/{id}/logs");
    let page = server.api.get(&format!("{path}?cursor=2")).await.expect(200);
    let events = page["events"].as_array().unwrap();
    assert_eq!(events[0]["event_type"], "events_removed");
    let removed = head - 5;
    assert_eq!(events[0]["payload"], json!({"first_seq": 1, "last_seq": removed, "count": removed}));
    assert_eq!(events[0]["actor"], json!({"kind": "system", "name": "cowork"}));
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (removed..=head).collect::<Vec<_>>());
    assert_eq!((&page["total"], &page["head_seq"]), (&json!(6), &json!(head)));
    let accept = [("accept", "application/x-ndjson")];
    let lines = server.api.request("GET", &path, &accept, None).await;
    let lines: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines), page["events"]);
}

#[tokio::test]
async fn the_page_shows_the_whole_conversation_all_the_same() {
    let (server, id, _) = trimmed().await;
    let page = server.api.page(&format!("/sessions/{id}")).await;
    assert_eq!(page.status, 200);
    for turn in 0..6 {
        assert!(page.text.contains(&format!("Answer {turn}.")), "turn {turn}");
    }
    assert!(page.text.contains("older events were removed"));
}
