//! A file that Loom made: its sessions go on here, and nothing of it is altered.

use std::path::Path;

use rusqlite::Connection;

use super::testing::{ALL, Scene, call, session_id};
use crate::{
    agent::ports::store::{Store, TurnWindow},
    protocol::{Actor, CallId, EventBody, Role, SessionId, SessionQuery, UpdateSession},
};

/// As much of Loom's schema as concerns sessions, with its other tables that name them.
const SCHEMA: &str = "
    CREATE TABLE tasks (id TEXT PRIMARY KEY, goal TEXT NOT NULL);
    CREATE TABLE cowork_sessions (
        id TEXT PRIMARY KEY, workspace_path TEXT NOT NULL, model_name TEXT NOT NULL, system_prompt TEXT,
        started_at TEXT NOT NULL DEFAULT (datetime('now')), last_active_at TEXT NOT NULL DEFAULT (datetime('now')),
        total_tokens INTEGER DEFAULT 0, turn_count INTEGER DEFAULT 0, session_state TEXT, -- JSON
        session_state_through_turn INTEGER NOT NULL DEFAULT 0, chat_journal_through_turn INTEGER NOT NULL DEFAULT 0,
        chat_journal_through_seq INTEGER NOT NULL DEFAULT 0, is_active INTEGER DEFAULT 1);
    CREATE TABLE conversation_turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, turn_number INTEGER NOT NULL,
        role TEXT NOT NULL, content TEXT, metadata TEXT, tool_calls TEXT, tool_call_id TEXT, tool_name TEXT,
        token_count INTEGER DEFAULT 0, created_at TEXT NOT NULL DEFAULT (datetime('now')),
        FOREIGN KEY (session_id) REFERENCES cowork_sessions(id));
    CREATE INDEX idx_ct_session ON conversation_turns(session_id);
    CREATE INDEX idx_ct_session_turn ON conversation_turns(session_id, turn_number);
    CREATE INDEX idx_ct_role ON conversation_turns(session_id, role);
    CREATE TABLE cowork_chat_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, seq INTEGER NOT NULL,
        event_type TEXT NOT NULL, payload TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (datetime('now')),
        FOREIGN KEY (session_id) REFERENCES cowork_sessions(id));
    CREATE UNIQUE INDEX idx_cce_session_seq ON cowork_chat_events(session_id, seq);
    CREATE TABLE cowork_memory_entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, summary TEXT NOT NULL,
        supersedes_entry_id INTEGER, FOREIGN KEY (session_id) REFERENCES cowork_sessions(id),
        FOREIGN KEY (supersedes_entry_id) REFERENCES cowork_memory_entries(id));
    CREATE VIRTUAL TABLE cowork_memory_fts USING fts5(summary, content='cowork_memory_entries', content_rowid='id');
    CREATE TRIGGER cowork_memory_entries_ai AFTER INSERT ON cowork_memory_entries BEGIN
        INSERT INTO cowork_memory_fts(rowid, summary) VALUES (new.id, new.summary); END;
    CREATE TRIGGER cowork_memory_entries_ad AFTER DELETE ON cowork_memory_entries BEGIN
        INSERT INTO cowork_memory_fts(cowork_memory_fts, rowid, summary) VALUES ('delete', old.id, old.summary); END;
    CREATE TABLE \"odd \"\"name\" (session_id TEXT, x);
    PRAGMA user_version = 42;";

