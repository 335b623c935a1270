//! Rows of the conversation, and the tool calls in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CallId, MessageId, SteeringId};

/// How the row of a person's word into a running turn begins, as Loom writes it.
pub const STEERING_PREFIX: &str = "Steering instruction from user: ";

/// A row of `conversation_turns`: one message of a person, of the model, or one tool result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnRow {
    /// Counts the session's rows, from 1.
    pub turn_number: u64,
    /// The turn that the row belongs to, from 1; 0 before the first user row.
    pub turn: u32,
    /// For assistant rows: which message of the turn, from 0.
    pub message: Option<u32>,
    pub role: Role,
    pub content: String,
    pub tool_calls: Vec<ToolCall>,
    pub tool_call_id: Option<CallId>,
    pub tool_name: Option<String>,
    pub token_count: u64,
    pub created_at: String,
    pub metadata: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    Tool,
    System,
}

/// A call that a model asked for. In files and on the wire it has the shape of OpenAI's `tool_calls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WireToolCall", into = "WireToolCall")]
pub struct ToolCall {
    pub id: CallId,
    pub name: String,
    /// JSON text exactly as the model wrote it; it may be malformed.
    pub arguments: String,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct WireToolCall {
    id: CallId,
    #[serde(rename = "type", default = "function_kind")]
    kind: String,
    function: WireFunction,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct WireFunction {
    name: String,
    #[serde(default)]
    arguments: String,
}

fn function_kind() -> String {
    "function".into()
}

impl From<WireToolCall> for ToolCall {
    fn from(wire: WireToolCall) -> Self {
        Self { id: wire.id, name: wire.function.name, arguments: wire.function.arguments }
    }
}

impl From<ToolCall> for WireToolCall {
    fn from(call: ToolCall) -> Self {
        Self {
            id: call.id,
            kind: function_kind(),
            function: WireFunction { name: call.name, arguments: call.arguments },
        }
    }
}

/// What a tool call ended with: Loom's form of a tool row's content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    pub success: bool,
    #[serde(default)]
    pub output: String,
    pub error: Option<String>,
    #[serde(default)]
    pub files_changed: Vec<String>,
    #[serde(default)]
    pub data: Option<Value>,
}

impl ToolResult {
    pub fn failed(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }

    /// As a model reads it: the output with its lines, or what went wrong.
    pub fn words(&self) -> String {
        match &self.error {
            Some(error) if self.output.is_empty() => error.clone(),
            Some(error) => format!("{error}\n{}", self.output),
            None => self.output.clone(),
        }
    }

    /// Reads a tool row's content; text that is not Loom's JSON is taken as the output.
    pub fn from_row(content: &str) -> Self {
        serde_json::from_str(content).unwrap_or_else(|_| Self {
            success: true,
            output: content.into(),
            ..Self::default()
        })
    }
}

/// Answer of `GET …/turns`: chronological; `total` counts all rows of the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnPage {
    pub turns: Vec<TurnRow>,
    pub total: u64,
}

/// A message that waits for its turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueuedMessage {
    pub message_id: MessageId,
    pub message: String,
    pub created_at: String,
    /// Paths of the workspace that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// The word into a turn that it was, whose model did not get it before the end. Such messages are the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steering_id: Option<SteeringId>,
}

/// Answer of `POST …/messages`. `turn` is `None` while the message is queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    pub turn: Option<u32>,
    pub message_id: MessageId,
    pub queued: bool,
}
