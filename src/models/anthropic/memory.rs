//! Messages of a thinking model, as its server sent them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{models::http::wording::arguments, protocol::ToolCall};

/// What all turns that run at one time may need, in bytes of JSON. A long thought has some 100 KiB.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Keeps assistant messages with thoughts, by the id of their first call, until newer ones need the room. They are
/// wanted only while their turn runs, so a restart, which ends the turn, loses nothing.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    messages: HashMap<String, Message>,
    /// Their keys, oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Debug)]
struct Message {
    blocks: Vec<Value>,
    bytes: usize,
}

impl Memory {
    pub fn keep(&self, blocks: Vec<Value>) {
        let Some(key) = ids(&blocks).next().map(str::to_owned) else { return };
        let bytes = blocks.iter().map(|block| block.to_string().len()).sum();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&key);
        kept.bytes += bytes;
        kept.messages.insert(key.clone(), Message { blocks, bytes });
        kept.order.push_back(key);
        while kept.bytes > MAX_BYTES
            && let Some(oldest) = kept.order.front().cloned()
        {
            kept.remove(&oldest);
        }
    }

    /// The blocks of the message that said `text` and made `calls`, if it is kept. What was given to the calls is as
    /// `calls` has it by now.
    pub fn recall(&self, text: &str, calls: &[ToolCall]) -> Option<Vec<Value>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = kept.find(text, calls)?.to_vec();
        let uses = blocks.iter_mut().filter(|block| block["type"] == "tool_use");
        for (block, call) in uses.zip(calls) {
            block["input"] = arguments(&call.arguments).into();
        }
        Some(blocks)
    }

    /// Bytes of what the message has beside its text and its calls.
    pub fn thought_bytes(&self, text: &str, calls: &[ToolCall]) -> usize {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = kept.find(text, calls).unwrap_or_default();
        let thoughts = blocks.iter().filter(|block| block["type"] != "text" && block["type"] != "tool_use");
        thoughts.map(|block| block.to_string().len()).sum()
    }
}

impl Kept {
    fn find(&self, text: &str, calls: &[ToolCall]) -> Option<&[Value]> {
        let blocks = &self.messages.get(calls.first()?.id.as_str())?.blocks;
        let same_calls = ids(blocks).eq(calls.iter().map(|call| call.id.as_str()));
        (same_calls && self::text(blocks) == text).then_some(blocks.as_slice())
    }

    fn remove(&mut self, key: &str) {
        if let Some(message) = self.messages.remove(key) {
            self.bytes -= message.bytes;
            self.order.retain(|known| known != key);
        }
    }
}

fn ids(blocks: &[Value]) -> impl Iterator<Item = &str> {
    blocks.iter().filter(|block| block["type"] == "tool_use").filter_map(|block| block["id"].as_str())
}

fn text(blocks: &[Value]) -> String {
    blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::http::testing::call;

    fn message(ids: &[&str], said: &str, thought: &str) -> Vec<Value> {
        let calls = ids.iter().map(|id| json!({"type": "tool_use", "id": id, "name": "read", "input": {}}));
        let thought = json!({"type": "thinking", "thinking": thought, "signature": "s"});
        [thought, json!({"type": "text", "text": said})].into_iter().chain(calls).collect()
    }

    #[test]
    fn a_message_is_recalled_only_for_what_it_was() {
        let (memory, blocks) = (Memory::default(), message(&["a", "b"], "Look:", "Hm."));
        memory.keep(blocks.clone());
        let [a, b] = ["a", "b"].map(|id| call(id, "read", "{}"));
        assert_eq!(memory.recall("Look:", &[a.clone(), b.clone()]), Some(blocks));
        assert_eq!(memory.recall("Look!", &[a.clone(), b.clone()]), None);
        assert_eq!(memory.recall("Look:", &[a]), None);
        assert_eq!(memory.recall("Look:", &[b]), None);
        assert_eq!(memory.recall("Look:", &[]), None);
    }

    #[test]
    fn thoughts_are_measured_and_shortened_arguments_go_back_as_they_are() {
        let (memory, blocks) = (Memory::default(), message(&["a"], "", "A long thought."));
        memory.keep(blocks.clone());
        let shortened = [call("a", "read", "{\"content\": \"[left out]\"}")];
        assert_eq!(memory.thought_bytes("", &shortened), blocks[0].to_string().len());
        assert_eq!(memory.thought_bytes("[left out]", &shortened), 0);
        let recalled = memory.recall("", &shortened).unwrap();
        assert_eq!((&recalled[0], &recalled[2]["input"]), (&blocks[0], &json!({"content": "[left out]"})));
    }

    #[test]
    fn the_oldest_make_room() {
        let memory = Memory::default();
        let long = "x".repeat(MAX_BYTES / 2 - 1000);
        for id in ["a", "b", "c", "c"] {
            memory.keep(message(&[id], "", &long));
        }
        let kept = |id| memory.recall("", &[call(id, "read", "{}")]).is_some();
        assert_eq!(["a", "b", "c"].map(kept), [false, true, true]);
    }
}
