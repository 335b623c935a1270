//! A file that Loom 0.3.0 itself made (`tests/fixtures/loom-0.3.0.db`: two sessions with tool calls and a question),
//! and the real program at work on it. What Loom finds afterwards is what it could have written.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior, params, types::Value as Cell};
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, ScriptedModel, call, say},
    process::{Home, Process},
    server::wait_for_end,
};

/// The one that is continued here; the other one is nobody's business.
const CONTINUED: &str = "e8ed1efe842c4738a018b44e64919c00";
const LEFT_ALONE: &str = "65d84866d7da4b7fa7f5012d3cac5484";
/// Rows of the fixture in `conversation_turns`.
const LOOMS_ROWS: i64 = 17;

/// A home in which Loom has been: its file stands where Loom puts it, with folders of this machine.
fn home(model: &ScriptedModel) -> Home {
    let mut home = Home::with(model);
    home.database = home.path().join(".loom/loom.db");
    std::fs::create_dir(home.path().join(".loom")).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loom-0.3.0.db");
    std::fs::copy(fixture, &home.database).unwrap();
    let workspace = home.workspace.display().to_string();
    looms(&home.database).execute("UPDATE cowork_sessions SET workspace_path = ?1", [workspace]).unwrap();
    home
}

/// A connection as Loom opens it.
fn looms(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 2000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;
             PRAGMA foreign_keys = OFF;",
        )
        .unwrap();
    connection
}

async fn turn(process: &Process, id: &str, message: &str) {
    let mut socket = process.socket(id, "").await;
    socket.wait("synced").await;
    process.api.send(id, message).await;
    wait_for_end(&mut socket).await;
}

fn rows(file: &Connection, sql: &str) -> Vec<Vec<Cell>> {
    let mut statement = file.prepare(sql).unwrap();
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Cell>>>();
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn text(file: &Connection, sql: &str) -> String {
    file.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What SQLite keeps of everything that is not ours, with the page that each table begins at.
fn schema(file: &Connection) -> Vec<Vec<Cell>> {
    rows(
        file,
        "SELECT rowid, type, name, tbl_name, rootpage, sql FROM sqlite_master
         WHERE tbl_name NOT GLOB 'cowork_web_*' AND tbl_name <> 'cowork_events' ORDER BY rowid",
    )
}

/// All rows of Loom's that must stay as they are, table by table.
fn looms_rows(file: &Connection) -> Vec<(String, Vec<Vec<Cell>>)> {
    let tables = rows(
        file,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'cowork_web_*'
         AND name NOT GLOB 'sqlite_*' AND name <> 'cowork_events' ORDER BY name",
    );
    let names = tables.into_iter().map(|row| match &row[0] {
        Cell::Text(name) => name.clone(),
        other => panic!("{other:?}"),
    });
    names
        .map(|name| {
            let only = match name.as_str() {
                "conversation_turns" => format!(" WHERE id <= {LOOMS_ROWS}"),
                "cowork_sessions" => format!(" WHERE id = '{LEFT_ALONE}'"),
                _ => String::new(),
            };
            let found = rows(file, &format!("SELECT * FROM \"{name}\"{only}"));
            (name, found)
        })
        .collect()
}

/// A full job: an old session continued, a new one with calls, a question and a word of a person, a restart amid it, an
/// attached file, a stop and a fork. The new session, and the fork.
async fn job(home: &Home, model: &ScriptedModel) -> (String, String) {
    std::fs::write(home.workspace.join("notes.txt"), "alpha\nbeta needle\n").unwrap();
    let process = home.start().await;
    let api = &process.api;
    let listed = api.get("/cowork/sessions").await.expect(200);
    assert_eq!((&listed["total"], &listed["sessions"][0]["id"]), (&json!(2), &json!(LEFT_ALONE)));
    model.play([
        call("call_1", "read_file", &json!({"path": "notes.txt"})),
        say("").call("call_1", "write_file", &json!({"path": "süß.md", "content": "# Grüße\n"})),
        say("Done: *süß*."),
    ]);
    let allow = json!({"mode": "accept_edits"});
    api.patch(&format!("/cowork/sessions/{CONTINUED}"), allow.clone()).await.expect(200);
    turn(&process, CONTINUED, "Read the notes and write a greeting.").await;

    let id = api.create(json!({"title": "Made here"})).await;
    model.play([call("q", "ask_user", &json!({"question": "Which?", "options": ["a", "b"]})), say("b it is.")]);
    let mut socket = process.socket(&id, "").await;
    api.send(&id, "Ask me.").await;
    let question = socket.wait("awaiting_user_input").await;
    let question = question["question_id"].as_str().unwrap().to_owned();
    api.post(&format!("/cowork/sessions/{id}/questions/{question}"), json!({"answer": "b"})).await.expect(200);
    wait_for_end(&mut socket).await;
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));

    let process = home.start().await;
    let gate = Gate::new();
    model.play([say("Back again."), say("So am I."), say("I see it."), say("Cut").wait(&gate)]);
    turn(&process, &id, "Are you there?").await;
    turn(&process, CONTINUED, "And here?").await;
    // What has data of its own beside its text: an attached file, and an answer that was stopped.
    let mut socket = process.socket(&id, "").await;
    socket.wait("synced").await;
    let attached = json!({"message": "Look at this.", "attachments": [{"path": "notes.txt"}]});
    process.api.post(&format!("/cowork/sessions/{id}/messages"), attached).await.expect(202);
    wait_for_end(&mut socket).await;
    process.api.send(&id, "Begin").await;
    socket.wait("text_delta").await;
    process.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    wait_for_end(&mut socket).await;
    let fork = process.api.post(&format!("/cowork/sessions/{CONTINUED}/fork"), json!({"turn": 5})).await.expect(201);
    let renamed = json!({"title": "Renamed here", "archived": true});
    process.api.patch(&format!("/cowork/sessions/{CONTINUED}"), renamed).await.expect(200);
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    model.check();
    (id, fork["id"].as_str().unwrap().to_owned())
}

