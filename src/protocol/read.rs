//! How the page reads what the server wrote: each type out of JSON, by its fields. serde's code for the same types
//! is fifteen times as large, and the page is loaded over a network (docs/performance.md); the server's own reading is
//! serde's. A test holds that both read the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Actor, ActorKind, ApiError, Approval, Asked, BasePath, ChangeKind, ChangeList, ContextUse, CreateChoices, Decision,
    EarlierTurns, ErrorCode, Event, EventBody, EventPage, FileChange, FileEntry, FileKind, FileList, FilePreview,
    Folder, FolderList, ForkPoint, HomePage, InFlight, InterruptReason, Listed, ListedPage, LiveCall, Look, Mode,
    ModelInfo, ModelOffer, OfferedModel, OnConflict, Opened, Page, Part, Pending, Present, PreviewKind, Question,
    QuestionKind, QuestionOption, QueueChange, QueuedMessage, Right, Risk, ServerFrame, Session, SessionPage, Status,
    StoppedBy, Tab, Table, Task, TaskStatus, Theme, Tokens, UndoAnswer, UndoConflict, UploadStatus, UploadedFile,
    ids::{ApprovalId, CallId, MessageId, QuestionId, RuleId, SessionId, SteeringId, UploadId},
    transcript::{CallCard, CallState, Message, Outcome, Said, Steered, Transcript, Turn},
};

/// A JSON value, whoever has parsed it.
pub trait Json: Sized {
    /// Null where there is no such field.
    fn field(&self, name: &str) -> Self;
    fn items(&self) -> Vec<Self>;
    fn entries(&self) -> Vec<(String, Self)>;
    fn text(&self) -> Option<String>;
    fn number(&self) -> Option<f64>;
    fn truth(&self) -> Option<bool>;
    fn is_null(&self) -> bool;
    fn is_list(&self) -> bool;
}

/// What can be read. Where something doesn't fit, `fits` is set to false and whatever is at hand is given: no field
/// needs a way out of its own, which is what makes the code small.
pub trait Read: Sized {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self;
}

/// The value, or `None` where anything in it doesn't fit.
pub fn read<T: Read>(json: &impl Json) -> Option<T> {
    let mut fits = true;
    let value = T::read(json, &mut fits);
    fits.then_some(value)
}

fn field<J: Json, T: Read>(json: &J, name: &str, fits: &mut bool) -> T {
    T::read(&json.field(name), fits)
}

fn found<T: Default>(found: Option<T>, fits: &mut bool) -> T {
    *fits &= found.is_some();
    found.unwrap_or_default()
}

impl Read for String {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        found(json.text(), fits)
    }
}

impl Read for bool {
    /// What is not said is not so.
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        !json.is_null() && found(json.truth(), fits)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        impl Read for $number {
            fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
                found(json.number(), fits) as $number
            }
        }
    )* };
}
numbers!(u16, u32, u64, usize);

impl<T: Read> Read for Option<T> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        (!json.is_null()).then(|| T::read(json, fits))
    }
}

impl<T: Read> Read for Box<T> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self::new(T::read(json, fits))
    }
}

impl<T: Read> Read for Vec<T> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        json.items().iter().map(|item| T::read(item, fits)).collect()
    }
}

impl Read for BTreeSet<String> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Vec::read(json, fits).into_iter().collect()
    }
}

impl<T: Read> Read for BTreeMap<u32, T> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        let entry = |(key, value): (String, J)| (found(key.parse().ok(), fits), T::read(&value, fits));
        json.entries().into_iter().map(entry).collect()
    }
}

impl Read for (u32, u32) {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        match Vec::read(json, fits)[..] {
            [first, second] => (first, second),
            _ => found(None, fits),
        }
    }
}

impl Read for Value {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        if let Some(text) = json.text() {
            return Self::String(text);
        }
        if let Some(number) = json.number() {
            return if number.fract() == 0.0 { (number as i64).into() } else { number.into() };
        }
        if let Some(truth) = json.truth() {
            return Self::Bool(truth);
        }
        if json.is_null() {
            return Self::Null;
        }
        if json.is_list() {
            return Self::Array(Vec::read(json, fits));
        }
        let entries = json.entries().into_iter();
        Self::Object(entries.map(|(name, value)| (name, Self::read(&value, fits))).collect())
    }
}

