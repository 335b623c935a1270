//! A call that the model is still writing, as far as somebody who waits for it wants to know.

use serde_json::Value;

use super::ports::tool::Tools;

/// Of the arguments, in bytes: what a call is about stands at their beginning, or is not told before the call is whole.
const HEAD_BYTES: usize = 1024;
/// How much more there must be to be told again, in bytes.
const STEP_BYTES: usize = 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    pub name: String,
    /// As [`Tool::preview`](super::ports::tool::Tool::preview) has it; empty while it is not known.
    pub preview: String,
    /// Of the arguments, so far.
    pub bytes: usize,
}

/// Gathers the pieces of a message's calls, of which one is written at a time.
#[derive(Debug, Default)]
pub struct CallInWriting {
    call: Option<usize>,
    now: Writing,
    head: String,
    /// What was told last.
    told: Option<Writing>,
}

impl CallInWriting {
    /// Takes the next piece; answers what is worth telling, if anything is.
    pub fn add(&mut self, tools: &Tools, call: usize, name: &str, piece: &str) -> Option<Writing> {
        if self.call != Some(call) {
            *self = Self {
                call: Some(call),
                now: Writing { name: name.to_owned(), ..Writing::default() },
                ..Self::default()
            };
        }
        self.now.bytes += piece.len();
        if self.now.preview.is_empty() && self.head.len() < HEAD_BYTES {
            self.head.push_str(piece);
            let preview = |args: Value| tools.get(name).map(|tool| tool.preview(&args));
            self.now.preview = whole_fields(&self.head).and_then(preview).unwrap_or_default();
        }
        let is_news = self
            .told
            .as_ref()
            .is_none_or(|told| told.preview != self.now.preview || self.now.bytes >= told.bytes + STEP_BYTES);
        is_news.then(|| self.told.insert(self.now.clone()).clone())
    }
}

/// The fields of an object that are whole at its beginning, as far as it was written.
fn whole_fields(begun: &str) -> Option<Value> {
    let begun = begun.get(..begun.floor_char_boundary(HEAD_BYTES))?;
    begun.rmatch_indices(',').find_map(|(end, _)| serde_json::from_str(&format!("{}}}", &begun[..end])).ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use super::*;
    use crate::agent::ports::{
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    };

    struct Write;

    #[async_trait]
    impl Tool for Write {
        fn spec(&self) -> ToolSpec {
            ToolSpec { name: "write".into(), description: String::new(), parameters: Value::Null }
        }

        fn preview(&self, args: &Value) -> String {
            args["path"].as_str().unwrap_or_default().into()
        }

        async fn run(&self, _args: Value, _context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
            Ok(ToolOutput::default())
        }
    }

    #[test]
    fn what_a_call_is_about_is_told_when_it_is_known_and_then_how_it_grows() {
        let tools = Tools::new([Arc::new(Write) as Arc<dyn Tool>]);
        let mut writing = CallInWriting::default();
        let mut add = |call, piece: &str| writing.add(&tools, call, "write", piece).map(|now| (now.preview, now.bytes));
        let told = |preview: &str, bytes| Some((preview.to_owned(), bytes));
        assert_eq!(add(0, "{\"path\": \"a,"), told("", 12));
        assert_eq!(add(0, "b.md\", \"con"), told("a,b.md", 23));
        assert_eq!(add(0, "tent\": \"x, y"), None);
        let long = "z".repeat(STEP_BYTES);
        assert_eq!(add(0, &long), told("a,b.md", 35 + STEP_BYTES));
        assert_eq!(add(1, "{"), told("", 1), "another call");
        let content_first = format!("\"content\": \"{}", "z".repeat(3 * HEAD_BYTES));
        assert_eq!(add(1, &content_first), told("", 1 + content_first.len()));
        assert_eq!(add(1, "\", \"path\": \"late.md\", \"x\""), None, "too far behind");
    }
}
