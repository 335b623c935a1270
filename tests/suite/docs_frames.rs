//! What frames.md says that a client sends, sent to a server: each example is understood and does what it is for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    docs_examples::{client_frames, kind},
    support::{
        model::{Gate, call, say},
        server::Server,
        socket::Socket,
    },
};

/// The page's examples, each sent once.
struct Examples(Vec<Value>);

impl Examples {
    /// Sends the example of this frame. Ids that the server gave stand in the place of the page's.
    async fn send(&mut self, socket: &mut Socket, kind: &str, ids: Value) -> Value {
        let at = self.0.iter().position(|example| self::kind(example) == kind);
        let mut frame = self.0.remove(at.unwrap_or_else(|| panic!("the page has an example of {kind}")));
        for (name, id) in ids.as_object().unwrap() {
            assert!(frame[name].is_string(), "{kind} has `{name}`: {frame}");
            frame[name] = id.clone();
        }
        socket.send(frame.clone()).await;
        frame
    }
}

#[tokio::test]
async fn every_example_of_a_client_does_what_it_is_for() {
    let gate = Gate::new();
    let summer = json!({"id": "summer", "label": "Summer"});
    let winter = json!({"id": "winter", "label": "Winter"});
    let server = Server::playing([
        call("w", "write_file", &json!({"path": "leaflet.md", "content": "# Summer\n"})),
        call("q", "ask_user", &json!({"question": "Which exhibition?", "options": [summer, winter]})),
        say("Counting").wait(&gate),
    ])
    .await;
    server.write_file("visitors.csv", "year,visitors\n2026,12\n");
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=0").await;
    socket.wait("synced").await;
    let mut examples = Examples(client_frames());

    let sent = examples.send(&mut socket, "user_message", json!({})).await;
    let accepted = socket.wait("message_accepted").await;
    assert_eq!((&accepted["message"], &accepted["client_id"]), (&sent["message"], &sent["client_id"]));
    assert_eq!(accepted["attachments"], json!([sent["attachments"][0]["path"]]));

    let asked = socket.wait("approval_requested").await;
    let sent = examples.send(&mut socket, "approve", json!({"approval_id": asked["approval_id"]})).await;
    assert_eq!(socket.wait("approval_resolved").await["decision"], sent["decision"]);
    assert_eq!(socket.wait("tool_call_completed").await["success"], true);

    let asked = socket.wait("awaiting_user_input").await;
    examples.send(&mut socket, "typing", json!({})).await;
    examples.send(&mut socket, "answer", json!({"question_id": asked["question_id"]})).await;
    assert_eq!(socket.wait("user_input_received").await["answer"], "Summer");

    gate.reached(1).await;
    let sent = examples.send(&mut socket, "steer", json!({})).await;
    assert_eq!(socket.wait("steering_received").await["message"], sent["message"]);
    examples.send(&mut socket, "ping", json!({})).await;
    assert!(socket.wait("pong").await["head_seq"].is_u64());
    examples.send(&mut socket, "stop", json!({})).await;
    assert_eq!(socket.wait("turn_interrupted").await["reason"], "stopped");

    assert_eq!(examples.0, [] as [Value; 0], "each was sent");
    assert_eq!(socket.all("error"), [] as [&Value; 0], "none was a mistake");
}

/// Where there is nothing to do it with, each is answered with an error that names it, and not with silence.
#[tokio::test]
async fn what_comes_at_the_wrong_time_is_answered_with_an_error() {
    let server = Server::start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    let mut told = BTreeSet::new();
    for mut frame in client_frames() {
        let kind = kind(&frame).to_owned();
        // These are always in time.
        if matches!(kind.as_str(), "typing" | "ping") {
            continue;
        }
        frame["client_id"] = json!(format!("wrong-{kind}"));
        socket.send(frame).await;
        let error = socket.wait("error").await;
        assert_eq!(error["client_id"], format!("wrong-{kind}"), "{error}");
        told.insert((kind, error["code"].as_str().unwrap().to_owned()));
    }
    let wanted = [
        ("answer", "not_found"),
        ("approve", "not_found"),
        ("steer", "not_running"),
        ("stop", "not_running"),
        ("user_message", "attachment_not_found"),
    ];
    assert_eq!(told, wanted.map(|(kind, code)| (kind.to_owned(), code.to_owned())).into());
}
