//! What a chat completion says, event by event.

use std::sync::Arc;

use serde_json::{Deserializer, Value};

use super::{calls::Calls, failure::Server, names::ToolNames, sse::Event};
use crate::{
    agent::ports::model::{ModelError, ModelEvent},
    protocol::Tokens,
};

/// Collects one answer. A whole answer, as some servers send though asked for a stream, is an answer of one event.
#[derive(Debug)]
pub struct Decoder {
    server: Arc<Server>,
    names: ToolNames,
    calls: Calls,
    usage: Option<Tokens>,
    /// Some JSON has come.
    begun: bool,
    /// Some part of the answer itself has come; from then on a repetition of the whole is passed over.
    spoken: bool,
    done: bool,
}

impl Decoder {
    pub fn new(server: Arc<Server>, names: ToolNames) -> Self {
        Self { server, names, calls: Calls::default(), usage: None, begun: false, spoken: false, done: false }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server has said `[DONE]`.
    pub fn is_done(&self) -> bool {
        self.done
    }

    pub fn event(&mut self, event: &Event) -> Result<Vec<ModelEvent>, ModelError> {
        let data = event.data.trim();
        if event.name == "error" {
            let error = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
            return Err(self.server.reported(&error));
        }
        let (json, done) = data.strip_suffix("[DONE]").map_or((data, false), |json| (json, true));
        let mut events = Vec::new();
        // Several values stand in one event where a server leaves out the blank lines.
        for value in Deserializer::from_str(json).into_iter() {
            let value = value.map_err(|_| self.server.garbled(json))?;
            self.value(&value, &mut events)?;
        }
        self.done |= done;
        Ok(events)
    }

    /// The answer is over: what could only be known now.
    pub fn finish(self) -> Result<Vec<ModelEvent>, ModelError> {
        if !self.begun && !self.done {
            return Err(self.server.cut_off());
        }
        let calls = self.calls.finish(&self.names).into_iter().map(ModelEvent::ToolCall);
        Ok(self.usage.map(ModelEvent::Usage).into_iter().chain(calls).collect())
    }

    fn value(&mut self, value: &Value, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        self.begun = true;
        let choice = value.pointer("/choices/0").unwrap_or(&Value::Null);
        if let Some(error) = error_in(value).or_else(|| error_in(choice)) {
            return Err(self.server.reported(error));
        }
        // Moonshot puts the usage into the choice.
        let usage = value.get("usage").and_then(tokens).or_else(|| choice.get("usage").and_then(tokens));
        self.usage = usage.or(self.usage);
        if let Some(part) = self.part(choice) {
            self.take(part, events);
        }
        if choice.get("finish_reason").and_then(Value::as_str) == Some("content_filter") {
            return Err(self.server.filtered());
        }
        Ok(())
    }

    /// The new piece, or the whole message where nothing was said yet.
    fn part<'a>(&self, choice: &'a Value) -> Option<&'a Value> {
        let delta = choice.get("delta").filter(|delta| delta.as_object().is_some_and(|fields| !fields.is_empty()));
        delta.or_else(|| choice.get("message").filter(|_| !self.spoken))
    }

    fn take(&mut self, part: &Value, events: &mut Vec<ModelEvent>) {
        let before = events.len();
        // Some servers send the same thought under both names.
        let thought = ["reasoning_content", "reasoning"].iter().find_map(|key| text(part.get(*key)));
        events.extend(thought.map(|text| ModelEvent::Thinking(text.to_owned())));
        match part.get("content") {
            Some(Value::Array(blocks)) => events.extend(blocks.iter().filter_map(block)),
            content => events.extend(text(content).map(|text| ModelEvent::Text(text.to_owned()))),
        }
        events.extend(text(part.get("refusal")).map(|text| ModelEvent::Text(text.to_owned())));
        let calls = part.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let old = part.get("function_call").filter(|call| call.is_object());
        for call in calls.iter().chain(old) {
            self.calls.add(call);
            self.spoken = true;
        }
        self.spoken |= events.len() > before;
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Mistral's servers send content as blocks, thoughts as blocks within one.
fn block(block: &Value) -> Option<ModelEvent> {
    if let Some(thoughts) = block.get("thinking") {
        let nested = thoughts.as_array().into_iter().flatten().filter_map(|part| text(part.get("text")));
        let thought: String = text(Some(thoughts)).into_iter().chain(nested).collect();
        return (!thought.is_empty()).then_some(ModelEvent::Thinking(thought));
    }
    text(block.get("text")).map(|text| ModelEvent::Text(text.to_owned()))
}

/// `{"error": …}`, or vLLM's older `{"object": "error", …}`.
fn error_in(value: &Value) -> Option<&Value> {
    let named = value.get("error").filter(|error| !matches!(error, Value::Null | Value::Bool(false)) && *error != "");
    let marked = ["object", "type"].iter().any(|key| value.get(*key).is_some_and(|kind| kind == "error"));
    named.or_else(|| marked.then_some(value))
}

fn tokens(usage: &Value) -> Option<Tokens> {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let (input, output) = (count("/prompt_tokens"), count("/completion_tokens"));
    input.or(output)?;
    let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
    // The second is DeepSeek's.
    let cached = count("/prompt_tokens_details/cached_tokens").or_else(|| count("/prompt_cache_hit_tokens"));
    let total = count("/total_tokens").unwrap_or_else(|| input.saturating_add(output));
    Some(Tokens { input, output, cached: cached.unwrap_or_default(), total, estimated: false })
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
pub(super) mod tests;
