//! Anthropic's Messages API.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::wire::{CACHED, INPUT, OUTPUT, Writer, messages};

/// The most blocks that may end what is cached.
const MOST_MARKS: usize = 4;

/// The content blocks so far, and the one that is being written.
#[derive(Default)]
pub struct Answer {
    blocks: usize,
    open: Option<Open>,
    calls: usize,
}

enum Open {
    Text,
    /// With all that was thought in it.
    Thinking(String),
}

/// By which the server knows a thought of its own again.
pub fn signature(thought: &str) -> String {
    format!("signed: {thought}")
}

impl Answer {
    fn start(&mut self, block: &Value) -> String {
        event(&json!({"type": "content_block_start", "index": self.blocks, "content_block": block}))
    }

    fn delta(&self, delta: &Value) -> String {
        event(&json!({"type": "content_block_delta", "index": self.blocks, "delta": delta}))
    }

    fn stop(&mut self) -> String {
        let index = self.blocks;
        self.blocks += 1;
        event(&json!({"type": "content_block_stop", "index": index}))
    }

    fn close(&mut self) -> Vec<String> {
        match self.open.take() {
            None => Vec::new(),
            Some(Open::Text) => vec![self.stop()],
            Some(Open::Thinking(thought)) => {
                let signature = self.delta(&json!({"type": "signature_delta", "signature": signature(&thought)}));
                vec![signature, self.stop()]
            }
        }
    }
}

impl Writer for Answer {
    fn begin(&mut self) -> Vec<String> {
        let usage = json!({
            "input_tokens": INPUT - CACHED - 1, "cache_creation_input_tokens": 1, "cache_read_input_tokens": CACHED,
            "output_tokens": 1,
        });
        let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": usage});
        vec![event(&json!({"type": "message_start", "message": message})), event(&json!({"type": "ping"}))]
    }

    fn text(&mut self, text: &str) -> Vec<String> {
        let mut said = Vec::new();
        if !matches!(self.open, Some(Open::Text)) {
            said = self.close();
            said.push(self.start(&json!({"type": "text", "text": ""})));
            self.open = Some(Open::Text);
        }
        said.push(self.delta(&json!({"type": "text_delta", "text": text})));
        said
    }

    fn thinking(&mut self, text: &str) -> Vec<String> {
        let mut said = Vec::new();
        if !matches!(self.open, Some(Open::Thinking(_))) {
            said = self.close();
            said.push(self.start(&json!({"type": "thinking", "thinking": "", "signature": ""})));
            self.open = Some(Open::Thinking(String::new()));
        }
        if let Some(Open::Thinking(thought)) = &mut self.open {
            thought.push_str(text);
        }
        said.push(self.delta(&json!({"type": "thinking_delta", "thinking": text})));
        said
    }

    fn call(&mut self, id: &str, name: &str, arguments: &str) -> Vec<String> {
        self.calls += 1;
        let mut said = self.close();
        said.push(self.start(&json!({"type": "tool_use", "id": id, "name": name, "input": {}})));
        let middle = arguments.char_indices().nth(arguments.chars().count() / 2).map_or(0, |(at, _)| at);
        let (first, second) = arguments.split_at(middle);
        let pieces =
            [first, second].map(|piece| self.delta(&json!({"type": "input_json_delta", "partial_json": piece})));
        said.extend(pieces);
        said.push(self.stop());
        said
    }

    fn failure(&mut self, error: &Value) -> Vec<String> {
        vec![event(&json!({"type": "error", "error": error}))]
    }

    fn end(&mut self) -> Vec<String> {
        let mut said = self.close();
        let reason = if self.calls > 0 { "tool_use" } else { "end_turn" };
        let (delta, usage) = (json!({"stop_reason": reason}), json!({"output_tokens": OUTPUT}));
        said.push(event(&json!({"type": "message_delta", "delta": delta, "usage": usage})));
        said.push(event(&json!({"type": "message_stop"})));
        said
    }
}

