//! A tool call as a person follows it: what is asked, who must agree, what came out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{
    Actor, Approval, ApprovalId, Asked, CallId, Decision, EventBody, Question, QuestionId, Record, Risk, ToolCall,
    ToolResult,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub tool_call_id: CallId,
    pub name: String,
    pub args: Value,
    /// The call in one line: a path, a pattern.
    pub preview: String,
    pub state: CallState,
    /// The result in one line.
    pub summary: String,
    pub output: String,
    pub error: Option<String>,
    pub diff: Option<String>,
    /// When it began to run; `None` before, and for what is known from rows alone.
    pub started_at: Option<String>,
    /// `None` for rows of Loom's, which don't say.
    pub elapsed_ms: Option<u64>,
    /// The output goes on in the turn row.
    pub truncated: bool,
    pub approval: Option<CallApproval>,
    pub question: Option<CallQuestion>,
}

/// What a call needs, or needed, a person's word for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallApproval {
    pub approval_id: ApprovalId,
    pub risk: Risk,
    /// What an "always" would be narrowed to; without it there is none.
    pub scope: Option<String>,
    /// The word and who gave it.
    pub decided: Option<(Decision, Actor)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallQuestion {
    pub question_id: QuestionId,
    pub question: Question,
    /// In words, and who gave it.
    pub answer: Option<(String, Actor)>,
}

/// A call as the page shows it. The server draws it, as it renders a message's blocks: the page knows no tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallCard {
    pub tool_call_id: CallId,
    pub state: CallState,
    /// The step in one line, as HTML; so is the rest.
    pub line: String,
    /// What the line opens to.
    pub body: String,
    /// What always stands under the line: the change that was made.
    pub below: String,
    /// What asks for a person's word; empty while nothing does.
    pub ask: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CallState {
    /// Asked for, not begun, or no result is known.
    #[default]
    Open,
    /// For a person's word or answer.
    Waiting,
    Running,
    Succeeded,
    Failed,
}

impl Call {
    pub fn new(tool_call_id: CallId, name: &str) -> Self {
        Self {
            tool_call_id,
            name: name.into(),
            args: Value::Null,
            preview: String::new(),
            state: CallState::Open,
            summary: String::new(),
            output: String::new(),
            error: None,
            diff: None,
            started_at: None,
            elapsed_ms: None,
            truncated: false,
            approval: None,
            question: None,
        }
    }

    pub(super) fn start(&mut self, args: &Value, preview: &str, at: &str) {
        self.args.clone_from(args);
        preview.clone_into(&mut self.preview);
        self.started_at = Some(at.to_owned());
        if matches!(self.state, CallState::Open | CallState::Waiting) {
            self.state = CallState::Running;
        }
    }

    /// The record's text holds arguments and preview as JSON, where the log may not hold them.
    pub(super) fn wait_for(&mut self, approval: &Approval, record: &Record) {
        match record.text.as_deref().map(serde_json::from_str) {
            Some(Ok((args, preview))) => (self.args, self.preview) = (args, preview),
            _ => (self.args, self.preview) = (approval.args.clone(), approval.preview.clone()),
        }
        if self.approval.as_ref().is_some_and(|known| known.decided.is_some()) {
            return;
        }
        self.approval = Some(CallApproval {
            approval_id: approval.approval_id.clone(),
            risk: approval.risk,
            scope: approval.scope.clone(),
            decided: None,
        });
        if self.state == CallState::Open {
            self.state = CallState::Waiting;
        }
    }

    pub(super) fn from_request(request: &ToolCall) -> Self {
        let mut call = Self::new(request.id.clone(), &request.name);
        call.args =
            serde_json::from_str(&request.arguments).unwrap_or_else(|_| Value::String(request.arguments.clone()));
        call.preview = first_text(&call.args);
        if request.name == "git_command" && !call.preview.is_empty() {
            call.preview.insert_str(0, "git ");
        }
        call
    }

    pub(super) fn decide(&mut self, decision: Decision, by: &Actor) {
        if let Some(approval) = &mut self.approval {
            approval.decided = Some((decision, by.clone()));
        }
        if self.state == CallState::Waiting {
            self.state = CallState::Open;
        }
    }

    pub(super) fn ask(&mut self, asked: &Asked) {
        if self.question.as_ref().is_none_or(|known| known.answer.is_none()) {
            let (question_id, question) = (asked.question_id.clone(), asked.question.clone());
            self.question = Some(CallQuestion { question_id, question, answer: None });
        }
        if self.state == CallState::Running {
            self.state = CallState::Waiting;
        }
    }

    pub(super) fn answer(&mut self, words: String, by: &Actor) {
        if let Some(question) = &mut self.question {
            question.answer = Some((words, by.clone()));
        }
        if self.state == CallState::Waiting {
            self.state = CallState::Running;
        }
    }

    pub(super) fn take_result(&mut self, result: ToolResult) {
        self.state = if result.success { CallState::Succeeded } else { CallState::Failed };
        self.output = result.output;
        self.error = result.error;
    }

    pub(super) fn complete(&mut self, body: &EventBody) {
        let EventBody::ToolCallCompleted { success, elapsed_ms, preview, output, error, diff, truncated, .. } = body
        else {
            return;
        };
        self.state = if *success { CallState::Succeeded } else { CallState::Failed };
        self.elapsed_ms = Some(*elapsed_ms);
        self.summary.clone_from(preview);
        self.output.clone_from(output);
        self.error.clone_from(error);
        self.diff.clone_from(diff);
        self.truncated = *truncated;
    }
}

/// The first text among the arguments: what Loom's calls are recognised by. A list of words is a text, as a command's are.
fn first_text(args: &Value) -> String {
    /// Longest preview, in characters: one line of a card.
    const PREVIEW_CHARS: usize = 80;
    let mut texts = args.as_object().into_iter().flat_map(|object| object.values()).filter_map(text);
    let first = texts.next().unwrap_or_default();
    first.lines().next().unwrap_or_default().chars().take(PREVIEW_CHARS).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<_> = items.iter().map(Value::as_str).collect::<Option<_>>()?;
            (!words.is_empty()).then(|| words.join(" "))
        }
        _ => None,
    }
}
