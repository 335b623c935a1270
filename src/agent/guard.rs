//! Notices a model that goes round in circles.

use crate::protocol::ToolCall;

/// The same calls this often in a row, without a word between, are not run again …
const REPEATS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Run,
    /// Tell the model that it repeats itself.
    Warn,
    /// … and once more ends the turn.
    End,
}

#[derive(Default)]
pub struct LoopGuard {
    last: Vec<(String, String)>,
    repeats: u32,
}

impl LoopGuard {
    /// What to do with the calls of a message. One that also says something is taken for progress.
    pub fn step(&mut self, text: &str, calls: &[ToolCall]) -> Step {
        let batch: Vec<_> = calls.iter().map(|call| (call.name.clone(), canonical(&call.arguments))).collect();
        let again = batch == self.last && text.trim().is_empty();
        self.repeats = if again { self.repeats + 1 } else { 1 };
        self.last = batch;
        match self.repeats {
            repeats if repeats < REPEATS => Step::Run,
            REPEATS => Step::Warn,
            _ => Step::End,
        }
    }
}

/// The arguments without regard to blanks and the order of keys.
fn canonical(arguments: &str) -> String {
    fn sorted(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => {
                let mut fields: Vec<_> = fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                serde_json::Value::Object(fields.into_iter().collect())
            }
            serde_json::Value::Array(values) => values.into_iter().map(sorted).collect(),
            plain => plain,
        }
    }
    match serde_json::from_str(arguments) {
        Ok(value) => sorted(value).to_string(),
        Err(_) => arguments.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn call(arguments: &str) -> ToolCall {
        ToolCall { id: CallId::new("c"), name: "read_file".into(), arguments: arguments.into() }
    }

    #[test]
    fn the_third_same_batch_is_warned_of_and_the_fourth_ends_the_turn() {
        let mut guard = LoopGuard::default();
        let same = [call(r#"{"path": "a", "line_start": 1}"#)];
        let other_order = [call(r#"{"line_start":1,"path":"a"}"#)];
        assert_eq!(guard.step("", &same), Step::Run);
        assert_eq!(guard.step("", &other_order), Step::Run);
        assert_eq!(guard.step(" ", &same), Step::Warn);
        assert_eq!(guard.step("", &same), Step::End);
    }

    #[test]
    fn another_call_or_a_word_starts_anew() {
        let mut guard = LoopGuard::default();
        for path in ["a", "a", "b", "a", "a"] {
            assert_eq!(guard.step("", &[call(&format!(r#"{{"path": "{path}"}}"#))]), Step::Run);
        }
        assert_eq!(guard.step("I look again.", &[call(r#"{"path": "a"}"#)]), Step::Run);
    }
}
