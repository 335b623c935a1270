//! `conversation_recall`: what was said and found earlier in this session, also what no longer fits the window.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    wording::{count, cut_line, one_line, respond},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        store::{Recall, Recalled},
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::{Role, ToolResult},
};

/// Rows of one answer, unless asked otherwise.
const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 50;
/// Longest text of one row, in characters; about 500 tokens.
const ROW_CHARS: usize = 2000;
/// Longest answer, in bytes: about 8,000 tokens.
const MAX_BYTES: usize = 32 * 1024;

pub struct ConversationRecall;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Words to look for in everything that was said and found. Leave it out to read whole turns.
    query: Option<String>,
    /// First turn, counted from 1.
    #[schemars(range(min = 1))]
    turn_start: Option<u32>,
    /// Last turn.
    #[schemars(range(min = 1))]
    turn_end: Option<u32>,
    /// Most rows of the answer. Default: 10.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
}

#[async_trait]
impl Tool for ConversationRecall {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "conversation_recall".into(),
            description: "Looks up earlier parts of this conversation, also those that are no longer shown to you: by \
                words, or by turn numbers. Use it before you ask the person again or guess."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        match args["query"].as_str() {
            Some(query) => one_line(query, 80),
            None => format!("turns {} to {}", args["turn_start"], args["turn_end"]),
        }
    }

    fn action(&self, _args: &Value) -> Action {
        Action::SESSION
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let words = args.query.filter(|query| !query.trim().is_empty());
        if words.is_none() && args.turn_start.is_none() && args.turn_end.is_none() {
            return Err(respond("Give `query`, or `turn_start` and `turn_end`."));
        }
        let turns = (args.turn_start.unwrap_or(1), args.turn_end.unwrap_or(u32::MAX));
        if turns.1 < turns.0 {
            return Err(respond(format!("turn_end={} comes before turn_start={}.", turns.1, turns.0)));
        }
        let limit = args.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        let found = context.host.recall(Recall { words, turns, limit }).await?;
        Ok(answer(&found, limit))
    }
}

fn answer(found: &[Recalled], limit: u32) -> ToolOutput {
    let mut text = String::new();
    let mut shown = 0;
    for row in found {
        let entry = entry(row);
        if text.len() + entry.len() > MAX_BYTES {
            break;
        }
        text.push_str(&entry);
        shown += 1;
    }
    let summary = count(found.len() as u64, "passage", "passages");
    if found.is_empty() {
        text = "Nothing of this session matches. Try other words, or fewer.".into();
    } else if shown < found.len() || found.len() as u32 == limit {
        text.push_str("[there may be more: narrow it down by turn_start and turn_end]\n");
    }
    ToolOutput { text, summary, ..ToolOutput::default() }
}

fn entry(row: &Recalled) -> String {
    let who = match (row.role, row.tool.as_deref()) {
        (Role::User, _) => "person".to_owned(),
        (Role::Tool, Some(tool)) => format!("result of {tool}"),
        (Role::Tool, None) => "result".to_owned(),
        (Role::Assistant | Role::System, _) => "you".to_owned(),
    };
    // A whole tool row is Loom's JSON; a search shows a piece of it, which is none.
    let text = if row.role == Role::Tool { ToolResult::from_row(&row.text).words() } else { row.text.clone() };
    format!("## Turn {}, {who}\n{}\n\n", row.turn, cut_line(text.trim(), ROW_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(turn: u32, role: Role, text: &str) -> Recalled {
        Recalled { turn, role, tool: (role == Role::Tool).then(|| "read_file".into()), text: text.into() }
    }

    #[test]
    fn rows_are_told_with_their_turn_and_who_said_it() {
        let result = r#"{"success": true, "output": "line one\nline two", "error": null}"#;
        let found = [row(2, Role::User, "Which invoice?"), row(2, Role::Tool, result)];
        let text = answer(&found, 10).text;
        assert!(text.contains("## Turn 2, person\nWhich invoice?"), "{text}");
        assert!(text.contains("## Turn 2, result of read_file\nline one\nline two"), "{text}");
    }

    #[test]
    fn an_answer_stays_within_its_limit_and_says_so() {
        let long = "é".repeat(ROW_CHARS * 2);
        let found: Vec<_> = (1..50).map(|turn| row(turn, Role::Assistant, &long)).collect();
        let text = answer(&found, 50).text;
        assert!(text.len() < MAX_BYTES + 200 && text.contains("there may be more"), "{}", text.len());
        assert!(answer(&[], 10).text.contains("Try other words"));
    }
}
