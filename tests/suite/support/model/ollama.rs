//! Ollama's own API: a document a line, calls whole and with their arguments as objects.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::wire::{INPUT, OUTPUT, Writer, messages};

pub struct Answer;

impl Writer for Answer {
    fn begin(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn text(&mut self, text: &str) -> Vec<String> {
        vec![line(&json!({"role": "assistant", "content": text}))]
    }

    fn thinking(&mut self, text: &str) -> Vec<String> {
        vec![line(&json!({"role": "assistant", "content": "", "thinking": text}))]
    }

    /// Without an id: those of the server say nothing beyond one answer.
    fn call(&mut self, _id: &str, name: &str, arguments: &str) -> Vec<String> {
        let arguments: Value = serde_json::from_str(arguments).expect("this form has no arguments but objects");
        let call = json!({"function": {"name": name, "arguments": arguments}});
        vec![line(&json!({"role": "assistant", "content": "", "tool_calls": [call]}))]
    }

    fn failure(&mut self, error: &Value) -> Vec<String> {
        vec![format!("{}\n", json!({"error": error["message"]}))]
    }

    fn end(&mut self) -> Vec<String> {
        let counts = json!({
            "model": "scripted-1", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop",
            "prompt_eval_count": INPUT, "eval_count": OUTPUT,
        });
        vec![format!("{counts}\n")]
    }
}

fn line(message: &Value) -> String {
    format!("{}\n", json!({"model": "scripted-1", "message": message, "done": false}))
}

/// No window, an unknown role, arguments that are no object, a call without its result right behind it.
pub fn check(body: &Value) -> Result<(), String> {
    if body["options"]["num_ctx"].as_u64().unwrap_or_default() == 0 {
        return Err("the size of the window is missing".into());
    }
    let mut open: VecDeque<&str> = VecDeque::new();
    for (index, message) in messages(body)?.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if !message["content"].is_string() {
            return Err(format!("message {index} has no text"));
        }
        if role != "tool" && !open.is_empty() {
            return Err(format!("the calls {open:?} have no result before message {index}"));
        }
        match role {
            "system" if index == 0 => {}
            "user" => {}
            "assistant" => {
                let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
                if calls.iter().any(|call| !call["function"]["arguments"].is_object()) {
                    return Err(format!("arguments of message {index} are no object"));
                }
                open.extend(calls.iter().map(|call| call["function"]["name"].as_str().unwrap_or_default()));
            }
            "tool" => {
                let name = message["tool_name"].as_str().unwrap_or_default();
                if open.pop_front() != Some(name) {
                    return Err(format!("message {index} is of {name}, which was not asked for there"));
                }
            }
            other => return Err(format!("message {index} has the role {other:?}")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("the calls {open:?} have no result")) }
}

#[test]
fn what_ollama_would_take_wrongly_is_noticed() {
    let asks = |arguments: Value| {
        let call = json!({"function": {"name": "x", "arguments": arguments}});
        json!({"role": "assistant", "content": "", "tool_calls": [call]})
    };
    let result = |name: &str| json!({"role": "tool", "tool_name": name, "content": ""});
    let user = json!({"role": "user", "content": "hello"});
    let check = |messages: &[&Value]| check(&json!({"options": {"num_ctx": 1}, "messages": messages}));
    assert_eq!(check(&[&user, &asks(json!({})), &result("x"), &user]), Ok(()));
    for wrong in [
        vec![&user, &asks(json!("{}")), &result("x")],
        vec![&user, &asks(json!({}))],
        vec![&user, &asks(json!({})), &user],
        vec![&user, &asks(json!({})), &result("y")],
        vec![&json!({"role": "user", "content": null})],
        vec![&json!({"role": "robot", "content": ""})],
    ] {
        assert!(check(&wrong).is_err(), "{wrong:?}");
    }
    assert!(super::ollama::check(&json!({"messages": [user]})).is_err(), "no window");
}
