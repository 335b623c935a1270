//! What the page shows at first; the same values render it on the server and hydrate it in the browser.

use serde::{Deserialize, Serialize};

use super::{ApiError, Event, FolderList, Seq, Session, transcript::{Transcript, Turn}};

/// A part of the page that the server draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Under a turn: how it ended, what can be done with it.
    Foot(u32),
    /// The composer's chips: mode, model, rules.
    Menu,
    /// How full the model's window is.
    Meter,
}

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
    /// The row that the window begins with, where there are rows before it.
    pub earlier: Option<u64>,
    /// As HTML.
    pub menu: String,
    pub meter: String,
    /// Why this session can't go on here, if it can't.
    pub blocked: Option<String>,
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
