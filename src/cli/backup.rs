//! `cowork backup`: a copy of the sessions, taken while the server runs.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use cowork::store;

use super::Place;

#[derive(Args)]
pub struct BackupArgs {
    /// The file to write; it must not be there yet.
    to: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &BackupArgs) -> anyhow::Result<()> {
    let (_, database) = args.place.load()?;
    let (from, to) = (&database.path, &args.to);
    ensure!(from.exists(), "There is no database at {}, so there is nothing to back up", from.display());
    ensure!(!to.exists(), "{} is there already and was left as it is. Name another file", to.display());
    // A copy that is broken off has no place under the name of a whole one.
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let _ = fs::remove_file(&part);
    let made = store::back_up(from, &part).context("There is no backup").and_then(|report| {
        fs::File::open(&part)?.sync_all()?;
        fs::rename(&part, to)?;
        Ok(report)
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    let report = made?;
    println!(
        "{} holds {} sessions with {} turn rows and {} events. It was read back and is whole.",
        to.display(),
        report.sessions,
        report.turns,
        report.events
    );
    Ok(())
}
