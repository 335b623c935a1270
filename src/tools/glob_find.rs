//! `glob_find`: files by name.

use std::{cmp::Reverse, time::SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    pattern::NamePattern,
    wording::{count, cut_note, explain, one_line, path_argument, printable},
    work::{Halt, TIME_LIMIT, Watch, stopped, work},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    },
    workspace::{Found, Workspace, WorkspacePath},
};

/// Files in one answer: about 5,000 tokens of paths.
pub const MAX_FILES: usize = 500;

pub struct GlobFind;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Pattern such as `**/*.csv` or `reports/2024-*.md`; without `/` it matches the name in any folder. Case does not count.
    pattern: String,
    /// Folder to look in, relative to the workspace; the pattern is matched below it. Default: the workspace itself.
    path: Option<String>,
}

#[async_trait]
impl Tool for GlobFind {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "glob_find".into(),
            description: "Finds files of the workspace by name, newest first. Leaves out what .gitignore names, and \
                hidden files unless the pattern names a dot."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["pattern"].as_str().unwrap_or_default(), 80)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let folder = path_argument(args.path.as_deref())?;
        let pattern = NamePattern::parse("pattern", &args.pattern)?;
        work(context, move |workspace, watch| find(workspace, watch, &folder, &pattern)).await
    }
}

type Dated = (Option<SystemTime>, WorkspacePath);

fn find(
    workspace: &Workspace,
    watch: &Watch,
    folder: &WorkspacePath,
    pattern: &NamePattern,
) -> Result<ToolOutput, ToolError> {
    let walk =
        workspace.walk(folder, pattern.hidden()).map_err(|error| explain(workspace, folder, "folder", &error))?;
    let mut files: Vec<Dated> = Vec::new();
    let mut notes = Vec::new();
    for found in walk {
        match watch.halted() {
            Some(Halt::Stopped) => return Err(stopped()),
            Some(Halt::TimeUp) => {
                notes.push(format!("stopped after {} seconds; look in a folder inside", TIME_LIMIT.as_secs()));
                break;
            }
            None => {}
        }
        let Found::File(path) = found else { continue };
        // A file that is gone again, or can't be named, is none.
        if path.below(folder).is_some_and(|below| pattern.matches(below))
            && let Ok(facts) = workspace.facts(&path)
        {
            files.push((facts.modified, path));
        }
    }
    Ok(answer(files, notes))
}

fn answer(mut files: Vec<Dated>, mut notes: Vec<String>) -> ToolOutput {
    // Stable: files of one age keep the order of the walk.
    files.sort_by_key(|(modified, _)| Reverse(*modified));
    let summary = match files.len() {
        0 => "no files match".into(),
        number => count(number as u64, "file matches", "files match"),
    };
    if files.len() > MAX_FILES {
        let more = count((files.len() - MAX_FILES) as u64, "more file", "more files");
        notes.insert(0, format!("{more}; use a narrower pattern"));
    }
    let mut lines = vec![summary.clone()];
    lines.extend(files.iter().take(MAX_FILES).map(|(_, path)| printable(path.as_str()).into_owned()));
    lines.extend(cut_note(&notes));
    ToolOutput { text: lines.join("\n"), summary, ..ToolOutput::default() }
}

#[cfg(test)]
#[path = "glob_find_tests.rs"]
mod glob_find_tests;
