use serde_json::json;

use super::*;
use crate::models::http::{
    Advice,
    testing::{settings, text, thinking, tool_call, usage, usage_so_far},
};

pub fn decoder() -> Decoder {
    let settings = settings("http://127.0.0.1:8080/v1");
    let advice = Advice { address: "", missing: String::new() };
    let server = Server::new(&settings.base_url.parse().unwrap(), &settings, advice);
    Decoder::new(Arc::new(server), WireNames::new(["mcp.files.read"]), Some(64))
}

fn run(decoder: &mut Decoder, data: impl ToString) -> Result<Vec<ModelEvent>, ModelError> {
    let mut ready = VecDeque::new();
    decoder.event(&Event { name: String::new(), data: data.to_string() }, &mut ready)?;
    Ok(ready.into())
}

fn end(decoder: Decoder) -> (Vec<ModelEvent>, Result<(), ModelError>) {
    let mut ready = VecDeque::new();
    let end = decoder.finish(&mut ready);
    (ready.into(), end)
}

/// Everything that an answer of these events says.
fn said(values: &[Value]) -> Result<Vec<ModelEvent>, ModelError> {
    let mut decoder = decoder();
    let mut events = Vec::new();
    for value in values {
        events.extend(run(&mut decoder, value)?);
    }
    let (rest, end) = end(decoder);
    events.extend(rest);
    events.retain(|event| !matches!(event, ModelEvent::CallPiece { .. }));
    end.map(|()| events)
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

#[test]
fn a_call_is_told_piece_by_piece_while_it_is_written() {
    let mut decoder = decoder();
    let mut pieces = Vec::new();
    for (index, name, arguments) in
        [(0, Some("mcp_files_read"), ""), (0, None, "{\"a\""), (1, Some("list"), "{"), (0, None, ":1}")]
    {
        let call = json!({"index": index, "function": {"name": name, "arguments": arguments}});
        pieces.extend(run(&mut decoder, delta(json!({"tool_calls": [call]}))).unwrap());
    }
    let piece = |call, name: &str, arguments: &str| ModelEvent::CallPiece {
        call,
        name: name.into(),
        arguments: arguments.into(),
    };
    let read = "mcp.files.read";
    assert_eq!(pieces, [piece(0, read, ""), piece(0, read, "{\"a\""), piece(1, "list", "{"), piece(0, read, ":1}")]);
}

#[test]
fn thoughts_come_under_either_name_and_once_when_under_both() {
    let both = json!({"reasoning": "b", "reasoning_content": "b"});
    let deltas = [json!({"reasoning_content": "a"}), both, json!({"reasoning": "c", "content": "d"})].map(delta);
    assert_eq!(said(&deltas), Ok(vec![thinking("a"), thinking("b"), thinking("c"), text("d")]));
}

#[test]
fn nothing_is_said_by_null_and_empty_content() {
    let deltas =
        [json!({"role": "assistant", "content": null}), json!({"content": ""}), json!({}), Value::Null].map(delta);
    assert_eq!(said(&deltas), Ok(vec![]));
}

#[test]
fn content_may_come_in_blocks() {
    let blocks =
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "ok"}]);
    assert_eq!(said(&[delta(json!({"content": blocks}))]), Ok(vec![thinking("hm"), text("ok")]));
}

#[test]
fn calls_come_whole_after_all_text_with_the_names_that_we_know() {
    let call = json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "mcp_files_read", "arguments": "{\"a\""}});
    let rest = json!({"index": 0, "function": {"arguments": ":1}"}});
    let deltas = [json!({"tool_calls": [call]}), json!({"content": "late"}), json!({"tool_calls": [rest]})].map(delta);
    assert_eq!(said(&deltas), Ok(vec![text("late"), tool_call("c1", "mcp.files.read", "{\"a\":1}")]));
}

#[test]
fn usage_is_told_as_it_grows_behind_the_text_that_it_counts_and_the_last_is_the_whole() {
    let counts = |output: u64| json!({"prompt_tokens": 10, "completion_tokens": output, "total_tokens": 10 + output, "prompt_tokens_details": {"cached_tokens": 4}});
    // As vLLM does with `continuous_usage_stats`.
    let counted = |said: &str, output| json!({"choices": [{"delta": {"content": said}}], "usage": counts(output)});
    let last = json!({"choices": [], "usage": counts(2)});
    let told = said(&[counted("a", 1), counted("b", 2), last, json!({"choices": [], "usage": null})]);
    let expected = [text("a"), usage_so_far(10, 1, 4), text("b"), usage_so_far(10, 2, 4), usage(10, 2, 4)];
    assert_eq!(told, Ok(expected.into()));
}

