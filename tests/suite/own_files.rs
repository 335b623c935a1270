//! The server's own files inside a workspace: nobody reaches them through a session.

use serde_json::{Value, json};

use crate::support::{
    form::Form,
    model::{Script, ScriptedModel, say},
    process::{Home, Process},
};

const OURS: &str = "belongs to Cowork itself";

/// A server that was started in its workspace, with its database there and its configuration elsewhere; a session that
/// asks for nothing.
async fn inside(model: &ScriptedModel) -> (Home, Process, String) {
    let home = Home::with(model);
    home.add_settings("[cowork]\nallow_full_mode = true");
    let process = home.start_inside().await;
    let id = process.api.create(json!({"model": "scripted", "mode": "full"})).await;
    (home, process, id)
}

async fn results(process: &Process, id: &str, model: &ScriptedModel, calls: &[(&str, Value)]) -> Vec<Value> {
    let asks = calls
        .iter()
        .enumerate()
        .fold(Script::Answer(Vec::new()), |script, (at, (tool, args))| script.call(&format!("c{at}"), tool, args));
    model.play([asks, say("Tried.")]);
    let mut socket = process.socket(id, "").await;
    process.api.send(id, "Try it").await;
    socket.wait("turn_completed").await;
    socket.all("tool_call_completed").into_iter().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_tool_reads_or_changes_them() {
    let model = ScriptedModel::start().await;
    let (home, process, id) = inside(&model).await;
    let token = "data/cowork.db.files/token";
    let configuration = "[mcp.servers.x]\ncommand = \"sh\"\n";
    let calls = [
        ("write_file", json!({"path": "loom.toml", "content": configuration})),
        ("write_file", json!({"path": "plan.txt", "content": configuration})),
        ("move_file", json!({"source": "plan.txt", "destination": "loom.toml"})),
        ("edit_file", json!({"path": "loom.toml", "old_str": "", "new_str": configuration})),
        ("read_file", json!({"path": token})),
        ("write_file", json!({"path": token, "content": "cowork_0"})),
        ("move_file", json!({"source": "data", "destination": "old"})),
        ("move_file", json!({"source": "data/cowork.db", "destination": "mine.db"})),
        ("delete_file", json!({"path": "data/cowork.db-wal"})),
    ];
    for (done, (tool, args)) in results(&process, &id, &model, &calls).await.iter().zip(&calls) {
        let is_plan = args["path"] == "plan.txt";
        assert_eq!(done["success"], is_plan, "{tool} {args}: {done}");
        assert!(is_plan || done["error"].as_str().unwrap().contains(OURS), "{tool} {args}: {done}");
    }
    assert!(!home.workspace.join("loom.toml").exists() && home.workspace.join(token).exists());
    let search =
        [("ripgrep_search", json!({"pattern": "cowork_[0-9a-f]{8}"})), ("glob_find", json!({"pattern": "**/*token*"}))];
    for done in results(&process, &id, &model, &search).await {
        assert!(!done["output"].as_str().unwrap().contains("token"), "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_reads_them_or_leaves_a_configuration() {
    let model = ScriptedModel::start().await;
    let (home, process, id) = inside(&model).await;
    let command = "cat data/cowork.db.files/token; echo 'log_level = \"debug\"' > loom.toml; echo done > plan.txt";
    let done = results(&process, &id, &model, &[("shell_execute", json!({ "command": command }))]).await.remove(0);
    let output = done["output"].as_str().unwrap();
    assert!(output.contains("loom.toml was removed or put back") && !output.contains("cowork_"), "{done}");
    assert!(!home.workspace.join("loom.toml").exists());
    assert_eq!(std::fs::read_to_string(home.workspace.join("plan.txt")).unwrap(), "done\n");
    assert_eq!(
        done["files_changed"],
        json!(["plan.txt"]),
        "what the server writes meanwhile is no change of the command"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_person_takes_or_replaces_them_through_a_session() {
    let model = ScriptedModel::start().await;
    let (home, process, id) = inside(&model).await;
    let taken = process.api.get(&format!("/cowork/sessions/{id}/files/data/cowork.db.files/token")).await;
    assert!(taken.expect_problem(403, "not_readable").contains(OURS));
    let form = Form::new().field("on_conflict", "replace").file("loom.toml", "log_level = \"debug\"\n");
    let sent = process.api.upload(&id, form).await.expect(200);
    assert_eq!(sent["files"][0]["error"]["code"], "bad_name", "{sent}");
    assert!(!home.workspace.join("loom.toml").exists());
    let archive = process.api.download(&format!("/cowork/sessions/{id}/archive")).await.1;
    assert!(!String::from_utf8_lossy(&archive).contains("cowork.db"), "the archive leaves them out");
}
