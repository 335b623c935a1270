use super::{http::Quirk as _, *};
use crate::models::http::testing::{call, settings as bare};

fn settings(effort: Option<&str>) -> Settings {
    Settings { reasoning_effort: effort.map(Into::into), temperature: Some(0.1), ..bare("https://h.example") }
}

fn user(text: &str) -> ChatMessage {
    ChatMessage::User(text.into())
}

fn called(id: &str) -> [ChatMessage; 2] {
    let calls = vec![call(id, "read", "{}")];
    let result = ChatMessage::Tool { call_id: id.into(), name: "read".into(), success: true, content: "ok".into() };
    [ChatMessage::Assistant { text: String::new(), calls }, result]
}

fn request(messages: impl IntoIterator<Item = ChatMessage>) -> ModelRequest {
    ModelRequest { messages: messages.into_iter().collect(), ..ModelRequest::default() }
}

fn sent_with(request: &ModelRequest, settings: &Settings, memory: &Memory, quirks: &[Quirk]) -> Value {
    body(request, &Wire::new(request), settings, None, memory, &quirks.iter().copied().collect())
}

fn sent(settings: &Settings, quirks: &[Quirk]) -> Value {
    sent_with(&request([user("Hi")]), settings, &Memory::default(), quirks)
}

#[test]
fn only_what_is_configured_is_sent_and_a_limit_always() {
    let plain = sent(&bare("https://h.example"), &[]);
    let hi = json!({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}});
    let expected = json!({"model": "local", "max_tokens": PLAIN_OUTPUT, "stream": true, "messages": [{"role": "user", "content": [hi]}]});
    assert_eq!(plain, expected);
    let configured = Settings { max_tokens: Some(100), ..settings(None) };
    let body = sent(&configured, &[]);
    assert_eq!((&body["max_tokens"], &body["temperature"]), (&json!(100), &json!(0.1)));
    assert_eq!(sent(&configured, &[Quirk::NoTemperature]).get("temperature"), None);
}

#[test]
fn what_stays_the_same_is_marked_for_the_cache() {
    let spec = |name: &str| ToolSpec { name: name.into(), description: "D".into(), parameters: json!({}) };
    let messages = [vec![user("Hi")], called("c1").into(), called("c2").into()].concat();
    let request = ModelRequest { system: "S".into(), messages, tools: [spec("a"), spec("b.c")].into() };
    let body = sent_with(&request, &bare("https://h.example"), &Memory::default(), &[]);
    let tool = |name: &str| json!({"name": name, "description": "D", "input_schema": {"type": "object"}});
    let mark = json!({"type": "ephemeral"});
    let mut last = tool("b_c");
    last["cache_control"] = mark.clone();
    let tools = tools(&request.tools, &Wire::new(&request));
    assert_eq!(tools, json!([tool("a"), last]));
    assert_eq!(body["system"], json!([{"type": "text", "text": "S", "cache_control": mark}]));
    let marked: Vec<bool> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"].as_array().unwrap().last().unwrap().get("cache_control").is_some())
        .collect();
    assert_eq!(marked, [false, false, true, false, true]);
    // The API takes four marks.
    assert_eq!((body.to_string() + &tools.to_string()).matches("cache_control").count(), 4);
}

#[test]
fn thinking_is_asked_for_as_the_model_knows_it() {
    let thinking = |effort, quirks: &[Quirk]| {
        let body = sent(&settings(effort), quirks);
        (body["thinking"].clone(), body["output_config"].clone(), body.get("temperature").is_some())
    };
    let nothing = (Value::Null, Value::Null, true);
    assert_eq!(thinking(None, &[]), nothing);
    assert_eq!(thinking(Some(" "), &[]), nothing);
    let shown = json!({"type": "adaptive", "display": "summarized"});
    assert_eq!(thinking(Some("high"), &[]), (shown.clone(), json!({"effort": "high"}), false));
    assert_eq!(thinking(Some("minimal"), &[]), (shown, json!({"effort": "low"}), false));
    let silent = json!({"type": "adaptive"});
    assert_eq!(thinking(Some("high"), &[Quirk::NoDisplay]), (silent, json!({"effort": "high"}), false));
    let budget = json!({"type": "enabled", "budget_tokens": 10_000});
    assert_eq!(thinking(Some("medium"), &[Quirk::BudgetThinking]), (budget, Value::Null, false));
    assert_eq!(thinking(Some("none"), &[]), (json!({"type": "disabled"}), Value::Null, true));
    assert_eq!(thinking(Some("none"), &[Quirk::NoThinking]), nothing);
    assert_eq!(thinking(Some("high"), &[Quirk::NoThinking]), nothing);
}