fn is_utc_form(text: &str) -> bool {
    text.len() == 19 && text.parse::<jiff::civil::DateTime>().is_ok() && text.as_bytes()[10] == b' '
}

fn is_local_form(text: &str) -> bool {
    text.len() == 26 && text.parse::<jiff::civil::DateTime>().is_ok() && text.as_bytes()[10] == b'T'
}

/// A turn row as Loom reads it.
struct Row {
    number: i64,
    role: String,
    content: String,
    calls: Option<String>,
    call_id: Option<String>,
    tool: Option<String>,
    tokens: i64,
    created_at: String,
    metadata: Option<String>,
}

fn turn_rows(file: &Connection, id: &str) -> Vec<Row> {
    let sql =
        "SELECT turn_number, role, content, tool_calls, tool_call_id, tool_name, token_count, created_at, metadata
               FROM conversation_turns WHERE session_id = ?1 ORDER BY id";
    let mut statement = file.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Row {
            number: row.get(0)?,
            role: row.get(1)?,
            content: row.get(2)?,
            calls: row.get(3)?,
            call_id: row.get(4)?,
            tool: row.get(5)?,
            tokens: row.get(6)?,
            created_at: row.get(7)?,
            metadata: row.get(8)?,
        })
    };
    statement.query_map([id], read).unwrap().map(Result::unwrap).collect()
}

/// A quarter of the characters, as Loom estimates.
fn estimate(text: &str) -> i64 {
    (text.chars().count() as i64 / 4).max(1)
}

/// Whether the text is laid out as Python's `json.dumps` does it: what it holds, with blanks behind `,` and `:`.
fn is_spaced(json: &str) -> bool {
    let value: Value = serde_json::from_str(json).unwrap();
    let blanks = json.len() - value.to_string().len();
    fn separators(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.len().saturating_sub(1) + items.iter().map(separators).sum::<usize>(),
            Value::Object(fields) => {
                fields.len() + fields.len().saturating_sub(1) + fields.values().map(separators).sum::<usize>()
            }
            _ => 0,
        }
    }
    blanks == separators(&value)
}

