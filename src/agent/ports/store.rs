//! The store port: everything that lasts. A write that has returned is durable, and what it made visible has
//! already been handed to [`Publish`], in commit order.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::protocol::{
    Accepted, Actor, ApprovalId, ApprovalRule, Asked, Attached, CallId, Decision, Event, EventBody, EventPage,
    ForkPoint, MessageId, Mode, OnConflict, Pending, Question, QuestionId, QueuedMessage, Record, Right, Risk, Role,
    RuleId, Seq, SessionId, SessionQuery, Share, Sharing, SteeringId, Task, ToolCall, ToolResult, TurnPage,
    UpdateSession, UploadId, UploadedFile,
};

/// How long a deleted session can be brought back; then its rows go.
pub const RESTORE_WINDOW: Duration = Duration::from_secs(30);

/// Where committed events go: the feeds. Called by the store alone, once per commit and session, in order of seq.
pub trait Publish: Send + Sync {
    fn publish(&self, session: &SessionId, records: &[Arc<Record>]);

    /// How long a group of changes took from its last statement until it was durable; for those who measure.
    fn committed(&self, _took: Duration) {}
}

/// How much there is at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Those that are not deleted.
    pub sessions: u64,
    /// Those of them with a turn.
    pub running: u64,
    /// Messages in all queues, and in the longest.
    pub waiting: u64,
    pub longest_queue: u64,
}

/// A session as it is stored; what only a running session knows (status, pending) is added by the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSession {
    pub id: SessionId,
    pub title: String,
    pub workspace: String,
    pub model: String,
    pub system_prompt: Option<String>,
    pub mode: Mode,
    pub turn_count: u32,
    pub total_tokens: u64,
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    pub last_active_at: String,
    pub archived: bool,
    pub pinned: bool,
    pub head_seq: Seq,
    /// The turn that runs, or ran when the process ended.
    pub running_turn: Option<u32>,
    /// Waiting messages don't start by themselves: a stop, an error or a restart came before.
    pub queue_held: bool,
    /// What waits for a person, oldest first.
    pub pending: Vec<Pending>,
    /// The agent's plan.
    pub tasks: Vec<Task>,
}

/// A call that needs a person's word.
#[derive(Clone, Debug, PartialEq)]
pub struct NewApproval {
    pub approval_id: ApprovalId,
    pub turn: u32,
    pub tool_call_id: CallId,
    pub name: String,
    pub args: Value,
    pub preview: String,
    pub risk: Risk,
    pub scope: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQuestion {
    pub question_id: QuestionId,
    pub turn: u32,
    pub tool_call_id: CallId,
    pub question: Question,
}

/// What came of a person's word on something that waited.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    Done,
    /// Somebody was first, or the turn has ended.
    Already {
        by: Actor,
        at: String,
        word: String,
    },
}

/// The word on a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub decision: Decision,
    pub by: Actor,
}

/// Where a question stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionState {
    Waiting,
    /// In words, and whose.
    Answered {
        words: String,
        by: Actor,
    },
    Withdrawn,
}

/// A person's word into a running turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Steering {
    pub steering_id: SteeringId,
    pub text: String,
}

/// An upload whose first byte is about to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUpload {
    pub upload_id: UploadId,
    pub target_dir: String,
    pub on_conflict: OnConflict,
    /// As announced, if it was.
    pub bytes: Option<u64>,
    pub resumable: Option<Resumable>,
}

/// One file that may come in pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumable {
    pub name: String,
    pub length: u64,
    pub expires: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredUpload {
    pub upload_id: UploadId,
    pub session_id: SessionId,
    pub target_dir: String,
    pub on_conflict: OnConflict,
    pub actor: Actor,
    /// `None`: it ends with its request.
    pub name: Option<String>,
    pub length: u64,
    /// Bytes that are safe.
    pub received: u64,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// Once it is over.
    pub result: Option<UploadedFile>,
}

/// What is looked for in a session's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Words to search for; `None` for whole turns.
    pub words: Option<String>,
    /// First and last turn.
    pub turns: (u32, u32),
    /// One row alone, by its number.
    pub row: Option<u64>,
    pub limit: u32,
}

/// A row of a session's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    pub turn: u32,
    /// Its number in the session.
    pub row: u64,
    pub role: Role,
    pub tool: Option<String>,
    pub text: String,
}

