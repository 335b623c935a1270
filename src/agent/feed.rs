//! The feed of a session: what its watchers pull from. It holds the newest events and the text of the message
//! that is being written; a connection keeps its own cursor and takes what it lacks. So a slow watcher gets
//! fewer, larger pieces, no event is ever dropped, and nobody's lag touches anybody else.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{ports::store::Publish, writing::Writing};
use crate::protocol::{CallId, EventBody, InFlight, LiveCall, Record, Seq, SessionId, ToolCall};

/// Events kept in memory; a cursor older than the oldest of them reads from the store.
const TAIL_EVENTS: usize = 256;
/// Text of events kept in memory, but for the newest event's.
const TAIL_BYTES: usize = 1024 * 1024;
/// Events handed out by one pull, so that a far cursor does not hold the lock for long.
const PULL_EVENTS: usize = 64;
/// Text handed out by one pull, but for the last event's: what a watcher that takes nothing keeps others from freeing.
const PULL_BYTES: usize = 256 * 1024;
/// Live output kept of each running call, in bytes; a person watches its end, and the result tells the rest.
const OUTPUT_BYTES: usize = 64 * 1024;

pub struct Feed {
    // A std mutex: it is held for pushes and copies alone, never across an await.
    state: Mutex<State>,
    moved: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    head: Seq,
    /// Dense, ascending; the last one has seq `head`.
    tail: VecDeque<Arc<Entry>>,
    /// Of the texts in it.
    tail_bytes: usize,
    live: Option<Live>,
    /// What the running calls have printed.
    outputs: Vec<LiveCall>,
    closed: bool,
    primed: bool,
}

/// An event in the feed, with its frames once somebody has encoded them.
pub struct Entry {
    pub record: Arc<Record>,
    /// The text that had been written when the event was; watchers get it first.
    mark: Option<Mark>,
    frames: OnceLock<Vec<Bytes>>,
}

impl Entry {
    pub fn new(record: Arc<Record>) -> Self {
        Self { record, mark: None, frames: OnceLock::new() }
    }

    fn text_bytes(&self) -> usize {
        self.record.text.as_ref().map_or(0, String::len)
    }

    /// The event's frames, encoded by the first watcher for all.
    pub fn frames(&self, encode: impl FnOnce(&Record) -> Vec<Bytes>) -> &[Bytes] {
        self.frames.get_or_init(|| encode(&self.record))
    }
}

#[derive(Clone, Copy)]
struct Mark {
    turn: u32,
    message: u32,
    bytes: usize,
}

#[derive(Default)]
struct Live {
    turn: u32,
    message: u32,
    text: String,
    thinking: String,
    /// The call that is being written, and how often that was told.
    writing: Option<(Writing, u32)>,
    /// It is complete, and its calls run.
    done: bool,
}

/// How far a watcher is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub seq: Seq,
    turn: u32,
    message: u32,
    text_bytes: usize,
    thinking_bytes: usize,
    /// How often it was told of the call that is being written.
    writing: u32,
    /// Bytes of each running call's output.
    outputs: Vec<(CallId, u64)>,
}

impl Cursor {
    /// The cursor of a watcher that was given `in_flight` and has all events up to `seq`.
    pub fn at(seq: Seq, in_flight: Option<&InFlight>) -> Self {
        let live = in_flight.cloned().unwrap_or_default();
        Self {
            seq,
            turn: live.turn,
            message: live.message,
            text_bytes: live.text.len(),
            thinking_bytes: live.thinking.len(),
            writing: 0,
            outputs: live
                .calls
                .into_iter()
                .map(|call| (call.tool_call_id, call.offset + call.text.len() as u64))
                .collect(),
        }
    }

    fn turn_to(&mut self, turn: u32, message: u32) {
        if (self.turn, self.message) != (turn, message) {
            let outputs = std::mem::take(&mut self.outputs);
            *self = Self { seq: self.seq, turn, message, outputs, ..Self::default() };
        }
    }
}

pub enum Item {
    Event(Arc<Entry>),
    Text {
        turn: u32,
        message: u32,
        offset: usize,
        text: String,
    },
    Thinking {
        turn: u32,
        message: u32,
        offset: usize,
        text: String,
    },
    Output {
        turn: u32,
        call: CallId,
        offset: u64,
        text: String,
    },
    /// The call that is being written, as it is now.
    Writing {
        turn: u32,
        writing: Writing,
    },
}

pub enum Pulled {
    /// In order; empty where the watcher has everything.
    Items(Vec<Item>),
    /// The next event is older than the tail: read it from the store, then pull again.
    Behind,
}

