//! How Loom writes its rows: JSON with blanks after `,` and `:`, and token estimates of a quarter of the characters.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::{agent::ports::store::StoreError, protocol::ToolCall};

/// Characters that count as one token.
const CHARS_PER_TOKEN: usize = 4;

/// JSON as Python's `json.dumps` lays it out, so that sizes and estimates of our rows equal those of Loom's.
/// Characters outside ASCII stand as themselves, which keeps tool output searchable.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced)).map_err(unwritable)?;
    String::from_utf8(bytes).map_err(unwritable)
}

/// The `tool_calls` column: NULL where the message asks for no call.
pub(super) fn calls_json(calls: &[ToolCall]) -> Result<Option<String>, StoreError> {
    if calls.is_empty() { Ok(None) } else { json(&calls).map(Some) }
}

/// Loom's `token_count`, found from its rows: a quarter of the content's characters, rounded down, but at least 1
/// (also for an empty content), plus the same for the JSON of the calls where there are any.
pub(super) fn token_count(content: &str, calls: Option<&str>) -> i64 {
    let estimate = |text: &str| (text.chars().count() / CHARS_PER_TOKEN).max(1) as i64;
    estimate(content) + calls.map_or(0, estimate)
}

fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("a value can't be written as JSON: {error}"))
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallId, ToolResult};

    fn call(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: CallId::new("call_1"), name: name.into(), arguments: arguments.into() }
    }

    #[test]
    fn token_counts_equal_those_of_rows_that_loom_wrote() {
        let calls = |calls| calls_json(&[calls]).unwrap();
        let read = calls(call("read_file", r#"{"path": "notes.txt"}"#));
        let ask = calls(call("ask_user", r#"{"question": "Which one?", "options": ["a", "b"]}"#));
        assert_eq!(token_count("What is in this folder? chunks=3", None), 8);
        assert_eq!(token_count(r#"read it chunks=3 tool=read_file args={"path":"notes.txt"}"#, None), 14);
        assert_eq!(token_count("b chunks=2", None), 2);
        assert_eq!(token_count("", read.as_deref()), 29);
        assert_eq!(token_count("", ask.as_deref()), 38);
    }

    #[test]
    fn a_tool_row_has_looms_text_and_count() {
        let result = ToolResult { success: true, output: "alpha\nbeta needle\n".into(), ..ToolResult::default() };
        let content = json(&result).unwrap();
        assert_eq!(
            content,
            r#"{"success": true, "output": "alpha\nbeta needle\n", "error": null, "files_changed": [], "data": null}"#
        );
        assert_eq!(token_count(&content, None), 25);
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(token_count("äöüß", None), 1);
        assert_eq!(calls_json(&[]).unwrap(), None);
    }
}
