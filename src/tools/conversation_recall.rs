//! `conversation_recall`: what was said and found earlier in this session, also what no longer fits the window.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    wording::{count, one_line, respond},
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
/// Most of one row beside others, in bytes; about 500 tokens.
const ROW_BYTES: usize = 2000;
/// What is shown around the first place where a word stands, in bytes.
const AROUND_BYTES: usize = 800;
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
    /// One row, by the number that an answer gave it, to read more of it than was shown.
    #[schemars(range(min = 1))]
    row: Option<u64>,
    /// Byte of that row to go on at, as the answer said. Default: 0.
    offset: Option<usize>,
}

#[async_trait]
impl Tool for ConversationRecall {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "conversation_recall".into(),
            description: "Looks up earlier parts of this conversation, also those that are no longer shown to you: by \
                words, or by turn numbers. A row that is shown in part is read on with row and offset. Use it before \
                you ask the person again or guess."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        match args["query"].as_str() {
            Some(query) => one_line(query, 80),
            None if args["row"].is_u64() => format!("row {}", args["row"]),
            None => match (args["turn_start"].as_u64(), args["turn_end"].as_u64()) {
                (Some(first), Some(last)) => format!("turns {first} to {last}"),
                (Some(first), None) => format!("turns from {first}"),
                (None, Some(last)) => format!("turns up to {last}"),
                (None, None) => String::new(),
            },
        }
    }

    fn action(&self, _args: &Value) -> Action {
        Action::SESSION
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let words = args.query.filter(|query| !query.trim().is_empty());
        if args.row.is_some() && words.is_some() {
            return Err(respond("Give `row` without `query`: it is one row as it stands."));
        }
        if words.is_none() && args.row.is_none() && args.turn_start.is_none() && args.turn_end.is_none() {
            return Err(respond("Give `query`, or `turn_start` and `turn_end`, or `row`."));
        }
        let turns = (args.turn_start.unwrap_or(1), args.turn_end.unwrap_or(u32::MAX));
        if turns.1 < turns.0 {
            return Err(respond(format!("turn_end={} comes before turn_start={}.", turns.1, turns.0)));
        }
        let limit = args.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        let recall = Recall { words, turns, row: args.row, limit };
        let found = context.host.recall(recall.clone()).await?;
        Ok(answer(&found, &recall, args.offset.unwrap_or(0), context.room.clamp(ROW_BYTES * 2, MAX_BYTES)))
    }
}

fn answer(found: &[Recalled], asked: &Recall, offset: usize, room: usize) -> ToolOutput {
    let mut text = String::new();
    let mut shown = 0;
    for row in found {
        let entry = entry(row, asked, offset, room);
        if text.len() + entry.len() > room {
            break;
        }
        text.push_str(&entry);
        shown += 1;
    }
    let summary = count(found.len() as u64, "passage", "passages");
    if found.is_empty() {
        text = match asked.row {
            Some(row) => {
                format!("There is no row {row} with text in this session. Answers name the rows that there are.")
            }
            None => "Nothing of this session matches. Try other words, or fewer.".into(),
        };
    } else if asked.row.is_none() && (shown < found.len() || found.len() as u32 == asked.limit) {
        text.push_str("[there may be more: narrow it down by turn_start and turn_end]\n");
    }
    ToolOutput { text, summary, ..ToolOutput::default() }
}

fn entry(row: &Recalled, asked: &Recall, offset: usize, room: usize) -> String {
    let who = match (row.role, row.tool.as_deref()) {
        (Role::User, _) => "person".to_owned(),
        (Role::Tool, Some(tool)) => format!("result of {tool}"),
        (Role::Tool, None) => "result".to_owned(),
        (Role::Assistant | Role::System, _) => "you".to_owned(),
    };
    let text = if row.role == Role::Tool { ToolResult::from_row(&row.text).words() } else { row.text.clone() };
    let heading = format!("## Turn {}, {who}, row {}\n", row.turn, row.row);
    let (begin, bytes) = match &asked.words {
        // The note at its end has its place.
        None if asked.row.is_some() => (offset, room - heading.len() - 200),
        None => (0, ROW_BYTES),
        Some(_) if text.len() <= ROW_BYTES => (0, ROW_BYTES),
        Some(words) => (before_hit(&text, words), AROUND_BYTES),
    };
    format!("{heading}{}\n\n", piece(&text, begin, bytes, row.row))
}

/// Where to begin, so that the first of the words that stands in the text is in the piece: at a line's begin, if one is
/// near.
fn before_hit(text: &str, words: &str) -> usize {
    let lower = text.to_lowercase();
    let hits = words.to_lowercase();
    let hits = hits.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    // Small letters may take more room than capitals, so the place is about right.
    let hit = hits.filter_map(|word| lower.find(word)).min().unwrap_or(0).min(text.len());
    let hit = text.floor_char_boundary(hit);
    let near = text.floor_char_boundary(hit.saturating_sub(AROUND_BYTES / 2));
    match text[near..hit].find('\n') {
        Some(line) if near > 0 => near + line + 1,
        _ => near,
    }
}

