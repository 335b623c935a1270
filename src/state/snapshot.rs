//! What a page shows at first, read at one moment.

use std::collections::{BTreeMap, BTreeSet};

use super::AppState;
use crate::{
    access::Visitor,
    agent::ports::store::TurnWindow,
    cards::{MenuParts, Pen},
    protocol::{
        ApiError, ChangeList, CreateChoices, EarlierTurns, ErrorCode, Event, EventBody, FileList, HomePage, InFlight,
        Listed, RECENT_UPLOADS, Right, Role, Seq, SessionId, SessionPage, SessionQuery, note_changed,
        transcript::{Call, CallState, Message, Outcome, Transcript},
    },
    ui::words::{Language, cards::cards},
};

/// Rows of history that a page opens with, unless it asks for more.
const ROWS: u32 = 120;
/// Most rows that one page shows.
const MOST_ROWS: u32 = 1000;
/// Turns whose changes a page opens with; scripts read the others.
const CHANGED_TURNS: usize = 20;
/// Events that the logs panel opens with.
const LOG_ROWS: u32 = 200;

impl AppState {
    /// The newest `rows` rows of a session, the events of their turns, and the text that is being written.
    pub async fn session_page(
        &self,
        visitor: &Visitor,
        id: &str,
        rows: Option<u32>,
        language: Language,
    ) -> Result<SessionPage, ApiError> {
        let id = &SessionId::parse(id).ok_or_else(ApiError::session_not_found)?;
        let only_watch = match self.require(visitor, id, Right::TakePart).await {
            Ok(()) => None,
            Err(error) if error.code == ErrorCode::NotAllowed => Some(cards(language).only_watch.to_owned()),
            Err(error) => return Err(error),
        };
        // The moment comes first: what is read after it may be newer, and applying an event twice changes nothing.
        let (session, feed) = self.agent.watch(id).await?;
        let (cursor, in_flight) = feed.snapshot();
        let limit = rows.unwrap_or(ROWS).clamp(1, MOST_ROWS);
        let (mut transcript, earlier) = self.window(id, None, limit).await?;
        if let Some(first) = transcript.turns.first() {
            for record in self.agent.records_from_turn(id, first.turn).await? {
                transcript.apply(&record);
            }
        }
        transcript.queue = self.agent.queue(id).await?;
        transcript.queue_held = self.agent.queue_held(id).await?;
        let calls = transcript.turns.iter_mut().flat_map(|turn| &mut turn.messages).flat_map(|said| &mut said.calls);
        for call in calls.filter(|call| call.state == CallState::Waiting) {
            self.agent.foresee(id, call).await;
        }
        let in_flight = add_in_flight(&mut transcript, in_flight);
        let menu_parts = self.menu(id).await?;
        let pen = Pen::new(language, id, &self.site.base);
        let context = transcript.turns.iter().rev().find_map(|turn| match &turn.outcome {
            Outcome::Completed { context, .. } => Some(*context),
            Outcome::Past | Outcome::Running | Outcome::Interrupted { .. } => None,
        });
        let (menu, meter) = (pen.menu(&menu_parts), pen.meter(context.unwrap_or_default()));
        let events = self.newest_events(id, cursor).await?;
        let mut uploads = self.agent.recent_uploads(id, RECENT_UPLOADS as u32).await?;
        uploads.retain(|event| event.seq <= cursor);
        let changed = changed_files(&transcript, &events);
        let transcript = drawn(pen, transcript).await?;
        let workspace = self.agent.check_workspace(session.workspace.clone()).await;
        let watches = only_watch.is_some();
        let blocked = only_watch.or(workspace.err().map(|error| error.detail));
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
            uploads,
            changed,
            earlier,
            menu,
            meter,
            blocked,
            watches,
        })
    }

    /// Turns before the row `before`, as a page shows them.
    pub async fn earlier_turns(
        &self,
        id: &SessionId,
        before: u64,
        language: Language,
    ) -> Result<EarlierTurns, ApiError> {
        let (mut transcript, earlier) = self.window(id, Some(before), ROWS).await?;
        if let Some(first) = transcript.turns.first() {
            let last = transcript.turns.last().map_or(first.turn, |turn| turn.turn);
            for record in self.agent.records_of_turns(id, (first.turn, last)).await? {
                transcript.apply(&record);
            }
        }
        Ok(EarlierTurns { turns: drawn(Pen::new(language, id, &self.site.base), transcript).await?.turns, earlier })
    }

    /// Whole turns of the newest rows before `before`, and the row that they begin with where there are more.
    async fn window(
        &self,
        id: &SessionId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<(Transcript, Option<u64>), ApiError> {
        let mut rows = self.agent.turns(id, TurnWindow::Before { turn_number: before, limit }).await?.turns;
        let more = rows.first().is_some_and(|row| row.turn_number > 1);
        if more && let Some(begin) = rows.iter().position(|row| row.role == Role::User) {
            // The turn that the window cuts comes whole with the next one, unless it is all there is.
            rows.drain(..begin);
        }
        let earlier = rows.first().filter(|_| more).map(|row| row.turn_number);
        Ok((Transcript::from_rows(&rows), earlier))
    }

    /// What the composer's chips tell.
    pub async fn menu(&self, id: &SessionId) -> Result<MenuParts, ApiError> {
        Ok(MenuParts {
            session: self.agent.session(id).await?,
            models: self.agent.model_names(),
            rules: self.agent.rules(id).await?,
            full_mode: self.agent.full_mode(),
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
    /// Whether the visitor can bring a deleted session back.
    pub async fn restorable(&self, visitor: &Visitor, id: &SessionId) -> bool {
        self.require(visitor, id, Right::Own).await.is_ok() && self.agent.is_restorable(id).await
    }

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
    if !live.text.is_empty() || !live.thinking.is_empty() {
        turn.retry = None;
    }
    turn.messages.push(Message { message: live.message, text: live.text, ..Message::default() });
    Some((live.turn, live.message))
}

/// What the turns changed; one that only rows tell of has its changed files' diffs.
fn changed_files(transcript: &Transcript, events: &[Event]) -> BTreeMap<u32, BTreeSet<String>> {
    let mut changed = BTreeMap::<u32, BTreeSet<String>>::new();
    for event in events {
        note_changed(&mut changed, &event.body);
    }
    for turn in &transcript.turns {
        let made = |call: &&Call| call.state == CallState::Succeeded && call.diff.is_some();
        let calls = turn.messages.iter().flat_map(|message| &message.calls).filter(made);
        let paths: BTreeSet<String> = calls.map(|call| call.preview.clone()).collect();
        if !paths.is_empty() {
            changed.entry(turn.turn).or_insert(paths);
        }
    }
    changed
}

async fn drawn(pen: Pen, mut transcript: Transcript) -> Result<Transcript, ApiError> {
    let drawn = tokio::task::spawn_blocking(move || {
        pen.transcript(&mut transcript);
        transcript
    });
    drawn.await.map_err(|_| ApiError::internal())
}

/// A log row tells of a call in one line.
fn leave_out_output(body: &mut EventBody) {
    if let EventBody::ToolCallCompleted { output, diff, .. } = body {
        output.clear();
        *diff = None;
    }
}
