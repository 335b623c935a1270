//! The words of tool texts: counts, cut lines, paths that can't be used.

use std::borrow::Cow;

use crate::{
    agent::ports::tool::ToolError,
    workspace::{Workspace, WorkspaceError, WorkspacePath},
};

/// Ends a line that goes on.
const CUT: &str = " […]";

/// `1 file`, `2 files`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `3,812`: for a person, not for a model that may copy it into an argument.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The line, or its first `limit` characters with a mark.
pub fn cut_line(line: &str, limit: usize) -> Cow<'_, str> {
    match line.char_indices().nth(limit) {
        None => Cow::Borrowed(line),
        Some((end, _)) => Cow::Owned(format!("{}{CUT}", &line[..end])),
    }
}

/// Text on one line of at most `limit` characters.
pub fn one_line(text: &str, limit: usize) -> String {
    let text = text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join(" ↵ ");
    let line = printable(&text);
    if line.chars().count() <= limit {
        return line.into_owned();
    }
    line.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// A name without the line breaks and other control characters that a file name may hold: they would read as
/// lines of the tool.
pub fn printable(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_control) {
        Cow::Owned(name.replace(char::is_control, "\u{fffd}"))
    } else {
        name.into()
    }
}

/// The last line of a text from which something was left out.
pub fn cut_note(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| format!("[cut: {}]", notes.join("; ")))
}

/// The argument `path`; left out or empty it is the workspace.
pub fn path_argument(text: Option<&str>) -> Result<WorkspacePath, ToolError> {
    named_path("path", text.filter(|text| !text.is_empty()).unwrap_or("."))
}

/// The argument `name` as a path.
pub fn named_path(name: &str, text: &str) -> Result<WorkspacePath, ToolError> {
    WorkspacePath::parse(text).map_err(|error| {
        respond(format!("`{name}` can't be `{}`: {error}. Write it like `invoices/march.csv`.", one_line(text, 80)))
    })
}

/// What the model reads of a path that could not be used. `wanted`: "file", "folder".
pub fn explain(workspace: &Workspace, path: &WorkspacePath, wanted: &str, error: &WorkspaceError) -> ToolError {
    respond(match error {
        WorkspaceError::NotFound(_) => missing(workspace, path, wanted),
        WorkspaceError::NotAFile(_) => format!("{error} List it with list_directory."),
        WorkspaceError::NotAFolder(_) => format!("{error} Read it with read_file."),
        _ => error.to_string(),
    })
}

fn missing(workspace: &Workspace, path: &WorkspacePath, wanted: &str) -> String {
    let near = workspace.near(path);
    let near = if near.is_empty() { String::new() } else { format!(" Names near it: {}.", near.join(", ")) };
    let path = one_line(path.as_str(), 200);
    format!("There is no {wanted} `{path}` in the workspace.{near} List the folder with list_directory.")
}

pub fn respond(text: impl Into<String>) -> ToolError {
    ToolError::RespondToModel(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_counted() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (3812, "3,812"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(count(1, "match", "matches"), "1 match");
        assert_eq!(count(0, "match", "matches"), "0 matches");
    }

    #[test]
    fn lines_are_cut_between_characters() {
        assert_eq!(cut_line("äöü", 3), "äöü");
        assert_eq!(cut_line("äöüß", 3), "äöü […]");
        assert_eq!(one_line("a\nb", 80), "a ↵ b");
        assert_eq!(one_line("a\u{7}b", 80), "a\u{fffd}b");
        assert_eq!(one_line(&"é".repeat(100), 80).chars().count(), 80);
    }
}
