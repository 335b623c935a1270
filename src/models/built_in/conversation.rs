//! What the request tells of the conversation: the words of this turn, its calls so far, and what "it" can mean.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    intent::{FileAsk, Intent, Reason, Scope, Target},
    results,
    understand::{Lead, asks_for_more, bare_target, understand},
};
use crate::agent::ports::model::{ChatMessage, ModelRequest};

/// A call and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<'a> {
    pub name: &'a str,
    pub args: Value,
    pub success: bool,
    pub text: &'a str,
}

pub struct Conversation<'a> {
    request: &'a ModelRequest,
    /// Index of the last message of a person.
    start: Option<usize>,
    /// The calls of this turn, in order.
    pub steps: Vec<Step<'a>>,
}

/// Around the request that an answer offers as the next one; "more" takes it up.
pub const OFFER_START: &str = "To go on, ask for *more* or for *";
pub const OFFER_END: &str = "*.";
/// How many "and that one?" in a row still lead back to what was asked.
const LOOK_BACK: usize = 8;
/// The question that the next message may answer with nothing but a name.
pub const WHICH_ONE: &str = "Which one do you mean?";

impl<'a> Conversation<'a> {
    pub fn new(request: &'a ModelRequest) -> Self {
        let start = request.messages.iter().rposition(|message| matches!(message, ChatMessage::User(_)));
        let turn = start.map_or(&[][..], |start| &request.messages[start + 1..]);
        Self { request, start, steps: steps(turn) }
    }

    pub fn offers(&self, tool: &str) -> bool {
        self.request.tools.iter().any(|spec| spec.name == tool)
    }

    pub fn intent(&self) -> Intent {
        self.start.map_or(Intent::Decline(Reason::Greeting), |start| self.intent_at(start, LOOK_BACK))
    }

    /// What the person's message at `index` asks; a bare name takes up what was asked before it.
    fn intent_at(&self, index: usize, look_back: usize) -> Intent {
        let Some(ChatMessage::User(text)) = self.request.messages.get(index) else {
            return Intent::Decline(Reason::Greeting);
        };
        let before = self.request.messages.get(..index).unwrap_or_default();
        let earlier = before.iter().rposition(|message| matches!(message, ChatMessage::User(_)));
        if let (Some((target, lead)), Some(earlier)) = (bare_target(text), earlier)
            && (lead == Lead::SameAgain || last_answer(before).is_some_and(|text| text.contains(WHICH_ONE)))
            && look_back > 0
            && let Some(again) = retarget(self.intent_at(earlier, look_back - 1), target)
        {
            return again;
        }
        if !asks_for_more(text) {
            return understand(text);
        }
        last_answer(before).and_then(offered).map_or(Intent::Decline(Reason::Unclear), understand)
    }

    fn before(&self) -> &'a [ChatMessage] {
        &self.request.messages[..self.start.unwrap_or(0)]
    }

    /// The file that an earlier turn worked on last.
    pub fn last_file(&self) -> Option<String> {
        steps(self.before()).iter().rev().filter(|step| step.success).find_map(|step| match step.name {
            "read_file" | "write_file" | "edit_file" => Some(step.args.get("path")?.as_str()?.to_owned()),
            "move_file" => Some(step.args.get("destination")?.as_str()?.to_owned()),
            "glob_find" => match results::paths(step.text).paths.as_slice() {
                [only] => Some((*only).to_owned()),
                _ => None,
            },
            "ripgrep_search" => match results::matched_files(step.text).files.as_slice() {
                [(only, _)] if step.args.get("files_only") == Some(&json!(true)) => Some((*only).to_owned()),
                _ => searched_file(&step.args),
            },
            _ => None,
        })
    }

    /// The `nth` entry, from 1, of the numbered list in the last answer.
    pub fn nth_of_last_answer(&self, nth: usize) -> Option<String> {
        let prefix = format!("{nth}. ");
        let row = last_answer(self.before())?.lines().find_map(|row| row.strip_prefix(prefix.as_str()))?;
        let opening = row.len() - row.trim_start_matches('`').len();
        let fence = "`".repeat(opening.max(1));
        let inner = row.get(opening..)?.split(fence.as_str()).next()?.trim();
        (opening > 0 && !inner.is_empty()).then(|| inner.to_owned())
    }
}

/// The file that a search was confined to.
fn searched_file(args: &Value) -> Option<String> {
    let path = args.get("path")?.as_str()?;
    path.rsplit('/').next()?.contains('.').then(|| path.to_owned()).filter(|path| path != ".")
}

fn last_answer(messages: &[ChatMessage]) -> Option<&str> {
    messages.iter().rev().find_map(|message| match message {
        ChatMessage::Assistant { text, .. } if !text.is_empty() => Some(text.as_str()),
        _ => None,
    })
}

/// The lines that an answer offers to go on with.
fn offered(answer: &str) -> Option<&str> {
    let (_, offer) = answer.rsplit_once(OFFER_START)?;
    offer.strip_suffix(OFFER_END)
}

/// Pairs every call with its result. A call without one isn't there yet.
fn steps(messages: &[ChatMessage]) -> Vec<Step<'_>> {
    let mut asked: HashMap<&str, Value> = HashMap::new();
    let mut steps = Vec::new();
    for message in messages {
        match message {
            ChatMessage::Assistant { calls, .. } => {
                for call in calls {
                    let args = serde_json::from_str(&call.arguments).unwrap_or_else(|_| Value::Object(Map::new()));
                    asked.insert(call.id.as_str(), args);
                }
            }
            ChatMessage::Tool { call_id, name, success, content } => {
                let args = asked.remove(call_id.as_str()).unwrap_or_default();
                steps.push(Step { name, args, success: *success, text: content });
            }
            ChatMessage::User(_) | ChatMessage::Note(_) | ChatMessage::Pictures(_) => {}
        }
    }
    steps
}

fn retarget(intent: Intent, target: Target) -> Option<Intent> {
    match intent {
        Intent::File(_, ask) => Some(Intent::File(target, ask)),
        Intent::Look(_) => Some(Intent::File(target, FileAsk::Read)),
        Intent::Search(mut search) => {
            search.scope = Scope::File(target);
            search.tail = None;
            Some(Intent::Search(search))
        }
        Intent::Act(act) => act.retarget(target).map(Intent::Act),
        Intent::List(..)
        | Intent::Find(..)
        | Intent::Compare(..)
        | Intent::ComparePair(_)
        | Intent::Several(_)
        | Intent::Decline(_) => None,
    }
}
