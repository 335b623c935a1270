//! The results as Markdown tables.

use std::fmt::Write;

use super::{
    log::Log,
    page::Visit,
    start::Starts,
    stats::{Series, number},
    stream::{Compared, Figures, Streams},
    subject::Memory,
    uploads::Uploads,
};

pub const MIB: f64 = 1024.0 * 1024.0;

/// What we want to stay within, and what was measured.
pub struct Aim {
    pub text: String,
    pub measured: String,
    pub met: bool,
}

impl Aim {
    fn at_most(text: impl Into<String>, limit: f64, measured: f64, unit: &str) -> Self {
        Self { text: text.into(), measured: format!("{}{unit}", number(measured)), met: measured <= limit }
    }

    fn at_least(text: impl Into<String>, limit: f64, measured: f64, unit: &str) -> Self {
        Self { text: text.into(), measured: format!("{}{unit}", number(measured)), met: measured >= limit }
    }
}

pub fn streams(streams: &Streams) -> (String, Vec<Aim>) {
    let mut text = String::from(
        "\n### Streams\n\n| sessions | figure | Cowork | bare relay | ratio |\n|---:|---|---:|---:|---:|\n",
    );
    for (sessions, compared) in &streams.compared {
        for (name, of) in ROWS {
            let (cowork, bare) = (of(&compared.cowork), of(&compared.bare));
            let ratio = number(cowork.median() / bare.median());
            let _ = writeln!(text, "| {sessions} | {name} | {} | {} | {ratio} |", cowork.show(), bare.show());
        }
    }
    let aims = streams.compared.iter().flat_map(|(sessions, compared)| stream_aims(*sessions, compared));
    (text, aims.collect())
}