/// Up to so many bytes of a text, to a line border where there is one, and how to get the rest.
fn piece(text: &str, begin: usize, bytes: usize, row: u64) -> String {
    let begin = text.floor_char_boundary(begin.min(text.len()));
    let end = text.floor_char_boundary(begin.saturating_add(bytes).min(text.len()));
    let end = match text[begin..end].rfind('\n') {
        Some(line) if end < text.len() => begin + line + 1,
        _ => end,
    };
    let shown = text[begin..end].trim_end();
    let total = text.len();
    match (begin, end == total) {
        (0, true) => shown.to_owned(),
        (_, true) => format!("{shown}\n[from byte {begin} to the end at {total}]"),
        _ => format!("{shown}\n[bytes {begin} to {end} of {total}; row={row}, offset={end} goes on]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(turn: u32, role: Role, text: &str) -> Recalled {
        let tool = (role == Role::Tool).then(|| "read_file".into());
        Recalled { turn, row: u64::from(turn) * 10, role, tool, text: text.into() }
    }

    fn turns() -> Recall {
        Recall { words: None, turns: (1, u32::MAX), row: None, limit: 50 }
    }

    fn lines(count: usize) -> String {
        (1..=count).map(|line| format!("line {line} of a long text\n")).collect()
    }

    #[test]
    fn rows_are_told_with_their_turn_and_who_said_it() {
        let result = r#"{"success": true, "output": "line one\nline two", "error": null}"#;
        let found = [row(2, Role::User, "Which invoice?"), row(2, Role::Tool, result)];
        for asked in [turns(), Recall { words: Some("line".into()), ..turns() }] {
            let text = answer(&found, &asked, 0, MAX_BYTES).text;
            assert!(text.contains("## Turn 2, person, row 20\nWhich invoice?"), "{text}");
            assert!(text.contains("## Turn 2, result of read_file, row 20\nline one\nline two"), "{text}");
        }
    }

    #[test]
    fn a_long_row_is_cut_at_a_line_and_read_to_its_end_piece_by_piece() {
        let text = lines(4_000);
        let found = [row(3, Role::Assistant, &text)];
        let first = answer(&found, &turns(), 0, MAX_BYTES).text;
        assert!(first.len() < ROW_BYTES + 200 && first.contains("of a long text\n[bytes 0 to "), "{first}");
        let (mut offset, mut read, mut answers) = (0, String::new(), 0);
        let one = Recall { row: Some(30), ..turns() };
        loop {
            let answer = answer(&found, &one, offset, MAX_BYTES).text;
            assert!(answer.len() <= MAX_BYTES, "{}", answer.len());
            let shown: Vec<&str> = answer.lines().filter(|line| line.starts_with("line ")).collect();
            read.extend(shown.iter().map(|line| format!("{line}\n")));
            answers += 1;
            let Some((_, next)) = answer.split_once("offset=") else { break };
            offset = next.split(' ').next().unwrap().parse().unwrap();
        }
        assert_eq!(read, text);
        assert!(answers > 2);
        assert!(answer(&[], &one, 0, MAX_BYTES).text.contains("no row 30"));
    }

    #[test]
    fn a_search_shows_the_lines_around_the_place_as_they_are() {
        let output = format!("{}the Needle, here\n{}", lines(500), lines(500));
        let result = serde_json::json!({"success": true, "output": output, "error": null}).to_string();
        let asked = Recall { words: Some("needle".into()), ..turns() };
        let text = answer(&[row(2, Role::Tool, &result)], &asked, 0, MAX_BYTES).text;
        assert!(text.contains("\nthe Needle, here\n") && !text.contains("\\n"), "{text}");
        assert!(text.len() < AROUND_BYTES + 200 && text.contains("row=20, offset="), "{text}");
        let told: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
        assert!(told.iter().all(|line| line.ends_with("of a long text")), "{told:?}");
    }

    #[test]
    fn an_answer_stays_within_its_limit_and_says_so() {
        let long = "é".repeat(ROW_BYTES);
        let found: Vec<_> = (1..50).map(|turn| row(turn, Role::Assistant, &long)).collect();
        let text = answer(&found, &turns(), 0, MAX_BYTES).text;
        assert!(text.len() < MAX_BYTES + 200 && text.contains("there may be more"), "{}", text.len());
        assert!(answer(&[], &turns(), 0, MAX_BYTES).text.contains("Try other words"));
    }
}
