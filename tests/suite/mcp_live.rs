//! Published MCP servers, which `tests/live/mcp` installs and names: they come from a package registry, so they are no
//! part of the usual run.

use std::path::Path;

use cowork::config::Config;
use serde_json::{Value, json};

use crate::support::{
    model::{call, say},
    server::{Server, Setup},
};

async fn start(variable: &str, text: impl Fn(&str) -> String) -> Server {
    let place = std::env::var(variable).unwrap_or_else(|_| panic!("tests/live/mcp sets {variable}"));
    let (config, warnings) =
        Config::from_toml(&text(&place), "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    Setup { mcp: config.mcp_servers, ..Setup::default() }.start().await
}

async fn called(server: &Server, tool: &str, args: Value) -> Value {
    server.model.play([call("a", tool, &args), say("Done.")]);
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Do it").await;
    let asked = socket.wait("approval_requested").await;
    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "approve"})).await.expect(200);
    let done = socket.wait("tool_call_completed").await;
    socket.wait("turn_completed").await;
    done
}

async fn everything(server: &Server) {
    let listed = server.api.get("/tools").await.expect(200);
    let names: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    println!("{names:?}");
    let done = called(server, "mcp.everything.echo", json!({"message": "hello"})).await;
    assert!(done["output"].as_str().unwrap().contains("hello"), "{done}");
    let done = called(server, "mcp.everything.echo", json!({})).await;
    assert_eq!(done["error"], "`message` is missing.");
    let sum = names.iter().find(|name| name.ends_with("sum") || name.ends_with(".add")).unwrap();
    let done = called(server, sum, json!({"a": 2, "b": 40})).await;
    assert!(done["output"].as_str().unwrap().contains("42"), "{done}");
    let image = names.iter().find(|name| name.to_lowercase().contains("image")).unwrap();
    let done = called(server, image, json!({})).await;
    assert!(done["output"].as_str().unwrap().contains("[a picture, image/png"), "{done}");
}

#[tokio::test]
#[ignore = "needs a published server; tests/live/mcp runs it"]
async fn everything_over_standard_input() {
    let text = |place: &str| format!("[mcp.servers.everything]\ncommand = \"node\"\nargs = [\"{place}\", \"stdio\"]\n");
    everything(&start("COWORK_LIVE_MCP_EVERYTHING", text).await).await;
}

#[tokio::test]
#[ignore = "needs a published server; tests/live/mcp runs it"]
async fn everything_over_streamable_http() {
    let text = |url: &str| {
        format!(
            "[mcp.servers.everything]\ntype = \"remote\"\nurl = \"{url}\"\nallow_insecure_http = true\nallow_private_network = true\n"
        )
    };
    everything(&start("COWORK_LIVE_MCP_URL", text).await).await;
}

#[tokio::test]
#[ignore = "needs a published server; tests/live/mcp runs it"]
async fn a_filesystem_server_reads_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    std::fs::write(folder.join("a.txt"), "from the other side").unwrap();
    let shown = folder.display().to_string();
    let text = |place: &str| {
        format!("[mcp.servers.files]\ncommand = \"node\"\nargs = [\"{place}\", \"{shown}\"]\ntrust_read_only = false\n")
    };
    let server = start("COWORK_LIVE_MCP_FILESYSTEM", text).await;
    let done = called(&server, "mcp.files.read_text_file", json!({"path": format!("{shown}/a.txt")})).await;
    assert!(done["output"].as_str().unwrap().contains("from the other side"), "{done}");
    let done = called(&server, "mcp.files.read_text_file", json!({"path": "/etc/hostname"})).await;
    assert_eq!(done["success"], false, "{done}");
}
