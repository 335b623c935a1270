//! Whole streams, wherever they are cut.

use proptest::prelude::*;

use super::decoder::tests::decoder;
use crate::{
    agent::ports::model::{ModelError, ModelEvent},
    models::http::{
        Packing,
        sse::MAX_EVENT,
        testing::{Said, ok, read as read_with, text, tool_call, usage, usage_so_far, without_made_up_ids},
    },
};

/// Streams as the servers' documentation prints them.
const OPENAI: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Grüße 👋"},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"location\":\"Zü"}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"rich\"}"}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":82,"completion_tokens":17,"total_tokens":99,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0}}}

data: [DONE]

"#;

const VLLM: &str = r#"data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"reasoning_content":"Hm."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"tool_calls":[{"id":"chatcmpl-tool-7","type":"function","index":0,"function":{"name":"list"}}]},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\": \".\"}"}}]},"logprobs":null,"finish_reason":"tool_calls","stop_reason":null}]}

data: [DONE]

"#;

const LLAMA_CPP: &str = r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-3","model":"gpt-3.5-turbo","system_fingerprint":"b4567","object":"chat.completion.chunk"}

data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hello"}}],"created":1,"id":"chatcmpl-3","object":"chat.completion.chunk"}

data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1,"id":"chatcmpl-3","object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":11,"total_tokens":13},"timings":{"prompt_n":11}}

data: [DONE]

"#;

/// Whole calls, each with the index 0.
const OLLAMA: &str = r#"data: {"id":"chatcmpl-4","object":"chat.completion.chunk","created":1,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_a","index":0,"type":"function","function":{"name":"read","arguments":"{\"path\":\"a\"}"}}]},"finish_reason":null}]}

data: {"id":"chatcmpl-4","object":"chat.completion.chunk","created":1,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_b","index":0,"type":"function","function":{"name":"read","arguments":"{\"path\":\"b\"}"}}]},"finish_reason":"tool_calls"}]}

data: [DONE]

"#;

/// Keep-alives, no `[DONE]`, no last blank line.
const OPENROUTER: &str = r#": OPENROUTER PROCESSING

: OPENROUTER PROCESSING

data: {"id":"gen-5","provider":"X","model":"x/y","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes","reasoning":null},"finish_reason":"stop","native_finish_reason":"stop","logprobs":null}]}"#;

const LM_STUDIO_ERROR: &str = r#"data: {"id":"chatcmpl-6","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"He"},"logprobs":null,"finish_reason":null}]}

event: error
data: {"error":{"message":"The model has crashed without additional information."},"message":"The model has crashed without additional information."}

data: {"choices":[{"index":0,"delta":{"content":"llo"}}]}

"#;

const WHOLE: &str = r#"
{
  "id": "chatcmpl-7", "object": "chat.completion", "created": 1, "model": "m",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": "Grüezi",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "now", "arguments": {}}}]}, "finish_reason": "tool_calls"}],
  "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
}
"#;

/// Thoughts in the text, as servers send them that don't part the two.
const THINK: &str = r#"data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"qwq","choices":[{"index":0,"delta":{"role":"assistant","content":"<thi"},"finish_reason":null}]}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"qwq","choices":[{"index":0,"delta":{"content":"nk>Hm"},"finish_reason":null}]}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"qwq","choices":[{"index":0,"delta":{"content":".</think>\n\n"},"finish_reason":null}]}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"qwq","choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":null}]}

data: {"id":"chatcmpl-8","object":"chat.completion.chunk","created":1,"model":"qwq","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

"#;

pub const ALL: [&str; 8] = [OPENAI, VLLM, LLAMA_CPP, OLLAMA, OPENROUTER, LM_STUDIO_ERROR, WHOLE, THINK];

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
    read_with(decoder(), Packing::Events, pieces)
}

fn whole(text: &str) -> Said {
    read([text.as_bytes()])
}

