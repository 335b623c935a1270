use proptest::prelude::*;

use super::*;
use crate::models::http::{
    Advice, Packing,
    testing::{Said, ok, read as read_with, settings, text, thinking, tool_call, usage, without_made_up_ids},
};

/// Streams as the documentation prints them, a document a line.
const HELLO: &str = r#"{"model":"llama3.2","created_at":"2023-08-04T08:52:19.385406455-07:00","message":{"role":"assistant","content":"The","images":null},"done":false}
{"model":"llama3.2","created_at":"2023-08-04T08:52:19.385406455-07:00","message":{"role":"assistant","content":" sky ☀"},"done":false}
{"model":"llama3.2","created_at":"2023-08-04T19:22:45.499127Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":282,"eval_duration":4535599000}
"#;

const TOOLS: &str = r#"{"model":"qwen3","created_at":"2025-05-27T22:54:57.641643Z","message":{"role":"assistant","content":"","thinking":"Hm."},"done":false}
{"model":"qwen3","created_at":"2025-05-27T22:54:58.100509Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"get_current_weather","arguments":{"format":"celsius","location":"Toronto"}}}]},"done":false}
{"model":"qwen3","created_at":"2025-05-27T22:54:58.200509Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_0","function":{"index":1,"name":"mcp_files_read","arguments":{}}}]},"done":false}
{"model":"qwen3","created_at":"2025-05-27T22:54:59.100509Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"prompt_eval_count":169,"eval_count":15}
"#;

const THINK: &str = r#"{"model":"qwq","message":{"role":"assistant","content":"<thi"},"done":false}
{"model":"qwq","message":{"role":"assistant","content":"nk>Hm."},"done":false}
{"model":"qwq","message":{"role":"assistant","content":"</think>\n\nYes"},"done":false}
{"model":"qwq","message":{"role":"assistant","content":""},"done":true}"#;

const CRASH: &str = r#"{"model":"llama3.2","message":{"role":"assistant","content":"He"},"done":false}
{"error":"an error was encountered while running the model: CUDA error"}
{"model":"llama3.2","message":{"role":"assistant","content":"llo"},"done":false}
"#;

/// A server that was asked for a stream and answers in one piece.
const WHOLE: &str = r#"{"model":"llama3.2","created_at":"2023-12-12T14:13:43.416799Z","message":{"role":"assistant","content":"Hello!"},"done":true,"prompt_eval_count":26,"eval_count":298}"#;

const ALL: [&str; 5] = [HELLO, TOOLS, THINK, CRASH, WHOLE];

fn decoder() -> Decoder {
    let settings = settings("http://127.0.0.1:11434");
    let advice = Advice { address: "", missing: String::new() };
    let server = Server::new(&settings.base_url.parse().unwrap(), &settings, advice);
    Decoder::new(Arc::new(server), WireNames::new(["mcp.files.read"]), Some(64))
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Said {
    read_with(decoder(), Packing::Lines, pieces)
}

fn whole(text: &str) -> Said {
    read([text.as_bytes()])
}

#[test]
fn the_streams_of_the_documentation_are_read() {
    assert_eq!(whole(HELLO), ok([text("The"), text(" sky ☀"), usage(26, 282, 0)]));
    let weather = tool_call("", "get_current_weather", r#"{"format":"celsius","location":"Toronto"}"#);
    let both = [thinking("Hm."), usage(169, 15, 0), weather, tool_call("", "mcp.files.read", "{}")];
    assert_eq!(without_made_up_ids(whole(TOOLS)), ok(both));
    assert_eq!(whole(THINK), ok([thinking("Hm."), text("Yes")]));
    assert_eq!(whole(WHOLE), ok([text("Hello!"), usage(26, 298, 0)]));
}

#[test]
fn every_call_has_an_id_of_its_own() {
    let ids = |said: Said| -> Vec<CallId> {
        let call = |event| if let Ok(ModelEvent::ToolCall(call)) = event { Some(call.id) } else { None };
        said.into_iter().filter_map(call).collect()
    };
    let all = [ids(whole(TOOLS)), ids(whole(TOOLS))].concat();
    assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 4, "{all:?}");
}

#[test]
fn an_error_in_the_stream_is_the_last_that_is_said() {
    let said = whole(CRASH);
    assert_eq!(said[0], Ok(text("He")));
    let Err(ModelError::Retry { detail, .. }) = &said[1] else { panic!("{said:?}") };
    assert!(detail.contains("CUDA error"), "{detail}");
    assert_eq!(said.len(), 2);
}

#[test]
fn an_answer_that_breaks_off_is_worth_another_try() {
    let last = HELLO.rfind("{\"model\"").unwrap();
    for end in [last, last - 20] {
        let said = whole(&HELLO[..end]);
        assert_eq!(said[0], Ok(text("The")));
        assert!(matches!(said.last(), Some(Err(ModelError::Retry { .. }))), "{said:?}");
    }
    assert!(matches!(whole("").as_slice(), [Err(ModelError::Retry { .. })]));
    assert!(matches!(whole("404 page not found").as_slice(), [Err(ModelError::Retry { .. })]));
    assert!(matches!(whole("<html>").as_slice(), [Err(ModelError::Fatal(_))]));
}

#[test]
fn an_answer_cut_by_its_length_says_so_after_what_was_said() {
    let cut = r#"{"message":{"content":"so"},"done":true,"done_reason":"length","eval_count":64}"#;
    let said = whole(cut);
    assert_eq!(said[..2], ok([text("so"), usage(0, 64, 0)]));
    assert!(matches!(&said[2..], [Err(ModelError::Cut(detail))] if detail.contains("64 tokens")), "{said:?}");
}

#[test]
fn arguments_may_be_missing_or_text() {
    let call =
        |arguments| format!(r#"{{"message":{{"tool_calls":[{{"function":{{"name":"a"{arguments}}}}}]}},"done":true}}"#);
    for (sent, expected) in [("", "{}"), (r#","arguments":null"#, "{}"), (r#","arguments":"{\"a\":1}""#, r#"{"a":1}"#)]
    {
        assert_eq!(without_made_up_ids(whole(&call(sent))), ok([tool_call("", "a", expected)]));
    }
}

#[test]
fn a_cut_at_any_byte_changes_nothing() {
    for stream in ALL.into_iter().map(str::to_owned).chain(ALL.map(|stream| stream.replace('\n', "\r\n"))) {
        let expected = without_made_up_ids(whole(&stream));
        for at in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(at);
            assert_eq!(without_made_up_ids(read([left, right])), expected, "cut at {at} of {stream}");
        }
        assert_eq!(without_made_up_ids(read(stream.as_bytes().chunks(1))), expected);
    }
}

/// Lines, right and wrong, so that random ones get deep into the decoder.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "\n",
        "{",
        "}",
        "{}\n",
        "null\n",
        "[]\n",
        "{\"error\":7}\n",
        "{\"message\":{\"content\":\"ä\"}}\n",
        "{\"message\":{\"content\":7,\"thinking\":[],\"tool_calls\":{}}}\n",
        "{\"message\":{\"content\":\"<think>\",\"tool_calls\":[null,{\"function\":{\"name\":\"a\",\"arguments\":[1]}}]}}\n",
        "{\"done\":true,\"prompt_eval_count\":18446744073709551615,\"eval_count\":18446744073709551615}\n",
        "{\"done\":\"yes\",\"done_reason\":7}\n",
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
