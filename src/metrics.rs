//! What an operator's monitoring reads, in Prometheus' text format. Most of it is counted from events as they are
//! committed, so it needs nobody's care and agrees with the log. Names of people and sessions and texts are in no label:
//! each label comes from a set that this server closes.

use std::{
    fmt::Write,
    sync::{Arc, OnceLock},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::{
    agent::ports::{
        store::{Census, Publish},
        tool::Toolbox,
    },
    protocol::{EventBody, InterruptReason, Record, SessionId, StoppedBy, UploadStatus},
};

/// Seconds: from a disk that only pretends to sync, to one that people wait for.
const COMMIT_SECONDS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Of a call to a tool that is not there: models invent names.
const NO_TOOL: &str = "unknown";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    tool: String,
    success: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Spent {
    /// Its configured alias.
    model: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

/// Stands before the feeds: what is committed passes through, and is counted.
pub struct Metrics {
    next: Arc<dyn Publish>,
    /// Known once they are started, which is after the store.
    tools: OnceLock<Arc<dyn Toolbox>>,
    registry: Registry,
    turns_started: Counter,
    turns_ended: Family<Ended, Counter>,
    tool_calls: Family<Called, Counter>,
    tokens: Family<Spent, Counter>,
    upload_bytes: Counter,
    commit: Histogram,
    answers: Family<Answered, Counter>,
    sockets: Gauge,
    sessions: Gauge,
    running: Gauge,
    waiting: Gauge,
    longest_queue: Gauge,
}

/// A socket that is open until this is dropped.
pub struct OpenSocket(Gauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub fn new(next: Arc<dyn Publish>) -> Self {
        let metrics = Self {
            next,
            tools: OnceLock::new(),
            registry: Registry::with_prefix("cowork"),
            turns_started: Counter::default(),
            turns_ended: Family::default(),
            tool_calls: Family::default(),
            tokens: Family::default(),
            upload_bytes: Counter::default(),
            commit: Histogram::new(COMMIT_SECONDS),
            answers: Family::default(),
            sockets: Gauge::default(),
            sessions: Gauge::default(),
            running: Gauge::default(),
            waiting: Gauge::default(),
            longest_queue: Gauge::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let all = &mut self.registry;
        all.register("turns_started", "Turns that began", self.turns_started.clone());
        all.register("turns_ended", "Turns that ended, by why", self.turns_ended.clone());
        all.register("tool_calls", "Calls of tools that ended", self.tool_calls.clone());
        all.register("tokens", "Tokens of model calls, as models count them", self.tokens.clone());
        let bytes = self.upload_bytes.clone();
        all.register_with_unit("upload", "Bytes of files that were uploaded", Unit::Bytes, bytes);
        let commit = self.commit.clone();
        all.register_with_unit("commit", "Time until a group of changes was on the disk", Unit::Seconds, commit);
        all.register(
            "http_requests",
            "Requests that were answered, by the pattern of their address",
            self.answers.clone(),
        );
        all.register("sockets", "Live streams that are open", self.sockets.clone());
        all.register("sessions", "Sessions that are not deleted", self.sessions.clone());
        all.register("sessions_running", "Sessions with a turn that runs or waits for a person", self.running.clone());
        all.register("messages_waiting", "Messages in the queues of all sessions", self.waiting.clone());
        all.register("longest_queue", "Messages in the longest queue of a session", self.longest_queue.clone());
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "This program", version);
        self
    }

    /// Whose names are told; those of other calls are not.
    pub fn know_tools(&self, tools: Arc<dyn Toolbox>) {
        let _ = self.tools.set(tools);
    }

    /// `route` is the pattern of an address, never the address.
    pub fn answered(&self, route: &str, status: u16) {
        self.answers.get_or_create(&Answered { route: route.to_owned(), status }).inc();
    }

    pub fn open_socket(&self) -> OpenSocket {
        self.sockets.inc();
        OpenSocket(self.sockets.clone())
    }

    /// The whole of it; `census` is what can be counted at the moment alone.
    pub fn text(&self, census: Census) -> String {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.sessions.set(whole(census.sessions));
        self.running.set(whole(census.running));
        self.waiting.set(whole(census.waiting));
        self.longest_queue.set(whole(census.longest_queue));
        let mut told = String::new();
        if text::encode(&mut told, &self.registry).is_err() {
            // Writing into a text does not fail.
            let _ = writeln!(told, "# incomplete");
        }
        told
    }

    fn count(&self, event: &EventBody) {
        match event {
            EventBody::TurnStarted { .. } => drop(self.turns_started.inc()),
            EventBody::TurnCompleted { stopped_by, .. } => self.ended(match stopped_by {
                None => "completed",
                Some(StoppedBy::Limit) => "limit",
            }),
            EventBody::TurnInterrupted { reason, .. } => self.ended(match reason {
                InterruptReason::Stopped => "stopped",
                InterruptReason::Error => "error",
                InterruptReason::Restart => "restart",
            }),
            EventBody::ToolCallCompleted { name, success, .. } => {
                let known = self.tools.get().is_some_and(|tools| tools.tools().get(name).is_some());
                let tool = if known { name.as_str() } else { NO_TOOL }.to_owned();
                let success = if *success { "true" } else { "false" };
                self.tool_calls.get_or_create(&Called { tool, success }).inc();
            }
            EventBody::ModelCall { model, tokens: Some(tokens), .. } => {
                for (kind, count) in [("input", tokens.input), ("output", tokens.output), ("cached", tokens.cached)] {
                    self.tokens.get_or_create(&Spent { model: model.clone(), kind }).inc_by(count);
                }
            }
            EventBody::UploadCompleted { status: UploadStatus::Uploaded, size, .. } => {
                self.upload_bytes.inc_by(*size);
            }
            EventBody::UploadCompleted { .. }
            | EventBody::ModelCall { tokens: None, .. }
            | EventBody::SessionStarted { .. }
            | EventBody::SessionResumed { .. }
            | EventBody::SessionUpdated { .. }
            | EventBody::UserMessageReceived { .. }
            | EventBody::ModelRetry { .. }
            | EventBody::MessageCompleted { .. }
            | EventBody::ToolCallStarted { .. }
            | EventBody::ApprovalRequested(_)
            | EventBody::ApprovalResolved { .. }
            | EventBody::ApprovalRuleAdded { .. }
            | EventBody::ApprovalRuleRemoved { .. }
            | EventBody::AwaitingUserInput(_)
            | EventBody::UserInputReceived { .. }
            | EventBody::SteeringReceived { .. }
            | EventBody::ChangesUndone { .. }
            | EventBody::SharingChanged { .. }
            | EventBody::QueueChanged { .. }
            | EventBody::UploadStarted { .. }
            | EventBody::UploadFailed { .. }
            | EventBody::SessionError { .. }
            | EventBody::EventsRemoved { .. } => {}
        }
    }

    fn ended(&self, reason: &'static str) {
        self.turns_ended.get_or_create(&Ended { reason }).inc();
    }
}

impl Publish for Metrics {
    fn publish(&self, session: &SessionId, records: &[Arc<Record>]) {
        records.iter().for_each(|record| self.count(&record.event.body));
        self.next.publish(session, records);
    }

    fn committed(&self, took: Duration) {
        self.commit.observe(took.as_secs_f64());
        self.next.committed(took);
    }
}
