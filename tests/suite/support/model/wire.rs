//! The forms in which model servers speak.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{anthropic, ollama, openai};

/// What each whole answer comes to, in tokens …
pub const INPUT: u64 = 11;
pub const OUTPUT: u64 = 7;
/// … and how many of the input an Anthropic server had read before.
pub const CACHED: u64 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Ollama,
}

/// Writes one answer. Each text is sent as a piece of its own.
pub trait Writer: Send {
    fn begin(&mut self) -> Vec<String>;
    fn text(&mut self, text: &str) -> Vec<String>;
    fn counted(&mut self, _text: &str, _input: u64, _output: u64) -> Vec<String> {
        panic!("a server of this form does not count each piece");
    }
    fn thinking(&mut self, text: &str) -> Vec<String>;
    /// `arguments` may be any text where the form takes one.
    fn call(&mut self, id: &str, name: &str, arguments: &str) -> Vec<String>;
    /// An error inside the answer, after which nothing comes.
    fn failure(&mut self, error: &Value) -> Vec<String>;
    fn end(&mut self) -> Vec<String>;
}

impl Wire {
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Ollama];

    /// As the configuration names it.
    pub fn provider(self) -> &'static str {
        match self {
            Self::OpenAi => "openai_compatible",
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
            Self::Ollama => "/api/chat",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Anthropic => "text/event-stream",
            Self::Ollama => "application/x-ndjson",
        }
    }

    pub(super) fn writer(self) -> Box<dyn Writer> {
        match self {
            Self::OpenAi => Box::new(openai::Answer::default()),
            Self::Anthropic => Box::new(anthropic::Answer::default()),
            Self::Ollama => Box::new(ollama::Answer),
        }
    }

    /// What such servers refuse.
    pub(super) fn check(self, headers: &HeaderMap, body: &Value) -> Result<(), String> {
        match self {
            Self::OpenAi => openai::check(body),
            Self::Anthropic => anthropic::check(headers, body),
            Self::Ollama => ollama::check(body),
        }
    }

    /// The body of an answer without success.
    pub(super) fn refusal(self, status: u16, words: &str) -> String {
        match self {
            Self::OpenAi => json!({"error": {"message": words}}),
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": anthropic::error_type(status), "message": words}})
            }
            Self::Ollama => json!({"error": words}),
        }
        .to_string()
    }
}

/// The messages of a request.
pub fn messages(body: &Value) -> Result<&[Value], String> {
    body["messages"].as_array().map(Vec::as_slice).ok_or_else(|| "there are no messages".into())
}