/// Every row of a session has the form of those that Loom writes; Loom's own rows pass the same check.
fn check_rows(file: &Connection, id: &str) -> usize {
    let rows = turn_rows(file, id);
    for (at, row) in rows.iter().enumerate() {
        let what = format!("row {} of {id}: {} {:?}", row.number, row.role, row.content);
        assert_eq!(row.number, at as i64 + 1, "{what}");
        assert!(is_utc_form(&row.created_at), "{what}: {}", row.created_at);
        assert_eq!(row.tokens, estimate(&row.content) + row.calls.as_deref().map_or(0, estimate), "{what}");
        if let Some(data) = &row.metadata {
            assert!(is_spaced(data) && serde_json::from_str::<Value>(data).unwrap().is_object(), "{what}: {data}");
        }
        match row.role.as_str() {
            "user" | "system" => assert!(row.calls.is_none() && row.call_id.is_none() && row.tool.is_none(), "{what}"),
            "assistant" => {
                assert!(row.call_id.is_none() && row.tool.is_none(), "{what}");
                let Some(calls) = &row.calls else { continue };
                assert!(is_spaced(calls), "{what}: {calls}");
                let calls: Vec<Value> = serde_json::from_str(calls).unwrap();
                assert!(!calls.is_empty(), "{what}");
                for call in calls {
                    let keys: Vec<_> = call.as_object().unwrap().keys().map(String::as_str).collect();
                    assert_eq!(keys, ["id", "type", "function"], "{what}");
                    assert_eq!(call["type"], "function", "{what}");
                    let arguments = call["function"]["arguments"].as_str().expect("arguments are a text");
                    assert!(serde_json::from_str::<Value>(arguments).unwrap().is_object(), "{what}");
                }
            }
            "tool" => {
                assert!(row.call_id.is_some() && row.tool.is_some() && row.calls.is_none(), "{what}");
                assert!(is_spaced(&row.content), "{what}");
                let result: Value = serde_json::from_str(&row.content).unwrap();
                let keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(keys[..5], ["success", "output", "error", "files_changed", "data"], "{what}");
                assert!(result["success"].is_boolean() && result["files_changed"].is_array(), "{what}");
            }
            other => panic!("{what}: no role of Loom's: {other}"),
        }
    }
    rows.len()
}

