//! The body of a chat request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    agent::ports::model::{ChatMessage, ModelRequest, ToolSpec},
    models::http::{self, Settings, WireNames, wording},
    protocol::ToolCall,
};

/// A way in which a model or server differs, learnt from its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// Thinking is on or off, without a word for how much.
    NoEffort,
    /// Nothing may be said about thinking: the model can't.
    NoThinking,
}

impl http::Quirk for Quirk {
    fn learnt(refusal: &str, sent: &Value) -> Option<Self> {
        let words = refusal.to_lowercase();
        match sent.get("think")? {
            _ if words.contains("does not support thinking") => Some(Self::NoThinking),
            Value::String(_) if words.contains("think") => Some(Self::NoEffort),
            _ => None,
        }
    }
}

/// The body without the tools. `window` is the size that the model is to have, in tokens. Without it Ollama takes one of its own and silently leaves
/// out the beginning of what is longer.
pub fn body(
    request: &ModelRequest,
    names: &WireNames,
    settings: &Settings,
    window: u64,
    quirks: &BTreeSet<Quirk>,
) -> Value {
    let mut options = Map::from_iter([("num_ctx".into(), json!(window))]);
    if let Some(limit) = settings.max_tokens {
        options.insert("num_predict".into(), json!(limit));
    }
    if let Some(temperature) = settings.temperature {
        options.insert("temperature".into(), json!(temperature));
    }
    let mut body = Map::new();
    body.insert("model".into(), json!(settings.model));
    body.insert("messages".into(), messages(request, names));
    body.insert("stream".into(), json!(true));
    body.insert("options".into(), options.into());
    if let Some(think) = think(settings, quirks) {
        body.insert("think".into(), think);
    }
    Value::Object(body)
}

/// Unless it is configured, the model does as it is made.
fn think(settings: &Settings, quirks: &BTreeSet<Quirk>) -> Option<Value> {
    let effort = settings.effort().filter(|_| !quirks.contains(&Quirk::NoThinking))?;
    Some(match effort {
        "none" | "off" => json!(false),
        "low" | "medium" | "high" if !quirks.contains(&Quirk::NoEffort) => json!(effort),
        _ => json!(true),
    })
}

pub fn tools(specs: &[ToolSpec], names: &WireNames) -> Value {
    let tool = |ToolSpec { name, description, parameters }: &ToolSpec| json!({"type": "function", "function": {"name": names.wire(name), "description": description, "parameters": parameters}});
    specs.iter().map(tool).collect()
}

fn messages(request: &ModelRequest, names: &WireNames) -> Value {
    let system = (!request.system.is_empty()).then(|| json!({"role": "system", "content": request.system}));
    system.into_iter().chain(request.messages.iter().filter_map(|row| message(row, names))).collect()
}

/// `None` for an assistant row that says nothing.
fn message(row: &ChatMessage, names: &WireNames) -> Option<Value> {
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
            let calls: Vec<Value> = calls.iter().map(|made| call(made, names)).collect();
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        ChatMessage::Pictures(pictures) => {
            let names: Vec<String> = pictures.iter().map(|picture| wording::picture(&picture.name)).collect();
            let images: Vec<String> = pictures.iter().map(|picture| wording::base64(&picture.bytes)).collect();
            json!({"role": "user", "content": wording::note(&names.join(" ")), "images": images})
        }
        ChatMessage::Tool { call_id, name, success, content } => json!({
            "role": "tool",
            "tool_name": names.wire(name),
            "tool_call_id": call_id,
            "content": wording::result(*success, content),
        }),
    })
}

/// The arguments are an object here, not a text.
fn call(call: &ToolCall, names: &WireNames) -> Value {
    let arguments = wording::arguments(&call.arguments);
    json!({"id": call.id, "type": "function", "function": {"name": names.wire(&call.name), "arguments": arguments}})
}

#[cfg(test)]
mod tests {
    use super::{http::Quirk as _, *};
    use crate::models::http::testing::{call as made, settings};

