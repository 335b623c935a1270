//! The vocabulary that the server, the page and the tests share: plain serde types, no I/O.

mod actor;
mod approval;
mod error;
mod event;
mod frame;
mod ids;
mod model;
mod page;
mod question;
mod session;
pub mod transcript;
mod turn;

pub use actor::{Actor, ActorKind};
pub use approval::Risk;
pub use error::{ApiError, ErrorCode};
pub use event::{ContextUse, Event, EventBody, EventPage, InterruptReason, QueueChange, Record, StoppedBy, Tokens};
pub use frame::{ClientFrame, InFlight, LiveCall, ServerFrame};
pub use ids::{CallId, MessageId, Seq, SessionId};
pub use model::{ModelInfo, ModelOffer, OfferedModel, ToolInfo};
pub use page::{CreateChoices, SessionPage};
pub use question::{Answer, Question, QuestionKind, QuestionOption};
pub use session::{
    CreateSession, Folder, FolderList, Mode, Session, SessionList, SessionQuery, Status, UNTITLED, UpdateSession,
    derived_title,
};
pub use turn::{Accepted, QueuedMessage, Role, ToolCall, ToolResult, TurnPage, TurnRow};
