//! Canaries: secrets of the server that must stand nowhere, and secrets that a person typed or a file held, which
//! must stand in the conversation alone. Looked for in the raw bytes of the database, in the process log and on the
//! sockets.

use std::{collections::BTreeSet, path::Path};

use rusqlite::{Connection, types::ValueRef};
use serde_json::{Value, json};

use super::uploads_tus;
use crate::support::{
    form::Form,
    model::{ScriptedModel, call, say},
    process::{Home, Process},
    socket::Socket,
    soon,
};

/// Ours: of the configuration, of the environment by its name, of the environment by a configured name.
const OURS: [&str; 3] = ["cfg-Canary-0001", "env-Canary-0002", "pin-Canary-0003"];
/// Of people and files, in the forms that they come in.
const PROMPT: &str = "ghp_canaryPROMPT0123456789abcdef";
const FILE: &str = "AKIACANARYFILE000001";
const ARGUMENT: &str = "sk-canary-argument-0123456789";
const FIELD: &str = "canary field of its own";
const NAME: &str = "xoxb-111111111111-canaryname";
const THEIRS: [&str; 5] = [PROMPT, FILE, ARGUMENT, FIELD, NAME];

/// Tables where the conversation itself stands.
const CONVERSATION: [&str; 3] = ["conversation_turns", "cowork_web_messages", "cowork_web_partials"];

async fn start(format: &str) -> (ScriptedModel, Home, Process) {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let file = home.path().join("loom.toml");
    let more =
        format!("api_key = \"{}\"\n[logging]\nlevel = \"TRACE\"\n[cowork]\nsecret_names = [\"door_pin\"]\n", OURS[0]);
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &more).unwrap();
    let variables = [
        ("SERVICE_TOKEN", OURS[1]),
        ("DOOR_PIN", OURS[2]),
        ("RUST_LOG", "cowork=trace,warn"),
        ("COWORK_LOG_FORMAT", format),
    ];
    let process = home.start_with(&variables).await;
    (model, home, process)
}

/// Which of the canaries stand in a text.
fn found<'c>(canaries: &[&'c str], bytes: &[u8]) -> BTreeSet<&'c str> {
    let holds = |canary: &&&str| bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
    canaries.iter().filter(holds).copied().collect()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Every value of every table, with the table's name.
fn values(database: &Path) -> Vec<(String, Vec<u8>)> {
    let connection = Connection::open(database).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column).unwrap() {
                    values.push((table.clone(), bytes.to_vec()));
                }
            }
        }
    }
    values
}

async fn play(model: &ScriptedModel, home: &Home, process: &Process) -> (String, Vec<Value>) {
    let secrets = format!("aws = {FILE}\nours = {}\ntoken: {}\n", OURS[1], process.api.token());
    std::fs::write(home.workspace.join("notes.txt"), secrets).unwrap();
    let args = json!({"path": "made.txt", "content": format!("key {ARGUMENT}\nours {}\n", OURS[0])});
    model.play([
        call("r", "read_file", &json!({"path": "notes.txt"})),
        call("w", "write_file", &args).call(
            "n",
            "read_file",
            &json!({"path": format!("{NAME}.txt"), "password": FIELD}),
        ),
        say("I was asked with ").then(&OURS[0][..5]).then(&OURS[0][5..]).then(", and you said ").then(PROMPT),
    ]);
    let id = process.api.create(json!({"mode": "accept_edits", "title": format!("About {PROMPT}")})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, &format!("Use {PROMPT}, and {} too, and {}", OURS[2], process.api.token())).await;
    socket.wait_event("turn_completed").await;
    process.api.patch(&format!("/cowork/sessions/{id}"), json!({"title": format!("Not {FILE}")})).await.expect(200);
    socket.wait_event("session_updated").await;
    (id, socket.cut())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_canary_of_ours_stands_anywhere_and_theirs_in_the_conversation_alone() {
    look_everywhere("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_where_the_log_is_json() {
    let log = look_everywhere("json").await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["message"] == "stopping"), "{log}");
}

