//! The state of a session's page: the shared fold, and a signal for each part of it that can change alone. An
//! event goes into the fold; what the fold says it touched is copied into that part's signal, and only that part
//! of the page is drawn again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use leptos::prelude::*;

use crate::protocol::{
    CallId, ChangeList, Event, EventBody, Pending, QueuedMessage, Record, Seq, Session, SessionPage, Status, UNTITLED,
    derived_title,
    transcript::{Call, Message, Outcome, Said, Steered, Touched, Transcript, Turn},
};

use super::files::examples::examples;

/// Log rows kept in the page, the newest; older ones are in the log itself.
const LOG_ROWS: usize = 100_000;

#[derive(Clone, Copy)]
pub struct SessionView {
    pub session: RwSignal<Session>,
    pub turns: RwSignal<Vec<TurnView>>,
    pub queue: RwSignal<Vec<QueuedMessage>>,
    pub queue_held: RwSignal<bool>,
    /// Ascending by seq.
    pub events: RwSignal<Vec<LogRow>>,
    pub link: RwSignal<Link>,
    /// Counts what has been written, so that a reader who follows is taken along.
    pub written: RwSignal<u64>,
    /// Of the session alone, so that what depends on it is not drawn with each event.
    pub status: Memo<Status>,
    /// Counts what may have changed a file of the workspace.
    pub files_changed: RwSignal<u64>,
    /// What each turn changed, as far as its steps said.
    pub changed: RwSignal<BTreeMap<u32, BTreeSet<String>>>,
    /// The changes that the page was opened with.
    pub changes: StoredValue<BTreeMap<u32, ChangeList>>,
    /// What could be asked for in an empty session.
    pub examples: StoredValue<Vec<String>>,
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
}

#[derive(Clone, Copy, PartialEq)]
pub struct TurnView {
    pub turn: u32,
    pub user: RwSignal<Option<Said>>,
    pub messages: RwSignal<Vec<MessageView>>,
    pub outcome: RwSignal<Outcome>,
    pub retry: RwSignal<Option<String>>,
    pub steering: RwSignal<Vec<Steered>>,
}

#[derive(Clone, Copy, PartialEq)]
pub struct MessageView {
    pub message: u32,
    pub blocks: RwSignal<Vec<BlockView>>,
    pub partial: RwSignal<bool>,
    pub calls: RwSignal<Vec<CallView>>,
}

/// A rendered block; finished ones never change again.
#[derive(Clone, Copy, PartialEq)]
pub struct BlockView {
    pub index: usize,
    pub html: RwSignal<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub struct CallView {
    pub index: usize,
    pub call: RwSignal<Call>,
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
    /// The session was deleted or the server refuses it.
    Gone,
}

impl SessionView {
    pub fn new(page: SessionPage) -> Self {
        let (changed, examples) = (changed_files(&page), examples(&page.files));
        let SessionPage { session, mut transcript, events, cursor, in_flight, changes, .. } = page;
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
            written: RwSignal::new(0),
            status: Memo::new(move |_| session.with(|session| session.status)),
            files_changed: RwSignal::new(0),
            changed: RwSignal::new(changed),
            changes: StoredValue::new(changes),
            examples: StoredValue::new(examples),
            mention: RwSignal::new(None),
            log_of: RwSignal::new(None),
            id,
            fold: StoredValue::new(Fold { transcript, cursor }),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// The address of something of this session.
    pub fn path(&self, rest: &str) -> String {
        self.id.with_value(|id| ["/cowork/sessions/", id, rest].concat())
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
            fold.transcript.apply(&record)
        });
        // The signals belong to the page, not to whatever task an event arrived in.
        self.owner.get_value().with(|| self.draw(touched.unwrap_or(Touched::Nothing)));
        self.update_session(&record);
        self.note_files(&record.event.body);
        self.events.update(|rows| {
            let newest =
                rows.iter().rev().find_map(|row| if let LogRow::Event(event) = row { Some(event.seq) } else { None });
            if newest.is_some_and(|newest| newest >= record.event.seq) {
                return;
            }
            let mut event = record.event;
            leave_out_bulk(&mut event.body);
            rows.push(LogRow::Event(Arc::new(event)));
            let surplus = rows.len().saturating_sub(LOG_ROWS);
            rows.drain(..surplus);
        });
        self.written.update(|count| *count += 1);
    }

    fn note_files(&self, body: &EventBody) {
        if let Some((turn, files)) = body.changed_files() {
            self.changed.update(|changed| changed.entry(turn).or_default().extend(files.iter().cloned()));
        }
        if body.may_change_files() {
            self.files_changed.update(|count| *count += 1);
        }
    }

    /// Takes in live output of a running call.
    pub fn add_output(&self, turn: u32, call: &CallId, offset: u64, text: &str) {
        let touched = self.fold.try_update_value(|fold| fold.transcript.add_output(turn, call, offset, text));
        self.owner.get_value().with(|| self.draw(touched.unwrap_or(Touched::Nothing)));
        self.written.update(|count| *count += 1);
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
            Touched::Call { turn, message, call } => {
                let turn = &fold.transcript.turns[turn];
                let message = &turn.messages[message];
                let view = self.message_view(turn.turn, message.message);
                let now = message.calls[call].clone();
                let known = view.calls.with_untracked(|calls| calls.get(call).copied());
                match known {
                    Some(known) => known.call.set(now),
                    None => view.calls.update(|calls| calls.push(CallView { index: call, call: RwSignal::new(now) })),
                }
            }
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
        if view.steering.with_untracked(|steering| *steering != turn.steering) {
            view.steering.set(turn.steering.clone());
        }
    }

