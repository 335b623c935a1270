//! Many watchers at once, on the real program: what they cost, and what one of them costs who takes nothing.

use std::{collections::BTreeSet, time::Instant};

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, ScriptedModel, say},
    process::{Home, Process},
    server::{is_end, wait_for_end},
    socket::Socket,
};

const MIB: u64 = 1024 * 1024;
/// Sockets that are opened at the same time.
const OPENED_AT_ONCE: usize = 32;

/// Watchers of a session, each with all that there is.
async fn watchers(process: &Process, session: &str, count: usize) -> Vec<Socket> {
    let open = |_| async {
        let mut socket = process.socket(session, "cursor=0").await;
        socket.wait("synced").await;
        socket
    };
    stream::iter(0..count).map(open).buffer_unordered(OPENED_AT_ONCE).collect().await
}

/// A message that waits: an event with much text in it, and no model at work.
async fn flood(process: &Process, session: &str) {
    let sent = process.api.send(session, &"x".repeat(250_000)).await;
    assert_eq!(sent["queued"], true, "{sent}");
}

async fn head(process: &Process, session: &str) -> u64 {
    process.api.session(session).await["head_seq"].as_u64().unwrap()
}

/// What one saw, but for how its text was cut.
fn order(socket: &Socket) -> Vec<&Value> {
    let events = socket.frames.iter().filter(|frame| frame["seq"].is_u64() && frame["type"] != "synced");
    events.collect()
}

/// Promise P11.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_nothing_among_a_thousand_costs_little_and_changes_nothing() {
    const WATCHERS: usize = 1000;
    const FLOODS: usize = 72;
    cowork::web::raise_file_limit();
    let (gate, held_back) = (Gate::new(), Gate::new());
    let model = ScriptedModel::start().await;
    model.play_for("How is it?", [say("Calm ").wait(&gate).then("weather.")]);
    model.play_for("Work.", [say("On and on.").wait(&held_back)]);
    let home = Home::with(&model);
    // What is freed goes back to the system at once, so that what is left is what is held.
    let process = home
        .start_with(&[
            ("MALLOC_ARENA_MAX", "1"),
            ("MALLOC_MMAP_THRESHOLD_", "65536"),
            ("MALLOC_TRIM_THRESHOLD_", "65536"),
        ])
        .await;
    let (loud, calm) = (process.api.create(json!({})).await, process.api.create(json!({})).await);
    let mut stalled = process.socket(&loud, "cursor=0").await;
    stalled.wait("synced").await;
    let mut quick = process.socket(&loud, "cursor=0").await;
    let mut others = watchers(&process, &calm, WATCHERS - 2).await;
    process.api.send(&loud, "Work.").await;
    quick.wait("text_delta").await;

    // What the server needs for such requests at all is there before it is measured, the caches of its database too.
    for _ in 0..24 {
        flood(&process, &loud).await;
        quick.wait("message_accepted").await;
    }
    let (before, first) = (process.memory(), head(&process, &loud).await);
    process.api.send(&calm, "How is it?").await;
    for _ in 0..FLOODS {
        flood(&process, &loud).await;
        quick.wait("message_accepted").await;
    }
    let last = head(&process, &loud).await;
    quick.wait_for(|frame| frame["type"] == "log_event" && frame["seq"] == last).await;
    let held = process.memory().saturating_sub(before);
    let since = quick.frames.iter().filter(|frame| frame["seq"].as_u64() > Some(first));
    let missed = since.map(|frame| frame["message"].as_str().map_or(0, str::len) as u64).sum::<u64>();
    println!("{} KiB more with {} KiB that one did not take", held / 1024, missed / 1024);
    assert!(missed > 15 * MIB, "{missed} bytes are no flood");
    assert!(held < 6 * MIB, "{held} bytes more for {missed} bytes that one did not take");

    gate.open();
    for other in &mut others {
        wait_for_end(other).await;
    }
    let expected = order(&others[0]);
    assert!(others.iter().all(|other| order(other) == expected), "the others saw the same");
    // Whoever takes again gets every event, over this socket or by its cursor.
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let Some(frame) = stalled.next().await else {
            let cursor = seen.last().copied().unwrap_or_default();
            stalled = process.socket(&loud, &format!("cursor={cursor}")).await;
            continue;
        };
        seen.extend(frame["seq"].as_u64().filter(|_| frame["type"] == "log_event"));
    }
    let missing: BTreeSet<u64> = (seen[0]..=last).collect();
    assert!(seen.iter().copied().eq(missing), "no gap and nothing twice");
}

/// Promise P12: `tests/crowd/run`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/crowd/run: ten thousand sockets, twice as many open files"]
async fn ten_thousand_that_only_wait_cost_little_and_slow_nobody() {
    const IDLE: usize = 10_000;
    const TURNS: usize = 100;
    cowork::web::raise_file_limit();
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    home.add_settings("[cowork]\nmax_connections = 20000");
    let process = home.start().await;
    let (busy, calm) = (process.api.create(json!({})).await, process.api.create(json!({})).await);
    let alone = turns(&process, &model, &busy, TURNS).await;
    let warm = watchers(&process, &calm, 100).await;
    let before = process.memory();
    let crowd = watchers(&process, &calm, IDLE).await;
    let grown = process.memory().saturating_sub(before);
    let beside = turns(&process, &model, &busy, TURNS).await;
    println!(
        "{IDLE} that wait: {:.1} MiB more, {:.1} KiB each; a short turn takes {:.1} ms in the median, {:.1} ms at p99; \
         alone {:.1} and {:.1} ms",
        grown as f64 / MIB as f64,
        grown as f64 / 1024.0 / IDLE as f64,
        beside[TURNS / 2],
        beside[TURNS - 2],
        alone[TURNS / 2],
        alone[TURNS - 2],
    );
    assert!(grown <= 150 * MIB, "{grown} bytes");
    // Each of them is still there, and is told what happens.
    model.play([say("Hello, all of you.")]);
    process.api.send(&calm, "Who is there?").await;
    for mut socket in warm.into_iter().chain(crowd) {
        wait_for_end(&mut socket).await;
    }
}

/// How long each of so many short turns took, in milliseconds, ascending.
async fn turns(process: &Process, model: &ScriptedModel, session: &str, count: usize) -> Vec<f64> {
    let mut socket = process.socket(session, "").await;
    socket.wait("synced").await;
    let mut took = Vec::new();
    for _ in 0..count {
        model.play([say("Yes.")]);
        let begun = Instant::now();
        process.api.send(session, "Still there?").await;
        socket.wait_for(is_end).await;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    took
}