/// What a start finds of a former process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// Their turns were ended.
    pub ended: Vec<SessionId>,
    /// Their turns only wait for a person, and go on.
    pub waiting: Vec<SessionId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewSession {
    pub id: SessionId,
    pub title: String,
    pub workspace: String,
    pub model: String,
    pub system_prompt: Option<String>,
    pub mode: Mode,
    /// It begins with a copy of the rows up to there.
    pub forked_from: Option<ForkPoint>,
}

/// A person's message on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    pub message_id: MessageId,
    pub client_id: Option<String>,
    pub text: String,
    pub attached: Attached,
    /// Model alias for `turn_started`, if it starts now; `None` puts it into the queue.
    pub start_with: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AcceptOutcome {
    Accepted(Accepted),
    /// The same `client_id` with the same text was accepted before; this was the answer.
    Repeated(Accepted),
    /// The same `client_id` was used for another text.
    ClientIdReused,
}

/// Which rows of a session: a window from the start, or the newest before a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnWindow {
    From {
        offset: u64,
        limit: u32,
    },
    /// The `limit` newest rows with a `turn_number` below `turn_number` (`None`: the newest of all), chronological.
    Before {
        turn_number: Option<u64>,
        limit: u32,
    },
}

/// How a model call of a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageEnd {
    pub by: Actor,
    pub turn: u32,
    pub message: u32,
    pub text: String,
    pub calls: Vec<ToolCall>,
    /// Stopped or interrupted before the model was done.
    pub partial: bool,
    /// `model_call` and the like, recorded before `message_completed` in the same transaction.
    pub events: Vec<EventBody>,
}

/// A call that is about to run.
#[derive(Clone, Debug, PartialEq)]
pub struct CallStart {
    pub turn: u32,
    pub tool_call_id: CallId,
    pub name: String,
    pub args: Value,
    pub preview: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallEnd {
    pub turn: u32,
    pub tool_call_id: CallId,
    pub name: String,
    pub result: ToolResult,
    pub elapsed_ms: u64,
    pub preview: String,
    pub diff: Option<String>,
}

/// A piece of the message that is being written, kept so that a killed process loses little of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialText {
    pub turn: u32,
    pub message: u32,
    /// Byte offset of `text` in the message.
    pub offset: u64,
    /// Empty where the call has only cost something since the last piece.
    pub text: String,
    /// The `model_call` that it would be if it ended now.
    pub call: EventBody,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no such session")]
    NoSession,
    #[error("no such message in the queue")]
    NoMessage,
    #[error("no such approval")]
    NoApproval,
    #[error("no such question")]
    NoQuestion,
    /// An "always" for a call that has no scope.
    #[error("no rule can be made of this call")]
    NoScope,
    #[error("no such rule")]
    NoRule,
    /// A word into a turn that has ended.
    #[error("the turn does not run")]
    NotRunning,
    #[error("no such upload")]
    NoUpload,
    /// Deleted too long ago, or not deleted.
    #[error("can't be restored")]
    NotRestorable,
    /// The store is closing or its writer is gone.
    #[error("the store is closed")]
    Closed,
    #[error("{0}")]
    Failed(String),
}

pub type StoreResult<T> = Result<T, StoreError>;

#[async_trait]
pub trait Store: Send + Sync {
    // Reads. Deleted sessions are not there.
    async fn session(&self, id: &SessionId) -> StoreResult<Option<StoredSession>>;
    /// Those that `viewer` may see, all where it is `None`.
    async fn sessions(&self, viewer: Option<&str>, query: &SessionQuery) -> StoreResult<(Vec<StoredSession>, u64)>;
    /// What `name` may do in a session; `None` where it is not there for them. A deleted one counts until it is purged.
    async fn part(&self, id: &SessionId, name: &str) -> StoreResult<Option<Right>>;
    async fn sharing(&self, id: &SessionId) -> StoreResult<Sharing>;
    async fn turns(&self, id: &SessionId, window: TurnWindow) -> StoreResult<TurnPage>;
    /// Events with seq > `cursor`, ascending; `types` empty means all.
    async fn events(&self, id: &SessionId, cursor: Seq, limit: u32, types: &[String]) -> StoreResult<EventPage>;
    /// The newest events that ended an upload, ascending, as far as they are not long ago.
    async fn recent_uploads(&self, id: &SessionId, limit: u32) -> StoreResult<Vec<Event>>;
    /// The next events with seq > `cursor`, ascending, with the text that their frames carry: `limit` at most, fewer
    /// where they are large, none where there are none.
    async fn records(&self, id: &SessionId, cursor: Seq, limit: u32) -> StoreResult<Vec<Arc<Record>>>;
    /// All events from the first one of `turn` on, for a page that shows turns from there.
    async fn records_from_turn(&self, id: &SessionId, turn: u32) -> StoreResult<Vec<Arc<Record>>>;
    /// The events from the first one of the first turn up to the first one after the last turn.
    async fn records_of_turns(&self, id: &SessionId, turns: (u32, u32)) -> StoreResult<Vec<Arc<Record>>>;
    /// The whole result of a call of `turn`, as its row holds it.
    async fn call_result(&self, id: &SessionId, turn: u32, call: &CallId) -> StoreResult<Option<ToolResult>>;
    async fn queue(&self, id: &SessionId) -> StoreResult<Vec<QueuedMessage>>;
    /// The answer to a message with the same `client_id`, if one was accepted before.
    async fn accepted(&self, id: &SessionId, client_id: &str, text: &str) -> StoreResult<Option<AcceptOutcome>>;