#[test]
fn the_streams_of_all_servers_are_read() {
    let weather = tool_call("call_1", "get_weather", r#"{"location":"Zürich"}"#);
    assert_eq!(whole(OPENAI), ok([text("Grüße 👋"), usage_so_far(82, 17, 64), usage(82, 17, 64), weather]));
    let list = tool_call("chatcmpl-tool-7", "list", r#"{"path": "."}"#);
    assert_eq!(whole(VLLM), ok([ModelEvent::Thinking("Hm.".into()), list]));
    assert_eq!(whole(LLAMA_CPP), ok([text("Hello"), usage_so_far(11, 2, 0), usage(11, 2, 0)]));
    let both = [tool_call("call_a", "read", r#"{"path":"a"}"#), tool_call("call_b", "read", r#"{"path":"b"}"#)];
    assert_eq!(whole(OLLAMA), ok(both));
    assert_eq!(whole(OPENROUTER), ok([text("Yes")]));
    let hm = ["Hm", "."].map(|thought| ModelEvent::Thinking(thought.into()));
    assert_eq!(whole(THINK), ok(hm.into_iter().chain([text("Yes")])));
    let now = tool_call("c", "now", "{}");
    assert_eq!(whole(WHOLE), ok([text("Grüezi"), usage_so_far(1, 2, 0), usage(1, 2, 0), now]));
}

#[test]
fn an_error_in_the_stream_is_the_last_that_is_said() {
    let said = whole(LM_STUDIO_ERROR);
    assert_eq!(said[0], Ok(text("He")));
    let Err(ModelError::Retry { detail, .. }) = &said[1] else { panic!("{said:?}") };
    assert!(detail.contains("The model has crashed"), "{detail}");
    assert_eq!(said.len(), 2);
}

#[test]
fn nothing_after_done_is_read() {
    assert_eq!(whole(&format!("{LLAMA_CPP}{LLAMA_CPP}")), whole(LLAMA_CPP));
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

#[test]
fn a_stream_that_breaks_off_inside_a_value_is_worth_another_try() {
    let at = OPENAI.find("rich").unwrap();
    let said = whole(&OPENAI[..at]);
    assert_eq!(said[0], Ok(text("Grüße 👋")));
    assert!(matches!(said.last(), Some(Err(ModelError::Retry { .. }))), "{said:?}");
}

#[test]
fn a_web_page_and_nothing_at_all_are_errors() {
    assert!(matches!(whole("\n<!doctype html><title>Hi</title>").as_slice(), [Err(ModelError::Fatal(_))]));
    assert!(matches!(whole("").as_slice(), [Err(ModelError::Retry { .. })]));
    assert!(matches!(whole(": ping\n\n").as_slice(), [Err(ModelError::Retry { .. })]));
}

#[test]
fn an_endless_answer_and_an_endless_event_are_given_up() {
    let event = vec![b'x'; MAX_EVENT + 1];
    assert!(matches!(read([event.as_slice()]).as_slice(), [Err(ModelError::Fatal(_))]));
    let pings = b": ping\n\n".repeat(128 * 1024);
    assert!(matches!(read((0..17).map(|_| pings.as_slice())).as_slice(), [Err(ModelError::Fatal(_))]));
}

/// Pieces of streams, right and wrong, so that random ones get deep into the decoder.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "data: ",
        "data:",
        "event: error\n",
        "\n",
        "\r\n",
        "\n\n",
        ": x",
        "[DONE]",
        "null",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        r#"{"choices":[]}"#,
        r#"{"choices":{}}"#,
        r#"{"choices":[{"delta":{"content":["#,
        r#"{"error":{}}"#,
        "data: {\"choices\":[{\"delta\":{\"content\":\"ä\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":7,\"tool_calls\":[null,7,{}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":-1,\"id\":3,\"function\":{\"name\":{},\"arguments\":[1]}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"a\",\"arguments\":\"}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"message\":{\"function_call\":{\"name\":\"f\"}},\"finish_reason\":5}],\"usage\":{\"prompt_tokens\":1e99}}\n\n",
        "data: {\"usage\":{\"prompt_tokens\":18446744073709551615,\"completion_tokens\":18446744073709551615}}\n\n",
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

    #[test]
    fn random_cuts_change_nothing(cuts in proptest::collection::vec(1usize..64, 1..200), which in 0..ALL.len()) {
        let mut rest = ALL[which].as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        pieces.push(rest);
        prop_assert_eq!(read(pieces), whole(ALL[which]));
    }
}
