//! The tool port: what the turn loop can run for a model.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    model::{Picture, ToolSpec},
    store::{Recall, Recalled},
};
use crate::protocol::{Question, Risk, Task};

#[async_trait]
pub trait Tool: Send + Sync {
    fn spec(&self) -> ToolSpec;

    /// The call in one line for a person, for example the path or the pattern; never longer than 80 characters.
    fn preview(&self, args: &Value) -> String;

    /// What the call would do, by its arguments alone: decides whether a person is asked first. Arguments that don't
    /// fit are judged like the riskiest that do.
    fn action(&self, args: &Value) -> Action {
        let _ = args;
        Action::READ
    }

    /// What is wrong with the arguments by themselves, in words that the model can act on. A call that can't run asks
    /// nobody.
    fn check(&self, args: &Value) -> Result<(), ToolError> {
        let _ = args;
        Ok(())
    }

    /// What the call would change of a file that is there, as a diff or as `NOT_SHOWN`, where that can be told; or why it
    /// can't be done as the files stand, in the words that it would fail with. `workspace` is the session's folder. Touches
    /// the disk and blocks.
    fn foresee(&self, args: &Value, workspace: &Path) -> Result<Option<String>, ToolError> {
        let _ = (args, workspace);
        Ok(None)
    }

    /// Runs the call. Arguments that don't fit are a `RespondToModel`, in words that the model can act on.
    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError>;
}

/// What a call does to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `None`: it only looks, and inside the workspace.
    pub risk: Option<Risk>,
    /// What an "always" is narrowed to, as a person reads it: the beginning of a command, a folder, a host. `None`:
    /// there is no "always" for such a call.
    pub scope: Option<String>,
    /// Whether calls of this kind may run at the same time.
    pub parallel: bool,
}

impl Action {
    /// Looks at files of the workspace.
    pub const READ: Self = Self { risk: None, scope: None, parallel: true };
    /// Works on the session itself: asks the person, keeps its plan.
    pub const SESSION: Self = Self { risk: None, scope: None, parallel: false };

    pub fn risky(risk: Risk, scope: Option<String>) -> Self {
        Self { risk: Some(risk), scope, parallel: false }
    }
}

#[derive(Clone, Copy)]
pub struct ToolContext<'a> {
    /// The session's folder; nothing outside it is touched.
    pub workspace: &'a Path,
    /// The turn's own folder outside the workspace, for before-images and what was deleted. Made by the first tool
    /// that puts something there.
    pub data: &'a Path,
    /// What a result should stay within, in bytes, so that the model's window holds several of them: a quarter of it. A tool
    /// that gives its text in parts keeps to it where that is less than its own limit.
    pub room: usize,
    pub host: &'a dyn ToolHost,
    /// Cancelled by stop; a tool that runs for long must watch it.
    pub cancel: &'a CancellationToken,
}

/// What a tool can ask of the session that runs it.
#[async_trait]
pub trait ToolHost: Send + Sync {
    /// Adds to the call's live output.
    fn output(&self, text: &str);

    /// Puts a question to the person and waits for the answer, in words, as long as it takes; the error says that the
    /// turn was ended meanwhile.
    async fn ask(&self, question: Question) -> Result<String, ToolError>;

    /// Replaces the session's plan.
    async fn set_tasks(&self, tasks: Vec<Task>) -> Result<(), ToolError>;

    /// Looks into the session's own past.
    async fn recall(&self, recall: Recall) -> Result<Vec<Recalled>, ToolError>;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOutput {
    /// What the model reads. Lines stay lines.
    pub text: String,
    /// The result in one line for a person: "212 lines", "3 matches in 2 files".
    pub summary: String,
    /// What went wrong, where the call failed and has something to read all the same: a command's exit code.
    pub error: Option<String>,
    pub diff: Option<String>,
    pub files_changed: Vec<String>,
    /// For models that see; `text` says what others need to know.
    pub pictures: Vec<Picture>,
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

/// The tools of a session, by name. Cheap to clone.
#[derive(Clone)]
pub struct Tools {
    tools: Arc<BTreeMap<String, Arc<dyn Tool>>>,
    /// In the order of the names; made once, since a schema is built by reflection.
    specs: Arc<[ToolSpec]>,
    spec_bytes: usize,
}

impl Tools {
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let (specs, tools): (BTreeMap<_, _>, BTreeMap<_, _>) = tools
            .into_iter()
            .map(|tool| (tool.spec(), tool))
            .map(|(spec, tool)| ((spec.name.clone(), spec.clone()), (spec.name, tool)))
            .unzip();
        Self::of(tools, specs)
    }

    fn of(tools: BTreeMap<String, Arc<dyn Tool>>, specs: BTreeMap<String, ToolSpec>) -> Self {
        let specs: Arc<[_]> = specs.into_values().collect();
        let bytes = |spec: &ToolSpec| spec.name.len() + spec.description.len() + spec.parameters.to_string().len();
        Self { tools: Arc::new(tools), spec_bytes: specs.iter().map(bytes).sum(), specs }
    }

    /// These and more.
    pub fn with(&self, more: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let mut tools = (*self.tools).clone();
        let mut specs: BTreeMap<_, _> = self.specs.iter().map(|spec| (spec.name.clone(), spec.clone())).collect();
        for tool in more {
            let spec = tool.spec();
            tools.insert(spec.name.clone(), tool);
            specs.insert(spec.name.clone(), spec);
        }
        Self::of(tools, specs)
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.get(name)
    }

    pub fn specs(&self) -> &Arc<[ToolSpec]> {
        &self.specs
    }

    /// What the specs add to a request, in bytes of their names, descriptions and schemas.
    pub fn spec_bytes(&self) -> usize {
        self.spec_bytes
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }
}

/// Where the tools of a turn come from: those of other programs come and go.
pub trait Toolbox: Send + Sync {
    fn tools(&self) -> Tools;
}

impl Toolbox for Tools {
    fn tools(&self) -> Tools {
        self.clone()
    }
}

/// For tests: nobody watches and nobody answers.
#[cfg(test)]
pub struct NoHost;

#[cfg(test)]
#[async_trait]
impl ToolHost for NoHost {
    fn output(&self, _text: &str) {}

    async fn ask(&self, _question: Question) -> Result<String, ToolError> {
        Err(ToolError::RespondToModel("nobody is there".into()))
    }

    async fn set_tasks(&self, _tasks: Vec<Task>) -> Result<(), ToolError> {
        Ok(())
    }

    async fn recall(&self, _recall: Recall) -> Result<Vec<Recalled>, ToolError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
impl<'a> ToolContext<'a> {
    pub fn alone(workspace: &'a Path, data: &'a Path, cancel: &'a CancellationToken) -> Self {
        Self { workspace, data, room: usize::MAX, host: &NoHost, cancel }
    }
}
