use super::*;
use crate::protocol::{Actor, CallId, Event, QueueChange};
use proptest::prelude::*;

fn record(seq: Seq, body: EventBody, text: Option<&str>) -> Arc<Record> {
    let event = Event { seq, body, created_at: String::new(), actor: Actor::system() };
    Arc::new(Record { event, text: text.map(Into::into) })
}

fn note(seq: Seq) -> Arc<Record> {
    record(seq, EventBody::QueueChanged { change: QueueChange::Edited, message_id: None, length: 0 }, None)
}

fn completed(seq: Seq, message: u32, text: &str) -> Arc<Record> {
    let body =
        EventBody::MessageCompleted { turn: 1, message, turn_number: 2, bytes: text.len() as u64, partial: false };
    record(seq, body, Some(text))
}

/// What a watcher saw, in one line an item.
fn drain(feed: &Feed, cursor: &mut Cursor) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let Pulled::Items(items) = feed.pull(cursor) else { panic!("the tail holds all of it") };
        if items.is_empty() {
            return seen;
        }
        seen.extend(items.into_iter().map(|item| match item {
            Item::Event(entry) => format!("#{}", entry.record.event.seq),
            Item::Text { message, offset, text, .. } => format!("{message}@{offset}:{text}"),
            Item::Thinking { message, offset, text, .. } => format!("{message}~{offset}:{text}"),
            Item::Output { call, offset, text, .. } => format!("{call}>{offset}:{text}"),
            Item::Writing { writing, .. } => format!("{}:{}", writing.name, writing.bytes),
        }));
    }
}

#[test]
fn text_written_before_an_event_comes_before_it_even_when_the_message_is_over() {
    let feed = Feed::new();
    feed.begin_message(1, 0);
    feed.push_text("ab");
    feed.publish(&[note(1)]);
    feed.push_text("cd");
    feed.publish(&[completed(2, 0, "abcd")]);
    feed.begin_message(1, 1);
    feed.push_text("ef");
    assert_eq!(drain(&feed, &mut Cursor::default()), ["0@0:ab", "#1", "0@2:cd", "#2", "1@0:ef"]);
}

#[test]
fn one_who_joins_in_mid_message_gets_only_the_rest() {
    let feed = Feed::new();
    feed.begin_message(1, 0);
    feed.push_text("hello ");
    feed.push_thinking("hm");
    let (head, in_flight) = feed.snapshot();
    let mut cursor = Cursor::at(head, in_flight.as_ref());
    feed.push_text("world");
    feed.publish(&[completed(1, 0, "hello world")]);
    assert_eq!(drain(&feed, &mut cursor), ["0@6:world", "#1"]);
    assert_eq!(feed.snapshot().1, None);
}

#[test]
fn a_call_that_is_being_written_is_told_as_it_is_now_until_it_is_whole() {
    let feed = Feed::new();
    feed.begin_message(1, 0);
    let tell = |bytes| feed.tell_writing(Writing { name: "write".into(), preview: String::new(), bytes });
    let mut cursor = Cursor::default();
    tell(1);
    assert_eq!(drain(&feed, &mut cursor), ["write:1"]);
    tell(2);
    tell(3);
    assert_eq!(drain(&feed, &mut cursor), ["write:3"]);
    let (head, in_flight) = feed.snapshot();
    assert_eq!(drain(&feed, &mut Cursor::at(head, in_flight.as_ref())), ["write:3"], "one who joins");
    feed.publish(&[completed(1, 0, "")]);
    assert_eq!(drain(&feed, &mut Cursor::default()), ["#1"]);
}

#[test]
fn a_cursor_older_than_the_tail_is_sent_to_the_store() {
    let feed = Feed::new();
    feed.prime(1000);
    assert!(matches!(feed.pull(&mut Cursor::at(999, None)), Pulled::Behind));
    feed.publish(&[note(1001)]);
    assert_eq!(drain(&feed, &mut Cursor::at(1000, None)), ["#1001"]);
}

#[test]
fn the_tail_is_bounded() {
    let feed = Feed::new();
    let all: Vec<_> = (1..=TAIL_EVENTS as Seq + 5).map(note).collect();
    feed.publish(&all);
    assert!(matches!(feed.pull(&mut Cursor::at(4, None)), Pulled::Behind));
    assert_eq!(drain(&feed, &mut Cursor::at(5, None)).len(), TAIL_EVENTS);
}

