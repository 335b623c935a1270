//! A secret of ours stands nowhere: not in the database, not in the log of the process, not on the wire.

use serde_json::json;

use crate::support::{
    model::{ScriptedModel, call, refuse, say},
    process::Home,
    server::{Setup, is_end},
};

const KEY: &str = "sk-canary-93b1f7";

#[tokio::test]
async fn the_key_goes_to_the_model_and_nowhere_else() {
    let server = Setup { api_key: Some(KEY), ..Setup::default() }.start().await;
    let echo = format!("Incorrect API key provided: {KEY}. You can find it in your account.");
    server.model.play([
        call("a", "list_directory", &json!({})),
        say("Fine."),
        refuse(401, &echo),
        say("Half").failing(json!({"message": echo, "code": 401})),
    ]);
    let id = server.session().await;
    let mut frames = server.turn(&id, "One").await;
    frames.extend(server.turn(&id, "Two").await);
    frames.extend(server.turn(&id, "Three").await);
    assert_eq!(server.model.authorizations()[0].as_deref(), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(frames.iter().filter(|frame| is_end(frame)).count(), 3);
    assert!(frames.iter().all(|frame| !frame.to_string().contains(KEY)), "{frames:#?}");
    for path in ["/config", "/models", &format!("/cowork/sessions/{id}/logs"), &format!("/cowork/sessions/{id}/turns")]
    {
        assert!(!server.api.get(path).await.text.contains(KEY), "{path}");
    }
    assert!(!server.api.page(&format!("/sessions/{id}")).await.text.contains(KEY));
    let folder = std::fs::read_dir(server.database.parent().unwrap()).unwrap();
    for file in folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_the_process_holds_neither_keys_nor_messages() {
    let model = ScriptedModel::start().await;
    model.play([refuse(401, &format!("Incorrect API key provided: {KEY}")), say("secret answer 77")]);
    let home = Home::with(&model);
    let file = home.path().join("loom.toml");
    let config =
        std::fs::read_to_string(&file).unwrap() + &format!("api_key = \"{KEY}\"\n[logging]\nlevel = \"DEBUG\"\n");
    std::fs::write(&file, config).unwrap();
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    process.api.send(&id, "private question 41").await;
    socket.wait_event("turn_interrupted").await;
    process.api.send(&id, "private question 42").await;
    socket.wait_event("turn_completed").await;
    drop(socket);
    process.terminate();
    let log = process.log.clone();
    assert_eq!(process.exit_code().await, Some(0));
    let log = log.lock().unwrap();
    for secret in [KEY, "private question", "secret answer"] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(log.contains("stopping"), "it is the log that was looked at: {log}");
    assert_eq!(model.authorizations()[0].as_deref(), Some(format!("Bearer {KEY}").as_str()));
}
