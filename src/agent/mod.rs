//! The domain: sessions, turns, the feed. Everything that the web and the page can ask for goes through
//! [`Agent`]. Knows no HTTP, no SQL and no page.

mod allowance;
mod approval;
mod batch;
mod calls;
mod commands;
mod configured;
pub mod feed;
mod guard;
mod history;
mod idle;
pub mod ports;
mod prompt;
mod sample;
mod session;
mod sessions;
mod sharing;
mod shrink;
mod turn;
mod uploads;
mod waiting;
pub mod writing;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::{
    protocol::{ApiError, Attached, ErrorCode, SessionId},
    redaction::Redaction,
};
pub use allowance::{Allowance, Allowed, Place};
use feed::Feeds;
use idle::{Presence, Seat, Seats};
use ports::{
    changes::Changes,
    clock::Clock,
    model::Models,
    store::{Recovered, Store, StoreError},
    tool::Toolbox,
    workspaces::Workspaces,
};
pub use sample::RetryPolicy;
use session::{Command, Interruption, Reply, Told};

/// What a session may be; operators set it at the start.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub message_bytes: usize,
    pub queued_messages: usize,
    /// Whether a session may run in the mode that never asks.
    pub full_mode: bool,
    /// A session without turn, wait, queue or watcher leaves memory after this long.
    pub idle_after: Duration,
    pub retry: RetryPolicy,
}

type Actors<'a> = std::sync::MutexGuard<'a, HashMap<SessionId, Seat>>;

/// What an [`Agent`] is made of.
pub struct AgentParts {
    pub store: Arc<dyn Store>,
    pub feeds: Arc<Feeds>,
    pub models: Models,
    pub tools: Arc<dyn Toolbox>,
    pub workspaces: Arc<dyn Workspaces>,
    /// Holds a folder for each session: what its turns keep beside the rows.
    pub data: PathBuf,
    pub changes: Arc<dyn Changes>,
    pub clock: Arc<dyn Clock>,
    /// Our own secrets go into no conversation.
    pub redaction: Arc<Redaction>,
    pub limits: Limits,
    pub allowance: Arc<Allowance>,
}

impl AgentParts {
    /// Where a turn keeps before-images and what it deleted.
    fn turn_data(&self, session: &SessionId, turn: u32) -> PathBuf {
        self.data.join(session.as_str()).join(turn.to_string())
    }

    /// Removes what sessions kept that are gone for good, also those that a killed process left.
    async fn sweep(&self) {
        match self.store.session_ids().await {
            Ok(known) => {
                let known = known.into_iter().map(|id| id.0).collect();
                let (changes, data) = (self.changes.clone(), self.data.clone());
                let swept = blocking(move || {
                    changes.sweep(&data, &known);
                    Ok(())
                });
                // A failure is logged where it happens.
                let _ = swept.await;
            }
            Err(error) => tracing::warn!(%error, "what deleted sessions kept stays until the next start"),
        }
    }

    /// Whether there is room for new work.
    async fn check_space(&self) -> Result<(), ApiError> {
        match self.store.free_bytes().await {
            Ok(free) => self.allowance.check_space(free),
            Err(error) => {
                tracing::warn!(%error, "whether there is room is not known");
                Ok(())
            }
        }
    }

    async fn attach(&self, folder: &str, paths: Vec<String>) -> Result<Attached, ApiError> {
        if paths.is_empty() {
            return Ok(Attached::default());
        }
        let (workspaces, folder) = (self.workspaces.clone(), PathBuf::from(folder));
        blocking(move || workspaces.attach(&folder, &paths)).await
    }

    /// Looks at the disk, which may be slow: nobody's thread waits for it.
    async fn check_workspace(&self, folder: String) -> Result<(), ApiError> {
        let workspaces = self.workspaces.clone();
        blocking(move || workspaces.check(Path::new(&folder))).await
    }
}

/// The one door to the domain. Cheap to clone.
#[derive(Clone)]
pub struct Agent {
    parts: Arc<AgentParts>,
    /// Changes with each start of the process, so that clients drop text that died with the old one.
    boot_id: Arc<str>,
    actors: Arc<Seats>,
    /// The server stops: no command is taken any more.
    stopping: Arc<AtomicBool>,
}