    /// The view of a message; its text may be on the way before any event names it.
    fn message_view(&self, turn: u32, message: u32) -> MessageView {
        let known = self.turns.with_untracked(|turns| turns.iter().rev().find(|view| view.turn == turn).copied());
        let turn = known.unwrap_or_else(|| {
            let view = TurnView::new(&mut Turn { turn, ..Turn::default() });
            self.turns.update(|turns| turns.push(view));
            view
        });
        let known = turn
            .messages
            .with_untracked(|messages| messages.iter().rev().find(|view| view.message == message).copied());
        known.unwrap_or_else(|| {
            let view = MessageView::new(&mut Message { message, ..Message::default() });
            turn.messages.update(|messages| messages.push(view));
            view
        })
    }

    fn update_session(&self, record: &Record) {
        let event = &record.event;
        let head = event.seq;
        self.session.update(|session| {
            session.head_seq = head;
            match &event.body {
                EventBody::TurnStarted { turn, .. } => {
                    session.status = Status::Running;
                    session.turn_count = *turn;
                }
                EventBody::TurnCompleted { .. } | EventBody::TurnInterrupted { .. } => {
                    session.status = Status::Idle;
                    session.pending.clear();
                }
                EventBody::ApprovalRequested(approval) => {
                    session.pending.push(Pending::ApprovalRequested { seq: head, approval: approval.clone() });
                    session.status = Status::of_running(&session.pending);
                }
                EventBody::AwaitingUserInput(asked) => {
                    session.pending.push(Pending::AwaitingUserInput { seq: head, asked: asked.clone() });
                    session.status = Status::of_running(&session.pending);
                }
                EventBody::ApprovalResolved { tool_call_id, .. }
                | EventBody::UserInputReceived { tool_call_id, .. } => {
                    session.pending.retain(|pending| pending.tool_call_id() != tool_call_id);
                    session.status = Status::of_running(&session.pending);
                }
                EventBody::SessionUpdated { title, model, archived, mode } => {
                    title.iter().for_each(|title| session.title.clone_from(title));
                    model.iter().for_each(|model| session.model.clone_from(model));
                    session.archived = archived.unwrap_or(session.archived);
                    session.mode = mode.unwrap_or(session.mode);
                }
                EventBody::UserMessageReceived { .. } if session.title == UNTITLED => {
                    session.title = derived_title(record.text.as_deref().unwrap_or_default());
                }
                EventBody::ToolCallStarted { name, args, .. } if name == "task_tracker" => {
                    let tasks = args.get("tasks").cloned().unwrap_or_default();
                    session.tasks = serde_json::from_value(tasks).unwrap_or_default();
                }
                EventBody::UserMessageReceived { .. }
                | EventBody::SessionStarted { .. }
                | EventBody::SessionResumed { .. }
                | EventBody::ModelCall { .. }
                | EventBody::ModelRetry { .. }
                | EventBody::MessageCompleted { .. }
                | EventBody::ToolCallStarted { .. }
                | EventBody::ToolCallCompleted { .. }
                | EventBody::ChangesUndone { .. }
                | EventBody::SharingChanged { .. }
                | EventBody::ApprovalRuleAdded { .. }
                | EventBody::ApprovalRuleRemoved { .. }
                | EventBody::SteeringReceived { .. }
                | EventBody::QueueChanged { .. }
                | EventBody::UploadStarted { .. }
                | EventBody::UploadCompleted { .. }
                | EventBody::UploadFailed { .. }
                | EventBody::SessionError { .. } => {}
            }
        });
    }
}

/// What the turns of a page changed; a turn whose rows alone tell of it has its changed files' diffs.
fn changed_files(page: &SessionPage) -> BTreeMap<u32, BTreeSet<String>> {
    let mut changed = BTreeMap::<u32, BTreeSet<String>>::new();
    for (turn, files) in page.events.iter().filter_map(|event| event.body.changed_files()) {
        changed.entry(turn).or_default().extend(files.iter().cloned());
    }
    for turn in page.transcript.turns.iter() {
        let calls = turn.messages.iter().flat_map(|message| &message.calls).filter(|call| call.diff.is_some());
        let paths: BTreeSet<String> = calls.map(|call| call.preview.clone()).collect();
        if !paths.is_empty() {
            changed.entry(turn.turn).or_insert(paths);
        }
    }
    changed
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

impl TurnView {
    fn new(turn: &mut Turn) -> Self {
        Self {
            turn: turn.turn,
            user: RwSignal::new(turn.user.clone()),
            messages: RwSignal::new(turn.messages.iter_mut().map(MessageView::new).collect()),
            outcome: RwSignal::new(turn.outcome.clone()),
            retry: RwSignal::new(turn.retry.clone()),
            steering: RwSignal::new(turn.steering.clone()),
        }
    }
}

impl MessageView {
    /// Takes the rendered blocks along: the view owns them from here on.
    fn new(message: &mut Message) -> Self {
        let block = |(index, html)| BlockView { index, html: RwSignal::new(html) };
        let call = |(index, call): (usize, &Call)| CallView { index, call: RwSignal::new(call.clone()) };
        Self {
            message: message.message,
            blocks: RwSignal::new(std::mem::take(&mut message.blocks).into_iter().enumerate().map(block).collect()),
            partial: RwSignal::new(message.partial),
            calls: RwSignal::new(message.calls.iter().enumerate().map(call).collect()),
        }
    }
}
