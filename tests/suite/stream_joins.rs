//! Joining a session's stream in the middle of a burst, at any cursor, over real sockets. `tests/joins` raises the
//! number of joins by the variable `COWORK_JOINS`.

use cowork::protocol::{Actor, SessionId, UpdateSession};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::watch;

use crate::support::{
    model::{Gate, Script, say},
    replica::Replica,
    server::Server,
};

const EVENTS: usize = 5_000;
/// In the normal run.
const JOINS: usize = 100;
/// Sockets open at the same time.
const AT_ONCE: usize = 16;

fn joins() -> usize {
    std::env::var("COWORK_JOINS").map_or(JOINS, |joins| joins.parse().expect("COWORK_JOINS is a number"))
}

/// Changes the session so many times, some at once, as many people would.
async fn burst(server: &Server, id: &SessionId) {
    let change = |number: usize| {
        let update = UpdateSession { title: Some(format!("Title {number}")), ..UpdateSession::default() };
        async move { server.agent.update_session(&Actor::local(), id, update).await.unwrap() }
    };
    stream::iter(0..EVENTS).map(change).buffer_unordered(32).for_each(|_| async {}).await;
}

/// A turn that writes on until the gate stands open.
fn writing(gate: &Gate) -> Script {
    (0..400).fold(say("Zu "), |script, number| script.wait(gate).then(&format!("{number} ä𝄞 ")))
}

/// Joins at a cursor somewhere between the beginning and the head, and reads some rows from there, as far as they come.
async fn join(server: &Server, id: &str, number: u64, mut over: watch::Receiver<bool>) -> (u64, Replica) {
    let head = server.api.session(id).await["head_seq"].as_u64().unwrap();
    // Spread by a step that shares no factor with any head.
    let cursor = head.saturating_sub(number.wrapping_mul(2_654_435_761) % (head + 1));
    let rows = 1 + number.wrapping_mul(40_503) % 300;
    let mut socket = server.socket(id, &format!("cursor={cursor}")).await;
    let mut replica = Replica::behind(cursor);
    let mut synced = false;
    while !synced || (replica.rows.len() as u64) < rows {
        tokio::select! {
            biased;
            frame = socket.next() => {
                let frame = frame.expect("the socket stays open");
                synced |= frame["type"] == "synced";
                replica.take(&frame);
            }
            _ = over.wait_for(|over| *over), if synced => break,
        }
    }
    assert!(replica.cursor() >= head, "all that was there when it came");
    (cursor, replica)
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_at_any_cursor_during_a_burst_get_exactly_what_is_missing() {
    let gate = Gate::new();
    let server = Server::playing([writing(&gate)]).await;
    let id = server.session().await;
    let session = SessionId::parse(&id).unwrap();
    let mut witness = server.socket(&id, "cursor=0").await;
    server.api.send(&id, "Write").await;
    let over = watch::Sender::new(false);
    let joining = async {
        let joined = stream::iter(0..joins() as u64).map(|number| join(&server, &id, number, over.subscribe()));
        joined.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await
    };
    let pacing = async {
        for pause in 1..=400 {
            gate.reached(pause).await;
            gate.step();
        }
    };
    let watching = async {
        let mut replica = Replica::default();
        while replica.turns_ended.is_empty() || replica.rows.len() < EVENTS {
            replica.take(&witness.next().await.expect("the witness stays"));
        }
        replica
    };
    let bursting = async {
        burst(&server, &session).await;
        gate.open();
        server.ended(&id, 1).await;
        over.send_replace(true);
    };
    let (joined, witness, (), ()) = tokio::join!(joining, watching, bursting, pacing);
    let log: Vec<Value> = whole_log(&server, &id).await;
    for (cursor, replica) in joined {
        for (seq, row) in &replica.rows {
            let mut row = row.clone();
            row.as_object_mut().unwrap().remove("type");
            assert_eq!(row, log[*seq as usize - 1], "joined at {cursor}");
        }
        assert!(replica.rows.keys().next().is_none_or(|first| *first == cursor + 1));
    }
    let text = &server.api.rows(&id).await[1]["content"];
    assert_eq!(witness.texts[&(1, 0)], *text);
}

async fn whole_log(server: &Server, id: &str) -> Vec<Value> {
    let accept = [("accept", "application/x-ndjson")];
    let answer = server.api.request("GET", &format!("/cowork/sessions/{id}/logs"), &accept, None).await;
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
