//! `move_file`: renames a file or a folder.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    changing::{NotMade, action, opened},
    wording::{count, named_path, one_line, printable, respond},
    work::{change, stopped},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::Risk,
    workspace::{
        Kind, Workspace, WorkspaceError, WorkspacePath,
        changes::{ChangeError, TurnChanges},
    },
};

/// Files of a moved folder that the result lists: more than a person reads.
const MAX_LISTED: usize = 500;
/// Those that the model is told.
const MAX_NAMED: usize = 50;

pub struct MoveFile;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// File or folder to move, relative to the workspace.
    source: String,
    /// Its new path, name included; nothing may be there yet. Folders that are missing are made.
    destination: String,
}

#[async_trait]
impl Tool for MoveFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "move_file".into(),
            description: "Moves or renames a file or a folder with all that is in it. Never replaces anything.".into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        let name = |name: &str| args[name].as_str().unwrap_or_default();
        one_line(&format!("{} → {}", name("source"), name("destination")), 80)
    }

    fn action(&self, args: &Value) -> Action {
        action(Risk::Edit, args, &["source", "destination"])
    }

    fn check(&self, args: &Value) -> Result<(), ToolError> {
        checked(args.clone()).map(drop)
    }

    fn foresee(&self, args: &Value, workspace: &Path) -> Result<Option<String>, ToolError> {
        let (source, destination) = checked(args.clone())?;
        let workspace = opened(workspace)?;
        let judged = workspace.check_rename(&source, &destination);
        judged.map_err(|error| refused(error.into(), &workspace, &source, &destination))?;
        Ok(None)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let (source, destination) = checked(args)?;
        change(context, move |changes, workspace, watch| {
            if watch.halted().is_some() {
                return Err(stopped());
            }
            rename(changes, workspace, &source, &destination)
        })
        .await
    }
}

fn checked(args: Value) -> Result<(WorkspacePath, WorkspacePath), ToolError> {
    let args: Args = arguments(args)?;
    Ok((named_path("source", &args.source)?, named_path("destination", &args.destination)?))
}

fn refused(
    error: ChangeError,
    workspace: &Workspace,
    source: &WorkspacePath,
    destination: &WorkspacePath,
) -> ToolError {
    match error {
        ChangeError::Workspace(WorkspaceError::Exists(path)) => taken(workspace, source, &path),
        ChangeError::Workspace(error @ WorkspaceError::NotFound(_)) => {
            NotMade::Change(error.into()).explain(workspace, source, "file or folder")
        }
        error => NotMade::Change(error).explain(workspace, destination, "folder"),
    }
}

fn rename(
    changes: &TurnChanges<'_>,
    workspace: &Workspace,
    source: &WorkspacePath,
    destination: &WorkspacePath,
) -> Result<ToolOutput, ToolError> {
    let moved = changes.rename(source, destination);
    let (from, to) = moved.map_err(|error| refused(error, workspace, source, destination))?;
    let mut text = format!("Moved `{}` to `{}`.", printable(from.as_str()), printable(to.as_str()));
    let mut summary = format!("moved to {}", printable(to.as_str()));
    let moved = moved_files(workspace, &from, &to);
    if moved != [(from, to)] {
        let (files, named) = (count(moved.len() as u64, "file", "files"), moved.len().min(MAX_NAMED));
        summary.push_str(&format!(", {files}"));
        text.push_str(&format!(" It holds {files}"));
        text.push_str(if named < moved.len() { ", of which the first are named here:" } else { ":" });
        moved[..named].iter().for_each(|(_, now)| text.push_str(&format!("\n{}", printable(now.as_str()))));
    }
    let (diff, files_changed) = renamed(&moved);
    Ok(ToolOutput { text, summary, diff: Some(diff), files_changed, ..ToolOutput::default() })
}

/// The file, or all files of the folder, with the places where they were and are; an empty folder stands for itself.
fn moved_files(workspace: &Workspace, from: &WorkspacePath, to: &WorkspacePath) -> Vec<(WorkspacePath, WorkspacePath)> {
    let mut moved = Vec::new();
    let mut folders = vec![to.clone()];
    while let Some(folder) = folders.pop() {
        // A file is no folder, and is one of itself.
        for entry in workspace.list(&folder).unwrap_or_default() {
            let Ok(now) = WorkspacePath::recorded(format!("{folder}/{}", entry.name)) else { continue };
            if entry.kind == Kind::Folder && entry.link.is_none() {
                folders.push(now);
            } else if let Some(before) = now.moved(to, from) {
                moved.push((before, now));
            }
        }
    }
    moved.sort();
    if moved.is_empty() { vec![(from.clone(), to.clone())] } else { moved }
}

/// The diff as Git has it of files that were renamed alone, and the files in it.
fn renamed(moved: &[(WorkspacePath, WorkspacePath)]) -> (String, Vec<String>) {
    let (mut diff, mut files) = (String::new(), Vec::new());
    for (before, now) in moved.iter().take(MAX_LISTED) {
        let [old, new] = [before, now].map(|path| printable(path.as_str()).into_owned());
        diff.push_str(&format!(
            "diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
        ));
        files.extend([before.to_string(), now.to_string()]);
    }
    if moved.len() > MAX_LISTED {
        diff.push_str(&format!("[cut: {} more files]\n", moved.len() - MAX_LISTED));
    }
    (diff, files)
}

fn taken(workspace: &Workspace, source: &WorkspacePath, path: &WorkspacePath) -> ToolError {
    let folder = workspace.facts(path).is_ok_and(|facts| facts.kind == Kind::Folder);
    let name = source.split().map(|(_, name)| name.to_owned()).unwrap_or_default();
    respond(if folder {
        format!("`{path}` is a folder that is there already. To move into it, name the new path: `{path}/{name}`.")
    } else {
        format!("`{path}` is there already, and nothing is replaced. Choose another name, or delete it first.")
    })
}
