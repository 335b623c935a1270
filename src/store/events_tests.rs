use super::*;
use crate::{
    agent::ports::store::Store,
    protocol::{ActorKind, QueueChange},
    store::testing::{Scene, agent, call, message, plan},
};

#[tokio::test]
async fn what_is_read_back_is_what_was_published() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "read it").await;
    scene.queue(&id, "and then").await;
    scene.say(&id, 1, 0, "I look.", vec![call("c1")]).await;
    scene.call_started(&id, 1, "c1").await;
    scene.call_ended(&id, 1, "c1", "alpha", Some("+alpha")).await;
    scene.say(&id, 1, 1, "It says alpha.", vec![]).await;
    scene.complete(&id, 1).await;
    scene.store.start_queued(&id, None, "primary").await.unwrap();
    let stored = scene.store.records(&id, 0, 1000).await.unwrap();
    assert_eq!(stored, scene.published.of(&id));
    let texts: Vec<_> = stored.iter().filter_map(|record| record.text.as_deref()).collect();
    assert_eq!(texts, ["read it", "read it", "and then", "I look.", "It says alpha.", "and then"]);
}

#[tokio::test]
async fn no_event_row_holds_the_text_of_a_message() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "canary-in").await;
    scene.queue(&id, "canary-queued").await;
    scene.say(&id, 1, 0, "canary-out", vec![]).await;
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_events WHERE payload LIKE '%canary%'"), 0);
    let row: String = scene
        .sql()
        .query_row("SELECT payload FROM cowork_events WHERE event_type = 'message_completed'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(row, r#"{"turn":1,"message":0,"turn_number":2,"bytes":10,"partial":false}"#);
}

#[tokio::test]
async fn events_have_their_time_and_actor() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "hello").await;
    scene.say(&id, 1, 0, "hi", vec![]).await;
    let events = scene.events(&id).await;
    assert_eq!(events[0].created_at, "2026-07-01T10:00:00.139Z");
    assert_eq!(events[1].actor, Actor::local());
    assert_eq!(events[3].actor.kind, ActorKind::Agent);
    assert_eq!(events[3].actor, agent());
}

#[tokio::test]
async fn long_output_and_diff_are_cut_in_the_event_and_whole_in_the_row() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.say(&id, 1, 0, "", vec![call("c1")]).await;
    // Each character has three bytes, and 16384 is not a multiple of three.
    let output = "€".repeat(6000);
    let diff = "+".repeat(20_000);
    scene.call_ended(&id, 1, "c1", &output, Some(&diff)).await;
    let EventBody::ToolCallCompleted { output: cut, diff: cut_diff, truncated, .. } =
        scene.events(&id).await.pop().unwrap().body
    else {
        panic!("not a completed call")
    };
    assert!(truncated);
    assert_eq!(cut, "€".repeat(5461));
    assert_eq!(cut_diff.unwrap().len(), 16 * 1024);
    let row = scene.rows(&id).await.pop().unwrap();
    assert_eq!(crate::protocol::ToolResult::from_row(&row.content).output, output);
    assert_eq!(row.metadata.unwrap()["diff"], diff);
}

#[tokio::test]
async fn short_output_is_not_marked_as_cut() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.say(&id, 1, 0, "", vec![call("c1")]).await;
    scene.call_ended(&id, 1, "c1", &"x".repeat(16 * 1024), None).await;
    let body = scene.events(&id).await.pop().unwrap().body;
    assert!(matches!(body, EventBody::ToolCallCompleted { truncated: false, diff: None, .. }), "{body:?}");
}

#[tokio::test]
async fn a_page_of_the_log_has_its_cursor_head_and_total() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    for text in ["one", "two", "three"] {
        scene.queue(&id, text).await;
    }
    let page = scene.store.events(&id, 1, 2, &[]).await.unwrap();
    let seqs: Vec<_> = page.events.iter().map(|event| event.seq).collect();
    assert_eq!((seqs, page.next_cursor, page.head_seq, page.total), (vec![2, 3], 3, 4, 4));
    let types = ["session_started".to_owned(), "queue_changed".to_owned()];
    let page = scene.store.events(&id, 0, 10, &types).await.unwrap();
    assert_eq!((page.events.len(), page.next_cursor, page.head_seq, page.total), (1, 1, 4, 1));
    let beyond = scene.store.events(&id, u64::MAX, 10, &[]).await.unwrap();
    assert_eq!((beyond.events.len(), beyond.next_cursor), (0, u64::MAX));
}