#[test]
fn the_tail_holds_no_more_text_than_it_may() {
    let feed = Feed::new();
    let long = "x".repeat(TAIL_BYTES / 2);
    for seq in 1..=5 {
        feed.publish(&[completed(seq, 0, &long)]);
    }
    assert!(matches!(feed.pull(&mut Cursor::at(2, None)), Pulled::Behind));
    assert_eq!(feed.state().tail.len(), 2);
    feed.publish(&[completed(6, 0, &"x".repeat(2 * TAIL_BYTES))]);
    assert_eq!(feed.state().tail.len(), 1, "the newest is there, however long");
}

#[test]
fn a_pull_takes_no_more_text_than_a_watcher_may_hold() {
    let feed = Feed::new();
    let long = "x".repeat(PULL_BYTES / 2);
    for message in 0..8 {
        feed.begin_message(1, message);
        feed.push_text(&long);
        feed.publish(&[completed(Seq::from(message) + 1, message, &long)]);
    }
    let mut cursor = Cursor::default();
    let mut pulls = Vec::new();
    while let Pulled::Items(items) = feed.pull(&mut cursor) {
        let events = items.iter().filter(|item| matches!(item, Item::Event(_))).count();
        if events == 0 {
            break;
        }
        pulls.push(events);
    }
    assert_eq!(pulls, [2, 2, 2, 2]);
}

#[test]
fn a_feed_that_nobody_holds_is_forgotten() {
    let feeds = Feeds::default();
    let id = SessionId::new("0".repeat(32));
    let held = feeds.open(&id);
    assert!(Arc::ptr_eq(&held, &feeds.open(&id)));
    drop(held);
    assert!(feeds.get(&id).is_none());
}

proptest! {
    /// However a watcher's pulls fall between the writes, it ends with the same text and the same events.
    #[test]
    fn any_interleaving_of_pulls_gives_the_same_text(script in proptest::collection::vec((0..4u8, "[a-zé]{1,4}"), 1..60), pulls in proptest::collection::vec(any::<bool>(), 60)) {
        let feed = Feed::new();
        let (mut cursor, mut seen, mut seq, mut message) = (Cursor::default(), Vec::new(), 0, 0);
        let mut whole = String::new();
        let mut expected = String::new();
        feed.begin_message(1, 0);
        for ((step, text), pull) in script.iter().zip(&pulls) {
            match step {
                0 => { seq += 1; feed.publish(&[note(seq)]); }
                1 => {
                    seq += 1;
                    feed.publish(&[completed(seq, message, &whole)]);
                    whole.clear();
                    message += 1;
                    feed.begin_message(1, message);
                }
                _ => { whole.push_str(text); expected.push_str(text); feed.push_text(text); }
            }
            if *pull { seen.extend(drain(&feed, &mut cursor)); }
        }
        seen.extend(drain(&feed, &mut cursor));
        let text: String = seen.iter().filter_map(|item| item.split_once(':').map(|(_, text)| text)).collect();
        prop_assert_eq!(text, expected);
        let seqs: Vec<String> = seen.iter().filter(|item| item.starts_with('#')).cloned().collect();
        prop_assert_eq!(seqs, (1..=seq).map(|seq| format!("#{seq}")).collect::<Vec<_>>());
    }
}

#[test]
fn calls_are_events_like_any_other() {
    let feed = Feed::new();
    let body = EventBody::ToolCallStarted {
        turn: 1,
        tool_call_id: CallId::new("c"),
        name: "read_file".into(),
        args: serde_json::Value::Null,
        preview: String::new(),
    };
    feed.publish(&[record(1, body, None)]);
    assert_eq!(drain(&feed, &mut Cursor::default()), ["#1"]);
}

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A watcher that joined at some cursor: what it has, and what it must have.
struct Joined {
    cursor: Cursor,
    /// Of the messages that it saw grow.
    texts: HashMap<u32, String>,
    leaves_in: u64,
}

impl Joined {
    /// As a connection does: the moment, what lies between the cursor and it, then live.
    fn join(feed: &Feed, store: &[Arc<Record>], at: Seq, leaves_in: u64) -> Self {
        let (head, in_flight) = feed.snapshot();
        let replayed: Vec<Seq> = store[at as usize..head as usize].iter().map(|record| record.event.seq).collect();
        assert_eq!(replayed, (at + 1..=head).collect::<Vec<_>>());
        let texts = in_flight.iter().map(|live| (live.message, live.text.clone())).collect();
        Self { cursor: Cursor::at(head, in_flight.as_ref()), texts, leaves_in }
    }

