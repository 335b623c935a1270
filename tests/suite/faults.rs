//! The real program while disk and clock fail, or while it dies at a sync. After each fault: the database is whole,
//! `seq` is dense, the chain fits, every event that a client was shown is there, and work goes on.
//!
//! `tests/faults/run` repeats them with the system's own means (strace, a small disk, faketime, a cut link) and at
//! every sync; here some are left out by a step.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use futures::{StreamExt, stream};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, ScriptedModel, call, say},
    process::{Home, Means, Process},
    replica::Replica,
    shim,
    socket::Socket,
};

/// Of the syncs of a start and a turn, every so many are died at in the normal run: some ten of them.
const STEP: usize = 4;

/// What a client was told before the fault.
#[derive(Default)]
pub struct Told {
    pub id: String,
    pub replica: Replica,
    pub accepted: Vec<String>,
}

/// Creates a session and has two turns with calls in it, and keeps all that it is told.
async fn work(process: Arc<Process>, told: Arc<Mutex<Told>>) {
    let id = process.api.create(json!({"mode": "accept_edits"})).await;
    told.lock().unwrap().id.clone_from(&id);
    let mut socket = process.socket(&id, "cursor=0").await;
    for message in ["One", "Two"] {
        let sent = process.api.send(&id, message).await;
        told.lock().unwrap().accepted.push(sent["message_id"].as_str().unwrap().to_owned());
        let turns = told.lock().unwrap().replica.turns_ended.len();
        while told.lock().unwrap().replica.turns_ended.len() == turns {
            let frame = socket.next().await.expect("the server is there");
            told.lock().unwrap().replica.take(&frame);
        }
    }
}

fn play(model: &ScriptedModel) {
    let write = |text: &str| call("c", "write_file", &json!({"path": "notes.txt", "content": text}));
    let long = "Wörter ".repeat(400);
    model.play([write("one\n"), say(&long).then("Done."), write("two\n"), say("Done again.")]);
}

fn integrity(database: &Path) {
    let file = Connection::open(database).unwrap();
    let found: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}

/// The promises, on a server that was started again.
pub async fn check(home: &Home, process: &Process, told: &Told, what: &str) {
    integrity(&home.database);
    let verified = home.run(&["verify", "--database", home.database.to_str().unwrap()]).await;
    assert_eq!(verified.code, Some(0), "{what}: {verified:?}");
    if told.id.is_empty() {
        return;
    }
    let log = process.api.events(&told.id).await;
    let seqs: Vec<_> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=log.len() as u64).collect::<Vec<_>>(), "{what}");
    for (seq, row) in &told.replica.rows {
        let mut row = row.clone();
        row.as_object_mut().unwrap().remove("type");
        assert_eq!(log.get(*seq as usize - 1), Some(&row), "{what}: event {seq} was shown");
    }
    let of = |kind: &str| log.iter().filter(|event| event["event_type"] == kind).count();
    assert_eq!(of("turn_started"), of("turn_completed") + of("turn_interrupted"), "{what}: a turn has one end");
    let received = |id: &String| log.iter().any(|event| event["payload"]["message_id"] == **id);
    assert!(told.accepted.iter().all(received), "{what}: what was accepted is there");
}

/// One more turn works.
pub async fn go_on(model: &ScriptedModel, process: &Process, id: &str) {
    if id.is_empty() {
        return;
    }
    model.forget();
    model.play([say("As new.")]);
    let mut socket = process.socket(id, "").await;
    process.api.send(id, "Go on").await;
    let end = socket.wait_for(|frame| frame["type"] == "turn_completed").await;
    assert_eq!(end["stopped_by"], Value::Null);
}

/// Whether the process came to its `n`th sync.
async fn die_at_sync(n: usize, means: &Means) -> bool {
    let model = ScriptedModel::start().await;
    play(&model);
    let home = Home::with(&model);
    let told = Arc::new(Mutex::new(Told::default()));
    let Ok(process) = home.try_start(&means.dying_at_sync(n)).await else {
        let process = home.start().await;
        check(&home, &process, &Told::default(), &format!("sync {n} of the start")).await;
        return true;
    };
    let process = Arc::new(process);
    // What it is told is kept, and that it is cut off is what the fault does.
    let ended = tokio::spawn(work(process.clone(), told.clone())).await;
    let died = ended.is_err();
    let process = Arc::into_inner(process).expect("nobody else has it");
    if died {
        assert_eq!(process.exit_code().await, None, "it died by the signal at sync {n}, not by itself");
    } else {
        process.kill_9();
    }
    let process = home.start().await;
    let told = std::mem::take(&mut *told.lock().unwrap());
    check(&home, &process, &told, &format!("sync {n}")).await;
    go_on(&model, &process, &told.id).await;
    died
}

