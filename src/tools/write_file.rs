//! `write_file`: a whole file.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    arguments::{arguments, schema},
    changing::{NotMade, action, difference, foreseen, measure, named},
    text_file::TextFile,
    wording::{count, named_path, one_line, respond},
    work::{Watch, change, stopped},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::Risk,
    workspace::{
        Workspace, WorkspacePath,
        changes::{TurnChanges, Written},
    },
};

/// The largest content, in bytes: more than any model writes in one answer.
pub const MAX_CONTENT_BYTES: usize = 1024 * 1024;

pub struct WriteFile;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// File to write, relative to the workspace. Folders that are missing are made.
    path: String,
    /// All that the file shall hold.
    content: String,
}

#[async_trait]
impl Tool for WriteFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write_file".into(),
            description:
                "Writes a whole text file: a new one, or in place of what it held. To change a part of a file \
                use edit_file. Line endings (CRLF) and a byte order mark of a file that is replaced are kept."
                    .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["path"].as_str().unwrap_or_default(), 80)
    }

    fn action(&self, args: &Value) -> Action {
        action(Risk::Edit, args, &["path"])
    }

    fn check(&self, args: &Value) -> Result<(), ToolError> {
        checked(args.clone()).map(drop)
    }

    fn foresee(&self, args: &Value, workspace: &Path) -> Result<Option<String>, ToolError> {
        let (args, path) = checked(args.clone())?;
        foreseen(workspace, &path, |before| Ok(rewritten(before.unwrap_or_default(), &args.content)))
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let (args, path) = checked(args)?;
        change(context, move |changes, workspace, watch| write(changes, workspace, watch, &path, &args.content)).await
    }
}

fn checked(args: Value) -> Result<(Args, WorkspacePath), ToolError> {
    let args: Args = arguments(args)?;
    let path = named_path("path", &args.path)?;
    if args.content.len() > MAX_CONTENT_BYTES {
        let size = count(args.content.len() as u64, "byte", "bytes");
        return Err(respond(format!(
            "`content` has {size}; at most {MAX_CONTENT_BYTES} are taken. Write the file in parts: the first with \
             write_file, the others with edit_file."
        )));
    }
    if let Some(kind) = no_text(&args.path) {
        return Err(respond(format!(
            "A text can't be a `{kind}` file: nothing could open it. Write Markdown or CSV, or make the file with a \
             program that writes that format."
        )));
    }
    Ok((args, path))
}

/// The ending of a name that only a file of a format of its own may have.
fn no_text(path: &str) -> Option<String> {
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    const FORMATS: &[&str] = &["doc", "docx", "odp", "ods", "odt", "pdf", "ppt", "pptx", "xls", "xlsx"];
    FORMATS.contains(&ending.as_str()).then_some(ending)
}

/// The new text with the line endings and the mark of the old one, where that is text.
fn rewritten(before: &[u8], content: &str) -> Vec<u8> {
    TextFile::read(before).map_or_else(|_| content.as_bytes().to_vec(), |old| old.rewritten(content))
}

fn write(
    changes: &TurnChanges<'_>,
    workspace: &Workspace,
    watch: &Watch,
    path: &WorkspacePath,
    content: &str,
) -> Result<ToolOutput, ToolError> {
    let written = changes.write(path, |before| {
        if watch.halted().is_some() {
            return Err(NotMade::Told(stopped()));
        }
        Ok(rewritten(before.unwrap_or_default(), content))
    });
    let written = written.map_err(|error| error.explain(workspace, path, "file"))?;
    Ok(answer(&written, path, content))
}

fn answer(written: &Written, asked: &WorkspacePath, content: &str) -> ToolOutput {
    let name = named(&written.path, asked);
    let now = measure(&written.after);
    let data = Some(json!({ "created": written.before.is_none(), "bytes": written.after.len() }));
    let Some(before) = &written.before else {
        return told(written, format!("Created {name}: {now}."), format!("created, {now}"), data);
    };
    if *before == written.after {
        let text = format!("{name} holds exactly this already ({now}); nothing was changed.");
        return ToolOutput { text, summary: "unchanged".into(), data, ..ToolOutput::default() };
    }
    let mut text = format!("Replaced {name}: {now}; before it had {}.", measure(before));
    if let Ok(old) = TextFile::read(before) {
        if old.has_returns() && !content.contains('\r') {
            text.push_str(" Its line endings (CRLF) were kept.");
        }
        if old.has_mark() {
            text.push_str(" Its byte order mark was kept.");
        }
    }
    told(written, text, format!("replaced, {now}"), data)
}

fn told(written: &Written, mut text: String, summary: String, data: Option<Value>) -> ToolOutput {
    let difference = difference(&written.path, written.before.as_deref(), Some(&written.after));
    let (diff, tally) = difference.map_err(|why| text.push_str(why)).ok().unzip();
    let summary = match tally.filter(|_| written.before.is_some()) {
        Some(tally) => format!("replaced, {tally}"),
        None => summary,
    };
    ToolOutput { text, summary, diff, files_changed: vec![written.path.to_string()], data, ..ToolOutput::default() }
}
