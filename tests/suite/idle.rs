//! Sessions that rest leave memory and come back from the store, and nobody can tell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cowork::agent::ports::clock::{Clock, SystemClock};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, call, say},
    replica::Replica,
    server::{IDLE_AFTER, Server, Setup, wait_for_end},
    soon,
};

/// A clock that moves when it is told to.
#[derive(Default)]
struct TestClock(AtomicU64);

impl TestClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> jiff::Timestamp {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

async fn server() -> (Server, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    (Setup { clock: clock.clone(), ..Setup::default() }.start().await, clock)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Say,
    /// The answer begins with a call.
    Call,
    Rename,
    /// The tab is closed …
    Leave,
    /// … and the session leaves memory.
    Evict,
}

/// What there is of a session in the end.
#[derive(Debug, PartialEq)]
struct Seen {
    texts: Vec<String>,
    rows: Vec<Value>,
    events: Vec<Value>,
}

/// Without what differs from run to run: times, and ids made by chance.
fn without_chance(mut value: Value) -> Value {
    let differs = |name: &str| name.ends_with("_ms") || matches!(name, "ms" | "created_at" | "message_id" | "metadata");
    if value["event_type"] == "user_message_received" {
        // The end of a turn is seen before the next can begin, so a quick message may have waited for a moment.
        let payload = value["payload"].as_object_mut().unwrap();
        payload.retain(|name, _| !matches!(name.as_str(), "turn" | "turn_number" | "queued"));
    }
    let fields = value.as_object_mut().unwrap();
    fields.retain(|name, _| !differs(name));
    if let Some(payload) = fields.get_mut("payload").and_then(Value::as_object_mut) {
        payload.retain(|name, _| !differs(name));
    }
    value
}

/// Moves the clock until one session has left. What held it a moment ago may be letting go only now.
async fn evict_one(server: &Server, clock: &TestClock) {
    let evicted = async {
        loop {
            clock.advance(IDLE_AFTER);
            if server.agent.evict_idle().await > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the eviction", evicted).await;
}

async fn perform(server: &Server, clock: &TestClock, steps: &[Step]) -> Seen {
    let id = server.session().await;
    let (mut replica, mut in_memory, mut tab) = (Replica::default(), false, None);
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Say | Step::Call => {
                if matches!(step, Step::Call) {
                    server.model.play([call("c", "list_directory", &json!({}))]);
                }
                server.model.play([say(&format!("Answer to {number}."))]);
                let mut socket = match tab.take() {
                    Some(socket) => socket,
                    None => server.socket(&id, &format!("cursor={}", replica.cursor())).await,
                };
                server.api.send(&id, &format!("Message {number}")).await;
                wait_for_end(&mut socket).await;
                replica.take_all(&std::mem::take(&mut socket.frames));
                (tab, in_memory) = (Some(socket), true);
            }
            Step::Rename => {
                let path = format!("/cowork/sessions/{id}");
                server.api.patch(&path, json!({"title": format!("Name {number}")})).await.expect(200);
            }
            Step::Leave => tab = None,
            Step::Evict => {
                tab = None;
                if std::mem::take(&mut in_memory) {
                    evict_one(server, clock).await;
                }
            }
        }
    }
    drop(tab);
    let mut socket = server.socket(&id, &format!("cursor={}", replica.cursor())).await;
    socket.wait("synced").await;
    replica.take_all(&socket.frames);
    drop(socket);
    if in_memory {
        evict_one(server, clock).await;
    }
    let events = server.api.events(&id).await;
    assert_eq!(replica.rows.len(), events.len());
    Seen {
        texts: replica.texts.into_values().collect(),
        rows: server.api.rows(&id).await.into_iter().map(without_chance).collect(),
        events: events.into_iter().map(without_chance).collect(),
    }
}

/// P13: the same steps with and without evictions between them end in the same session.
#[tokio::test(flavor = "multi_thread")]
async fn eviction_between_any_two_steps_changes_nothing() {
    let (server, clock) = server().await;
    let step = prop_oneof![
        Just(Step::Say),
        Just(Step::Call),
        Just(Step::Rename),
        Just(Step::Leave),
        Just(Step::Evict),
        Just(Step::Evict)
    ];
    let steps = proptest::collection::vec(step, 4..14);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[13; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..12 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let lasting = steps.iter().map(|step| if matches!(step, Step::Evict) { Step::Leave } else { *step });
        let lasting = perform(&server, &clock, &lasting.collect::<Vec<_>>()).await;
        assert_eq!(perform(&server, &clock, &steps).await, lasting, "{steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_stays_in_memory() {
    let (server, clock) = server().await;
    let gate = Gate::new();
    let evict = || async {
        clock.advance(IDLE_AFTER);
        server.agent.evict_idle().await
    };

    // A turn, then a queue that is held.
    let busy = server.session().await;
    server.model.play([say("On ").wait(&gate)]);
    server.api.send(&busy, "Go").await;
    gate.reached(1).await;
    server.api.send(&busy, "Waits").await;
    assert_eq!(evict().await, 0, "a turn runs");
    server.api.post(&format!("/cowork/sessions/{busy}/stop"), json!({})).await.expect(202);
    server.ended(&busy, 1).await;
    assert_eq!(evict().await, 0, "a message waits");

    // A person's word that is waited for.
    let asking = server.session().await;
    server.model.play([call("w", "write_file", &json!({"path": "a", "content": "b"}))]);
    let mut socket = server.socket(&asking, "").await;
    server.api.send(&asking, "Write").await;
    let asked = socket.wait("approval_requested").await;
    drop(socket);
    assert_eq!(evict().await, 0, "a call waits");
    server.model.play([say("Denied.")]);
    let path = format!("/cowork/sessions/{asking}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "deny"})).await.expect(200);

    // A watcher.
    let mut watcher = server.socket(&asking, "cursor=0").await;
    wait_for_end(&mut watcher).await;
    assert_eq!(evict().await, 0, "somebody watches");
    watcher.leave().await;
    evict_one(&server, &clock).await;

    let fresh = server.session().await;
    server.model.play([say("Short.")]);
    server.turn(&fresh, "Hi").await;
    clock.advance(IDLE_AFTER / 2);
    assert_eq!(server.agent.evict_idle().await, 0, "it has not rested for long enough");
}
