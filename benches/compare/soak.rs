//! The same work again and again: what the server holds afterwards must not grow with how long it has worked.

use std::{fs, time::Duration};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use tokio::time::Instant;

use super::{
    client::Client,
    log::settled,
    model::Script,
    report::MIB,
    stream::SHORT,
    subject::{Stage, Subject},
};

/// Sessions of one round, at the same time.
const SESSIONS: usize = 8;
const MESSAGES: usize = 4;
/// Below this there are too few rounds to tell growth from noise.
const LEAST_ROUNDS: usize = 8;
/// The allocator keeps some of what was free; what leaks in every round is soon above it.
const SPARE_BYTES: f64 = 2.0 * MIB;
/// Files of a connection that is just being closed.
const SPARE_FILES: usize = 4;
/// The threads for blocking work come and go by the load of a moment, and are kept for ten seconds; one that is never given
/// back is left behind by every round, so there are soon more.
const SPARE_THREADS: usize = 8;

/// What the server cuts its write-ahead log back to.
const WAL_BYTES: u64 = 16 * 1024 * 1024;

/// What a server holds after a round.
struct Held {
    bytes: f64,
    files: usize,
    threads: usize,
    wal_bytes: u64,
}

/// Works for so long. Fails when the last quarter of the rounds holds more than the second one.
pub async fn run(stage: &Stage, minutes: f64) -> anyhow::Result<()> {
    let subject = stage.cowork("soak.db")?;
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut rounds = Vec::new();
    while Instant::now() < end || rounds.len() < LEAST_ROUNDS {
        try_join_all((0..SESSIONS).map(|_| work(&subject, SHORT))).await?;
        rounds.push(held(stage, &subject).await?);
        if let Some(held) = rounds.last() {
            let Held { bytes, files, threads, wal_bytes } = held;
            eprintln!(
                "soak: round {}: {:.1} MiB, {files} files, {threads} threads, log of the database {wal_bytes} bytes",
                rounds.len(),
                bytes / MIB
            );
        }
    }
    compare(&rounds)
}

/// A session's whole life: made, watched, asked, read again from its start, exported, deleted.
async fn work(subject: &Subject, script: Script) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let mut client = Client::open(&http, subject, script).await?;
    for _ in 0..MESSAGES {
        client.ask().await?;
    }
    let session = format!("{}/cowork/sessions/{}", subject.base, client.id);
    for path in
        [format!("{}/sessions/{}", subject.base, client.id), format!("{session}/turns"), format!("{session}/logs")]
    {
        let answer = http.get(&path).bearer_auth(&subject.token).send().await?.error_for_status();
        answer.with_context(|| path.clone())?.bytes().await?;
    }
    client.close().await?;
    http.delete(&session).bearer_auth(&subject.token).send().await?.error_for_status()?;
    Ok(())
}

async fn held(stage: &Stage, subject: &Subject) -> anyhow::Result<Held> {
    let bytes = settled(subject).await?.anonymous as f64;
    let wal_bytes = fs::metadata(stage.folder.join("soak.db-wal")).map_or(0, |wal| wal.len());
    Ok(Held { bytes, files: subject.open_files()?, threads: subject.threads()?, wal_bytes })
}

fn compare(rounds: &[Held]) -> anyhow::Result<()> {
    let quarter = rounds.len() / 4;
    // The first quarter warms up: caches, threads, the allocator.
    let (early, late) = (&rounds[quarter..2 * quarter], &rounds[rounds.len() - quarter..]);
    let bytes = |part: &[Held]| part.iter().map(|held| held.bytes).fold(f64::MAX, f64::min);
    let files = |part: &[Held]| part.iter().map(|held| held.files).min().unwrap_or_default();
    let grown = bytes(late) - bytes(early);
    println!(
        "soak: {} rounds of {SESSIONS} sessions with {MESSAGES} messages; {:.1} MiB early, {:.1} MiB late; {} files, then {}",
        rounds.len(),
        bytes(early) / MIB,
        bytes(late) / MIB,
        files(early),
        files(late)
    );
    ensure!(grown <= SPARE_BYTES, "the memory grew by {:.1} MiB", grown / MIB);
    ensure!(files(late) <= files(early) + SPARE_FILES, "open files grew from {} to {}", files(early), files(late));
    let threads = |part: &[Held]| part.iter().map(|held| held.threads).min().unwrap_or_default();
    ensure!(
        threads(late) <= threads(early) + SPARE_THREADS,
        "threads grew from {} to {}",
        threads(early),
        threads(late)
    );
    let wal = |part: &[Held]| part.iter().map(|held| held.wal_bytes).max().unwrap_or_default();
    ensure!(wal(late) <= wal(early).max(WAL_BYTES), "the database's log grew to {} bytes", wal(late));
    Ok(())
}
