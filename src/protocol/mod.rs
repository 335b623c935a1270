//! The vocabulary that the server, the page and the tests share: plain serde types, no I/O.

mod actor;
mod approval;
mod attachment;
mod base_path;
mod changes;
mod error;
mod event;
mod files;
mod frame;
mod ids;
mod look;
mod model;
mod page;
mod question;
pub mod read;
mod session;
mod sharing;
mod task;
pub mod transcript;
mod turn;
mod upload;

pub use actor::{Actor, ActorKind};
pub use approval::{Approval, ApprovalRule, Decide, Decision, Risk, TOP_FOLDER, covers};
pub use attachment::{Attached, Attachment, MAX_ATTACHMENTS};
pub use base_path::BasePath;
pub use changes::{ChangeKind, ChangeList, FileChange, NOT_SHOWN, UndoAnswer, UndoConflict, UndoRequest, note_changed};
pub use error::{ApiError, ErrorCode};
pub use event::{ContextUse, Event, EventBody, EventPage, InterruptReason, QueueChange, Record, StoppedBy, Tokens};
pub use files::{FileEntry, FileKind, FileList, FilePreview, PreviewKind, Table};
pub use frame::{ClientFrame, InFlight, LiveCall, Present, ServerFrame};
pub use ids::{ApprovalId, CallId, MessageId, QuestionId, RuleId, Seq, SessionId, SteeringId, UploadId};
pub use look::{LEFT_WIDTHS, Look, RIGHT_WIDTHS, Tab, Theme};
pub use model::{ModelInfo, ModelOffer, OfferedModel, ToolInfo};
pub use page::{CreateChoices, EarlierTurns, HomePage, Opened, Page, Part, RECENT_UPLOADS, SessionPage};
pub use question::{Answer, Asked, Question, QuestionKind, QuestionOption};
pub use session::{
    CreateSession, Folder, FolderList, ForkPoint, ForkSession, Listed, ListedPage, Mode, Pending, Session, SessionList,
    SessionQuery, Status, UNTITLED, UpdateSession, derived_title,
};
pub use sharing::{EVERYBODY, Right, Share, Sharing};
pub use task::{Task, TaskStatus};
pub use turn::{Accepted, QueuedMessage, Role, STEERING_PREFIX, ToolCall, ToolResult, TurnPage, TurnRow};
pub use upload::{OnConflict, UploadAnswer, UploadLimits, UploadStatus, UploadedFile, uploads_note};
