//! `web_fetch`: what it gets, what it refuses, and that it never connects to anything but a checked address.

use std::{net::IpAddr, sync::Arc};

use serde_json::{Value, json};

use crate::support::{
    model::{call, say},
    server::{Server, Setup},
    web::{PUBLIC, Stub, tool, web},
};

/// What came of one address, as the model reads it.
async fn fetch(stub: &Arc<Stub>, args: Value) -> Result<String, String> {
    let tools = cowork::agent::ports::tool::Tools::new([tool(stub)]);
    let workspace = tempfile::tempdir().unwrap();
    let output = crate::support::host::call(&tools, workspace.path(), "web_fetch", args).await;
    output.map(|output| output.text).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_page_is_asked_for_by_its_host_and_comes_as_text() {
    let stub = web().await;
    let server = Setup { more_tools: vec![tool(&stub)], ..Setup::default() }.start().await;
    let get = |id: &str, path: &str| call(id, "web_fetch", &json!({"url": format!("http://site.example{path}")}));
    server.model.play([get("a", "/moved"), get("b", "/offers"), say("Two rooms.")]);
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "What do they offer?").await;
    let asked = socket.wait("approval_requested").await;
    assert_eq!((&asked["risk"], &asked["scope"]), (&json!("network"), &json!("site.example")));
    assert!(stub.asked.lock().unwrap().is_empty(), "not even the name is looked up before the word");
    let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
    server.api.post(&path, json!({"decision": "approve_always"})).await.expect(200);
    let first = socket.wait("tool_call_completed").await;
    let second = socket.wait("tool_call_completed").await;
    assert_eq!((&first["success"], &second["success"]), (&json!(true), &json!(true)), "{first}");
    assert_eq!(first["output"], "http://site.example/offers: lines 1-3 of 3\n# Offers\n\nTwo rooms.");
    socket.wait("turn_completed").await;
    assert_eq!(socket.all("approval_requested").len(), 1, "the rule spares this host");
}

#[tokio::test]
async fn a_session_that_accepts_edits_or_only_reads_does_not_reach_the_web_by_itself() {
    let stub = web().await;
    let server = Setup { more_tools: vec![tool(&stub)], ..Setup::default() }.start().await;
    server.model.play([call("a", "web_fetch", &json!({"url": "http://site.example/offers"})), say("No.")]);
    let id = server.api.create(json!({"mode": "read_only"})).await;
    let frames = server.turn(&id, "Look").await;
    let done = frames.iter().find(|frame| frame["type"] == "tool_call_completed").unwrap();
    assert_eq!(done["success"], false);
    assert!(stub.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_the_operators_word_there_is_no_such_tool() {
    let server = Server::start().await;
    let names = server.api.get("/tools").await.expect(200);
    assert!(!names.to_string().contains("web_fetch"));
}

/// Row 27 of the assurance: whatever the address or the name looks like, nothing inside is reached.
#[tokio::test]
async fn nothing_in_the_house_is_reached_by_any_address_name_or_redirection() {
    let stub = web().await;
    for (host, address) in [
        ("loop.example", "127.0.0.1"),
        ("zero.example", "0.0.0.0"),
        ("ten.example", "10.0.0.1"),
        ("cgnat.example", "100.64.0.1"),
        ("metadata.example", "169.254.169.254"),
        ("home.example", "192.168.1.1"),
        ("multicast.example", "224.0.0.1"),
        ("six.example", "::1"),
        ("unique.example", "fd00::1"),
        ("link.example", "fe80::1"),
        ("mapped.example", "::ffff:7f00:1"),
        ("nat64.example", "64:ff9b::7f00:1"),
        ("localhost.", "127.0.0.1"),
    ] {
        stub.knows(host, &[&[address]]);
        let refused = fetch(&stub, json!({"url": format!("http://{host}/offers")})).await.unwrap_err();
        assert!(refused.contains("not on the public internet"), "{host}: {refused}");
    }
    stub.knows("both.example", &[&[PUBLIC, "10.0.0.1"]]);
    let refused = fetch(&stub, json!({"url": "http://both.example/offers"})).await.unwrap_err();
    assert!(refused.contains("not on the public internet"), "{refused}");
    for (address, reason) in [
        ("http://127.0.0.1/", "not on the public internet"),
        ("http://2130706433/", "not on the public internet"),
        ("http://0177.0.0.1/", "not on the public internet"),
        ("http://[::ffff:7f00:1]/", "not on the public internet"),
        ("http://site.example@127.0.0.1/", "user name"),
        ("http://anna:key@site.example/", "user name"),
        ("ftp://site.example/", "Only http and https"),
        ("http://site.example/inside", "not on the public internet"),
        ("http://site.example/first", "not on the public internet"),
        ("http://site.example/mapped", "not on the public internet"),
        ("http://site.example/file", "Only http and https"),
    ] {
        let refused = fetch(&stub, json!({"url": address})).await.unwrap_err();
        assert!(refused.contains(reason), "{address}: {refused}");
    }
    let reached = stub.reached.lock().unwrap();
    assert!(reached.iter().all(|address| address.to_string() == PUBLIC), "{reached:?}");
}

/// A name that is public when it is checked and inside when it is connected to: there is no second look-up between.
#[tokio::test]
async fn a_name_that_changes_its_meaning_is_connected_to_where_it_was_checked() {
    let stub = web().await;
    stub.knows("rebinding.example", &[&[PUBLIC], &["127.0.0.1"]]);
    let text = fetch(&stub, json!({"url": "http://rebinding.example/offers"})).await.unwrap();
    assert!(text.contains("Two rooms."), "{text}");
    assert_eq!(*stub.asked.lock().unwrap(), ["rebinding.example"]);
    assert_eq!(stub.reached.lock().unwrap().iter().map(IpAddr::to_string).collect::<Vec<_>>(), [PUBLIC]);
    let refused = fetch(&stub, json!({"url": "http://rebinding.example/offers"})).await.unwrap_err();
    assert!(refused.contains("not on the public internet"), "{refused}");
}

#[tokio::test]
async fn what_a_page_may_be_has_limits_and_each_is_told() {
    let stub = web().await;
    for (path, expected) in [
        ("/away", "leads to another site: http://other.example/offers. Call web_fetch with that address"),
        ("/round", "leads on and on"),
        ("/picture", "is no text but image/png"),
        ("/absent", "answered 404"),
        ("/slow", "did not come whole in 2 seconds"),
        // Its layout takes without end; the process that does it is ended.
        ("/nested", "did not come whole in 2 seconds"),
    ] {
        let refused = fetch(&stub, json!({"url": format!("http://site.example{path}")})).await.unwrap_err();
        assert!(refused.contains(expected), "{path}: {refused}");
    }
    let refused = fetch(&stub, json!({"url": "http://unknown.example/"})).await.unwrap_err();
    assert!(refused.contains("could not be fetched: no such name"), "{refused}");
    let long = fetch(&stub, json!({"url": "http://site.example/long"})).await.unwrap();
    assert!(
        long.contains("; only the first 65536 bytes of the page were read") && long.contains("[cut: lines "),
        "{}",
        &long[..200]
    );
    let later = fetch(&stub, json!({"url": "http://site.example/long", "line_start": 9000})).await.unwrap();
    assert!(later.starts_with("http://site.example/long: lines 9000-"), "{}", &later[..80]);
}
