//! What a message says, event by event.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::memory::Memory;
use crate::{
    agent::ports::model::{ModelError, ModelEvent},
    models::http::{Decode, Server, WireNames, sse::Event},
    protocol::{CallId, Tokens, ToolCall},
};

/// Collects one answer. A whole message, as a server may send though asked for a stream, is an answer of one event.
#[derive(Debug)]
pub struct Decoder {
    server: Arc<Server>,
    names: WireNames,
    /// The limit that was sent.
    max_tokens: Option<u32>,
    memory: Arc<Memory>,
    /// By their place in the message.
    blocks: BTreeMap<u64, Block>,
    usage: Usage,
    stop: Option<Stop>,
    /// Some JSON has come.
    begun: bool,
    done: bool,
}

/// A content block: as it began, and what was added to it.
#[derive(Debug, Default)]
struct Block {
    fields: Map<String, Value>,
    /// Text, thought, or the JSON of a call's arguments.
    said: String,
    signature: String,
}

/// In tokens; the counts of one answer only grow.
#[derive(Debug, Default)]
struct Usage {
    /// Neither read from the cache nor written to it.
    fresh: u64,
    written: u64,
    read: u64,
    output: u64,
}

#[derive(Debug)]
struct Stop {
    reason: String,
    explanation: Option<String>,
}

