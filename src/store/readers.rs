//! The readers: a few connections that see the last commit and never wait for the writer.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::tz::TimeZone;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{open::OpenError, schema};
use crate::agent::ports::store::{StoreError, StoreResult};

/// Reads at the same time; each costs a connection with its cache.
const READERS: usize = 2;

pub(super) struct Readers {
    free: Arc<Mutex<Vec<Connection>>>,
    /// One permit per free connection; closed with the store.
    permits: Arc<Semaphore>,
    zone: TimeZone,
}

impl Readers {
    pub fn open(path: &Path, busy: Duration, zone: TimeZone) -> Result<Self, OpenError> {
        let connections: rusqlite::Result<Vec<_>> = (0..READERS).map(|_| schema::open_reader(path, busy)).collect();
        let connections = connections.map_err(|error| OpenError::sqlite(path, error))?;
        Ok(Self { free: Arc::new(Mutex::new(connections)), permits: Arc::new(Semaphore::new(READERS)), zone })
    }

    /// Runs `work` on a thread that may block, in one transaction: all its queries see the same commit.
    pub async fn read<R, W>(&self, work: W) -> StoreResult<R>
    where
        R: Send + 'static,
        W: FnOnce(&Connection, &TimeZone) -> StoreResult<R> + Send + 'static,
    {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let lent = Lent { connection: pop(&self.free), free: self.free.clone(), _permit: permit };
        let zone = self.zone.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let connection = lent.connection.as_ref().ok_or(StoreError::Closed)?;
            work(&*connection.unchecked_transaction()?, &zone)
        });
        reading.await.map_err(|_| StoreError::Failed("Reading the database hit a fault of this program.".into()))?
    }

    /// Waits for the reads that run, and closes.
    pub async fn close(&self) {
        let all = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        drop(all);
        while pop(&self.free).is_some() {}
    }
}

/// A connection on loan; it goes back when the read ends, however it ends.
struct Lent {
    connection: Option<Connection>,
    free: Arc<Mutex<Vec<Connection>>>,
    /// Given back after the connection: fields are dropped after `drop` has run.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let free = &mut self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.connection.take());
    }
}

fn pop(free: &Mutex<Vec<Connection>>) -> Option<Connection> {
    free.lock().unwrap_or_else(PoisonError::into_inner).pop()
}
