use std::path::Path;

use super::*;
use crate::store::testing::Scene;

fn memory() -> Connection {
    Connection::open_in_memory().unwrap()
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'step%' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

const ONE: &str = "CREATE TABLE step_1 (x)";
const TWO: &str = "CREATE TABLE step_2 (x); INSERT INTO step_1 VALUES (2)";

#[test]
fn an_older_file_is_brought_up_by_the_steps_that_it_lacks() {
    let mut connection = memory();
    migrate(&mut connection, Path::new("db"), &[ONE]).unwrap();
    assert_eq!((version(&connection).unwrap(), tables(&connection)), (1, vec!["step_1".to_owned()]));
    migrate(&mut connection, Path::new("db"), &[ONE, TWO]).unwrap();
    assert_eq!(version(&connection).unwrap(), 2);
    assert_eq!(tables(&connection), ["step_1", "step_2"]);
    let rows: i64 = connection.query_row("SELECT COUNT(*) FROM step_1", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1, "a step ran twice");
    migrate(&mut connection, Path::new("db"), &[ONE, TWO]).unwrap();
}

#[test]
fn a_step_that_fails_leaves_the_file_at_its_old_version() {
    let mut connection = memory();
    migrate(&mut connection, Path::new("db"), &[ONE]).unwrap();
    let broken = "CREATE TABLE step_3 (x); INSERT INTO missing VALUES (1)";
    assert!(migrate(&mut connection, Path::new("db"), &[ONE, TWO, broken]).is_err());
    assert_eq!((version(&connection).unwrap(), tables(&connection)), (1, vec!["step_1".to_owned()]));
}

#[test]
fn a_newer_file_is_refused() {
    let mut connection = memory();
    migrate(&mut connection, Path::new("db"), &[ONE, TWO]).unwrap();
    let error = migrate(&mut connection, Path::new("db"), &[ONE]).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
}

/// Everything that stands in the schema, as it was written.
fn shape(connection: &Connection) -> Vec<(String, String)> {
    let mut statement = connection.prepare("SELECT name, COALESCE(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_file_of_every_older_version_becomes_what_a_new_one_is_and_keeps_its_rows() {
    let mut new = memory();
    migrate(&mut new, Path::new("db"), MIGRATIONS).unwrap();
    for known in 1..MIGRATIONS.len() {
        let mut older = memory();
        migrate(&mut older, Path::new("db"), &MIGRATIONS[..known]).unwrap();
        older
            .execute_batch(
                "INSERT INTO cowork_sessions (id, workspace_path, model_name) VALUES ('s', '/w', 'm');
                 INSERT INTO conversation_turns (session_id, turn_number, role, content) VALUES ('s', 1, 'user', 'Hi');
                 INSERT INTO cowork_web_sessions (session_id, mode) VALUES ('s', 'read_only');
                 INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor)
                 VALUES ('s', 1, 'session_started', '{}', '2026-01-01T00:00:00.000Z', '{}');
                 INSERT INTO cowork_web_messages (message_id, session_id, text_hash, waiting_text, actor, created_at)
                 VALUES ('m', 's', 'h', 'Later', '{}', '2026-01-01T00:00:00.000Z');",
            )
            .unwrap();
        migrate(&mut older, Path::new("db"), MIGRATIONS).unwrap();
        assert_eq!(shape(&older), shape(&new), "from version {known}");
        let sql = "SELECT t.content || m.waiting_text || e.event_type || w.mode || w.pinned
                   FROM conversation_turns t, cowork_web_messages m, cowork_events e, cowork_web_sessions w";
        let kept: String = older.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "HiLatersession_startedread_only0", "from version {known}");
    }
}

#[test]
fn user_version_is_looms_and_stays() {
    let mut connection = memory();
    connection.pragma_update(None, "user_version", 7).unwrap();
    migrate(&mut connection, Path::new("db"), MIGRATIONS).unwrap();
    let after: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(after, 7);
}