/// 32 lower-case hex digits, random: the form of Loom's ids.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The answer to a failed store call. What only we can mend is logged here, once, and not told.
fn store_failed(error: StoreError) -> ApiError {
    match error {
        StoreError::NoSession => ApiError::session_not_found(),
        StoreError::NoMessage => ApiError::new(
            ErrorCode::NotFound,
            "There is no such message in the queue. It may have started or been removed.",
        ),
        StoreError::NoApproval => ApiError::new(
            ErrorCode::NotFound,
            "There is no such approval in this session. Nothing was decided. Reload to see what waits.",
        ),
        StoreError::NoQuestion => ApiError::new(
            ErrorCode::NotFound,
            "There is no such question in this session. Nothing was answered. Reload to see what waits.",
        ),
        StoreError::NoScope => ApiError::new(
            ErrorCode::NoAlways,
            "A call like this asks each time: what else it would allow can't be said beforehand. Nothing was decided, and \
             the call still waits. Allow it once, or deny it.",
        ),
        StoreError::NoRule => ApiError::new(
            ErrorCode::NotFound,
            "There is no such rule in this session. It may have been taken back already.",
        ),
        StoreError::NotRunning => ApiError::new(
            ErrorCode::NotRunning,
            "Nothing is running in this session, so there is nothing to steer. Send it as a message.",
        ),
        StoreError::NoUpload => ApiError::new(
            ErrorCode::NotFound,
            "There is no such upload. It may have been cancelled, or have waited too long to go on. Upload the file again.",
        ),
        StoreError::NotRestorable => ApiError::new(
            ErrorCode::NotRestorable,
            "This session can't be brought back: it was not deleted, or more than 30 seconds have passed.",
        ),
        StoreError::Closed => ApiError::new(
            ErrorCode::Unavailable,
            "The server is stopping. Nothing was changed. Try again when it is back.",
        ),
        StoreError::Failed(cause) => {
            tracing::error!(cause, "the store failed");
            ApiError::internal()
        }
    }
}

impl Agent {
    pub fn new(parts: AgentParts) -> Self {
        Self { parts: Arc::new(parts), boot_id: new_id().into(), actors: Arc::default(), stopping: Arc::default() }
    }

    /// What operators allow.
    pub fn allowance(&self) -> &Arc<Allowance> {
        &self.parts.allowance
    }

    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    // Start and stop

    /// Ends what a former process left running; once, before anything is served.
    pub async fn recover(&self) -> Result<(), ApiError> {
        let Recovered { ended, waiting } = self.parts.store.recover().await.map_err(store_failed)?;
        for id in &ended {
            tracing::info!(session = %id, "a turn that was running when the server ended is marked as interrupted");
        }
        for id in &waiting {
            // The receiver is the actor that was just started.
            let _ = self.mailbox(id).await?.send(Command::Resume.into()).await;
            tracing::info!(session = %id, "a turn goes on waiting for a person");
        }
        self.recover_uploads().await?;
        self.parts.sweep().await;
        // Sessions that were deleted shortly before the process ended expire soon.
        self.purge_later();
        self.keep_house();
        Ok(())
    }

    /// Ends every turn that has not ended by itself within `patience`, with reason `restart`, and waits for them. No
    /// command is taken from here on.
    pub async fn shut_down(&self, patience: Duration) {
        self.stopping.store(true, Ordering::SeqCst);
        let actors: Vec<_> = self.actors().values().map(Seat::mailbox).collect();
        futures::future::join_all(actors.iter().map(|mailbox| settle(mailbox, Interruption::restart(), patience)))
            .await;
    }

    /// Whether commands are taken.
    pub fn takes_work(&self) -> bool {
        !self.stopping.load(Ordering::SeqCst)
    }

    fn actors(&self) -> Actors<'_> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn settle(&self, id: &SessionId, why: Interruption) {
        let mailbox = self.actors().get(id).map(Seat::mailbox);
        if let Some(mailbox) = mailbox {
            settle(&mailbox, why, Duration::ZERO).await;
        }
    }

    /// Hands a command to the session's actor and waits for its answer.
    async fn command<T>(&self, id: &SessionId, make: impl FnOnce(Reply<T>) -> Command) -> Result<T, ApiError> {
        let gone = || store_failed(StoreError::Closed);
        let mailbox = self.mailbox(id).await?;
        let (reply, answer) = oneshot::channel();
        mailbox.send(Told { command: make(reply), request: Span::current() }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// The session's actor, which is started where there is none.
    async fn mailbox(&self, id: &SessionId) -> Result<mpsc::Sender<Told>, ApiError> {
        let running = self.actors_taking()?.get(id).map(Seat::mailbox);
        if let Some(mailbox) = running {
            return Ok(mailbox);
        }
        let (_, feed) = self.watch(id).await?;
        let start = || {
            let presence = Arc::new(Presence::default());
            presence.set(false, self.parts.clock.elapsed());
            let mailbox = session::spawn(self.parts.clone(), id.clone(), feed.clone(), presence.clone());
            Seat::new(mailbox, feed, presence)
        };
        Ok(self.actors_taking()?.entry(id.clone()).or_insert_with(start).mailbox())
    }

    /// The actors, unless the server stops.
    fn actors_taking(&self) -> Result<Actors<'_>, ApiError> {
        let actors = self.actors();
        if self.stopping.load(Ordering::SeqCst) {
            return Err(store_failed(StoreError::Closed));
        }
        Ok(actors)
    }
}

async fn settle(mailbox: &mpsc::Sender<Told>, why: Interruption, patience: Duration) {
    let (reply, settled) = oneshot::channel();
    if mailbox.send(Command::Settle { why, patience, reply }.into()).await.is_ok() {
        // An actor that is gone has nothing running.
        let _ = settled.await;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "file work panicked");
        Err(ApiError::internal())
    })
}
