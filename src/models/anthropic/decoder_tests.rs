use proptest::prelude::*;

use super::*;
use crate::models::http::{
    Advice, Packing,
    testing::{Said, call, ok, read as read_with, settings, text, thinking, tool_call, usage, without_made_up_ids},
};

/// Streams as the documentation prints them.
const HELLO: &str = r#"event: message_start
data: {"type": "message_start", "message": {"id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message", "role": "assistant", "content": [], "model": "claude-opus-4-7", "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 25, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüezi"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " 👋"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence":null}, "usage": {"output_tokens": 15}}

event: message_stop
data: {"type": "message_stop"}

"#;

const TOOLS: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_014p7gG3wDgGV9EUtLvnow3U","type":"message","role":"assistant","model":"claude-opus-4-7","stop_sequence":null,"usage":{"input_tokens":472,"output_tokens":2},"content":[],"stop_reason":null}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Okay:"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_01T1x1fJ34qAmk2tNTrN7Up6","name":"get_weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"location\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":" \"San Francisco, CA\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_02","name":"mcp_files_read","input":{}}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}

event: message_stop
data: {"type":"message_stop"}

"#;

const THINKING: &str = r#"event: message_start
data: {"type": "message_start", "message": {"id": "msg_01", "type": "message", "role": "assistant", "content": [], "model": "claude-opus-4-7", "stop_reason": null, "stop_sequence": null}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "I need to find the GCD"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": " of 1071 and 462."}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: content_block_start
data: {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 1}

event: content_block_start
data: {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Look:"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 2}

event: content_block_start
data: {"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use", "id": "toolu_03", "name": "gcd", "input": {}, "caller": {"type": "direct"}}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{\"a\": 1071, \"b\": 462}"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 3}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}}

event: message_stop
data: {"type": "message_stop"}

"#;

const OVERLOADED: &str = r#"event: message_start
data: {"type":"message_start","message":{"type":"message","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"He"}}

event: error
data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"llo"}}

"#;

/// A server that was asked for a stream and answers in one piece.
const WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"Okay:"},{"type":"tool_use","id":"toolu_04","name":"read","input":{"path":"a"}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":5}}"#;

const ALL: [&str; 5] = [HELLO, TOOLS, THINKING, OVERLOADED, WHOLE];

fn decoder_with(memory: &Arc<Memory>) -> Decoder {
    let settings = settings("https://h.example");
    let advice = Advice { address: "", missing: String::new() };
    let server = Server::new(&settings.base_url.parse().unwrap(), &settings, advice);
    Decoder::new(Arc::new(server), WireNames::new(["mcp.files.read"]), Some(64), memory.clone())
}

#[test]
fn a_call_is_told_piece_by_piece_while_it_is_written() {
    let mut decoder = decoder_with(&Arc::default());
    let mut ready = VecDeque::new();
    let block = json!({"type": "tool_use", "id": "t", "name": "mcp_files_read", "input": {}});
    let mut take = |data: Value| {
        decoder.event(&Event { name: String::new(), data: data.to_string() }, &mut ready).unwrap();
    };
    take(json!({"type": "content_block_start", "index": 1, "content_block": block}));
    for piece in ["", "{\"a\"", ":1}"] {
        let delta = json!({"type": "input_json_delta", "partial_json": piece});
        take(json!({"type": "content_block_delta", "index": 1, "delta": delta}));
    }
    let piece =
        |arguments: &str| ModelEvent::CallPiece { call: 1, name: "mcp.files.read".into(), arguments: arguments.into() };
    assert_eq!(ready, [piece("{\"a\""), piece(":1}")]);
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
    read_with(decoder_with(&Arc::default()), Packing::Events, pieces)
}

fn whole(text: &str) -> Said {
    read([text.as_bytes()])
}

/// A stream of these events, without their names.
fn stream(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// What the message's first event says that it cost.
fn so_far(input: u64, output: u64, cached: u64) -> ModelEvent {
    let ModelEvent::Usage(tokens) = usage(input, output, cached) else { panic!("no usage") };
    ModelEvent::Usage(Tokens { estimated: true, ..tokens })
}

fn stopped(delta: Value) -> String {
    let said = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "so"}});
    stream(&[said, json!({"type": "message_delta", "delta": delta, "usage": {"input_tokens": 2, "output_tokens": 64}})])
}

