//! The state of a session's page: the shared fold, and a signal for each part of it that can change alone. An
//! event goes into the fold; what the fold says it touched is copied into that part's signal, and only that part
//! of the page is drawn again.

mod parts;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use leptos::prelude::*;

use crate::protocol::{
    CallId, ChangeList, EarlierTurns, Event, EventBody, InFlight, Part, Present, QueuedMessage, RECENT_UPLOADS, Record,
    Seq, Session, SessionPage, Status, note_changed,
    transcript::{CallCard, CallState, Message, Touched, Transcript, Turn},
};

use super::browser;
use parts::add_live;
pub use parts::{BlockView, CallView, MessageView, TurnView};

/// Log rows kept in the page, the newest; older ones are in the log itself. So many more may come before the oldest of them
/// go, all at once: the rows are counted anew then.
const LOG_ROWS: usize = 100_000;
const MORE_LOG_ROWS: usize = 10_000;

#[derive(Clone, Copy)]
pub struct SessionView {
    pub session: RwSignal<Session>,
    pub turns: RwSignal<Vec<TurnView>>,
    pub queue: RwSignal<Vec<QueuedMessage>>,
    pub queue_held: RwSignal<bool>,
    /// Ascending by seq.
    pub events: RwSignal<Vec<LogRow>>,
    pub link: RwSignal<Link>,
    /// Counts what speaks for a look at the connection now: the network is back, the page is, a person asks.
    pub hurry: RwSignal<u32>,
    /// Who has the session open now, where the server tells.
    pub people: RwSignal<Vec<Present>>,
    /// Counts the keys of a message that is being written.
    pub typed: RwSignal<u32>,
    /// Counts what has been written, so that a reader who follows is taken along.
    pub written: RwSignal<u64>,
    /// Counts what is worth coming back for: messages, results, questions.
    pub news: RwSignal<u32>,
    /// The row that the transcript begins with, where there are rows before it.
    pub earlier: RwSignal<Option<u64>>,
    /// The composer's chips and its meter, as HTML.
    pub menu: RwSignal<String>,
    pub meter: RwSignal<String>,
    /// What went wrong with the person's last word.
    pub problem: RwSignal<Option<String>>,
    /// Counts what the person says here: whoever says something is taken to where it stands.
    pub said: RwSignal<u32>,
    /// A text that takes the place of what stands in the composer.
    pub compose: RwSignal<Option<String>>,
    /// Of the session alone, so that what depends on it is not drawn with each event.
    pub status: Memo<Status>,
    /// The newest ends of uploads, ascending.
    pub uploads: RwSignal<Vec<Arc<Event>>>,
    /// Counts what may have changed a file of the workspace.
    pub files_changed: RwSignal<u64>,
    /// What each turn changed, as far as its steps said.
    pub changed: RwSignal<BTreeMap<u32, BTreeSet<String>>>,
    /// The changes that the page was opened with.
    pub changes: StoredValue<BTreeMap<u32, ChangeList>>,
    /// Why nothing can be said or added here, if so.
    pub blocked: StoredValue<Option<String>>,
    /// Whoever looks may only watch.
    pub watches: bool,
    /// The file that is looked into.
    pub shown: RwSignal<Option<String>>,
    /// A path that goes into the message field.
    pub mention: RwSignal<Option<String>>,
    /// A step whose row in the log is asked for.
    pub log_of: RwSignal<Option<CallId>>,
    id: StoredValue<String>,
    fold: StoredValue<Fold>,
    owner: StoredValue<Owner>,
}

/// What is known but not drawn.
struct Fold {
    transcript: Transcript,
    cursor: Seq,
    planned: session::Planned,
}

#[derive(Clone, PartialEq)]
pub enum LogRow {
    Event(Arc<Event>),
    /// The connection came back; so many events had been missed. The seq is that of the last one before.
    Reconnected {
        after: Seq,
        recovered: u64,
    },
}

impl LogRow {
    pub fn key(&self) -> (Seq, bool) {
        match self {
            Self::Event(event) => (event.seq, false),
            Self::Reconnected { after, .. } => (*after, true),
        }
    }
}

/// The truth about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Connecting,
    Live,
    /// Events up to this one are on their way.
    CatchingUp {
        head: Seq,
    },
    /// Tried again after so many seconds.
    Waiting {
        seconds: u32,
    },
    /// Whoever is here must sign in again.
    SignedOut,
}

