//! From a message to its first text, from the model to the client chunk by chunk, and as many chunks as go through.

use std::time::Duration;

use futures::future::try_join_all;

use super::{
    client::{Answer, Client},
    model::Script,
    stats::{Latencies, Series},
    subject::{Side, Stage, Subject},
};

/// Sessions at once.
pub const SESSIONS: [usize; 3] = [1, 20, 200];
/// One piece of text: only the way to it counts.
pub const SHORT: Script = Script::new(1, Duration::ZERO);
/// 50 chunks a second for three seconds, faster than people read.
const PACED: Script = Script::new(150, Duration::from_millis(20));
/// As many chunks in every measurement, whoever shares them.
const FLAT_CHUNKS: u32 = 20_000;

/// Messages of one session, one after the other, that the time to the first text is taken from.
fn short_messages(sessions: usize) -> usize {
    match sessions {
        1 => 20,
        20 => 5,
        _ => 2,
    }
}

fn flat(sessions: usize) -> Script {
    Script::new(FLAT_CHUNKS / sessions as u32, Duration::ZERO)
}

pub fn scripts() -> Vec<Script> {
    [SHORT, PACED].into_iter().chain(SESSIONS.map(flat)).collect()
}

/// What one side shows with one number of sessions.
#[derive(Default)]
pub struct Figures {
    pub first_p50_ms: Series,
    pub first_p99_ms: Series,
    pub delay_p50_ms: Series,
    pub delay_p99_ms: Series,
    pub chunks_a_second: Series,
    /// Time on a processor for one chunk, paced.
    pub cpu_paced_us: Series,
    /// The same, as fast as it goes.
    pub cpu_flat_us: Series,
}

#[derive(Default)]
pub struct Compared {
    pub cowork: Figures,
    pub bare: Figures,
}

pub struct Streams {
    pub compared: Vec<(usize, Compared)>,
    /// Sessions that each server had by the end.
    pub sessions_held: usize,
}

/// Measures both servers in turn.
pub async fn compare(cowork: &Subject, relay: &Subject, repeats: usize) -> anyhow::Result<Streams> {
    let mut streams = Streams { compared: Vec::new(), sessions_held: 0 };
    for sessions in SESSIONS {
        let mut compared = Compared::default();
        measure(cowork, sessions, &mut Figures::default()).await?;
        measure(relay, sessions, &mut Figures::default()).await?;
        for repeat in 1..=repeats {
            eprintln!("bench: streams, {sessions} at once, {repeat} of {repeats}");
            for side in Side::ORDER {
                match side {
                    Side::Cowork => measure(cowork, sessions, &mut compared.cowork).await?,
                    Side::Bare => measure(relay, sessions, &mut compared.bare).await?,
                }
            }
        }
        // Each measurement opens its sessions three times; one goes before the repeats, two are in each.
        streams.sessions_held += 3 * sessions * (1 + 2 * repeats);
        streams.compared.push((sessions, compared));
    }
    Ok(streams)
}

async fn measure(subject: &Subject, sessions: usize, figures: &mut Figures) -> anyhow::Result<()> {
    let (first, _) = ask_all(subject, sessions, SHORT, short_messages(sessions)).await?;
    let mut latencies = Latencies::default();
    latencies.extend(first.iter().map(|answer| answer.first_text));
    figures.first_p50_ms.push(latencies.percentile_ms(50));
    figures.first_p99_ms.push(latencies.percentile_ms(99));

    let (paced, cpu) = ask_all(subject, sessions, PACED, 1).await?;
    let mut delays = Latencies::default();
    delays.extend(paced.into_iter().flat_map(|answer| answer.delays));
    figures.delay_p50_ms.push(delays.percentile_ms(50));
    figures.delay_p99_ms.push(delays.percentile_ms(99));
    figures.cpu_paced_us.push(cpu);

    let (flat, cpu) = ask_all(subject, sessions, flat(sessions), 1).await?;
    figures.chunks_a_second.push(rate(&flat));
    figures.cpu_flat_us.push(cpu);
    Ok(())
}

/// Asks in `sessions` new sessions at once, and again when all have answered. Returns the answers, and the time on a
/// processor for one chunk, in microseconds.
async fn ask_all(
    subject: &Subject,
    sessions: usize,
    script: Script,
    messages: usize,
) -> anyhow::Result<(Vec<Answer>, f64)> {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let opening = (0..sessions).map(|_| Client::open(&http, subject, script));
    let mut clients = try_join_all(opening).await?;
    let before = subject.cpu_micros()?;
    let mut answers = Vec::new();
    for _ in 0..messages {
        // A task each: the clients must not wait for one another.
        let asking = clients.into_iter().map(|mut client| {
            tokio::spawn(async move {
                let answer = client.ask().await?;
                anyhow::Ok((client, answer))
            })
        });
        clients = Vec::with_capacity(sessions);
        for asked in try_join_all(asking).await? {
            let (client, answer) = asked?;
            clients.push(client);
            answers.push(answer);
        }
    }
    let chunks: usize = answers.iter().map(|answer| answer.delays.len()).sum();
    let cpu = (subject.cpu_micros()? - before) / chunks as f64;
    try_join_all(clients.into_iter().map(Client::close)).await?;
    Ok((answers, cpu))
}

fn rate(answers: &[Answer]) -> f64 {
    let chunks: usize = answers.iter().map(|answer| answer.delays.len()).sum();
    let first = answers.iter().map(|answer| answer.first_sent).min().unwrap_or_default();
    let last = answers.iter().map(|answer| answer.last_received).max().unwrap_or_default();
    chunks as f64 * 1e9 / last.saturating_sub(first) as f64
}

/// Both servers, started for the streams.
pub fn start(stage: &Stage) -> anyhow::Result<(Subject, Subject)> {
    Ok((stage.cowork("streams.db")?, stage.relay()?))
}
