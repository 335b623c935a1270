//! How much of the yardstick the model understands.

use serde_json::Value;

use super::{
    folder_tests::{ALL_TOOLS, say, specs},
    requests::{ACTS, Asked, First, HELD_OUT, ONCE_WRONG, REQUESTS},
};
use crate::{
    agent::ports::model::{ChatMessage, ModelRequest},
    protocol::{CallId, ToolCall},
};

#[derive(Debug, PartialEq)]
enum Verdict {
    Right,
    /// It said what it can do where it could have acted.
    Shy(String),
    /// It made a call that was not meant.
    Wrong(String),
}

fn judge(asked: &Asked) -> Verdict {
    let mut messages = asked.after.map(earlier_turn).unwrap_or_default();
    messages.push(ChatMessage::User(asked.text.into()));
    let said = say(ModelRequest { system: String::new(), messages, tools: specs(&ALL_TOOLS).into() });
    let capable = said.text.contains("openai_compatible") && said.text.contains("I can do this");
    match (asked.first, said.calls.as_slice()) {
        (First::Capabilities, []) if capable => Verdict::Right,
        (First::Call(name, args), [call]) if call.name == name && json(args) == json(&call.arguments) => Verdict::Right,
        (_, []) => Verdict::Shy(format!("{}: {}", asked.text, said.text.lines().next().unwrap_or_default())),
        (_, calls) => Verdict::Wrong(format!("{}: {} {}", asked.text, calls[0].name, calls[0].arguments)),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn earlier_turn(path: &str) -> Vec<ChatMessage> {
    let arguments = serde_json::json!({ "path": path }).to_string();
    let call = ToolCall { id: CallId::new("call_1"), name: "read_file".into(), arguments };
    let content = format!("{path}: lines 1-1 of 1\n1\thello");
    vec![
        ChatMessage::User(format!("read {path}")),
        ChatMessage::Assistant { text: String::new(), calls: vec![call] },
        ChatMessage::Tool { call_id: "call_1".into(), name: "read_file".into(), success: true, content },
        ChatMessage::Assistant { text: format!("`{path}` has 1 line."), calls: Vec::new() },
    ]
}

/// Asserts that nothing is done wrongly and at least `least` are right; the rest says what it can do.
fn measure(table: &[Asked], least: usize) {
    let verdicts: Vec<Verdict> = table.iter().map(judge).collect();
    let right = verdicts.iter().filter(|verdict| **verdict == Verdict::Right).count();
    let misses: Vec<_> = verdicts.iter().filter(|verdict| **verdict != Verdict::Right).collect();
    let wrong = misses.iter().filter(|verdict| matches!(verdict, Verdict::Wrong(_))).count();
    assert!(right >= least && wrong == 0, "{right} of {} right, {wrong} wrong: {misses:#?}", table.len());
}

#[test]
fn fifty_of_sixty_requests_lead_to_the_right_call_and_none_to_a_wrong_one() {
    measure(&REQUESTS, 50);
}

#[test]
fn requests_that_the_rules_were_not_written_for_are_understood_too() {
    measure(&HELD_OUT, 14);
}

#[test]
fn requests_that_once_went_wrong_stay_right() {
    measure(&ONCE_WRONG, ONCE_WRONG.len());
}

#[test]
fn requests_to_change_something_lead_to_the_right_call_or_to_none() {
    measure(&ACTS, 49);
}