/// Plays, and looks for the canaries; the log of the process.
async fn look_everywhere(format: &str) -> String {
    let (model, home, process) = start(format).await;
    // Made by the server itself, and all that a script needs to sign in.
    let token = process.api.token().to_owned();
    let ours = [OURS[0], OURS[1], OURS[2], token.as_str()];
    let (id, live) = play(&model, &home, &process).await;
    let mut again: Socket = process.socket(&id, "cursor=0").await;
    again.wait("synced").await;
    let logs = process.api.get(&format!("/cowork/sessions/{id}/logs?limit=1000")).await.text;
    let turns = process.api.get(&format!("/cowork/sessions/{id}/turns?limit=1000")).await.text;
    let page = process.api.page(&format!("/sessions/{id}")).await.text;
    let printed = home.run(&["logs", &id, "--json", "--database", home.database.to_str().unwrap()]).await;

    // On the wire.
    for frame in live.iter().chain(&again.frames) {
        let text = frame.to_string();
        assert_eq!(found(&ours, text.as_bytes()), BTreeSet::new(), "{text}");
        if frame["type"] == "log_event" {
            assert_eq!(found(&THEIRS, text.as_bytes()), BTreeSet::new(), "{text}");
        }
    }
    for text in [&logs, &turns, &page, &printed.out, &printed.err] {
        assert_eq!(found(&ours, text.as_bytes()), BTreeSet::new());
    }
    for text in [&logs, &printed.out] {
        assert_eq!(found(&THEIRS, text.as_bytes()), BTreeSet::new());
        assert!(text.contains("[redacted]"));
    }
    assert_eq!(found(&THEIRS, turns.as_bytes()).len(), THEIRS.len(), "the conversation keeps what was said in it");
    assert!(turns.contains("I was asked with [redacted], and you said"), "{turns}");

    // In what the process wrote, while it ran …
    let log = process.log.clone();
    process.terminate();
    assert_eq!(process.exit_code().await, Some(0));
    let log = log.lock().unwrap();
    assert_eq!(found(&ours, log.as_bytes()), BTreeSet::new(), "{log}");
    assert_eq!(found(&THEIRS, log.as_bytes()), BTreeSet::new(), "{log}");
    assert!(log.contains("the log ends here"), "it is the log that was looked at: {log}");
    // … and in its files.
    let data = home.database.parent().unwrap();
    for file in files_below(data) {
        // Before-images are what the files of the workspace held; the token has a file of its own.
        if !file.to_string_lossy().contains("images") && !file.ends_with("token") {
            assert_eq!(found(&ours, &std::fs::read(&file).unwrap()), BTreeSet::new(), "{}", file.display());
        }
    }
    for (table, value) in values(&home.database) {
        let said = CONVERSATION.contains(&table.as_str()) || table.starts_with("cowork_web_recall");
        let title = table == "cowork_sessions";
        assert!(said || title || found(&THEIRS, &value).is_empty(), "{table}: {}", String::from_utf8_lossy(&value));
    }
    model.check();
    log.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_what_they_agree_to_and_the_log_does_not() {
    let (model, home, process) = start("text").await;
    let args = json!({"path": "made.txt", "content": format!("password={ARGUMENT}")});
    model.play([call("w", "write_file", &args), say("Done.")]);
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, "Write").await;
    let asked = socket.wait("approval_requested").await;
    assert_eq!(asked["args"], args, "the frame asks about the call itself");
    let row = socket.wait_event("approval_requested").await;
    assert_eq!(row["payload"]["args"]["content"], "password=[redacted]");
    let pending = process.api.session(&id).await["pending"][0].clone();
    assert_eq!(pending["args"], args);
    let mut late = process.socket(&id, "cursor=0").await;
    assert_eq!(late.wait("approval_requested").await["args"], args, "also for one who comes later");

    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    process.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    let done = socket.wait("tool_call_completed").await;
    assert_eq!(done["success"], true, "{done}");
    assert_eq!(found(&THEIRS, done.to_string().as_bytes()), BTreeSet::new(), "{done}");
    socket.wait_event("turn_completed").await;
    assert_eq!(std::fs::read_to_string(home.workspace.join("made.txt")).unwrap(), args["content"].as_str().unwrap());
    let kept = values(&home.database);
    assert!(
        kept.iter().all(|(table, value)| table != "cowork_web_approvals" || found(&THEIRS, value).is_empty()),
        "what was decided waits no more"
    );
    let mut again = process.socket(&id, "cursor=0").await;
    assert_eq!(again.wait("approval_requested").await["args"]["content"], "password=[redacted]");
}