/// A session of two turns whose calls have the same id, one that a crash left with wrong counts, and rows of a
/// session that is gone.
const ROWS: &str = r#"
    INSERT INTO cowork_sessions (id, workspace_path, model_name, system_prompt, started_at, last_active_at,
        total_tokens, turn_count, session_state, session_state_through_turn, chat_journal_through_turn)
    VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '/srv/sample', 'primary', '', '2026-06-30T09:56:54.139014',
        '2026-06-30T09:57:03.660488', 118, 2, '{"ui_state": {"percent_used": 5.3}, "turn_count": 2}', 8, 8),
        ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '/srv/sample', 'primary', '', '2026-06-29T09:00:00.000000',
        '2026-06-29T09:00:00.000000', 0, 0, NULL, 0, 0);
    INSERT INTO conversation_turns (session_id, turn_number, role, content, tool_calls, tool_call_id, tool_name,
        token_count, created_at)
    VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'user', 'What is in this folder?', NULL, NULL, NULL, 5, '2026-06-30 07:56:54'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 2, 'assistant', '', '[{"id": "call_1", "type": "function", "function": {"name": "list", "arguments": "{}"}}]', NULL, NULL, 20, '2026-06-30 07:56:54'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 3, 'tool', '{"success": true, "output": "notes.txt"}', NULL, 'call_1', 'list', 10, '2026-06-30 07:56:54'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 4, 'assistant', 'One file.', NULL, NULL, NULL, 2, '2026-06-30 07:56:55'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 5, 'user', 'read it', NULL, NULL, NULL, 1, '2026-06-30 07:57:00'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 6, 'assistant', '', '[{"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}]', NULL, NULL, 20, '2026-06-30 07:57:00'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 7, 'tool', '{"success": true, "output": "alpha"}', NULL, 'call_1', 'read', 10, '2026-06-30 07:57:01'),
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8, 'assistant', 'It says alpha.', NULL, NULL, NULL, 50, '2026-06-30 07:57:03'),
        ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1, 'user', 'left behind', NULL, NULL, NULL, 2, '2026-06-29 07:00:00'),
        ('00000000000000000000000000000000', 1, 'user', 'orphan', NULL, NULL, NULL, 1, '2026-06-01 07:00:00');
    INSERT INTO cowork_chat_events (session_id, seq, event_type, payload) VALUES
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'user_message', '{}'),
        ('00000000000000000000000000000000', 1, 'user_message', '{}');
    INSERT INTO cowork_memory_entries (session_id, summary) VALUES
        ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'the folder holds alpha'), ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'alpha too');
    INSERT INTO "odd ""name" VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1), ('other', 2);"#;

fn make(path: &Path) {
    let loom = Connection::open(path).unwrap();
    loom.pragma_update(None, "foreign_keys", false).unwrap();
    loom.execute_batch(SCHEMA).unwrap();
    loom.execute_batch(ROWS).unwrap();
}

fn scene() -> (Scene, SessionId) {
    (Scene::at(make), session_id('a'))
}

/// Loom's part of the schema, byte for byte.
fn schema(connection: &Connection) -> Vec<(String, String, Option<String>)> {
    let sql = "SELECT type, name, sql FROM sqlite_schema
               WHERE tbl_name NOT GLOB 'cowork_web_*' AND tbl_name <> 'cowork_events' ORDER BY rowid";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn opening_adds_our_tables_and_alters_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let untouched = folder.path().join("loom.db");
    make(&untouched);
    let (scene, _) = scene();
    assert_eq!(schema(&scene.sql()), schema(&Connection::open(&untouched).unwrap()));
    let dump = |path: &Path| -> String {
        let sql = "SELECT (SELECT group_concat(session_id || turn_number || content || token_count || created_at)
                           FROM conversation_turns)
                   || (SELECT group_concat(id || started_at || last_active_at || total_tokens || turn_count)
                       FROM cowork_sessions)";
        Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(dump(&scene.path), dump(&untouched));
    assert_eq!(scene.number("PRAGMA user_version"), 42);
}

#[tokio::test]
async fn its_sessions_are_listed_with_their_titles_times_and_counts() {
    let (scene, id) = scene();
    let (sessions, total) = scene.store.sessions(None, &SessionQuery::default()).await.unwrap();
    assert_eq!(total, 2);
    let first = &sessions[0];
    assert_eq!((&first.id, first.title.as_str()), (&id, "What is in this folder?"));
    assert_eq!((first.turn_count, first.total_tokens, first.head_seq), (2, 118, 0));
    assert_eq!(first.started_at, "2026-06-30T07:56:54.139Z");
    assert_eq!(first.last_active_at, "2026-06-30T07:57:03.660Z");
    assert_eq!(sessions[1].turn_count, 1, "counted from the rows, since a crash left a wrong number");
}

