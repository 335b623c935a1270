use super::*;
use crate::{
    agent::ports::store::Store,
    protocol::{InterruptReason, QueueChange},
    store::testing::{Scene, agent, call, completed},
};

#[tokio::test]
async fn events_of_a_message_stand_before_its_end() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    let model_call =
        EventBody::ModelCall { turn: 1, message: 0, model: "primary".into(), attempt: 1, tokens: None, ms: 5 };
    let end = MessageEnd {
        by: agent(),
        turn: 1,
        message: 0,
        text: "done".into(),
        calls: vec![],
        partial: false,
        events: vec![model_call.clone()],
    };
    scene.store.end_message(&id, end).await.unwrap();
    let events = scene.events(&id).await;
    assert_eq!(events[3].body, model_call);
    let expected = EventBody::MessageCompleted { turn: 1, message: 0, turn_number: 2, bytes: 4, partial: false };
    assert_eq!(events[4].body, expected);
}

#[tokio::test]
async fn a_last_message_is_written_together_with_its_turns_end_or_not_at_all() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    let last = |text: &str| {
        let (by, text) = (agent(), text.to_owned());
        Some(MessageEnd { by, turn: 1, message: 0, text, calls: vec![], partial: false, events: vec![] })
    };
    let before = scene.events(&id).await.len();
    scene.store.end_turn(&agent(), &id, last("too early"), completed(2)).await.unwrap_err();
    assert_eq!((scene.events(&id).await.len(), scene.rows(&id).await.len()), (before, 1));
    assert!(!scene.store.end_turn(&agent(), &id, last("done"), completed(1)).await.unwrap(), "nothing waits");
    let types: Vec<_> = scene.events(&id).await[before..].iter().map(|event| event.body.event_type()).collect();
    assert_eq!(types, ["message_completed", "turn_completed"]);
    assert_eq!(scene.rows(&id).await[1].content, "done");

    scene.start(&id, "again").await;
    scene.queue(&id, "and then").await;
    assert!(scene.store.end_turn(&agent(), &id, None, completed(2)).await.unwrap(), "a message waits");
}

#[tokio::test]
async fn an_interruption_holds_a_waiting_queue_before_the_turns_last_event() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.queue(&id, "later").await;
    scene.interrupt(&id, 1).await;
    let events = scene.events(&id).await;
    let held = EventBody::QueueChanged { change: QueueChange::Held, message_id: None, length: 1 };
    assert_eq!(events[4].body, held);
    assert!(matches!(events[5].body, EventBody::TurnInterrupted { reason: InterruptReason::Stopped, .. }));
    let session = scene.session(&id).await;
    assert!(session.queue_held && session.running_turn.is_none());
}

#[tokio::test]
async fn a_completed_turn_or_an_empty_queue_holds_nothing() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "one").await;
    scene.interrupt(&id, 1).await;
    assert!(!scene.session(&id).await.queue_held);
    scene.start(&id, "two").await;
    scene.queue(&id, "later").await;
    scene.complete(&id, 2).await;
    assert!(!scene.session(&id).await.queue_held);
    assert!(!scene.event_types(&id).await.contains(&"queue_changed"));
}

#[tokio::test]
async fn a_turn_ends_once_and_only_with_an_end() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    assert!(scene.store.end_turn(&agent(), &id, None, completed(1)).await.is_err());
    scene.start(&id, "go").await;
    let no_end = EventBody::SessionError { code: "x".into(), detail: "y".into() };
    assert!(scene.store.end_turn(&agent(), &id, None, no_end).await.is_err());
    assert!(scene.store.end_turn(&agent(), &id, None, completed(2)).await.is_err());
    scene.complete(&id, 1).await;
    assert!(scene.store.end_turn(&agent(), &id, None, completed(1)).await.is_err());
    let ends = scene.event_types(&id).await.into_iter().filter(|name| *name == "turn_completed").count();
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn a_turn_whose_end_was_lost_is_ended_before_the_next_starts() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "one").await;
    scene.say(&id, 1, 0, "", vec![call("c1")]).await;
    scene.start(&id, "two").await;
    let types = scene.event_types(&id).await;
    let expected = ["tool_call_completed", "turn_interrupted", "user_message_received", "turn_started"];
    assert_eq!(types[types.len() - 4..], expected);
    let session = scene.session(&id).await;
    assert_eq!((session.turn_count, session.running_turn), (2, Some(2)));
    let interrupted = &scene.events(&id).await[types.len() - 3].body;
    assert!(matches!(interrupted, EventBody::TurnInterrupted { turn: 1, reason: InterruptReason::Error, .. }));
}
