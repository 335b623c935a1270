//! `cowork export` and `cowork import`, as a person runs them.

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{
    form::Form,
    model::{ScriptedModel, call, say},
    process::{Home, Process},
    server::wait_for_end,
};

/// Loom's own file, without its sessions' folders on this machine.
fn looms_file_appears(home: &Home) -> PathBuf {
    let file = home.path().join(".loom/loom.db");
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loom-0.3.0.db");
    fs::copy(fixture, &file).unwrap();
    file
}

/// A home whose server chooses its database itself.
fn plain_home(model: &ScriptedModel) -> Home {
    let home = Home::with(model);
    let workspace = home.workspace.display();
    home.add_settings(&format!(
        "[workspace]\ndefault_path = \"{workspace}\"\n[cowork]\nworkspace_roots = [\"{workspace}\"]"
    ));
    home
}

async fn turn(process: &Process, id: &str, message: &str) {
    let mut socket = process.socket(id, "").await;
    socket.wait("synced").await;
    process.api.send(id, message).await;
    wait_for_end(&mut socket).await;
}

/// One session that rests, with a file written and one uploaded, and one whose turn waits for a person.
async fn worked(home: &Home, model: &ScriptedModel) -> (String, String, String) {
    let process = home.start_plain().await;
    let rests = process.api.create(json!({"title": "Rests", "mode": "accept_edits"})).await;
    model.play([call("a", "write_file", &json!({"path": "made.txt", "content": "made\n"})), say("Written.")]);
    turn(&process, &rests, "Write a file.").await;
    process.api.upload(&rests, Form::new().file("up.txt", "uploaded\n")).await.expect(200);
    process.api.patch(&format!("/cowork/sessions/{rests}"), json!({"pinned": true})).await.expect(200);
    let waits = process.api.create(json!({})).await;
    model.play([call("b", "write_file", &json!({"path": "asked.txt", "content": "asked\n"}))]);
    let mut socket = process.socket(&waits, "").await;
    process.api.send(&waits, "Ask before you write.").await;
    socket.wait("approval_requested").await;
    (rests, waits, process.end().await)
}

async fn seen(process: &Process, id: &str) -> Value {
    let session = process.api.session(id).await;
    json!({"session": session, "turns": process.api.rows(id).await, "events": process.api.events(id).await})
}