    fn sent(settings: &Settings, request: &ModelRequest, quirks: &[Quirk]) -> Value {
        let names = WireNames::new(request.tools.iter().map(|tool| tool.name.as_str()));
        body(request, &names, settings, 8192, &quirks.iter().copied().collect())
    }

    #[test]
    fn the_window_is_always_sent_and_the_rest_where_it_is_configured() {
        let request = ModelRequest { system: "S".into(), ..ModelRequest::default() };
        let expected = json!({"model": "local", "messages": [{"role": "system", "content": "S"}], "stream": true, "options": {"num_ctx": 8192}});
        assert_eq!(sent(&settings("http://h"), &request, &[]), expected);

        let configured = Settings { max_tokens: Some(100), temperature: Some(0.5), ..settings("http://h") };
        let options = json!({"num_ctx": 8192, "num_predict": 100, "temperature": 0.5});
        assert_eq!(sent(&configured, &request, &[])["options"], options);
    }

    #[test]
    fn thinking_is_asked_for_in_the_words_that_the_server_takes() {
        let think = |effort: &str, quirks: &[Quirk]| {
            let settings = Settings { reasoning_effort: Some(effort.into()), ..settings("http://h") };
            sent(&settings, &ModelRequest::default(), quirks).get("think").cloned()
        };
        assert_eq!(think("high", &[]), Some(json!("high")));
        assert_eq!(think("max", &[]), Some(json!(true)));
        assert_eq!(think("none", &[]), Some(json!(false)));
        assert_eq!(think("", &[]), None);
        assert_eq!(think("high", &[Quirk::NoEffort]), Some(json!(true)));
        assert_eq!(think("high", &[Quirk::NoThinking]), None);
    }

    #[test]
    fn refusals_teach_of_what_was_sent() {
        let cannot = r#"{"error":"\"llama3.2\" does not support thinking"}"#;
        let old = r#"{"error":"json: cannot unmarshal string into Go struct field ChatRequest.think of type bool"}"#;
        assert_eq!(Quirk::learnt(cannot, &json!({"think": true})), Some(Quirk::NoThinking));
        assert_eq!(Quirk::learnt(old, &json!({"think": "high"})), Some(Quirk::NoEffort));
        assert_eq!(Quirk::learnt(cannot, &json!({})), None);
        assert_eq!(Quirk::learnt("think", &json!({"think": true})), None);
    }

    #[test]
    fn arguments_are_objects_and_results_name_their_tool() {
        let calls = vec![made("c1", "mcp.a.read", r#"{"p":1}"#), made("c2", "read", r#"{"p":"#)];
        let tool = |id: &str, name: &str, success, content: &str| ChatMessage::Tool {
            call_id: id.into(),
            name: name.into(),
            success,
            content: content.into(),
        };
        let request = ModelRequest {
            messages: vec![
                ChatMessage::User("Hi".into()),
                ChatMessage::Assistant { text: String::new(), calls },
                tool("c1", "mcp.a.read", true, "ok"),
                tool("c2", "read", false, ""),
                ChatMessage::Assistant { text: " ".into(), calls: Vec::new() },
                ChatMessage::Note("Be brief.".into()),
            ],
            ..ModelRequest::default()
        };
        let function = |name, arguments| json!({"name": name, "arguments": arguments});
        let expected = json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "c1", "type": "function", "function": function("mcp_a_read", json!({"p": 1}))},
                {"id": "c2", "type": "function", "function": function("read", json!({"malformed_arguments": "{\"p\":"}))},
            ]},
            {"role": "tool", "tool_name": "mcp_a_read", "tool_call_id": "c1", "content": "ok"},
            {"role": "tool", "tool_name": "read", "tool_call_id": "c2", "content": "Error: the tool failed without saying why"},
            {"role": "user", "content": "Note from the program, not from the person: Be brief."},
        ]);
        assert_eq!(sent(&settings("http://h"), &request, &[])["messages"], expected);
    }
}
