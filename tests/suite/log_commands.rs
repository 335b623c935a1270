//! `cowork logs` and `cowork verify`, as a person runs them beside a server or after one.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{
    model::{ScriptedModel, say},
    process::{Ended, Home},
};

/// A home whose server has run and ended: the session's id and the log of the process.
async fn worked() -> (Home, String, String) {
    let model = ScriptedModel::start().await;
    model.play([say("Hello."), say("Again.")]);
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({"title": "Kept \u{202e}\u{1b}[31m"})).await;
    let mut socket = process.socket(&id, "").await;
    for text in ["Hi", "And?"] {
        process.api.send(&id, text).await;
        socket.wait_event("turn_completed").await;
    }
    let log = process.log.clone();
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    let log = log.lock().unwrap().clone();
    (home, id, log)
}

async fn run(home: &Home, arguments: &[&str]) -> Ended {
    let database = home.database.to_str().unwrap();
    home.run(&[arguments, &["--database", database]].concat()).await
}

fn sql(database: &Path, sql: &str) {
    Connection::open(database).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_printed_in_lines_for_people_and_for_programs() {
    let (home, id, _) = worked().await;
    let plain = run(&home, &["logs", &id]).await;
    assert_eq!((plain.code, plain.out.lines().count()), (Some(0), 11), "{plain:?}");
    assert!(plain.out.lines().nth(1).unwrap().contains("user_message_received"), "{}", plain.out);
    let json = run(&home, &["logs", &id, "--json"]).await;
    let events: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        events.iter().map(|event| event["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=11).collect::<Vec<_>>()
    );
    let some = run(&home, &["logs", &id, "--json", "--types", "turn_started,turn_completed", "--after", "4"]).await;
    let types: Vec<Value> =
        some.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event_type"].clone()).collect();
    assert_eq!(types, ["turn_completed", "turn_started", "turn_completed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_is_said_so() {
    let (home, id, _) = worked().await;
    for (arguments, words) in [
        (vec!["logs", "x"], "no session id"),
        (vec!["logs", "0123456789abcdef0123456789abcdef"], "no session 0123"),
        (vec!["logs", &id, "--database", "/nowhere/cowork.db"], "--database"),
    ] {
        let ended = if arguments.len() > 2 { home.run(&arguments).await } else { run(&home, &arguments).await };
        assert!(ended.code == Some(1) && ended.err.contains(words), "{arguments:?}: {ended:?}");
    }
    let beside = home.start().await;
    assert_eq!(run(&home, &["logs", &id]).await.out.lines().count(), 11, "a running server is no hindrance");
    assert_eq!(run(&home, &["verify"]).await.code, Some(0));
    drop(beside);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_row_that_does_not_fit() {
    let (home, id, log) = worked().await;
    let whole = run(&home, &["verify"]).await;
    assert_eq!((whole.code, whole.out.trim()), (Some(0), "All 11 events of 1 sessions fit."), "{whole:?}");
    let head = log.lines().find(|line| line.contains("the log ends here")).expect("the end of the log is told");
    let head = head.split("head=").nth(1).unwrap().trim_matches(['"', ' ']).to_owned();
    let told = run(&home, &["verify", "--head", &head]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let other = run(&home, &["verify", "--head", &"ab".repeat(32)]).await;
    assert!(other.code == Some(1) && other.out.contains("abab"), "{other:?}");

    sql(&home.database, "UPDATE cowork_events SET payload = replace(payload, '1', '2') WHERE seq = 6");
    let forged = run(&home, &["verify"]).await;
    assert_eq!(forged.code, Some(1));
    assert!(forged.out.contains(&format!("session {id}: event 6 does not fit")), "{forged:?}");
    sql(&home.database, "DELETE FROM cowork_events WHERE seq >= 6");
    let cut = run(&home, &["verify"]).await;
    assert!(cut.code == Some(1) && cut.out.contains("event 6 is not there"), "{cut:?}");
}