    // Writes.
    async fn create_session(&self, actor: &Actor, new: NewSession) -> StoreResult<StoredSession>;
    async fn update_session(&self, actor: &Actor, id: &SessionId, update: UpdateSession) -> StoreResult<StoredSession>;
    /// The session is gone for everyone at once and can be restored until it is purged.
    async fn delete_session(&self, id: &SessionId) -> StoreResult<()>;
    async fn share(&self, actor: &Actor, id: &SessionId, share: Share) -> StoreResult<Sharing>;
    async fn restore_session(&self, id: &SessionId) -> StoreResult<StoredSession>;

    /// Whether it was deleted and is not purged yet.
    async fn is_restorable(&self, id: &SessionId) -> StoreResult<bool>;
    /// Removes the rows of sessions deleted longer than [`RESTORE_WINDOW`] ago from every table that names them.
    async fn purge_expired(&self) -> StoreResult<()>;
    /// Removes events that are beyond the limits of the log, from every session.
    async fn retain(&self) -> StoreResult<()>;
    /// Sessions that a person made and that are not deleted.
    async fn sessions_of(&self, name: &str) -> StoreResult<u64>;
    /// What a person's messages cost since the last midnight in UTC.
    async fn tokens_today(&self, name: &str) -> StoreResult<u64>;
    /// What is left on the disk that all of this stands on.
    async fn free_bytes(&self) -> StoreResult<u64>;
    async fn census(&self) -> StoreResult<Census>;
    /// Every session that has rows, also those that are deleted and can be restored.
    async fn session_ids(&self) -> StoreResult<Vec<SessionId>>;

    /// Takes a message in, and starts its turn where `start_with` says so: its row and its events in one transaction.
    async fn accept_message(&self, actor: &Actor, id: &SessionId, new: NewMessage) -> StoreResult<AcceptOutcome>;
    /// Starts the turn of the oldest waiting message, or of the one named. `None` where nothing waits.
    async fn start_queued(
        &self,
        id: &SessionId,
        message: Option<&MessageId>,
        model: &str,
    ) -> StoreResult<Option<Accepted>>;
    async fn edit_queued(&self, actor: &Actor, id: &SessionId, message: &MessageId, text: &str) -> StoreResult<()>;
    async fn remove_queued(&self, actor: &Actor, id: &SessionId, message: &MessageId) -> StoreResult<()>;
    /// Makes a waiting message the next one.
    async fn put_first(&self, actor: &Actor, id: &SessionId, message: &MessageId) -> StoreResult<()>;
    async fn hold_queue(&self, actor: &Actor, id: &SessionId, held: bool) -> StoreResult<()>;

