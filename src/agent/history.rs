//! What a session holds, and how it is watched.

use std::sync::Arc;

use super::{Agent, feed::Feed, ports::store::TurnWindow, sessions::check_limit, store_failed};
use crate::protocol::{ApiError, EventPage, QueuedMessage, Record, Seq, Session, SessionId, TurnPage};

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
}
