//! The actor of one session: takes its commands one at a time and owns its running turn.

mod command;
mod word;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinHandle},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    AgentParts,
    allowance::Place,
    approval::permitted,
    feed::Feed,
    idle::Presence,
    ports::clock::day,
    ports::store::{AcceptOutcome, NewMessage, StoreError, StoreResult, StoredSession},
    store_failed,
    turn::{TurnContext, run_turn},
};
use crate::protocol::{Accepted, Actor, ApiError, ErrorCode, EventBody, MessageId, Mode, SessionId, UpdateSession};

use command::TellEnd;
pub use command::{Command, Interruption, Reply, Told};
use word::oldest_question;

/// Commands that may wait for the actor; senders wait beyond that.
const MAILBOX: usize = 64;

struct Running {
    turn: u32,
    cancel: CancellationToken,
    cancelled_for: Arc<OnceLock<Interruption>>,
    /// Ends when the turn's end is on record, with whether messages wait.
    task: JoinHandle<StoreResult<bool>>,
    /// Whether a message was put into the queue beside it.
    queued: bool,
    /// Among the sessions that work.
    place: Place,
}

struct SessionActor {
    id: SessionId,
    parts: Arc<AgentParts>,
    feed: Arc<Feed>,
    running: Option<Running>,
    /// Asked to be sent next, whether or not the queue is held.
    next: Option<MessageId>,
    /// Moves with each word of a person on something that waits.
    words: watch::Sender<u64>,
    mailbox: mpsc::WeakSender<Told>,
}

/// Starts the actor of a session. It ends when the last sender is dropped; the session's next command starts another.
pub fn spawn(parts: Arc<AgentParts>, id: SessionId, feed: Arc<Feed>, presence: Arc<Presence>) -> mpsc::Sender<Told> {
    let (sender, mut commands) = mpsc::channel(MAILBOX);
    let words = watch::Sender::new(0);
    let mut actor = SessionActor { id, parts, feed, running: None, next: None, words, mailbox: sender.downgrade() };
    tokio::spawn(async move {
        while let Some(Told { command, request }) = commands.recv().await {
            let clock = actor.parts.clock.clone();
            presence.set(true, clock.elapsed());
            actor.handle(command).instrument(request).await;
            presence.set(actor.running.is_some() || actor.next.is_some(), clock.elapsed());
        }
    });
    sender
}

impl SessionActor {
    async fn handle(&mut self, command: Command) {
        // A reply that nobody waits for any more is no failure: the command has been carried out.
        match command {
            Command::Send { actor, text, client_id, attachments, reply } => {
                drop(reply.send(self.send(&actor, text, client_id, attachments).await))
            }
            Command::Steer { actor, text, reply } => drop(reply.send(self.steer(&actor, text).await)),
            Command::Decide { actor, approval, decision, reply } => {
                drop(reply.send(self.decide(&actor, &approval, decision).await))
            }
            Command::Answer { actor, question, answer, reply } => {
                drop(reply.send(self.answer(&actor, &question, &answer).await))
            }
            Command::News => self.words.send_modify(|words| *words += 1),
            Command::Resume => self.resume().await,
            Command::Stop { actor, reply } => drop(reply.send(self.stop_or_close(actor).await)),
            Command::EditQueued { actor, message, text, reply } => {
                let edited = self.parts.store.edit_queued(&actor, &self.id, &message, &text).await;
                drop(reply.send(edited.map_err(store_failed)));
            }
            Command::RemoveQueued { actor, message, reply } => {
                let removed = self.parts.store.remove_queued(&actor, &self.id, &message).await;
                self.next.take_if(|next| removed.is_ok() && *next == message);
                drop(reply.send(removed.map_err(store_failed)));
            }
            Command::SendQueued { actor, message, reply } => drop(reply.send(self.send_queued(&actor, message).await)),
            Command::TurnEnded { turn } => self.turn_ended(turn).await,
            Command::Settle { why, patience, reply } => {
                self.settle(why, patience).await;
                let _ = reply.send(());
            }
        }
    }

