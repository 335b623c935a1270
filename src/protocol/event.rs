//! Events: facts, past tense. Each is a row of `cowork_events` and a row of the logs panel.
//!
//! Matches on [`EventBody`] have no `_` arm: a new event must break the compile in the fold, the log and the view.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Actor, Approval, ApprovalId, Asked, CallId, Decision, ForkPoint, MessageId, Mode, OnConflict, QuestionId, Right,
    RuleId, Seq, SteeringId, UploadId, UploadStatus,
};

/// One fact of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    pub seq: Seq,
    #[serde(flatten)]
    pub body: EventBody,
    pub created_at: String,
    pub actor: Actor,
}

/// An event with the text that its typed frame carries and its row does not: a message stands in the
/// conversation, never in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub event: Event,
    /// For `user_message_received`, `turn_started`, `message_completed`, `steering_received`, `user_input_received`
    /// and an edited `queue_changed`.
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event_type", content = "payload", rename_all = "snake_case")]
pub enum EventBody {
    SessionStarted {
        workspace: String,
        model: String,
        mode: Mode,
        /// Where its history comes from, if it began with one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forked_from: Option<ForkPoint>,
    },
    /// A session that has rows and no events, one of Loom's, goes on here.
    SessionResumed {
        turn_count: u32,
    },
    /// Only what changed is set.
    SessionUpdated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<Mode>,
    },
    /// The event of the frame `message_accepted`. `turn` and `turn_number` are `None` while it is queued.
    UserMessageReceived {
        turn: Option<u32>,
        turn_number: Option<u64>,
        message_id: MessageId,
        client_id: Option<String>,
        queued: bool,
        bytes: u64,
        /// Paths of the workspace that it names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<String>,
        /// The word into a turn that it was, whose model did not get it before the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        steering_id: Option<SteeringId>,
    },
    TurnStarted {
        turn: u32,
        message_id: MessageId,
        model: String,
    },
    /// One request to the model, also one that failed.
    ModelCall {
        turn: u32,
        message: u32,
        model: String,
        attempt: u32,
        tokens: Option<Tokens>,
        ms: u64,
    },
    ModelRetry {
        turn: u32,
        message: u32,
        attempt: u32,
        wait_ms: u64,
        reason: String,
    },
    MessageCompleted {
        turn: u32,
        message: u32,
        turn_number: u64,
        bytes: u64,
        partial: bool,
    },
    ToolCallStarted {
        turn: u32,
        tool_call_id: CallId,
        name: String,
        args: Value,
        preview: String,
    },
    ToolCallCompleted {
        turn: u32,
        tool_call_id: CallId,
        name: String,
        success: bool,
        elapsed_ms: u64,
        preview: String,
        output: String,
        error: Option<String>,
        diff: Option<String>,
        files_changed: Vec<String>,
        /// The output is cut here; it stands whole in the turn row.
        truncated: bool,
    },
    ApprovalRequested(Approval),
    ApprovalResolved {
        turn: u32,
        approval_id: ApprovalId,
        tool_call_id: CallId,
        decision: Decision,
    },
    ApprovalRuleAdded {
        rule_id: RuleId,
        tool: String,
        scope: Option<String>,
    },
    ApprovalRuleRemoved {
        rule_id: RuleId,
        tool: String,
        scope: Option<String>,
    },
    AwaitingUserInput(Asked),
    /// The answer itself stands in the call's result.
    UserInputReceived {
        turn: u32,
        question_id: QuestionId,
        tool_call_id: CallId,
    },
    /// A person's word into the running turn; the model gets it with its next call.
    SteeringReceived {
        turn: u32,
        steering_id: SteeringId,
        bytes: u64,
    },
    /// A person took back what a turn did to files.
    ChangesUndone {
        turn: u32,
        restored: Vec<String>,
        /// What was left as it is, since somebody changed it meanwhile.
        conflicts: Vec<String>,
    },
    /// Somebody may take part or watch from here on; `None` takes it back.
    SharingChanged {
        name: String,
        part: Option<Right>,
    },
    QueueChanged {
        change: QueueChange,
        message_id: Option<MessageId>,
        length: u32,
    },
    TurnCompleted {
        turn: u32,
        model: String,
        tokens: Tokens,
        /// Start of the turn to the first text.
        latency_ms: u64,
        total_time_ms: u64,
        tool_calls: u32,
        context: ContextUse,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped_by: Option<StoppedBy>,
    },
    TurnInterrupted {
        turn: u32,
        reason: InterruptReason,
        detail: String,
    },
    /// Files are on their way.
    UploadStarted {
        upload_id: UploadId,
        target_dir: String,
        on_conflict: OnConflict,
        /// It may be cut off and go on later; then it is one file, of this name.
        resumable: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// As announced: of the request, or of the one file.
        bytes: Option<u64>,
    },
    /// A file stands in the workspace, or was skipped since its name was taken.
    UploadCompleted {
        upload_id: UploadId,
        name: String,
        status: UploadStatus,
        path: String,
        size: u64,
        sha256: Option<String>,
    },
    UploadFailed {
        upload_id: UploadId,
        /// `None` where all of the upload is meant.
        name: Option<String>,
        path: Option<String>,
        code: String,
        detail: String,
    },
    SessionError {
        code: String,
        detail: String,
    },
    /// Old events have left the log. It stands where the last of them stood.
    EventsRemoved {
        first_seq: Seq,
        last_seq: Seq,
        count: u64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cached: u64,
    pub total: u64,
    /// The provider gave no figures, or not all of them; the others are a quarter of the characters.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

impl std::ops::Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
            cached: self.cached + other.cached,
            total: self.total + other.total,
            estimated: self.estimated || other.estimated,
        }
    }
}

