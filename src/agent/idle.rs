//! Sessions that nobody uses leave memory: all that they are is in the store, and the next command or watcher brings
//! them back. Old events leave the log on the same rounds.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::sleep};

use super::{Agent, AgentParts, feed::Feed, session::Told};
use crate::protocol::SessionId;

/// Between two looks for idle sessions: they leave at most so much later than they could.
const ROUND: Duration = Duration::from_secs(60);
/// Rounds between two looks for old events, which are days old when they leave.
const ROUNDS_OF_RETENTION: u32 = 60;

/// Who sits in memory.
pub type Seats = Mutex<HashMap<SessionId, Seat>>;

/// A session's actor and what tells whether it is needed.
pub struct Seat {
    mailbox: mpsc::Sender<Told>,
    feed: Arc<Feed>,
    presence: Arc<Presence>,
}

/// What an actor shows of itself.
#[derive(Default)]
pub struct Presence {
    /// It has a command in hand, a turn, or a message that it is about to start.
    busy: AtomicBool,
    /// When it was last needed, by the clock that never goes back.
    used: Mutex<Duration>,
}

impl Presence {
    pub fn set(&self, busy: bool, now: Duration) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.busy.store(busy, Ordering::SeqCst);
    }

    fn rests_since(&self, now: Duration) -> Option<Duration> {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (!self.busy.load(Ordering::SeqCst)).then(|| now.saturating_sub(used))
    }
}

impl Seat {
    pub fn new(mailbox: mpsc::Sender<Told>, feed: Arc<Feed>, presence: Arc<Presence>) -> Self {
        Self { mailbox, feed, presence }
    }

    /// Who holds the mailbox is about to hand in a command, so the actor stays.
    pub fn mailbox(&self) -> mpsc::Sender<Told> {
        self.mailbox.clone()
    }

    fn is_idle(&self, now: Duration, after: Duration) -> bool {
        self.mailbox.strong_count() == 1
            && !self.feed.is_watched()
            && self.presence.rests_since(now).is_some_and(|rest| rest >= after)
    }
}

impl Agent {
    /// Lets go of sessions that rested for long enough, and tells how many.
    pub async fn evict_idle(&self) -> usize {
        evict(&self.parts, &self.actors).await
    }

    /// Looks after memory and the log as long as the agent lives.
    pub(super) fn keep_house(&self) {
        let (parts, actors) = (Arc::downgrade(&self.parts), Arc::downgrade(&self.actors));
        tokio::spawn(async move {
            for round in 0_u32.. {
                let (Some(parts), Some(actors)) = (parts.upgrade(), actors.upgrade()) else { return };
                if round.is_multiple_of(ROUNDS_OF_RETENTION)
                    && let Err(error) = parts.store.retain().await
                {
                    tracing::warn!(%error, "old events stay until the next round");
                }
                evict(&parts, &actors).await;
                drop((parts, actors));
                sleep(ROUND).await;
            }
        });
    }
}

async fn evict(parts: &AgentParts, seats: &Seats) -> usize {
    let (now, after) = (parts.clock.elapsed(), parts.limits.idle_after);
    let lock = || seats.lock().unwrap_or_else(PoisonError::into_inner);
    let idle: Vec<_> = lock().iter().filter(|(_, seat)| seat.is_idle(now, after)).map(|(id, _)| id.clone()).collect();
    let mut left = 0;
    for id in idle {
        // A session that is gone has no queue and no need of its seat.
        let waits = parts.store.queue(&id).await.is_ok_and(|queue| !queue.is_empty());
        let mut seats = lock();
        if !waits && seats.get(&id).is_some_and(|seat| seat.is_idle(now, after)) {
            seats.remove(&id);
            left += 1;
        }
    }
    if left > 0 {
        tracing::debug!(left, "idle sessions left memory");
    }
    left
}
