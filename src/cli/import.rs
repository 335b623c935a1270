//! `cowork import`: sessions that come from a file of `cowork export`, or all of `cowork.db` into Loom's file.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Args;
use cowork::{
    config::{Config, ConfigSource, own_file},
    protocol::Actor,
    store::{
        holds_sessions,
        portable::{self, ImportOptions},
    },
};
use jiff::Timestamp;

use super::Place;

#[derive(Args)]
pub struct ImportArgs {
    /// A file that `cowork export` wrote. Without it all sessions of `cowork.db` move into Loom's file beside it.
    file: Option<PathBuf>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// The folder that the sessions work in here; else the one that the file names.
    #[arg(long, requires = "file")]
    workspace: Option<PathBuf>,
    /// Whose the sessions are; else of whoever runs the server.
    #[arg(long, requires = "file")]
    owner: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ImportArgs) -> anyhow::Result<()> {
    match &args.file {
        Some(file) => from_file(args, file),
        None => into_looms_file(args),
    }
}

fn from_file(args: &ImportArgs, file: &Path) -> anyhow::Result<()> {
    let (_, database) = args.place.load()?;
    let opened = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let workspace = args.workspace.as_deref().map(|folder| {
        folder.canonicalize().with_context(|| format!("The folder {} can't be opened", folder.display()))
    });
    let owner = args.owner.clone().unwrap_or_else(|| Actor::local().name);
    let options = ImportOptions { workspace: workspace.transpose()?, owner, dry_run: args.dry_run };
    let imported = portable::import(&database.path, &mut BufReader::new(opened), &options, Timestamp::now())?;
    for session in imported {
        let what = match (session.already_here, args.dry_run) {
            (true, _) => "is here already, with the same rows",
            (false, true) => "would be taken in",
            (false, false) => "was taken in",
        };
        println!("{} {what}: {} turn rows, {} events", session.session, session.turns, session.events);
    }
    Ok(())
}

fn into_looms_file(args: &ImportArgs) -> anyhow::Result<()> {
    let source = args.place.config.clone().map_or(ConfigSource::Lookup, ConfigSource::Given);
    let configured = Config::load(source)?.config.database_path;
    let to = args.place.database.clone().unwrap_or(configured);
    let from = own_file(&to);
    ensure!(from != to, "{} is no file of Loom's. Name Loom's with --database", to.display());
    if !holds_sessions(&from) {
        println!("{} holds no sessions, so there is nothing to move.", from.display());
        return Ok(());
    }
    // We never make the file that Loom would make.
    ensure!(
        to.is_file(),
        "Loom has not made {} yet, so the sessions stay in {}. Nothing was changed",
        to.display(),
        from.display()
    );
    if args.dry_run {
        return say_plan(&from, &to);
    }
    let moved = portable::move_sessions(&from, &to, Timestamp::now())?;
    println!(
        "{} sessions with {} turn rows and {} events are in {} now. They were read back and are whole; what they were read \
         from stands in {}, and can be deleted.",
        moved.sessions,
        moved.turns,
        moved.events,
        to.display(),
        moved.aside.display()
    );
    Ok(())
}

fn say_plan(from: &Path, to: &Path) -> anyhow::Result<()> {
    let plan = portable::plan(from, to)?;
    for session in &plan.sessions {
        let there = if session.already_there { ", which is there already" } else { "" };
        println!("{}  {}{there}: {} turn rows, {} events", session.id, session.title, session.turns, session.events);
    }
    println!(
        "{} sessions would move from {} to {}. Nothing was changed.",
        plan.sessions.len(),
        from.display(),
        to.display()
    );
    Ok(())
}
