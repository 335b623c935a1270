//! What the tools share that change files: errors in words, what a change would do, what is told of it.

use std::path::Path;

use serde_json::Value;
use similar::{DiffTag, TextDiff};

use super::wording::{count, explain, printable, respond};
use crate::{
    agent::ports::tool::{Action, ToolError},
    protocol::{NOT_SHOWN, Risk},
    workspace::{
        Workspace, WorkspaceError, WorkspacePath,
        changes::{ChangeError, Side, is_binary, unified},
        names,
    },
};

/// Lines around a change in an excerpt.
const CONTEXT: usize = 3;
/// Lines in one excerpt: enough to see that it went right; read_file shows the rest.
const MAX_EXCERPT_LINES: usize = 60;
/// Characters of a line in an excerpt.
const MAX_LINE_CHARS: usize = 500;

const NO_DIFF_OF_BINARY: &str = " There is no diff, since it is not text.";
/// As of [`MAX_DIFF_FILE_BYTES`](crate::workspace::changes::MAX_DIFF_FILE_BYTES).
pub const NO_DIFF_OF_LARGE: &str = " There is no diff, since it is larger than 1 MiB.";

/// Why a change was not made, in a tool's job: in words for the model, or as the record has it.
#[derive(Debug)]
pub enum NotMade {
    Told(ToolError),
    Change(ChangeError),
}

impl From<ChangeError> for NotMade {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl From<ToolError> for NotMade {
    fn from(error: ToolError) -> Self {
        Self::Told(error)
    }
}

impl NotMade {
    /// `wanted`: "file", "file or folder".
    pub fn explain(self, workspace: &Workspace, path: &WorkspacePath, wanted: &str) -> ToolError {
        match self {
            Self::Told(error) => error,
            Self::Change(ChangeError::Workspace(error @ WorkspaceError::Exists(_))) => {
                respond(format!("{error} Choose another name, or delete it first."))
            }
            Self::Change(ChangeError::Workspace(error @ WorkspaceError::Changed(_))) => {
                respond(format!("{error} Read it again."))
            }
            Self::Change(ChangeError::Workspace(error)) => explain(workspace, path, wanted, &error),
            Self::Change(error) => {
                if let ChangeError::Record(cause) = &error {
                    tracing::error!(%cause, "a turn's record of changes can't be kept");
                }
                respond(error.to_string())
            }
        }
    }
}

/// The diff of what `make` puts in place of what a file holds now, or [`NOT_SHOWN`]; `None` where there is no file yet. An
/// error where it can't be put there, as the change itself would have it.
pub fn foreseen(
    workspace: &Path,
    path: &WorkspacePath,
    make: impl FnOnce(Option<&[u8]>) -> Result<Vec<u8>, NotMade>,
) -> Result<Option<String>, ToolError> {
    let workspace = opened(workspace)?;
    let written = workspace.foresee_write(path, make).map_err(|error| error.explain(&workspace, path, "file"))?;
    let side = |bytes| Side { path, bytes: Some(bytes) };
    let compared = |before| unified(side(before), side(&written.after)).unwrap_or_else(|| NOT_SHOWN.into());
    Ok(written.before.as_deref().map(compared))
}

pub fn opened(workspace: &Path) -> Result<Workspace, ToolError> {
    Workspace::open(workspace).map_err(|error| respond(error.to_string()))
}

/// The action of a call that changes what its arguments `names` name, narrowed to the folder that holds it all. The
/// workspace itself stands for what is directly in it, so it is no scope for what lies below.
pub fn action(risk: Risk, args: &Value, names: &[&str]) -> Action {
    let folder = |name: &&str| Some(WorkspacePath::parse(args[name].as_str()?).ok()?.folder());
    let folders: Option<Vec<WorkspacePath>> = names.iter().map(folder).collect();
    let scope = folders.and_then(|folders| {
        let all_at_top = folders.iter().all(WorkspacePath::is_root);
        let around = folders.into_iter().reduce(|a, b| common(&a, &b))?;
        (all_at_top || !around.is_root()).then(|| around.into())
    });
    Action::risky(risk, scope)
}

fn common(a: &WorkspacePath, b: &WorkspacePath) -> WorkspacePath {
    let mut folder = a.clone();
    while folder != *b && b.below(&folder).is_none() {
        folder = folder.folder();
    }
    folder
}

/// `12 lines, 340 bytes`.
pub fn measure(bytes: &[u8]) -> String {
    let lines = String::from_utf8_lossy(bytes).lines().count();
    format!("{}, {}", count(lines as u64, "line", "lines"), count(bytes.len() as u64, "byte", "bytes"))
}

/// The diff of one file, and `+3 -1 lines`; else why there is none, as a sentence to put behind others.
pub fn difference(
    path: &WorkspacePath,
    before: Option<&[u8]>,
    after: Option<&[u8]>,
) -> Result<(String, String), &'static str> {
    let Some(diff) = unified(Side { path, bytes: before }, Side { path, bytes: after }) else {
        let binary = [before, after].into_iter().flatten().any(is_binary);
        return Err(if binary { NO_DIFF_OF_BINARY } else { NO_DIFF_OF_LARGE });
    };
    let lines = |sign: &str| diff.lines().skip(2).filter(|line| line.starts_with(sign)).count();
    let tally = format!("+{} -{} lines", lines("+"), lines("-"));
    Ok((diff, tally))
}

