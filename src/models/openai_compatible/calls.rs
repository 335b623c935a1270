//! Tool calls from their pieces.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    models::http::WireNames,
    protocol::{CallId, ToolCall},
};

/// The calls of one answer, in the order they were begun.
#[derive(Debug, Default)]
pub struct Calls {
    open: Vec<OpenCall>,
}

#[derive(Debug, Default)]
struct OpenCall {
    index: Option<u64>,
    /// Empty while no piece names it.
    id: String,
    name: String,
    arguments: String,
}

/// What one delta says of a call; empty texts count as not said.
#[derive(Clone, Copy)]
struct Piece<'a> {
    index: Option<u64>,
    id: Option<&'a str>,
    name: Option<&'a str>,
    arguments: Option<&'a Value>,
}

impl<'a> Piece<'a> {
    /// The old `function_call` has its fields where newer calls have `function`.
    fn read(delta: &'a Value) -> Self {
        let function = delta.get("function").filter(|function| function.is_object()).unwrap_or(delta);
        let text = |value: Option<&'a Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty());
        Self {
            index: delta.get("index").and_then(Value::as_u64),
            id: text(delta.get("id")),
            name: text(function.get("name")),
            arguments: function.get("arguments").filter(|arguments| !arguments.is_null()),
        }
    }

    fn says_nothing(&self) -> bool {
        self.id.is_none() && self.name.is_none() && self.arguments.is_none()
    }
}

impl OpenCall {
    /// Whether `piece`, which points to this call, goes on with it. Some servers give every call the index 0 or none,
    /// others repeat the name in every piece, others make up a new id for each: only a name can begin another call.
    fn goes_on(&self, piece: &Piece<'_>) -> bool {
        let Some(name) = piece.name else { return true };
        match piece.id {
            Some(id) if !self.id.is_empty() => id == self.id,
            _ => self.name.is_empty() || (name == self.name && !self.is_whole()),
        }
    }

    fn is_whole(&self) -> bool {
        // The cheap test keeps a long file, sent with the name repeated, from being parsed at every piece.
        self.arguments.trim_end().ends_with('}')
            && serde_json::from_str::<Value>(&self.arguments).is_ok_and(|value| value.is_object())
    }

    fn take(&mut self, piece: &Piece<'_>) {
        if let (true, Some(id)) = (self.id.is_empty(), piece.id) {
            id.clone_into(&mut self.id);
        }
        if let (true, Some(name)) = (self.name.is_empty(), piece.name) {
            name.clone_into(&mut self.name);
        }
        match piece.arguments {
            Some(Value::String(text)) => self.arguments.push_str(text),
            Some(object) => self.arguments = object.to_string(),
            None => {}
        }
    }
}

impl Calls {
    /// Takes one entry of `tool_calls`, or a `function_call`. Answers which call it goes on with, and its name.
    pub fn add(&mut self, delta: &Value) -> Option<(usize, &str)> {
        let piece = Piece::read(delta);
        if piece.says_nothing() {
            return None;
        }
        let slot = match self.pointed_at(&piece) {
            Some(slot) if self.open[slot].goes_on(&piece) => slot,
            _ => {
                self.open.push(OpenCall { index: piece.index, ..OpenCall::default() });
                self.open.len() - 1
            }
        };
        self.open[slot].take(&piece);
        Some((slot, &self.open[slot].name))
    }

    /// The arguments that a delta adds to its call, where they come in pieces.
    pub fn arguments(delta: &Value) -> &str {
        Piece::read(delta).arguments.and_then(Value::as_str).unwrap_or_default()
    }

    /// By index, else by id, else the one begun last. The last with that index counts where several have it.
    fn pointed_at(&self, piece: &Piece<'_>) -> Option<usize> {
        if piece.index.is_some() {
            return self.open.iter().rposition(|call| call.index == piece.index);
        }
        let same_id = piece.id.and_then(|id| self.open.iter().rposition(|call| call.id == id));
        same_id.or_else(|| self.open.len().checked_sub(1))
    }

