use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures::poll;

use super::*;
use crate::{
    protocol::{Actor, Event, EventBody, InterruptReason},
    store::{
        schema,
        testing::{Published, StandingClock, berlin, session_id},
    },
};

struct Bench {
    writer: Writer,
    published: Arc<Published>,
    /// Makes every commit fail.
    refuse: Arc<AtomicBool>,
    commits: Arc<AtomicUsize>,
    folder: tempfile::TempDir,
}

/// A fault of ours in the writer itself.
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken")
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(StandingClock::at("2026-07-01T10:00:00Z"))
    }

    fn with(clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let tables =
            "CREATE TABLE t (x UNIQUE); CREATE TABLE cowork_web_chains (session_id PRIMARY KEY, head_seq, head)";
        Connection::open(&path).unwrap().execute_batch(tables).unwrap();
        let mut connection = schema::open_writer(&path, Duration::from_millis(10)).unwrap();
        let refuse = Arc::new(AtomicBool::new(false));
        let commits = Arc::new(AtomicUsize::new(0));
        let (refused, counted) = (refuse.clone(), commits.clone());
        let hook = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            refused.load(Ordering::SeqCst)
        };
        connection.commit_hook(Some(hook)).unwrap();
        let published = Arc::new(Published::default());
        let rules =
            Rules { key: ChainKey::of(b"key").unwrap(), redaction: Arc::default(), retention: Retention::default() };
        let setting = Setting { connection, zone: berlin(), publish: published.clone(), clock, rules };
        let lock = File::create(folder.path().join("lock")).unwrap();
        Self { writer: Writer::start(setting, lock).unwrap(), published, refuse, commits, folder }
    }

    fn values(&self) -> Vec<i64> {
        let connection = Connection::open(self.folder.path().join("a.db")).unwrap();
        let mut statement = connection.prepare("SELECT x FROM t ORDER BY rowid").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// A change that inserts `value` and publishes it as a seq.
    async fn insert(&self, value: i64) -> StoreResult<()> {
        self.writer.write(move |change| insert(change, value)).await
    }

    /// Runs `writes` so that they share one group: the writer is held until all of them are handed in.
    async fn together(&self, writes: Vec<Write<'_>>) -> Vec<StoreResult<()>> {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let mut gate = Box::pin(self.writer.write(move |_| wait.recv().map_err(|_| StoreError::Closed)));
        assert!(poll!(&mut gate).is_pending());
        let mut writes = writes;
        for write in &mut writes {
            // Without tokio's budget, which would keep the 129th from being handed in.
            assert!(poll!(tokio::task::unconstrained(write)).is_pending());
        }
        go.send(()).unwrap();
        let _ = gate.await;
        futures::future::join_all(writes).await
    }
}

type Write<'a> = Pin<Box<dyn Future<Output = StoreResult<()>> + 'a>>;

fn insert(change: &mut Change<'_>, value: i64) -> StoreResult<()> {
    change.connection.execute("INSERT INTO t VALUES (?1)", [value])?;
    let body = EventBody::TurnInterrupted { turn: 1, reason: InterruptReason::Stopped, detail: String::new() };
    let event = Event { seq: value as u64, body, created_at: String::new(), actor: Actor::system() };
    change.publish(&session_id('a'), Record { event, text: None }, [0; 32]);
    Ok(())
}

#[tokio::test]
async fn a_write_is_committed_and_published_when_it_returns() {
    let bench = Bench::new();
    bench.insert(1).await.unwrap();
    assert_eq!(bench.values(), [1]);
    assert_eq!(bench.published.sequences(&session_id('a')), [1]);
}

