//! `move_file`: renames a file or a folder.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    changing::{NotMade, action},
    wording::{named_path, one_line, printable, respond},
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
        arguments::<Args>(args.clone()).map(drop)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let source = named_path("source", &args.source)?;
        let destination = named_path("destination", &args.destination)?;
        change(context, move |changes, workspace, watch| {
            if watch.halted().is_some() {
                return Err(stopped());
            }
            rename(changes, workspace, &source, &destination)
        })
        .await
    }
}

fn rename(
    changes: &TurnChanges<'_>,
    workspace: &Workspace,
    source: &WorkspacePath,
    destination: &WorkspacePath,
) -> Result<ToolOutput, ToolError> {
    let (from, to) = changes.rename(source, destination).map_err(|error| match error {
        ChangeError::Workspace(WorkspaceError::Exists(path)) => taken(workspace, source, &path),
        ChangeError::Workspace(error @ WorkspaceError::NotFound(_)) => {
            NotMade::Change(error.into()).explain(workspace, source, "file or folder")
        }
        error => NotMade::Change(error).explain(workspace, destination, "folder"),
    })?;
    let text = format!("Moved `{}` to `{}`.", printable(from.as_str()), printable(to.as_str()));
    let files_changed = vec![from.to_string(), to.to_string()];
    Ok(ToolOutput {
        text,
        summary: format!("moved to {}", printable(to.as_str())),
        files_changed,
        ..ToolOutput::default()
    })
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