#[test]
fn the_streams_of_the_documentation_are_read() {
    assert_eq!(whole(HELLO), ok([so_far(2125, 1, 2000), text("Grüezi"), text(" 👋"), usage(2125, 15, 2000)]));
    let weather = tool_call("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "get_weather", r#"{"location": "San Francisco, CA"}"#);
    let read = tool_call("toolu_02", "mcp.files.read", "{}");
    assert_eq!(whole(TOOLS), ok([so_far(472, 2, 0), text("Okay:"), usage(472, 89, 0), weather, read]));
    let thoughts = [thinking("I need to find the GCD"), thinking(" of 1071 and 462.")];
    let gcd = tool_call("toolu_03", "gcd", r#"{"a": 1071, "b": 462}"#);
    assert_eq!(whole(THINKING), ok(thoughts.into_iter().chain([text("Look:"), gcd])));
    let read = tool_call("toolu_04", "read", r#"{"path":"a"}"#);
    assert_eq!(whole(WHOLE), ok([thinking("Hm."), text("Okay:"), usage(3, 5, 0), read]));
}

#[test]
fn a_message_with_thoughts_and_calls_is_remembered_as_it_came() {
    let memory = Arc::default();
    read_with(decoder_with(&memory), Packing::Events, [THINKING.as_bytes()]);
    let expected = [
        json!({"type": "thinking", "thinking": "I need to find the GCD of 1071 and 462.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"}),
        json!({"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}),
        json!({"type": "text", "text": "Look:"}),
        json!({"type": "tool_use", "id": "toolu_03", "name": "gcd", "input": {"a": 1071, "b": 462}, "caller": {"type": "direct"}}),
    ];
    let gcd = [call("toolu_03", "gcd", r#"{"a": 1071, "b": 462}"#)];
    assert_eq!(memory.recall("Look:", &gcd), Some(expected.into()));

    read_with(decoder_with(&memory), Packing::Events, [TOOLS.as_bytes()]);
    let weather = [call("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "", ""), call("toolu_02", "", "")];
    assert_eq!(memory.recall("Okay:", &weather), None, "without thoughts it is made anew");
}

#[test]
fn an_error_in_the_stream_is_the_last_that_is_said() {
    let said = whole(OVERLOADED);
    assert_eq!(said[..2], ok([so_far(1, 1, 0), text("He")]));
    let Err(ModelError::Retry { detail, .. }) = &said[2] else { panic!("{said:?}") };
    assert!(detail.contains("Overloaded"), "{detail}");
    assert_eq!(said.len(), 3);
    for (kind, expected) in [
        ("rate_limit_error", "Retry"),
        ("api_error", "Retry"),
        ("timeout_error", "Retry"),
        ("invalid_request_error", "Fatal"),
        ("authentication_error", "Auth"),
        ("permission_error", "Auth"),
        ("billing_error", "Refused"),
    ] {
        let said = whole(&stream(&[json!({"type": "error", "error": {"type": kind, "message": "x"}})]));
        assert!(format!("{said:?}").starts_with(&format!("[Err({expected}")), "{kind}: {said:?}");
    }
    assert!(matches!(whole("event: error\ndata: upstream is gone\n\n").as_slice(), [Err(ModelError::Retry { .. })]));
    assert!(matches!(whole(r#"{"error": "no such route"}"#).as_slice(), [Err(_)]));
}

#[test]
fn every_reason_to_stop_is_told_in_its_own_words() {
    let told = |delta: Value| {
        let said = whole(&stopped(delta));
        assert_eq!(said[..2], ok([text("so"), usage(2, 64, 0)]));
        said.get(2).cloned()
    };
    for fine in ["end_turn", "stop_sequence", "tool_use", "pause_turn"] {
        assert_eq!(told(json!({"stop_reason": fine})), None);
    }
    let Some(Err(ModelError::Cut(detail))) = told(json!({"stop_reason": "max_tokens"})) else { panic!() };
    assert!(detail.contains("64 tokens"), "{detail}");
    let details = json!({"category": "cyber", "explanation": "It would do harm."});
    let refused = told(json!({"stop_reason": "refusal", "stop_details": details}));
    let Some(Err(ModelError::Refused(detail))) = refused else { panic!("{refused:?}") };
    assert!(detail.contains("It would do harm"), "{detail}");
    let full = told(json!({"stop_reason": "model_context_window_exceeded"}));
    assert!(matches!(full, Some(Err(ModelError::ContextFull(_)))), "{full:?}");
}

#[test]
fn a_call_that_was_cut_is_not_made_and_a_whole_one_is() {
    let cut = |arguments: &str| {
        let begun = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "w", "input": {}}});
        let json = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments}});
        whole(&stream(&[begun, json, json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}})]))
    };
    assert!(matches!(cut("{\"t\": \"a").as_slice(), [Err(ModelError::Cut(_))]));
    assert_eq!(cut("{}"), ok([tool_call("t", "w", "{}")]));
}

#[test]
fn an_answer_that_breaks_off_is_worth_another_try() {
    let delta = HELLO.find("event: message_delta").unwrap();
    let said = whole(&HELLO[..delta]);
    assert_eq!(said[..3], ok([so_far(2125, 1, 2000), text("Grüezi"), text(" 👋")]));
    assert!(matches!(&said[3..], [Err(ModelError::Retry { .. })]), "{said:?}");
    // Some servers leave the last event out.
    assert_eq!(whole(&HELLO[..HELLO.find("event: message_stop").unwrap()]), whole(HELLO));
    assert!(matches!(whole("").as_slice(), [Err(ModelError::Retry { .. })]));
    assert!(matches!(whole("<html>").as_slice(), [Err(ModelError::Fatal(_))]));
}

#[test]
fn a_cut_at_any_byte_changes_nothing() {
    for stream in ALL.into_iter().map(str::to_owned).chain(ALL.map(|stream| stream.replace('\n', "\r\n"))) {
        let expected = whole(&stream);
        for at in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(at);
            assert_eq!(read([left, right]), expected, "cut at {at} of {stream}");
        }
        assert_eq!(read(stream.as_bytes().chunks(1)), expected);
    }
}

/// Pieces of streams, right and wrong, so that random ones get deep into the decoder.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "data: ",
        "event: error\n",
        "event: content_block_delta\n",
        "\n\n",
        "\r\n",
        "{",
        "}",
        "data: {}\n\n",
        "data: null\n\n",
        "data: {\"type\":\"ping\"}\n\n",
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":18446744073709551615,\"output_tokens\":-1}}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":7,\"input\":[]}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"thinking\",\"thinking\":7}}\n\n",
        "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"ä\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"partial_json\":\"{\\\"a\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"thinking\":\"x\",\"signature\":3}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":-1,\"delta\":null}\n\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":7}\n\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null}}\n\n",
        "data: {\"type\":\"message_stop\"}\n\n",
        "data: {\"type\":\"message\",\"content\":[null,{\"type\":\"text\",\"text\":\"a\"}]}\n\n",
    ];
    let word = proptest::sample::select(words.map(|word| word.as_bytes().to_vec()).to_vec());
    prop_oneof![4 => word, 1 => proptest::collection::vec(any::<u8>(), 0..8)]
}

proptest! {
    #[test]
    fn whatever_bytes_come_it_ends_with_at_most_one_error_and_cuts_change_nothing(
        fragments in proptest::collection::vec(fragment(), 0..40),
        size in 1usize..20,
    ) {
        let bytes = fragments.concat();
        let said = read([bytes.as_slice()]);
        let last = said.len().saturating_sub(1);
        prop_assert!(said.iter().take(last).all(Result::is_ok));
        prop_assert_eq!(without_made_up_ids(read(bytes.chunks(size))), without_made_up_ids(said));
    }
}
