//! The domain: sessions, turns, the feed. Everything that the web and the page can ask for goes through
//! [`Agent`]. Knows no HTTP, no SQL and no page.

mod calls;
mod configured;
pub mod feed;
pub mod ports;
mod prompt;
mod sample;
mod session;
mod turn;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use crate::protocol::{
    Accepted, Actor, ApiError, CreateSession, ErrorCode, EventPage, FolderList, InterruptReason, MessageId,
    QueuedMessage, Record, Seq, Session, SessionId, SessionList, SessionQuery, Status, TurnPage, UpdateSession,
};
use feed::{Feed, Feeds};
use ports::{
    model::Models,
    store::{NewSession, RESTORE_WINDOW, Store, StoreError, StoredSession, TurnWindow},
    tool::Tools,
    workspaces::Workspaces,
};
pub use sample::RetryPolicy;
use session::{Command, Reply};

/// Longest `client_id`; a UUID has 36 characters.
const CLIENT_ID_BYTES: usize = 128;
/// Longest title, in characters.
const TITLE_CHARS: usize = 200;

/// Limits that operators set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub message_bytes: usize,
    pub queued_messages: usize,
    pub retry: RetryPolicy,
}

type Actors<'a> = std::sync::MutexGuard<'a, HashMap<SessionId, mpsc::Sender<Command>>>;

/// What an [`Agent`] is made of.
pub struct AgentParts {
    pub store: Arc<dyn Store>,
    pub feeds: Arc<Feeds>,
    pub models: Models,
    pub tools: Tools,
    pub workspaces: Arc<dyn Workspaces>,
    /// Holds a folder for each session: what its turns keep beside the rows.
    pub data: PathBuf,
    pub limits: Limits,
}

impl AgentParts {
    /// Where a turn keeps before-images and what it deleted.
    fn turn_data(&self, session: &SessionId, turn: u32) -> PathBuf {
        self.data.join(session.as_str()).join(turn.to_string())
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
    actors: Arc<Mutex<HashMap<SessionId, mpsc::Sender<Command>>>>,
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

    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    // Sessions

    pub async fn create_session(&self, actor: &Actor, wanted: CreateSession) -> Result<Session, ApiError> {
        let model = wanted.model.unwrap_or_else(|| self.parts.models.default_name().to_owned());
        self.check_model(&model)?;
        let workspaces = self.parts.workspaces.clone();
        let requested = wanted.workspace;
        let workspace = blocking(move || workspaces.resolve(requested.as_deref())).await?;
        let new = NewSession {
            id: SessionId(new_id()),
            title: clean_title(wanted.title.as_deref().unwrap_or_default())?,
            workspace: workspace.display().to_string(),
            model,
            system_prompt: wanted.system_prompt,
            mode: wanted.mode.unwrap_or_default(),
        };
        self.parts.store.create_session(actor, new).await.map(present).map_err(store_failed)
    }

    pub async fn sessions(&self, query: &SessionQuery) -> Result<SessionList, ApiError> {
        check_limit(query.limit)?;
        let (sessions, total) = self.parts.store.sessions(query).await.map_err(store_failed)?;
        Ok(SessionList { sessions: sessions.into_iter().map(present).collect(), total })
    }

    pub async fn session(&self, id: &SessionId) -> Result<Session, ApiError> {
        let session = self.parts.store.session(id).await.map_err(store_failed)?;
        session.map(present).ok_or_else(ApiError::session_not_found)
    }

    pub async fn update_session(
        &self,
        actor: &Actor,
        id: &SessionId,
        mut update: UpdateSession,
    ) -> Result<Session, ApiError> {
        if let Some(model) = &update.model {
            self.check_model(model)?;
        }
        if let Some(title) = &mut update.title {
            *title = clean_title(title)?;
        }
        self.parts.store.update_session(actor, id, update).await.map(present).map_err(store_failed)
    }

    /// Stops a running turn, then takes the session away; see [`RESTORE_WINDOW`].
    pub async fn delete_session(&self, id: &SessionId) -> Result<(), ApiError> {
        self.session(id).await?;
        self.settle(id, InterruptReason::Stopped).await;
        self.parts.store.delete_session(id).await.map_err(store_failed)?;
        // One who sent a message between the two is stopped too; from here on nobody can.
        self.settle(id, InterruptReason::Stopped).await;
        self.actors().remove(id);
        self.parts.feeds.open(id).close();
        self.purge_later();
        Ok(())
    }

    /// Looks for expired sessions when the one that was deleted now has expired.
    fn purge_later(&self) {
        let store = self.parts.store.clone();
        tokio::spawn(async move {
            sleep(RESTORE_WINDOW + Duration::from_secs(1)).await;
            if let Err(error) = store.purge_expired().await {
                tracing::warn!(%error, "the rows of deleted sessions stay until the next start");
            }
        });
    }

    pub async fn restore_session(&self, id: &SessionId) -> Result<Session, ApiError> {
        let session = self.parts.store.restore_session(id).await.map(present).map_err(store_failed)?;
        self.parts.feeds.open(id).reopen();
        Ok(session)
    }

    // What a session holds

    pub async fn turns(&self, id: &SessionId, window: TurnWindow) -> Result<TurnPage, ApiError> {
        let (TurnWindow::From { limit, .. } | TurnWindow::Before { limit, .. }) = window;
        check_limit(limit)?;
        self.session(id).await?;
        self.parts.store.turns(id, window).await.map_err(store_failed)
    }

    pub async fn events(
        &self,
        id: &SessionId,
        cursor: Seq,
        limit: u32,
        types: &[String],
    ) -> Result<EventPage, ApiError> {
        check_limit(limit)?;
        self.session(id).await?;
        self.parts.store.events(id, cursor, limit, types).await.map_err(store_failed)
    }

    pub async fn records(&self, id: &SessionId, cursor: Seq, limit: u32) -> Result<Vec<Arc<Record>>, ApiError> {
        self.parts.store.records(id, cursor, limit).await.map_err(store_failed)
    }

    pub async fn records_from_turn(&self, id: &SessionId, turn: u32) -> Result<Vec<Arc<Record>>, ApiError> {
        self.parts.store.records_from_turn(id, turn).await.map_err(store_failed)
    }

    pub async fn queue(&self, id: &SessionId) -> Result<Vec<QueuedMessage>, ApiError> {
        self.parts.store.queue(id).await.map_err(store_failed)
    }

    pub async fn queue_held(&self, id: &SessionId) -> Result<bool, ApiError> {
        let session = self.parts.store.session(id).await.map_err(store_failed)?;
        session.map(|session| session.queue_held).ok_or_else(ApiError::session_not_found)
    }

    /// The session and its feed, for one who wants to watch.
    pub async fn watch(&self, id: &SessionId) -> Result<(Session, Arc<Feed>), ApiError> {
        let feed = self.parts.feeds.open(id);
        // Read after the feed is registered: what is committed from here on reaches it.
        let session = self.session(id).await?;
        feed.prime(session.head_seq);
        Ok((session, feed))
    }

    // Commands

    pub async fn send_message(
        &self,
        actor: &Actor,
        id: &SessionId,
        text: String,
        client_id: Option<String>,
    ) -> Result<Accepted, ApiError> {
        self.check_message(&text)?;
        if client_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > CLIENT_ID_BYTES) {
            let detail = format!("`client_id` must have 1 to {CLIENT_ID_BYTES} bytes. The message was not taken.");
            return Err(ApiError::new(ErrorCode::InvalidRequest, detail));
        }
        let actor = actor.clone();
        self.command(id, |reply| Command::Send { actor, text, client_id, reply }).await
    }