#[tokio::test]
async fn its_conversation_is_read_with_repeated_call_ids() {
    let (scene, id) = scene();
    let page = scene.store.turns(&id, ALL).await.unwrap();
    assert_eq!(page.total, 8);
    let places: Vec<_> = page.turns.iter().map(|row| (row.turn, row.message)).collect();
    let expected = [(1, None), (1, Some(0)), (1, None), (1, Some(1)), (2, None), (2, Some(0)), (2, None), (2, Some(1))];
    assert_eq!(places, expected);
    assert_eq!(page.turns[6].tool_call_id, page.turns[2].tool_call_id);
    assert_eq!(page.turns[0].created_at, "2026-06-30T07:56:54.000Z");
    let newest = scene.store.turns(&id, TurnWindow::Before { turn_number: None, limit: 1 }).await.unwrap();
    assert_eq!((newest.turns[0].turn, newest.turns[0].message), (2, Some(1)));
    assert!(scene.events(&id).await.is_empty());
    assert!(scene.store.call_id_used(&id, &CallId::new("call_1")).await.unwrap());
    assert!(!scene.store.call_id_used(&id, &CallId::new("call_2")).await.unwrap());
}

#[tokio::test]
async fn its_session_goes_on_with_the_next_turn_after_a_resumption() {
    let (scene, id) = scene();
    scene.start(&id, "and now?").await;
    scene.say(&id, 3, 0, "", vec![call("call_1-2")]).await;
    scene.call_ended(&id, 3, "call_1-2", "beta", None).await;
    scene.say(&id, 3, 1, "Beta.", vec![]).await;
    scene.complete(&id, 3).await;
    let events = scene.events(&id).await;
    assert_eq!(events[0].body, EventBody::SessionResumed { turn_count: 2 });
    assert!(matches!(events[1].body, EventBody::UserMessageReceived { turn: Some(3), turn_number: Some(9), .. }));
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    let rows = scene.rows(&id).await;
    assert_eq!((rows[8].turn_number, rows[8].turn, rows[8].role), (9, 3, Role::User));
    assert_eq!(scene.store.records_from_turn(&id, 1).await.unwrap()[0].event.seq, 2);
    let sums = "SELECT total_tokens - (SELECT SUM(token_count) FROM conversation_turns t WHERE t.session_id = s.id)
                FROM cowork_sessions s WHERE id LIKE 'a%'";
    assert_eq!(scene.number(sums), 0);
    let left_alone =
        "SELECT session_state_through_turn + chat_journal_through_turn FROM cowork_sessions WHERE id LIKE 'a%'";
    assert_eq!(scene.number(left_alone), 16);
}

#[tokio::test]
async fn a_change_of_nothing_leaves_its_session_without_events() {
    let (scene, id) = scene();
    let same = UpdateSession { model: Some("primary".into()), archived: Some(false), ..UpdateSession::default() };
    scene.store.update_session(&Actor::local(), &id, same).await.unwrap();
    assert!(scene.events(&id).await.is_empty());
    let title = UpdateSession { title: Some("Alpha".into()), ..UpdateSession::default() };
    scene.store.update_session(&Actor::local(), &id, title).await.unwrap();
    assert_eq!(scene.event_types(&id).await, ["session_resumed", "session_updated"]);
}

#[tokio::test]
async fn a_deleted_session_leaves_looms_tables_and_its_search_index_too() {
    let (scene, id) = scene();
    scene.start(&id, "and now?").await;
    scene.complete(&id, 3).await;
    scene.store.delete_session(&id).await.unwrap();
    scene.clock.advance(31);
    scene.store.purge_expired().await.unwrap();
    for table in
        ["conversation_turns", "cowork_chat_events", "cowork_memory_entries", "\"odd \"\"name\"", "cowork_events"]
    {
        assert_eq!(scene.number(&format!("SELECT COUNT(*) FROM {table} WHERE session_id = '{id}'")), 0, "{table}");
    }
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_memory_fts WHERE cowork_memory_fts MATCH 'folder'"), 0);
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_memory_fts WHERE cowork_memory_fts MATCH 'alpha'"), 1);
    assert_eq!(scene.number("SELECT COUNT(*) FROM conversation_turns"), 2, "orphans and other sessions stay");
    assert_eq!(scene.number("SELECT COUNT(*) FROM \"odd \"\"name\""), 1);
}
