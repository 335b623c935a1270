//! `edit_file`: replaces parts of a text file.

mod apply;
mod indent;
mod search;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::apply::{Edit, apply};
use super::{
    arguments::{arguments, schema},
    changing::{NotMade, action, difference, excerpt, foreseen, measure, named},
    text_file::{NoText, TextFile, plain},
    wording::{count, named_path, one_line, printable, respond},
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

/// The largest file that is edited, before and after, in bytes: it is held in memory some times over.
pub const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;

/// How long a look at what an edit would do may take: nobody is asked before it.
const LOOK_AHEAD: Duration = Duration::from_secs(3);

pub struct EditFile;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Text file to edit, relative to the workspace.
    path: String,
    /// Text to replace, as it stands in the file, without line numbers; with enough lines around it to be there once.
    /// Empty: make the file, which must not be there yet.
    old_str: Option<String>,
    /// Text that takes its place.
    new_str: Option<String>,
    /// Replace `old_str` wherever it stands. Default: false, and it must stand there once.
    replace_all: Option<bool>,
    /// In place of old_str and new_str: several edits, done in this order, all or none.
    #[schemars(length(min = 1, max = 100))]
    edits: Option<Vec<EditArgs>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditArgs {
    old_str: String,
    new_str: String,
    replace_all: Option<bool>,
}

#[async_trait]
impl Tool for EditFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "edit_file".into(),
            description: "Replaces text in a file: the exact text, else lines that are the same but for spaces, else \
                lines so much alike that no others can be meant. Line endings, byte order mark and the rest of the file \
                stay as they are. Read the file first."
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

    /// As it stands in the file, also where `old_str` was not the very text.
    fn foresee(&self, args: &Value, workspace: &Path) -> Result<Option<String>, ToolError> {
        let (path, edits) = checked(args.clone())?;
        let watch = Watch::new(CancellationToken::new(), LOOK_AHEAD);
        let foreseen = foreseen(workspace, &path, |before| made(&path, before, &edits, &watch, &mut Vec::new()));
        // A search that was not brought to its end tells nothing.
        if watch.halted().is_some() { Ok(None) } else { foreseen }
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let (path, edits) = checked(args)?;
        change(context, move |changes, workspace, watch| edit(changes, workspace, watch, &path, &edits)).await
    }
}

fn checked(args: Value) -> Result<(WorkspacePath, Vec<Edit>), ToolError> {
    let args: Args = arguments(args)?;
    Ok((named_path("path", &args.path)?, edits(args)?))
}

fn edits(args: Args) -> Result<Vec<Edit>, ToolError> {
    let one = |old: String, new: String, all: Option<bool>| Edit {
        old: plain(&old),
        new: plain(&new),
        all: all.unwrap_or(false),
    };
    let edits = match (args.old_str, args.new_str, args.edits) {
        (Some(old), Some(new), None) => vec![one(old, new, args.replace_all)],
        (None, None, Some(edits)) => edits
            .into_iter()
            .map(|edit| one(edit.old_str, edit.new_str, edit.replace_all.or(args.replace_all)))
            .collect(),
        (None, None, None) => return Err(respond("Give `old_str` and `new_str`, or `edits`.")),
        (_, _, Some(_)) => return Err(respond("Give either `old_str` and `new_str`, or `edits`, not both.")),
        (None, ..) => return Err(respond("`old_str` is missing.")),
        (_, None, _) => return Err(respond("`new_str` is missing; to take text out, let it be \"\".")),
    };
    if edits.len() > 1 && edits.iter().any(|edit| edit.old.is_empty()) {
        return Err(respond(
            "`old_str` is empty in one of the edits. It may be so only in a single edit, to make a new file.",
        ));
    }
    Ok(edits)
}

fn edit(
    changes: &TurnChanges<'_>,
    workspace: &Workspace,
    watch: &Watch,
    path: &WorkspacePath,
    edits: &[Edit],
) -> Result<ToolOutput, ToolError> {
    let mut notes = Vec::new();
    let written = changes.write(path, |before| {
        let made = made(path, before, edits, watch, &mut notes);
        // After the search, which is what takes long.
        if watch.halted().is_some() { Err(NotMade::Told(stopped())) } else { made }
    });
    let written = written.map_err(|error| error.explain(workspace, path, "file"))?;
    Ok(answer(&written, path, edits.len(), &notes))
}

