use super::*;
use crate::{
    agent::ports::store::Store,
    protocol::{Record, UpdateSession, transcript::Transcript},
    store::testing::{Scene, message},
};

fn with_client(text: &str, client_id: &str, start_with: Option<&str>) -> NewMessage {
    NewMessage { client_id: Some(client_id.into()), ..message(text, start_with) }
}

async fn bodies(scene: &Scene, id: &SessionId) -> Vec<EventBody> {
    scene.events(id).await.into_iter().map(|event| event.body).collect()
}

#[tokio::test]
async fn a_message_that_starts_has_its_row_and_events_in_order() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let new = with_client("hellö", "c-1", Some("primary"));
    let message_id = new.message_id.clone();
    let outcome = scene.accept(&id, new).await;
    let answer = Accepted { turn: Some(1), message_id: message_id.clone(), queued: false };
    assert_eq!(outcome, AcceptOutcome::Accepted(answer));
    assert_eq!(
        bodies(&scene, &id).await[1..],
        [
            EventBody::UserMessageReceived {
                turn: Some(1),
                turn_number: Some(1),
                message_id: message_id.clone(),
                client_id: Some("c-1".into()),
                queued: false,
                bytes: 6,
                attachments: vec![],
                steering_id: None,
            },
            EventBody::TurnStarted { turn: 1, message_id, model: "primary".into() },
        ]
    );
    assert_eq!(scene.rows(&id).await[0].content, "hellö");
    assert_eq!(scene.session(&id).await.running_turn, Some(1));
}

#[tokio::test]
async fn a_client_id_is_answered_the_same_for_the_same_text_and_refused_for_another() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let AcceptOutcome::Accepted(started) = scene.accept(&id, with_client("one", "c-1", Some("primary"))).await else {
        panic!("not accepted")
    };
    let AcceptOutcome::Accepted(queued) = scene.accept(&id, with_client("two", "c-2", None)).await else {
        panic!("not accepted")
    };
    scene.complete(&id, 1).await;
    scene.store.start_queued(&id, None, "primary").await.unwrap();
    let before = bodies(&scene, &id).await;
    assert_eq!(scene.accept(&id, with_client("one", "c-1", None)).await, AcceptOutcome::Repeated(started));
    assert_eq!(scene.accept(&id, with_client("two", "c-2", Some("m"))).await, AcceptOutcome::Repeated(queued.clone()));
    assert!(queued.queued && queued.turn.is_none());
    assert_eq!(scene.accept(&id, with_client("three", "c-2", None)).await, AcceptOutcome::ClientIdReused);
    assert_eq!(bodies(&scene, &id).await, before);
}

#[tokio::test]
async fn a_client_id_belongs_to_its_session() {
    let scene = Scene::new();
    let (one, two) = (scene.create('a', "One").await, scene.create('b', "Two").await);
    scene.accept(&one, with_client("x", "c-1", None)).await;
    let outcome = scene.accept(&two, with_client("y", "c-1", None)).await;
    assert!(matches!(outcome, AcceptOutcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_queued_message_becomes_a_row_when_its_turn_starts() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "first").await;
    let second = scene.queue(&id, "second").await;
    let third = scene.queue(&id, "third").await;
    assert_eq!(scene.rows(&id).await.len(), 1);
    let waiting = scene.store.queue(&id).await.unwrap();
    assert_eq!(waiting.iter().map(|message| message.message.as_str()).collect::<Vec<_>>(), ["second", "third"]);
    assert_eq!(waiting[0].created_at, "2026-07-01T10:00:00.139Z");
    scene.complete(&id, 1).await;
    let started = scene.store.start_queued(&id, Some(&third), "fast").await.unwrap().unwrap();
    assert_eq!(started, Accepted { turn: Some(2), message_id: third.clone(), queued: false });
    let last = scene.events(&id).await.pop().unwrap();
    assert_eq!(last.body, EventBody::TurnStarted { turn: 2, message_id: third, model: "fast".into() });
    assert_eq!(last.actor, Actor::local());
    assert_eq!(scene.rows(&id).await[1].content, "third");
    scene.complete(&id, 2).await;
    assert_eq!(scene.store.start_queued(&id, None, "m").await.unwrap().unwrap().message_id, second);
    scene.complete(&id, 3).await;
    assert_eq!(scene.store.start_queued(&id, None, "m").await.unwrap(), None);
}

#[tokio::test]
async fn a_message_that_does_not_wait_is_not_in_the_queue() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let other = scene.create('b', "Other").await;
    let waiting = scene.queue(&id, "waits").await;
    let nobody = MessageId::new("nobody");
    let local = Actor::local();
    let store = &scene.store;
    assert!(matches!(store.start_queued(&id, Some(&nobody), "m").await, Err(StoreError::NoMessage)));
    assert!(matches!(store.start_queued(&other, Some(&waiting), "m").await, Err(StoreError::NoMessage)));
    assert!(matches!(store.edit_queued(&local, &id, &nobody, "x").await, Err(StoreError::NoMessage)));
    store.remove_queued(&local, &id, &waiting).await.unwrap();
    assert!(matches!(store.remove_queued(&local, &id, &waiting).await, Err(StoreError::NoMessage)));
}

