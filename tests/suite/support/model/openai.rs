//! Chat completions, as OpenAI and most other servers stream them.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::wire::{INPUT, OUTPUT, Writer, messages};

#[derive(Default)]
pub struct Answer {
    calls: usize,
}

impl Writer for Answer {
    fn begin(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn text(&mut self, text: &str) -> Vec<String> {
        vec![data(&delta(&json!({"content": text})))]
    }

    fn counted(&mut self, text: &str, input: u64, output: u64) -> Vec<String> {
        let mut piece = delta(&json!({"content": text}));
        piece["usage"] = usage(input, output);
        vec![data(&piece)]
    }

    fn thinking(&mut self, text: &str) -> Vec<String> {
        vec![data(&delta(&json!({"reasoning_content": text})))]
    }

    /// The name first, then the arguments bit by bit.
    fn call(&mut self, id: &str, name: &str, arguments: &str) -> Vec<String> {
        let index = self.calls;
        self.calls += 1;
        let middle = arguments.char_indices().nth(arguments.chars().count() / 2).map_or(0, |(at, _)| at);
        let (first, second) = arguments.split_at(middle);
        let begin = json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
        let more = |text: &str| json!({"index": index, "function": {"arguments": text}});
        [begin, more(first), more(second)].map(|call| data(&delta(&json!({"tool_calls": [call]})))).into()
    }

    fn failure(&mut self, error: &Value) -> Vec<String> {
        vec![data(&json!({"error": error}))]
    }

    fn end(&mut self) -> Vec<String> {
        let reason = if self.calls > 0 { "tool_calls" } else { "stop" };
        let last = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
        let counted = json!({"choices": [], "usage": usage(INPUT, OUTPUT)});
        vec![data(&last), data(&counted), "data: [DONE]\n\n".into()]
    }
}

fn usage(input: u64, output: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn delta(delta: &Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}

/// An unknown role, a call without its result right behind it, a result without its call.
pub fn check(body: &Value) -> Result<(), String> {
    let mut open: VecDeque<&str> = VecDeque::new();
    for (index, message) in messages(body)?.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            return Err(format!("the calls {open:?} have no result before message {index}"));
        }
        match role {
            "system" if index == 0 => {}
            "user" if message["content"].is_string() || message["content"].is_array() => {}
            "assistant" => {
                let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
                open.extend(calls.iter().map(|call| call["id"].as_str().unwrap_or_default()));
                for call in calls {
                    let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                    serde_json::from_str::<Map<String, Value>>(arguments)
                        .map_err(|error| format!("arguments of message {index} are no object: {error}"))?;
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if open.pop_front() != Some(id) {
                    return Err(format!("message {index} answers {id}, which was not asked for there"));
                }
            }
            other => return Err(format!("message {index} has the role {other:?}")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("the calls {open:?} have no result")) }
}

#[test]
fn a_conversation_with_a_missing_or_foreign_result_is_noticed() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}});
    let asks = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": ""});
    let user = json!({"role": "user", "content": "hello"});
    let check = |messages: Vec<&Value>| check(&json!({"messages": messages}));
    assert_eq!(check(vec![&user, &asks, &result("a"), &user]), Ok(()));
    assert!(check(vec![&user, &asks]).is_err());
    assert!(check(vec![&user, &asks, &user, &result("a")]).is_err());
    assert!(check(vec![&user, &asks, &result("b")]).is_err());
    assert!(check(vec![&user, &asks, &result("a"), &result("a")]).is_err());
    assert!(check(vec![&json!({"role": "robot"})]).is_err());
}