    /// Appends events that change nothing else.
    async fn record(&self, actor: &Actor, id: &SessionId, events: Vec<EventBody>) -> StoreResult<()>;
    /// The row of an assistant message and its events; clears the message's partial text.
    async fn end_message(&self, id: &SessionId, end: MessageEnd) -> StoreResult<()>;
    /// The intent, before the tool runs.
    async fn start_call(&self, actor: &Actor, id: &SessionId, start: CallStart) -> StoreResult<()>;
    /// The tool row and `tool_call_completed`.
    async fn end_call(&self, actor: &Actor, id: &SessionId, end: CallEnd) -> StoreResult<()>;
    /// `turn_completed` or `turn_interrupted`, behind the turn's last message where that one has no row yet; the session no
    /// longer runs. An interruption holds a queue that is not empty. Returns whether messages wait.
    async fn end_turn(
        &self,
        actor: &Actor,
        id: &SessionId,
        last: Option<MessageEnd>,
        end: EventBody,
    ) -> StoreResult<bool>;
    /// Ends a turn that counts as running though nothing runs it: its task crashed, or its end could not be
    /// written. As in [`Store::recover`], with reason `error`. Returns whether there was one.
    async fn end_left_turn(&self, id: &SessionId) -> StoreResult<bool>;
    /// A call waits for a person from here on. Asked again for the same call, nothing changes.
    async fn request_approval(&self, actor: &Actor, id: &SessionId, new: NewApproval) -> StoreResult<()>;
    /// The word on a call; `None` while it waits.
    async fn decided(&self, id: &SessionId, call: &CallId) -> StoreResult<Option<Decided>>;
    /// One word counts. An "always" becomes the rule `rule_id`, and covers what else waits and is like it.
    async fn decide(
        &self,
        actor: &Actor,
        id: &SessionId,
        approval: &ApprovalId,
        decision: Decision,
        rule_id: RuleId,
    ) -> StoreResult<Resolution>;
    async fn rules(&self, id: &SessionId) -> StoreResult<Vec<ApprovalRule>>;
    async fn remove_rule(&self, actor: &Actor, id: &SessionId, rule: &RuleId) -> StoreResult<()>;
    /// A question waits from here on. Asked again for the same call, nothing changes.
    async fn ask(&self, actor: &Actor, id: &SessionId, new: NewQuestion) -> StoreResult<()>;
    async fn question(&self, id: &SessionId, call: &CallId) -> StoreResult<QuestionState>;
    /// The question itself, whether it waits or not.
    async fn asked(&self, id: &SessionId, question: &QuestionId) -> StoreResult<Asked>;
    async fn answer(
        &self,
        actor: &Actor,
        id: &SessionId,
        question: &QuestionId,
        words: String,
    ) -> StoreResult<Resolution>;
    /// A message that answers a question: its `client_id` counts as used, and it starts no turn.
    async fn answer_with_message(
        &self,
        actor: &Actor,
        id: &SessionId,
        asked: &Asked,
        new: NewMessage,
    ) -> StoreResult<AcceptOutcome>;
    /// Denies and withdraws all that waits: the turn is ended.
    async fn withdraw(&self, id: &SessionId) -> StoreResult<()>;
    async fn steer(&self, actor: &Actor, id: &SessionId, turn: u32, steering: Steering) -> StoreResult<()>;
    /// What was said into the turn since the last time; each gets its row.
    async fn take_steering(&self, id: &SessionId, turn: u32) -> StoreResult<Vec<Steering>>;

    /// `upload_started`, before the first byte is written.
    async fn begin_upload(&self, actor: &Actor, id: &SessionId, new: NewUpload) -> StoreResult<()>;
    /// The events of its files in one transaction. `result`: of a resumable one, kept until it expires.
    async fn end_upload(
        &self,
        actor: &Actor,
        id: &SessionId,
        upload: &UploadId,
        files: Vec<EventBody>,
        result: Option<UploadedFile>,
    ) -> StoreResult<()>;
    async fn upload(&self, id: &SessionId, upload: &UploadId) -> StoreResult<StoredUpload>;
    /// So many bytes of a resumable upload are safe, and it can go on until `expires`.
    async fn keep_received(
        &self,
        id: &SessionId,
        upload: &UploadId,
        received: u64,
        expires: Timestamp,
    ) -> StoreResult<()>;
    /// All that have no end yet, or keep their result, in all sessions.
    async fn uploads(&self) -> StoreResult<Vec<StoredUpload>>;
    async fn forget_upload(&self, upload: &UploadId) -> StoreResult<()>;
    /// A row for the model that names the files which came since the last one; its text, if there were any.
    async fn tell_uploads(&self, id: &SessionId) -> StoreResult<Option<String>>;

    async fn set_tasks(&self, id: &SessionId, tasks: Vec<Task>) -> StoreResult<()>;
    async fn recall(&self, id: &SessionId, recall: Recall) -> StoreResult<Vec<Recalled>>;

    async fn keep_partial(&self, id: &SessionId, text: PartialText) -> StoreResult<()>;

    /// At start-up: ends every turn that a former process left running, unless it only waits for a person. Its
    /// partial text becomes a message, its open calls get a failed result, and the turn is interrupted with reason
    /// `restart`.
    async fn recover(&self) -> StoreResult<Recovered>;
    /// Whether a provider's call id was used in this session before.
    async fn call_id_used(&self, id: &SessionId, call: &CallId) -> StoreResult<bool>;
}