    async fn session(&self) -> Result<StoredSession, ApiError> {
        let session = self.parts.store.session(&self.id).await.map_err(store_failed)?;
        session.ok_or_else(ApiError::session_not_found)
    }

    /// The session as it is. A turn whose end is on record is over, also before its task has told so: whoever has seen
    /// the end does not wait behind it.
    async fn session_after_ended_turn(&mut self) -> Result<StoredSession, ApiError> {
        let session = self.session().await?;
        let running = self.running.as_ref().map(|running| running.turn);
        match running {
            Some(turn) if session.running_turn != running => {
                self.turn_ended(turn).await;
                self.session().await
            }
            _ => Ok(session),
        }
    }

    /// What was taken before gets its first answer again, also where the like of it would be refused by now.
    async fn send(
        &mut self,
        actor: &Actor,
        text: String,
        client_id: Option<String>,
        attachments: Vec<String>,
    ) -> Result<Accepted, ApiError> {
        let sent = self.send_new(actor, text.clone(), client_id.clone(), attachments).await;
        let (Err(_), Some(client_id)) = (&sent, client_id) else { return sent };
        match self.parts.store.accepted(&self.id, &client_id, &text).await {
            Ok(Some(repeated)) => answer(repeated),
            Ok(None) | Err(_) => sent,
        }
    }

    async fn send_new(
        &mut self,
        actor: &Actor,
        text: String,
        client_id: Option<String>,
        attachments: Vec<String>,
    ) -> Result<Accepted, ApiError> {
        let session = self.session_after_ended_turn().await?;
        let message_id = MessageId::new(super::new_id());
        let attached = self.parts.attach(&session.workspace, attachments).await?;
        if let Some(asked) = oldest_question(&session.pending) {
            let asked = asked.clone();
            let new = NewMessage { message_id, client_id, text, attached, start_with: None };
            return self.answer_with(actor, &asked, new).await;
        }
        // Both look at the disk, each on a thread of its own.
        tokio::try_join!(self.parts.check_workspace(session.workspace.clone()), self.check_allowance(actor))?;
        let place = if self.running.is_some() {
            self.check_queue_room().await?;
            self.running.iter_mut().for_each(|running| running.queued = true);
            None
        } else {
            Some(self.parts.allowance.turn(&actor.name)?)
        };
        let start_with = place.is_some().then(|| self.model_name(&session));
        let new = NewMessage { message_id, client_id, text, attached, start_with };
        let outcome = self.parts.store.accept_message(actor, &self.id, new).await.map_err(store_failed)?;
        if let (AcceptOutcome::Accepted(Accepted { turn: Some(turn), .. }), Some(place)) = (&outcome, place) {
            self.start(&session, *turn, false, place).await;
            self.release(actor, &session).await;
        }
        answer(outcome)
    }