impl Json for &Value {
    fn field(&self, name: &str) -> Self {
        self.get(name).unwrap_or(&Value::Null)
    }
    fn items(&self) -> Vec<Self> {
        self.as_array().into_iter().flatten().collect()
    }
    fn entries(&self) -> Vec<(String, Self)> {
        self.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value)).collect()
    }
    fn text(&self) -> Option<String> {
        self.as_str().map(ToOwned::to_owned)
    }
    fn number(&self) -> Option<f64> {
        self.as_f64()
    }
    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }
    fn is_null(&self) -> bool {
        Value::is_null(self)
    }
    fn is_list(&self) -> bool {
        self.is_array()
    }
}

/// Structs by their fields. A field that is missing here breaks the compile.
macro_rules! structs {
    ($($name:ident { $($field:ident),* $(,)? })*) => { $(
        impl Read for $name {
            fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
                Self { $($field: field(json, stringify!($field), fits)),* }
            }
        }
    )* };
}

/// Enums of plain words. A word that is not among them doesn't fit, and is read as the first.
macro_rules! words {
    ($($name:ident { $first:ident = $first_word:literal $(, $variant:ident = $word:literal)* $(,)? })*) => { $(
        impl Read for $name {
            fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
                match json.text().as_deref() {
                    Some($first_word) => Self::$first,
                    $(Some($word) => Self::$variant,)*
                    _ => {
                        *fits = false;
                        Self::$first
                    }
                }
            }
        }
    )* };
}

macro_rules! ids {
    ($($name:ident),*) => { $(
        impl Read for $name {
            fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
                Self(String::read(json, fits))
            }
        }
    )* };
}
ids!(ApprovalId, CallId, MessageId, QuestionId, RuleId, SessionId, SteeringId, UploadId);

words! {
    ActorKind { Person = "person", Agent = "agent", System = "system", Service = "service" }
    CallState { Open = "Open", Waiting = "Waiting", Running = "Running", Succeeded = "Succeeded", Failed = "Failed" }
    ChangeKind { Created = "created", Modified = "modified", Deleted = "deleted", Moved = "moved" }
    Decision { Approve = "approve", ApproveAlways = "approve_always", Deny = "deny" }
    FileKind { Folder = "folder", File = "file", Other = "other" }
    InterruptReason { Stopped = "stopped", Error = "error", Restart = "restart" }
    Mode { Ask = "ask", AcceptEdits = "accept_edits", ReadOnly = "read_only", Full = "full" }
    OnConflict { Fail = "fail", Replace = "replace", KeepBoth = "keep_both", Skip = "skip" }
    PreviewKind { Text = "text", Markdown = "markdown", Table = "table", Image = "image", Pdf = "pdf", None = "none" }
    QuestionKind { FreeText = "free_text", SingleChoice = "single_choice", MultiChoice = "multi_choice" }
    QueueChange { Edited = "edited", Removed = "removed", First = "first", Released = "released", Held = "held" }
    Right { Watch = "watch", TakePart = "take_part", Own = "own" }
    Risk { Edit = "edit", Delete = "delete", Run = "run", Network = "network" }
    Status {
        Idle = "idle", Running = "running", AwaitingApproval = "awaiting_approval",
        AwaitingUserInput = "awaiting_user_input"
    }
    StoppedBy { Limit = "limit" }
    Tab { Logs = "Logs", Progress = "Progress", Changes = "Changes" }
    TaskStatus { Pending = "pending", InProgress = "in_progress", Completed = "completed" }
    Theme { System = "System", Light = "Light", Dark = "Dark", Contrast = "Contrast" }
    UploadStatus { Uploaded = "uploaded", Skipped = "skipped", Failed = "failed" }
}

impl Read for ErrorCode {
    /// One that only a later server knows is an error all the same.
    fn read<J: Json>(json: &J, _fits: &mut bool) -> Self {
        let code = json.text().unwrap_or_default();
        Self::ALL.iter().copied().find(|known| known.as_str() == code).unwrap_or(Self::Internal)
    }
}