    pub async fn stop(&self, id: &SessionId) -> Result<(), ApiError> {
        self.command(id, |reply| Command::Stop { reply }).await
    }

    pub async fn edit_queued(
        &self,
        actor: &Actor,
        id: &SessionId,
        message: MessageId,
        text: String,
    ) -> Result<(), ApiError> {
        self.check_message(&text)?;
        let actor = actor.clone();
        self.command(id, |reply| Command::EditQueued { actor, message, text, reply }).await
    }

    pub async fn remove_queued(&self, actor: &Actor, id: &SessionId, message: MessageId) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::RemoveQueued { actor, message, reply }).await
    }

    pub async fn send_queued(&self, actor: &Actor, id: &SessionId, message: MessageId) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::SendQueued { actor, message, reply }).await
    }

    // Folders

    pub async fn folders(&self, dir: Option<String>) -> Result<FolderList, ApiError> {
        let workspaces = self.parts.workspaces.clone();
        blocking(move || workspaces.browse(dir.as_deref())).await
    }

    /// Why a session can't go on in its folder, if it can't.
    pub async fn check_workspace(&self, workspace: String) -> Result<(), ApiError> {
        self.parts.check_workspace(workspace).await
    }

    // Start and stop

    /// Ends what a former process left running; once, before anything is served.
    pub async fn recover(&self) -> Result<usize, ApiError> {
        let ended = self.parts.store.recover().await.map_err(store_failed)?;
        for id in &ended {
            tracing::info!(session = %id, "a turn that was running when the server ended is marked as interrupted");
        }
        // Sessions that were deleted shortly before the process ended expire soon.
        self.purge_later();
        Ok(ended.len())
    }

    /// Ends every running turn with reason `restart` and waits for them. No command is taken from here on.
    pub async fn shut_down(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let actors: Vec<_> = self.actors().values().cloned().collect();
        futures::future::join_all(actors.iter().map(|mailbox| settle(mailbox, InterruptReason::Restart))).await;
    }

    fn actors(&self) -> Actors<'_> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn settle(&self, id: &SessionId, reason: InterruptReason) {
        let mailbox = self.actors().get(id).cloned();
        if let Some(mailbox) = mailbox {
            settle(&mailbox, reason).await;
        }
    }

    /// Hands a command to the session's actor and waits for its answer.
    async fn command<T>(&self, id: &SessionId, make: impl FnOnce(Reply<T>) -> Command) -> Result<T, ApiError> {
        let gone = || store_failed(StoreError::Closed);
        let mailbox = self.mailbox(id).await?;
        let (reply, answer) = oneshot::channel();
        mailbox.send(make(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// The session's actor, which is started where there is none.
    async fn mailbox(&self, id: &SessionId) -> Result<mpsc::Sender<Command>, ApiError> {
        let running = self.actors_taking()?.get(id).cloned();
        if let Some(mailbox) = running {
            return Ok(mailbox);
        }
        let (_, feed) = self.watch(id).await?;
        let start = || {
            let actors = self.actors.clone();
            session::spawn(self.parts.clone(), id.clone(), feed, move |id| retire(&actors, id))
        };
        Ok(self.actors_taking()?.entry(id.clone()).or_insert_with(start).clone())
    }

    /// The actors, unless the server stops.
    fn actors_taking(&self) -> Result<Actors<'_>, ApiError> {
        let actors = self.actors();
        if self.stopping.load(Ordering::SeqCst) {
            return Err(store_failed(StoreError::Closed));
        }
        Ok(actors)
    }

    fn check_message(&self, text: &str) -> Result<(), ApiError> {
        if text.trim().is_empty() {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "The message is empty, so nothing was sent. Write something first.",
            ));
        }
        let limit = self.parts.limits.message_bytes;
        if text.len() > limit {
            let detail = format!(
                "The message has {} bytes; {limit} is the limit. It was not sent. Put long material into a file of the folder and ask about that.",
                text.len()
            );
            return Err(ApiError::new(ErrorCode::MessageTooLarge, detail));
        }
        Ok(())
    }

    fn check_model(&self, name: &str) -> Result<(), ApiError> {
        if self.parts.models.get(name).is_some() {
            return Ok(());
        }
        let known: Vec<_> = self.parts.models.iter().map(|entry| entry.name.as_str()).collect();
        let detail = format!("There is no model `{name}`. Nothing was changed. Configured are: {}.", known.join(", "));
        Err(ApiError::new(ErrorCode::UnknownModel, detail))
    }
}

