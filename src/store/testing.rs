//! What the tests of this layer share: a store in a folder of its own, a clock that stands, and what was published.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rusqlite::{
    Connection, StatementStatus,
    trace::{TraceEvent, TraceEventCodes},
};
use serde_json::json;

use super::{LogFile, LogPolicy, OpenError, SqliteStore, Verified};
use crate::{
    agent::ports::{
        clock::Clock,
        store::{
            AcceptOutcome, CallEnd, CallStart, MessageEnd, NewMessage, NewSession, PartialText, Publish, Store,
            StoredSession, TurnWindow,
        },
    },
    protocol::{
        Actor, Attached, CallId, ContextUse, Event, EventBody, InterruptReason, MessageId, Mode, Record, Seq,
        SessionId, Tokens, ToolCall, ToolResult, TurnRow,
    },
};

pub(super) const ALL: TurnWindow = TurnWindow::From { offset: 0, limit: 1000 };

/// By file, the statements that went through a whole table or index.
static SCANS: Mutex<BTreeMap<PathBuf, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// Notes what each statement of `connection` reads, for [`Scene::scans`].
pub(super) fn note_scans(mut connection: Connection) -> Connection {
    let path = PathBuf::from(connection.path().unwrap());
    let note = move |event: TraceEvent<'_>| {
        if let TraceEvent::Profile(statement, _) = event
            && statement.get_status(StatementStatus::FullscanStep) > 0
        {
            SCANS.lock().unwrap().entry(path.clone()).or_default().insert(statement.sql().into_owned());
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(note)).unwrap();
    connection
}

/// A clock that moves only when it is told to.
pub(super) struct StandingClock(Mutex<Timestamp>);

impl StandingClock {
    pub fn at(time: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(time.parse().unwrap())))
    }
    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Every record, in the order in which it was published.
#[derive(Default)]
pub(super) struct Published(Mutex<Vec<(SessionId, Arc<Record>)>>);

impl Published {
    pub fn of(&self, id: &SessionId) -> Vec<Arc<Record>> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|(session, _)| session == id).map(|(_, record)| record.clone()).collect()
    }
    pub fn sequences(&self, id: &SessionId) -> Vec<Seq> {
        self.of(id).iter().map(|record| record.event.seq).collect()
    }
}

impl Publish for Published {
    fn publish(&self, session: &SessionId, records: &[Arc<Record>]) {
        self.0.lock().unwrap().extend(records.iter().map(|record| (session.clone(), record.clone())));
    }
}

pub(super) struct Scene {
    pub store: SqliteStore,
    pub published: Arc<Published>,
    pub clock: Arc<StandingClock>,
    pub path: PathBuf,
    pub folder: tempfile::TempDir,
    policy: LogPolicy,
}

/// Central European time, without the machine's time zone files.
pub(super) fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

pub(super) fn open(
    path: &Path,
    published: Arc<Published>,
    clock: Arc<StandingClock>,
) -> Result<SqliteStore, OpenError> {
    open_as(path, published, clock, LogPolicy::default())
}

pub(super) fn open_as(
    path: &Path,
    published: Arc<Published>,
    clock: Arc<StandingClock>,
    policy: LogPolicy,
) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_with(path, published, clock, berlin(), Duration::from_millis(20), policy)
}

impl Scene {
    pub fn new() -> Self {
        Self::at(|_| ())
    }

    /// A scene whose file is made by `prepare` first.
    pub fn at(prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cowork.db");
        prepare(&path);
        let published = Arc::new(Published::default());
        let clock = StandingClock::at("2026-07-01T10:00:00.139014Z");
        let store = open(&path, published.clone(), clock.clone()).unwrap();
        Self { store, published, clock, path, folder, policy: LogPolicy::default() }
    }

    /// A scene whose log follows `policy`.
    pub fn with(policy: LogPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cowork.db");
        let published = Arc::new(Published::default());
        let clock = StandingClock::at("2026-07-01T10:00:00.139014Z");
        let store = open_as(&path, published.clone(), clock.clone(), policy.clone()).unwrap();
        Self { store, published, clock, path, folder, policy }
    }

    /// The same file in a new process that starts after the old one has ended.
    pub fn reopened(self) -> Self {
        let Self { store, clock, path, folder, policy, .. } = self;
        drop(store);
        let published = Arc::new(Published::default());
        let store = open_as(&path, published.clone(), clock.clone(), policy.clone()).unwrap();
        Self { store, published, clock, path, folder, policy }
    }

    /// What a killed process leaves: the files as they are now, while the store still has them open.
    pub fn killed(self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let path = folder.path().join("cowork.db");
        let published = Arc::new(Published::default());
        let policy = self.policy.clone();
        let store = open_as(&path, published.clone(), self.clock.clone(), policy.clone()).unwrap();
        Self { store, published, clock: self.clock.clone(), path, folder, policy }
    }

