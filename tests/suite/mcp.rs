//! Tools of MCP servers over the real loop. The server here is a few lines of Bash, for what no published one does: it
//! dies, floods, hangs. `mcp_live` goes to published ones.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use cowork::config::{Config, McpServer};
use serde_json::{Value, json};

use crate::support::{
    jail::{assert_gone, processes_with},
    model::{Script, call, say},
    server::{Server, Setup},
    socket::Socket,
};

/// Answers as the protocol wants it; `$1` is a word by which its processes are found.
const SERVER: &str = r#"
reply() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
text() { reply "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]}"; }
tool() { printf '{"name":"%s","description":"Does %s.","inputSchema":%s%s}' "$1" "$1" "${2:-{\"type\":\"object\"\}}" "${3:-}"; }
echo 'a word beside the protocol' >&2
while IFS= read -r line; do
  [[ $line =~ \"id\":([0-9]+|\"[^\"]*\") ]] && id=${BASH_REMATCH[1]} || continue
  case $line in
    *'"method":"initialize"'*)
      reply '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"test","version":"1"}}' ;;
    *'"method":"tools/list"'*)
      echo_schema='{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}'
      reply "\"result\":{\"tools\":[$(tool echo "$echo_schema"),$(tool look '{"type":"object"}' ',"annotations":{"readOnlyHint":true}'),$(tool pid '{"type":"object"}'),$(tool environment '{"type":"object"}'),$(tool die '{"type":"object"}'),$(tool hang '{"type":"object"}'),$(tool flood '{"type":"object"}'),$(tool write '{"type":"object"}'),$(tool spoil '{"type":"object"}'),$(tool 'bad name' '{"type":"object"}')]}" ;;
    *'"name":"echo"'*) [[ $line =~ \"message\":\"([^\"]*)\" ]]; text "${BASH_REMATCH[1]}" ;;
    *'"name":"look"'*) text seen ;;
    *'"name":"write"'*) [[ $line =~ \"path\":\"([^\"]*)\" ]]; echo changed > "${BASH_REMATCH[1]}"; text written ;;
    *'"name":"spoil"'*) [[ $line =~ \"path\":\"([^\"]*)\" ]]; echo half > "${BASH_REMATCH[1]}"; reply '"error":{"code":-32000,"message":"the rest failed"}' ;;
    *'"name":"pid"'*) text $$ ;;
    *'"name":"environment"'*) text "$(env | cut -d= -f1 | sort | tr '\n' ' ')" ;;
    *'"name":"die"'*) exit 1 ;;
    *'"name":"hang"'*) sleep "$1" & ;;
    *'"name":"flood"'*) text "$(yes 'a line\\n' | head -c 300000 | tr -d '\n')" ;;
    *) reply '"error":{"code":-32601,"message":"no such method"}' ;;
  esac
done
wait
"#;

