//! `cowork export`: sessions as lines of JSON, also while the server runs.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Args;
use cowork::{
    protocol::SessionId,
    store::portable::{ListedFile, PortableError, SessionFile, session_ids},
    workspace::{Found, Hidden, Workspace, WorkspacePath, time},
};
use jiff::Timestamp;

use super::Place;

/// A folder with more files is not listed whole: nobody reads such a list.
const MOST_FILES: usize = 100_000;

#[derive(Args)]
pub struct ExportArgs {
    /// The session's id, as in its address; without it all sessions are written.
    session: Option<String>,
    /// The file to write; it must not be there yet. Without it the lines go to standard output.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let file = SessionFile::open(&args.place.load()?.1.path)?;
    let wanted = match &args.session {
        Some(id) => vec![session_id(id)?],
        None => session_ids(&file)?,
    };
    let Some(out) = &args.out else { return export(&file, &wanted, args.session.is_some(), &mut io::stdout().lock()) };
    ensure!(!out.exists(), "{} is there already and was left as it is. Name another file", out.display());
    // It holds conversations: its owner alone reads it, and half of it has no place under its name.
    let mut part = out.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let made = create(&part).and_then(|made| {
        let mut writer = BufWriter::new(made);
        export(&file, &wanted, args.session.is_some(), &mut writer)?;
        writer.into_inner()?.sync_all()?;
        Ok(fs::rename(&part, out)?)
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made
}

fn session_id(text: &str) -> anyhow::Result<SessionId> {
    SessionId::parse(text)
        .with_context(|| format!("`{text}` is no session id: these have 32 hex digits, in lower case"))
}

fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).with_context(|| format!("{} can't be written", path.display()))
}

/// A session that was named must be written; of all of them those that rest are.
fn export(file: &SessionFile, ids: &[SessionId], named: bool, out: &mut impl Write) -> anyhow::Result<()> {
    for id in ids {
        let files = listed(&file.workspace(id)?);
        match file.export(id, Timestamp::now(), &files, out) {
            Ok(written) => {
                eprintln!(
                    "{id}: {} turn rows, {} events, {} files named",
                    written.turns, written.events, written.files
                );
            }
            Err(error @ PortableError::Running(_)) if !named => eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The files of a folder; none where it can't be read, which an old session's often can't.
fn listed(folder: &Path) -> Vec<ListedFile> {
    let Ok(workspace) = Workspace::open(folder) else { return Vec::new() };
    let Ok(walk) = workspace.walk(&WorkspacePath::root(), Hidden::Skip) else { return Vec::new() };
    let files = walk.filter_map(|step| match step {
        Found::File(path) => Some(path),
        Found::Folder(_) | Found::Link(_) => None,
    });
    let listed = files.take(MOST_FILES).filter_map(|path| {
        let facts = workspace.facts(&path).ok()?;
        Some(ListedFile { path: path.to_string(), size: facts.size, modified_at: facts.modified.and_then(time) })
    });
    listed.collect()
}