/// What the edits make of what the file holds.
fn made(
    path: &WorkspacePath,
    before: Option<&[u8]>,
    edits: &[Edit],
    watch: &Watch,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>, NotMade> {
    Ok(match (before, edits) {
        (None | Some([]), [only]) if only.old.is_empty() => only.new.clone().into_bytes(),
        (Some(_), [only]) if only.old.is_empty() => return Err(not_new(path).into()),
        (None, _) => return Err(missing(path)),
        (Some(before), edits) => edited(path, before, edits, watch, notes)?,
    })
}

fn not_new(path: &WorkspacePath) -> ToolError {
    let name = printable(path.as_str());
    respond(format!(
        "`{name}` is there already, so an empty `old_str` can't make it. Name the text to replace, or replace the whole \
         file with write_file."
    ))
}

/// As the file system tells it: with names near to it.
fn missing(path: &WorkspacePath) -> NotMade {
    NotMade::Change(crate::workspace::WorkspaceError::NotFound(path.clone()).into())
}

fn edited(
    path: &WorkspacePath,
    before: &[u8],
    edits: &[Edit],
    watch: &Watch,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>, ToolError> {
    let name = printable(path.as_str());
    let too_large = || respond(format!("`{name}` is larger than {} MiB, so it can't be edited.", MAX_FILE_BYTES >> 20));
    if before.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let mut file = TextFile::read(before).map_err(|why| {
        respond(match why {
            NoText::Binary => format!("`{name}` is a binary file, so it can't be edited as text."),
            NoText::OtherEncoding => {
                format!("`{name}` is not in UTF-8, so an edit would spoil it. It was left as it is.")
            }
        })
    })?;
    for (number, edit) in edits.iter().enumerate() {
        let done = apply(&mut file, edit, &|| watch.halted().is_some()).map_err(|reason| {
            respond(match edits.len() {
                1 => reason,
                all => format!("Edit {} of {all} can't be done, so none was: {reason}", number + 1),
            })
        })?;
        notes.extend(done.map(|note| if edits.len() == 1 { note } else { format!("Edit {}: {note}", number + 1) }));
        if file.text().len() > MAX_FILE_BYTES {
            return Err(too_large());
        }
    }
    Ok(file.bytes())
}

fn answer(written: &Written, asked: &WorkspacePath, edits: usize, notes: &[String]) -> ToolOutput {
    let name = named(&written.path, asked);
    let difference = difference(&written.path, written.before.as_deref(), Some(&written.after));
    let no_diff = difference.as_ref().err().copied().unwrap_or_default();
    let (diff, tally) = difference.ok().unzip();
    let files_changed = vec![written.path.to_string()];
    let data = Some(json!({ "created": written.before.is_none(), "bytes": written.after.len() }));
    let Some(before) = &written.before else {
        let now = measure(&written.after);
        let text = format!("Created {name}: {now}.{no_diff}");
        return ToolOutput {
            text,
            summary: format!("created, {now}"),
            diff,
            files_changed,
            data,
            ..ToolOutput::default()
        };
    };
    if *before == written.after {
        let text = format!("{name} is as it was: the edits come to no change.");
        return ToolOutput { text, summary: "unchanged".into(), data, ..ToolOutput::default() };
    }
    let tally = tally.unwrap_or_else(|| "too large for a diff".into());
    let mut lines = vec![format!("Edited {name}: {}, {tally}.", count(edits as u64, "edit", "edits"))];
    lines.extend(notes.iter().cloned());
    let text = |bytes: &[u8]| TextFile::read(bytes).map(|file| file.text().to_owned()).unwrap_or_default();
    lines.push(excerpt(&text(before), &text(&written.after)));
    ToolOutput { text: lines.join("\n"), summary: tally, diff, files_changed, data, ..ToolOutput::default() }
}

#[cfg(test)]
mod edit_file_tests;