impl SessionView {
    pub fn new(page: SessionPage) -> Self {
        let SessionPage {
            session,
            mut transcript,
            events,
            cursor,
            in_flight,
            changed,
            changes,
            uploads,
            earlier,
            menu,
            meter,
            blocked,
            watches,
            boot_id: _,
            files: _,
        } = page;
        let id = StoredValue::new(session.id.to_string());
        let turns = transcript.turns.iter_mut().map(TurnView::new).collect();
        if let Some((number, message)) = in_flight {
            // It is shown, but no event has completed it yet.
            let turn = transcript.turns.iter_mut().find(|turn| turn.turn == number);
            turn.into_iter().for_each(|turn| turn.messages.retain(|known| known.message != message));
        }
        let session = RwSignal::new(session);
        Self {
            session,
            turns: RwSignal::new(turns),
            queue: RwSignal::new(transcript.queue.clone()),
            queue_held: RwSignal::new(transcript.queue_held),
            events: RwSignal::new(events.into_iter().map(|event| LogRow::Event(Arc::new(event))).collect()),
            link: RwSignal::new(Link::Connecting),
            hurry: RwSignal::new(0),
            people: RwSignal::new(Vec::new()),
            typed: RwSignal::new(0),
            written: RwSignal::new(0),
            news: RwSignal::new(0),
            earlier: RwSignal::new(earlier),
            menu: RwSignal::new(menu),
            meter: RwSignal::new(meter),
            problem: RwSignal::new(None),
            said: RwSignal::new(0),
            compose: RwSignal::new(None),
            status: Memo::new(move |_| session.with(|session| session.status)),
            uploads: RwSignal::new(uploads.into_iter().map(Arc::new).collect()),
            files_changed: RwSignal::new(0),
            changed: RwSignal::new(changed),
            changes: StoredValue::new(changes),
            blocked: StoredValue::new(blocked),
            watches,
            shown: RwSignal::new(None),
            mention: RwSignal::new(None),
            log_of: RwSignal::new(None),
            id,
            fold: StoredValue::new(Fold { transcript, cursor, planned: None }),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// The address of something of this session.
    pub fn path(&self, rest: &str) -> String {
        self.id.with_value(|id| browser::at(&["/cowork/sessions/", id, rest].concat()))
    }

    /// Turns in which files were changed, oldest first.
    pub fn changing_turns(&self) -> Vec<u32> {
        self.changed.with(|changed| changed.keys().copied().collect())
    }

    /// The seq of the last event that was taken in.
    pub fn cursor(&self) -> Seq {
        self.fold.with_value(|fold| fold.cursor)
    }

    pub fn is_running(&self) -> bool {
        self.session.with(|session| session.status != Status::Idle)
    }

    pub fn apply(&self, record: Record) {
        if record.event.seq <= self.cursor() {
            return;
        }
        let touched = self.fold.try_update_value(|fold| {
            fold.cursor = record.event.seq;
            fold.transcript.apply_around_calls(&record)
        });
        // The signals belong to the page, not to whatever task an event arrived in.
        self.owner.get_value().with(|| self.draw(touched.unwrap_or(Touched::Nothing)));
        self.fold.update_value(|fold| {
            self.session.update(|session| session::update(session, &mut fold.planned, &record));
        });
        if is_news(&record.event.body) {
            self.news.update(|count| *count += 1);
        }
        self.note_files(&record.event.body);
        self.events.update(|rows| {
            let newest =
                rows.iter().rev().find_map(|row| if let LogRow::Event(event) = row { Some(event.seq) } else { None });
            if newest.is_some_and(|newest| newest >= record.event.seq) {
                return;
            }
            let mut event = record.event;
            leave_out_bulk(&mut event.body);
            let event = Arc::new(event);
            self.note_upload(&event);
            rows.push(LogRow::Event(event));
            if rows.len() > LOG_ROWS + MORE_LOG_ROWS {
                rows.drain(..MORE_LOG_ROWS);
            }
        });
        self.written.update(|count| *count += 1);
    }

    fn note_files(&self, body: &EventBody) {
        self.changed.maybe_update(|changed| note_changed(changed, body));
        if body.may_change_files() {
            self.files_changed.update(|count| *count += 1);
        }
    }

    fn note_upload(&self, event: &Arc<Event>) {
        if let EventBody::UploadCompleted { .. } | EventBody::UploadFailed { .. } = &event.body {
            self.uploads.update(|uploads| {
                uploads.push(event.clone());
                let surplus = uploads.len().saturating_sub(RECENT_UPLOADS);
                uploads.drain(..surplus);
            });
        }
    }

    /// Takes in a call as the server draws it.
    pub fn set_card(&self, turn: u32, message: u32, card: CallCard) {
        self.owner.get_value().with(|| {
            let view = self.message_view(turn, message);
            match view.call(&card.tool_call_id) {
                Some(call) => {
                    if card.state != CallState::Running {
                        call.live.set(String::new());
                    }
                    call.card.set(card);
                }
                None => view.calls.update(|calls| calls.push(CallView::new(calls.len(), card))),
            }
        });
        self.written.update(|count| *count += 1);
    }

    pub fn set_fragment(&self, part: Part, html: String) {
        match part {
            Part::Menu => self.menu.set(html),
            Part::Meter => self.meter.set(html),
            Part::Writing(turn) => self.owner.get_value().with(|| self.turn_view(turn).writing.set(html)),
            Part::Foot(turn) => self.owner.get_value().with(|| self.turn_view(turn).foot.set(html)),
        }
    }

    /// Takes in live output of a running call.
    pub fn add_output(&self, turn: u32, id: &CallId, text: &str) {
        let messages = self.owner.get_value().with(|| self.turn_view(turn).messages.get_untracked());
        let call = messages.iter().rev().find_map(|view| view.call(id));
        call.into_iter().for_each(|call| add_live(call.live, text));
        self.written.update(|count| *count += 1);
    }

    pub fn add_thinking(&self, turn: u32, message: u32, text: &str) {
        let view = self.owner.get_value().with(|| self.message_view(turn, message));
        add_live(view.thinking, text);
        self.begin_answer(turn);
    }

    /// Something of an answer is shown, so what was said of trying again goes.
    fn begin_answer(&self, turn: u32) {
        let view = self.turn_view(turn);
        if view.retry.with_untracked(Option::is_some) {
            self.fold.update_value(|fold| fold.transcript.begin_answer(turn));
            view.retry.set(None);
        }
    }

    /// Takes in what runs, as it stands at the begin of a connection; blocks come by themselves.
    pub fn resume(&self, live: &InFlight) {
        let view = self.owner.get_value().with(|| self.message_view(live.turn, live.message));
        view.thinking.set(String::new());
        add_live(view.thinking, &live.thinking);
        for call in &live.calls {
            if let Some(view) = view.call(&call.tool_call_id) {
                view.live.set(String::new());
                add_live(view.live, &call.text);
            }
        }
    }

    /// Puts older turns before those that are shown.
    pub fn add_earlier(&self, earlier: EarlierTurns) {
        self.owner.get_value().with(|| {
            let first = self.turns.with_untracked(|turns| turns.first().map(|view| view.turn));
            let older = earlier.turns.into_iter().filter(|turn| first.is_none_or(|first| turn.turn < first));
            let older: Vec<_> = older.map(|mut turn| TurnView::new(&mut turn)).collect();
            self.turns.update(|turns| drop(turns.splice(0..0, older)));
        });
        self.earlier.set(earlier.earlier);
    }

    /// What waits for a person, oldest first.
    pub fn asks(&self) -> Vec<CallView> {
        let last = self.turns.with(|turns| turns.last().copied());
        let messages = last.map(|turn| turn.messages.get()).unwrap_or_default();
        let calls = messages.iter().flat_map(|message| message.calls.get());
        calls.filter(|call| call.card.with(|card| !card.ask.is_empty())).collect()
    }

    /// Replaces the blocks of a message from `from` on.
    pub fn set_blocks(&self, turn: u32, message: u32, from: usize, blocks: Vec<String>) {
        self.owner.get_value().with(|| {
            let view = self.message_view(turn, message);
            view.blocks.maybe_update(|shown| {
                let kept = shown.len();
                shown.truncate(from + blocks.len());
                for (index, html) in (from..).zip(blocks) {
                    match shown.get(index) {
                        Some(block) => block.html.set(html),
                        None => shown.push(BlockView { index, html: RwSignal::new(html) }),
                    }
                }
                kept != shown.len()
            });
            self.begin_answer(turn);
        });
        self.written.update(|count| *count += 1);
    }

    /// Takes away text that no event has completed.
    pub fn drop_unfinished(&self) {
        self.fold.with_value(|fold| {
            let Some(turn) = fold.transcript.turns.last() else { return };
            let known = self.turns.with_untracked(|turns| turns.iter().find(|view| view.turn == turn.turn).copied());
            let is_completed = |view: &MessageView| turn.messages.iter().any(|message| message.message == view.message);
            known.into_iter().for_each(|view| view.messages.update(|messages| messages.retain(is_completed)));
        });
    }

    pub fn note_recovery(&self, after: Seq, recovered: u64) {
        self.events.update(|rows| {
            // A link that flaps while nothing happens leaves one divider.
            rows.retain(|row| !matches!(row, LogRow::Reconnected { after: seen, .. } if *seen == after));
            let place = rows.iter().rposition(|row| matches!(row, LogRow::Event(event) if event.seq <= after));
            rows.insert(place.map_or(0, |place| place + 1), LogRow::Reconnected { after, recovered });
        });
    }

    fn draw(&self, touched: Touched) {
        self.fold.update_value(|fold| match touched {
            Touched::Nothing => {}
            Touched::Queue => self.draw_queue(&fold.transcript),
            Touched::Turn(turn) => {
                self.draw_queue(&fold.transcript);
                self.draw_turn(&mut fold.transcript.turns[turn]);
            }
            Touched::Message { turn, message } => {
                let turn = &mut fold.transcript.turns[turn];
                let (number, partial) = (turn.messages[message].message, turn.messages[message].partial);
                self.draw_turn(turn);
                self.message_view(turn.turn, number).partial.set(partial);
            }
            // The server draws it.
            Touched::Call { .. } => {}
        });
    }

    fn draw_queue(&self, transcript: &Transcript) {
        if self.queue.with_untracked(|shown| *shown != transcript.queue) {
            self.queue.set(transcript.queue.clone());
        }
        self.queue_held.set(transcript.queue_held);
    }

    fn draw_turn(&self, turn: &mut Turn) {
        let known = self.turns.with_untracked(|turns| turns.iter().rev().find(|view| view.turn == turn.turn).copied());
        let Some(view) = known else {
            let view = TurnView::new(turn);
            return self.turns.update(|turns| turns.push(view));
        };
        if view.user.with_untracked(|user| *user != turn.user) {
            view.user.set(turn.user.clone());
        }
        if view.outcome.with_untracked(|outcome| *outcome != turn.outcome) {
            view.outcome.set(turn.outcome.clone());
        }
        view.retry.set(turn.retry.clone());
        view.writing.maybe_update(|writing| !std::mem::take(writing).is_empty());
        if view.steering.with_untracked(|steering| *steering != turn.steering) {
            view.steering.set(turn.steering.clone());
        }
    }

    fn turn_view(&self, turn: u32) -> TurnView {
        let known = self.turns.with_untracked(|turns| turns.iter().rev().find(|view| view.turn == turn).copied());
        known.unwrap_or_else(|| {
            let view = TurnView::new(&mut Turn { turn, ..Turn::default() });
            self.turns.update(|turns| turns.push(view));
            view
        })
    }

    /// The view of a message; its text may be on the way before any event names it.
    fn message_view(&self, turn: u32, message: u32) -> MessageView {
        let turn = self.turn_view(turn);
        let known = turn
            .messages
            .with_untracked(|messages| messages.iter().rev().find(|view| view.message == message).copied());
        known.unwrap_or_else(|| {
            let view = MessageView::new(&mut Message { message, ..Message::default() });
            turn.messages.update(|messages| messages.push(view));
            view
        })
    }
}

/// A log row tells of an event in one line; a hundred thousand of them must fit into a tab.
fn leave_out_bulk(body: &mut EventBody) {
    if let EventBody::ToolCallCompleted { output, diff, .. } = body {
        output.clear();
        *diff = None;
    }
    if let EventBody::ToolCallStarted { args, .. } = body {
        *args = serde_json::Value::Null;
    }
}

fn is_news(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::TurnStarted { .. }
            | EventBody::ToolCallCompleted { .. }
            | EventBody::ApprovalRequested(_)
            | EventBody::AwaitingUserInput(_)
            | EventBody::SteeringReceived { .. }
    ) || matches!(body, EventBody::MessageCompleted { bytes, .. } if *bytes > 0)
}
