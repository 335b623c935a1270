//! What must hold whatever happens: dense numbers, publishing in order, nothing acknowledged that is lost.

use proptest::prelude::*;

use super::testing::{Scene, agent, call, message};
use crate::{
    agent::ports::store::{AcceptOutcome, MessageEnd, NewMessage, Recall, Steering, Store, StoreError, TurnWindow},
    protocol::{Actor, CallId, EventBody, Record, SessionId, SteeringId, Tokens},
};

/// A wish that may or may not fit the state that the session is in.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Queue,
    Repeat(u8),
    StartQueued,
    RemoveOldest,
    Hold(bool),
    Say { calls: u8 },
    EndCall,
    Complete,
    Interrupt,
    Partial,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Start),
        2 => Just(Step::Queue),
        1 => (0..4_u8).prop_map(Step::Repeat),
        2 => Just(Step::StartQueued),
        1 => Just(Step::RemoveOldest),
        1 => any::<bool>().prop_map(Step::Hold),
        3 => (0..3_u8).prop_map(|calls| Step::Say { calls }),
        3 => Just(Step::EndCall),
        2 => Just(Step::Complete),
        1 => Just(Step::Interrupt),
        1 => Just(Step::Partial),
        1 => Just(Step::Kill),
    ]
}

/// Makes the step where the session is in a state for it; a refusal changes nothing and is fine.
async fn take(scene: Scene, id: &SessionId, step: Step, count: usize) -> Scene {
    let running = scene.session(id).await.running_turn;
    let messages = scene.rows(id).await.iter().filter(|row| Some(row.turn) == running && row.message.is_some()).count();
    match (step, running) {
        (Step::Start, None) => scene.start(id, "hello").await,
        (Step::Queue, _) => drop(scene.queue(id, "later").await),
        (Step::Repeat(number), _) => {
            let new = NewMessage { client_id: Some(format!("c-{number}")), ..message("same", None) };
            drop(scene.accept(id, new).await);
        }
        (Step::StartQueued, None) => drop(scene.store.start_queued(id, None, "primary").await.unwrap()),
        (Step::RemoveOldest, _) => {
            if let Some(oldest) = scene.store.queue(id).await.unwrap().first() {
                scene.store.remove_queued(&Actor::local(), id, &oldest.message_id).await.unwrap();
            }
        }
        (Step::Hold(held), _) => scene.store.hold_queue(&Actor::local(), id, held).await.unwrap(),
        (Step::Say { calls }, Some(turn)) => {
            let calls = (0..calls).map(|number| call(&format!("call-{count}-{number}"))).collect();
            scene.say(id, turn, messages as u32, "text", calls).await;
        }
        (Step::EndCall, Some(turn)) => {
            let rows = scene.rows(id).await;
            let answered = |id| rows.iter().any(|row| row.tool_call_id.as_ref() == Some(id));
            if let Some(open) = rows.iter().flat_map(|row| &row.tool_calls).find(|call| !answered(&call.id)) {
                scene.call_started(id, turn, open.id.as_str()).await;
                scene.call_ended(id, turn, open.id.as_str(), "ok", None).await;
            }
        }
        (Step::Complete, Some(turn)) => scene.complete(id, turn).await,
        (Step::Interrupt, Some(turn)) => scene.interrupt(id, turn).await,
        (Step::Partial, Some(turn)) => scene.partial(id, turn, messages as u32, 0, "so far").await,
        (Step::Kill, _) => {
            let scene = scene.killed();
            scene.store.recover().await.unwrap();
            return scene;
        }
        _ => {}
    }
    scene
}

