//! The body of a Messages request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    conversation::{self, Wire, turn_start},
    memory::Memory,
};
use crate::{
    agent::ports::model::{ChatMessage, ModelRequest, ToolSpec},
    models::http::{self, Settings},
};

/// Tokens of an answer where neither the configuration nor the server says how many: every model of the last years can
/// give as many.
const PLAIN_OUTPUT: u32 = 8192;
/// The same where there is room for more: enough for a long file, or for thoughts and the answer after them.
const AMPLE_OUTPUT: u32 = 32_000;
/// The least that a budget for thoughts may be, and what is left beside it for the answer, in tokens.
const LEAST_BUDGET: u32 = 1024;
/// The newest messages of the person's side that end what is cached. The last is where the next request will go on, the
/// one before it where this one does, even if more blocks lie between them than the cache looks back.
const CACHED_MESSAGES: usize = 2;

/// A way in which a model or server differs, learnt from its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    NoTemperature,
    /// Models before Claude 4.6 think within a budget; later ones decide for themselves how much.
    BudgetThinking,
    /// Thoughts come as the model's kind gives them, which may be not at all.
    NoDisplay,
    /// Nothing may be said about thinking.
    NoThinking,
}

impl http::Quirk for Quirk {
    fn learnt(refusal: &str, sent: &Value) -> Option<Self> {
        let words = refusal.to_lowercase();
        let any = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
        // What is merely a wrong value is the configuration's mistake and stays an error.
        let unsupported = any(&["support", "deprecated", "not permitted", "unrecognized", "unknown", "does not match"]);
        if sent.get("temperature").is_some() && words.contains("temperature") && unsupported {
            return Some(Self::NoTemperature);
        }
        if !unsupported {
            return None;
        }
        match sent.pointer("/thinking/type")?.as_str()? {
            "adaptive" if any(&["display"]) && sent.pointer("/thinking/display").is_some() => Some(Self::NoDisplay),
            "adaptive" if any(&["thinking", "adaptive", "effort", "output_config"]) => Some(Self::BudgetThinking),
            "enabled" | "disabled" if any(&["thinking"]) => Some(Self::NoThinking),
            _ => None,
        }
    }
}

/// What the request says about thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thinking<'a> {
    /// Nothing; the newest models then think as they see fit.
    Unsaid,
    Off,
    Adaptive {
        effort: &'a str,
    },
    /// In tokens, beside those of the answer.
    Budget(u32),
}

impl<'a> Thinking<'a> {
    fn of(settings: &'a Settings, quirks: &BTreeSet<Quirk>) -> Self {
        match settings.effort() {
            None => Self::Unsaid,
            _ if quirks.contains(&Quirk::NoThinking) => Self::Unsaid,
            Some("none" | "off") => Self::Off,
            Some(effort) if quirks.contains(&Quirk::BudgetThinking) => Self::Budget(budget(effort)),
            Some("minimal") => Self::Adaptive { effort: "low" },
            Some(effort) => Self::Adaptive { effort },
        }
    }
}

fn budget(effort: &str) -> u32 {
    match effort {
        "minimal" | "low" => 4_000,
        "medium" => 10_000,
        _ => 20_000,
    }
}

