//! The store port: each call hands a function of the rooms below to the readers or the writer.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    SqliteStore, approvals, calls, census, events, listing, messages, partials, questions, recall, recover, removal,
    retention, rows, sessions, sharing, steering, tasks, turns, uploads, usage, writer::Change,
};
use crate::{
    agent::ports::{
        clock::{day, rfc3339},
        store::{
            AcceptOutcome, CallEnd, CallStart, Census, Decided, MessageEnd, NewApproval, NewMessage, NewQuestion,
            NewSession, NewUpload, PartialText, QuestionState, Recall, Recalled, Recovered, Resolution, Steering,
            Store, StoreError, StoreResult, StoredSession, StoredUpload, TurnWindow,
        },
    },
    protocol::{
        Accepted, Actor, ApprovalId, ApprovalRule, Asked, CallId, Decision, Event, EventBody, EventPage, MessageId,
        QuestionId, QueuedMessage, Record, Right, RuleId, Seq, SessionId, SessionQuery, Share, Sharing, Task,
        ToolResult, TurnPage, UpdateSession, UploadId, UploadedFile,
    },
};

/// How long it is known how much room the disk has: each message asks, and no disk fills up in so short a time.
const FREE_FOR: Duration = Duration::from_secs(1);

/// Sessions that one change looks through for old events, so that others get their turn between.
const TRIMMED_AT_ONCE: usize = 64;

impl SqliteStore {
    /// Reads from a session that is there.
    async fn read_session<R, W>(&self, id: &SessionId, work: W) -> StoreResult<R>
    where
        R: Send + 'static,
        W: FnOnce(&rusqlite::Connection, &SessionId) -> StoreResult<R> + Send + 'static,
    {
        let id = id.clone();
        self.readers
            .read(move |connection, _| {
                sessions::require(connection, &id)?;
                work(connection, &id)
            })
            .await
    }