    /// That whoever sends may have more work done.
    async fn check_allowance(&self, actor: &Actor) -> Result<(), ApiError> {
        let allowance = &self.parts.allowance;
        if allowance.allowed().tokens_per_day.is_some() {
            allowance.check_tokens(self.parts.store.tokens_today(&actor.name).await.map_err(store_failed)?)?;
        }
        self.parts.check_space().await
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
    async fn release(&self, actor: &Actor, session: &StoredSession) {
        if session.queue_held
            && let Err(error) = self.parts.store.hold_queue(actor, &self.id, false).await
        {
            // What was sent is taken; the queue stays held until the next word of the person.
            tracing::error!(session = %self.id, %error, "the queue could not be released");
        }
    }

    async fn send_queued(&mut self, actor: &Actor, message: MessageId) -> Result<(), ApiError> {
        let waiting = self.parts.store.queue(&self.id).await.map_err(store_failed)?;
        if !waiting.iter().any(|queued| queued.message_id == message) {
            return Err(store_failed(StoreError::NoMessage));
        }
        self.check_allowance(actor).await?;
        let place = self.running.is_none().then(|| self.parts.allowance.turn(&actor.name)).transpose()?;
        self.release(actor, &self.session().await?).await;
        self.next = Some(message.clone());
        match place {
            Some(place) => self.start_next(place).await,
            None => self.parts.store.put_first(actor, &self.id, &message).await.map_err(store_failed),
        }
    }

    fn stop(&mut self, why: Interruption) -> Result<(), ApiError> {
        let Some(running) = &self.running else {
            return Err(ApiError::new(
                ErrorCode::NotRunning,
                "Nothing is running in this session, so there is nothing to stop.",
            ));
        };
        running.cancelled_for.get_or_init(|| why);
        running.cancel.cancel();
        Ok(())
    }

    /// A turn that only counts as running, because its end was lost, is ended by a stop too.
    async fn stop_or_close(&mut self, actor: Actor) -> Result<(), ApiError> {
        let stopped = self.stop(Interruption::stopped(actor));
        if stopped.is_err() && self.running.is_none() && self.close_left_turn().await {
            return Ok(());
        }
        stopped
    }

    async fn settle(&mut self, why: Interruption, patience: Duration) {
        if self.ends_by_itself(patience).await {
            return;
        }
        if self.stop(why).is_ok()
            && let Some(running) = self.running.take()
        {
            self.join(running.task).await;
        }
    }

    /// Whether the running turn comes to its end within `patience`. One that waits for a person does not.
    async fn ends_by_itself(&mut self, patience: Duration) -> bool {
        if patience.is_zero() || self.session().await.is_ok_and(|session| !session.pending.is_empty()) {
            return false;
        }
        let Some(running) = &mut self.running else { return false };
        let Ok(ended) = timeout(patience, &mut running.task).await else { return false };
        self.running = None;
        self.record_end(ended).await;
        true
    }

    async fn turn_ended(&mut self, turn: u32) {
        // The word of a turn that was settled meanwhile comes late; another may run by now.
        let Some(Running { task, queued, place, .. }) = self.running.take_if(|running| running.turn == turn) else {
            return;
        };
        let Some(waits) = self.join(task).await else { return };
        if !waits && !queued && self.next.is_none() {
            return;
        }
        // What waited was let in before, and goes on in the same place.
        if let Err(error) = self.start_next(place).await {
            tracing::error!(session = %self.id, code = error.code.as_str(), "the next message could not be started");
        }
    }

    /// Waits for a turn's task; see [`Self::record_end`].
    async fn join(&self, task: JoinHandle<StoreResult<bool>>) -> Option<bool> {
        let ended = task.await;
        self.record_end(ended).await
    }

    /// Whether messages may start, as far as the turn knew. `None` where it had to be ended for its task: what waits is
    /// held then.
    async fn record_end(&self, ended: Result<StoreResult<bool>, JoinError>) -> Option<bool> {
        match ended {
            Ok(Ok(waits)) => return Some(waits),
            Ok(Err(error)) => tracing::error!(session = %self.id, %error, "the turn's end could not be recorded"),
            Err(error) => tracing::error!(session = %self.id, %error, "the turn crashed"),
        }
        (!self.close_left_turn().await).then_some(true)
    }

    async fn close_left_turn(&self) -> bool {
        self.parts.store.end_left_turn(&self.id).await.unwrap_or_else(|error| {
            // It is tried again with the next message or stop.
            tracing::error!(session = %self.id, %error, "a turn without an end could not be ended");
            true
        })
    }

    /// Starts the message that was asked for, else the oldest one if the queue is not held.
    async fn start_next(&mut self, place: Place) -> Result<(), ApiError> {
        let next = self.next.take();
        let session = self.session().await?;
        if next.is_none() && session.queue_held {
            return Ok(());
        }
        let model = self.model_name(&session);
        let started = self.parts.store.start_queued(&self.id, next.as_ref(), &model).await.map_err(store_failed)?;
        if let Some(turn) = started.and_then(|accepted| accepted.turn) {
            self.start(&session, turn, false, place).await;
        }
        Ok(())
    }

    async fn resume(&mut self) {
        match self.session().await {
            Ok(session) => match session.running_turn {
                Some(turn) if self.running.is_none() => {
                    let place = self.parts.allowance.resumed_turn();
                    self.start(&session, turn, true, place).await;
                }
                _ => {}
            },
            Err(error) => {
                tracing::error!(session = %self.id, code = error.code.as_str(), "a waiting turn could not go on");
            }
        }
    }

    /// The session's model, or the default where it is not configured (any more).
    fn model_name(&self, session: &StoredSession) -> String {
        let models = &self.parts.models;
        models.get(&session.model).map_or(models.default_name(), |entry| &entry.name).to_owned()
    }

    async fn start(&mut self, session: &StoredSession, turn: u32, resumed: bool, place: Place) {
        let name = self.model_name(session);
        if name != session.model {
            self.report_missing_model(&session.model, &name).await;
        }
        if permitted(session.mode, self.parts.limits.full_mode) != session.mode {
            self.withdraw_full_mode().await;
        }
        let Some(model) = self.parts.models.get(&name).cloned() else { return };
        let (cancel, cancelled_for) = (CancellationToken::new(), Arc::new(OnceLock::new()));
        let context = TurnContext {
            id: self.id.clone(),
            turn,
            workspace: PathBuf::from(&session.workspace),
            data: self.parts.turn_data(&self.id, turn),
            system_prompt: session.system_prompt.clone().filter(|text| !text.trim().is_empty()),
            today: day(self.parts.clock.now()),
            agent: Actor::agent(&model.name),
            window: model.context_limit,
            model,
            tools: self.parts.tools.tools(),
            retry: self.parts.limits.retry,
            full_mode: self.parts.limits.full_mode,
            store: self.parts.store.clone(),
            feed: self.feed.clone(),
            cancel: cancel.clone(),
            cancelled_for: cancelled_for.clone(),
            words: self.words.subscribe(),
            redaction: self.parts.redaction.clone(),
        };
        let mailbox = self.mailbox.clone();
        // Beside the request that started it, where one did.
        let span = tracing::error_span!("turn", session = %self.id, turn);
        let work = async move {
            // The sender of the end is told even when the turn panics.
            let _told = TellEnd { turn, mailbox };
            let ended = run_turn(context, resumed).await;
            tracing::debug!("a turn ended");
            ended
        };
        let task = tokio::spawn(work.instrument(span));
        self.running = Some(Running { turn, cancel, cancelled_for, task, queued: false, place });
    }

    async fn report_missing_model(&self, wanted: &str, taken: &str) {
        let detail = format!("The model `{wanted}` of this session is not configured here; `{taken}` answers instead.");
        let event = EventBody::SessionError { code: ErrorCode::UnknownModel.as_str().into(), detail };
        if let Err(error) = self.parts.store.record(&Actor::system(), &self.id, vec![event]).await {
            tracing::error!(session = %self.id, %error, "the missing model could not be recorded");
        }
    }

    /// The session was given the mode that never asks while that was allowed. From now on it has the one it works in.
    async fn withdraw_full_mode(&self) {
        let detail = "This session was set to never ask, and the server does not allow that any more. It asks again before \
                      it changes anything.";
        let event = EventBody::SessionError { code: ErrorCode::ModeNotAllowed.as_str().into(), detail: detail.into() };
        let (system, store) = (Actor::system(), &self.parts.store);
        let asks = UpdateSession { mode: Some(Mode::Ask), ..UpdateSession::default() };
        let told = async {
            store.record(&system, &self.id, vec![event]).await?;
            store.update_session(&system, &self.id, asks).await
        };
        if let Err(error) = told.await {
            // Its calls ask all the same.
            tracing::error!(session = %self.id, %error, "the mode could not be taken back");
        }
    }
}

fn answer(outcome: AcceptOutcome) -> Result<Accepted, ApiError> {
    match outcome {
        AcceptOutcome::Accepted(accepted) | AcceptOutcome::Repeated(accepted) => Ok(accepted),
        AcceptOutcome::ClientIdReused => {
            let detail = "This client_id was used for another message of the session. Nothing was sent. Use a new client_id for each message.";
            Err(ApiError::new(ErrorCode::ClientIdReused, detail))
        }
    }
}
