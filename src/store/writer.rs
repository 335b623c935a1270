//! The writer: one thread that owns the one writing connection and commits changes in groups.
//!
//! A commit costs an fsync, so changes that arrive together share one. A change that fails is rolled back alone, to
//! its savepoint. Records are published and callers answered after the commit, in its order.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    chain::{self, ChainKey, Link},
    failure,
    retention::Retention,
};
use crate::{
    agent::ports::{
        clock::Clock,
        store::{Publish, StoreError, StoreResult},
    },
    protocol::{Record, Seq, SessionId},
    redaction::Redaction,
};

/// Changes that one commit holds at most: enough that fsync no longer counts, few enough that nobody waits long.
const GROUP_LIMIT: usize = 256;

/// Changes that wait for the writer before callers wait to hand in theirs.
const WAITING_LIMIT: usize = 1024;

/// Pages of the WAL (4 KiB each) that are not in the database yet when a checkpoint is due, as SQLite's own default.
const CHECKPOINT_PAGES: i64 = 1000;

/// A change while it is made: the open transaction, and what it will publish.
pub(super) struct Change<'c> {
    pub connection: &'c Connection,
    pub zone: &'c TimeZone,
    pub now: Timestamp,
    pub rules: &'c Rules,
    records: Vec<(SessionId, Arc<Record>, Link)>,
    heads: &'c Heads,
}

/// Where the chains end that were written to: of committed rows, which are written by this thread alone.
type Heads = BTreeMap<SessionId, (Seq, Link)>;

impl Change<'_> {
    /// The seq and the link of the session's last event.
    pub fn last_event(&self, session: &SessionId) -> rusqlite::Result<Option<(Seq, Link)>> {
        let written = self.records.iter().rev().find(|(of, ..)| of == session);
        let known = written.map(|(_, record, link)| (record.event.seq, *link)).or(self.heads.get(session).copied());
        known.map_or_else(|| chain::last(self.connection, session), |last| Ok(Some(last)))
    }

    /// Hands `record` to [`Publish`] once the change is committed. `link` is that of its row.
    pub fn publish(&mut self, session: &SessionId, record: Record, link: Link) {
        self.records.push((session.clone(), Arc::new(record), link));
    }
}

/// What the writer works with.
pub(super) struct Setting {
    pub connection: Connection,
    pub zone: TimeZone,
    pub publish: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    pub rules: Rules,
}

/// How the log is written.
pub(super) struct Rules {
    pub key: ChainKey,
    pub redaction: Arc<Redaction>,
    pub retention: Retention,
}

/// The handle of the thread. Dropping it waits until everything that was handed in is committed.
pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Cancelled when a fault of the disk or of ours has ended all writing.
    failed: CancellationToken,
}