#[test]
fn a_whole_message_counts_only_where_nothing_was_said_before() {
    let message = json!({"choices": [{"message": {"role": "assistant", "content": "whole"}, "finish_reason": "stop"}]});
    assert_eq!(said(std::slice::from_ref(&message)), Ok(vec![text("whole")]));
    assert_eq!(said(&[delta(json!({"content": "whole"})), message.clone(), message]), Ok(vec![text("whole")]));
}

#[test]
fn an_answer_cut_by_its_length_says_so_after_what_was_said() {
    let length = json!({"choices": [{"delta": {"content": "so"}, "finish_reason": "length"}]});
    let mut cut = decoder();
    assert_eq!(run(&mut cut, length), Ok(vec![text("so")]));
    let (rest, Err(ModelError::Cut(detail))) = end(cut) else { panic!() };
    assert_eq!(rest, []);
    assert!(detail.contains("64 tokens"), "{detail}");
}

#[test]
fn a_call_cut_by_the_length_is_not_made_but_a_whole_one_is() {
    let length = |arguments: &str| json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "w", "arguments": arguments}}]}, "finish_reason": "length"}]});
    assert!(matches!(said(&[length("{\"t\": \"a")]), Err(ModelError::Cut(_))));
    assert_eq!(said(&[length("{}")]), Ok(vec![tool_call("c", "w", "{}")]));
}

#[test]
fn thoughts_that_open_the_text_are_parted_from_it() {
    let deltas = ["<thi", "nk>Hm.</th", "ink>", "\n\nYes"].map(|text| delta(json!({"content": text})));
    assert_eq!(said(&deltas), Ok(vec![thinking("Hm."), text("Yes")]));
    let whole = json!({"choices": [{"message": {"content": "<think>Hm.</think>Yes"}, "finish_reason": "stop"}]});
    assert_eq!(said(&[whole]), Ok(vec![thinking("Hm."), text("Yes")]));
}

#[test]
fn a_content_filter_is_a_refusal() {
    let filtered = json!({"choices": [{"delta": {}, "finish_reason": "content_filter"}]});
    assert!(matches!(said(&[filtered]), Err(ModelError::Refused(_))));
}

#[test]
fn errors_in_every_place_end_the_answer() {
    for value in [
        json!({"error": {"message": "x", "type": "server_error"}}),
        json!({"error": "x"}),
        json!({"choices": [{"error": {"code": 502, "message": "x"}, "finish_reason": "error"}]}),
        json!({"object": "error", "message": "x", "code": 500}),
    ] {
        let Err(ModelError::Retry { detail, .. }) = said(std::slice::from_ref(&value)) else { panic!("{value}") };
        assert!(detail.contains(": x. Try again"), "{detail}");
    }
    let named = Event { name: "error".into(), data: "out of memory".into() };
    assert!(matches!(decoder().event(&named, &mut VecDeque::new()), Err(ModelError::Retry { .. })));
    assert_eq!(said(&[json!({"error": null, "choices": []})]), Ok(vec![]));
}

#[test]
fn values_without_blank_lines_between_them_are_all_read() {
    let mut decoder = decoder();
    let data = format!("{}\n{}\n[DONE]", delta(json!({"content": "a"})), delta(json!({"content": "b"})));
    assert_eq!(run(&mut decoder, data), Ok(vec![text("a"), text("b")]));
    assert!(decoder.is_done());
}

#[test]
fn what_is_no_json_is_an_error_worth_another_try() {
    assert!(matches!(run(&mut decoder(), "{\"choices\": [{"), Err(ModelError::Retry { .. })));
    assert!(matches!(run(&mut decoder(), "hello"), Err(ModelError::Retry { .. })));
}

#[test]
fn an_end_before_anything_is_an_error_but_an_empty_answer_is_none() {
    assert!(matches!(end(decoder()), (_, Err(ModelError::Retry { .. }))));
    let mut done = decoder();
    assert_eq!(run(&mut done, "[DONE]"), Ok(vec![]));
    assert_eq!(end(done), (vec![], Ok(())));
}

/// Every event of the recorded streams and of this file's tests, in order, through the quick way and in full.
#[test]
fn the_quick_way_says_what_the_full_one_says() {
    let mut plain = 0;
    for stream in crate::models::openai_compatible::stream_tests::ALL {
        let (mut quick, mut full) = (decoder(), decoder());
        for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let mut ready = VecDeque::new();
            let in_full = full.in_full(data, &mut ready).map(|()| Vec::from(ready));
            assert_eq!(run(&mut quick, data), in_full, "{data}");
            plain += usize::from(plain_text(data).is_some());
        }
        assert_eq!(end(quick), end(full));
    }
    assert!(plain > 5, "{plain} chunks went the quick way");
}
