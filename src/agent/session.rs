//! The actor of one session: takes its commands one at a time and owns its running turn.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    AgentParts,
    feed::Feed,
    ports::store::{AcceptOutcome, NewMessage, StoreError, StoredSession},
    store_failed,
    turn::{TurnContext, run_turn},
};
use crate::protocol::{Accepted, Actor, ApiError, ErrorCode, EventBody, InterruptReason, MessageId, SessionId};

/// Commands that may wait for the actor; senders wait beyond that.
const MAILBOX: usize = 64;

pub type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

pub enum Command {
    Send {
        actor: Actor,
        text: String,
        client_id: Option<String>,
        reply: Reply<Accepted>,
    },
    Stop {
        reply: Reply<()>,
    },
    EditQueued {
        actor: Actor,
        message: MessageId,
        text: String,
        reply: Reply<()>,
    },
    RemoveQueued {
        actor: Actor,
        message: MessageId,
        reply: Reply<()>,
    },
    /// The message is the next to start: at once, or when the running turn has ended, however it ends.
    SendQueued {
        actor: Actor,
        message: MessageId,
        reply: Reply<()>,
    },
    TurnEnded {
        turn: u32,
    },
    /// Ends the running turn and waits for it.
    Settle {
        reason: InterruptReason,
        reply: oneshot::Sender<()>,
    },
}

struct Running {
    turn: u32,
    cancel: CancellationToken,
    cancelled_for: Arc<OnceLock<InterruptReason>>,
    task: JoinHandle<()>,
}

struct SessionActor {
    id: SessionId,
    parts: Arc<AgentParts>,
    feed: Arc<Feed>,
    running: Option<Running>,
    /// Asked to be sent next, whether or not the queue is held.
    next: Option<MessageId>,
    mailbox: mpsc::WeakSender<Command>,
}

/// Starts the actor of a session; it ends when the last sender is dropped.
pub fn spawn(parts: Arc<AgentParts>, id: SessionId, feed: Arc<Feed>) -> mpsc::Sender<Command> {
    let (sender, mut commands) = mpsc::channel(MAILBOX);
    let mut actor = SessionActor { id, parts, feed, running: None, next: None, mailbox: sender.downgrade() };
    tokio::spawn(async move {
        while let Some(command) = commands.recv().await {
            actor.handle(command).await;
        }
    });
    sender
}

impl SessionActor {
    async fn handle(&mut self, command: Command) {
        // A reply that nobody waits for any more is no failure: the command has been carried out.
        match command {
            Command::Send { actor, text, client_id, reply } => {
                drop(reply.send(self.send(&actor, text, client_id).await))
            }
            Command::Stop { reply } => drop(reply.send(self.stop(InterruptReason::Stopped))),
            Command::EditQueued { actor, message, text, reply } => {
                let edited = self.parts.store.edit_queued(&actor, &self.id, &message, &text).await;
                drop(reply.send(edited.map_err(store_failed)));
            }
            Command::RemoveQueued { actor, message, reply } => {
                let removed = self.parts.store.remove_queued(&actor, &self.id, &message).await;
                drop(reply.send(removed.map_err(store_failed)));
            }
            Command::SendQueued { actor, message, reply } => drop(reply.send(self.send_queued(&actor, message).await)),
            Command::TurnEnded { turn } => self.turn_ended(turn).await,
            Command::Settle { reason, reply } => {
                self.settle(reason).await;
                let _ = reply.send(());
            }
        }
    }

    async fn session(&self) -> Result<StoredSession, ApiError> {
        let session = self.parts.store.session(&self.id).await.map_err(store_failed)?;
        session.ok_or_else(ApiError::session_not_found)
    }

    async fn send(&mut self, actor: &Actor, text: String, client_id: Option<String>) -> Result<Accepted, ApiError> {
        let session = self.session().await?;
        self.parts.workspaces.check(&PathBuf::from(&session.workspace))?;
        if self.running.is_some() {
            self.check_queue_room().await?;
        }
        let model = self.model_name(&session);
        let start_with = self.running.is_none().then(|| model.clone());
        let new = NewMessage { message_id: MessageId::new(super::new_id()), client_id, text, start_with };
        let accepted = match self.parts.store.accept_message(actor, &self.id, new).await.map_err(store_failed)? {
            AcceptOutcome::Repeated(accepted) => return Ok(accepted),
            AcceptOutcome::ClientIdReused => {
                let detail = "This client_id was used for another message of the session. Nothing was sent. Use a new client_id for each message.";
                return Err(ApiError::new(ErrorCode::ClientIdReused, detail));
            }
            AcceptOutcome::Accepted(accepted) => accepted,
        };
        if let Some(turn) = accepted.turn {
            self.start(&session, turn).await;
            self.release(actor, &session).await?;
        }
        Ok(accepted)
    }

    async fn check_queue_room(&self) -> Result<(), ApiError> {
        let limit = self.parts.limits.queued_messages;
        let waiting = self.parts.store.queue(&self.id).await.map_err(store_failed)?.len();
        if waiting < limit {
            return Ok(());
        }
        let detail = format!(
            "{waiting} messages wait already, which is the limit. This one was not taken. Wait until one has started, or remove one."
        );
        Err(ApiError::new(ErrorCode::QueueFull, detail))
    }

    /// A person who sends something goes on, so a held queue follows.
    async fn release(&self, actor: &Actor, session: &StoredSession) -> Result<(), ApiError> {
        if !session.queue_held {
            return Ok(());
        }
        self.parts.store.hold_queue(actor, &self.id, false).await.map_err(store_failed)
    }

