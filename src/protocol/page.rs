//! What a page shows at first; the same values render it on the server and hydrate it in the browser.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiError, BasePath, ChangeList, Event, FileList, FolderList, Listed, Look, Seq, Session, SessionId,
    transcript::{Transcript, Turn},
};

/// An address, with all that is shown there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub page: Page,
    pub look: Look,
    /// When this was read; RFC 3339, UTC.
    pub now: String,
    /// The left panel: newest activity first.
    pub sessions: Vec<Listed>,
    /// What went wrong with the form that led here.
    pub error: Option<String>,
    /// Whoever looks at it, where several people share the server.
    pub name: Option<String>,
    /// Where this server begins.
    pub base: BasePath,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Page {
    Home(Box<HomePage>),
    Session(Box<SessionPage>),
    /// The running turn alone, for browsers without scripts.
    Running(Box<SessionPage>),
    #[default]
    NotFound,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HomePage {
    pub choices: CreateChoices,
    /// The session that was deleted just now, to bring it back.
    pub deleted: Option<SessionId>,
}

/// A part of the page that the server draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Under a turn: how it ended, what can be done with it.
    Foot(u32),
    /// Where a turn says that it works: the call that the model is writing. Void once anything else happens in it.
    Writing(u32),
    /// The composer's chips: mode, model, rules.
    Menu,
    /// How full the model's window is.
    Meter,
}

/// Ends of uploads that the files panel shows.
pub const RECENT_UPLOADS: usize = 5;

/// A session as of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionPage {
    pub session: Session,
    pub transcript: Transcript,
    /// The newest events, ascending.
    pub events: Vec<Event>,
    /// The live stream goes on after this event.
    pub cursor: Seq,
    /// Turn and number of the message that is being written; no event has completed it.
    pub in_flight: Option<(u32, u32)>,
    pub boot_id: String,
    /// Files that turns changed, as far as rows and events tell; see [`note_changed`](super::note_changed).
    pub changed: BTreeMap<u32, BTreeSet<String>>,
    /// What the turns of the window changed, where the page opens with it.
    pub changes: BTreeMap<u32, ChangeList>,
    /// The workspace's own folder, not what is in folders.
    pub files: FileList,
    /// The newest events that ended an upload, ascending.
    pub uploads: Vec<Event>,
    /// The row that the window begins with, where there are rows before it.
    pub earlier: Option<u64>,
    /// As HTML.
    pub menu: String,
    pub meter: String,
    /// Why this session can't go on here, if it can't.
    pub blocked: Option<String>,
    /// The visitor may see everything and do nothing.
    pub watches: bool,
}

impl SessionPage {
    /// Turns in which files were changed, as far as the page tells.
    pub fn changing_turns(&self) -> BTreeSet<u32> {
        self.changed.keys().copied().collect()
    }
}

/// Answer of `GET …/earlier?before=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlierTurns {
    /// Chronological, drawn.
    pub turns: Vec<Turn>,
    /// The row that they begin with, where there are rows before it.
    pub earlier: Option<u64>,
}

/// The choices of the form that makes a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreateChoices {
    /// Aliases, the default one first.
    pub models: Vec<String>,
    /// The default model is the built-in one: nothing is configured.
    pub built_in_only: bool,
    pub folders: Result<FolderList, ApiError>,
    /// Something about this server that its owner should know.
    pub notice: Option<String>,
}
