//! What a page shows at first; the same values render it on the server and hydrate it in the browser.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    ApiError, ChangeList, Event, FileList, FolderList, Listed, Look, Seq, Session, SessionId, transcript::Transcript,
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
    /// What the turns of the window changed, where the page opens with it.
    pub changes: BTreeMap<u32, ChangeList>,
    /// The workspace's own folder, not what is in folders.
    pub files: FileList,
    /// There are rows before the window.
    pub has_earlier: bool,
    /// Why this session can't go on here, if it can't.
    pub blocked: Option<String>,
}

impl SessionPage {
    /// Turns in which a step changed files, as far as the page's rows and events tell.
    pub fn changing_turns(&self) -> BTreeSet<u32> {
        let by_row = self
            .transcript
            .turns
            .iter()
            .filter(|turn| turn.messages.iter().flat_map(|message| &message.calls).any(|call| call.diff.is_some()));
        let by_event = self.events.iter().filter_map(|event| event.body.changed_files());
        by_row.map(|turn| turn.turn).chain(by_event.map(|(turn, _)| turn)).collect()
    }
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
