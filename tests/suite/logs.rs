//! The event log over REST.

use serde_json::{Value, json};

use crate::support::{model::say, server::Server};

/// A session with seven events.
async fn with_log() -> (Server, String) {
    let server = Server::playing([say("Hello.")]).await;
    let id = server.session().await;
    server.turn(&id, "Hi").await;
    server.api.patch(&format!("/cowork/sessions/{id}"), json!({"title": "Seven"})).await.expect(200);
    (server, format!("/cowork/sessions/{id}/logs"))
}

fn seqs(page: &Value) -> Vec<u64> {
    page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_log_is_read_in_pages_from_a_cursor() {
    let (server, path) = with_log().await;
    let page = server.api.get(&path).await.expect(200);
    assert_eq!(seqs(&page), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!((&page["head_seq"], &page["total"], &page["next_cursor"]), (&json!(7), &json!(7), &json!(7)));
    let mut cursor = json!(0);
    let mut read = Vec::new();
    loop {
        let page = server.api.get(&format!("{path}?limit=3&cursor={cursor}")).await.expect(200);
        if seqs(&page).is_empty() {
            assert_eq!(page["next_cursor"], cursor);
            break;
        }
        read.extend(seqs(&page));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(read, [1, 2, 3, 4, 5, 6, 7]);
    let beyond = server.api.get(&format!("{path}?cursor=99")).await.expect(200);
    assert_eq!((seqs(&beyond), &beyond["next_cursor"]), (vec![], &json!(99)));
}

#[tokio::test]
async fn each_row_has_the_fields_of_the_contract() {
    let (server, path) = with_log().await;
    let page = server.api.get(&path).await.expect(200);
    for event in page["events"].as_array().unwrap() {
        let mut fields: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["actor", "created_at", "event_type", "payload", "seq"], "{event}");
        assert_eq!(event["payload"].get("seq"), None);
        assert!(matches!(event["actor"]["kind"].as_str(), Some("person" | "agent" | "system" | "service")), "{event}");
    }
}

#[tokio::test]
async fn only_the_types_asked_for_are_given_and_counted() {
    let (server, path) = with_log().await;
    let page = server.api.get(&format!("{path}?types=turn_started,turn_completed")).await.expect(200);
    assert_eq!((seqs(&page), &page["total"], &page["head_seq"]), (vec![3, 6], &json!(2), &json!(7)));
    let none = server.api.get(&format!("{path}?types=nothing")).await.expect(200);
    assert_eq!((seqs(&none), &none["total"]), (vec![], &json!(0)));
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let (server, path) = with_log().await;
    for query in [
        "cursor=-1",
        "cursor=x",
        "cursor=1.5",
        "cursor=",
        "cursor=99999999999999999999",
        "limit=0",
        "limit=1001",
        "limit=-5",
        "limit=99999999999",
        "limit=x",
        "order=desc",
    ] {
        server.api.get(&format!("{path}?{query}")).await.expect_problem(422, "invalid_request");
    }
    let most = format!("{path}?cursor={}", i64::MAX);
    assert_eq!(seqs(&server.api.get(&most).await.expect(200)), [] as [u64; 0]);
    let beyond = server.api.get(&format!("{path}?cursor={}", u64::MAX)).await;
    assert!(matches!(beyond.status, 200 | 422), "{beyond:?}");
}

#[tokio::test]
async fn the_whole_log_comes_as_lines() {
    let (server, path) = with_log().await;
    let accept = [("accept", "application/x-ndjson")];
    let answer = server.api.request("GET", &format!("{path}?limit=2"), &accept, None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));
    let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(lines), server.api.get(&path).await.expect(200)["events"]);
}