impl Feed {
    fn new() -> Self {
        Self { state: Mutex::default(), moved: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves whole values: nothing in here is half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.moved.send_modify(|version| *version += 1);
    }

    /// Tells a new feed the head that the store knew after it was registered. Later heads come with their events
    /// alone: a head without its event would let a watcher pass over what is being published.
    pub fn prime(&self, head: Seq) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.primed, true) {
            state.head = state.head.max(head);
        }
    }

    /// Resolves whenever there may be something to pull.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Whether anybody pulls from it.
    pub fn is_watched(&self) -> bool {
        self.moved.receiver_count() > 0
    }

    /// The session is gone; watchers leave.
    pub fn close(&self) {
        self.state().closed = true;
        self.wake();
    }

    /// The session was brought back.
    pub fn reopen(&self) {
        self.state().closed = false;
    }

    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub fn head(&self) -> Seq {
        self.state().head
    }

    /// The head and the running message at one moment: what `hello` says.
    pub fn snapshot(&self) -> (Seq, Option<InFlight>) {
        let state = self.state();
        let live = state.live.as_ref().filter(|live| !live.done || !state.outputs.is_empty());
        let in_flight = live.map(|live| InFlight {
            turn: live.turn,
            message: live.message,
            text: live.text.clone(),
            thinking: live.thinking.clone(),
            calls: state.outputs.clone(),
        });
        (state.head, in_flight)
    }

    pub fn begin_message(&self, turn: u32, message: u32) {
        let mut state = self.state();
        state.live = Some(Live { turn, message, ..Live::default() });
        state.outputs.clear();
    }

    pub fn push_text(&self, text: &str) {
        if let Some(live) = &mut self.state().live {
            live.text.push_str(text);
        }
        self.wake();
    }

    pub fn push_thinking(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(live) = &mut self.state().live {
            live.thinking.push_str(text);
        }
        self.wake();
    }

    /// Tells of the call that is being written; what was told before is void.
    pub fn tell_writing(&self, writing: Writing) {
        if let Some(live) = &mut self.state().live {
            let before = live.writing.as_ref().map_or(0, |(_, count)| *count);
            live.writing = Some((writing, before + 1));
        }
        self.wake();
    }

    /// Adds to the live output of a running call.
    pub fn push_output(&self, call: &ToolCall, text: &str) {
        {
            let mut state = self.state();
            let known = state.outputs.iter().position(|output| output.tool_call_id == call.id);
            let place = known.unwrap_or(state.outputs.len());
            if known.is_none() {
                let (tool_call_id, name) = (call.id.clone(), call.name.clone());
                state.outputs.push(LiveCall { tool_call_id, name, offset: 0, text: String::new() });
            }
            state.outputs[place].push(text);
        }
        self.wake();
    }

    fn publish(&self, records: &[Arc<Record>]) {
        {
            let mut state = self.state();
            records.iter().for_each(|record| state.add(record.clone()));
        }
        self.wake();
    }

    /// What the watcher lacks, as far as the tail goes.
    pub fn pull(&self, cursor: &mut Cursor) -> Pulled {
        let state = self.state();
        let (mut items, mut bytes) = (Vec::new(), 0);
        while cursor.seq < state.head {
            let Some(entry) = state.entry(cursor.seq + 1) else {
                return if items.is_empty() { Pulled::Behind } else { Pulled::Items(items) };
            };
            if items.len() >= PULL_EVENTS || bytes >= PULL_BYTES {
                return Pulled::Items(items);
            }
            items.extend(state.text_before(entry, cursor));
            items.push(Item::Event(entry.clone()));
            bytes += entry.text_bytes();
            cursor.seq += 1;
        }
        items.extend(state.live_text(cursor));
        items.extend(state.live_outputs(cursor));
        Pulled::Items(items)
    }
}