/// The server as the configuration has it.
fn configured(word: &str, more: &str) -> Vec<McpServer> {
    let script = toml_text(SERVER);
    let text = format!(
        "[mcp.servers.test]\ncommand = \"/bin/bash\"\nargs = [\"-c\", {script}, \"mcp\", \"{word}\"]\n{more}\n\
         [mcp.servers.test.env]\nGIVEN = \"yes\"\n"
    );
    let (config, warnings) = Config::from_toml(&text, "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    config.mcp_servers
}

fn toml_text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A number of seconds that no other program of this machine sleeps.
fn word(test: u32) -> String {
    format!("61.{:07}{test}", std::process::id())
}

async fn start(word: &str, more: &str) -> Server {
    Setup { mcp: configured(word, more), ..Setup::default() }.start().await
}

fn mcp(id: &str, tool: &str, args: &Value) -> Script {
    call(id, &format!("mcp.test.{tool}"), args)
}

/// Sends a message, says yes to what asks, and gives the call's end.
async fn called(server: &Server, session: &str, script: Script) -> Value {
    server.model.play([script, say("Done.")]);
    let mut socket = server.socket(session, "").await;
    server.api.send(session, "Do it").await;
    approve(server, session, &mut socket).await;
    let done = socket.wait("tool_call_completed").await;
    socket.wait("turn_completed").await;
    done
}

async fn approve(server: &Server, session: &str, socket: &mut Socket) {
    let asked = socket.wait("approval_requested").await;
    let path = format!("/cowork/sessions/{session}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "approve"})).await.expect(200);
}

#[tokio::test]
async fn tools_of_a_server_are_named_asked_for_and_run_over_one_connection() {
    let server = start(&word(1), "").await;
    let listed = server.api.get("/tools").await.expect(200).to_string();
    assert!(listed.contains("mcp.test.echo") && !listed.contains("bad name"), "{listed}");
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    let done = called(&server, &id, mcp("a", "echo", &json!({"message": "hello"}))).await;
    assert_eq!((&done["success"], &done["output"]), (&json!(true), &json!("hello")));
    let sent = &server.model.requests()[0]["tools"];
    assert!(
        sent.as_array().unwrap().iter().any(|tool| tool["function"]["name"] == "mcp_test_echo"),
        "as the wire allows"
    );
    let first = called(&server, &id, mcp("b", "pid", &json!({}))).await["output"].clone();
    let other = server.session().await;
    let second = called(&server, &other, mcp("c", "pid", &json!({}))).await["output"].clone();
    assert_eq!(first, second, "one for the whole process");
    let done = called(&server, &id, mcp("d", "echo", &json!({"message": 7}))).await;
    assert_eq!(done["error"], "`message` must be string, not a number.");
    let environment = called(&server, &id, mcp("e", "environment", &json!({}))).await["output"].to_string();
    assert!(
        environment.contains("GIVEN") && environment.contains("PATH") && !environment.contains("CARGO"),
        "{environment}"
    );
    let flood = called(&server, &id, mcp("f", "flood", &json!({}))).await["output"].to_string();
    assert!(flood.len() < 10_000 && flood.contains(" […]"), "one endless line is cut: {}", flood.len());
}

#[tokio::test]
async fn what_says_that_it_only_reads_is_free_where_the_operator_trusts_it_and_nowhere_else() {
    for (more, free) in [("", false), ("trust_read_only = true", true)] {
        let server = start(&word(2), more).await;
        let id = server.session().await;
        server.model.play([mcp("a", "look", &json!({})), say("Seen.")]);
        let mut socket = server.socket(&id, "").await;
        server.api.send(&id, "Look").await;
        if !free {
            approve(&server, &id, &mut socket).await;
        }
        assert_eq!(socket.wait("tool_call_completed").await["output"], "seen");
        socket.wait("turn_completed").await;
        assert_eq!(socket.all("approval_requested").is_empty(), free);
    }
}

#[tokio::test]
async fn what_a_program_changes_in_the_folder_is_told_and_can_be_taken_back() {
    let server = start(&word(7), "").await;
    server.write_file("note.txt", "as it was\n");
    let id = server.session().await;
    let path = server.workspace.join("note.txt");
    let done = called(&server, &id, mcp("a", "write", &json!({ "path": path }))).await;
    assert_eq!((&done["output"], &done["files_changed"]), (&json!("written"), &json!(["note.txt"])));
    assert!(done["diff"].as_str().unwrap().contains("-as it was\n+changed"), "{done}");
    let undo = format!("/cowork/sessions/{id}/turns/1/undo");
    assert_eq!(server.api.post(&undo, json!({})).await.expect(200)["restored"], json!(["note.txt"]));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "as it was\n");
}

#[tokio::test]
async fn a_call_that_fails_tells_what_it_changed_before() {
    let server = start(&word(8), "").await;
    server.write_file("note.txt", "as it was\n");
    let id = server.session().await;
    let path = server.workspace.join("note.txt");
    let done = called(&server, &id, mcp("a", "spoil", &json!({ "path": path }))).await;
    assert_eq!((&done["success"], &done["files_changed"]), (&json!(false), &json!(["note.txt"])), "{done}");
    assert!(done["error"].as_str().unwrap().contains("the rest failed"), "{done}");
    assert!(done["diff"].as_str().unwrap().contains("-as it was\n+half"), "{done}");
}

#[tokio::test]
async fn a_server_that_dies_fails_its_call_in_words_and_is_started_again() {
    let server = start(&word(3), "").await;
    let id = server.session().await;
    let before = called(&server, &id, mcp("a", "pid", &json!({}))).await["output"].clone();
    let died = called(&server, &id, mcp("b", "die", &json!({}))).await;
    assert_eq!(died["success"], false);
    assert!(died["error"].as_str().unwrap().contains("test"), "{died}");
    let after = called(&server, &id, mcp("c", "pid", &json!({}))).await;
    assert_eq!(after["success"], true, "{after}");
    assert_ne!(before, after["output"]);
}

#[tokio::test]
async fn a_call_that_hangs_ends_with_its_time_or_with_a_stop() {
    let server = start(&word(4), "timeout_seconds = 1").await;
    let id = server.session().await;
    let late = called(&server, &id, mcp("a", "hang", &json!({}))).await;
    assert_eq!(late["error"], "The server test did not answer in 1 seconds.");

    let server = start(&word(5), "").await;
    let id = server.session().await;
    server.model.play([mcp("a", "hang", &json!({}))]);
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Do it").await;
    approve(&server, &id, &mut socket).await;
    socket.wait("tool_call_started").await;
    let asked = Instant::now();
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    socket.wait("turn_interrupted").await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn the_end_of_the_program_ends_its_servers_and_what_they_started() {
    let word = word(6);
    let server = start(&word, "timeout_seconds = 1").await;
    let id = server.session().await;
    called(&server, &id, mcp("a", "hang", &json!({}))).await;
    assert!(processes_with(&word).len() >= 2, "the server and its child");
    server.toolbox.shut_down().await;
    assert_gone(&word).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_started_is_no_hindrance() {
    let text = "[mcp.servers.test]\ncommand = \"/no/such/program\"\n";
    let (config, _) = Config::from_toml(text, "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap();
    let server = Setup { mcp: config.mcp_servers, ..Setup::default() }.start().await;
    server.model.play([say("Here.")]);
    let id = server.session().await;
    server.turn(&id, "Hello").await;
    assert!(!server.api.get("/tools").await.expect(200).to_string().contains("mcp."));
}
