//! A session as people and scripts see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Approval, Asked, CallId, Risk, Seq, SessionId, Task};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    pub id: SessionId,
    pub title: String,
    /// Absolute path of the folder that the agent works in.
    pub workspace: String,
    /// Alias of a configured model.
    pub model: String,
    pub mode: Mode,
    pub status: Status,
    /// Turns so far: user messages whose turn has started.
    pub turn_count: u32,
    /// Sum of the rows' token estimates (a quarter of the characters), as Loom counts.
    pub total_tokens: u64,
    /// RFC 3339, UTC, milliseconds; so are all times here.
    pub started_at: String,
    pub last_active_at: String,
    pub archived: bool,
    /// Kept at the top of the list.
    #[serde(default)]
    pub pinned: bool,
    pub head_seq: Seq,
    /// What waits for a person, oldest first.
    pub pending: Vec<Pending>,
    /// The agent's plan, in order.
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// What waits for a person: the fields of the frame that said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Pending {
    ApprovalRequested {
        seq: Seq,
        #[serde(flatten)]
        approval: Approval,
    },
    AwaitingUserInput {
        seq: Seq,
        #[serde(flatten)]
        asked: Asked,
    },
}

/// The title of a session that has none and in which nothing has been said.
pub const UNTITLED: &str = "Untitled session";
/// Longest title made from a first message, in characters.
const DERIVED_TITLE_CHARS: usize = 60;

/// The title of a session that nobody has named: the first line of its first message. It is shown and never stored.
pub fn derived_title(first_message: &str) -> String {
    let Some(line) = first_message.lines().map(str::trim).find(|line| !line.is_empty()) else { return UNTITLED.into() };
    match line.char_indices().nth(DERIVED_TITLE_CHARS) {
        None => line.to_owned(),
        Some(_) => line.chars().take(DERIVED_TITLE_CHARS - 1).chain(['…']).collect(),
    }
}

/// What the agent may do without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Ask,
    AcceptEdits,
    ReadOnly,
    Full,
}

/// Derived from the running state, never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Idle,
    Running,
    AwaitingApproval,
    AwaitingUserInput,
}

impl Pending {
    pub fn tool_call_id(&self) -> &CallId {
        match self {
            Self::ApprovalRequested { approval, .. } => &approval.tool_call_id,
            Self::AwaitingUserInput { asked, .. } => &asked.tool_call_id,
        }
    }
}

impl Mode {
    /// Whether a call of this risk needs nobody's word.
    pub fn spares(self, risk: Risk) -> bool {
        match self {
            Self::Ask | Self::ReadOnly => false,
            Self::AcceptEdits => risk == Risk::Edit,
            Self::Full => true,
        }
    }
}

impl Status {
    /// Of a session whose turn runs.
    pub fn of_running(pending: &[Pending]) -> Self {
        match pending {
            [] => Self::Running,
            _ if pending.iter().any(|pending| matches!(pending, Pending::ApprovalRequested { .. })) => {
                Self::AwaitingApproval
            }
            _ => Self::AwaitingUserInput,
        }
    }
}

/// Body of `POST /cowork/sessions`; everything has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateSession {
    pub workspace: Option<String>,
    pub model: Option<String>,
    pub title: Option<String>,
    pub system_prompt: Option<String>,
    pub mode: Option<Mode>,
}

/// A turn of a session, with all that came before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkPoint {
    pub session_id: SessionId,
    pub turn: u32,
}

/// Body of `POST /cowork/sessions/{id}/fork`: the last turn that the new session takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForkSession {
    pub turn: u32,
}

/// Body of `PATCH /cowork/sessions/{id}`; a missing field stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateSession {
    pub title: Option<String>,
    pub model: Option<String>,
    pub archived: Option<bool>,
    pub pinned: Option<bool>,
    pub mode: Option<Mode>,
}

/// Query of `GET /cowork/sessions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionQuery {
    pub offset: u32,
    pub limit: u32,
    pub q: String,
    pub archived: bool,
}

impl Default for SessionQuery {
    fn default() -> Self {
        Self { offset: 0, limit: 50, q: String::new(), archived: false }
    }
}

/// Answer of `GET /cowork/sessions`: newest activity first; `total` counts all that match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    pub sessions: Vec<Session>,
    pub total: u64,
}

/// A folder that a session may be created on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Folder {
    pub name: String,
    pub path: String,
}

/// Answer of `GET /cowork/workspaces?dir=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FolderList {
    /// The folder that is listed; `None` at the level of the allowed roots.
    pub dir: Option<String>,
    /// Whether a session may work in `dir` itself.
    pub usable: bool,
    /// Whether files in `dir` can be changed; reading needs less.
    pub writable: bool,
    /// Where "up" leads; `None` at the level of the allowed roots.
    pub parent: Option<String>,
    pub folders: Vec<Folder>,
}

/// A session as the left panel lists it; it is read out of whole sessions too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    pub id: SessionId,
    pub title: String,
    pub status: Status,
    pub last_active_at: String,
    pub archived: bool,
    pub pinned: bool,
}

impl From<Session> for Listed {
    fn from(session: Session) -> Self {
        let Session { id, title, status, last_active_at, archived, pinned, .. } = session;
        Self { id, title, status, last_active_at, archived, pinned }
    }
}

/// What the left panel reads of [`SessionList`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ListedPage {
    pub sessions: Vec<Listed>,
}
