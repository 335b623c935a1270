//! The body of a chat completion request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    agent::ports::model::{ChatMessage, ModelRequest, Picture, ToolSpec},
    models::http::{self, Settings, WireNames, wording},
    protocol::ToolCall,
};

/// A way in which a server differs, learnt from its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    NoStreamOptions,
    /// The limit is named `max_completion_tokens`, as OpenAI's reasoning models want it.
    MaxCompletionTokens,
    NoTemperature,
    /// Old calls must come with the thoughts that led to them, as Kimi and DeepSeek want it.
    Thoughts,
}

impl http::Quirk for Quirk {
    fn learnt(refusal: &str, sent: &Value) -> Option<Self> {
        let words = refusal.to_lowercase();
        let named = |field: &str| sent.get(field).is_some() && words.contains(field);
        if named("stream_options") {
            return Some(Self::NoStreamOptions);
        }
        if sent.get("max_tokens").is_some() && words.contains("max_completion_tokens") {
            return Some(Self::MaxCompletionTokens);
        }
        // A temperature that is merely out of range is the configuration's mistake and stays an error.
        let unsupported = ["support", "deprecated", "not permitted", "unrecognized", "unknown"];
        if named("temperature") && unsupported.iter().any(|word| words.contains(word)) {
            return Some(Self::NoTemperature);
        }
        let rows = sent.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let bare = |row: &Value| row.get("tool_calls").is_some() && row.get("reasoning_content").is_none();
        (words.contains("reasoning_content") && rows.iter().any(bare)).then_some(Self::Thoughts)
    }
}

/// The body without the tools.
pub fn body(request: &ModelRequest, names: &WireNames, settings: &Settings, quirks: &BTreeSet<Quirk>) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(settings.model));
    body.insert("messages".into(), messages(request, names, quirks));
    body.insert("stream".into(), json!(true));
    if !quirks.contains(&Quirk::NoStreamOptions) {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    if let Some(limit) = settings.max_tokens {
        let renamed = quirks.contains(&Quirk::MaxCompletionTokens);
        body.insert(if renamed { "max_completion_tokens" } else { "max_tokens" }.into(), json!(limit));
    }
    if let Some(temperature) = settings.temperature.filter(|_| !quirks.contains(&Quirk::NoTemperature)) {
        body.insert("temperature".into(), json!(temperature));
    }
    if let Some(effort) = settings.effort() {
        body.insert("reasoning_effort".into(), json!(effort));
    }
    Value::Object(body)
}

pub fn tools(specs: &[ToolSpec], names: &WireNames) -> Value {
    let tool = |ToolSpec { name, description, parameters }: &ToolSpec| json!({"type": "function", "function": {"name": names.wire(name), "description": description, "parameters": parameters}});
    specs.iter().map(tool).collect()
}

fn messages(request: &ModelRequest, names: &WireNames, quirks: &BTreeSet<Quirk>) -> Value {
    let system = (!request.system.is_empty()).then(|| json!({"role": "system", "content": request.system}));
    system.into_iter().chain(request.messages.iter().filter_map(|row| message(row, names, quirks))).collect()
}

/// `None` for an assistant row that says nothing: servers refuse it.
fn message(row: &ChatMessage, names: &WireNames, quirks: &BTreeSet<Quirk>) -> Option<Value> {
    Some(match row {
        ChatMessage::User(text) => json!({"role": "user", "content": text}),
        ChatMessage::Note(text) => json!({"role": "user", "content": wording::note(text)}),
        ChatMessage::Assistant { text, calls } if calls.is_empty() => {
            if text.trim().is_empty() {
                return None;
            }
            json!({"role": "assistant", "content": text})
        }
        ChatMessage::Assistant { text, calls } => {
            let content = (!text.is_empty()).then_some(text);
            let calls: Vec<Value> = calls.iter().map(|made| call(made, names)).collect();
            let mut row = json!({"role": "assistant", "content": content, "tool_calls": calls});
            if quirks.contains(&Quirk::Thoughts) {
                // The thoughts are not kept; a space stands for them, since some servers take an empty text for none.
                row["reasoning_content"] = json!(" ");
            }
            row
        }
        ChatMessage::Pictures(pictures) => {
            let parts: Vec<Value> = pictures.iter().flat_map(picture).collect();
            json!({"role": "user", "content": parts})
        }
        ChatMessage::Tool { call_id, success, content, .. } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": wording::result(*success, content)})
        }
    })
}

/// A tool's result may hold text alone, so pictures come as if the person had sent them.
fn picture(picture: &Picture) -> [Value; 2] {
    let url = format!("data:{};base64,{}", picture.media_type, wording::base64(&picture.bytes));
    let name = json!({"type": "text", "text": wording::note(&wording::picture(&picture.name))});
    [name, json!({"type": "image_url", "image_url": {"url": url}})]
}

fn call(call: &ToolCall, names: &WireNames) -> Value {
    let function = json!({"name": names.wire(&call.name), "arguments": arguments(&call.arguments)});
    json!({"id": call.id, "type": "function", "function": function})
}

/// As the model wrote them where they can be read: some servers' caches go by the letters.
fn arguments(text: &str) -> String {
    if serde_json::from_str::<Map<String, Value>>(text).is_ok() {
        return text.to_owned();
    }
    Value::Object(wording::arguments(text)).to_string()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
