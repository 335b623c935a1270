//! What a chat completion says, event by event.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Deserializer, Value};

use super::{calls::Calls, chunk::plain_text};
use crate::{
    agent::ports::model::{ModelError, ModelEvent},
    models::http::{Decode, Server, Thoughts, WireNames, sse::Event},
    protocol::Tokens,
};

/// Collects one answer. A whole answer, as some servers send though asked for a stream, is an answer of one event.
#[derive(Debug)]
pub struct Decoder {
    server: Arc<Server>,
    names: WireNames,
    /// The limit that was sent.
    max_tokens: Option<u32>,
    thoughts: Thoughts,
    calls: Calls,
    usage: Option<Tokens>,
    /// Some JSON has come.
    begun: bool,
    /// Some part of the answer itself has come; from then on a repetition of the whole is passed over.
    spoken: bool,
    /// The server ended the answer for its length.
    cut: bool,
    done: bool,
}

impl Decode for Decoder {
    fn event(&mut self, event: &Event, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        let data = event.data.trim();
        if event.name == "error" {
            let error = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
            return Err(self.server.reported(&error));
        }
        if let Some(text) = plain_text(data) {
            self.begun = true;
            self.spoken = true;
            self.thoughts.push(&text, ready);
            return Ok(());
        }
        self.in_full(data, ready)
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(mut self, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        if !self.begun && !self.done {
            return Err(self.server.cut_off());
        }
        self.thoughts.finish(ready);
        ready.extend(self.usage.map(ModelEvent::Usage));
        let calls = self.calls.finish(&self.names);
        // The arguments of a call that was cut are of no use; were it run or refused, the model would only write it again.
        let whole = calls.iter().all(|call| serde_json::from_str::<Value>(&call.arguments).is_ok());
        if self.cut && (calls.is_empty() || !whole) {
            return Err(self.server.cut_short(self.max_tokens));
        }
        ready.extend(calls.into_iter().map(ModelEvent::ToolCall));
        Ok(())
    }

    fn server(&self) -> &Server {
        &self.server
    }
}

impl Decoder {
    pub fn new(server: Arc<Server>, names: WireNames, max_tokens: Option<u32>) -> Self {
        Self {
            server,
            names,
            max_tokens,
            thoughts: Thoughts::default(),
            calls: Calls::default(),
            usage: None,
            begun: false,
            spoken: false,
            cut: false,
            done: false,
        }
    }

    fn in_full(&mut self, data: &str, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        let (json, done) = data.strip_suffix("[DONE]").map_or((data, false), |json| (json, true));
        // Several values stand in one event where a server leaves out the blank lines.
        for value in Deserializer::from_str(json).into_iter() {
            let value = value.map_err(|_| self.server.garbled(json))?;
            self.value(&value, ready)?;
        }
        self.done |= done;
        Ok(())
    }

    fn value(&mut self, value: &Value, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        self.begun = true;
        let choice = value.pointer("/choices/0").unwrap_or(&Value::Null);
        if let Some(error) = error_in(value).or_else(|| error_in(choice)) {
            return Err(self.server.reported(error));
        }
        // Moonshot puts the usage into the choice.
        let usage = value.get("usage").and_then(tokens).or_else(|| choice.get("usage").and_then(tokens));
        if let Some(part) = self.part(choice) {
            self.take(part, ready);
        }
        // Some count on in every chunk: what counts if the answer comes to no end. Behind the text, which it has counted.
        if usage.is_some() && usage != self.usage {
            self.usage = usage;
            ready.extend(usage.map(|tokens| ModelEvent::Usage(Tokens { estimated: true, ..tokens })));
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            Some("content_filter") => return Err(self.server.filtered(None)),
            Some("length") => self.cut = true,
            _ => {}
        }
        Ok(())
    }

    /// The new piece, or the whole message where nothing was said yet.
    fn part<'a>(&self, choice: &'a Value) -> Option<&'a Value> {
        let delta = choice.get("delta").filter(|delta| delta.as_object().is_some_and(|fields| !fields.is_empty()));
        delta.or_else(|| choice.get("message").filter(|_| !self.spoken))
    }

    fn take(&mut self, part: &Value, ready: &mut VecDeque<ModelEvent>) {
        // Some servers send the same thought under both names.
        if let Some(thought) = ["reasoning_content", "reasoning"].iter().find_map(|key| text(part.get(*key))) {
            self.say(ModelEvent::Thinking(thought.to_owned()), ready);
        }
        match part.get("content") {
            Some(Value::Array(blocks)) => blocks.iter().filter_map(block).for_each(|said| self.say(said, ready)),
            content => {
                if let Some(said) = text(content) {
                    self.spoken = true;
                    self.thoughts.push(said, ready);
                }
            }
        }
        if let Some(refusal) = text(part.get("refusal")) {
            self.say(ModelEvent::Text(refusal.to_owned()), ready);
        }
        let calls = part.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let old = part.get("function_call").filter(|call| call.is_object());
        for call in calls.iter().chain(old) {
            self.spoken = true;
            let Some((slot, name)) = self.calls.add(call).filter(|(_, name)| !name.is_empty()) else { continue };
            let (name, arguments) = (self.names.original(name), Calls::arguments(call).to_owned());
            ready.push_back(ModelEvent::CallPiece { call: slot, name, arguments });
        }
    }

    fn say(&mut self, event: ModelEvent, ready: &mut VecDeque<ModelEvent>) {
        self.spoken = true;
        ready.push_back(event);
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
    let [input, output] = ["/prompt_tokens", "/completion_tokens"].map(|path| count(path).unwrap_or_default());
    // No answer costs nothing: some servers that don't count send zeros.
    if input == 0 && output == 0 {
        return None;
    }
    // The second is DeepSeek's.
    let cached = count("/prompt_tokens_details/cached_tokens").or_else(|| count("/prompt_cache_hit_tokens"));
    let total = count("/total_tokens").unwrap_or_else(|| input.saturating_add(output));
    Some(Tokens { input, output, cached: cached.unwrap_or_default(), total, estimated: false })
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
pub(super) mod tests;