    /// The whole calls. One that says nothing is none; one without an id gets one, and one without arguments the empty object.
    pub fn finish(self, names: &WireNames) -> Vec<ToolCall> {
        let said = self.open.into_iter().filter(|call| !call.name.is_empty() || !call.arguments.trim().is_empty());
        said.map(|call| ToolCall {
            id: CallId(if call.id.is_empty() { format!("call_{}", Uuid::new_v4().simple()) } else { call.id }),
            name: names.original(&call.name),
            arguments: if call.arguments.trim().is_empty() { "{}".into() } else { call.arguments },
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Name and arguments of the calls that `deltas` make.
    fn calls(deltas: Value) -> Vec<(String, String)> {
        let mut calls = Calls::default();
        for delta in deltas.as_array().unwrap() {
            calls.add(delta);
        }
        calls.finish(&WireNames::default()).into_iter().map(|call| (call.name, call.arguments)).collect()
    }

    fn made(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, arguments)| ((*name).into(), (*arguments).into())).collect()
    }

    #[test]
    fn pieces_of_two_calls_are_told_apart_by_their_index() {
        let deltas = json!([
            {"index": 0, "id": "a", "function": {"name": "read", "arguments": ""}},
            {"index": 1, "id": "b", "function": {"name": "list", "arguments": "{\"x\""}},
            {"index": 0, "function": {"arguments": "{}"}},
            {"index": 1, "function": {"arguments": ":1}"}},
        ]);
        assert_eq!(calls(deltas), made(&[("read", "{}"), ("list", "{\"x\":1}")]));
    }

    #[test]
    fn without_an_index_the_id_counts_and_else_the_call_begun_last() {
        let deltas = json!([
            {"id": "a", "function": {"name": "read", "arguments": "{"}},
            {"id": "b", "function": {"name": "list", "arguments": "{\"x\""}},
            {"id": "a", "function": {"arguments": "}"}},
            {"function": {"arguments": ":1}"}},
        ]);
        assert_eq!(calls(deltas), made(&[("read", "{}"), ("list", "{\"x\":1}")]));
    }

    #[test]
    fn whole_calls_that_all_have_the_index_0_stay_apart() {
        let with_ids = json!([
            {"index": 0, "id": "a", "function": {"name": "read", "arguments": "{}"}},
            {"index": 0, "id": "b", "function": {"name": "read", "arguments": "{}"}},
        ]);
        let without = json!([
            {"index": 0, "function": {"name": "read", "arguments": "{}"}},
            {"index": 0, "function": {"name": "read", "arguments": "{}"}},
            {"index": 0, "function": {"name": "list", "arguments": ""}},
            {"index": 0, "function": {"name": "undo"}},
        ]);
        assert_eq!(calls(with_ids), made(&[("read", "{}"), ("read", "{}")]));
        assert_eq!(calls(without), made(&[("read", "{}"), ("read", "{}"), ("list", "{}"), ("undo", "{}")]));
    }

    #[test]
    fn a_repeated_name_and_a_changing_id_do_not_begin_another_call() {
        let deltas = json!([
            {"index": 0, "id": "a", "function": {"name": "read", "arguments": "{\"a\":{}"}},
            {"index": 0, "function": {"name": "read", "arguments": ",\"b\":1"}},
            {"index": 0, "id": "other", "function": {"name": null, "arguments": "}"}},
        ]);
        assert_eq!(calls(deltas), made(&[("read", "{\"a\":{},\"b\":1}")]));
    }

    #[test]
    fn arguments_may_be_an_object_and_function_null() {
        let deltas = json!([
            {"index": 0, "id": "a", "function": null},
            {"index": 0, "function": {"name": "read", "arguments": {"path": "a b"}}},
            {"index": 0, "function": null},
        ]);
        assert_eq!(calls(deltas), made(&[("read", "{\"path\":\"a b\"}")]));
    }

    #[test]
    fn the_old_function_call_is_a_call() {
        let deltas = json!([{"name": "read", "arguments": "{\"a\""}, {"arguments": ":1}"}]);
        assert_eq!(calls(deltas), made(&[("read", "{\"a\":1}")]));
    }

    #[test]
    fn a_cut_call_is_given_as_it_is_and_an_empty_one_not_at_all() {
        let deltas = json!([{"index": 0, "id": "a", "function": {"name": "write", "arguments": "{\"text\": \"ab"}}, {"index": 1}, {"index": 2, "id": "b"}]);
        assert_eq!(calls(deltas), made(&[("write", "{\"text\": \"ab")]));
    }

    #[test]
    fn a_missing_id_is_made_up_and_a_given_one_kept() {
        let mut calls = Calls::default();
        calls.add(&json!({"index": 0, "function": {"name": "a"}}));
        calls.add(&json!({"index": 1, "id": "", "function": {"name": "b"}}));
        calls.add(&json!({"index": 2, "id": "call_7", "function": {"name": "c"}}));
        let ids: Vec<CallId> = calls.finish(&WireNames::default()).into_iter().map(|call| call.id).collect();
        assert!(ids[0].as_str().starts_with("call_") && ids[0].as_str().len() == 37, "{ids:?}");
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[2].as_str(), "call_7");
    }
}
