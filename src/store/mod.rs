//! What lasts: SQLite, in a file that Loom may share.
//!
//! [`SqliteStore`] implements the agent's store port. All changes go through one writer thread, reads through a few
//! connections of their own. The rooms below are functions over a connection, one per thing that is stored.

mod approvals;
mod backup;
mod calls;
mod census;
mod chain;
mod events;
mod failure;
mod listing;
mod loggable;
mod loom;
mod messages;
mod open;
mod partials;
mod port;
pub mod portable;
mod questions;
mod readers;
mod recall;
mod recover;
mod removal;
mod retention;
mod rows;
mod schema;
mod sessions;
mod sharing;
mod steering;
mod tasks;
mod times;
mod turns;
mod uploads;
mod usage;
mod verify;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, TransactionBehavior};

pub use self::{
    backup::{BackupError, BackupReport, back_up, look},
    open::{OpenError, holds_sessions},
    retention::Retention,
    verify::{LogFile, Verified, VerifyError},
};
use self::{
    chain::ChainKey,
    loggable::Loggable,
    readers::Readers,
    writer::{Rules, Setting, Writer},
};
use crate::{
    agent::ports::{
        clock::{Clock, rfc3339},
        store::{Publish, StoreError, StoreResult},
    },
    protocol::EventBody,
    redaction::Redaction,
};

/// How long a write waits for another program, such as Loom, to let go of the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The store port over one SQLite file. Dropping it waits until all that was handed in is committed.
pub struct SqliteStore {
    // Dropped before the writer, whose connection then is the last one and takes the WAL with it.
    readers: Readers,
    writer: Arc<Writer>,
    redaction: Arc<Redaction>,
    retention: Retention,
    clock: Arc<dyn Clock>,
    /// Of the database's file.
    folder: PathBuf,
    /// When the disk was looked at, and the bytes that were free then.
    free: Mutex<Option<(Instant, u64)>>,
}

/// What the log may hold, and for how long.
#[derive(Clone, Debug, Default)]
pub struct LogPolicy {
    pub redaction: Arc<Redaction>,
    pub retention: Retention,
}

impl SqliteStore {
    /// Opens the database at `path`, made by us or by Loom, and creates it where there is none. Sessions that were
    /// deleted longer ago than they can be restored leave it now.
    pub fn open(path: &Path, publish: Arc<dyn Publish>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_with_policy(path, publish, clock, LogPolicy::default())
    }

    /// [`SqliteStore::open`], with a policy for the log.
    pub fn open_with_policy(
        path: &Path,
        publish: Arc<dyn Publish>,
        clock: Arc<dyn Clock>,
        policy: LogPolicy,
    ) -> Result<Self, OpenError> {
        Self::open_with(path, publish, clock, TimeZone::system(), BUSY_TIMEOUT, policy)
    }

    fn open_with(
        path: &Path,
        publish: Arc<dyn Publish>,
        clock: Arc<dyn Clock>,
        zone: TimeZone,
        busy: Duration,
        policy: LogPolicy,
    ) -> Result<Self, OpenError> {
        // Named as it was given: the configuration derives the same folder from the same path.
        let data = chain::data_folder(path);
        let claimed = open::claim(path)?;
        let path = claimed.path.as_path();
        let mut connection = schema::open_writer(path, busy)?;
        schema::migrate(&mut connection, path, schema::MIGRATIONS)?;
        let key = ChainKey::open(&data)?;
        let sqlite = |error| OpenError::sqlite(path, error);
        chain::adopt(&mut connection, &key, &rfc3339(clock.now())).map_err(sqlite)?;
        purge_expired(&mut connection, clock.now()).map_err(sqlite)?;
        let readers = Readers::open(path, busy, zone.clone())?;
        let LogPolicy { redaction, retention } = policy;
        let rules = Rules { key, redaction: redaction.clone(), retention };
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let setting = Setting { connection, zone, publish, clock: clock.clone(), rules };
        let writer =
            Writer::start(setting, claimed.lock).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        Ok(Self { readers, writer: Arc::new(writer), redaction, retention, clock, folder, free: Mutex::default() })
    }

    /// Ends when nothing can be written any more and only a new start helps: the disk failed, or the writer did.
    pub fn failure(&self) -> impl Future<Output = ()> + Send + use<> {
        self.writer.failed().clone().cancelled_owned()
    }

    pub fn has_failed(&self) -> bool {
        self.writer.failed().is_cancelled()
    }

    /// Makes a large event ready for the log on the caller's thread.
    fn loggable(&self, body: EventBody) -> StoreResult<Loggable> {
        Loggable::new(body, &self.redaction)
    }

    /// Finishes what was handed in, moves the write-ahead log into the database, and ends the writer. From then on
    /// every call is answered `Closed`.
    pub async fn close(&self) -> StoreResult<()> {
        self.readers.close().await;
        let writer = self.writer.clone();
        let stopping = tokio::task::spawn_blocking(move || writer.stop());
        stopping.await.map_err(|_| StoreError::Closed)
    }
}

fn purge_expired(connection: &mut Connection, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    removal::purge_expired(&transaction, now)?;
    transaction.commit()
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod loom_file_tests;
#[cfg(test)]
mod scenario_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod waiting_tests;
