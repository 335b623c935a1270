//! Frames: the envelopes of the WebSocket. Events travel as their typed frame plus `log_event`
//! (`web::frames` writes them); everything else is a [`ServerFrame`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApprovalId, Attachment, CallId, Decision, Event, Part, QuestionId, Seq, Session, transcript::CallCard};

/// What the page takes from the server. Typed frames of events, which the page reads from `log_event`, and
/// frames of later versions fall under `Other`: clients ignore what they don't know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Hello {
        session: Session,
        head_seq: Seq,
        boot_id: String,
        in_flight: Option<InFlight>,
    },
    /// All that was missing has been sent.
    Synced {
        seq: Seq,
    },
    /// The cursor can't be served; the client reloads the session.
    Reset {
        reason: String,
        first_seq: Seq,
    },
    TextDelta {
        turn: u32,
        message: u32,
        offset: u64,
        text: String,
    },
    ThinkingDelta {
        turn: u32,
        message: u32,
        offset: u64,
        text: String,
    },
    /// Only with `?view=html`: rendered, sanitised blocks that replace those from index `from`.
    MessageBlocks {
        turn: u32,
        message: u32,
        from: usize,
        blocks: Vec<String>,
        open: bool,
    },
    /// Only with `?view=html`: a call as the event that follows leaves it.
    ToolCallCard {
        turn: u32,
        message: u32,
        card: CallCard,
    },
    /// Only with `?view=html`: a part of the page as the event that follows leaves it.
    Fragment {
        part: Part,
        html: String,
    },
    /// The text of the `log_event` that follows with the same seq: events carry none.
    MessageAccepted {
        seq: Seq,
        message: String,
    },
    TurnStarted {
        seq: Seq,
        message: String,
    },
    QueueChanged {
        seq: Seq,
        #[serde(default)]
        message: Option<String>,
    },
    MessageCompleted {
        seq: Seq,
        text: String,
    },
    SteeringReceived {
        seq: Seq,
        message: String,
    },
    UserInputReceived {
        seq: Seq,
        answer: String,
    },
    /// Live output of a running call.
    ToolCallOutput {
        turn: u32,
        tool_call_id: CallId,
        offset: u64,
        text: String,
    },
    LogEvent(Event),
    Error {
        code: String,
        detail: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Heartbeat {
        head_seq: Seq,
    },
    Pong {
        head_seq: Seq,
    },
    /// Where several people share a server: who has the session open now. No event.
    Presence {
        people: Vec<Present>,
    },
    #[serde(other)]
    Other,
}

/// Once, however many tabs they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Present {
    pub name: String,
    pub typing: bool,
}

/// The running message so far, and the live output of its calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InFlight {
    pub turn: u32,
    pub message: u32,
    pub text: String,
    pub thinking: String,
    pub calls: Vec<LiveCall>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveCall {
    pub tool_call_id: CallId,
    pub name: String,
    /// Byte offset of `text` in the call's live output.
    pub offset: u64,
    pub text: String,
}

/// What a client may send. Each is also a POST of the same meaning; `ping` and `typing` are not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    UserMessage {
        message: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Stop {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Steer {
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Approve {
        approval_id: ApprovalId,
        decision: Decision,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Answer {
        question_id: QuestionId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        option_ids: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    /// Shown to others who have the session open, and kept nowhere.
    Typing {
        typing: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    Ping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
}
