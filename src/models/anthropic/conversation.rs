//! The messages of a conversation in Anthropic's form.
//!
//! Person and model take turns there, so what stands next to each other on one side becomes one message: the results of
//! a batch, then what the person says. The program's notes speak from the person's side, marked as notes; `system` is
//! the system prompt's alone.

use serde_json::{Map, Value, json};

use crate::{
    agent::ports::model::{ChatMessage, ModelRequest, Picture},
    models::http::{WireNames, wording},
    protocol::ToolCall,
};

/// The names of one request as the wire allows them.
pub struct Wire {
    /// Of tools.
    pub names: WireNames,
    /// Of calls: another provider's may hold characters that are refused here.
    pub ids: WireNames,
}

impl Wire {
    pub fn new(request: &ModelRequest) -> Self {
        let calls = request.messages.iter().flat_map(|message| match message {
            ChatMessage::Assistant { calls, .. } => calls.as_slice(),
            _ => &[],
        });
        Self {
            names: WireNames::new(request.tools.iter().map(|tool| tool.name.as_str())),
            ids: WireNames::new(calls.map(|call| call.id.as_str())),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Person,
    Model,
}

/// `recall` gives the blocks that the server itself sent for a message of the running turn, thoughts and all.
pub fn messages(
    request: &ModelRequest,
    wire: &Wire,
    recall: impl Fn(&str, &[ToolCall]) -> Option<Vec<Value>>,
) -> Vec<Value> {
    let running = turn_start(&request.messages);
    let mut sides: Vec<(Side, Vec<Value>)> = Vec::new();
    for (index, message) in request.messages.iter().enumerate() {
        let (side, blocks) = match message {
            ChatMessage::User(said) => (Side::Person, text(said.clone())),
            ChatMessage::Note(said) => (Side::Person, text(wording::note(said))),
            ChatMessage::Tool { call_id, success, content, .. } => {
                (Side::Person, vec![result(&wire.ids.wire(call_id), *success, content)])
            }
            ChatMessage::Pictures(pictures) => (Side::Person, pictures.iter().flat_map(picture).collect()),
            ChatMessage::Assistant { text: said, calls } => {
                let recalled = (index > running).then(|| recall(said, calls)).flatten();
                (Side::Model, recalled.unwrap_or_else(|| rebuilt(said, calls, wire)))
            }
        };
        match sides.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, before)) if *last == side => before.extend(blocks),
            _ => sides.push((side, blocks)),
        }
    }
    // The person's side begins and ends every request.
    if sides.first().is_none_or(|(side, _)| *side == Side::Model) {
        let note = "The beginning of the conversation is left out here.";
        sides.insert(0, (Side::Person, text(wording::note(note))));
    }
    if sides.last().is_some_and(|(side, _)| *side == Side::Model) {
        sides.push((Side::Person, text(wording::note("Go on."))));
    }
    sides.into_iter().map(|(side, blocks)| json!({"role": side.role(), "content": blocks})).collect()
}

/// Where the turn began that is running: at the last message of the person.
pub fn turn_start(messages: &[ChatMessage]) -> usize {
    messages.iter().rposition(|message| matches!(message, ChatMessage::User(_))).unwrap_or_default()
}

impl Side {
    fn role(self) -> &'static str {
        match self {
            Self::Person => "user",
            Self::Model => "assistant",
        }
    }
}

/// No block at all for a blank text: the API refuses it.
fn text(said: String) -> Vec<Value> {
    if said.trim().is_empty() { Vec::new() } else { vec![json!({"type": "text", "text": said})] }
}

fn picture(picture: &Picture) -> [Value; 2] {
    let data = wording::base64(&picture.bytes);
    let source = json!({"type": "base64", "media_type": picture.media_type, "data": data});
    [json!({"type": "text", "text": wording::picture(&picture.name)}), json!({"type": "image", "source": source})]
}

fn result(id: &str, success: bool, content: &str) -> Value {
    let mut block = Map::from_iter([("type".into(), json!("tool_result")), ("tool_use_id".into(), json!(id))]);
    if !success {
        block.insert("content".into(), json!(wording::fault(content)));
        block.insert("is_error".into(), json!(true));
    } else if !content.trim().is_empty() {
        block.insert("content".into(), json!(content));
    }
    Value::Object(block)
}

