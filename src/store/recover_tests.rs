use std::collections::HashMap;

use super::*;
use crate::{
    agent::ports::store::{Recovered, Store},
    protocol::{QueueChange, Role, TurnRow},
    store::testing::{Scene, call},
};

/// Every call of an assistant row is answered by exactly one tool row before the next message.
fn assert_valid(rows: &[TurnRow]) {
    let mut open: HashMap<&str, u32> = HashMap::new();
    for row in rows {
        match row.role {
            Role::Tool => *open.get_mut(row.tool_call_id.as_ref().unwrap().as_str()).expect("a call") += 1,
            Role::User | Role::Assistant | Role::System => {
                assert!(open.values().all(|answers| *answers == 1), "before row {}: {open:?}", row.turn_number);
                open = row.tool_calls.iter().map(|call| (call.id.as_str(), 0)).collect();
            }
        }
    }
    assert!(open.values().all(|answers| *answers == 1), "at the end: {open:?}");
}

#[tokio::test]
async fn text_that_was_being_written_becomes_a_partial_message() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.partial(&id, 1, 0, 0, "I was ").await;
    scene.partial(&id, 1, 0, 6, "about tö").await;
    scene.queue(&id, "later").await;
    let scene = scene.killed();
    assert_eq!(scene.session(&id).await.running_turn, Some(1));
    assert_eq!(scene.store.recover().await.unwrap().ended, std::slice::from_ref(&id));
    let rows = scene.rows(&id).await;
    assert_eq!((rows[1].role, rows[1].content.as_str()), (Role::Assistant, "I was about tö"));
    let events = scene.events(&id).await;
    assert!(
        matches!(events[4].body, EventBody::ModelCall { turn: 1, message: 0, tokens: Some(_), .. }),
        "as it was kept"
    );
    assert_eq!(scene.number("SELECT tokens FROM cowork_web_usage"), 12);
    let completed = EventBody::MessageCompleted { turn: 1, message: 0, turn_number: 2, bytes: 15, partial: true };
    assert_eq!(events[5].body, completed);
    let held = EventBody::QueueChanged { change: QueueChange::Held, message_id: None, length: 1 };
    assert_eq!(events[6].body, held);
    assert!(matches!(events[7].body, EventBody::TurnInterrupted { turn: 1, reason: InterruptReason::Restart, .. }));
    assert_eq!(events[7].actor, Actor::system());
    assert_eq!(scene.published.sequences(&id), [5, 6, 7, 8]);
    let session = scene.session(&id).await;
    assert!(session.running_turn.is_none() && session.queue_held);
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_web_partials"), 0);
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_web_running_calls"), 0);
}

#[tokio::test]
async fn open_calls_get_a_failed_result_and_are_not_run_again() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.say(&id, 1, 0, "", vec![call("done"), call("started"), call("asked")]).await;
    scene.call_started(&id, 1, "done").await;
    scene.call_ended(&id, 1, "done", "alpha", None).await;
    scene.call_started(&id, 1, "started").await;
    let scene = scene.killed();
    scene.store.recover().await.unwrap();
    let rows = scene.rows(&id).await;
    assert_valid(&rows);
    let answered: Vec<_> = rows.iter().filter_map(|row| row.tool_call_id.as_ref()).map(|id| id.as_str()).collect();
    assert_eq!(answered, ["done", "started", "asked"]);
    for row in &rows[3..] {
        let result = ToolResult::from_row(&row.content);
        assert!(!result.success);
        assert!(result.error.unwrap().contains("server was restarted"));
    }
    let types = scene.event_types(&id).await;
    assert_eq!(types[types.len() - 3..], ["tool_call_completed", "tool_call_completed", "turn_interrupted"]);
}

#[tokio::test]
async fn a_second_recovery_finds_nothing() {
    let scene = Scene::new();
    let idle = scene.create('a', "Idle").await;
    scene.start(&idle, "go").await;
    scene.complete(&idle, 1).await;
    let running = scene.create('b', "Running").await;
    scene.start(&running, "go").await;
    let scene = scene.killed();
    assert_eq!(scene.store.recover().await.unwrap().ended, std::slice::from_ref(&running));
    assert_eq!(scene.store.recover().await.unwrap(), Recovered::default());
    assert_eq!(scene.event_types(&idle).await.last(), Some(&"turn_completed"));
    scene.start(&running, "go on").await;
    assert_eq!(scene.session(&running).await.turn_count, 2);
}

#[tokio::test]
async fn a_message_that_has_its_row_leaves_no_partial_text() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.partial(&id, 1, 0, 0, "whole").await;
    scene.say(&id, 1, 0, "whole", vec![]).await;
    let scene = scene.killed();
    scene.store.recover().await.unwrap();
    assert_eq!(scene.rows(&id).await.len(), 2);
}

#[tokio::test]
async fn kept_text_is_replaced_where_it_is_said_again_and_ends_at_a_gap() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.partial(&id, 1, 0, 0, "first try").await;
    scene.partial(&id, 1, 0, 9, " goes on").await;
    scene.partial(&id, 1, 0, 0, "second").await;
    scene.partial(&id, 1, 0, 3, "ret").await;
    scene.partial(&id, 1, 0, 100, "lost").await;
    let scene = scene.killed();
    scene.store.recover().await.unwrap();
    assert_eq!(scene.rows(&id).await[1].content, "secret");
}