#[tokio::test]
async fn changes_of_the_queue_are_recorded_with_its_length() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let (one, two) = (scene.queue(&id, "one").await, scene.queue(&id, "two").await);
    let (local, store) = (Actor::local(), &scene.store);
    store.hold_queue(&local, &id, true).await.unwrap();
    store.hold_queue(&local, &id, true).await.unwrap();
    store.edit_queued(&local, &id, &one, "one").await.unwrap();
    store.edit_queued(&local, &id, &one, "uno").await.unwrap();
    store.remove_queued(&local, &id, &two).await.unwrap();
    store.hold_queue(&local, &id, false).await.unwrap();
    let changed = |change, message_id, length| EventBody::QueueChanged { change, message_id, length };
    assert_eq!(
        bodies(&scene, &id).await[3..],
        [
            changed(QueueChange::Held, None, 2),
            changed(QueueChange::Edited, Some(one), 2),
            changed(QueueChange::Removed, Some(two), 1),
            changed(QueueChange::Released, None, 1),
        ]
    );
}

#[tokio::test]
async fn the_queue_stands_in_the_order_in_which_it_starts() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let (one, two, three) = (scene.queue(&id, "1").await, scene.queue(&id, "2").await, scene.queue(&id, "3").await);
    let (local, store) = (Actor::local(), &scene.store);
    for first in [&three, &two, &two] {
        store.put_first(&local, &id, first).await.unwrap();
    }
    let four = scene.queue(&id, "4").await;
    let expected = [&two, &three, &one, &four];
    let queue: Vec<_> = store.queue(&id).await.unwrap().into_iter().map(|waiting| waiting.message_id).collect();
    assert_eq!(queue.iter().collect::<Vec<_>>(), expected);
    let changes = bodies(&scene, &id).await.into_iter().filter(|body| matches!(body, EventBody::QueueChanged { .. }));
    assert_eq!(changes.count(), 2, "what is the first already is not moved");
    let mut transcript = Transcript::default();
    for event in scene.events(&id).await {
        transcript.apply(&Record { event, text: None });
    }
    let folded: Vec<_> = transcript.queue.iter().map(|waiting| &waiting.message_id).collect();
    assert_eq!(folded, expected, "the page comes to the same order");
    for next in expected {
        assert_eq!(store.start_queued(&id, None, "m").await.unwrap().unwrap().message_id, *next);
    }
    assert!(matches!(store.put_first(&local, &id, &one).await, Err(StoreError::NoMessage)));
}

#[tokio::test]
async fn an_empty_queue_is_not_held() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let local = Actor::local();
    scene.store.hold_queue(&local, &id, true).await.unwrap();
    assert!(!scene.session(&id).await.queue_held);
    let one = scene.queue(&id, "one").await;
    scene.store.hold_queue(&local, &id, true).await.unwrap();
    assert!(scene.session(&id).await.queue_held);
    scene.store.remove_queued(&local, &id, &one).await.unwrap();
    assert!(!scene.session(&id).await.queue_held);
    scene.queue(&id, "two").await;
    scene.store.hold_queue(&local, &id, true).await.unwrap();
    scene.store.start_queued(&id, None, "m").await.unwrap();
    assert!(!scene.session(&id).await.queue_held);
}

#[tokio::test]
async fn activity_makes_a_session_newer() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.clock.advance(60);
    scene.queue(&id, "one").await;
    assert_eq!(scene.session(&id).await.last_active_at, "2026-07-01T10:01:00.139Z");
    let update = UpdateSession { archived: Some(true), ..UpdateSession::default() };
    scene.clock.advance(60);
    scene.store.update_session(&Actor::local(), &id, update).await.unwrap();
    assert_eq!(scene.session(&id).await.last_active_at, "2026-07-01T10:01:00.139Z");
}
