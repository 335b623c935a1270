//! The tool port: what the turn loop can run for a model.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::model::ToolSpec;

#[async_trait]
pub trait Tool: Send + Sync {
    fn spec(&self) -> ToolSpec;

    /// The call in one line for a person, for example the path or the pattern; never longer than 80 characters.
    fn preview(&self, args: &Value) -> String;

    /// Runs the call. Arguments that don't fit are a `RespondToModel`, in words that the model can act on.
    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError>;
}

#[derive(Clone, Copy)]
pub struct ToolContext<'a> {
    /// The session's folder; nothing outside it is touched.
    pub workspace: &'a Path,
    /// Cancelled by stop; a tool that runs for long must watch it.
    pub cancel: &'a CancellationToken,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOutput {
    /// What the model reads. Lines stay lines.
    pub text: String,
    /// The result in one line for a person: "212 lines", "3 matches in 2 files".
    pub summary: String,
    pub diff: Option<String>,
    pub files_changed: Vec<String>,
    /// Figures for programs, such as `{"total_lines": 3812}`.
    pub data: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// An answer to the model: a wrong argument, a file that isn't there. The turn goes on.
    #[error("{0}")]
    RespondToModel(String),
    /// A fault of ours; it ends the turn.
    #[error("{0}")]
    Fatal(String),
}

/// The tools of a session, by name.
#[derive(Clone, Default)]
pub struct Tools(BTreeMap<String, Arc<dyn Tool>>);

impl Tools {
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        Self(tools.into_iter().map(|tool| (tool.spec().name, tool)).collect())
    }
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.0.get(name)
    }
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.0.values().map(|tool| tool.spec()).collect()
    }
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
