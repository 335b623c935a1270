//! Watchers that vanish: no close, no FIN, nothing acknowledged. As when a machine loses its power or its network.

use std::time::Duration;

use cowork::{agent::Allowed, state::Timing};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    model::ScriptedModel,
    people::{self, Team},
    process::Home,
    server::Setup,
    socket::Socket,
    soon,
};

/// Assurance row 59.
#[tokio::test]
async fn one_that_vanished_is_noticed_by_its_heartbeat_and_leaves_its_place_and_its_seat() {
    let timing = Timing { heartbeat: Duration::from_millis(100), ..Timing::default() };
    let allowed = Allowed { sockets: Some(1), ..Allowed::default() };
    let server = Setup { timing, vanished: Duration::from_millis(600), allowed, ..people::setup() }.start().await;
    let team = Team::join(&server).await;
    let id = team.anna.create(json!({})).await;
    let part = json!({"name": "ben", "part": "watch"});
    team.anna.post(&format!("/cowork/sessions/{id}/sharing"), part).await.expect(200);
    let mut ben = Socket::open(&team.ben, &id, "").await;
    let mut anna = Socket::open(&team.anna, &id, "").await;
    anna.wait("synced").await;
    let (both, alone) = (json!(["anna", "ben"]), json!(["ben"]));
    let there = |frame: &Value, names: &Value| {
        let people = frame["people"].as_array().map(|people| people.iter().map(|one| one["name"].clone()).collect());
        frame["type"] == "presence" && people == Some(names.clone())
    };
    ben.wait_for(|frame| there(frame, &both)).await;
    anna.vanish();
    // He says nothing either; but his system acknowledges what he is sent.
    ben.wait_for(|frame| there(frame, &alone)).await;
    soon("her place", async { while Socket::try_open(&team.anna, &id, "", &[]).await.is_err() {} }).await;
    ben.wait("heartbeat").await;
}

/// Assurance row 59, with the limits of the product: `tests/faults/run vanished`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: takes longer than a minute, as a server waits for one that vanished"]
async fn a_thousand_that_vanished_leave_no_open_file() {
    const VANISHED: usize = 1000;
    cowork::web::raise_file_limit();
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let mut witness = process.socket(&id, "").await;
    witness.wait("synced").await;
    let before = process.open_files();
    let mut sockets = Vec::new();
    for _ in 0..VANISHED {
        let mut socket = process.socket(&id, "").await;
        socket.wait("synced").await;
        sockets.push(socket);
    }
    assert!(process.open_files() > VANISHED);
    sockets.iter().for_each(Socket::vanish);
    // A heartbeat within 15 s, and then what the system waits for an answer to it.
    let limit = Duration::from_secs(15) + cowork::web::VANISHED + PATIENCE;
    let begun = std::time::Instant::now();
    while process.open_files() > before {
        assert!(begun.elapsed() < limit, "{} files are open, before there were {before}", process.open_files());
        // Its heartbeats are the clock.
        let within = tokio::time::timeout(PATIENCE, witness.next()).await;
        assert!(within.is_ok_and(|frame| frame.is_some()), "the one that is there stays");
    }
    println!("{VANISHED} that vanished were given up within {:?}", begun.elapsed());
}
