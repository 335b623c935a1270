//! The relay's rows: those that Cowork writes at the same two points, in the same tables, with the same promise
//! (WAL, `synchronous=FULL`) and the same grouping of commits. Counters stand in memory, so nothing is read.

use std::{path::Path, sync::Arc, thread};

use cowork::{agent::ports::clock::SystemClock, store::SqliteStore};
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::log::Nobody;

/// The same limits as Cowork's writer has.
const GROUP_LIMIT: usize = 256;
const CHECKPOINT_PAGES: i64 = 1000;
/// `session_started`; then these of every turn: message received, turn started, model call, message completed, turn
/// completed.
const EVENTS_BEFORE: u32 = 1;
const EVENTS_OF_TURN: u32 = 5;
const ACTOR: &str = r#"{"kind":"person","name":"local"}"#;
/// In the place of a row's link and of a chain's head: as long as they are, and not computed.
const LINK: [u8; 32] = [7; 32];

pub enum Change {
    Created { session: String },
    Begun { session: String, turn: u32, text: String },
    Ended { session: String, turn: u32, text: String },
}

struct Job {
    change: Change,
    committed: oneshot::Sender<()>,
}

#[derive(Clone)]
pub struct Rows(mpsc::Sender<Job>);

impl Rows {
    /// Cowork itself makes the tables, with their indexes.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let store = SqliteStore::open(path, Arc::new(Nobody), Arc::new(SystemClock))?;
        store.close().await?;
        let connection = Connection::open(path)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", false)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let (sender, jobs) = mpsc::channel(1024);
        thread::spawn(move || {
            if let Err(error) = write(connection, jobs) {
                eprintln!("the relay's rows could not be written: {error}");
                std::process::exit(1);
            }
        });
        Ok(Self(sender))
    }

    /// Returns when the change is durable.
    pub async fn commit(&self, change: Change) -> anyhow::Result<()> {
        let (committed, done) = oneshot::channel();
        self.0.send(Job { change, committed }).await?;
        Ok(done.await?)
    }
}

fn write(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) -> rusqlite::Result<()> {
    while let Some(first) = jobs.blocking_recv() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut group, mut next) = (Vec::new(), Some(first));
        while let Some(job) = next.take() {
            insert(&transaction, &job.change)?;
            group.push(job.committed);
            if group.len() < GROUP_LIMIT {
                next = jobs.try_recv().ok();
            }
        }
        transaction.commit()?;
        // A caller that has gone needs no answer.
        for committed in group {
            let _ = committed.send(());
        }
        checkpoint(&connection)?;
    }
    Ok(())
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let waiting = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    if connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], waiting)? >= CHECKPOINT_PAGES {
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(())
}

fn insert(rows: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    let now = Timestamp::now().to_string();
    match change {
        Change::Created { session } => {
            let sql = "INSERT INTO cowork_sessions (id, workspace_path, model_name, started_at, last_active_at)
                       VALUES (?1, '/', 'bench', ?2, ?2)";
            rows.prepare_cached(sql)?.execute(params![session, now])?;
            rows.prepare_cached("INSERT INTO cowork_web_sessions (session_id) VALUES (?1)")?.execute([session])?;
            event(rows, session, None, 1, "session_started", &now)?;
            head(rows, session, 1)
        }
        Change::Begun { session, turn, text } => {
            let seq = EVENTS_BEFORE + EVENTS_OF_TURN * (turn - 1);
            event(rows, session, Some(*turn), seq + 1, "user_message_received", &now)?;
            let sql = "INSERT INTO cowork_web_messages (message_id, session_id, text_hash, accepted_turn, turn_number,
                       actor, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let (message, hash) = (format!("{session}-{turn}"), "0".repeat(64));
            rows.prepare_cached(sql)?.execute(params![message, session, hash, turn, 2 * turn - 1, ACTOR, now])?;
            event(rows, session, Some(*turn), seq + 2, "turn_started", &now)?;
            turn_row(rows, session, 2 * turn - 1, "user", text, &now)?;
            running(rows, session, Some(*turn))?;
            head(rows, session, seq + 2)
        }
        Change::Ended { session, turn, text } => {
            let seq = EVENTS_BEFORE + EVENTS_OF_TURN * (turn - 1);
            event(rows, session, Some(*turn), seq + 3, "model_call", &now)?;
            let sql = "INSERT INTO cowork_web_usage (person, day, tokens) VALUES ('local', ?1, 10)
                       ON CONFLICT (person, day) DO UPDATE SET tokens = tokens + excluded.tokens";
            rows.prepare_cached(sql)?.execute([&now[..10]])?;
            turn_row(rows, session, 2 * turn, "assistant", text, &now)?;
            event(rows, session, Some(*turn), seq + 4, "message_completed", &now)?;
            running(rows, session, None)?;
            event(rows, session, Some(*turn), seq + 5, "turn_completed", &now)?;
            head(rows, session, seq + 5)
        }
    }
}

fn event(
    rows: &Transaction<'_>,
    session: &str,
    turn: Option<u32>,
    seq: u32,
    kind: &str,
    now: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor, turn, link)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let payload = format!(r#"{{"turn":{turn:?},"message_id":"{session}","model":"bench","bytes":100}}"#);
    rows.prepare_cached(sql)?.execute(params![session, seq, kind, payload, now, ACTOR, turn, LINK])?;
    Ok(())
}

fn head(rows: &Transaction<'_>, session: &str, seq: u32) -> rusqlite::Result<()> {
    let sql = "INSERT INTO cowork_web_chains (session_id, head_seq, head) VALUES (?1, ?2, ?3)
               ON CONFLICT (session_id) DO UPDATE SET head_seq = excluded.head_seq, head = excluded.head";
    rows.prepare_cached(sql)?.execute(params![session, seq, LINK])?;
    Ok(())
}

fn turn_row(
    rows: &Transaction<'_>,
    session: &str,
    number: u32,
    role: &str,
    content: &str,
    now: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO conversation_turns (session_id, turn_number, role, content, token_count, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let tokens = content.len().div_ceil(4) as i64;
    rows.prepare_cached(sql)?.execute(params![session, number, role, content, tokens, now])?;
    let sql = "UPDATE cowork_sessions SET last_active_at = ?2, total_tokens = total_tokens + ?3,
               turn_count = ?4 WHERE id = ?1";
    rows.prepare_cached(sql)?.execute(params![session, now, tokens, number.div_ceil(2)])?;
    Ok(())
}

fn running(rows: &Transaction<'_>, session: &str, turn: Option<u32>) -> rusqlite::Result<()> {
    let sql = "UPDATE cowork_web_sessions SET running_turn = ?2 WHERE session_id = ?1";
    rows.prepare_cached(sql)?.execute(params![session, turn])?;
    Ok(())
}
