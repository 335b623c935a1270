//! Two messages, a stop and the end of a turn, in every order and with each two of them at the same time. Whoever wins: one
//! turn at a time, one end for each, and each message has its turn, at once or when the person goes on after a stop.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{
    http::Answer,
    model::{Gate, say},
    server::Server,
    soon,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    First,
    Second,
    Stop,
    /// The model comes to its end, in all turns.
    End,
}

const STEPS: [Step; 4] = [Step::First, Step::Second, Step::Stop, Step::End];
/// Orders that are run beside each other.
const AT_ONCE: usize = 8;

/// Every order of the steps.
fn orders() -> Vec<Vec<Step>> {
    let mut orders = vec![vec![]];
    for _ in STEPS {
        let longer = |order: &Vec<Step>| {
            let left = STEPS.into_iter().filter(|step| !order.contains(step)).collect::<Vec<_>>();
            left.into_iter().map(|step| [order.as_slice(), &[step]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

struct Run<'s> {
    server: &'s Server,
    id: String,
    name: String,
    gate: Gate,
}

impl Run<'_> {
    async fn take(&self, step: Step) -> Option<Answer> {
        let (api, session) = (&self.server.api, format!("/cowork/sessions/{}", self.id));
        match step {
            Step::First | Step::Second => {
                let message = json!({"message": format!("{step:?} {}", self.name)});
                Some(api.post(&format!("{session}/messages"), message).await)
            }
            Step::Stop => Some(api.post(&format!("{session}/stop"), json!({})).await),
            Step::End => {
                self.gate.open();
                None
            }
        }
    }

    /// Goes on where a stop holds what waits, until each message has had a turn and each turn an end.
    async fn go_on(&self) {
        let (api, id) = (&self.server.api, self.id.as_str());
        let ended = async {
            loop {
                let kinds = api.event_types(id).await;
                if kinds.iter().filter(|kind| matches!(kind.as_str(), "turn_completed" | "turn_interrupted")).count()
                    == 2
                {
                    return;
                }
                if let Some(waiting) = api.queue(id).await.first() {
                    // Where it has begun by itself meanwhile, nothing is to be done.
                    let waiting = waiting["message_id"].as_str().unwrap();
                    api.post(&format!("/cowork/sessions/{id}/queue/{waiting}/send"), json!({})).await;
                }
            }
        };
        soon("two turns and their ends", ended).await;
    }

    /// What must hold however it went.
    async fn check(&self, answers: &[(Step, Answer)], what: &str) {
        let api = &self.server.api;
        self.go_on().await;
        let (events, queue) = (api.events(&self.id).await, api.queue(&self.id).await);
        let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "{what}");
        let mut running = None;
        let mut begun = Vec::new();
        for event in &events {
            let payload = &event["payload"];
            match event["event_type"].as_str().unwrap() {
                "turn_started" => {
                    assert_eq!(
                        running.replace(payload["turn"].clone()),
                        None,
                        "{what}: two turns at once: {events:#?}"
                    );
                    begun.push(payload["message_id"].clone());
                }
                "turn_completed" | "turn_interrupted" => {
                    assert_eq!(running.take().as_ref(), Some(&payload["turn"]), "{what}: one end: {events:#?}");
                }
                _ => {}
            }
        }
        assert_eq!(running, None, "{what}");
        let interrupted = events.iter().filter(|event| event["event_type"] == "turn_interrupted").count();
        for (step, answer) in answers {
            if *step == Step::Stop {
                let stopped = answer.status == 202;
                assert!(stopped || answer.status == 409, "{what}: {answer:?}");
                assert!(interrupted <= usize::from(stopped), "{what}: nobody else ends a turn: {events:#?}");
                continue;
            }
            assert_eq!(answer.status, 202, "{what}: {answer:?}");
            let id = &answer.json()["message_id"];
            let turns = begun.iter().filter(|known| *known == id).count();
            assert_eq!(turns, 1, "{what}: {step:?} has one turn: {events:#?}");
        }
        assert_eq!(queue, [] as [Value; 0], "{what}");
    }
}

/// One order; `at_once` is the step that does not wait for the one before it.
async fn run(server: &Server, order: &[Step], at_once: Option<usize>) {
    let what = format!("{order:?}, at once {at_once:?}");
    let run = Run { server, id: server.session().await, name: what.clone(), gate: Gate::new() };
    for step in [Step::First, Step::Second] {
        let gated = || say("on and on").wait(&run.gate).then(".");
        server.model.play_for(&format!("{step:?} {}", run.name), [gated(), gated()]);
    }
    let mut answers = Vec::new();
    let mut at = 0;
    while at < order.len() {
        let step = order[at];
        if at_once == Some(at + 1) {
            let other = order[at + 1];
            let (one, two) = tokio::join!(run.take(step), run.take(other));
            answers.extend(one.map(|answer| (step, answer)));
            answers.extend(two.map(|answer| (other, answer)));
            at += 2;
            continue;
        }
        let answer = run.take(step).await;
        if at_once.is_none() {
            // Without a rival each step has its one outcome.
            let before = &order[..at];
            let sent = before.contains(&Step::First) || before.contains(&Step::Second);
            let runs = sent && !before.contains(&Step::Stop) && !before.contains(&Step::End);
            if step == Step::Stop && runs {
                assert_eq!(answer.as_ref().unwrap().status, 202, "{what}");
                let mut socket = server.socket(&run.id, "cursor=0").await;
                assert_eq!(socket.wait("turn_interrupted").await["reason"], "stopped", "{what}");
            }
            if step == Step::Stop && !sent {
                answer.as_ref().unwrap().expect_problem(409, "not_running");
            }
        }
        answers.extend(answer.map(|answer| (step, answer)));
        at += 1;
    }
    run.check(&answers, &what).await;
}

/// Assurance row 61.
#[tokio::test(flavor = "multi_thread")]
async fn in_every_order_and_at_the_same_time_there_is_one_turn_with_one_end_and_no_message_is_lost() {
    let server = Server::start().await;
    let orders = orders();
    assert_eq!(orders.len(), 24);
    let runs = orders.iter().flat_map(|order| [None, Some(1), Some(2), Some(3)].map(|at_once| (order, at_once)));
    let runs = stream::iter(runs).map(|(order, at_once)| run(&server, order, at_once));
    runs.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    server.model.forget();
}