    async fn write_session<R, W>(&self, id: &SessionId, work: W) -> StoreResult<R>
    where
        R: Send + 'static,
        W: FnOnce(&mut Change<'_>, &SessionId) -> StoreResult<R> + Send + 'static,
    {
        let id = id.clone();
        self.writer.write(move |change| work(change, &id)).await
    }

    /// [`SqliteStore::write_session`] for what has an actor.
    async fn write_as<R, W>(&self, actor: &Actor, id: &SessionId, work: W) -> StoreResult<R>
    where
        R: Send + 'static,
        W: FnOnce(&mut Change<'_>, &Actor, &SessionId) -> StoreResult<R> + Send + 'static,
    {
        let actor = actor.clone();
        self.write_session(id, move |change, id| work(change, &actor, id)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn session(&self, id: &SessionId) -> StoreResult<Option<StoredSession>> {
        let id = id.clone();
        self.readers.read(move |connection, zone| sessions::find(connection, zone, &id)).await
    }

    async fn sessions(&self, viewer: Option<&str>, query: &SessionQuery) -> StoreResult<(Vec<StoredSession>, u64)> {
        let (viewer, query) = (viewer.map(str::to_owned), query.clone());
        self.readers.read(move |connection, zone| listing::page(connection, zone, viewer.as_deref(), &query)).await
    }

    async fn sessions_of(&self, name: &str) -> StoreResult<u64> {
        let name = name.to_owned();
        self.readers.read(move |connection, _| census::sessions_of(connection, &name)).await
    }

    async fn tokens_today(&self, name: &str) -> StoreResult<u64> {
        let (name, day) = (name.to_owned(), day(self.clock.now()));
        self.readers.read(move |connection, _| usage::of(connection, &name, &day)).await
    }

    async fn free_bytes(&self) -> StoreResult<u64> {
        if let Some((at, free)) = *self.free.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < FREE_FOR
        {
            return Ok(free);
        }
        let folder = self.folder.clone();
        let look = move || rustix::fs::statvfs(&folder).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
        let looked = tokio::task::spawn_blocking(look).await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let free = looked.map_err(|error| StoreError::Failed(format!("the disk can't be looked at: {error}")))?;
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), free));
        Ok(free)
    }

    async fn census(&self) -> StoreResult<Census> {
        self.readers.read(|connection, _| census::take(connection)).await
    }

    async fn part(&self, id: &SessionId, name: &str) -> StoreResult<Option<Right>> {
        let (id, name) = (id.clone(), name.to_owned());
        self.readers.read(move |connection, _| sharing::part(connection, &id, &name)).await
    }

    async fn sharing(&self, id: &SessionId) -> StoreResult<Sharing> {
        self.read_session(id, sharing::sharing).await
    }

    async fn share(&self, actor: &Actor, id: &SessionId, share: Share) -> StoreResult<Sharing> {
        self.write_as(actor, id, move |change, actor, id| sharing::share(change, actor, id, &share)).await
    }

    async fn turns(&self, id: &SessionId, window: TurnWindow) -> StoreResult<TurnPage> {
        let id = id.clone();
        self.readers
            .read(move |connection, zone| {
                sessions::require(connection, &id)?;
                rows::page(connection, zone, &id, window)
            })
            .await
    }

    async fn events(&self, id: &SessionId, cursor: Seq, limit: u32, types: &[String]) -> StoreResult<EventPage> {
        let types = types.to_vec();
        self.read_session(id, move |connection, id| events::page(connection, id, cursor, limit, &types)).await
    }

    async fn recent_uploads(&self, id: &SessionId, limit: u32) -> StoreResult<Vec<Event>> {
        self.read_session(id, move |connection, id| events::recent_uploads(connection, id, limit)).await
    }

    async fn records(&self, id: &SessionId, cursor: Seq, limit: u32) -> StoreResult<Vec<Arc<Record>>> {
        self.read_session(id, move |connection, id| events::batch(connection, id, cursor, limit)).await
    }

    async fn records_from_turn(&self, id: &SessionId, turn: u32) -> StoreResult<Vec<Arc<Record>>> {
        self.read_session(id, move |connection, id| events::records_from_turn(connection, id, turn)).await
    }

    async fn records_of_turns(&self, id: &SessionId, turns: (u32, u32)) -> StoreResult<Vec<Arc<Record>>> {
        self.read_session(id, move |connection, id| events::records_of_turns(connection, id, turns)).await
    }

    async fn call_result(&self, id: &SessionId, turn: u32, call: &CallId) -> StoreResult<Option<ToolResult>> {
        let call = call.clone();
        self.read_session(id, move |connection, id| rows::call_result(connection, id, turn, &call)).await
    }

    async fn queue(&self, id: &SessionId) -> StoreResult<Vec<QueuedMessage>> {
        self.read_session(id, messages::queue).await
    }

    async fn create_session(&self, actor: &Actor, new: NewSession) -> StoreResult<StoredSession> {
        let actor = actor.clone();
        self.writer.write(move |change| sessions::create(change, &actor, &new)).await
    }

    async fn update_session(&self, actor: &Actor, id: &SessionId, update: UpdateSession) -> StoreResult<StoredSession> {
        self.write_as(actor, id, move |change, actor, id| sessions::update(change, actor, id, &update)).await
    }

    async fn delete_session(&self, id: &SessionId) -> StoreResult<()> {
        self.write_session(id, |change, id| removal::delete(change, id)).await
    }

    async fn restore_session(&self, id: &SessionId) -> StoreResult<StoredSession> {
        self.write_session(id, |change, id| removal::restore(change, id)).await
    }

    async fn is_restorable(&self, id: &SessionId) -> StoreResult<bool> {
        let id = id.clone();
        self.readers.read(move |connection, _| removal::is_restorable(connection, &id)).await
    }

    async fn purge_expired(&self) -> StoreResult<()> {
        self.writer.write(|change| Ok(removal::purge_expired(change.connection, change.now)?)).await
    }

    async fn retain(&self) -> StoreResult<()> {
        if self.retention.is_off() {
            return Ok(());
        }
        let ids = self.readers.read(|connection, _| sessions::all_ids(connection)).await?;
        for some in ids.chunks(TRIMMED_AT_ONCE).map(<[_]>::to_vec) {
            self.writer.write(move |change| some.iter().try_for_each(|id| retention::trim(change, id))).await?;
        }
        Ok(())
    }

    async fn session_ids(&self) -> StoreResult<Vec<SessionId>> {
        self.readers.read(|connection, _| sessions::all_ids(connection)).await
    }

    async fn accepted(&self, id: &SessionId, client_id: &str, text: &str) -> StoreResult<Option<AcceptOutcome>> {
        let (id, client_id, text) = (id.clone(), client_id.to_owned(), text.to_owned());
        self.readers.read(move |connection, _| messages::repeated(connection, &id, Some(&client_id), &text)).await
    }

    async fn end_left_turn(&self, id: &SessionId) -> StoreResult<bool> {
        self.write_session(id, |change, id| recover::end_left_turn(change, id, &recover::LOST_END)).await
    }

    async fn accept_message(&self, actor: &Actor, id: &SessionId, new: NewMessage) -> StoreResult<AcceptOutcome> {
        self.write_as(actor, id, move |change, actor, id| messages::accept(change, actor, id, &new)).await
    }

    async fn start_queued(
        &self,
        id: &SessionId,
        message: Option<&MessageId>,
        model: &str,
    ) -> StoreResult<Option<Accepted>> {
        let (message, model) = (message.cloned(), model.to_owned());
        self.write_session(id, move |change, id| messages::start_queued(change, id, message.as_ref(), &model)).await
    }

    async fn edit_queued(&self, actor: &Actor, id: &SessionId, message: &MessageId, text: &str) -> StoreResult<()> {
        let (message, text) = (message.clone(), text.to_owned());
        self.write_as(actor, id, move |change, actor, id| messages::edit(change, actor, id, &message, &text)).await
    }

    async fn remove_queued(&self, actor: &Actor, id: &SessionId, message: &MessageId) -> StoreResult<()> {
        let message = message.clone();
        self.write_as(actor, id, move |change, actor, id| messages::remove(change, actor, id, &message)).await
    }

    async fn put_first(&self, actor: &Actor, id: &SessionId, message: &MessageId) -> StoreResult<()> {
        let message = message.clone();
        self.write_as(actor, id, move |change, actor, id| messages::put_first(change, actor, id, &message)).await
    }

    async fn hold_queue(&self, actor: &Actor, id: &SessionId, held: bool) -> StoreResult<()> {
        self.write_as(actor, id, move |change, actor, id| messages::hold(change, actor, id, held)).await
    }

    async fn record(&self, actor: &Actor, id: &SessionId, events: Vec<EventBody>) -> StoreResult<()> {
        let costs = events.clone();
        let events: Vec<_> = events.into_iter().map(|event| self.loggable(event)).collect::<StoreResult<_>>()?;
        let append_all = move |change: &mut Change<'_>, actor: &Actor, id: &SessionId| {
            sessions::require_for_write(change, id)?;
            usage::add(change, id, &costs)?;
            events.into_iter().try_for_each(|event| events::append(change, id, actor, event))
        };
        self.write_as(actor, id, append_all).await
    }

