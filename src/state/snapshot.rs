//! What a page shows at first, read at one moment.

use std::collections::BTreeMap;

use super::AppState;
use crate::{
    access::Visitor,
    agent::ports::store::TurnWindow,
    markdown,
    protocol::{
        ApiError, ChangeList, CreateChoices, Event, EventBody, FileList, HomePage, InFlight, Listed, Part, Seq,
        SessionId, SessionPage, SessionQuery,
        transcript::{Call, Message, Transcript},
    },
};

/// Rows of history that a page opens with, unless it asks for more.
const ROWS: u32 = 120;
/// Most rows that one page shows.
const MOST_ROWS: u32 = 1000;
/// Characters of a call's output that the page holds; the whole is in the turn row.
const OUTPUT_CHARS: usize = 8_000;
/// Turns whose changes a page opens with; scripts read the others.
const CHANGED_TURNS: usize = 20;
/// Events that the logs panel opens with.
const LOG_ROWS: u32 = 200;

impl AppState {
    /// The newest `rows` rows of a session, the events of their turns, and the text that is being written.
    pub async fn session_page(&self, visitor: &Visitor, id: &str, rows: Option<u32>) -> Result<SessionPage, ApiError> {
        let id = &SessionId::parse(id).ok_or_else(ApiError::session_not_found)?;
        self.require(visitor, id, Part::Watch).await?;
        // The moment comes first: what is read after it may be newer, and applying an event twice changes nothing.
        let (session, feed) = self.agent.watch(id).await?;
        let (cursor, in_flight) = feed.snapshot();
        let limit = rows.unwrap_or(ROWS).clamp(1, MOST_ROWS);
        let page = self.agent.turns(id, TurnWindow::Before { turn_number: None, limit }).await?;
        let has_earlier = page.total > page.turns.len() as u64 && limit < MOST_ROWS;
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
        let in_flight = add_in_flight(&mut transcript, in_flight);
        let transcript =
            tokio::task::spawn_blocking(move || shown(transcript)).await.map_err(|_| ApiError::internal())?;
        let events = self.newest_events(id, cursor).await?;
        let blocked = self.agent.check_workspace(session.workspace.clone()).await.err().map(|error| error.detail);
        let boot_id = self.agent.boot_id().to_owned();
        let (changes, files) = (BTreeMap::new(), FileList::default());
        Ok(SessionPage {
            session,
            transcript,
            events,
            cursor,
            in_flight,
            boot_id,
            changes,
            files,
            has_earlier,
            blocked,
        })
    }

    /// What the turns of a page changed, newest turns first to be read. One that can't be read is left out: the page
    /// reads it again and says why.
    pub async fn turn_changes(&self, page: &SessionPage) -> BTreeMap<u32, ChangeList> {
        let mut found = BTreeMap::new();
        for turn in page.changing_turns().into_iter().rev().take(CHANGED_TURNS) {
            if let Ok(list) = self.agent.changes(&page.session.id, turn).await {
                found.insert(turn, list);
            }
        }
        found
    }

    /// What the logs panel opens with. Newer events than the cursor come with the stream.
    async fn newest_events(&self, id: &SessionId, cursor: Seq) -> Result<Vec<Event>, ApiError> {
        let from = cursor.saturating_sub(u64::from(LOG_ROWS));
        let mut events = self.agent.events(id, from, LOG_ROWS, &[]).await?.events;
        events.retain(|event| event.seq <= cursor);
        events.iter_mut().for_each(|event| leave_out_output(&mut event.body));
        Ok(events)
    }

    /// The start, with the folders inside `dir` to choose from.
    pub async fn home_page(&self, dir: Option<String>, deleted: Option<SessionId>) -> HomePage {
        let choices = CreateChoices {
            models: self.agent.model_names(),
            built_in_only: self.site.built_in_only,
            folders: self.agent.folders(dir.filter(|dir| !dir.is_empty())).await,
            notice: self.site.notice.clone(),
        };
        HomePage { choices, deleted }
    }

    /// What the left panel opens with. A list that can't be read must not keep the page from opening.
    pub async fn listed_sessions(&self, visitor: &Visitor) -> Vec<Listed> {
        let listed = self.agent.sessions(visitor.limited_to(), &SessionQuery::default()).await;
        listed.map(|list| list.sessions.into_iter().map(Into::into).collect()).unwrap_or_default()
    }
}

/// Puts the running message in its place; its turn and number, where it was not there already.
fn add_in_flight(transcript: &mut Transcript, in_flight: Option<InFlight>) -> Option<(u32, u32)> {
    let live = in_flight?;
    let turn = transcript.turns.iter_mut().find(|turn| turn.turn == live.turn)?;
    // A message that is there already was completed after the moment.
    if turn.messages.iter().any(|known| known.message == live.message) {
        return None;
    }
    turn.messages.push(Message { message: live.message, text: live.text, ..Message::default() });
    Some((live.turn, live.message))
}

/// The transcript as the page shows it: messages rendered, long output cut. The text itself would travel for nothing.
fn shown(mut transcript: Transcript) -> Transcript {
    for message in transcript.turns.iter_mut().flat_map(|turn| &mut turn.messages) {
        message.blocks = markdown::render(&std::mem::take(&mut message.text));
        message.calls.iter_mut().for_each(cut_output);
    }
    transcript
}

fn cut_output(call: &mut Call) {
    if let Some((end, _)) = call.output.char_indices().nth(OUTPUT_CHARS) {
        call.output.truncate(end);
        call.truncated = true;
    }
}

/// A log row tells of a call in one line.
fn leave_out_output(body: &mut EventBody) {
    if let EventBody::ToolCallCompleted { output, diff, .. } = body {
        output.clear();
        *diff = None;
    }
}