async fn assert_sound(scene: &Scene, id: &SessionId) {
    let records = scene.store.records(id, 0, 100_000).await.unwrap();
    let seqs: Vec<_> = records.iter().map(|record| record.event.seq).collect();
    assert_eq!(seqs, (1..=records.len() as u64).collect::<Vec<_>>(), "seq is dense");
    let published = scene.published.of(id);
    // The events alone: the text of a queued message can be edited and removed later.
    let events =
        |records: &[std::sync::Arc<Record>]| records.iter().map(|record| record.event.clone()).collect::<Vec<_>>();
    let stored = events(&records[records.len() - published.len()..]);
    assert_eq!(events(&published), stored, "what was published is what is stored, in order");
    let rows = scene.rows(id).await;
    let numbers: Vec<_> = rows.iter().map(|row| row.turn_number).collect();
    assert_eq!(numbers, (1..=rows.len() as u64).collect::<Vec<_>>(), "turn_number is dense");
    let session = scene.session(id).await;
    assert_eq!(session.total_tokens, rows.iter().map(|row| row.token_count).sum::<u64>());
    let count = |name: &str| records.iter().filter(|record| record.event.body.event_type() == name).count();
    let ended = count("turn_completed") + count("turn_interrupted");
    assert_eq!(ended + usize::from(session.running_turn.is_some()), session.turn_count as usize, "each turn ends once");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_writes_keeps_the_numbers_dense_and_the_order_true(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut scene = Scene::new();
            let id = scene.create('a', "Notes").await;
            for (count, step) in steps.into_iter().enumerate() {
                scene = take(scene, &id, step, count).await;
            }
            assert_sound(&scene, &id).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_writers_at_once_get_dense_numbers_in_each_session() {
    let scene = Scene::new();
    let ids = [scene.create('a', "One").await, scene.create('b', "Two").await, scene.create('c', "Three").await];
    let writes = (0..200).map(|number| {
        let (scene, id) = (&scene, &ids[number % 3]);
        async move { scene.accept(id, message(&format!("message {number}"), None)).await }
    });
    for outcome in futures::future::join_all(writes).await {
        assert!(matches!(outcome, AcceptOutcome::Accepted(_)), "{outcome:?}");
    }
    let mut waiting = 0;
    for id in &ids {
        assert_sound(&scene, id).await;
        waiting += scene.store.queue(id).await.unwrap().len();
    }
    assert_eq!(waiting, 200);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_and_a_drop() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "hello").await;
    let acknowledged = scene.published.of(&id);
    let scene = scene.killed();
    assert_eq!(scene.store.records(&id, 0, 100).await.unwrap(), acknowledged);
    let scene = scene.reopened();
    assert_eq!(scene.store.records(&id, 0, 100).await.unwrap(), acknowledged);
}

#[tokio::test]
async fn closing_leaves_one_whole_file_and_answers_closed_from_then_on() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.store.close().await.unwrap();
    assert!(!scene.path.with_extension("db-wal").exists());
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_events"), 1);
    assert!(matches!(scene.store.session(&id).await, Err(StoreError::Closed)));
    let refused = scene.store.record(&agent(), &id, vec![]).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
    scene.store.close().await.unwrap();
}

/// A query that has no index to go by reads what all sessions hold. It looks fast while there are few.
#[tokio::test]
async fn a_turn_takes_no_longer_for_what_other_sessions_hold() {
    let scene = Scene::new();
    let (id, other) = (scene.create('a', "One").await, scene.create('b', "Two").await);
    let of_opening = scene.scans();
    for (id, turn) in [(&id, 1), (&other, 1), (&id, 3)] {
        let new = NewMessage { client_id: Some(format!("c-{turn}")), ..message("hello", Some("primary")) };
        scene.accept(id, new).await;
        scene.store.accepted(id, "c-1", "hello").await.unwrap();
        scene.queue(id, "later").await;
        let steering = Steering { steering_id: SteeringId::new(format!("{id}-{turn}")), text: "sooner".into() };
        scene.store.steer(&Actor::local(), id, turn, steering).await.unwrap();
        scene.store.take_steering(id, turn).await.unwrap();
        scene.store.tell_uploads(id).await.unwrap();
        scene.partial(id, turn, 0, 0, "so far").await;
        let called = call(&format!("call-{turn}"));
        scene.store.call_id_used(id, &called.id).await.unwrap();
        let tokens = Some(Tokens { input: 10, output: 2, cached: 0, total: 12, estimated: false });
        let model_call = EventBody::ModelCall { turn, message: 0, model: "primary".into(), attempt: 1, tokens, ms: 9 };
        let end = MessageEnd {
            by: agent(),
            turn,
            message: 0,
            text: "so far".into(),
            calls: vec![called],
            partial: false,
            events: vec![model_call],
        };
        scene.store.end_message(id, end).await.unwrap();
        scene.call_started(id, turn, &format!("call-{turn}")).await;
        scene.call_ended(id, turn, &format!("call-{turn}"), "ok", None).await;
        scene.store.call_result(id, turn, &CallId::new(format!("call-{turn}"))).await.unwrap();
        scene.say(id, turn, 1, "done", vec![]).await;
        scene.complete(id, turn).await;
        let next = scene.store.start_queued(id, None, "primary").await.unwrap().and_then(|accepted| accepted.turn);
        scene.store.end_left_turn(id).await.unwrap();
        assert!(next.is_some(), "what waited has started");
        for words in [None, Some("done".into())] {
            scene.store.recall(id, Recall { words, turns: (1, 9), row: None, limit: 5 }).await.unwrap();
        }
        scene.store.turns(id, TurnWindow::Before { turn_number: None, limit: 50 }).await.unwrap();
        scene.store.records_from_turn(id, turn).await.unwrap();
        scene.store.recent_uploads(id, 5).await.unwrap();
        scene.store.queue(id).await.unwrap();
        scene.store.rules(id).await.unwrap();
        scene.session(id).await;
        scene.events(id).await;
        scene.store.tokens_today("local").await.unwrap();
    }
    let scans: Vec<_> = scene.scans().difference(&of_opening).cloned().collect();
    assert!(scans.is_empty(), "without an index: {scans:#?}");
}