/// What the last request to the model filled of its window, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContextUse {
    pub used: u64,
    pub limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueChange {
    Edited,
    Removed,
    /// The message named is the next to be sent.
    First,
    /// The person let a held queue go on.
    Released,
    /// Stop, error or restart: nothing starts until the person goes on.
    Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    Limit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterruptReason {
    Stopped,
    Error,
    Restart,
}

impl EventBody {
    /// The name in `event_type`, and of the typed frame where there is one (see [`EventBody::frame_type`]).
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::SessionStarted { .. } => "session_started",
            Self::SessionResumed { .. } => "session_resumed",
            Self::SessionUpdated { .. } => "session_updated",
            Self::UserMessageReceived { .. } => "user_message_received",
            Self::TurnStarted { .. } => "turn_started",
            Self::ModelCall { .. } => "model_call",
            Self::ModelRetry { .. } => "model_retry",
            Self::MessageCompleted { .. } => "message_completed",
            Self::ToolCallStarted { .. } => "tool_call_started",
            Self::ToolCallCompleted { .. } => "tool_call_completed",
            Self::ApprovalRequested(_) => "approval_requested",
            Self::ApprovalResolved { .. } => "approval_resolved",
            Self::ApprovalRuleAdded { .. } => "approval_rule_added",
            Self::ApprovalRuleRemoved { .. } => "approval_rule_removed",
            Self::AwaitingUserInput(_) => "awaiting_user_input",
            Self::UserInputReceived { .. } => "user_input_received",
            Self::SteeringReceived { .. } => "steering_received",
            Self::ChangesUndone { .. } => "changes_undone",
            Self::SharingChanged { .. } => "sharing_changed",
            Self::QueueChanged { .. } => "queue_changed",
            Self::TurnCompleted { .. } => "turn_completed",
            Self::TurnInterrupted { .. } => "turn_interrupted",
            Self::UploadStarted { .. } => "upload_started",
            Self::UploadCompleted { .. } => "upload_completed",
            Self::UploadFailed { .. } => "upload_failed",
            Self::SessionError { .. } => "session_error",
            Self::EventsRemoved { .. } => "events_removed",
        }
    }

    /// The turn that the event belongs to.
    pub fn turn(&self) -> Option<u32> {
        match self {
            Self::UserMessageReceived { turn, .. } => *turn,
            Self::TurnStarted { turn, .. }
            | Self::ModelCall { turn, .. }
            | Self::ModelRetry { turn, .. }
            | Self::MessageCompleted { turn, .. }
            | Self::ToolCallStarted { turn, .. }
            | Self::ToolCallCompleted { turn, .. }
            | Self::ApprovalRequested(Approval { turn, .. })
            | Self::ApprovalResolved { turn, .. }
            | Self::AwaitingUserInput(Asked { turn, .. })
            | Self::UserInputReceived { turn, .. }
            | Self::SteeringReceived { turn, .. }
            | Self::ChangesUndone { turn, .. }
            | Self::TurnCompleted { turn, .. }
            | Self::TurnInterrupted { turn, .. } => Some(*turn),
            Self::SessionStarted { .. }
            | Self::SessionResumed { .. }
            | Self::SessionUpdated { .. }
            | Self::ApprovalRuleAdded { .. }
            | Self::ApprovalRuleRemoved { .. }
            | Self::SharingChanged { .. }
            | Self::QueueChanged { .. }
            | Self::UploadStarted { .. }
            | Self::UploadCompleted { .. }
            | Self::UploadFailed { .. }
            | Self::SessionError { .. }
            | Self::EventsRemoved { .. } => None,
        }
    }

    /// Whether files of the workspace may be others now: commands do not say which.
    pub fn may_change_files(&self) -> bool {
        matches!(
            self,
            Self::ToolCallCompleted { .. }
                | Self::TurnCompleted { .. }
                | Self::TurnInterrupted { .. }
                | Self::ChangesUndone { .. }
                | Self::UploadCompleted { .. }
        )
    }

    /// The `type` of the event's own frame, before its `log_event`; `None` for events that only the log shows.
    pub fn frame_type(&self) -> Option<&'static str> {
        match self {
            Self::UserMessageReceived { .. } => Some("message_accepted"),
            Self::TurnStarted { .. }
            | Self::QueueChanged { .. }
            | Self::MessageCompleted { .. }
            | Self::ToolCallStarted { .. }
            | Self::ToolCallCompleted { .. }
            | Self::ApprovalRequested(_)
            | Self::ApprovalResolved { .. }
            | Self::AwaitingUserInput(_)
            | Self::UserInputReceived { .. }
            | Self::SteeringReceived { .. }
            | Self::TurnCompleted { .. }
            | Self::TurnInterrupted { .. } => Some(self.event_type()),
            Self::SessionStarted { .. }
            | Self::SessionResumed { .. }
            | Self::SessionUpdated { .. }
            | Self::ApprovalRuleAdded { .. }
            | Self::ApprovalRuleRemoved { .. }
            | Self::ChangesUndone { .. }
            | Self::SharingChanged { .. }
            | Self::ModelCall { .. }
            | Self::ModelRetry { .. }
            | Self::UploadStarted { .. }
            | Self::UploadCompleted { .. }
            | Self::UploadFailed { .. }
            | Self::SessionError { .. }
            | Self::EventsRemoved { .. } => None,
        }
    }
}

/// Answer of `GET …/logs`: ascending, seq > cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Cursor of the next page: the last seq of this one, or the one asked with where nothing came.
    pub next_cursor: Seq,
    pub head_seq: Seq,
    /// Events of the session that match the type filter.
    pub total: u64,
}
