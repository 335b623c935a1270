//! The log: how many events become durable, how fast a far cursor is served, and what a watcher costs that only waits.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use cowork::{
    agent::ports::{
        clock::SystemClock,
        store::{NewSession, Publish, Store},
    },
    protocol::{Actor, EventBody, Mode, Record, SessionId},
    store::SqliteStore,
};
use futures::{StreamExt, future::try_join_all, stream};
use rusqlite::{Connection, params};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::{
    stats::Series,
    subject::{Memory, Side, Stage, Subject},
};

/// Sessions that write at once.
const WRITERS: usize = 256;
const EVENTS_A_WRITER: usize = 40;
/// Events of one commit, on both sides.
const GROUP: usize = 256;
const REPLAYED: usize = 100_000;
/// Rows that a bare reader takes at once, as Cowork does.
const PAGE: u32 = 256;
const WATCHERS: usize = 5_000;
/// Sockets that are opened at the same time.
const OPENED_AT_ONCE: usize = 64;
/// As the sockets of both servers have.
const BUFFER_BYTES: usize = 4096;

/// One figure of both sides.
#[derive(Default)]
pub struct Compared {
    pub cowork: Series,
    pub bare: Series,
}

pub struct Log {
    /// Durable events a second, 256 sessions at once.
    pub durable: Compared,
    /// Events a second to a client whose cursor is 0.
    pub replay: Compared,
    /// Bytes of memory for each watcher.
    pub watcher: Compared,
}

pub struct Nobody;

impl Publish for Nobody {
    fn publish(&self, _session: &SessionId, _records: &[Arc<Record>]) {}
}

pub async fn compare(stage: &Stage, repeats: usize) -> anyhow::Result<Log> {
    let mut log = Log { durable: Compared::default(), replay: Compared::default(), watcher: Compared::default() };
    let replayed = stage.folder.join("replay.db");
    let (events, watching) = (stage.part_of(REPLAYED), stage.part_of(WATCHERS));
    let session = fill(&replayed, events).await?;
    for repeat in 1..=repeats {
        eprintln!("bench: log, {repeat} of {repeats}");
        for (turn, side) in Side::ORDER.into_iter().enumerate() {
            let file = stage.folder.join(format!("durable-{repeat}-{turn}.db"));
            match side {
                Side::Cowork => {
                    log.durable.cowork.push(durable(&file).await?);
                    log.replay.cowork.push(replay(stage, &session, events).await?);
                    log.watcher.cowork.push(watchers(&stage.cowork("watched.db")?, watching, true).await?);
                }
                Side::Bare => {
                    log.durable.bare.push(bare_durable(&file).await?);
                    log.replay.bare.push(bare_replay(&replayed, &session, events)?);
                    log.watcher.bare.push(watchers(&stage.bare_server()?, watching, false).await?);
                }
            }
        }
    }
    Ok(log)
}

fn event(number: usize) -> EventBody {
    let text = format!("{number} {}", "a line of output\n".repeat(8));
    EventBody::SessionError { code: "bench".into(), detail: text }
}

async fn create(store: &SqliteStore, number: usize) -> anyhow::Result<SessionId> {
    let id = SessionId::parse(&format!("{number:032x}")).context("an id")?;
    let new = NewSession {
        id: id.clone(),
        title: "Bench".into(),
        workspace: "/".into(),
        model: "built_in".into(),
        system_prompt: None,
        mode: Mode::Ask,
        forked_from: None,
    };
    store.create_session(&Actor::local(), new).await?;
    Ok(id)
}

async fn durable(file: &Path) -> anyhow::Result<f64> {
    let store = &SqliteStore::open(file, Arc::new(Nobody), Arc::new(SystemClock))?;
    let ids = try_join_all((0..WRITERS).map(|number| create(store, number))).await?;
    let actor = &Actor::local();
    let begun = Instant::now();
    let write = |id: SessionId| async move {
        for number in 0..EVENTS_A_WRITER {
            store.record(actor, &id, vec![event(number)]).await?;
        }
        anyhow::Ok(())
    };
    try_join_all(ids.into_iter().map(write)).await?;
    let rate = (WRITERS * EVENTS_A_WRITER) as f64 / begun.elapsed().as_secs_f64();
    store.close().await?;
    Ok(rate)
}

type Row = (usize, usize, String, oneshot::Sender<()>);