    /// Takes what there is, from the tail or from the store, and checks that nothing is missing or told twice.
    fn pull(&mut self, feed: &Feed, store: &[Arc<Record>]) {
        loop {
            let expected = self.cursor.seq;
            match feed.pull(&mut self.cursor) {
                Pulled::Behind => {
                    let record = &store[expected as usize];
                    assert_eq!(record.event.seq, expected + 1);
                    self.cursor.seq += 1;
                    if let EventBody::MessageCompleted { message, .. } = record.event.body {
                        self.texts.remove(&message);
                    }
                }
                Pulled::Items(items) if items.is_empty() => return,
                Pulled::Items(items) => {
                    let events = items.iter().filter(|item| matches!(item, Item::Event(_))).count() as Seq;
                    assert_eq!(self.cursor.seq, expected + events);
                    items.into_iter().fold(expected, |seq, item| self.take(seq, item));
                }
            }
        }
    }

    fn take(&mut self, seq: Seq, item: Item) -> Seq {
        match item {
            Item::Text { message, offset, text, .. } => {
                let known = self.texts.entry(message).or_default();
                assert_eq!(known.len(), offset, "a seam in message {message}");
                known.push_str(&text);
                seq
            }
            Item::Event(entry) => {
                assert_eq!(entry.record.event.seq, seq + 1);
                if let EventBody::MessageCompleted { message, .. } = entry.record.event.body {
                    let grown = self.texts.remove(&message).unwrap_or_default();
                    assert_eq!(Some(grown), entry.record.text, "message {message} grew as it was completed");
                }
                seq + 1
            }
            Item::Thinking { .. } | Item::Output { .. } | Item::Writing { .. } => seq,
        }
    }
}

/// P3: whoever joins at whatever moment at whatever cursor has exactly what was missing, then what is live.
#[test]
fn ten_thousand_random_joins_during_a_burst_have_no_seam() {
    const JOINS: usize = 10_000;
    let (feed, mut chance) = (Feed::new(), Chance(0x9e37_79b9_7f4a_7c15));
    let (mut store, mut watchers, mut joins): (Vec<Arc<Record>>, Vec<Joined>, usize) = Default::default();
    let (mut message, mut text) = (0, String::new());
    feed.begin_message(1, 0);
    while joins < JOINS || !watchers.is_empty() {
        match chance.below(8) {
            0 | 1 => store.push(note(store.len() as Seq + 1)),
            2 => {
                store.push(completed(store.len() as Seq + 1, message, &text));
                feed.publish(&store[store.len() - 1..]);
                text.clear();
                message += 1;
                feed.begin_message(1, message);
                continue;
            }
            _ => {
                let piece = ["a", "äö", "𝄞 long piece ", "\n"][chance.below(4) as usize];
                text.push_str(piece);
                feed.push_text(piece);
            }
        }
        if store.len() as Seq > feed.head() {
            feed.publish(&store[store.len() - 1..]);
        }
        if joins < JOINS && chance.below(2) == 0 {
            // Mostly near the head, as those who come back are; some from far behind the tail, some from the beginning.
            let head = store.len() as u64;
            let back = if chance.below(4) == 0 { head + 1 } else { head.min(TAIL_EVENTS as u64) + 1 };
            let (at, stays) = (head - chance.below(back), 1 + chance.below(600));
            watchers.push(Joined::join(&feed, &store, at, stays));
            joins += 1;
        }
        for watcher in &mut watchers {
            watcher.leaves_in -= 1;
            // A quick one takes everything at once, a slow one what has become of it by the time it leaves.
            if watcher.leaves_in == 0 || watcher.leaves_in.is_multiple_of(7) && chance.below(3) > 0 {
                watcher.pull(&feed, &store);
            }
        }
        watchers.retain(|watcher| watcher.leaves_in > 0);
    }
    assert!(store.len() > 3_000, "{} events", store.len());
}

