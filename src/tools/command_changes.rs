//! What a command, or a program of an MCP server, did to the files of the workspace, told beside its output. It is found
//! by comparing them before and after; [`crate::workspace::changes`] says how, and within which limits.

use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{
    wording::respond,
    work::{Halt, TIME_LIMIT, Watch, stopped},
};
use crate::{
    agent::ports::tool::{ToolError, ToolOutput},
    workspace::{
        Workspace,
        changes::{ChangeError, CommandChanges, Snapshot, TurnChanges},
    },
};

/// Paths that one result names. The turn's list of changes has all of them; here they only fill a card and a frame.
const MAX_NAMED: usize = 500;

const NOT_RECORDED: &str = "what it changed could not be recorded, so it is not listed and can't be undone";

/// The files before a command.
pub struct Before {
    snapshot: Snapshot,
    workspace: PathBuf,
    data: PathBuf,
}

/// What a command was found to have done.
#[derive(Default)]
pub struct After {
    changes: CommandChanges,
}

impl Before {
    pub async fn look(workspace: &Path, data: &Path, cancel: &CancellationToken) -> Result<Self, ToolError> {
        let (workspace, data) = (workspace.to_path_buf(), data.to_path_buf());
        let watch = Watch::new(cancel.clone(), TIME_LIMIT);
        let looked = spawn_blocking(move || {
            let opened = Workspace::open(&workspace).map_err(|error| respond(error.to_string()))?;
            let snapshot = snapshot(&TurnChanges::open(&opened, &data), &watch)?;
            Ok(Self { snapshot, workspace, data })
        });
        looked.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the look at the workspace before a command crashed");
            Err(ToolError::Fatal("It was not run because of a mistake of the server.".into()))
        })
    }

    /// To be called when the command and all that it started are gone.
    pub async fn compare(self) -> After {
        let compared = spawn_blocking(move || {
            let workspace = Workspace::open(&self.workspace)?;
            TurnChanges::open(&workspace, &self.data).record_since(self.snapshot)
        });
        let failed = |error: String| {
            tracing::error!(error, "what a command changed could not be recorded");
            CommandChanges { changes: Vec::new(), note: Some(NOT_RECORDED.into()) }
        };
        let changes = match compared.await {
            Ok(Ok(changes)) => changes,
            Ok(Err(error)) => failed(error.to_string()),
            Err(error) => failed(error.to_string()),
        };
        After { changes }
    }
}

fn snapshot(changes: &TurnChanges<'_>, watch: &Watch) -> Result<Snapshot, ToolError> {
    let refused = |error: ChangeError| respond(format!("It was not run. {error}"));
    match changes.snapshot(&|| watch.halted().is_some()) {
        Err(ChangeError::Stopped) if watch.halted() == Some(Halt::TimeUp) => {
            let seconds = TIME_LIMIT.as_secs();
            let note = format!(
                "The files could not be looked through in {seconds} seconds before the command, so what it changed is \
                 not listed and can't be undone."
            );
            changes.snapshot_of_nothing(note).map_err(refused)
        }
        Err(ChangeError::Stopped) => Err(stopped()),
        looked => looked.map_err(refused),
    }
}

impl After {
    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        self.changes.changes.is_empty() && self.changes.note.is_none()
    }

    /// Adds it to what is told of the command.
    pub fn told(self, mut output: ToolOutput) -> ToolOutput {
        output.diff = self.changes.diff();
        output.files_changed = self.changes.files_changed();
        let more = output.files_changed.len().saturating_sub(MAX_NAMED);
        output.files_changed.truncate(MAX_NAMED);
        let more = (more > 0).then(|| format!("{more} more files were changed than are named here"));
        for note in self.changes.note.into_iter().chain(more) {
            output.text.push_str(&format!("\n[{}]", note.trim_end_matches('.')));
        }
        output
    }
}