impl Writer {
    /// `lock` is released when the connection is closed, and so when nothing is written any more.
    pub fn start(setting: Setting, lock: File) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel(WAITING_LIMIT);
        let failed = CancellationToken::new();
        let desk = Desk { setting, jobs, failed: failed.clone(), heads: BTreeMap::new() };
        let at_panic = failed.clone().drop_guard();
        let run = move || {
            desk.run();
            at_panic.disarm();
            drop(lock);
        };
        let thread = thread::Builder::new().name("cowork-store".into()).spawn(run)?;
        Ok(Self { jobs: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), failed })
    }

    pub fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Runs `work` in a transaction; when this returns `Ok`, it is durable and published. A caller that stops
    /// waiting does not stop the work.
    pub async fn write<R, W>(&self, work: W) -> StoreResult<R>
    where
        R: Send + 'static,
        W: FnOnce(&mut Change<'_>) -> StoreResult<R> + Send + 'static,
    {
        let jobs = lock(&self.jobs).clone().ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        jobs.send(Box::new(Task { state: State::Waiting(work), reply })).await.map_err(|_| StoreError::Closed)?;
        // The thread ends when no sender is left, so none is kept while waiting.
        drop(jobs);
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Takes no more work, finishes what is there, and waits for the thread. Blocks.
    pub fn stop(&self) {
        drop(lock(&self.jobs).take());
        let Some(thread) = lock(&self.thread).take() else { return };
        if thread.join().is_err() {
            tracing::error!("the store's writer ended with a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the group that a job was in ended.
enum Verdict {
    Committed,
    /// Nothing of the group was kept.
    Lost(String),
    Closed,
}

trait Job: Send {
    /// Does the work and keeps its result; whether it succeeded.
    fn run(&mut self, change: &mut Change<'_>) -> bool;
    fn answer(self: Box<Self>, verdict: &Verdict);
}

struct Task<W, R> {
    state: State<W, R>,
    reply: oneshot::Sender<StoreResult<R>>,
}

enum State<W, R> {
    Waiting(W),
    Running,
    Done(StoreResult<R>),
}

impl<W, R> Job for Task<W, R>
where
    R: Send,
    W: FnOnce(&mut Change<'_>) -> StoreResult<R> + Send,
{
    fn run(&mut self, change: &mut Change<'_>) -> bool {
        let State::Waiting(work) = std::mem::replace(&mut self.state, State::Running) else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| work(change))).unwrap_or_else(|_| {
            Err(StoreError::Failed("Saving hit a fault of this program; nothing of it was kept.".into()))
        });
        let succeeded = result.is_ok();
        self.state = State::Done(result);
        succeeded
    }

    fn answer(self: Box<Self>, verdict: &Verdict) {
        let result = match (self.state, verdict) {
            (State::Done(Err(error)), _) => Err(error),
            (State::Done(Ok(value)), Verdict::Committed) => Ok(value),
            (_, Verdict::Lost(why)) => Err(StoreError::Failed(why.clone())),
            (_, Verdict::Committed | Verdict::Closed) => Err(StoreError::Closed),
        };
        // The caller may have gone; the work stands all the same.
        let _ = self.reply.send(result);
    }
}

/// The thread's side.
struct Desk {
    setting: Setting,
    jobs: mpsc::Receiver<Box<dyn Job>>,
    /// Cancelled after a failed fsync: what the system then holds of the file is unknown, so nothing more is written or
    /// promised.
    failed: CancellationToken,
    heads: Heads,
}

impl Desk {
    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            if self.failed.is_cancelled() {
                first.answer(&Verdict::Closed);
                continue;
            }
            self.serve(first);
            self.checkpoint("PASSIVE", CHECKPOINT_PAGES);
        }
        self.checkpoint("TRUNCATE", 0);
        for (session, (seq, link)) in &self.heads {
            tracing::info!(%session, seq, head = chain::hex(link), "the log ends here");
        }
    }

    fn serve(&mut self, first: Box<dyn Job>) {
        let mut group = Vec::new();
        let verdict = match self.commit(first, &mut group) {
            Ok(records) => {
                self.publish(records);
                Verdict::Committed
            }
            Err(error) => {
                self.note(&error);
                Verdict::Lost(failure::text(&error))
            }
        };
        for job in group {
            job.answer(&verdict);
        }
    }

    /// One transaction of `first` and what waits behind it. Every job that was taken ends up in `group`.
    fn commit(
        &mut self,
        first: Box<dyn Job>,
        group: &mut Vec<Box<dyn Job>>,
    ) -> rusqlite::Result<Vec<(SessionId, Arc<Record>)>> {
        let Setting { connection, zone, clock, rules, publish } = &mut self.setting;
        let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(error) => {
                group.push(first);
                return Err(error);
            }
        };
        let (now, heads) = (clock.now(), &self.heads);
        let mut change = Change { connection: &transaction, zone, now, rules, records: Vec::new(), heads };
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            change.now = clock.now();
            // The first can be taken back with the transaction: a savepoint would keep a copy of each page that changes.
            let is_first = group.is_empty();
            let done = if is_first { run(&mut *job, &mut change) } else { run_in_savepoint(&mut *job, &mut change) };
            group.push(job);
            if !done? && is_first {
                return Ok(Vec::new());
            }
            if group.len() < GROUP_LIMIT {
                next = self.jobs.try_recv().ok();
            }
        }
        let records = change.records;
        let heads: Heads =
            records.iter().map(|(session, record, link)| (session.clone(), (record.event.seq, *link))).collect();
        for (session, (seq, link)) in &heads {
            chain::keep_head(&transaction, &rules.key, session.as_str(), *seq, link)?;
        }
        let asked = Instant::now();
        transaction.commit()?;
        publish.committed(asked.elapsed());
        self.heads.extend(heads);
        Ok(records.into_iter().map(|(session, record, _)| (session, record)).collect())
    }

    fn publish(&self, mut records: Vec<(SessionId, Arc<Record>)>) {
        // Stable, so each session's records stay in the order of their seq.
        records.sort_by(|(one, _), (other, _)| one.cmp(other));
        for run in records.chunk_by(|(one, _), (other, _)| one == other) {
            let of_session: Vec<_> = run.iter().map(|(_, record)| record.clone()).collect();
            let publish = || self.setting.publish.publish(&run[0].0, &of_session);
            if catch_unwind(AssertUnwindSafe(publish)).is_err() {
                tracing::error!(session = %run[0].0, "publishing committed events panicked; readers find them in the store");
            }
        }
    }

    fn note(&mut self, error: &rusqlite::Error) {
        if leaves_the_file_unknown(error) {
            self.failed.cancel();
            tracing::error!(%error, "the disk failed while the database was written; the store takes no more writes");
        } else {
            tracing::warn!(%error, "a group of changes was not committed");
        }
    }

    /// Moves the WAL into the database once at least `due` of its pages are not there yet.
    fn checkpoint(&mut self, mode: &str, due: i64) {
        if self.failed.is_cancelled() {
            return;
        }
        if let Err(error) = checkpoint(&self.setting.connection, mode, due) {
            self.note(&error);
        }
    }
}

/// Runs `job` under its own savepoint; whether it succeeded.
fn run_in_savepoint(job: &mut dyn Job, change: &mut Change<'_>) -> rusqlite::Result<bool> {
    let connection = change.connection;
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    execute("SAVEPOINT job")?;
    let published = change.records.len();
    let succeeded = run(job, change)?;
    if !succeeded {
        change.records.truncate(published);
        execute("ROLLBACK TO job")?;
    }
    execute("RELEASE job")?;
    Ok(succeeded)
}

/// Whether `job` succeeded. An error is the group's: on a full or failing disk SQLite gives up the whole transaction.
fn run(job: &mut dyn Job, change: &mut Change<'_>) -> rusqlite::Result<bool> {
    let succeeded = job.run(change);
    if !succeeded && change.connection.is_autocommit() {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), None));
    }
    Ok(succeeded)
}

fn checkpoint(connection: &Connection, mode: &str, due: i64) -> rusqlite::Result<()> {
    let pages = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    let waiting = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], pages)?;
    if waiting < due {
        return Ok(());
    }
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

/// After a failed fsync the system may have dropped the data and report success the next time. A full disk is
/// something else, also where it shows as an I/O error of the shared-memory file: it can be mended.
fn leaves_the_file_unknown(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(code, _) = error else { return false };
    match code.code {
        ErrorCode::SystemIoFailure => code.extended_code != ffi::SQLITE_IOERR_SHMSIZE,
        ErrorCode::DatabaseCorrupt => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
