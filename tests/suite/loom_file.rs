//! A database that Loom made: its sessions are shown and go on here, and its tables stay as they are.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{
    model::say,
    server::{Server, Setup},
};

const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// As much of Loom's schema as concerns sessions, with tables beside them that are none of our business.
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
    CREATE INDEX idx_ct_session_turn ON conversation_turns(session_id, turn_number);
    CREATE TABLE cowork_chat_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, seq INTEGER NOT NULL,
        event_type TEXT NOT NULL, payload TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (datetime('now')));
    PRAGMA user_version = 42;";

/// Two turns whose calls have the same id, as Loom's often do.
const ROWS: &str = r#"
    INSERT INTO conversation_turns (session_id, turn_number, role, content, tool_calls, tool_call_id, tool_name, token_count, created_at)
    VALUES (?1, 1, 'user', 'What is in this folder?', NULL, NULL, NULL, 5, '2026-06-30 07:56:54'),
        (?1, 2, 'assistant', '', '[{"id": "call_1", "type": "function", "function": {"name": "list_directory", "arguments": "{}"}}]', NULL, NULL, 20, '2026-06-30 07:56:54'),
        (?1, 3, 'tool', '{"success": true, "output": "notes.txt", "data": {"n": 1}}', NULL, 'call_1', 'list_directory', 10, '2026-06-30 07:56:54'),
        (?1, 4, 'assistant', 'One **file**.', NULL, NULL, NULL, 2, '2026-06-30 07:56:55'),
        (?1, 5, 'user', 'read it', NULL, NULL, NULL, 1, '2026-06-30 07:57:00'),
        (?1, 6, 'assistant', '', '[{"id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": "{\"path\": \"notes.txt\"}"}}]', NULL, NULL, 20, '2026-06-30 07:57:00'),
        (?1, 7, 'tool', '{"success": false, "output": "", "error": "It is locked"}', NULL, 'call_1', 'read_file', 10, '2026-06-30 07:57:01'),
        (?1, 8, 'assistant', 'It could not be read.', NULL, NULL, NULL, 50, '2026-06-30 07:57:03')"#;

fn make(database: &Path, workspace: &Path) {
    let loom = Connection::open(database).unwrap();
    loom.execute_batch(SCHEMA).unwrap();
    let session =
        "INSERT INTO cowork_sessions (id, workspace_path, model_name, system_prompt, started_at, last_active_at,
            total_tokens, turn_count, session_state)
        VALUES (?1, ?2, 'primary', '', '2026-06-30T09:56:54.139014', '2026-06-30T09:57:03.660488', 118, 2,
            '{\"title\": \"From Loom\", \"ui_state\": {\"percent_used\": 5.3}}')";
    loom.execute(session, [ID, &workspace.display().to_string()]).unwrap();
    loom.execute(ROWS, [ID]).unwrap();
    loom.execute("INSERT INTO tasks VALUES ('t', 'untouched')", []).unwrap();
}

async fn server() -> Server {
    Setup { database: make, ..Setup::default() }.start().await
}

/// What SQLite keeps of Loom's own tables and indices.
fn schema(database: &Path) -> Vec<(String, Option<String>)> {
    let file = Connection::open(database).unwrap();
    let sql = "SELECT name, sql FROM sqlite_master
               WHERE tbl_name NOT GLOB 'cowork_web_*' AND tbl_name <> 'cowork_events' ORDER BY rowid";
    let mut statement = file.prepare(sql).unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn its_session_is_listed_and_opened_with_all_its_turns() {
    let server = server().await;
    let list = server.api.get("/cowork/sessions").await.expect(200);
    let session = &list["sessions"][0];
    assert_eq!((&list["total"], &session["id"], &session["title"]), (&json!(1), &json!(ID), &json!("From Loom")));
    assert_eq!(
        (&session["turn_count"], &session["total_tokens"], &session["head_seq"]),
        (&json!(2), &json!(118), &json!(0))
    );
    assert_eq!(server.api.get("/cowork/sessions?q=this+folder").await.expect(200)["total"], 1);
    let rows = server.api.rows(ID).await;
    let places: Vec<_> =
        rows.iter().map(|row| (row["turn"].as_u64().unwrap(), row["role"].as_str().unwrap())).collect();
    let turn = |turn| [(turn, "user"), (turn, "assistant"), (turn, "tool"), (turn, "assistant")];
    assert_eq!(places, [turn(1), turn(2)].concat());
    let page = server.api.page(&format!("/sessions/{ID}")).await;
    assert_eq!(page.status, 200);
    for text in
        ["From Loom", "What is in this folder?", "One <strong>file</strong>.", "It could not be read.", "It is locked"]
    {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert_eq!(server.api.events(ID).await, [] as [Value; 0]);
}

#[tokio::test]
async fn its_session_goes_on_live_with_the_next_turn() {
    let server = server().await;
    server.model.play([say("").call("call_1", "list_directory", &json!({})), say("Going on.")]);
    server.write_file("notes.txt", "alpha\n");
    let mut socket = server.socket(ID, "cursor=0").await;
    let hello = socket.wait("hello").await;
    assert_eq!((&hello["head_seq"], &hello["session"]["turn_count"]), (&json!(0), &json!(2)));
    let accepted = server.api.send(ID, "And now?").await;
    assert_eq!(accepted["turn"], 3);
    let end = socket.wait("turn_completed").await;
    assert_eq!(end["turn"], 3);
    let types = server.api.event_types(ID).await;
    assert_eq!(types[0], "session_resumed");
    assert!(types.contains(&"session_error".to_owned()), "its model is not configured here, which is said: {types:?}");
    let started = server.api.events_of(ID, "tool_call_started").await.remove(0);
    assert_eq!(started["payload"]["tool_call_id"], "call_1-2", "Loom's call has that id");
    let messages = server.model.last_messages();
    assert_eq!(messages[1]["content"], "What is in this folder?");
    assert!(messages.iter().any(|message| message["content"] == "Error: It is locked"), "{messages:#?}");
    let rows = server.api.rows(ID).await;
    assert_eq!((rows.len(), &rows[11]["content"], &rows[11]["turn_number"]), (12, &json!("Going on."), &json!(12)));
}

#[tokio::test]
async fn its_tables_stay_as_loom_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let untouched = folder.path().join("loom.db");
    let server = server().await;
    make(&untouched, &server.workspace);
    server.model.play([say("Going on.")]);
    server.turn(ID, "And now?").await;
    server.api.patch(&format!("/cowork/sessions/{ID}"), json!({"title": "Renamed"})).await.expect(200);
    assert_eq!(schema(&server.database), schema(&untouched));
    let file = Connection::open(&server.database).unwrap();
    let one = |sql: &str| -> String { file.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(one("SELECT goal FROM tasks"), "untouched");
    assert_eq!(one("SELECT CAST(user_version AS TEXT) FROM pragma_user_version"), "42");
    let state: Value = serde_json::from_str(&one("SELECT session_state FROM cowork_sessions")).unwrap();
    assert_eq!((&state["title"], &state["ui_state"]["percent_used"]), (&json!("Renamed"), &json!(5.3)));
    assert_eq!(one("SELECT CAST(turn_count AS TEXT) FROM cowork_sessions"), "3");
    assert_eq!(one("PRAGMA integrity_check"), "ok");
}