#[test]
fn the_limit_has_room_for_thoughts_and_answer() {
    let budget = Thinking::Budget(20_000);
    let adaptive = Thinking::Adaptive { effort: "high" };
    for (configured, most, thinking, expected) in [
        (None, None, Thinking::Unsaid, (PLAIN_OUTPUT, Thinking::Unsaid)),
        (None, Some(64_000), Thinking::Unsaid, (AMPLE_OUTPUT, Thinking::Unsaid)),
        (None, Some(4_096), Thinking::Unsaid, (4_096, Thinking::Unsaid)),
        (None, None, adaptive, (AMPLE_OUTPUT, adaptive)),
        (Some(500), Some(64_000), adaptive, (500, adaptive)),
        (None, None, budget, (PLAIN_OUTPUT + 20_000, budget)),
        (Some(8_000), Some(16_000), budget, (16_000, Thinking::Budget(16_000 - LEAST_BUDGET))),
        (Some(1_500), Some(1_500), budget, (1_500, Thinking::Unsaid)),
    ] {
        assert_eq!(share_out(configured, most, thinking), expected, "{configured:?} {most:?} {thinking:?}");
    }
}

#[test]
fn refusals_teach_what_to_leave_out() {
    let refused = |message: &str| {
        format!(r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{message}"}}}}"#)
    };
    let adaptive =
        json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}});
    let enabled = json!({"thinking": {"type": "enabled", "budget_tokens": 10_000}});
    let disabled = json!({"thinking": {"type": "disabled"}});
    let plain = json!({"temperature": 0.1});
    for (message, sent, expected) in [
        ("`temperature` is deprecated for this model.", &plain, Some(Quirk::NoTemperature)),
        ("temperature: range: 0..1", &plain, None),
        ("adaptive thinking is not supported on this model", &adaptive, Some(Quirk::BudgetThinking)),
        ("This model does not support the effort parameter.", &adaptive, Some(Quirk::BudgetThinking)),
        (
            "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'",
            &adaptive,
            Some(Quirk::BudgetThinking),
        ),
        ("thinking.adaptive.display: Extra inputs are not permitted", &adaptive, Some(Quirk::NoDisplay)),
        ("output_config.effort: Input should be 'low', 'medium' or 'high'", &adaptive, None),
        (r#"\"thinking.type.disabled\" is not supported for this model."#, &disabled, Some(Quirk::NoThinking)),
        ("thinking is not supported by this model", &enabled, Some(Quirk::NoThinking)),
        ("`max_tokens` must be greater than `thinking.budget_tokens`.", &enabled, None),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", &enabled, None),
        ("adaptive thinking is not supported on this model", &plain, None),
    ] {
        assert_eq!(Quirk::learnt(&refused(message), sent), expected, "{message}");
    }
}

/// What the memory holds of the message with the call `id`.
fn thought(id: &str) -> Vec<Value> {
    let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "sig"});
    vec![thinking, json!({"type": "tool_use", "id": id, "name": "read", "input": {}})]
}

#[test]
fn thoughts_of_the_running_turn_go_back_and_no_others() {
    let memory = Memory::default();
    ["c1", "c2"].into_iter().for_each(|id| memory.keep(thought(id)));
    let messages = [vec![user("Hi")], called("c1").into(), vec![user("And?")], called("c2").into()].concat();
    for (effort, quirks, sends) in [
        (None, [].as_slice(), true),
        (Some("high"), &[], true),
        (Some("high"), &[Quirk::BudgetThinking], true),
        (Some("none"), &[], false),
    ] {
        let body = sent_with(&request(messages.clone()), &settings(effort), &memory, quirks);
        assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
        let expected = if sends { thought("c2") } else { thought("c2")[1..].to_vec() };
        assert_eq!(body["messages"][3]["content"], json!(expected), "{effort:?}");
    }
}

#[test]
fn a_budget_is_left_out_of_a_turn_that_began_without_thoughts() {
    let memory = Memory::default();
    memory.keep(thought("c2"));
    let messages = [vec![user("Hi")], called("c1").into(), called("c2").into()].concat();
    let budget = sent_with(&request(messages.clone()), &settings(Some("high")), &memory, &[Quirk::BudgetThinking]);
    assert_eq!(budget.get("thinking"), None);
    assert!(!budget.to_string().contains("Hm."), "{budget}");
    let adaptive = sent_with(&request(messages), &settings(Some("high")), &memory, &[]);
    assert_eq!(adaptive["thinking"]["type"], "adaptive");
    assert_eq!(adaptive["messages"][3]["content"], json!(thought("c2")));
}