/// Forgets an idle actor, unless somebody is about to hand it a command.
fn retire(actors: &Mutex<HashMap<SessionId, mpsc::Sender<Command>>>, id: &SessionId) -> bool {
    let mut actors = actors.lock().unwrap_or_else(PoisonError::into_inner);
    let unused = actors.get(id).is_some_and(|mailbox| mailbox.strong_count() == 1);
    if unused {
        actors.remove(id);
    }
    unused
}

async fn settle(mailbox: &mpsc::Sender<Command>, reason: InterruptReason) {
    let (reply, settled) = oneshot::channel();
    if mailbox.send(Command::Settle { reason, reply }).await.is_ok() {
        // An actor that is gone has nothing running.
        let _ = settled.await;
    }
}

/// A session as people see it. Nothing waits for a person yet, so it runs or it is idle.
fn present(stored: StoredSession) -> Session {
    Session {
        id: stored.id,
        title: stored.title,
        workspace: stored.workspace,
        model: stored.model,
        mode: stored.mode,
        status: if stored.running_turn.is_some() { Status::Running } else { Status::Idle },
        turn_count: stored.turn_count,
        total_tokens: stored.total_tokens,
        started_at: stored.started_at,
        last_active_at: stored.last_active_at,
        archived: stored.archived,
        head_seq: stored.head_seq,
        pending: Vec::new(),
    }
}

/// One page of anything: 1 to 1000.
fn check_limit(limit: u32) -> Result<(), ApiError> {
    if (1..=1000).contains(&limit) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::InvalidRequest, format!("`limit` must be from 1 to 1000, not {limit}.")))
}

fn clean_title(title: &str) -> Result<String, ApiError> {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.chars().count() > TITLE_CHARS {
        return Err(ApiError::new(
            ErrorCode::InvalidRequest,
            format!("A title has at most {TITLE_CHARS} characters. Nothing was changed."),
        ));
    }
    Ok(title)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "file work panicked");
        Err(ApiError::internal())
    })
}