structs! {
    Actor { kind, name }
    Approval { turn, approval_id, tool_call_id, name, args, preview, risk, scope }
    CallCard { tool_call_id, state, line, body, below, ask }
    ChangeList { changes, notes }
    ContextUse { used, limit }
    CreateChoices { models, built_in_only, folders, notice }
    EarlierTurns { turns, earlier }
    EventPage { events, next_cursor, head_seq, total }
    FileChange { path, kind, from, folder, diff, binary, undone, undoable, note }
    FileEntry { name, path, kind, size, modified_at }
    FileList { entries, truncated }
    FilePreview { name, path, kind, size, modified_at, truncated, encoding, text, html, table, url }
    Folder { name, path }
    ForkPoint { session_id, turn }
    FolderList { dir, usable, writable, parent, folders }
    HomePage { choices, deleted }
    InFlight { turn, message, text, thinking, calls }
    Listed { id, title, status, last_active_at, archived, pinned }
    ListedPage { sessions }
    ModelInfo { name, provider, model, default, context_limit, reachable, detail }
    ModelOffer { name, provider, base_url, models }
    OfferedModel { model, toml }
    LiveCall { tool_call_id, name, offset, text }
    Look { theme, left_open, right_open, left, right, tab }
    Opened { page, look, now, sessions, error, name, base }
    Present { name, typing }
    Question { question, kind, options, allow_custom }
    QuestionOption { id, label, description }
    QueuedMessage { message_id, message, created_at, attachments, steering_id }
    Said { text, at, actor, attachments }
    Session {
        id, title, workspace, model, mode, status, turn_count, total_tokens, started_at, last_active_at, archived,
        pinned, head_seq, pending, tasks
    }
    SessionPage {
        session, transcript, events, cursor, in_flight, boot_id, changed, changes, files, uploads, earlier, menu, meter,
        blocked, watches
    }
    Steered { steering_id, after, said }
    Table { columns, rows }
    Task { content, status }
    Tokens { input, output, cached, total, estimated }
    Transcript { turns, queue, queue_held }
    Turn { turn, user, messages, outcome, retry, steering, foot }
    UndoAnswer { restored, conflicts }
    UndoConflict { path, detail }
    UploadedFile { name, status, path, size, sha256, error }
}

impl Read for ApiError {
    /// When to try again stands in a header.
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self::new(field(json, "code", fits), field::<J, String>(json, "detail", fits))
    }
}

impl Read for BasePath {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        found(json.text().and_then(|path| Self::parse(&path)), fits)
    }
}

impl Read for Message {
    /// Its calls are left out: the server has drawn them.
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self {
            message: field(json, "message", fits),
            text: field(json, "text", fits),
            blocks: field(json, "blocks", fits),
            partial: field(json, "partial", fits),
            calls: Vec::new(),
            cards: field(json, "cards", fits),
        }
    }
}

impl Read for Asked {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self {
            turn: field(json, "turn", fits),
            question_id: field(json, "question_id", fits),
            tool_call_id: field(json, "tool_call_id", fits),
            question: Question::read(json, fits),
        }
    }
}

impl Read for Pending {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        let seq = field(json, "seq", fits);
        match json.field("type").text().as_deref() {
            Some("approval_requested") => Self::ApprovalRequested { seq, approval: Approval::read(json, fits) },
            _ => Self::AwaitingUserInput { seq, asked: Asked::read(json, fits) },
        }
    }
}

impl Read for Result<FolderList, ApiError> {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        match field(json, "Ok", fits) {
            Some(folders) => Ok(folders),
            None => Err(field(json, "Err", fits)),
        }
    }
}

/// An enum whose variants are told by the one field that there is, or by a word.
macro_rules! variants {
    ($json:ident, $fits:ident, $($name:literal => |$value:ident| $read:expr,)* else $other:expr) => {{
        $(let $value = $json.field($name);
        if !$value.is_null() {
            return $read;
        })*
        $other
    }};
}

impl Read for Page {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        variants!(json, fits,
            "Home" => |page| Self::Home(Read::read(&page, fits)),
            "Session" => |page| Self::Session(Read::read(&page, fits)),
            "Running" => |page| Self::Running(Read::read(&page, fits)),
            else Self::NotFound)
    }
}

impl Read for Part {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        match json.text().as_deref() {
            Some("menu") => Self::Menu,
            Some("meter") => Self::Meter,
            _ => variants!(json, fits,
                "writing" => |turn| Self::Writing(Read::read(&turn, fits)),
                else Self::Foot(field(json, "foot", fits))),
        }
    }
}

impl Read for Outcome {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        variants!(json, fits,
            "Completed" => |end| Self::Completed {
                model: field(&end, "model", fits),
                tokens: field(&end, "tokens", fits),
                total_time_ms: field(&end, "total_time_ms", fits),
                tool_calls: field(&end, "tool_calls", fits),
                context: field(&end, "context", fits),
                stopped_by: field(&end, "stopped_by", fits),
            },
            "Interrupted" => |end| Self::Interrupted {
                reason: field(&end, "reason", fits),
                detail: field(&end, "detail", fits),
            },
            else if json.text().as_deref() == Some("Running") { Self::Running } else { Self::Past })
    }
}