impl State {
    fn add(&mut self, record: Arc<Record>) {
        let event = &record.event;
        let mark = if let EventBody::MessageCompleted { turn, message, .. } = &event.body {
            Some(Mark { turn: *turn, message: *message, bytes: record.text.as_ref().map_or(0, String::len) })
        } else {
            let live = self.live.as_ref().filter(|live| !live.done);
            live.map(|live| Mark { turn: live.turn, message: live.message, bytes: live.text.len() })
        };
        match &event.body {
            EventBody::MessageCompleted { .. } => self.live.iter_mut().for_each(|live| live.done = true),
            EventBody::TurnCompleted { .. } | EventBody::TurnInterrupted { .. } => {
                self.live = None;
                self.outputs.clear();
            }
            // Its result has all of it.
            EventBody::ToolCallCompleted { tool_call_id, .. } => {
                self.outputs.retain(|output| output.tool_call_id != *tool_call_id);
            }
            _ => {}
        }
        self.head = event.seq;
        let entry = Arc::new(Entry { mark, ..Entry::new(record) });
        self.tail_bytes += entry.text_bytes();
        self.tail.push_back(entry);
        while self.tail.len() > TAIL_EVENTS || (self.tail.len() > 1 && self.tail_bytes > TAIL_BYTES) {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |entry| entry.text_bytes());
        }
    }

    fn entry(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let first = self.tail.front()?.record.event.seq;
        self.tail.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// The text that must reach the watcher before `entry` does.
    fn text_before(&self, entry: &Entry, cursor: &mut Cursor) -> Option<Item> {
        let mark = entry.mark?;
        cursor.turn_to(mark.turn, mark.message);
        if cursor.text_bytes >= mark.bytes {
            return None;
        }
        let text = self.text_of(mark)?.get(cursor.text_bytes..mark.bytes)?.to_owned();
        let offset = std::mem::replace(&mut cursor.text_bytes, mark.bytes);
        Some(Item::Text { turn: mark.turn, message: mark.message, offset, text })
    }

    /// The text of a message that is being written or was completed not long ago.
    fn text_of(&self, mark: Mark) -> Option<&str> {
        if let Some(live) = self.live.as_ref().filter(|live| (live.turn, live.message) == (mark.turn, mark.message)) {
            return Some(&live.text);
        }
        let completed = |entry: &&Arc<Entry>| {
            matches!(&entry.record.event.body, EventBody::MessageCompleted { turn, message, .. }
                if (*turn, *message) == (mark.turn, mark.message))
        };
        self.tail.iter().rev().find(completed)?.record.text.as_deref()
    }

    /// What the running calls have printed since.
    fn live_outputs(&self, cursor: &mut Cursor) -> Vec<Item> {
        let Some(turn) = self.live.as_ref().map(|live| live.turn) else { return Vec::new() };
        cursor.outputs.retain(|(call, _)| self.outputs.iter().any(|output| output.tool_call_id == *call));
        let mut items = Vec::new();
        for output in &self.outputs {
            let place = match cursor.outputs.iter().position(|(call, _)| *call == output.tool_call_id) {
                Some(place) => place,
                None => {
                    cursor.outputs.push((output.tool_call_id.clone(), 0));
                    cursor.outputs.len() - 1
                }
            };
            let seen = &mut cursor.outputs[place].1;
            let offset = (*seen).max(output.offset);
            let from = usize::try_from(offset - output.offset).unwrap_or(usize::MAX);
            if let Some(text) = output.text.get(from..).filter(|text| !text.is_empty()) {
                items.push(Item::Output { turn, call: output.tool_call_id.clone(), offset, text: text.into() });
                *seen = output.offset + output.text.len() as u64;
            }
        }
        items
    }

    fn live_text(&self, cursor: &mut Cursor) -> Vec<Item> {
        let Some(live) = self.live.as_ref().filter(|live| !live.done) else { return Vec::new() };
        let (turn, message) = (live.turn, live.message);
        cursor.turn_to(turn, message);
        let mut items = Vec::new();
        if let Some(text) = live.thinking.get(cursor.thinking_bytes..).filter(|text| !text.is_empty()) {
            items.push(Item::Thinking { turn, message, offset: cursor.thinking_bytes, text: text.into() });
            cursor.thinking_bytes = live.thinking.len();
        }
        if let Some(text) = live.text.get(cursor.text_bytes..).filter(|text| !text.is_empty()) {
            items.push(Item::Text { turn, message, offset: cursor.text_bytes, text: text.into() });
            cursor.text_bytes = live.text.len();
        }
        if let Some((writing, count)) = live.writing.as_ref().filter(|(_, count)| *count != cursor.writing) {
            items.push(Item::Writing { turn, writing: writing.clone() });
            cursor.writing = *count;
        }
        items
    }
}

impl LiveCall {
    /// Keeps the newest text.
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        if self.text.len() > OUTPUT_BYTES {
            let cut = self.text.ceil_char_boundary(self.text.len() - OUTPUT_BYTES / 2);
            self.offset += cut as u64;
            self.text.drain(..cut);
        }
    }
}

/// The feeds of the sessions that somebody runs or watches. A feed lives as long as one of them holds it.
#[derive(Default)]
pub struct Feeds(Mutex<HashMap<SessionId, Weak<Feed>>>);

impl Feeds {
    /// The session's feed. Whoever opens it primes it with the head that the store tells after that.
    pub fn open(&self, session: &SessionId) -> Arc<Feed> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(session).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed::new());
        feeds.insert(session.clone(), Arc::downgrade(&feed));
        feed
    }

    fn get(&self, session: &SessionId) -> Option<Arc<Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).and_then(Weak::upgrade)
    }
}

impl Publish for Feeds {
    fn publish(&self, session: &SessionId, records: &[Arc<Record>]) {
        if let Some(feed) = self.get(session) {
            feed.publish(records);
        }
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