#[test]
fn connections_are_set_for_durability_and_for_looms_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)"));
    let writer = open_writer(&path, Duration::from_secs(5)).unwrap();
    let value = |connection: &Connection, name: &str| -> String {
        connection.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(value(&writer, "journal_mode"), "wal");
    assert_eq!(value(&writer, "synchronous"), "2");
    let reader = open_reader(&path, Duration::from_secs(5)).unwrap();
    for connection in [&writer, &reader] {
        assert_eq!(value(connection, "foreign_keys"), "0");
        assert_eq!(value(connection, "trusted_schema"), "0");
        assert_eq!(value(connection, "cache_size"), "-2048");
        let busy: i64 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 5000);
    }
    assert!(reader.execute("INSERT INTO t VALUES (1)", []).is_err(), "a reader can't write");
}

/// Loom 0.3's columns: name, type, NOT NULL, default, primary key.
const SESSIONS: &str = "id TEXT 0 - 1|workspace_path TEXT 1 - 0|model_name TEXT 1 - 0|system_prompt TEXT 0 - 0|\
    started_at TEXT 1 datetime('now') 0|last_active_at TEXT 1 datetime('now') 0|total_tokens INTEGER 0 0 0|\
    turn_count INTEGER 0 0 0|session_state TEXT 0 - 0|session_state_through_turn INTEGER 1 0 0|\
    chat_journal_through_turn INTEGER 1 0 0|chat_journal_through_seq INTEGER 1 0 0|is_active INTEGER 0 1 0";
const TURNS: &str = "id INTEGER 0 - 1|session_id TEXT 1 - 0|turn_number INTEGER 1 - 0|role TEXT 1 - 0|\
    content TEXT 0 - 0|metadata TEXT 0 - 0|tool_calls TEXT 0 - 0|tool_call_id TEXT 0 - 0|tool_name TEXT 0 - 0|\
    token_count INTEGER 0 0 0|created_at TEXT 1 datetime('now') 0";

#[test]
fn the_shared_tables_of_our_own_file_have_looms_columns_and_indexes() {
    let scene = Scene::new();
    let connection = scene.sql();
    let columns = |table: &str| -> String {
        let sql = "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || ' ' || COALESCE(dflt_value, '-')
                   || ' ' || pk, '|') FROM pragma_table_info(?1)";
        connection.query_row(sql, [table], |row| row.get(0)).unwrap()
    };
    assert_eq!(columns("cowork_sessions"), SESSIONS);
    assert_eq!(columns("conversation_turns"), TURNS);
    let indexes: String = connection
        .query_row(
            "SELECT group_concat(sql, '|') FROM (SELECT sql FROM sqlite_schema
             WHERE type = 'index' AND tbl_name = 'conversation_turns' ORDER BY name)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        indexes,
        "CREATE INDEX idx_ct_role ON conversation_turns(session_id, role)|\
         CREATE INDEX idx_ct_session ON conversation_turns(session_id)|\
         CREATE INDEX idx_ct_session_turn ON conversation_turns(session_id, turn_number)|\
         CREATE INDEX idx_ct_tool_name ON conversation_turns(tool_name)"
    );
}

#[test]
fn the_event_table_has_the_promised_columns_and_indexes() {
    let scene = Scene::new();
    let connection = scene.sql();
    let index = |columns: &str, unique: bool| -> bool {
        let sql = "SELECT EXISTS(SELECT 1 FROM pragma_index_list('cowork_events') l WHERE l.\"unique\" = ?2 AND
                   (SELECT group_concat(name, ',') FROM pragma_index_info(l.name)) = ?1)";
        connection.query_row(sql, rusqlite::params![columns, unique], |row| row.get(0)).unwrap()
    };
    assert!(index("session_id,seq", true));
    assert!(index("session_id,created_at", false));
    assert!(index("event_type", false));
    connection
        .prepare("SELECT id, session_id, seq, event_type, payload, created_at FROM cowork_events")
        .expect("the columns of the contract");
}
