//! `delete_file`: a file or an empty folder, into the turn's trash.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    changing::{NO_DIFF_OF_LARGE, NotMade, action, difference, opened},
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
        Workspace, WorkspaceError, WorkspacePath,
        changes::{ChangeError, Deleted, DeletedWhat},
    },
};

pub struct DeleteFile;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// File or empty folder to delete, relative to the workspace.
    path: String,
}

#[async_trait]
impl Tool for DeleteFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "delete_file".into(),
            description: "Deletes a file, a link or an empty folder of the workspace. The person can undo it.".into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["path"].as_str().unwrap_or_default(), 80)
    }

    fn action(&self, args: &Value) -> Action {
        action(Risk::Delete, args, &["path"])
    }

    fn check(&self, args: &Value) -> Result<(), ToolError> {
        checked(args.clone()).map(drop)
    }

    fn foresee(&self, args: &Value, workspace: &Path) -> Result<Option<String>, ToolError> {
        let path = checked(args.clone())?;
        let workspace = opened(workspace)?;
        workspace.check_delete(&path).map_err(|error| refused(error.into(), &workspace, &path))?;
        Ok(None)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let path = checked(args)?;
        change(context, move |changes, workspace, watch| {
            if watch.halted().is_some() {
                return Err(stopped());
            }
            changes.delete(&path).map(answer).map_err(|error| refused(error, workspace, &path))
        })
        .await
    }
}

fn checked(args: Value) -> Result<WorkspacePath, ToolError> {
    let args: Args = arguments(args)?;
    named_path("path", &args.path)
}

fn refused(error: ChangeError, workspace: &Workspace, path: &WorkspacePath) -> ToolError {
    match error {
        ChangeError::Workspace(error @ WorkspaceError::NotEmpty(_)) => {
            respond(format!("{error} Delete what is in it first; list it with list_directory."))
        }
        error => NotMade::from(error).explain(workspace, path, "file or folder"),
    }
}

fn answer(deleted: Deleted) -> ToolOutput {
    let name = printable(deleted.path.as_str());
    let (mut text, summary) = match &deleted.what {
        DeletedWhat::File { size, .. } => {
            let size = count(*size, "byte", "bytes");
            (format!("Deleted `{name}` ({size})."), format!("deleted, {size}"))
        }
        DeletedWhat::Folder => (format!("Deleted the empty folder `{name}`."), "empty folder deleted".into()),
        DeletedWhat::Link => {
            (format!("Deleted the link `{name}`; what it leads to is untouched."), "link deleted".into())
        }
    };
    let difference = match &deleted.what {
        DeletedWhat::File { content: Some(content), .. } => difference(&deleted.path, Some(content), None),
        DeletedWhat::File { content: None, .. } => Err(NO_DIFF_OF_LARGE),
        DeletedWhat::Folder | DeletedWhat::Link => Err(""),
    };
    let diff = difference.map_err(|why| text.push_str(why)).ok().map(|(diff, _)| diff);
    let files_changed = vec![deleted.path.to_string()];
    ToolOutput { text, summary, diff, files_changed, ..ToolOutput::default() }
}
