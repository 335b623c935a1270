//! What a chat answer says, line by line.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;
use uuid::Uuid;

use crate::{
    agent::ports::model::{ModelError, ModelEvent},
    models::http::{Decode, Server, Thoughts, WireNames, sse::Event},
    protocol::{CallId, Tokens, ToolCall},
};

#[derive(Debug)]
pub struct Decoder {
    server: Arc<Server>,
    names: WireNames,
    /// The limit that was sent.
    max_tokens: Option<u32>,
    thoughts: Thoughts,
    calls: Vec<ToolCall>,
    usage: Option<Tokens>,
    /// Some JSON has come.
    begun: bool,
    /// The server ended the answer for its length.
    cut: bool,
    done: bool,
}

impl Decode for Decoder {
    fn event(&mut self, event: &Event, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        let line: Value = serde_json::from_str(&event.data).map_err(|_| self.server.garbled(&event.data))?;
        self.begun = true;
        if line.get("error").is_some() {
            return Err(self.server.reported(&line));
        }
        if let Some(message) = line.get("message") {
            self.message(message, ready);
        }
        self.usage = tokens(&line).or(self.usage);
        self.cut |= line.get("done_reason").is_some_and(|reason| reason == "length");
        self.done |= line.get("done").is_some_and(|done| *done == true);
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(mut self, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        if !self.begun {
            return Err(self.server.cut_off());
        }
        self.thoughts.finish(ready);
        if !self.done {
            return Err(self.server.broken_off());
        }
        ready.extend(self.usage.map(ModelEvent::Usage));
        if self.cut && self.calls.is_empty() {
            return Err(self.server.cut_short(self.max_tokens));
        }
        ready.extend(self.calls.into_iter().map(ModelEvent::ToolCall));
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
            calls: Vec::new(),
            usage: None,
            begun: false,
            cut: false,
            done: false,
        }
    }

    fn message(&mut self, message: &Value, ready: &mut VecDeque<ModelEvent>) {
        let text = |key: &str| message.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        ready.extend(text("thinking").map(|thought| ModelEvent::Thinking(thought.to_owned())));
        if let Some(content) = text("content") {
            self.thoughts.push(content, ready);
        }
        let calls = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let calls: Vec<ToolCall> = calls.iter().filter_map(|call| self.call(call)).collect();
        self.calls.extend(calls);
    }

    /// Calls come whole. Their ids, where there are any, are counted anew in each answer, so they get ones of our own.
    fn call(&self, call: &Value) -> Option<ToolCall> {
        let function = call.get("function")?;
        let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())?;
        let arguments = match function.get("arguments") {
            None | Some(Value::Null) => "{}".into(),
            Some(Value::String(text)) => text.clone(),
            Some(object) => object.to_string(),
        };
        let id = CallId(format!("call_{}", Uuid::new_v4().simple()));
        Some(ToolCall { id, name: self.names.original(name), arguments })
    }
}

/// The counts of the last line.
fn tokens(line: &Value) -> Option<Tokens> {
    let count = |key: &str| line.get(key).and_then(Value::as_u64);
    let [input, output] = ["prompt_eval_count", "eval_count"].map(|key| count(key).unwrap_or_default());
    let total = input.saturating_add(output);
    // No answer costs nothing: a server that doesn't count may send zeros.
    (total > 0).then_some(Tokens { input, output, cached: 0, total, estimated: false })
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
