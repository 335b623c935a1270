//! What a session holds, and how it is watched.

use std::{path::PathBuf, sync::Arc};

use super::{
    Agent, blocking,
    feed::Feed,
    ports::{changes::Changes, store::TurnWindow},
    sessions::check_limit,
    store_failed,
};
use crate::protocol::{
    Actor, ApiError, CallId, ChangeList, ErrorCode, Event, EventBody, EventPage, QueuedMessage, Record, Seq, Session,
    SessionId, Status, TurnPage, UndoAnswer,
    transcript::{Call, CallState},
};

impl Agent {
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

    pub async fn recent_uploads(&self, id: &SessionId, limit: u32) -> Result<Vec<Event>, ApiError> {
        self.parts.store.recent_uploads(id, limit).await.map_err(store_failed)
    }

    pub async fn records(&self, id: &SessionId, cursor: Seq, limit: u32) -> Result<Vec<Arc<Record>>, ApiError> {
        self.parts.store.records(id, cursor, limit).await.map_err(store_failed)
    }

    pub async fn records_from_turn(&self, id: &SessionId, turn: u32) -> Result<Vec<Arc<Record>>, ApiError> {
        self.parts.store.records_from_turn(id, turn).await.map_err(store_failed)
    }

    /// The events of the turns from the first to the last.
    pub async fn records_of_turns(&self, id: &SessionId, turns: (u32, u32)) -> Result<Vec<Arc<Record>>, ApiError> {
        self.parts.store.records_of_turns(id, turns).await.map_err(store_failed)
    }

    /// All that a call has put out; events and pages hold its beginning.
    pub async fn call_output(&self, id: &SessionId, turn: u32, call: &CallId) -> Result<String, ApiError> {
        let result = self.parts.store.call_result(id, turn, call).await.map_err(store_failed)?;
        let missing = "This call has no result. It may still run. Reload the session.";
        result.map(|result| result.output).ok_or_else(|| ApiError::new(ErrorCode::NotFound, missing))
    }

    pub async fn queue(&self, id: &SessionId) -> Result<Vec<QueuedMessage>, ApiError> {
        self.parts.store.queue(id).await.map_err(store_failed)
    }

    pub async fn queue_held(&self, id: &SessionId) -> Result<bool, ApiError> {
        let session = self.parts.store.session(id).await.map_err(store_failed)?;
        session.map(|session| session.queue_held).ok_or_else(ApiError::session_not_found)
    }

    /// What a turn did to files.
    pub async fn changes(&self, id: &SessionId, turn: u32) -> Result<ChangeList, ApiError> {
        let (changes, workspace, data) = self.place_of_changes(id, turn).await?;
        blocking(move || changes.list(&workspace, &data)).await
    }

    /// Shows what a call that waits would change of a file that is there, as it is now.
    pub async fn foresee(&self, id: &SessionId, call: &mut Call) {
        if call.state != CallState::Waiting || call.approval.is_none() {
            return;
        }
        let Some(tool) = self.parts.tools.tools().get(&call.name).cloned() else { return };
        let Ok(session) = self.session(id).await else { return };
        let args = call.args.clone();
        // What can't be told is left out: the card shows the arguments then.
        let foreseen = blocking(move || Ok(tool.foresee(&args, session.workspace.as_ref()))).await;
        call.diff = foreseen.ok().and_then(Result::ok).flatten();
    }

    /// Takes back what a turn did to files: all of it, or what is named. What somebody changed since stays.
    pub async fn undo(
        &self,
        actor: &Actor,
        id: &SessionId,
        turn: u32,
        paths: Option<Vec<String>>,
    ) -> Result<UndoAnswer, ApiError> {
        let session = self.session(id).await?;
        if session.status != Status::Idle {
            let detail = "A turn runs in this session and may be changing the same files. Nothing was taken back. Stop it, or wait for its end.";
            return Err(ApiError::new(ErrorCode::TurnRunning, detail));
        }
        let (changes, workspace, data) = self.place_of_changes(id, turn).await?;
        let undone = blocking(move || changes.undo(&workspace, &data, paths.as_deref())).await?;
        if undone != UndoAnswer::default() {
            let conflicts = undone.conflicts.iter().map(|conflict| conflict.path.clone()).collect();
            let event = EventBody::ChangesUndone { turn, restored: undone.restored.clone(), conflicts };
            self.parts.store.record(actor, id, vec![event]).await.map_err(store_failed)?;
        }
        Ok(undone)
    }

    async fn place_of_changes(
        &self,
        id: &SessionId,
        turn: u32,
    ) -> Result<(Arc<dyn Changes>, PathBuf, PathBuf), ApiError> {
        let session = self.session(id).await?;
        if turn == 0 || turn > session.turn_count {
            let detail = format!("There is no turn {turn} in this session; it has {}.", session.turn_count);
            return Err(ApiError::new(ErrorCode::NotFound, detail));
        }
        Ok((self.parts.changes.clone(), PathBuf::from(session.workspace), self.parts.turn_data(id, turn)))
    }

    /// The session and its feed, for one who wants to watch.
    pub async fn watch(&self, id: &SessionId) -> Result<(Session, Arc<Feed>), ApiError> {
        let feed = self.parts.feeds.open(id);
        // Read after the feed is registered: what is committed from here on reaches it.
        let session = self.session(id).await?;
        feed.prime(session.head_seq);
        Ok((session, feed))
    }
}