#[tokio::test]
async fn records_from_a_turn_start_with_its_first_event() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    for turn in 1..=3 {
        scene.start(&id, "hello").await;
        scene.say(&id, turn, 0, "hi", vec![]).await;
        scene.complete(&id, turn).await;
    }
    let records = scene.store.records_from_turn(&id, 2).await.unwrap();
    assert_eq!(records[0].event.seq, 6);
    assert_eq!(records.len(), 8);
    assert_eq!(scene.store.records_from_turn(&id, 4).await.unwrap(), vec![]);
    assert_eq!(scene.store.records_from_turn(&id, 0).await.unwrap()[0].event.seq, 2);
}

#[tokio::test]
async fn large_events_are_read_a_few_at_a_time() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "one").await;
    let long = "x".repeat(BATCH_BYTES / 2);
    for message in 0..4 {
        scene.say(&id, 1, message, &long, vec![]).await;
    }
    let (mut cursor, mut batches, mut seen) = (0, Vec::new(), Vec::new());
    loop {
        let records = scene.store.records(&id, cursor, 1000).await.unwrap();
        let Some(last) = records.last() else { break };
        cursor = last.event.seq;
        batches.push(records.iter().filter_map(|record| record.text.as_ref()).map(String::len).sum::<usize>());
        seen.extend(records);
    }
    assert_eq!(seen, scene.published.of(&id));
    assert!(batches.len() > 1 && batches.iter().all(|bytes| *bytes < 2 * BATCH_BYTES), "{batches:?}");
}

#[tokio::test]
async fn the_text_of_a_queued_message_follows_it_into_its_turn_and_out_of_the_queue() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "first").await;
    let edited = scene.queue(&id, "secnd").await;
    let removed = scene.queue(&id, "never mind").await;
    scene.store.edit_queued(&Actor::local(), &id, &edited, "second").await.unwrap();
    scene.store.remove_queued(&Actor::local(), &id, &removed).await.unwrap();
    let text_of = |records: Vec<Arc<Record>>, wanted: &crate::protocol::MessageId| {
        let received = |record: &&Arc<Record>| matches!(&record.event.body, EventBody::UserMessageReceived { message_id, .. } if message_id == wanted);
        records.iter().find(received).unwrap().text.clone()
    };
    let records = scene.store.records(&id, 0, 100).await.unwrap();
    assert_eq!(text_of(records.clone(), &edited).as_deref(), Some("second"));
    assert_eq!(text_of(records, &removed), None);
    scene.complete(&id, 1).await;
    scene.store.start_queued(&id, None, "primary").await.unwrap();
    let records = scene.store.records(&id, 0, 100).await.unwrap();
    assert_eq!(text_of(records, &edited).as_deref(), Some("second"));
}

#[tokio::test]
async fn events_of_a_session_that_is_not_there_are_an_error() {
    let scene = Scene::new();
    let nobody = crate::store::testing::session_id('f');
    assert!(matches!(scene.store.events(&nobody, 0, 10, &[]).await, Err(StoreError::NoSession)));
    assert!(matches!(scene.store.record(&agent(), &nobody, vec![]).await, Err(StoreError::NoSession)));
    let refused = scene.store.accept_message(&agent(), &nobody, message("x", None)).await;
    assert!(matches!(refused, Err(StoreError::NoSession)));
}

#[tokio::test]
async fn recorded_events_stand_in_the_order_given() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let changed = |length| EventBody::QueueChanged { change: QueueChange::Held, message_id: None, length };
    scene.store.record(&agent(), &id, (0..5).map(changed).collect()).await.unwrap();
    let bodies: Vec<_> = scene.events(&id).await.into_iter().skip(1).map(|event| event.body).collect();
    assert_eq!(bodies, (0..5).map(changed).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_by_cursor_and_by_turn_uses_an_index() {
    let scene = Scene::new();
    let connection = scene.sql();
    for sql in [AFTER_CURSOR, FIRST_OF_TURN] {
        let plan = plan(&connection, sql);
        assert!(plan.contains("SEARCH cowork_events USING") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