/// A name is a word of a person, too. What looks like a secret in one stands in the folder, in the answer to whoever sent it,
/// and with an upload that can be gone on with; never in the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_name_of_an_upload_stands_in_no_log() {
    let (model, home, process) = start("text").await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    let name = format!("{ARGUMENT}.txt");
    let form = || Form::new().field("target_dir", PROMPT).file(&name, "1").file(&format!("about {}.txt", OURS[0]), "2");
    let sent = process.api.upload(&id, form()).await.expect(200);
    assert_eq!((&sent["uploaded"], &sent["files"][0]["path"]), (&json!(2), &json!(format!("{PROMPT}/{name}"))));
    assert!(home.workspace.join(PROMPT).join(&name).exists(), "the folder is theirs");
    let again = process.api.upload(&id, form()).await.expect(200);
    assert_eq!(again["failed"], 2, "a refusal tells of the name as well");

    let pairs = [("filename", FILE), ("target_dir", NAME)];
    let place = uploads_tus::begin(&process.api, &id, 3, &pairs).await;
    let waiting = values(&home.database);
    assert!(waiting.iter().any(|(table, value)| table == "cowork_web_uploads" && !found(&THEIRS, value).is_empty()));
    assert_eq!(uploads_tus::send(&process.api, &place, 0, b"abc", &[]).await.status, 204);
    assert!(home.workspace.join(NAME).join(FILE).exists());
    for pairs in [[("filename", OURS[0]), ("target_dir", ".")], [("filename", "a"), ("target_dir", OURS[1])]] {
        let refused = uploads_tus::create(&process.api, &id, 3, &pairs).await;
        let detail = refused.expect_problem(422, "bad_name");
        assert_eq!(found(&OURS, detail.as_bytes()), BTreeSet::new());
    }

    socket.wait_for(|frame| frame["event_type"] == "upload_completed" && frame["payload"]["size"] == 3).await;
    let frames: Vec<String> = socket.cut().iter().map(Value::to_string).collect();
    let logs = process.api.get(&format!("/cowork/sessions/{id}/logs?limit=1000")).await.text;
    let printed = home.run(&["logs", &id, "--json", "--database", home.database.to_str().unwrap()]).await.out;
    let log = process.end().await;
    for told in frames.iter().chain([&logs, &printed, &log]) {
        assert_eq!(found(&THEIRS, told.as_bytes()), BTreeSet::new(), "{told}");
        assert_eq!(found(&OURS, told.as_bytes()), BTreeSet::new(), "{told}");
    }
    assert!(logs.contains("[redacted]/[redacted].txt") && logs.contains("already_exists"), "{logs}");
    for (table, value) in values(&home.database) {
        assert_eq!(found(&OURS, &value), BTreeSet::new(), "{table}");
        assert!(table == "cowork_web_uploads" || found(&THEIRS, &value).is_empty(), "{table}");
    }
    model.check();
}

/// Every user of a machine can read what programs were started with.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_process_of_ours_has_a_secret_of_ours_among_its_arguments() {
    let (model, home, process) = start("text").await;
    let command = "touch started; until [ -e go ]; do sleep 0.02; done";
    model.play([call("s", "shell_execute", &json!({"command": command})), say("Done.")]);
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "Run").await;
    let asked = socket.wait("approval_requested").await;
    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    process.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    let started = home.workspace.join("started");
    soon("the command", async {
        while !started.exists() {
            tokio::task::yield_now().await
        }
    })
    .await;
    let arguments = process.arguments_of_all();
    std::fs::write(home.workspace.join("go"), "").unwrap();
    socket.wait_event("turn_completed").await;
    assert!(arguments.iter().any(|one| one.contains("until [ -e go ]")), "the command's are among them: {arguments:?}");
    let token = process.api.token();
    for one in &arguments {
        assert_eq!(found(&[OURS[0], OURS[1], OURS[2], token], one.as_bytes()), BTreeSet::new(), "{one}");
    }
    model.check();
}
