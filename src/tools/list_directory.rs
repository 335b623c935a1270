//! `list_directory`: what is in a folder.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    wording::{count, cut_note, explain, one_line, path_argument, printable},
    work::work,
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    },
    workspace::{Entry, Kind, Workspace, WorkspacePath},
};

/// Entries in one answer: about 5,000 tokens of names.
pub const MAX_ENTRIES: usize = 500;

pub struct ListDirectory;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Folder to list, relative to the workspace. Default: the workspace itself.
    path: Option<String>,
}

#[async_trait]
impl Tool for ListDirectory {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_directory".into(),
            description: "Lists one folder of the workspace: folders first, then files with their sizes. \
                Does not go into the folders inside; use glob_find to look for files anywhere."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("."), 80)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let folder = path_argument(args.path.as_deref())?;
        work(context, move |workspace, _| list(workspace, &folder)).await
    }
}

fn list(workspace: &Workspace, folder: &WorkspacePath) -> Result<ToolOutput, ToolError> {
    let mut entries = workspace.list(folder).map_err(|error| explain(workspace, folder, "folder", &error))?;
    entries.retain(|entry| entry.name != ".git");
    // A stable sort: names keep their order among folders and among files.
    entries.sort_by_key(|entry| entry.kind != Kind::Folder);
    let folders = entries.iter().filter(|entry| entry.kind == Kind::Folder).count();
    let files = entries.len() - folders;
    let summary = format!("{}, {}", count(folders as u64, "folder", "folders"), count(files as u64, "file", "files"));
    let mut lines = vec![format!("{}: {summary}", printable(folder.as_str()))];
    lines.extend(entries.iter().take(MAX_ENTRIES).map(|entry| line(workspace, folder, entry)));
    if entries.len() > MAX_ENTRIES {
        let more = count((entries.len() - MAX_ENTRIES) as u64, "more entry", "more entries");
        lines.extend(cut_note(&[format!("{more}; list a folder inside")]));
    }
    Ok(ToolOutput { text: lines.join("\n"), summary, ..ToolOutput::default() })
}

fn line(workspace: &Workspace, folder: &WorkspacePath, entry: &Entry) -> String {
    let name = printable(&entry.name);
    if let Some(target) = &entry.link {
        return format!("{name}@ -> {}", printable(target));
    }
    match entry.kind {
        Kind::Folder => format!("{name}/"),
        Kind::Closed => format!("{name} (not a regular file)"),
        Kind::File => match workspace.facts(&folder.entry(&entry.name)) {
            Ok(facts) => format!("{name} ({} bytes)", facts.size),
            Err(_) => format!("{name} (can't be read)"),
        },
    }
}