fn event(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

/// The type of error that goes with a status.
pub fn error_type(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

/// Sides that don't take turns, a block that says nothing, a thought that was changed, a call whose results are not the
/// first that comes after it.
pub fn check(headers: &HeaderMap, body: &Value) -> Result<(), String> {
    if headers.get("anthropic-version").is_none() {
        return Err("the version of the API is not named".into());
    }
    if !body["max_tokens"].is_u64() {
        return Err("the limit of the answer is missing".into());
    }
    if marks(body) > MOST_MARKS {
        return Err(format!("more than {MOST_MARKS} blocks are marked for the cache"));
    }
    let mut open: Vec<&str> = Vec::new();
    let mut side = "user";
    for (index, message) in messages(body)?.iter().enumerate() {
        if message["role"] != side {
            return Err(format!("message {index} is not of the side {side}"));
        }
        let blocks = message["content"].as_array().ok_or_else(|| format!("message {index} has no blocks"))?;
        let results: Vec<&str> = ids(blocks, "tool_result", "tool_use_id");
        if results != open || blocks.iter().take(results.len()).any(|block| block["type"] != "tool_result") {
            return Err(format!("message {index} answers {results:?} where {open:?} were asked for"));
        }
        blocks
            .iter()
            .try_for_each(|block| check_block(side, block))
            .map_err(|why| format!("message {index}: {why}"))?;
        open = ids(blocks, "tool_use", "id");
        side = if side == "user" { "assistant" } else { "user" };
    }
    // The model's turn is next.
    if side == "assistant" { Ok(()) } else { Err("the conversation does not end on the person's side".into()) }
}

fn ids<'a>(blocks: &'a [Value], kind: &str, key: &str) -> Vec<&'a str> {
    blocks.iter().filter(|block| block["type"] == kind).map(|block| block[key].as_str().unwrap_or_default()).collect()
}

fn check_block(side: &str, block: &Value) -> Result<(), String> {
    let says = |key: &str| block[key].as_str().is_some_and(|text| !text.trim().is_empty());
    match (side, block["type"].as_str().unwrap_or_default()) {
        (_, "text") if says("text") => Ok(()),
        ("user", "image") => Ok(()),
        ("user", "tool_result") if block["is_error"] != true || says("content") => Ok(()),
        ("assistant", "tool_use") if block["input"].is_object() && is_name(&block["id"]) && is_name(&block["name"]) => {
            Ok(())
        }
        ("assistant", "thinking") => {
            let thought = block["thinking"].as_str().ok_or("a thought without words")?;
            (block["signature"] == signature(thought)).then_some(()).ok_or_else(|| format!("changed: {block}"))
        }
        _ => Err(format!("the {side}'s side can't hold {block}")),
    }
}

fn is_name(text: &Value) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.as_str().is_some_and(|text| !text.is_empty() && text.chars().all(fits))
}

fn marks(value: &Value) -> usize {
    match value {
        Value::Object(map) => usize::from(map.contains_key("cache_control")) + map.values().map(marks).sum::<usize>(),
        Value::Array(items) => items.iter().map(marks).sum(),
        _ => 0,
    }
}

#[test]
fn what_the_api_refuses_is_noticed() {
    let headers = HeaderMap::from_iter([("anthropic-version".parse().unwrap(), "2023-06-01".parse().unwrap())]);
    let text = |role: &str, text: &str| json!({"role": role, "content": [{"type": "text", "text": text}]});
    let (user, answer) = (text("user", "hello"), text("assistant", "Hi."));
    let asks = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "x", "input": {}}]});
    let result = |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id}]});
    let late = json!({"role": "user", "content": [user["content"][0], result("a")["content"][0]]});
    let thinks = |signed: &str| {
        let thought = json!({"type": "thinking", "thinking": "Hm.", "signature": signature(signed)});
        json!({"role": "assistant", "content": [thought, asks["content"][0]]})
    };
    let whole = |messages: &[&Value]| json!({"max_tokens": 1, "messages": messages});
    let check = |messages: &[&Value]| super::anthropic::check(&headers, &whole(messages));
    assert_eq!(check(&[&user, &answer, &user, &asks, &result("a")]), Ok(()));
    assert_eq!(check(&[&user, &thinks("Hm."), &result("a")]), Ok(()));
    for wrong in [
        vec![&answer, &user],
        vec![&user, &user],
        vec![&user, &answer],
        vec![&text("user", " ")],
        vec![&user, &asks, &user],
        vec![&user, &asks, &result("b")],
        vec![&user, &answer, &result("a")],
        vec![&user, &asks, &late],
        vec![&user, &thinks("Oh."), &result("a")],
    ] {
        assert!(check(&wrong).is_err(), "{wrong:?}");
    }
    assert!(super::anthropic::check(&HeaderMap::new(), &whole(&[&user])).is_err());
    let marked = json!({"cache_control": {}, "blocks": vec![json!({"cache_control": {}}); 4]});
    assert_eq!(marks(&marked), 5);
}