impl Read for Event {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        Self {
            seq: field(json, "seq", fits),
            body: EventBody::read(json, fits),
            created_at: field(json, "created_at", fits),
            actor: field(json, "actor", fits),
        }
    }
}

/// Variants of `$self` by their word, each with its fields.
macro_rules! tagged {
    ($json:expr, $fits:ident, $word:expr,
     $($name:literal => $variant:ident $({ $($field:ident),* })? $(($inner:ident))?,)* else $other:expr) => {
        match $word.as_deref() {
            $(Some($name) => Self::$variant $({ $($field: field($json, stringify!($field), $fits)),* })?
                $(($inner::read($json, $fits)))?,)*
            _ => $other,
        }
    };
}

impl Read for EventBody {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        let payload = &json.field("payload");
        tagged!(payload, fits, json.field("event_type").text(),
        "session_started" => SessionStarted { workspace, model, mode, forked_from },
        "session_resumed" => SessionResumed { turn_count },
        "session_updated" => SessionUpdated { title, model, archived, pinned, mode },
        "user_message_received" => UserMessageReceived {
            turn, turn_number, message_id, client_id, queued, bytes, attachments, steering_id
        },
        "turn_started" => TurnStarted { turn, message_id, model },
        "model_call" => ModelCall { turn, message, model, attempt, tokens, ms },
        "model_retry" => ModelRetry { turn, message, attempt, wait_ms, reason },
        "message_completed" => MessageCompleted { turn, message, turn_number, bytes, partial },
        "tool_call_started" => ToolCallStarted { turn, tool_call_id, name, args, preview },
        "tool_call_completed" => ToolCallCompleted {
            turn, tool_call_id, name, success, elapsed_ms, preview, output, error, diff, files_changed, truncated
        },
        "approval_requested" => ApprovalRequested(Approval),
        "approval_resolved" => ApprovalResolved { turn, approval_id, tool_call_id, decision },
        "approval_rule_added" => ApprovalRuleAdded { rule_id, tool, scope },
        "approval_rule_removed" => ApprovalRuleRemoved { rule_id, tool, scope },
        "awaiting_user_input" => AwaitingUserInput(Asked),
        "user_input_received" => UserInputReceived { turn, question_id, tool_call_id },
        "steering_received" => SteeringReceived { turn, steering_id, bytes },
        "changes_undone" => ChangesUndone { turn, restored, conflicts },
        "sharing_changed" => SharingChanged { name, part },
        "queue_changed" => QueueChanged { change, message_id, length },
        "turn_completed" => TurnCompleted {
            turn, model, tokens, latency_ms, total_time_ms, tool_calls, context, stopped_by
        },
        "turn_interrupted" => TurnInterrupted { turn, reason, detail },
        "upload_started" => UploadStarted { upload_id, target_dir, on_conflict, resumable, name, bytes },
        "upload_completed" => UploadCompleted { upload_id, name, status, path, size, sha256 },
        "upload_failed" => UploadFailed { upload_id, name, path, code, detail },
        "session_error" => SessionError { code, detail },
        "events_removed" => EventsRemoved { first_seq, last_seq, count },
        else {
            *fits = false;
            Self::SessionResumed { turn_count: 0 }
        })
    }
}

impl Read for ServerFrame {
    fn read<J: Json>(json: &J, fits: &mut bool) -> Self {
        tagged!(json, fits, json.field("type").text(),
            "hello" => Hello { session, head_seq, boot_id, in_flight },
            "synced" => Synced { seq },
            "reset" => Reset { reason, first_seq },
            "text_delta" => TextDelta { turn, message, offset, text },
            "thinking_delta" => ThinkingDelta { turn, message, offset, text },
            "message_blocks" => MessageBlocks { turn, message, from, blocks, open },
            "tool_call_card" => ToolCallCard { turn, message, card },
            "fragment" => Fragment { part, html },
            "message_accepted" => MessageAccepted { seq, message },
            "turn_started" => TurnStarted { seq, message },
            "queue_changed" => QueueChanged { seq, message },
            "message_completed" => MessageCompleted { seq, text },
            "steering_received" => SteeringReceived { seq, message },
            "user_input_received" => UserInputReceived { seq, answer },
            "tool_call_output" => ToolCallOutput { turn, tool_call_id, offset, text },
            "log_event" => LogEvent(Event),
            "error" => Error { code, detail, client_id },
            "heartbeat" => Heartbeat { head_seq },
            "pong" => Pong { head_seq },
            "presence" => Presence { people },
            else Self::Other)
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