/// The least: the same row, one thread, groups of 256 in WAL with `synchronous=FULL`. No seq to look up, no chain.
async fn bare_durable(file: &Path) -> anyhow::Result<f64> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE events (id INTEGER PRIMARY KEY, session_id TEXT, seq INTEGER, event_type TEXT, payload TEXT,
             created_at TEXT, actor TEXT);
         CREATE UNIQUE INDEX events_seq ON events(session_id, seq);
         CREATE INDEX events_created ON events(session_id, created_at);
         CREATE INDEX events_type ON events(event_type);",
    )?;
    let (rows, mut waiting) = mpsc::channel::<Row>(1024);
    let writer = std::thread::spawn(move || -> anyhow::Result<()> {
        while let Some(first) = waiting.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(next) = waiting.try_recv()
            {
                group.push(next);
            }
            let transaction = connection.unchecked_transaction()?;
            let sql = "INSERT INTO events (session_id, seq, event_type, payload, created_at, actor)
                       VALUES (?1, ?2, 'session_error', ?3, '2026-01-01T00:00:00.000Z', '{\"kind\":\"person\",\"name\":\"local\"}')";
            for (session, seq, payload, _) in &group {
                transaction.prepare_cached(sql)?.execute(params![format!("{session:032x}"), *seq as i64, payload])?;
            }
            transaction.commit()?;
            for (.., done) in group {
                // One who no longer waits has it all the same.
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let begun = Instant::now();
    let write = |session: usize| {
        let rows = rows.clone();
        async move {
            for number in 0..EVENTS_A_WRITER {
                let (done, durable) = oneshot::channel();
                let whole = serde_json::to_value(event(number))?;
                let payload = whole.get("payload").context("a payload")?.to_string();
                rows.send((session, number, payload, done)).await.ok().context("the writer ended")?;
                durable.await?;
            }
            anyhow::Ok(())
        }
    };
    try_join_all((0..WRITERS).map(write)).await?;
    let rate = (WRITERS * EVENTS_A_WRITER) as f64 / begun.elapsed().as_secs_f64();
    drop(rows);
    writer.join().ok().context("the writer panicked")??;
    Ok(rate)
}

/// A session with as many events as are replayed.
async fn fill(file: &Path, count: usize) -> anyhow::Result<SessionId> {
    let store = SqliteStore::open(file, Arc::new(Nobody), Arc::new(SystemClock))?;
    let id = create(&store, 1).await?;
    for first in (1..count).step_by(1000) {
        let events = (first..(first + 1000).min(count)).map(event).collect();
        store.record(&Actor::local(), &id, events).await?;
    }
    store.close().await?;
    Ok(id)
}

async fn open(base: &str, token: &str, path: &str) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let address = base.trim_start_matches("http://");
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    let tcp = TcpStream::connect(address).await?;
    let mut upgrade = format!("ws://{address}{path}").into_client_request()?;
    upgrade.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let (socket, _) = client_async_with_config(upgrade, tcp, Some(config)).await?;
    Ok(socket)
}

/// Reads until a frame of this kind; the frames before it.
async fn read_until(socket: &mut WebSocketStream<TcpStream>, kind: &str) -> anyhow::Result<usize> {
    let begin = format!("{{\"type\":\"{kind}\"");
    let mut frames = 0;
    loop {
        let message = socket.next().await.context("the socket was closed")??;
        if message.to_text().is_ok_and(|text| text.starts_with(&begin)) {
            return Ok(frames);
        }
        frames += 1;
    }
}

async fn replay(stage: &Stage, session: &SessionId, events: usize) -> anyhow::Result<f64> {
    let cowork = stage.cowork("replay.db")?;
    let begun = Instant::now();
    let mut socket = open(&cowork.base, &cowork.token, &format!("/cowork/sessions/{session}/stream?cursor=0")).await?;
    let frames = read_until(&mut socket, "synced").await?;
    ensure!(frames > events, "{frames} frames for {events} events");
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

/// Pages of rows, each as the JSON that a client would get.
fn bare_replay(file: &Path, session: &SessionId, count: usize) -> anyhow::Result<f64> {
    let connection = Connection::open(file)?;
    let begun = Instant::now();
    let (mut cursor, mut bytes, mut events) = (0_i64, 0, 0);
    loop {
        let sql = "SELECT seq, event_type, payload, created_at, actor FROM cowork_events
                   WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![session.as_str(), cursor, PAGE])?;
        let before = events;
        while let Some(row) = rows.next()? {
            cursor = row.get(0)?;
            let (kind, payload, at, actor) = (row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?, row.get_ref(4)?);
            let payload: serde_json::Value = serde_json::from_str(payload.as_str()?)?;
            let actor: serde_json::Value = serde_json::from_str(actor.as_str()?)?;
            let frame = serde_json::json!({"type": "log_event", "seq": cursor, "event_type": kind.as_str()?,
                "payload": payload, "created_at": at.as_str()?, "actor": actor});
            bytes += frame.to_string().len();
            events += 1;
        }
        if events == before {
            break;
        }
    }
    ensure!(events == count && bytes > events, "{events} events");
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

async fn watch(base: String, token: String, path: String) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let mut socket = open(&base, &token, &path).await?;
    read_until(&mut socket, "synced").await?;
    Ok(socket)
}

/// What each of the watchers adds to the memory of the server.
async fn watchers(subject: &Subject, count: usize, is_cowork: bool) -> anyhow::Result<f64> {
    let path = if is_cowork {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
        let sessions = format!("{}/cowork/sessions", subject.base);
        let created = http
            .post(sessions)
            .bearer_auth(&subject.token)
            .json(&serde_json::json!({}))
            .send()
            .await?
            .error_for_status()?;
        let session: serde_json::Value = created.json().await?;
        format!("/cowork/sessions/{}/stream", session.get("id").and_then(|id| id.as_str()).context("an id")?)
    } else {
        "/watch".into()
    };
    let watch = |_: usize| watch(subject.base.clone(), subject.token.clone(), path.clone());
    // The first ones bring what all share.
    let warm = try_join_all((0..OPENED_AT_ONCE).map(watch)).await?;
    let before = settled(subject).await?;
    let opened: Vec<_> = stream::iter(0..count).map(watch).buffer_unordered(OPENED_AT_ONCE).collect().await;
    let opened = opened.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let after = settled(subject).await?;
    drop((warm, opened));
    Ok(after.anonymous.saturating_sub(before.anonymous) as f64 / count as f64)
}

/// The memory when it no longer moves.
pub async fn settled(subject: &Subject) -> anyhow::Result<Memory> {
    let mut last = subject.memory()?;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = subject.memory()?;
        if now.anonymous == last.anonymous {
            return Ok(now);
        }
        last = now;
    }
}