/// The row of the session: counters from its rows, times in Loom's form, and what Loom keeps in it as it was.
fn check_session(file: &Connection, id: &str) -> Value {
    let sql = "SELECT s.total_tokens, (SELECT SUM(token_count) FROM conversation_turns t WHERE t.session_id = s.id),
                   s.turn_count, (SELECT COUNT(*) FROM conversation_turns t WHERE t.session_id = s.id AND role = 'user'),
                   started_at, last_active_at, is_active, system_prompt, session_state,
                   (SELECT MAX(created_at) FROM conversation_turns t WHERE t.session_id = s.id)
               FROM cowork_sessions s WHERE id = ?1";
    file.query_row(sql, [id], |row| {
        let (tokens, sum, turns, users): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        assert_eq!((tokens, turns), (sum, users), "{id}");
        let (started, last): (String, String) = (row.get(4)?, row.get(5)?);
        assert!(is_local_form(&started) && is_local_form(&last) && started < last, "{started} {last}");
        let (active, prompt): (i64, String) = (row.get(6)?, row.get(7)?);
        assert_eq!((active, prompt.as_str()), (1, ""), "{id}");
        let newest = row.get::<_, String>(9)?.parse::<jiff::civil::DateTime>().unwrap();
        let newest = jiff::tz::TimeZone::UTC.to_timestamp(newest).unwrap();
        let last = last.parse::<jiff::civil::DateTime>().unwrap();
        let last = jiff::tz::TimeZone::system().to_timestamp(last).unwrap();
        // The session was last active when its last turn ended, a moment after its last row.
        assert!((last.as_second() - newest.as_second()).abs() <= 60, "{last} {newest}");
        // Loom, too, writes it with its first checkpoint, and none before.
        let state: Option<String> = row.get(8)?;
        Ok(state.map_or(Value::Null, |state| serde_json::from_str(&state).unwrap()))
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_job_leaves_looms_file_as_loom_could_have_written_it() {
    let model = ScriptedModel::start().await;
    let home = home(&model);
    let before = looms(&home.database);
    let (schema_before, rows_before) = (schema(&before), looms_rows(&before));
    let state = format!("SELECT session_state FROM cowork_sessions WHERE id = '{CONTINUED}'");
    let mut state_before: Value = serde_json::from_str(&text(&before, &state)).unwrap();
    let journal = rows(&before, "SELECT * FROM cowork_chat_events");
    assert!(journal.len() > 20 && schema_before.len() > 40, "the file is Loom's");
    drop(before);

    let (id, fork) = job(&home, &model).await;
    let file = looms(&home.database);
    assert_eq!(schema(&file), schema_before);
    let rows_after = looms_rows(&file);
    for (before, after) in rows_before.iter().zip(&rows_after) {
        assert_eq!(before, after);
    }
    assert_eq!(rows_before.len(), rows_after.len());
    assert_eq!(rows(&file, "SELECT * FROM cowork_chat_events"), journal);

    assert_eq!(check_rows(&file, LEFT_ALONE), 6, "Loom's own rows pass the check");
    assert_eq!(check_rows(&file, CONTINUED), 11 + 6 + 2);
    assert_eq!(check_rows(&file, &id), 4 + 2 + 2 + 2);
    assert_eq!(check_session(&file, &id), json!({"title": "Made here"}));
    let data: Vec<String> = turn_rows(&file, &id).into_iter().filter_map(|row| row.metadata).collect();
    assert_eq!(data.len(), 2, "of the attached file, and of the answer that was stopped: {data:?}");
    assert_eq!(check_rows(&file, &fork), 11 + 6);
    let counted = |what: &str| text(&file, &format!("SELECT {what} FROM cowork_sessions s WHERE id = '{fork}'"));
    let rows_say =
        "(SELECT SUM(token_count) || ' ' || SUM(role = 'user') FROM conversation_turns WHERE session_id = s.id)";
    assert_eq!(counted("total_tokens || ' ' || turn_count"), counted(rows_say));
    assert!(is_local_form(&counted("started_at")) && is_local_form(&counted("last_active_at")));
    // Only the title is ours; keys, order and numbers of the rest stay.
    let state_after = check_session(&file, CONTINUED);
    state_before["title"] = json!("Renamed here");
    assert_eq!(state_after.to_string(), state_before.to_string());
    check_session(&file, LEFT_ALONE);
    let covered = "SELECT group_concat(session_state_through_turn || ' ' || chat_journal_through_turn || ' ' ||
                   chat_journal_through_seq) FROM cowork_sessions WHERE id IN ";
    assert_eq!(text(&file, &format!("{covered} ('{CONTINUED}')")), "11 11 20", "Loom says itself how far it got");
    assert_eq!(text(&file, &format!("{covered} ('{id}')")), "0 0 0");
    assert_eq!(text(&file, "PRAGMA integrity_check"), "ok");
    // Call ids repeat in Loom's files; ours do not, and nothing of Loom's was given another one.
    let ids: Vec<String> = turn_rows(&file, CONTINUED).into_iter().filter_map(|row| row.call_id).collect();
    assert_eq!(ids, ["call_1", "call_1", "call_1-2", "call_1-3"]);
}

/// Loom at work in its own session: a row, a line of its journal and its counters, in one transaction a round.
fn write_as_loom(database: &Path, stop: &AtomicBool) -> rusqlite::Result<i64> {
    let mut loom = looms(database);
    let mut rounds = 0;
    while !stop.load(Ordering::Relaxed) {
        let change = loom.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "INSERT INTO conversation_turns (session_id, turn_number, role, content, token_count)
                   VALUES (?1, ?2, 'assistant', 'From the terminal.', 4)";
        change.execute(sql, params![LEFT_ALONE, 7 + rounds])?;
        let sql = "INSERT INTO cowork_chat_events (session_id, seq, event_type, payload)
                   SELECT ?1, MAX(seq) + 1, 'assistant_text', '{}' FROM cowork_chat_events WHERE session_id = ?1";
        change.execute(sql, [LEFT_ALONE])?;
        change.execute("UPDATE cowork_sessions SET total_tokens = total_tokens + 4 WHERE id = ?1", [LEFT_ALONE])?;
        change.commit()?;
        let found: i64 = loom.query_row("SELECT COUNT(*) FROM conversation_turns", [], |row| row.get(0))?;
        assert!(found > rounds);
        rounds += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(rounds)
}

#[tokio::test(flavor = "multi_thread")]
async fn loom_and_cowork_write_at_the_same_time_and_neither_finds_the_file_locked() {
    const TURNS: usize = 40;
    let model = ScriptedModel::start().await;
    let home = home(&model);
    let process = home.start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (database, stopped) = (home.database.clone(), stop.clone());
    let loom = std::thread::spawn(move || write_as_loom(&database, &stopped));
    let id = process.api.create(json!({})).await;
    for number in 0..TURNS {
        model.play([say(&format!("Answer {number}."))]);
        turn(&process, &id, &format!("Question {number}?")).await;
    }
    stop.store(true, Ordering::Relaxed);
    let rounds = loom.join().unwrap().expect("Loom never waits in vain");
    assert!(rounds >= TURNS as i64, "{rounds} rounds beside {TURNS} turns");
    let shown = process.api.session(LEFT_ALONE).await;
    assert_eq!(shown["total_tokens"], 96 + 4 * rounds, "what Loom wrote is seen here");
    let log = process.log.lock().unwrap().to_lowercase();
    assert!(!log.contains("locked") && !log.contains("busy"), "{log}");
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    let file = looms(&home.database);
    assert_eq!(check_rows(&file, &id), 2 * TURNS);
    check_session(&file, &id);
    assert_eq!(turn_rows(&file, LEFT_ALONE).len() as i64, 6 + rounds);
    assert_eq!(text(&file, "PRAGMA integrity_check"), "ok");
}