#[tokio::test]
async fn writes_that_wait_together_share_a_commit_and_are_published_in_their_order() {
    let bench = Bench::new();
    let writes = (1..=200).map(|value| Box::pin(bench.insert(value)) as Write<'_>).collect();
    for answer in bench.together(writes).await {
        answer.unwrap();
    }
    assert_eq!(bench.commits.load(Ordering::SeqCst), 1);
    assert_eq!(bench.values(), (1..=200).collect::<Vec<_>>());
    assert_eq!(bench.published.sequences(&session_id('a')), (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_group_is_committed_when_it_is_full() {
    let bench = Bench::new();
    let writes = (1..=600).map(|value| Box::pin(bench.insert(value)) as Write<'_>).collect();
    for answer in bench.together(writes).await {
        answer.unwrap();
    }
    assert_eq!(bench.commits.load(Ordering::SeqCst), 3);
    assert_eq!(bench.published.sequences(&session_id('a')), (1..=600).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_that_fails_is_rolled_back_alone() {
    let bench = Bench::new();
    let failing = bench.writer.write(|change| {
        insert(change, 2)?;
        Err::<(), _>(StoreError::NoMessage)
    });
    let writes: Vec<Write<'_>> =
        vec![Box::pin(bench.insert(1)), Box::pin(failing), Box::pin(bench.insert(1)), Box::pin(bench.insert(3))];
    let answers = bench.together(writes).await;
    assert!(answers[0].is_ok());
    assert!(matches!(answers[1], Err(StoreError::NoMessage)));
    assert!(matches!(&answers[2], Err(StoreError::Failed(why)) if why.contains("UNIQUE")), "{:?}", answers[2]);
    assert!(answers[3].is_ok());
    assert_eq!(bench.values(), [1, 3]);
    assert_eq!(bench.published.sequences(&session_id('a')), [1, 3]);
}

#[tokio::test]
async fn a_panic_in_a_change_is_its_own_failure() {
    let bench = Bench::new();
    let panicking = bench.writer.write(|change| {
        insert(change, 2)?;
        panic!("a fault in a change")
    });
    let writes: Vec<Write<'_>> = vec![Box::pin(bench.insert(1)), Box::pin(panicking), Box::pin(bench.insert(3))];
    let answers = bench.together(writes).await;
    assert!(matches!(answers[1], Err(StoreError::Failed(_))));
    assert_eq!(bench.values(), [1, 3]);
    bench.insert(4).await.unwrap();
}

#[tokio::test]
async fn a_writer_that_dies_acknowledges_nothing_and_says_so() {
    let bench = Bench::with(Arc::new(BrokenClock));
    assert!(!bench.writer.failed().is_cancelled());
    assert!(matches!(bench.insert(1).await, Err(StoreError::Closed)));
    bench.writer.failed().cancelled().await;
    assert!(matches!(bench.insert(2).await, Err(StoreError::Closed)));
    assert_eq!(bench.values(), [] as [i64; 0]);
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_all_and_publishes_nothing() {
    let bench = Bench::new();
    bench.refuse.store(true, Ordering::SeqCst);
    let writes: Vec<Write<'_>> = vec![Box::pin(bench.insert(1)), Box::pin(bench.insert(2))];
    for answer in bench.together(writes).await {
        assert!(matches!(answer, Err(StoreError::Failed(_))), "{answer:?}");
    }
    assert!(bench.published.of(&session_id('a')).is_empty());
    bench.refuse.store(false, Ordering::SeqCst);
    bench.insert(3).await.unwrap();
    assert_eq!(bench.values(), [3]);
}

#[tokio::test]
async fn a_full_disk_is_a_plain_error_and_writes_succeed_again_when_there_is_room() {
    let bench = Bench::new();
    let set_limit = |pages: i64| {
        bench.writer.write(move |change| {
            change.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok(())
        })
    };
    set_limit(3).await.unwrap();
    let big = |change: &mut Change<'_>| {
        change.connection.execute("INSERT INTO t VALUES (zeroblob(100000))", [])?;
        Ok(())
    };
    let full = bench.writer.write(big).await.unwrap_err();
    assert!(full.to_string().contains("disk with the database is full"), "{full}");
    set_limit(10_000).await.unwrap();
    bench.writer.write(big).await.unwrap();
}

#[tokio::test]
async fn a_database_that_another_program_locks_is_a_plain_error_after_a_bounded_wait() {
    let bench = Bench::new();
    let other = Connection::open(bench.folder.path().join("a.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = bench.insert(1).await.unwrap_err();
    assert!(busy.to_string().contains("keeps the database locked"), "{busy}");
    other.execute_batch("ROLLBACK").unwrap();
    bench.insert(1).await.unwrap();
}

#[tokio::test]
async fn stopping_finishes_what_was_handed_in_and_takes_nothing_more() {
    let bench = Bench::new();
    let mut waiting: Vec<Write<'_>> = (1..=50).map(|value| Box::pin(bench.insert(value)) as Write<'_>).collect();
    for write in &mut waiting {
        let _ = poll!(write);
    }
    bench.writer.stop();
    for answer in futures::future::join_all(waiting).await {
        answer.unwrap();
    }
    assert_eq!(bench.values().len(), 50);
    assert!(matches!(bench.insert(51).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn the_log_is_moved_into_the_database_before_it_grows_without_bound() {
    let bench = Bench::new();
    let big = |change: &mut Change<'_>| {
        change.connection.execute("INSERT INTO t VALUES (randomblob(1000000))", [])?;
        Ok(())
    };
    for _ in 0..40 {
        bench.writer.write(big).await.unwrap();
    }
    let log = std::fs::metadata(bench.folder.path().join("a.db-wal")).unwrap().len();
    assert!(log < 16_000_000, "{log} bytes of log after 40 MB of writes");
}

#[test]
fn only_an_io_error_or_damage_ends_the_writing() {
    let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
    assert!(leaves_the_file_unknown(&error(ffi::SQLITE_IOERR_FSYNC)));
    assert!(leaves_the_file_unknown(&error(ffi::SQLITE_IOERR_WRITE)));
    assert!(leaves_the_file_unknown(&error(ffi::SQLITE_CORRUPT)));
    for mendable in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_CONSTRAINT] {
        assert!(!leaves_the_file_unknown(&error(mendable)), "{mendable}");
    }
}
