use std::sync::Arc;

use super::{http::Quirk as _, *};
use crate::models::http::testing::{self, call as made};

fn settings() -> Settings {
    testing::settings("http://127.0.0.1:8080/v1")
}

fn sent(messages: Vec<ChatMessage>) -> Value {
    let request = ModelRequest { system: "Be brief.".into(), messages, tools: Arc::default() };
    body(&request, &WireNames::default(), &settings(), &BTreeSet::new())["messages"].clone()
}

#[test]
fn only_what_is_configured_is_sent() {
    let request = ModelRequest { system: "S".into(), ..ModelRequest::default() };
    let plain = body(&request, &WireNames::default(), &settings(), &BTreeSet::new());
    let expected = json!({"model": "local", "messages": [{"role": "system", "content": "S"}], "stream": true,
        "stream_options": {"include_usage": true}});
    assert_eq!(plain, expected);

    let configured =
        Settings { max_tokens: Some(100), temperature: Some(0.5), reasoning_effort: Some("low".into()), ..settings() };
    let full = body(&request, &WireNames::default(), &configured, &BTreeSet::new());
    assert_eq!(
        (&full["max_tokens"], &full["temperature"], &full["reasoning_effort"]),
        (&json!(100), &json!(0.5), &json!("low"))
    );
}

#[test]
fn each_quirk_changes_its_field() {
    let configured = Settings { max_tokens: Some(100), temperature: Some(0.5), ..settings() };
    let quirks = BTreeSet::from([Quirk::NoStreamOptions, Quirk::MaxCompletionTokens, Quirk::NoTemperature]);
    let body = body(&ModelRequest::default(), &WireNames::default(), &configured, &quirks);
    assert_eq!(body, json!({"model": "local", "messages": [], "stream": true, "max_completion_tokens": 100}));
}

#[test]
fn refusals_teach_once_and_only_of_what_was_sent() {
    let full = json!({"stream_options": {}, "max_tokens": 1, "temperature": 0.1});
    let cases = [
        (r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}"#, Quirk::NoStreamOptions),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            Quirk::MaxCompletionTokens,
        ),
        ("Unsupported value: 'temperature' does not support 0.1 with this model.", Quirk::NoTemperature),
    ];
    for (refusal, quirk) in cases {
        assert_eq!(Quirk::learnt(refusal, &full), Some(quirk));
        assert_eq!(Quirk::learnt(refusal, &json!({"max_completion_tokens": 1})), None);
    }
    assert_eq!(Quirk::learnt("temperature must be between 0 and 2", &full), None);
    assert_eq!(Quirk::learnt("no such model", &full), None);
}

#[test]
fn a_server_that_misses_the_thoughts_of_old_calls_gets_a_space_for_them() {
    let refusal = "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2";
    let calls = vec![made("c1", "read", "{}")];
    let request = ModelRequest {
        messages: vec![ChatMessage::Assistant { text: String::new(), calls }],
        ..ModelRequest::default()
    };
    let sent = |quirks| body(&request, &WireNames::default(), &settings(), &quirks);
    let bare = sent(BTreeSet::new());
    assert_eq!(Quirk::learnt(refusal, &bare), Some(Quirk::Thoughts));
    let full = sent(BTreeSet::from([Quirk::Thoughts]));
    assert_eq!(full["messages"][0]["reasoning_content"], " ");
    assert_eq!(Quirk::learnt(refusal, &full), None);
}

#[test]
fn notes_in_the_middle_are_no_system_messages() {
    let rows = sent(vec![ChatMessage::User("Hi".into()), ChatMessage::Note("The plan changed.".into())]);
    let expected = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "Note from the program, not from the person: The plan changed."},
    ]);
    assert_eq!(rows, expected);
}

#[test]
fn an_assistant_row_has_calls_or_no_key_for_them_and_an_empty_one_is_left_out() {
    let rows = sent(vec![
        ChatMessage::Assistant { text: "Hello".into(), calls: vec![] },
        ChatMessage::Assistant { text: " \n".into(), calls: vec![] },
        ChatMessage::Assistant { text: String::new(), calls: vec![made("c1", "mcp.a.read", r#"{"p":1}"#)] },
        ChatMessage::Assistant { text: "Again".into(), calls: vec![made("c2", "read", "{}")] },
    ]);
    let function = |name, arguments| json!({"name": name, "arguments": arguments});
    let expected = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hello"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": function("mcp_a_read", r#"{"p":1}"#)}]},
        {"role": "assistant", "content": "Again", "tool_calls": [{"id": "c2", "type": "function", "function": function("read", "{}")}]},
    ]);
    assert_eq!(rows, expected);
}

#[test]
fn a_failed_tool_always_says_so() {
    let row = |success, content: &str| ChatMessage::Tool {
        call_id: "c".into(),
        name: "t".into(),
        success,
        content: content.into(),
    };
    let rows = sent(vec![row(true, "ok"), row(false, "no file"), row(false, ""), row(false, "Error: no file")]);
    let texts: Vec<&str> = rows.as_array().unwrap()[1..].iter().map(|row| row["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["ok", "Error: no file", "Error: the tool failed without saying why", "Error: no file"]);
    assert_eq!(rows[1], json!({"role": "tool", "tool_call_id": "c", "content": "ok"}));
}

#[test]
fn old_arguments_are_always_a_json_object() {
    assert_eq!(arguments(r#"{ "a": 1 }"#), r#"{ "a": 1 }"#);
    assert_eq!(arguments(" "), "{}");
    assert_eq!(arguments(r#"{"a": "#), r#"{"malformed_arguments":"{\"a\": "}"#);
    assert_eq!(arguments("[1]"), r#"{"malformed_arguments":"[1]"}"#);
}

#[test]
fn tools_are_sent_under_names_that_fit() {
    let spec =
        ToolSpec { name: "mcp.a.read".into(), description: "Reads.".into(), parameters: json!({"type": "object"}) };
    let names = WireNames::new(["mcp.a.read"]);
    let expected = json!([{"type": "function", "function": {"name": "mcp_a_read", "description": "Reads.", "parameters": {"type": "object"}}}]);
    assert_eq!(tools(&[spec], &names), expected);
}
