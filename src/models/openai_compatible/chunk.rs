//! The usual chunk, a few letters of text, without a tree of the whole JSON: a stream is made of thousands of them.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

/// The text of a chunk that says nothing else. `None` for every other, which [`Decoder`](super::decoder::Decoder) then
/// reads in full.
pub fn plain_text(data: &str) -> Option<Cow<'_, str>> {
    let chunk: Chunk<'_> = serde_json::from_str(data).ok()?;
    let [choice] = chunk.choices;
    (!choice.delta.content.is_empty()).then_some(choice.delta.content)
}

/// Says `null`, or is missing; anything else is not a plain chunk.
#[derive(Default, Deserialize)]
#[serde(try_from = "Option<IgnoredAny>")]
struct Nothing;

impl TryFrom<Option<IgnoredAny>> for Nothing {
    type Error = &'static str;

    fn try_from(value: Option<IgnoredAny>) -> Result<Self, Self::Error> {
        value.map_or(Ok(Self), |_| Err("the chunk says more than text"))
    }
}

/// What matters beside the choices; other fields are passed over, as they are in full.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: [Choice<'a>; 1],
    #[serde(default, rename = "usage")]
    _usage: Nothing,
    #[serde(default, rename = "error")]
    _error: Nothing,
    #[serde(default, rename = "type")]
    _type: Nothing,
    /// Older vLLM marks an error by it.
    #[serde(default, rename = "object")]
    _object: Option<Kind>,
}

#[derive(Deserialize)]
enum Kind {
    #[serde(rename = "chat.completion.chunk")]
    Chunk,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
    #[serde(default, rename = "finish_reason")]
    _finish_reason: Nothing,
    #[serde(default, rename = "usage")]
    _usage: Nothing,
    #[serde(default, rename = "error")]
    _error: Nothing,
    #[serde(default, rename = "type")]
    _type: Nothing,
    #[serde(default, rename = "object")]
    _object: Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(default, rename = "role")]
    _role: IgnoredAny,
    #[serde(default, rename = "refusal")]
    _refusal: Nothing,
    #[serde(default, rename = "reasoning")]
    _reasoning: Nothing,
    #[serde(default, rename = "reasoning_content")]
    _reasoning_content: Nothing,
    #[serde(default, rename = "tool_calls")]
    _tool_calls: Nothing,
    #[serde(default, rename = "function_call")]
    _function_call: Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(delta: &str, choice: &str, more: &str) -> String {
        format!(
            r#"{{"id":"c","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{delta}{choice}}}]{more}}}"#
        )
    }

    #[test]
    fn text_alone_is_plain_and_is_not_copied() {
        let data = chunk(r#"{"content":"Grüße"}"#, r#","logprobs":null,"finish_reason":null"#, r#","usage":null"#);
        assert!(matches!(plain_text(&data), Some(Cow::Borrowed("Grüße"))));
        let escaped = chunk(r#"{"role":"assistant","content":"a\n\ud83d\udc4b","reasoning":null}"#, "", "");
        assert_eq!(plain_text(&escaped).as_deref(), Some("a\n👋"));
    }

    #[test]
    fn whatever_says_more_is_not_plain() {
        let text = r#"{"content":"a"}"#;
        for data in [
            chunk(r#"{"content":""}"#, "", ""),
            chunk(r#"{"content":null}"#, "", ""),
            chunk(r#"{"content":["a"]}"#, "", ""),
            chunk("{}", "", ""),
            chunk(r#"{"content":"a","tool_calls":[]}"#, "", ""),
            chunk(r#"{"content":"a","reasoning":"b"}"#, "", ""),
            chunk(r#"{"content":"a","unheard_of":null}"#, "", ""),
            chunk(text, r#","finish_reason":"stop""#, ""),
            chunk(text, r#","error":{}"#, ""),
            chunk(text, r#","usage":{}"#, ""),
            chunk(text, "", r#","usage":{"prompt_tokens":1}"#),
            chunk(text, "", r#","error":"x""#),
            chunk(text, "", r#","type":"error""#),
            r#"{"object":"error","choices":[{"delta":{"content":"a"}}]}"#.into(),
            r#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}"#.into(),
            r#"{"choices":[]}"#.into(),
            format!("{0}\n{0}", chunk(text, "", "")),
            format!("{}[DONE]", chunk(text, "", "")),
            "[DONE]".into(),
        ] {
            assert_eq!(plain_text(&data), None, "{data}");
        }
    }
}