async fn die_at_every_sync(step: usize, at_once: usize, means: Means) -> usize {
    let means = &means;
    let died = stream::iter((1..).step_by(step)).map(|n| die_at_sync(n, means)).buffered(at_once);
    died.take_while(|died| std::future::ready(*died)).count().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_a_sync_loses_nothing_that_was_shown() {
    let died = die_at_every_sync(STEP, 4, Means::Shim(shim::path().to_owned())).await;
    assert!(died >= 4, "a start and two turns have more than {} syncs", died * STEP);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: needs strace"]
async fn strace_kills_at_every_sync() {
    let died = die_at_every_sync(1, 2, Means::Strace).await;
    println!("{died} syncs died at");
    // strace counts each thread's for itself, so the writer's are all met, and each other thread's first ones.
    assert!(died >= 12, "{died}");
}

/// A server with a turn behind it, whose disk is about to be full.
async fn on_a_disk(home: Home, means: &Means, fill: impl Fn(bool)) {
    let model = ScriptedModel::start().await;
    home.configure(&model);
    // Else the server would not come near the disk's end.
    home.add_settings("[cowork.limits]\nmin_free_bytes = 0");
    model.play([say("Before.")]);
    let process = home.try_start(means).await.unwrap();
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, "One").await;
    socket.wait_event("turn_completed").await;

    fill(true);
    let path = format!("/cowork/sessions/{id}");
    let mut titled = 0;
    // Pages of the WAL that are there may still be written over.
    let refused = loop {
        let answer = process.api.patch(&path, json!({"title": format!("Title {titled}")})).await;
        if answer.status != 200 {
            break answer;
        }
        titled += 1;
        assert!(titled < 5_000, "a full disk is said");
    };
    refused.expect_problem(500, "internal");
    let message = format!("{path}/messages");
    process.api.post(&message, json!({"message": "No room"})).await.expect_problem(500, "internal");
    let before = process.api.events(&id).await;
    assert!(before.len() >= 6, "reading goes on");

    fill(false);
    model.play([say("After.")]);
    let mut socket: Socket = process.socket(&id, "").await;
    let sent = process.api.post(&message, json!({"message": "Again"})).await;
    assert_eq!(sent.status, 202, "it resumes by itself: {sent:?}");
    let message = sent.json()["message_id"].clone();
    socket.wait_event("turn_completed").await;
    let after = process.api.events(&id).await;
    assert_eq!(after[..before.len()], before, "nothing that was there is gone");
    process.kill_9();
    let process = home.start().await;
    let replica = Replica::default();
    check(&home, &process, &Told { id, replica, accepted: vec![message.as_str().unwrap().into()] }, "a full disk")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_work_goes_on_when_there_is_room() {
    let home = Home::new();
    let flag = home.path().join("full");
    let means = Means::ShimWith(shim::path().to_owned(), vec![("COWORK_FULL", flag.display().to_string())]);
    on_a_disk(home, &means, move |full| {
        if full { std::fs::write(&flag, "").unwrap() } else { std::fs::remove_file(&flag).unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: needs a small disk, COWORK_FAULT_DISK"]
async fn a_small_disk_fills_up() {
    let disk = std::path::PathBuf::from(std::env::var_os("COWORK_FAULT_DISK").expect("the script mounts one"));
    let mut home = Home::new();
    home.database = disk.join("data/cowork.db");
    let ballast = disk.join("ballast");
    on_a_disk(home, &Means::Plain, move |full| {
        if full {
            let (mut file, piece) = (std::fs::File::create(&ballast).unwrap(), [0; 4096]);
            while std::io::Write::write_all(&mut file, &piece).is_ok() {}
        } else {
            std::fs::remove_file(&ballast).unwrap();
        }
    })
    .await;
}

/// P8 and row 71: what the system holds after a failed sync nobody knows, so nothing more is promised, and the process
/// ends with an error, for whoever starts it again.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_nothing_more_is_acknowledged() {
    let model = ScriptedModel::start().await;
    model.play([say("Before.")]);
    let home = Home::with(&model);
    let flag = home.path().join("fails");
    let means = Means::ShimWith(shim::path().to_owned(), vec![("COWORK_SYNC_FAILS", flag.display().to_string())]);
    let process = home.try_start(&means).await.unwrap();
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, "One").await;
    socket.wait_event("turn_completed").await;
    let mut replica = Replica::default();
    replica.take_all(&socket.frames);

    std::fs::write(&flag, "").unwrap();
    let path = format!("/cowork/sessions/{id}");
    assert_eq!(process.api.patch(&path, json!({"title": "Lost"})).await.status, 500);
    std::fs::remove_file(&flag).unwrap();
    while let Some(frame) = socket.next().await {
        replica.take(&frame);
    }
    assert_eq!(socket.closed, Some(1001), "watchers are told that the server goes");
    drop(socket);
    let log = process.log();
    assert_eq!(process.exit_code().await, Some(1));
    let log = log.lock().unwrap().clone();
    assert!(log.contains("can't be written any more"), "{log}");
    let process = home.start().await;
    check(&home, &process, &Told { id: id.clone(), replica, accepted: vec![] }, "a failed sync").await;
    go_on(&model, &process, &id).await;
}

/// P10: the wall clock jumps by ten years, back and forth, in the middle of a turn.
async fn with_jumping_clock(home: Home, means: &Means, model: ScriptedModel, jump: impl Fn(i64)) {
    const TEN_YEARS: i64 = 10 * 365 * 24 * 60 * 60;
    let gate = Gate::new();
    let pieces = (0..6).fold(say("0"), |script, number| script.wait(&gate).then(&number.to_string()));
    model.play([call("c", "list_directory", &json!({})), pieces, say("After.")]);
    let process = home.try_start(means).await.unwrap();
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, "One").await;
    for (pause, offset) in [TEN_YEARS, -TEN_YEARS, 0, 3600, -3600, 1].into_iter().enumerate() {
        gate.reached(pause + 1).await;
        jump(offset);
        gate.step();
    }
    socket.wait_event("turn_completed").await;
    jump(-TEN_YEARS);
    process.api.send(&id, "Two").await;
    socket.wait_event("turn_completed").await;
    let mut replica = Replica::default();
    replica.take_all(&socket.frames);
    assert_eq!(replica.texts[&(1, 1)], "0012345");
    let times: std::collections::BTreeSet<_> =
        replica.rows.values().map(|row| row["created_at"].as_str().unwrap()[..4].to_owned()).collect();
    assert!(times.len() > 1, "the clock did jump: {times:?}");
    process.kill_9();
    let process = home.start().await;
    check(&home, &process, &Told { id: id.clone(), replica, accepted: vec![] }, "a clock that jumps").await;
    go_on(&model, &process, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_changes_no_order_and_ends_no_turn() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let file = home.path().join("clock");
    std::fs::write(&file, 0_i64.to_ne_bytes()).unwrap();
    let means = Means::ShimWith(shim::path().to_owned(), vec![("COWORK_CLOCK", file.display().to_string())]);
    let jump = move |seconds: i64| {
        // In place: the process has the file mapped.
        let file = std::fs::File::options().write(true).open(&file).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &seconds.to_ne_bytes(), 0).unwrap();
    };
    with_jumping_clock(home, &means, model, jump).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: needs faketime, COWORK_FAKETIME"]
async fn faketime_makes_the_clock_jump() {
    let library = std::env::var("COWORK_FAKETIME").expect("the script names libfaketime");
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let file = home.path().join("clock");
    std::fs::write(&file, "+0").unwrap();
    let variables = [
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ];
    let means = Means::ShimWith(library.into(), variables.to_vec());
    with_jumping_clock(home, &means, model, move |seconds| std::fs::write(&file, format!("{seconds:+}")).unwrap())
        .await;
}
