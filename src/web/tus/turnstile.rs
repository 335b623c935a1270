//! One request at a time for each upload, and the newest goes first: a client that comes back after its connection
//! broke does not wait for the old one to be noticed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::protocol::UploadId;

#[derive(Default)]
pub struct Turnstile {
    uploads: Mutex<HashMap<UploadId, Gate>>,
}

#[derive(Clone, Default)]
struct Gate {
    lock: Arc<tokio::sync::Mutex<()>>,
    /// Asks whoever came last to leave.
    leave: CancellationToken,
}

/// The place of a request; the next one comes in when it is dropped.
pub struct Inside<'a> {
    turnstile: &'a Turnstile,
    upload: UploadId,
    /// Cancelled when another one wants in.
    pub leave: CancellationToken,
    place: Option<OwnedMutexGuard<()>>,
}

impl Turnstile {
    pub async fn enter(&self, upload: &UploadId) -> Inside<'_> {
        let leave = CancellationToken::new();
        let lock = {
            let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = uploads.entry(upload.clone()).or_default();
            std::mem::replace(&mut gate.leave, leave.clone()).cancel();
            gate.lock.clone()
        };
        let place = Some(lock.lock_owned().await);
        Inside { turnstile: self, upload: upload.clone(), leave, place }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut uploads = self.turnstile.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        self.place = None;
        // Nobody else holds or waits for the lock.
        if uploads.get(&self.upload).is_some_and(|gate| Arc::strong_count(&gate.lock) == 1) {
            uploads.remove(&self.upload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_asks_the_others_to_leave_and_nothing_is_kept() {
        let (turnstile, upload) = (Turnstile::default(), UploadId::new("u"));
        let first = turnstile.enter(&upload).await;
        let (second, left) = tokio::join!(turnstile.enter(&upload), async {
            first.leave.cancelled().await;
            drop(first);
            true
        });
        assert!(left && !second.leave.is_cancelled());
        drop(second);
        assert!(turnstile.uploads.lock().unwrap().is_empty());
    }
}
