//! Cowork's release program beside bare programs that do only the part that is measured, in one run. `scripts/bench`
//! starts it; docs/performance.md says how to read what it prints.
//!
//! The bare programs are this same binary in another role, each a process of its own as Cowork is.

mod client;
mod host;
mod log;
mod model;
mod page;
mod relay;
mod relay_rows;
mod report;
mod soak;
mod start;
mod stats;
mod stream;
mod subject;
mod uploads;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use stream::{Streams, scripts};
use subject::{Memory, Stage};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
    /// The program to measure.
    #[arg(long, env = "COWORK_BIN", default_value = "target/release/cowork")]
    program: PathBuf,
    /// Each repeat measures Cowork, bare, bare, Cowork.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', default_value = "streams,start,memory,page,uploads,log")]
    only: Vec<Part>,
    /// Uploads and log with so many hundredths of the usual work: 1 shows that all of it runs, and measures nothing.
    #[arg(long, default_value_t = 100)]
    percent: usize,
    /// Instead of measuring: works for so many minutes, and fails if memory, files or threads grow with time.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<f64>,
    /// What `cargo bench` passes.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Role {
    /// The bare relay; see `relay.rs`.
    Relay { model: String, database: PathBuf },
    /// A server that binds and answers.
    BareServer,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Streams,
    Start,
    Memory,
    Page,
    Uploads,
    Log,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // Thousands of sockets are open at both ends, here and in the bare server.
    cowork::web::raise_file_limit();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match &cli.role {
            Some(Role::Relay { model, database }) => relay::serve(model, database).await,
            Some(Role::BareServer) => relay::serve_nothing().await,
            None => run_until_stopped(&cli).await,
        }
    })
}

/// A run that is interrupted ends its servers and removes its files too.
async fn run_until_stopped(cli: &Cli) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        done = run(cli) => done,
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("interrupted"),
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let program = cli.program.canonicalize();
    let program =
        program.with_context(|| format!("there is no {}; scripts/program builds it", cli.program.display()))?;
    ensure!(cli.repeats > 0, "--repeats must be at least 1");
    ensure!((1..=100).contains(&cli.percent), "--percent is 1 to 100");
    let _ = rustls::crypto::ring::default_provider().install_default();
    // On the disk of the build, not in a temporary folder, which may be memory where nothing is ever synced.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let model = model::start().await?;
    let stage = Stage { folder: folder.path().to_owned(), program, model, percent: cli.percent };
    stage.configure(&scripts())?;
    if let Some(minutes) = cli.soak {
        return soak::run(&stage, minutes).await;
    }
    let wanted = |part| cli.only.contains(&part);

    let host = host::describe(&stage.program, &stage.folder)?;
    let load = host::load();
    let (mut tables, mut aims) = (String::new(), Vec::new());
    let mut add = |(table, more): (String, Vec<report::Aim>)| {
        tables.push_str(&table);
        aims.extend(more);
    };
    let mut loaded = None;
    if wanted(Part::Streams) {
        let (streams, memory) = measure_streams(&stage, cli.repeats).await?;
        add(report::streams(&streams));
        loaded = Some((memory.0, memory.1, streams.sessions_held));
    }
    if wanted(Part::Start) {
        add(report::starts(&start::compare(&stage, cli.repeats)?));
    }
    if wanted(Part::Memory) {
        add(report::memory(&start::fresh_memory(&stage)?, loaded.as_ref()));
    }
    if wanted(Part::Page) {
        add(report::page(&visit(&stage).await?));
    }
    if wanted(Part::Uploads) {
        add(report::uploads(&uploads::compare(&stage, cli.repeats)?));
    }
    if wanted(Part::Log) {
        add(report::log(&log::compare(&stage, cli.repeats).await?));
    }
    println!(
        "{host}- load average before the run {load}, after it {}; {} repeats{}\n{tables}{}",
        host::load(),
        cli.repeats,
        if cli.percent < 100 {
            format!("; **{} % of the work of uploads and log**", cli.percent)
        } else {
            String::new()
        },
        report::aims(&aims)
    );
    Ok(())
}

async fn measure_streams(stage: &Stage, repeats: usize) -> anyhow::Result<(Streams, (Memory, Memory))> {
    let (cowork, relay) = stream::start(stage)?;
    let streams = stream::compare(&cowork, &relay, repeats).await?;
    Ok((streams, (cowork.memory()?, relay.memory()?)))
}

/// A session with one answered message.
async fn visit(stage: &Stage) -> anyhow::Result<page::Visit> {
    let cowork = stage.cowork("page.db")?;
    let mut client = client::Client::open(&reqwest::Client::new(), &cowork, stream::SHORT).await?;
    client.ask().await?;
    let visit = page::visit(&cowork, &format!("/sessions/{}", client.id))?;
    client.close().await?;
    Ok(visit)
}
