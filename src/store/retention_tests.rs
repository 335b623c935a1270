use super::*;
use crate::{
    agent::ports::store::Store,
    protocol::Event,
    store::{
        LogPolicy,
        testing::{ALL, Scene},
    },
};

const DAY: u64 = 24 * 60 * 60;

fn keeping(events: Option<u64>, days: Option<u64>) -> Scene {
    let retention = Retention { events, age: days.map(|days| Duration::from_secs(days * DAY)) };
    Scene::with(LogPolicy { retention, ..LogPolicy::default() })
}

/// A turn of four events.
async fn turn(scene: &Scene, id: &SessionId, turn: u32) {
    scene.start(id, "Hi").await;
    scene.say(id, turn, 0, "Hello.", vec![]).await;
    scene.complete(id, turn).await;
}

/// Nothing is missing from the first event on, and that one tells of what was removed.
fn assert_dense(events: &[Event], removed: Seq) {
    let seqs: Vec<Seq> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (removed..removed + events.len() as Seq).collect::<Vec<_>>());
    let stub = EventBody::EventsRemoved { first_seq: 1, last_seq: removed, count: removed };
    assert_eq!(events[0].body, stub);
    assert!(events[1..].iter().all(|event| !matches!(event.body, EventBody::EventsRemoved { .. })));
}

#[tokio::test]
async fn the_newest_events_stay_and_one_row_tells_of_the_others() {
    let scene = keeping(Some(6), None);
    let id = scene.create('a', "Long").await;
    turn(&scene, &id, 1).await;
    assert_eq!(scene.events(&id).await.len(), 5, "within the limit nothing goes");
    for number in 2..=5 {
        turn(&scene, &id, number).await;
        let events = scene.events(&id).await;
        assert_dense(&events, 4 * Seq::from(number) + 1 - 6);
        assert_eq!(events.len(), 7);
    }
    let page = scene.store.events(&id, 3, 2, &[]).await.unwrap();
    assert_eq!((page.events[0].seq, page.head_seq, page.total), (15, 21, 7), "an older cursor starts at the stub");
    assert_eq!(scene.store.turns(&id, ALL).await.unwrap().total, 10, "the conversation is whole");
    assert_eq!(scene.published.sequences(&id), (1..=21).collect::<Vec<_>>(), "watchers were told of each event once");
    let scene = scene.reopened();
    turn(&scene, &id, 6).await;
    assert_dense(&scene.events(&id).await, 19);
}

#[tokio::test]
async fn old_events_go_when_their_time_is_over() {
    let scene = keeping(None, Some(30));
    let (old, new) = (scene.create('a', "Old").await, scene.create('b', "New").await);
    turn(&scene, &old, 1).await;
    scene.clock.advance(20 * DAY as i64);
    turn(&scene, &new, 1).await;
    turn(&scene, &old, 2).await;
    scene.store.retain().await.unwrap();
    assert_eq!(scene.events(&old).await.len(), 9, "nothing is thirty days old");
    scene.clock.advance(15 * DAY as i64);
    scene.store.retain().await.unwrap();
    assert_dense(&scene.events(&old).await, 5);
    assert_eq!(scene.events(&new).await.len(), 5, "one row is not worth another in its place");
    scene.clock.advance(30 * DAY as i64);
    scene.store.retain().await.unwrap();
    assert_dense(&scene.events(&old).await, 9);
    assert_dense(&scene.events(&new).await, 5);
    turn(&scene, &old, 3).await;
    let events = scene.events(&old).await;
    assert_eq!((events.len(), events.last().unwrap().seq), (5, 13), "the next seq goes on as ever");
}

#[tokio::test]
async fn a_running_turn_keeps_all_its_events() {
    let scene = keeping(Some(3), Some(1));
    let id = scene.create('a', "Busy").await;
    turn(&scene, &id, 1).await;
    scene.start(&id, "More").await;
    for message in 0..10 {
        scene.say(&id, 2, message, "Step.", vec![]).await;
    }
    scene.clock.advance(2 * DAY as i64);
    scene.store.retain().await.unwrap();
    let events = scene.events(&id).await;
    assert_dense(&events, 5);
    assert_eq!(events.len(), 13, "the stub, two of the start, ten of the messages");
    scene.complete(&id, 2).await;
    assert!(scene.events(&id).await.len() <= 4);
}

#[tokio::test]
async fn the_chain_goes_on_over_what_was_removed() {
    let scene = keeping(Some(4), None);
    let id = scene.create('a', "Chained").await;
    for number in 1..=4 {
        turn(&scene, &id, number).await;
    }
    assert!(scene.forged("").is_whole(), "{:?}", scene.forged(""));
    for forgery in [
        "UPDATE cowork_events SET payload = replace(payload, '13', '12') WHERE event_type = 'events_removed'",
        "DELETE FROM cowork_events WHERE event_type = 'events_removed'",
        "DELETE FROM cowork_events WHERE seq = 14",
        "UPDATE cowork_web_chains SET removed_through = 12",
        "UPDATE cowork_web_chains SET marks = NULL",
    ] {
        assert_eq!(scene.forged(forgery).faults.len(), 1, "{forgery}");
    }
}
