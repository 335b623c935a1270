//! What a page shows at first, read at one moment.

use super::AppState;
use crate::{
    agent::ports::store::TurnWindow,
    markdown,
    protocol::{
        ApiError, CreateChoices, InFlight, SessionId, SessionPage,
        transcript::{Message, Transcript},
    },
};

/// Rows of history that a page opens with, unless it asks for more.
const ROWS: u32 = 120;
/// Most rows that one page shows.
const MOST_ROWS: u32 = 1000;
/// Events that the logs panel opens with.
const LOG_ROWS: u32 = 200;

impl AppState {
    /// The newest `rows` rows of a session, the events of their turns, and the text that is being written.
    pub async fn session_page(&self, id: &SessionId, rows: Option<u32>) -> Result<SessionPage, ApiError> {
        // The moment comes first: what is read after it may be newer, and applying an event twice changes nothing.
        let (session, feed) = self.agent.watch(id).await?;
        let (cursor, in_flight) = feed.snapshot();
        let limit = rows.unwrap_or(ROWS).clamp(1, MOST_ROWS);
        let page = self.agent.turns(id, TurnWindow::Before { turn_number: None, limit }).await?;
        let has_earlier = page.total > page.turns.len() as u64;
        let mut transcript = Transcript::from_rows(&page.turns);
        if has_earlier && transcript.turns.len() > 1 && transcript.turns[0].user.is_none() {
            transcript.turns.remove(0);
        }
        if let Some(first) = transcript.turns.first() {
            for record in self.agent.records_from_turn(id, first.turn).await? {
                transcript.apply(&record);
            }
        }
        transcript.queue = self.agent.queue(id).await?;
        transcript.queue_held = self.agent.queue_held(id).await?;
        add_in_flight(&mut transcript, in_flight);
        render(&mut transcript);
        let newest = cursor.saturating_sub(u64::from(LOG_ROWS));
        let events = self.agent.events(id, newest, LOG_ROWS, &[]).await?.events;
        let blocked = self.agent.allows_workspace(&session.workspace).err().map(|error| error.detail);
        let boot_id = self.agent.boot_id().to_owned();
        Ok(SessionPage { session, transcript, events, cursor, boot_id, has_earlier, blocked })
    }

    pub async fn create_choices(&self, dir: Option<String>) -> CreateChoices {
        CreateChoices {
            models: self.agent.model_names(),
            built_in_only: self.site.built_in_only,
            folders: self.agent.folders(dir).await,
            notice: self.site.notice.clone(),
        }
    }
}

fn add_in_flight(transcript: &mut Transcript, in_flight: Option<InFlight>) {
    let Some(live) = in_flight else { return };
    let Some(turn) = transcript.turns.iter_mut().find(|turn| turn.turn == live.turn) else { return };
    // A message that is there already was completed after the moment.
    if turn.messages.iter().all(|known| known.message != live.message) {
        turn.messages.push(Message { message: live.message, text: live.text, ..Message::default() });
    }
}

/// Renders every message. The page shows the blocks, so the text itself would travel for nothing.
fn render(transcript: &mut Transcript) {
    for message in transcript.turns.iter_mut().flat_map(|turn| &mut turn.messages) {
        message.blocks = markdown::render(&std::mem::take(&mut message.text));
    }
}