#[test]
fn what_happens_in_one_session_wakes_no_watcher_of_another() {
    let feeds = Feeds::default();
    let (busy, calm) = (SessionId("a".into()), SessionId("b".into()));
    let (loud, quiet) = (feeds.open(&busy), feeds.open(&calm));
    let (heard, unheard) = (loud.watch(), quiet.watch());
    loud.begin_message(1, 0);
    loud.push_text("text");
    feeds.publish(&busy, &[note(1)]);
    assert!(heard.has_changed().unwrap() && !unheard.has_changed().unwrap());
}

/// A watcher as `web::stream::writer` is one, taken apart where another thread can come between.
enum Watcher {
    Outside,
    /// It has what the snapshot said.
    Joined(Cursor),
    Follows {
        moved: watch::Receiver<u64>,
        cursor: Cursor,
        /// Whether it pulls next: it heard that there may be something, or the last pull had something.
        pulls: bool,
    },
}

/// A watcher with all that it was given.
struct Watched {
    watcher: Watcher,
    text: String,
    events: Vec<Seq>,
}

impl Watched {
    fn can_step(&self) -> bool {
        match &self.watcher {
            Watcher::Follows { moved, pulls, .. } => *pulls || moved.has_changed().unwrap(),
            Watcher::Outside | Watcher::Joined(_) => true,
        }
    }

    fn step(&mut self, feed: &Feed) {
        match &mut self.watcher {
            Watcher::Outside => {
                let (head, in_flight) = feed.snapshot();
                self.events = (1..=head).collect();
                // What is complete stands in the rows that a page opens with.
                self.text = if head >= 2 { "abcd".into() } else { String::new() };
                if let Some(live) = &in_flight {
                    self.text.clone_from(&live.text);
                }
                self.watcher = Watcher::Joined(Cursor::at(head, in_flight.as_ref()));
            }
            Watcher::Joined(cursor) => {
                self.watcher = Watcher::Follows { moved: feed.watch(), cursor: cursor.clone(), pulls: true };
            }
            Watcher::Follows { moved, pulls, .. } if !*pulls => {
                moved.mark_unchanged();
                *pulls = true;
            }
            Watcher::Follows { cursor, pulls, .. } => {
                let Pulled::Items(items) = feed.pull(cursor) else { panic!("the tail holds all of it") };
                *pulls = !items.is_empty();
                for item in items {
                    match item {
                        Item::Event(entry) => self.events.push(entry.record.event.seq),
                        Item::Text { offset, text, .. } => {
                            assert_eq!(offset, self.text.len(), "no seam");
                            self.text.push_str(&text);
                        }
                        Item::Thinking { .. } | Item::Output { .. } | Item::Writing { .. } => {}
                    }
                }
            }
        }
    }
}

/// Goes every way on from `path`, in which `true` is a step of the writer. How many ends there are.
fn explore(script: &[fn(&Feed)], path: &mut Vec<bool>) -> usize {
    let feed = Feed::new();
    let mut one = Watched { watcher: Watcher::Outside, text: String::new(), events: Vec::new() };
    let mut writes = script.iter();
    for by_writer in path.iter() {
        if *by_writer { writes.next().unwrap()(&feed) } else { one.step(&feed) }
    }
    let ways = [(true, writes.len() > 0), (false, one.can_step())];
    let ways: Vec<bool> = ways.into_iter().filter(|(_, open)| *open).map(|(way, _)| way).collect();
    if ways.is_empty() {
        assert_eq!((one.text.as_str(), one.events.as_slice()), ("abcd", [1, 2, 3].as_slice()), "after {path:?}");
        return 1;
    }
    let mut ends = 0;
    for way in ways {
        path.push(way);
        ends += explore(script, path);
        path.pop();
    }
    ends
}

/// Assurance row 61: whatever comes between two steps of a watcher, from its joining to its rest, it has everything at the end,
/// once and in order, and never sleeps beside something that it lacks.
#[test]
fn in_every_order_of_its_steps_and_the_writers_a_watcher_gets_everything() {
    let script: [fn(&Feed); 5] = [
        |feed| feed.begin_message(1, 0),
        |feed| feed.push_text("ab"),
        |feed| feed.publish(&[note(1)]),
        |feed| feed.push_text("cd"),
        |feed| feed.publish(&[completed(2, 0, "abcd"), note(3)]),
    ];
    let ends = explore(&script, &mut Vec::new());
    assert!(ends > 500, "{ends} orders");
}