fn rebuilt(said: &str, calls: &[ToolCall], wire: &Wire) -> Vec<Value> {
    let mut blocks = text(said.to_owned());
    blocks.extend(calls.iter().map(|call| {
        let (id, name) = (wire.ids.wire(call.id.as_str()), wire.names.wire(&call.name));
        json!({"type": "tool_use", "id": id, "name": name, "input": wording::arguments(&call.arguments)})
    }));
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::http::testing::call;

    fn user(text: &str) -> ChatMessage {
        ChatMessage::User(text.into())
    }

    fn assistant(text: &str, calls: &[ToolCall]) -> ChatMessage {
        ChatMessage::Assistant { text: text.into(), calls: calls.into() }
    }

    fn tool(id: &str, success: bool, content: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), name: "read".into(), success, content: content.into() }
    }

    fn sent(messages: Vec<ChatMessage>) -> Value {
        let request = ModelRequest { system: "S".into(), messages, ..ModelRequest::default() };
        super::messages(&request, &Wire::new(&request), |_, _| None).into()
    }

    fn text(text: &str) -> Value {
        json!({"type": "text", "text": text})
    }

    #[test]
    fn the_results_of_a_batch_are_one_message_before_what_the_person_says() {
        let calls = [call("c1", "mcp.a.read", r#"{"p":1}"#), call("c2", "read", "{\"p\":")];
        let rows = sent(vec![
            user("Hi"),
            assistant("Look:", &calls),
            tool("c1", true, "ok"),
            tool("c2", false, "Error: no file"),
            ChatMessage::Note("Be brief.".into()),
            user("And?"),
        ]);
        let expected = json!([
            {"role": "user", "content": [text("Hi")]},
            {"role": "assistant", "content": [
                text("Look:"),
                {"type": "tool_use", "id": "c1", "name": "mcp_a_read", "input": {"p": 1}},
                {"type": "tool_use", "id": "c2", "name": "read", "input": {"malformed_arguments": "{\"p\":"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "ok"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "no file", "is_error": true},
                text("Note from the program, not from the person: Be brief."),
                text("And?"),
            ]},
        ]);
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_result_is_never_an_empty_failure() {
        let calls = [call("c1", "read", ""), call("c2", "read", "")];
        let rows = sent(vec![user("Hi"), assistant("", &calls), tool("c1", false, " "), tool("c2", true, "")]);
        let expected = json!([
            {"type": "tool_result", "tool_use_id": "c1", "content": "the tool failed without saying why", "is_error": true},
            {"type": "tool_result", "tool_use_id": "c2"},
        ]);
        assert_eq!(rows[2]["content"], expected);
    }

    #[test]
    fn blank_messages_are_left_out_and_the_sides_take_turns() {
        let rows = sent(vec![
            assistant("Hello", &[]),
            user(" "),
            assistant("\n", &[]),
            assistant("again", &[]),
            user("Hi"),
            assistant("", &[]),
            user("there"),
            assistant("Yes", &[]),
        ]);
        let expected = json!([
            {"role": "user", "content": [text("Note from the program, not from the person: The beginning of the conversation is left out here.")]},
            {"role": "assistant", "content": [text("Hello"), text("again")]},
            {"role": "user", "content": [text("Hi"), text("there")]},
            {"role": "assistant", "content": [text("Yes")]},
            {"role": "user", "content": [text("Note from the program, not from the person: Go on.")]},
        ]);
        assert_eq!(rows, expected);
    }

    #[test]
    fn ids_of_other_providers_are_made_to_fit_and_stay_apart() {
        let calls = [call("functions.read:0", "read", "{}"), call("functions.read.0", "read", "{}")];
        let rows = sent(vec![
            user("Hi"),
            assistant("", &calls),
            tool("functions.read:0", true, "a"),
            tool("functions.read.0", true, "b"),
        ]);
        let ids = |row: &Value, key: &str| -> Vec<String> {
            row["content"].as_array().unwrap().iter().map(|block| block[key].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&rows[1], "id"), ["functions_read_0", "functions_read_0_2"]);
        assert_eq!(ids(&rows[2], "tool_use_id"), ids(&rows[1], "id"));
    }

    #[test]
    fn only_messages_of_the_running_turn_are_recalled() {
        let calls = [call("c1", "read", "{}")];
        let turn = [user("Hi"), assistant("", &calls), tool("c1", true, "ok")];
        let request = ModelRequest { messages: [turn.clone(), turn].concat(), ..ModelRequest::default() };
        let recalled = json!({"type": "thinking", "thinking": "Hm.", "signature": "s"});
        let rows = messages(&request, &Wire::new(&request), |_, _| Some(vec![recalled.clone()]));
        assert_eq!(rows[1]["content"][0]["type"], "tool_use");
        assert_eq!(rows[3]["content"], json!([recalled]));
    }
}