    async fn send_queued(&mut self, actor: &Actor, message: MessageId) -> Result<(), ApiError> {
        let waiting = self.parts.store.queue(&self.id).await.map_err(store_failed)?;
        if !waiting.iter().any(|queued| queued.message_id == message) {
            return Err(store_failed(StoreError::NoMessage));
        }
        self.release(actor, &self.session().await?).await?;
        self.next = Some(message);
        if self.running.is_none() {
            self.start_next().await?;
        }
        Ok(())
    }

    fn stop(&mut self, reason: InterruptReason) -> Result<(), ApiError> {
        let Some(running) = &self.running else {
            return Err(ApiError::new(
                ErrorCode::NotRunning,
                "Nothing is running in this session, so there is nothing to stop.",
            ));
        };
        running.cancelled_for.get_or_init(|| reason);
        running.cancel.cancel();
        Ok(())
    }

    async fn settle(&mut self, reason: InterruptReason) {
        if self.stop(reason).is_ok()
            && let Some(running) = self.running.take()
            && let Err(error) = running.task.await
        {
            self.record_crash(&error.to_string()).await;
        }
    }

    async fn turn_ended(&mut self, turn: u32) {
        // The word of a turn that was settled meanwhile comes late; another may run by now.
        let Some(running) = self.running.take_if(|running| running.turn == turn) else { return };
        if let Err(error) = running.task.await {
            self.record_crash(&error.to_string()).await;
        }
        if let Err(error) = self.start_next().await {
            tracing::error!(session = %self.id, code = error.code.as_str(), "the next message could not be started");
        }
    }

    /// Starts the message that was asked for, else the oldest one if the queue is not held.
    async fn start_next(&mut self) -> Result<(), ApiError> {
        let session = self.session().await?;
        let next = self.next.take();
        if next.is_none() && session.queue_held {
            return Ok(());
        }
        let model = self.model_name(&session);
        let started = self.parts.store.start_queued(&self.id, next.as_ref(), &model).await.map_err(store_failed)?;
        if let Some(turn) = started.and_then(|accepted| accepted.turn) {
            self.start(&session, turn).await;
        }
        Ok(())
    }

    /// The session's model, or the default where it is not configured (any more).
    fn model_name(&self, session: &StoredSession) -> String {
        let models = &self.parts.models;
        models.get(&session.model).map_or(models.default_name(), |entry| &entry.name).to_owned()
    }

    async fn start(&mut self, session: &StoredSession, turn: u32) {
        let name = self.model_name(session);
        if name != session.model {
            self.report_missing_model(&session.model, &name).await;
        }
        let Some(model) = self.parts.models.get(&name).cloned() else { return };
        let (cancel, cancelled_for) = (CancellationToken::new(), Arc::new(OnceLock::new()));
        let context = TurnContext {
            id: self.id.clone(),
            turn,
            workspace: PathBuf::from(&session.workspace),
            system_prompt: session.system_prompt.clone().filter(|text| !text.trim().is_empty()),
            agent: Actor::agent(&model.name),
            model,
            tools: self.parts.tools.clone(),
            retry: self.parts.limits.retry,
            store: self.parts.store.clone(),
            feed: self.feed.clone(),
            cancel: cancel.clone(),
            cancelled_for: cancelled_for.clone(),
        };
        let (id, mailbox) = (self.id.clone(), self.mailbox.clone());
        let task = tokio::spawn(async move {
            // The sender of the end is told even when the turn panics.
            let _told = TellEnd { turn, mailbox };
            if let Err(error) = run_turn(context).await {
                tracing::error!(session = %id, turn, %error, "the turn could not be recorded");
            }
        });
        self.running = Some(Running { turn, cancel, cancelled_for, task });
    }

    async fn report_missing_model(&self, wanted: &str, taken: &str) {
        let detail = format!("The model `{wanted}` of this session is not configured here; `{taken}` answers instead.");
        let event = EventBody::SessionError { code: ErrorCode::UnknownModel.as_str().into(), detail };
        if let Err(error) = self.parts.store.record(&Actor::system(), &self.id, vec![event]).await {
            tracing::error!(session = %self.id, %error, "the missing model could not be recorded");
        }
    }

    /// A turn that panicked: a fault of ours, which ends this turn and nothing else.
    async fn record_crash(&self, cause: &str) {
        tracing::error!(session = %self.id, cause, "the turn crashed");
        let Ok(Some(session)) = self.parts.store.session(&self.id).await else { return };
        let Some(turn) = session.running_turn else { return };
        let detail = "The server made a mistake while working on this. What was written so far is kept. Send the message again; the server's log says more.";
        let end = EventBody::TurnInterrupted { turn, reason: InterruptReason::Error, detail: detail.into() };
        if let Err(error) = self.parts.store.end_turn(&Actor::system(), &self.id, end).await {
            tracing::error!(session = %self.id, %error, "the crashed turn could not be ended");
        }
    }
}

struct TellEnd {
    turn: u32,
    mailbox: mpsc::WeakSender<Command>,
}

impl Drop for TellEnd {
    fn drop(&mut self) {
        let turn = self.turn;
        if let Some(mailbox) = self.mailbox.upgrade() {
            tokio::spawn(async move { drop(mailbox.send(Command::TurnEnded { turn }).await) });
        }
    }
}