impl Decode for Decoder {
    fn event(&mut self, event: &Event, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        let value: Value = match serde_json::from_str(&event.data) {
            Ok(value) => value,
            Err(_) if event.name == "error" => Value::String(event.data.clone()),
            Err(_) => return Err(self.server.garbled(&event.data)),
        };
        self.begun = true;
        let kind = value.get("type").and_then(Value::as_str).unwrap_or(&event.name);
        let index = value.get("index").and_then(Value::as_u64).unwrap_or_default();
        match kind {
            "error" => return Err(self.server.reported(&value)),
            "message_start" => {
                self.usage.take(value.pointer("/message/usage"));
                // It is charged also where the message comes to no end.
                let so_far = self.usage.tokens().map(|tokens| Tokens { estimated: true, ..tokens });
                ready.extend(so_far.map(ModelEvent::Usage));
            }
            "content_block_start" => self.start(index, value.get("content_block"), ready),
            "content_block_delta" => self.delta(index, value.get("delta"), ready),
            "message_delta" => {
                self.usage.take(value.get("usage"));
                self.stop = value.get("delta").and_then(Stop::read).or(self.stop.take());
            }
            "message_stop" => self.done = true,
            "message" => self.whole(&value, ready),
            // An error of a server or gateway that does not know the form.
            _ if value.get("error").is_some() => return Err(self.server.reported(&value)),
            // `ping`, `content_block_stop`, and what the API may yet learn to say.
            _ => {}
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(mut self, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError> {
        if !self.begun {
            return Err(self.server.cut_off());
        }
        if self.stop.is_none() && !self.done {
            return Err(self.server.broken_off());
        }
        ready.extend(self.usage.tokens().map(ModelEvent::Usage));
        let calls = self.calls();
        let whole = calls.iter().all(|call| serde_json::from_str::<Value>(&call.arguments).is_ok());
        match self.stop.as_ref().map(|stop| stop.reason.as_str()) {
            Some("refusal") => {
                let explanation = self.stop.as_ref().and_then(|stop| stop.explanation.as_deref());
                return Err(self.server.filtered(explanation));
            }
            Some("model_context_window_exceeded") if calls.is_empty() || !whole => return Err(self.server.filled()),
            // The arguments of a call that was cut are of no use; were it run or refused, the model would only write it again.
            Some("max_tokens") if calls.is_empty() || !whole => return Err(self.server.cut_short(self.max_tokens)),
            _ => {}
        }
        self.remember();
        ready.extend(calls.into_iter().map(ModelEvent::ToolCall));
        Ok(())
    }

    fn server(&self) -> &Server {
        &self.server
    }
}

impl Decoder {
    pub fn new(server: Arc<Server>, names: WireNames, max_tokens: Option<u32>, memory: Arc<Memory>) -> Self {
        Self {
            server,
            names,
            max_tokens,
            memory,
            blocks: BTreeMap::new(),
            usage: Usage::default(),
            stop: None,
            begun: false,
            done: false,
        }
    }

    fn start(&mut self, index: u64, block: Option<&Value>, ready: &mut VecDeque<ModelEvent>) {
        let fields = block.and_then(Value::as_object).cloned().unwrap_or_default();
        let mut block = Block { fields, ..Block::default() };
        for (key, say) in [("text", ModelEvent::Text as fn(String) -> ModelEvent), ("thinking", ModelEvent::Thinking)] {
            if let Some(said) = block.fields.get(key).and_then(Value::as_str).filter(|said| !said.is_empty()) {
                ready.push_back(say(said.to_owned()));
                block.said = said.to_owned();
            }
        }
        if let Some(signature) = block.fields.get("signature").and_then(Value::as_str) {
            block.signature = signature.to_owned();
        }
        self.blocks.insert(index, block);
    }

    fn delta(&mut self, index: u64, delta: Option<&Value>, ready: &mut VecDeque<ModelEvent>) {
        let said = |key: &str| delta.and_then(|delta| delta.get(key)?.as_str()).filter(|said| !said.is_empty());
        let block = self.blocks.entry(index).or_default();
        if let Some(text) = said("text") {
            block.add("text", text);
            ready.push_back(ModelEvent::Text(text.to_owned()));
        } else if let Some(thought) = said("thinking") {
            block.add("thinking", thought);
            ready.push_back(ModelEvent::Thinking(thought.to_owned()));
        } else if let Some(json) = said("partial_json") {
            block.add("tool_use", json);
            ready.extend(block.text("name").map(|name| ModelEvent::CallPiece {
                call: usize::try_from(index).unwrap_or_default(),
                name: self.names.original(name),
                arguments: json.to_owned(),
            }));
        } else if let Some(signature) = said("signature") {
            block.signature.push_str(signature);
        }
    }

    fn whole(&mut self, message: &Value, ready: &mut VecDeque<ModelEvent>) {
        self.usage.take(message.get("usage"));
        let blocks = message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, block) in (0..).zip(blocks) {
            self.start(index, Some(block), ready);
        }
        self.stop = Stop::read(message);
        self.done = true;
    }

    fn calls(&self) -> Vec<ToolCall> {
        let calls = self.blocks.values().filter(|block| block.kind() == "tool_use");
        calls
            .map(|block| ToolCall {
                id: CallId(block.text("id").map_or_else(|| format!("call_{}", Uuid::new_v4().simple()), str::to_owned)),
                name: self.names.original(block.text("name").unwrap_or_default()),
                arguments: block.arguments(),
            })
            .collect()
    }

    /// A message with thoughts and calls goes back as it came.
    fn remember(&mut self) {
        let thinks = self.blocks.values().any(|block| matches!(block.kind(), "thinking" | "redacted_thinking"));
        if thinks {
            let blocks = std::mem::take(&mut self.blocks).into_values().filter_map(Block::close).collect();
            self.memory.keep(blocks);
        }
    }
}

impl Block {
    fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A server may leave out that the block begins.
    fn add(&mut self, kind: &str, said: &str) {
        if self.fields.is_empty() {
            self.fields.insert("type".into(), json!(kind));
        }
        self.said.push_str(said);
    }

    /// What was streamed, else what the block began with.
    fn arguments(&self) -> String {
        if !self.said.trim().is_empty() {
            return self.said.clone();
        }
        self.fields.get("input").filter(|input| input.is_object()).map_or_else(|| "{}".into(), Value::to_string)
    }

    /// The block as a message of the model holds it; none for a text that says nothing, which the API refuses.
    fn close(mut self) -> Option<Value> {
        match self.kind() {
            "text" if self.said.trim().is_empty() => return None,
            "text" => drop(self.fields.insert("text".into(), self.said.into())),
            "thinking" => {
                self.fields.insert("thinking".into(), self.said.into());
                self.fields.insert("signature".into(), self.signature.into());
            }
            "tool_use" => {
                let input = serde_json::from_str(&self.arguments()).unwrap_or_default();
                self.fields.insert("input".into(), input);
            }
            _ => {}
        }
        Some(Value::Object(self.fields))
    }
}

impl Usage {
    fn take(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage else { return };
        for (count, key) in [
            (&mut self.fresh, "input_tokens"),
            (&mut self.written, "cache_creation_input_tokens"),
            (&mut self.read, "cache_read_input_tokens"),
            (&mut self.output, "output_tokens"),
        ] {
            *count = usage.get(key).and_then(Value::as_u64).unwrap_or_default().max(*count);
        }
    }

    fn tokens(&self) -> Option<Tokens> {
        let input = self.fresh.saturating_add(self.written).saturating_add(self.read);
        let total = input.saturating_add(self.output);
        // No answer costs nothing: a server that doesn't count may send zeros.
        (total > 0).then_some(Tokens { input, output: self.output, cached: self.read, total, estimated: false })
    }
}

impl Stop {
    fn read(delta: &Value) -> Option<Self> {
        let reason = delta.get("stop_reason")?.as_str()?.to_owned();
        let explanation = delta.pointer("/stop_details/explanation").and_then(Value::as_str).map(str::to_owned);
        Some(Self { reason, explanation })
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