type Row = (&'static str, fn(&Figures) -> &Series);

const ROWS: [Row; 7] = [
    ("message to first text, p50, ms", |figures| &figures.first_p50_ms),
    ("message to first text, p99, ms", |figures| &figures.first_p99_ms),
    ("delay of a chunk at 50 a second, p50, ms", |figures| &figures.delay_p50_ms),
    ("delay of a chunk at 50 a second, p99, ms", |figures| &figures.delay_p99_ms),
    ("chunks a second, all sessions, unpaced", |figures| &figures.chunks_a_second),
    ("processor time a chunk at 50 a second, µs", |figures| &figures.cpu_paced_us),
    ("processor time a chunk, unpaced, µs", |figures| &figures.cpu_flat_us),
];

fn stream_aims(sessions: usize, Compared { cowork, bare }: &Compared) -> Vec<Aim> {
    let ratio = |of: fn(&Figures) -> &Series| of(cowork).median() / of(bare).median();
    let mut aims = vec![
        Aim::at_most(
            format!("first text, {sessions} at once: ≤ 2 × the bare relay (p50)"),
            2.0,
            ratio(|figures| &figures.first_p50_ms),
            " ×",
        ),
        Aim::at_least(
            format!("chunks a second, {sessions} at once: ≥ 0.6 × the bare relay"),
            0.6,
            ratio(|figures| &figures.chunks_a_second),
            " ×",
        ),
    ];
    if sessions == 20 {
        let p99 = cowork.delay_p99_ms.median();
        aims.push(Aim::at_most("delay of a chunk, 20 sessions at 50 a second: p99 ≤ 10 ms", 10.0, p99, " ms"));
    }
    aims
}

pub fn log(log: &Log) -> (String, Vec<Aim>) {
    let mut text = String::from("\n### Log\n\n| figure | Cowork | bare | ratio |\n|---|---:|---:|---:|\n");
    let mut ratios = Vec::new();
    for (name, compared) in [
        ("durable events a second, 256 sessions at once", &log.durable),
        ("events a second, 100,000 of them over the socket", &log.replay),
        ("bytes for each of 5,000 idle watchers", &log.watcher),
    ] {
        let ratio = compared.cowork.median() / compared.bare.median();
        let (cowork, bare) = (compared.cowork.show(), compared.bare.show());
        let _ = writeln!(text, "| {name} | {cowork} | {bare} | {} |", number(ratio));
        ratios.push(ratio);
    }
    let aims = vec![
        Aim::at_least("durable events, 256 sessions: ≥ 0.5 × a bare group commit", 0.5, ratios[0], " ×"),
        Aim::at_least("replay of 100,000 events: ≥ 0.5 × a paged read with JSON", 0.5, ratios[1], " ×"),
        Aim::at_most("idle watchers: ≤ 2.5 × a bare WebSocket with the same buffers", 2.5, ratios[2], " ×"),
    ];
    (text, aims)
}

pub fn starts(starts: &Starts) -> (String, Vec<Aim>) {
    let mut text =
        String::from("\n### Cold start\n\n| from exec to the answer, ms | Cowork | bare server |\n|---|---:|---:|\n");
    let bare = starts.bare.show();
    for (name, series) in [
        ("`/health`, first start: the database is made", &starts.first_health),
        ("`/health`, later start", &starts.later_health),
        ("`/`, later start", &starts.later_page),
    ] {
        let _ = writeln!(text, "| {name} | {} | {bare} |", series.show());
    }
    let aims = [
        ("first start to `/health`: ≤ 50 ms", &starts.first_health),
        ("later start to `/health`: ≤ 50 ms", &starts.later_health),
        ("later start to `/`: ≤ 50 ms", &starts.later_page),
    ];
    (text, aims.map(|(text, series)| Aim::at_most(text, 50.0, series.median(), " ms")).into())
}

/// `loaded` is what both servers hold after the streams, with the number of sessions that they had.
pub fn memory(fresh: &(Memory, Memory), loaded: Option<&(Memory, Memory, usize)>) -> (String, Vec<Aim>) {
    let mut text = String::from("\n### Memory\n\n| MiB | RSS | PSS | of the RSS, in no file |\n|---|---:|---:|---:|\n");
    let mut row = |name: &str, memory: &Memory| {
        let mib = |bytes: u64| number(bytes as f64 / MIB);
        let (rss, pss, anonymous) = (mib(memory.rss), mib(memory.pss), mib(memory.anonymous));
        let _ = writeln!(text, "| {name} | {rss} | {pss} | {anonymous} |");
    };
    row("Cowork, fresh, after its first page", &fresh.0);
    row("bare server, fresh", &fresh.1);
    if let Some((cowork, relay, sessions)) = loaded {
        row(&format!("Cowork, after {sessions} sessions"), cowork);
        row(&format!("bare relay, after {sessions} sessions"), relay);
    }
    let aim = Aim::at_most("fresh server, RSS: ≤ 25 MiB", 25.0, fresh.0.rss as f64 / MIB, " MiB");
    (text, vec![aim])
}

pub fn uploads(uploads: &Uploads) -> (String, Vec<Aim>) {
    let mut text = String::from("\n### Uploads\n\n| figure | Cowork | bare | ratio |\n|---|---:|---:|---:|\n");
    let mut row = |name: &str, cowork: &Series, bare: &Series| {
        let ratio = cowork.median() / bare.median();
        let _ = writeln!(text, "| {name} | {} | {} | {} |", cowork.show(), bare.show(), number(ratio));
        ratio
    };
    let large = row("one file of 512 MiB, MiB/s; bare: copy and fsync", &uploads.large_cowork, &uploads.large_bare);
    let small = row(
        "10,000 files of 4 KiB, files/s; bare: write and rename, one sync",
        &uploads.small_cowork,
        &uploads.small_bare,
    );
    let aims = vec![
        Aim::at_least("one file of 512 MiB: ≥ 0.8 × copy and fsync", 0.8, large, " ×"),
        Aim::at_most("memory that a file of 512 MiB takes: ≤ 16 MiB", 16.0, uploads.growth.median(), " MiB"),
        Aim::at_least("10,000 files of 4 KiB: ≥ 0.4 × write and rename", 0.4, small, " ×"),
    ];
    (text, aims)
}

pub fn page(visit: &Visit) -> (String, Vec<Aim>) {
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    let mut text = String::from(
        "\n### First visit to a session's page\n\n| request | encoding | KiB over the wire |\n|---|---|---:|\n",
    );
    for request in &visit.requests {
        let _ = writeln!(text, "| `{}` | {} | {} |", name(&request.path), request.encoding, number(kib(request.bytes)));
    }
    let (bytes, requests) = (kib(visit.bytes()), visit.requests.len());
    let _ = writeln!(text, "| {requests} requests | | {} |", number(bytes));
    let aims = vec![
        Aim::at_most("first visit: ≤ 350 KiB over the wire", 350.0, bytes, " KiB"),
        Aim {
            text: "first visit: ≤ 8 requests".into(), measured: format!("{requests} requests"), met: requests <= 8
        },
    ];
    (text, aims)
}

/// Paths without what changes from build to build and from session to session.
fn name(path: &str) -> String {
    let hash = |part: &&str| part.len() >= 12 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split('/').map(|part| if hash(&part) { "…" } else { part }).collect::<Vec<_>>().join("/")
}

pub fn aims(aims: &[Aim]) -> String {
    let mut text = String::from("\n### Aims\n\n| aim | measured | |\n|---|---:|---|\n");
    for Aim { text: aim, measured, met } in aims {
        let verdict = if *met { "met" } else { "**missed**" };
        let _ = writeln!(text, "| {aim} | {measured} | {verdict} |");
    }
    text
}