/// The changed lines of a text as it is now, with those around them, numbered as read_file does.
pub fn excerpt(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let lines: Vec<&str> = after.lines().collect();
    let mut shown: Vec<(usize, usize)> = Vec::new();
    for operation in diff.ops().iter().filter(|operation| operation.tag() != DiffTag::Equal) {
        let range = operation.new_range();
        let (from, to) = (range.start.saturating_sub(CONTEXT), (range.end + CONTEXT).min(lines.len()));
        match shown.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => shown.push((from, to)),
        }
    }
    let mut text: Vec<String> = Vec::new();
    for (from, to) in shown {
        if text.len() >= MAX_EXCERPT_LINES {
            text.push("[cut: there are more changes; see them with read_file]".into());
            break;
        }
        if !text.is_empty() {
            text.push("…".into());
        }
        let end = to.min(from + MAX_EXCERPT_LINES - text.len());
        text.extend((from..end).map(|line| numbered(line + 1, lines[line])));
        if end < to {
            text.push(format!("[cut: the change goes on to line {to}; call read_file with line_start={}]", end + 1));
            break;
        }
    }
    text.join("\n")
}

pub fn numbered(number: usize, line: &str) -> String {
    format!("{number}\t{}", super::wording::cut_line(line, MAX_LINE_CHARS))
}

/// A path in quotes, with the one that was asked for where a link led there.
pub fn named(path: &WorkspacePath, asked: &WorkspacePath) -> String {
    let name = printable(path.as_str());
    // The same name in another form of Unicode is no other one.
    if path.as_str() == names::composed(asked.as_str()) || path == asked {
        format!("`{name}`")
    } else {
        format!("`{name}` (where `{}` leads)", printable(asked.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_action_is_narrowed_to_the_folder_around_everything() {
        let scope = |args: Value, names: &[&str]| action(Risk::Edit, &args, names).scope;
        assert_eq!(scope(json!({ "path": "a/b/c.txt" }), &["path"]).as_deref(), Some("a/b"));
        assert_eq!(scope(json!({ "path": "c.txt" }), &["path"]).as_deref(), Some("."));
        for args in [json!({ "path": "../c" }), json!({}), json!("text")] {
            assert_eq!(scope(args, &["path"]), None);
        }
        for (source, destination, expected) in [
            ("a/b/x", "a/b/y", Some("a/b")),
            ("a/b/x", "a/bc/y", Some("a")),
            ("a/x", "a/b/c/y", Some("a")),
            ("a/x", "b/x", None),
            ("a/x", "x", None),
            ("x", "y", Some(".")),
        ] {
            let args = json!({ "source": source, "destination": destination });
            assert_eq!(scope(args, &["source", "destination"]).as_deref(), expected, "{source} {destination}");
        }
    }

    #[test]
    fn an_excerpt_shows_each_change_with_its_surroundings() {
        let before: String = (1..=40).map(|line| format!("line {line}\n")).collect();
        let after = before.replace("line 10\n", "ten\nand more\n").replace("line 30\n", "");
        let expected = "7\tline 7\n8\tline 8\n9\tline 9\n10\tten\n11\tand more\n12\tline 11\n13\tline 12\n14\tline 13\n…\n\
            28\tline 27\n29\tline 28\n30\tline 29\n31\tline 31\n32\tline 32\n33\tline 33";
        assert_eq!(excerpt(&before, &after), expected);
        let long = excerpt("", &"x\n".repeat(100));
        assert!(long.ends_with("60\tx\n[cut: the change goes on to line 100; call read_file with line_start=61]"));
    }
}