/// The body without the tools. `most_output` is the most that the model gives in one answer, where its server states it.
pub fn body(
    request: &ModelRequest,
    wire: &Wire,
    settings: &Settings,
    most_output: Option<u32>,
    memory: &Memory,
    quirks: &BTreeSet<Quirk>,
) -> Value {
    let wanted = Thinking::of(settings, quirks);
    let fits = !matches!(wanted, Thinking::Budget(_)) || begins_with_thoughts(request, memory);
    let thinks = fits && wanted != Thinking::Off;
    let (max_tokens, thinking) =
        share_out(settings.max_tokens, most_output, if fits { wanted } else { Thinking::Unsaid });
    let mut body = Map::new();
    body.insert("model".into(), json!(settings.model));
    body.insert("max_tokens".into(), json!(max_tokens));
    body.insert("stream".into(), json!(true));
    if !request.system.trim().is_empty() {
        let text = json!({"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}});
        body.insert("system".into(), json!([text]));
    }
    // Thoughts are refused where thinking is off.
    let recall = |text: &str, calls: &[_]| thinks.then(|| memory.recall(text, calls)).flatten();
    let mut messages = conversation::messages(request, wire, recall);
    cache(&mut messages);
    body.insert("messages".into(), messages.into());
    match thinking {
        Thinking::Unsaid => {}
        Thinking::Off => drop(body.insert("thinking".into(), json!({"type": "disabled"}))),
        Thinking::Budget(tokens) => {
            body.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": tokens}));
        }
        Thinking::Adaptive { effort } => {
            // The newest models keep their thoughts to themselves unless asked.
            let shown = json!({"type": "adaptive", "display": "summarized"});
            let silent = json!({"type": "adaptive"});
            body.insert("thinking".into(), if quirks.contains(&Quirk::NoDisplay) { silent } else { shown });
            body.insert("output_config".into(), json!({"effort": effort}));
        }
    }
    // A model that thinks within a budget, or as it likes, takes no temperature.
    let free = matches!(thinking, Thinking::Unsaid | Thinking::Off) && !quirks.contains(&Quirk::NoTemperature);
    if let Some(temperature) = settings.temperature.filter(|_| free) {
        body.insert("temperature".into(), json!(temperature));
    }
    Value::Object(body)
}

/// A budget for thoughts is refused where the running turn began without any, as after a switch in its midst: the whole
/// turn must be of one kind.
fn begins_with_thoughts(request: &ModelRequest, memory: &Memory) -> bool {
    let running = request.messages.get(turn_start(&request.messages)..).unwrap_or_default();
    let first = running.iter().find_map(|message| match message {
        ChatMessage::Assistant { text, calls } if !calls.is_empty() => Some((text, calls)),
        _ => None,
    });
    first.is_none_or(|(text, calls)| memory.recall(text, calls).is_some())
}

/// `max_tokens`, and the thoughts that fit into it.
fn share_out(configured: Option<u32>, most: Option<u32>, thinking: Thinking<'_>) -> (u32, Thinking<'_>) {
    let usual = match (most, thinking) {
        (Some(_), _) | (None, Thinking::Adaptive { .. }) => AMPLE_OUTPUT,
        (None, _) => PLAIN_OUTPUT,
    };
    let most = most.unwrap_or(u32::MAX);
    let answer = configured.unwrap_or_else(|| usual.min(most));
    let Thinking::Budget(budget) = thinking else { return (answer, thinking) };
    let total = answer.saturating_add(budget).min(most.max(answer));
    let budget = budget.min(total.saturating_sub(LEAST_BUDGET));
    if budget < LEAST_BUDGET { (answer, Thinking::Unsaid) } else { (total, Thinking::Budget(budget)) }
}

pub fn tools(specs: &[ToolSpec], wire: &Wire) -> Value {
    let mut tools: Vec<Value> = specs
        .iter()
        .map(|ToolSpec { name, description, parameters }| {
            let mut schema = parameters.clone();
            // The API insists on it; some tools of other makers leave it out.
            if let Some(fields) = schema.as_object_mut() {
                fields.entry("type").or_insert_with(|| json!("object"));
            }
            json!({"name": wire.names.wire(name), "description": description, "input_schema": schema})
        })
        .collect();
    // What comes first on the wire is cached first: tools are the same in all sessions.
    tools.last_mut().into_iter().for_each(mark);
    tools.into()
}

fn cache(messages: &mut [Value]) {
    let persons = messages.iter_mut().rev().filter(|message| message["role"] == "user");
    for message in persons.take(CACHED_MESSAGES) {
        message["content"].as_array_mut().and_then(|blocks| blocks.last_mut()).into_iter().for_each(mark);
    }
}

/// Everything up to and with this block is kept by the server for some minutes; the next request pays a tenth for it.
fn mark(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