    /// What a check of the log finds after somebody has changed the file by `sql`; the scene's own file stays.
    pub fn forged(&self, sql: &str) -> Verified {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let path = folder.path().join("cowork.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        LogFile::open(&path).unwrap().verify(&[]).unwrap()
    }

    /// A connection beside the store's own.
    pub fn sql(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// The statements so far whose time grows with all that the file holds.
    pub fn scans(&self) -> BTreeSet<String> {
        SCANS.lock().unwrap().get(&self.path).cloned().unwrap_or_default()
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub async fn create(&self, digit: char, title: &str) -> SessionId {
        let id = session_id(digit);
        let new = NewSession {
            id: id.clone(),
            title: title.into(),
            workspace: "/srv/sample".into(),
            model: "primary".into(),
            system_prompt: None,
            mode: Mode::Ask,
            forked_from: None,
        };
        self.store.create_session(&Actor::local(), new).await.unwrap();
        id
    }

    pub async fn accept(&self, id: &SessionId, new: NewMessage) -> AcceptOutcome {
        self.store.accept_message(&Actor::local(), id, new).await.unwrap()
    }

    /// Starts a turn with `text`.
    pub async fn start(&self, id: &SessionId, text: &str) {
        let outcome = self.accept(id, message(text, Some("primary"))).await;
        assert!(matches!(outcome, AcceptOutcome::Accepted(ref accepted) if !accepted.queued), "{outcome:?}");
    }

    pub async fn queue(&self, id: &SessionId, text: &str) -> MessageId {
        let new = message(text, None);
        let message_id = new.message_id.clone();
        self.accept(id, new).await;
        message_id
    }

    pub async fn say(&self, id: &SessionId, turn: u32, message: u32, text: &str, calls: Vec<ToolCall>) {
        let end = MessageEnd { by: agent(), turn, message, text: text.into(), calls, partial: false, events: vec![] };
        self.store.end_message(id, end).await.unwrap();
    }

    pub async fn partial(&self, id: &SessionId, turn: u32, message: u32, offset: u64, text: &str) {
        let tokens = Some(Tokens { input: 10, output: 2, cached: 0, total: 12, estimated: true });
        let call = EventBody::ModelCall { turn, message, model: "primary".into(), attempt: 1, tokens, ms: 250 };
        let piece = PartialText { turn, message, offset, text: text.into(), call };
        self.store.keep_partial(id, piece).await.unwrap();
    }

    pub async fn call_started(&self, id: &SessionId, turn: u32, call: &str) {
        let args = json!({"path": "notes.txt"});
        let start = CallStart {
            turn,
            tool_call_id: CallId::new(call),
            name: "read_file".into(),
            args,
            preview: "notes.txt".into(),
        };
        self.store.start_call(&agent(), id, start).await.unwrap();
    }

    pub async fn call_ended(&self, id: &SessionId, turn: u32, call: &str, output: &str, diff: Option<&str>) {
        let end = CallEnd {
            turn,
            tool_call_id: CallId::new(call),
            name: "read_file".into(),
            result: ToolResult { success: true, output: output.into(), ..ToolResult::default() },
            elapsed_ms: 7,
            preview: "2 lines".into(),
            diff: diff.map(str::to_owned),
        };
        self.store.end_call(&agent(), id, end).await.unwrap();
    }

    pub async fn complete(&self, id: &SessionId, turn: u32) {
        self.store.end_turn(&agent(), id, None, completed(turn)).await.unwrap();
    }

    pub async fn interrupt(&self, id: &SessionId, turn: u32) {
        let end = EventBody::TurnInterrupted { turn, reason: InterruptReason::Stopped, detail: "Stopped.".into() };
        self.store.end_turn(&Actor::local(), id, None, end).await.unwrap();
    }

    pub async fn session(&self, id: &SessionId) -> StoredSession {
        self.store.session(id).await.unwrap().unwrap()
    }

    pub async fn rows(&self, id: &SessionId) -> Vec<TurnRow> {
        self.store.turns(id, ALL).await.unwrap().turns
    }

    pub async fn events(&self, id: &SessionId) -> Vec<Event> {
        self.store.events(id, 0, 100_000, &[]).await.unwrap().events
    }

    pub async fn event_types(&self, id: &SessionId) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.body.event_type()).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        if file.path().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&file.path(), &to);
        } else {
            std::fs::copy(file.path(), to).unwrap();
        }
    }
}

pub(super) fn session_id(digit: char) -> SessionId {
    SessionId(digit.to_string().repeat(32))
}

pub(super) fn agent() -> Actor {
    Actor::agent("primary")
}

pub(super) fn message(text: &str, start_with: Option<&str>) -> NewMessage {
    NewMessage {
        message_id: MessageId(uuid::Uuid::new_v4().simple().to_string()),
        client_id: None,
        attached: Attached::default(),
        text: text.into(),
        start_with: start_with.map(str::to_owned),
    }
}

pub(super) fn call(id: &str) -> ToolCall {
    ToolCall { id: CallId::new(id), name: "read_file".into(), arguments: r#"{"path": "notes.txt"}"#.into() }
}

pub(super) fn completed(turn: u32) -> EventBody {
    EventBody::TurnCompleted {
        turn,
        model: "primary".into(),
        tokens: Tokens::default(),
        latency_ms: 1,
        total_time_ms: 2,
        tool_calls: 0,
        context: ContextUse::default(),
        stopped_by: None,
    }
}

/// The plan of a query, one step per line.
pub(super) fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<rusqlite::Result<Vec<_>>>();
    steps.unwrap().join("\n")
}
