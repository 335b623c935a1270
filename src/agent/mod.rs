//! The domain: sessions, turns, the feed. Everything that the web and the page can ask for goes through
//! [`Agent`]. Knows no HTTP, no SQL and no page.

mod calls;
pub mod feed;
pub mod ports;
mod prompt;
mod sample;
mod session;
mod turn;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::protocol::{
    Accepted, Actor, ApiError, CreateSession, ErrorCode, EventPage, FolderList, InterruptReason, MessageId, ModelInfo,
    QueuedMessage, Record, Seq, Session, SessionId, SessionList, SessionQuery, Status, ToolInfo, TurnPage,
    UpdateSession,
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

/// How long a health question to a model may take before it counts as unreachable.
const HEALTH_LIMIT: Duration = Duration::from_secs(6);
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

/// What an [`Agent`] is made of.
pub struct AgentParts {
    pub store: Arc<dyn Store>,
    pub feeds: Arc<Feeds>,
    pub models: Models,
    pub tools: Tools,
    pub workspaces: Arc<dyn Workspaces>,
    pub limits: Limits,
}

/// The one door to the domain. Cheap to clone.
#[derive(Clone)]
pub struct Agent {
    parts: Arc<AgentParts>,
    /// Changes with each start of the process, so that clients drop text that died with the old one.
    boot_id: Arc<str>,
    actors: Arc<Mutex<HashMap<SessionId, mpsc::Sender<Command>>>>,
    /// The rows of deleted sessions go when these are done.
    purges: Arc<Mutex<HashMap<SessionId, AbortHandle>>>,
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
        Self { parts: Arc::new(parts), boot_id: new_id().into(), actors: Arc::default(), purges: Arc::default() }
    }

    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    pub fn limits(&self) -> Limits {
        self.parts.limits
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
        self.parts.feeds.open(id).close();
        self.purge_later(id);
        Ok(())
    }

    fn purge_later(&self, id: &SessionId) {
        let (store, purged) = (self.parts.store.clone(), id.clone());
        let purge = tokio::spawn(async move {
            sleep(RESTORE_WINDOW).await;
            if let Err(error) = store.purge_session(&purged).await {
                tracing::warn!(session = %purged, %error, "the rows of a deleted session stay until the next start");
            }
        });
        let mut purges = self.purges.lock().unwrap_or_else(PoisonError::into_inner);
        purges.retain(|_, purge| !purge.is_finished());
        purges.insert(id.clone(), purge.abort_handle());
    }

    pub async fn restore_session(&self, id: &SessionId) -> Result<Session, ApiError> {
        let session = self.parts.store.restore_session(id).await.map(present).map_err(store_failed)?;
        // The next deletion has its own time.
        let purge = self.purges.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        purge.iter().for_each(AbortHandle::abort);
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

    // What is configured

    pub async fn models(&self) -> Vec<ModelInfo> {
        let asked = self.parts.models.iter().map(|entry| async move {
            let health = timeout(HEALTH_LIMIT, entry.model.health()).await;
            let detail = match health {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("It did not answer within {} s.", HEALTH_LIMIT.as_secs())),
            };
            ModelInfo {
                name: entry.name.clone(),
                provider: entry.provider.clone(),
                model: entry.model_id.clone(),
                default: entry.name == self.parts.models.default_name(),
                context_limit: entry.context_limit,
                reachable: detail.is_none(),
                detail,
            }
        });
        futures::future::join_all(asked).await
    }

    /// The configured aliases, the default one first.
    pub fn model_names(&self) -> Vec<String> {
        let default = self.parts.models.default_name();
        let others = self.parts.models.iter().map(|entry| entry.name.as_str()).filter(|name| *name != default);
        std::iter::once(default).chain(others).map(Into::into).collect()
    }

    pub fn tools(&self) -> Vec<ToolInfo> {
        let info = |spec: ports::model::ToolSpec| ToolInfo {
            name: spec.name,
            description: spec.description,
            parameters: spec.parameters,
        };
        self.parts.tools.specs().into_iter().map(info).collect()
    }

    pub async fn folders(&self, dir: Option<String>) -> Result<FolderList, ApiError> {
        let workspaces = self.parts.workspaces.clone();
        blocking(move || workspaces.browse(dir.as_deref())).await
    }

    pub fn allows_workspace(&self, workspace: &str) -> Result<(), ApiError> {
        self.parts.workspaces.check(Path::new(workspace))
    }

    // Start and stop

    /// Ends what a former process left running; once, before anything is served.
    pub async fn recover(&self) -> Result<usize, ApiError> {
        let ended = self.parts.store.recover().await.map_err(store_failed)?;
        for id in &ended {
            tracing::info!(session = %id, "a turn that was running when the server ended is marked as interrupted");
        }
        Ok(ended.len())
    }

    /// Ends every running turn with reason `restart` and waits for them.
    pub async fn shut_down(&self) {
        let actors: Vec<_> = self.actors().drain().map(|(_, mailbox)| mailbox).collect();
        futures::future::join_all(actors.iter().map(|mailbox| settle(mailbox, InterruptReason::Restart))).await;
    }

    fn actors(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, mpsc::Sender<Command>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn settle(&self, id: &SessionId, reason: InterruptReason) {
        let mailbox = self.actors().remove(id);
        if let Some(mailbox) = mailbox {
            settle(&mailbox, reason).await;
        }
    }

    /// Hands a command to the session's actor, which is started where there is none, and waits for its answer.
    async fn command<T>(&self, id: &SessionId, make: impl FnOnce(Reply<T>) -> Command) -> Result<T, ApiError> {
        let (_, feed) = self.watch(id).await?;
        let mailbox = self
            .actors()
            .entry(id.clone())
            .or_insert_with(|| session::spawn(self.parts.clone(), id.clone(), feed))
            .clone();
        let (reply, answer) = oneshot::channel();
        let gone = || store_failed(StoreError::Closed);
        mailbox.send(make(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
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