/// The heads of the chains, as the process log told them.
fn heads(log: &str) -> Vec<String> {
    let found = log.split("head=").skip(1);
    let found = found.map(|rest| rest.trim_start_matches('"').chars().take_while(char::is_ascii_hexdigit).collect());
    let heads: Vec<String> = found.collect();
    assert!(!heads.is_empty(), "{log}");
    heads
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_move_into_looms_file_and_go_on_there() {
    let model = ScriptedModel::start().await;
    let home = plain_home(&model);
    let (rests, waits, log) = worked(&home, &model).await;
    let process = home.start_plain().await;
    let before = [seen(&process, &rests).await, seen(&process, &waits).await];
    let token = process.api.token().to_owned();
    process.end().await;
    let loom = looms_file_appears(&home);
    let own = home.path().join(".loom/cowork.db");

    let (bytes, looms_bytes) = (fs::read(&own).unwrap(), fs::read(&loom).unwrap());
    let plan = home.run(&["import", "--dry-run"]).await;
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(
        plan.out.contains(&rests) && plan.out.contains(&waits) && plan.out.contains("2 sessions would"),
        "{plan:?}"
    );
    assert!(fs::read(&own).unwrap() == bytes && fs::read(&loom).unwrap() == looms_bytes, "nothing was changed");

    let moved = home.run(&["import"]).await;
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(moved.out.contains("2 sessions") && moved.out.contains("cowork.db.moved"), "{moved:?}");
    assert!(!own.exists() && home.path().join(".loom/cowork.db.moved.files/token").is_file());
    // Links went along with their key: what was written down before is still found, and nothing is marked.
    for head in heads(&log) {
        let verified = home.run(&["verify", "--head", &head]).await;
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert!(!verified.out.contains("stood before the chain"), "{verified:?}");
    }
    let again = home.run(&["import"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("nothing to move"), "{again:?}");

    let process = home.start_plain().await;
    assert_eq!(process.api.token(), token, "who signed in stays signed in");
    assert_eq!([seen(&process, &rests).await, seen(&process, &waits).await], before);
    assert_eq!(process.api.get("/cowork/sessions").await.expect(200)["total"], 4, "beside Loom's two");
    // The turn that waited goes on, and what the other one did can be taken back.
    model.play([say("Asked and written.")]);
    let approval = &before[1]["session"]["pending"][0]["approval_id"];
    let mut socket = process.socket(&waits, "").await;
    let path = format!("/cowork/sessions/{waits}/approvals/{}", approval.as_str().unwrap());
    process.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    wait_for_end(&mut socket).await;
    assert_eq!(fs::read_to_string(home.workspace.join("asked.txt")).unwrap(), "asked\n");
    let undone = process.api.post(&format!("/cowork/sessions/{rests}/turns/1/undo"), json!({})).await.expect(200);
    assert_eq!(undone["restored"], json!(["made.txt"]));
    process.end().await;
    model.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_cut_off_is_done_again_and_one_that_would_lose_work_is_refused() {
    let model = ScriptedModel::start().await;
    let home = plain_home(&model);
    let (rests, ..) = worked(&home, &model).await;
    let loom = looms_file_appears(&home);
    let folder = home.path().join(".loom");
    let process = home.start_plain().await;
    let busy = home.run(&["import"]).await;
    assert_eq!(busy.code, Some(1), "{busy:?}");
    assert!(busy.err.contains("Another Cowork uses"), "{busy:?}");
    process.end().await;

    assert_eq!(home.run(&["import"]).await.code, Some(0));
    let count = |sql: &str| -> i64 { Connection::open(&loom).unwrap().query_row(sql, [], |row| row.get(0)).unwrap() };
    let rows = count("SELECT COUNT(*) FROM conversation_turns");
    // As if it had been killed between the commit and the last step.
    let step_back = || {
        fs::rename(folder.join("cowork.db.moved"), folder.join("cowork.db")).unwrap();
        fs::rename(folder.join("cowork.db.moved.files"), folder.join("cowork.db.files")).unwrap();
    };
    step_back();
    let again = home.run(&["import"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(count("SELECT COUNT(*) FROM conversation_turns"), rows, "no row is there twice");
    step_back();
    let changed =
        format!("UPDATE conversation_turns SET content = 'other' WHERE session_id = '{rests}' AND turn_number = 1");
    Connection::open(&loom).unwrap().execute(&changed, []).unwrap();
    let refused = home.run(&["import"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("not the same in both") && refused.err.contains(&rests), "{refused:?}");
    assert!(folder.join("cowork.db").is_file(), "the source stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_with_a_log_that_was_tampered_with_stay_where_they_are() {
    let model = ScriptedModel::start().await;
    let home = plain_home(&model);
    let (rests, ..) = worked(&home, &model).await;
    looms_file_appears(&home);
    let own = home.path().join(".loom/cowork.db");
    let forged = format!("UPDATE cowork_events SET payload = '{{}}' WHERE session_id = '{rests}' AND seq = 1");
    Connection::open(&own).unwrap().execute(&forged, []).unwrap();
    let refused = home.run(&["import"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("does not fit its chain") && own.is_file(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_looms_that_cowork_worked_in_keeps_its_own_key_and_chains_what_comes_anew() {
    let model = ScriptedModel::start().await;
    let home = plain_home(&model);
    let (rests, waits, log) = worked(&home, &model).await;
    let process = home.start_plain().await;
    let before = [seen(&process, &rests).await, seen(&process, &waits).await];
    process.end().await;
    let own_head = heads(&log).pop().unwrap();

    // Somebody named Loom's file, so a log of its own begins there, with a key of its own.
    let loom = looms_file_appears(&home);
    let (of_own, of_loom) = (home.path().join(".loom/cowork.db.files"), home.path().join(".loom/loom.db.files"));
    let process = home.start_at(&loom).await;
    let there = process.api.create(json!({"title": "There before"})).await;
    model.play([say("Already here.")]);
    turn(&process, &there, "Hello.").await;
    let (there_before, token) = (seen(&process, &there).await, process.api.token().to_owned());
    let looms_head = heads(&process.end().await).pop().unwrap();
    let key = fs::read(of_loom.join("log.key")).unwrap();
    assert_ne!(key, fs::read(of_own.join("log.key")).unwrap());

    let moved = home.run(&["import"]).await;
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(moved.out.contains("2 sessions"), "{moved:?}");
    assert_eq!(fs::read(of_loom.join("log.key")).unwrap(), key, "the file's own key stays");
    assert_eq!(fs::read_to_string(of_loom.join("token")).unwrap().trim(), token, "and so does who may sign in");

    // What was there keeps its links; what came is chained anew, which is said of each session that came.
    let verified = home.run(&["verify", "--head", &looms_head]).await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    for (id, came) in [(&rests, true), (&waits, true), (&there, false)] {
        let is_said =
            verified.out.lines().any(|line| line.contains(id.as_str()) && line.contains("stood before the chain"));
        assert_eq!(is_said, came, "{id}: {verified:?}");
    }
    let gone = home.run(&["verify", "--head", &own_head]).await;
    assert!(gone.code == Some(1) && gone.out.contains(&own_head), "{gone:?}");

    let process = home.start_plain().await;
    assert_eq!([seen(&process, &rests).await, seen(&process, &waits).await], before);
    assert_eq!(seen(&process, &there).await, there_before);
    assert_eq!(process.api.get("/cowork/sessions").await.expect(200)["total"], 5, "beside Loom's two");
    model.play([say("Going on.")]);
    turn(&process, &rests, "And now?").await;
    let undone = process.api.post(&format!("/cowork/sessions/{rests}/turns/1/undo"), json!({})).await.expect(200);
    assert_eq!(undone["restored"], json!(["made.txt"]));
    process.end().await;
    assert_eq!(home.run(&["verify"]).await.code, Some(0));
    // The new chain holds what came, too.
    let forged = format!("UPDATE cowork_events SET payload = '{{}}' WHERE session_id = '{rests}' AND seq = 1");
    Connection::open(&loom).unwrap().execute(&forged, []).unwrap();
    let verified = home.run(&["verify"]).await;
    assert!(verified.code == Some(1) && verified.out.contains(&rests), "{verified:?}");
    model.check();
}

/// The lines of an export but for those that say when and from where it came.
fn contents(export: &str, homes: &[&Home]) -> Vec<Value> {
    let mut export = export.to_owned();
    for home in homes {
        export = export.replace(home.workspace.to_str().unwrap(), "/folder");
    }
    let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("exported_at").is_none() && line.get("end").is_none()).collect()
}

async fn export(home: &Home, arguments: &[&str]) -> String {
    let ended = home.run(&[&["export"], arguments].concat()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_and_imported_elsewhere_is_the_same_there() {
    let model = ScriptedModel::start().await;
    let (home, other) = (plain_home(&model), plain_home(&model));
    let (rests, waits, _) = worked(&home, &model).await;
    let process = home.start_plain().await;
    let mut before = seen(&process, &rests).await;
    let first = export(&home, &[&rests]).await;
    let refused = home.run(&["export", &waits]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("waits for a person"), "{refused:?}");
    assert_eq!(contents(&export(&home, &[]).await, &[]), contents(&first, &[]), "all that rest");
    process.end().await;
    let file = other.path().join("session.ndjson");
    fs::write(&file, &first).unwrap();
    let file = file.to_str().unwrap();
    assert!(first.contains(r#"{"file":{"path":"made.txt","size":5"#) && first.contains("up.txt"), "{first}");

    let folder = other.workspace.to_str().unwrap();
    let tried = other.run(&["import", file, "--workspace", folder, "--dry-run"]).await;
    assert!(tried.code == Some(0) && tried.out.contains("would be taken in"), "{tried:?}");
    let taken = other.run(&["import", file, "--workspace", folder]).await;
    assert!(taken.code == Some(0) && taken.out.contains("was taken in"), "{taken:?}");
    let again = other.run(&["import", file, "--workspace", folder]).await;
    assert!(again.code == Some(0) && again.out.contains("is here already"), "{again:?}");
    fs::write(other.workspace.join("made.txt"), "made\n").unwrap();
    fs::write(other.workspace.join("up.txt"), "uploaded\n").unwrap();
    let second = export(&other, &[&rests]).await;
    let rows = |export: &str| -> Vec<Value> {
        let lines = contents(export, &[&home, &other]).into_iter();
        lines.filter(|line| line.get("file").is_none()).collect()
    };
    assert_eq!(rows(&second), rows(&first));

    let process = other.start_plain().await;
    let after = seen(&process, &rests).await;
    before["session"]["workspace"] = json!(folder);
    assert_eq!(after, before);
    // It goes on there, and its log says since when it is chained there.
    model.play([say("Going on elsewhere.")]);
    turn(&process, &rests, "And now?").await;
    process.end().await;
    let verified = other.run(&["verify"]).await;
    assert!(verified.code == Some(0) && verified.out.contains("stood before the chain"), "{verified:?}");
    let differs = other.run(&["import", file, "--workspace", folder]).await;
    assert!(differs.code == Some(1) && differs.err.contains("not the same in both"), "{differs:?}");
    model.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_cut_or_made_up_is_refused_whole() {
    let model = ScriptedModel::start().await;
    let (home, other) = (plain_home(&model), plain_home(&model));
    let (rests, ..) = worked(&home, &model).await;
    let whole = export(&home, &[&rests]).await;
    let end_line = whole.lines().last().unwrap();
    let body = whole.strip_suffix(&format!("{end_line}\n")).unwrap();
    let file = other.path().join("session.ndjson");
    for (text, why) in [
        (body.to_owned(), "it was cut off"),
        (whole.replace("Write a file.", "Write a virus."), "changed or damaged"),
        (whole.replace("conversation_turns", "cowork_web_rules"), "nothing that a session has"),
        (whole.replace("\"version\":1", "\"version\":2"), "newer Cowork"),
        (
            format!("{body}{}\n{end_line}\n", r#"{"table":"cowork_web_tasks","row":{"session_id":"x","tasks":"[]"}}"#),
            "another session",
        ),
        ("Hello\n".to_owned(), "no line of an export"),
        (String::new(), "empty"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = other.run(&["import", file.to_str().unwrap()]).await;
        assert_eq!(refused.code, Some(1), "{why}: {refused:?}");
        assert!(refused.err.contains(why) && refused.err.contains("Nothing was imported"), "{why}: {refused:?}");
    }
    let process = other.start_plain().await;
    assert_eq!(process.api.get("/cowork/sessions").await.expect(200)["total"], 0);
}