    async fn end_message(&self, id: &SessionId, end: MessageEnd) -> StoreResult<()> {
        self.write_session(id, move |change, id| turns::end_message(change, id, end)).await
    }

    async fn start_call(&self, actor: &Actor, id: &SessionId, start: CallStart) -> StoreResult<()> {
        let started = self.loggable(calls::started(start))?;
        self.write_as(actor, id, move |change, actor, id| calls::start(change, actor, id, started)).await
    }

    async fn end_call(&self, actor: &Actor, id: &SessionId, end: CallEnd) -> StoreResult<()> {
        let completed = self.loggable(calls::completed(&end))?;
        self.write_as(actor, id, move |change, actor, id| calls::end(change, actor, id, &end, completed)).await
    }

    async fn end_turn(
        &self,
        actor: &Actor,
        id: &SessionId,
        last: Option<MessageEnd>,
        end: EventBody,
    ) -> StoreResult<bool> {
        let end = move |change: &mut Change<'_>, actor: &Actor, id: &SessionId| {
            last.map_or(Ok(()), |last| turns::end_message(change, id, last))?;
            turns::end(change, actor, id, end)?;
            messages::any_waits(change.connection, id)
        };
        self.write_as(actor, id, end).await
    }

    async fn keep_partial(&self, id: &SessionId, text: PartialText) -> StoreResult<()> {
        self.write_session(id, move |change, id| partials::keep(change, id, &text)).await
    }

    async fn recover(&self) -> StoreResult<Recovered> {
        let left = self.readers.read(|connection, _| recover::left_running(connection)).await?;
        let mut recovered = Recovered::default();
        for id in left {
            let end_unless_it_waits = |change: &mut Change<'_>, id: &SessionId| {
                let waits = recover::only_waits(change.connection, id)?;
                if !waits {
                    recover::end_left_turn(change, id, &recover::RESTART)?;
                }
                Ok(waits)
            };
            match self.write_session(&id, end_unless_it_waits).await {
                Ok(true) => recovered.waiting.push(id),
                Ok(false) => recovered.ended.push(id),
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                // One session that can't be mended keeps none of the others from working; its next turn tries again.
                Err(error) => tracing::error!(session = %id, %error, "an interrupted turn could not be ended"),
            }
        }
        Ok(recovered)
    }

    async fn request_approval(&self, actor: &Actor, id: &SessionId, new: NewApproval) -> StoreResult<()> {
        let requested = self.loggable(approvals::requested(&new))?;
        self.write_as(actor, id, move |change, actor, id| approvals::request(change, actor, id, new, requested)).await
    }

    async fn decided(&self, id: &SessionId, call: &CallId) -> StoreResult<Option<Decided>> {
        let call = call.clone();
        self.read_session(id, move |connection, id| approvals::decided(connection, id, &call)).await
    }

    async fn decide(
        &self,
        actor: &Actor,
        id: &SessionId,
        approval: &ApprovalId,
        decision: Decision,
        rule_id: RuleId,
    ) -> StoreResult<Resolution> {
        let approval = approval.clone();
        let decide = move |change: &mut Change<'_>, actor: &Actor, id: &SessionId| {
            approvals::decide(change, actor, id, &approval, decision, rule_id)
        };
        self.write_as(actor, id, decide).await
    }

    async fn rules(&self, id: &SessionId) -> StoreResult<Vec<ApprovalRule>> {
        self.read_session(id, approvals::rules).await
    }

    async fn remove_rule(&self, actor: &Actor, id: &SessionId, rule: &RuleId) -> StoreResult<()> {
        let rule = rule.clone();
        self.write_as(actor, id, move |change, actor, id| approvals::remove_rule(change, actor, id, &rule)).await
    }

    async fn ask(&self, actor: &Actor, id: &SessionId, new: NewQuestion) -> StoreResult<()> {
        self.write_as(actor, id, move |change, actor, id| questions::ask(change, actor, id, new)).await
    }

    async fn question(&self, id: &SessionId, call: &CallId) -> StoreResult<QuestionState> {
        let call = call.clone();
        self.read_session(id, move |connection, id| questions::state(connection, id, &call)).await
    }

    async fn asked(&self, id: &SessionId, question: &QuestionId) -> StoreResult<Asked> {
        let question = question.clone();
        self.read_session(id, move |connection, id| questions::find(connection, id, &question)).await
    }

    async fn answer(
        &self,
        actor: &Actor,
        id: &SessionId,
        question: &QuestionId,
        words: String,
    ) -> StoreResult<Resolution> {
        let question = question.clone();
        self.write_as(actor, id, move |change, actor, id| questions::answer(change, actor, id, &question, &words)).await
    }

    async fn answer_with_message(
        &self,
        actor: &Actor,
        id: &SessionId,
        asked: &Asked,
        new: NewMessage,
    ) -> StoreResult<AcceptOutcome> {
        let asked = asked.clone();
        let answer = move |change: &mut Change<'_>, actor: &Actor, id: &SessionId| {
            questions::answer_with_message(change, actor, id, &asked, &new)
        };
        self.write_as(actor, id, answer).await
    }

    async fn withdraw(&self, id: &SessionId) -> StoreResult<()> {
        self.write_session(id, recover::withdraw).await
    }

    async fn steer(&self, actor: &Actor, id: &SessionId, turn: u32, steering: Steering) -> StoreResult<()> {
        self.write_as(actor, id, move |change, actor, id| steering::add(change, actor, id, turn, &steering)).await
    }

    async fn take_steering(&self, id: &SessionId, turn: u32) -> StoreResult<Vec<Steering>> {
        self.write_session(id, move |change, id| steering::take(change, id, turn)).await
    }

    async fn begin_upload(&self, actor: &Actor, id: &SessionId, new: NewUpload) -> StoreResult<()> {
        self.write_as(actor, id, move |change, actor, id| uploads::begin(change, actor, id, &new)).await
    }

    async fn end_upload(
        &self,
        actor: &Actor,
        id: &SessionId,
        upload: &UploadId,
        files: Vec<EventBody>,
        result: Option<UploadedFile>,
    ) -> StoreResult<()> {
        let upload = upload.clone();
        let end = move |change: &mut Change<'_>, actor: &Actor, id: &SessionId| {
            uploads::end(change, actor, id, &upload, files, result.as_ref())
        };
        self.write_as(actor, id, end).await
    }

    async fn upload(&self, id: &SessionId, upload: &UploadId) -> StoreResult<StoredUpload> {
        let upload = upload.clone();
        self.read_session(id, move |connection, id| uploads::find(connection, id, &upload)).await
    }

    async fn keep_received(
        &self,
        id: &SessionId,
        upload: &UploadId,
        received: u64,
        expires: Timestamp,
    ) -> StoreResult<()> {
        let (upload, expires) = (upload.clone(), rfc3339(expires));
        self.write_session(id, move |change, _| uploads::received(change.connection, &upload, received, &expires)).await
    }

    async fn uploads(&self) -> StoreResult<Vec<StoredUpload>> {
        self.readers.read(|connection, _| uploads::all(connection)).await
    }

    async fn forget_upload(&self, upload: &UploadId) -> StoreResult<()> {
        let upload = upload.clone();
        self.writer.write(move |change| uploads::forget(change.connection, &upload)).await
    }

    async fn tell_uploads(&self, id: &SessionId) -> StoreResult<Option<String>> {
        self.write_session(id, uploads::tell).await
    }

    async fn set_tasks(&self, id: &SessionId, tasks: Vec<Task>) -> StoreResult<()> {
        self.write_session(id, move |change, id| tasks::set(change, id, &tasks)).await
    }

    async fn recall(&self, id: &SessionId, recall: Recall) -> StoreResult<Vec<Recalled>> {
        self.write_session(id, |change, id| recall::index(change, id)).await?;
        self.read_session(id, move |connection, id| recall::find(connection, id, &recall)).await
    }

    async fn call_id_used(&self, id: &SessionId, call: &CallId) -> StoreResult<bool> {
        let call = call.clone();
        self.read_session(id, move |connection, id| calls::id_used(connection, id, &call)).await
    }
}
