//! The parts of a conversation that every wire words alike.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::protocol::STEERING_PREFIX;

/// A note of the program's own, for the role of the person: servers refuse a second system message, or take it for the
/// only one. What a person said into the running turn is theirs.
pub fn note(text: &str) -> String {
    match text.strip_prefix(STEERING_PREFIX) {
        Some(word) => format!("The person says while you work: {word}"),
        None => format!("Note from the program, not from the person: {text}"),
    }
}

/// What went wrong in a failed call. Never empty: that would read like a success without output.
pub fn fault(content: &str) -> String {
    let reason = content.strip_prefix("Error: ").unwrap_or(content);
    if reason.trim().is_empty() { "the tool failed without saying why".into() } else { reason.to_owned() }
}

/// A result for wires that can't mark a failure.
pub fn result(success: bool, content: &str) -> String {
    if success { content.to_owned() } else { format!("Error: {}", fault(content)) }
}

/// The arguments of an old call. Servers refuse the whole conversation over some that are no JSON object.
pub fn arguments(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|_| {
        let said = (!text.trim().is_empty()).then(|| ("malformed_arguments".to_owned(), json!(text)));
        said.into_iter().collect()
    })
}

/// What stands before a picture that a tool found.
pub fn picture(name: &str) -> String {
    format!("This is the picture `{name}`.")
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_always_says_so_and_why() {
        assert_eq!(result(true, ""), "");
        for (content, expected) in [
            ("no file", "Error: no file"),
            ("Error: no file", "Error: no file"),
            ("  ", "Error: the tool failed without saying why"),
            ("Error: ", "Error: the tool failed without saying why"),
        ] {
            assert_eq!(result(false, content), expected);
        }
    }

    #[test]
    fn what_the_person_says_is_not_the_programs() {
        assert_eq!(note(&format!("{STEERING_PREFIX}in German")), "The person says while you work: in German");
        assert_eq!(note("No more."), "Note from the program, not from the person: No more.");
    }

    #[test]
    fn arguments_are_always_an_object() {
        let text = |said| Value::Object(arguments(said)).to_string();
        assert_eq!(text(r#"{ "b": 1, "a": 2 }"#), r#"{"b":1,"a":2}"#);
        assert_eq!(text(" "), "{}");
        assert_eq!(text(r#"{"a": "#), r#"{"malformed_arguments":"{\"a\": "}"#);
        assert_eq!(text("[1]"), r#"{"malformed_arguments":"[1]"}"#);
    }
}
