//! Ids of another session under the address of one's own: nothing is there, and nothing is done. All sessions here are one
//! person's, so that nothing but the id is at fault.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    access_routes::ROUTES,
    support::{
        http::{Answer, Api},
        model::{Script, call, say},
        server::Server,
    },
    uploads_tus,
};

const JSON: (&str, &str) = ("content-type", "application/json");
const TUS: [(&str, &str); 4] = [
    ("tus-resumable", "1.0.0"),
    ("content-type", "application/offset+octet-stream"),
    ("upload-offset", "0"),
    ("x-http-method-override", "PATCH"),
];

/// Every way to name something of a session by an id of its own: what is asked, and with what.
const WAYS: [(&str, &str, &str); 17] = [
    ("POST", "/approvals/{approval}", r#"{"decision": "approve"}"#),
    ("POST", "/questions/{question}", r#"{"option_ids": ["1"]}"#),
    ("PATCH", "/queue/{message}", r#"{"message": "taken"}"#),
    ("POST", "/queue/{message}/edit", r#"{"message": "taken"}"#),
    ("POST", "/queue/{message}/send", "{}"),
    ("POST", "/queue/{message}/remove", "{}"),
    ("DELETE", "/queue/{message}", ""),
    ("POST", "/approval-rules/{rule}/revoke", "{}"),
    ("DELETE", "/approval-rules/{rule}", ""),
    ("HEAD", "/uploads/tus/{upload}", ""),
    ("GET", "/uploads/tus/{upload}", ""),
    ("PATCH", "/uploads/tus/{upload}", "abc"),
    ("POST", "/uploads/tus/{upload}", "abc"),
    ("DELETE", "/uploads/tus/{upload}", ""),
    ("GET", "/turns/{turn}/changes", ""),
    ("POST", "/turns/{turn}/undo", "{}"),
    ("GET", "/turns/{turn}/calls/{call}/output", ""),
];

#[test]
fn every_route_that_takes_an_id_within_a_session_is_tried() {
    let within = ROUTES.iter().filter_map(|(pattern, _)| pattern.strip_prefix("/cowork/sessions/{id}"));
    let there: BTreeSet<&str> =
        within.filter(|pattern| pattern.contains('{') && !pattern.contains("{*path}")).collect();
    assert_eq!(WAYS.map(|(_, pattern, _)| pattern).into_iter().collect::<BTreeSet<_>>(), there);
}

/// Two sessions that have all that has an id.
struct Theirs {
    id: String,
    /// Where a question waits.
    asking: String,
    approval: String,
    question: String,
    message: String,
    rule: String,
    upload: String,
}

fn write(id: &str, path: &str) -> Script {
    call(id, "write_file", &json!({"path": path, "content": "written"}))
}

async fn pending(api: &Api, id: &str, name: &str) -> String {
    api.session(id).await["pending"][0][name].as_str().unwrap().to_owned()
}

async fn theirs(server: &Server) -> Theirs {
    let (api, model) = (&server.api, &server.model);
    model.play_for("Begin", [write("w1", "notes/a.txt"), say("One."), write("w2", "other/b.txt"), say("Two.")]);
    model
        .play_for("Ask me", [call("q", "ask_user", &json!({"question": "Which?", "options": ["A", "B"]})), say("So.")]);
    let (id, asking) = (server.session().await, server.session().await);
    let mut socket = server.socket(&id, "cursor=0").await;
    api.send(&id, "Begin").await;
    let first = socket.wait("approval_requested").await;
    let approval = format!("/cowork/sessions/{id}/approvals/{}", first["approval_id"].as_str().unwrap());
    api.post(&approval, json!({"decision": "approve_always"})).await.expect(200);
    socket.wait_event("turn_completed").await;
    api.send(&id, "Again").await;
    socket.wait_event("approval_requested").await;
    let message = api.send(&id, "Later").await["message_id"].as_str().unwrap().to_owned();
    let rules = api.get(&format!("/cowork/sessions/{id}/approval-rules")).await.expect(200);
    let place = uploads_tus::begin(api, &id, 3, &[("filename", "c.txt"), ("target_dir", ".")]).await;

    let mut socket = server.socket(&asking, "cursor=0").await;
    api.send(&asking, "Ask me").await;
    socket.wait_event("awaiting_user_input").await;
    Theirs {
        approval: pending(api, &id, "approval_id").await,
        question: pending(api, &asking, "question_id").await,
        rule: rules[0]["rule_id"].as_str().unwrap().to_owned(),
        upload: place.rsplit('/').next().unwrap().to_owned(),
        id,
        asking,
        message,
    }
}

impl Theirs {
    fn address(&self, session: &str, pattern: &str) -> String {
        let names = [
            ("{approval}", self.approval.as_str()),
            ("{question}", &self.question),
            ("{message}", &self.message),
            ("{rule}", &self.rule),
            ("{upload}", &self.upload),
            // The first turn is one that each has; the second is theirs alone.
            ("{turn}/calls", "1/calls"),
            ("{turn}/changes", "2/changes"),
            ("{turn}", "2"),
            ("{call}", "w1"),
        ];
        let path = names.iter().fold(pattern.to_owned(), |path, (name, id)| path.replace(name, id));
        format!("/cowork/sessions/{session}{path}")
    }

    /// All that could have been done to them.
    async fn state(&self, api: &Api) -> Vec<Value> {
        let mut state = vec![json!(api.queue(&self.id).await)];
        for id in [&self.id, &self.asking] {
            state.extend([api.session(id).await, json!(api.events(id).await), json!(api.rows(id).await)]);
            state.push(api.get(&format!("/cowork/sessions/{id}/approval-rules")).await.expect(200));
        }
        state
    }
}

async fn ask(api: &Api, method: &str, address: &str, body: &str) -> Answer {
    let headers: &[(&str, &str)] = if address.contains("/tus/") { &TUS } else { &[JSON] };
    let headers = if method == "POST" { headers } else { &headers[..headers.len().min(3)] };
    let body = (!matches!(method, "GET" | "HEAD")).then(|| body.to_owned());
    api.request(method, address, headers, body).await
}

#[tokio::test]
async fn what_is_of_another_session_is_not_there_and_stays_as_it_is() {
    let server = Server::start().await;
    let api = &server.api;
    let theirs = theirs(&server).await;
    let own = server.session().await;
    server.model.play_for("Mine", [say("Mine.")]);
    server.turn(&own, "Mine").await;
    let (before, own_before) = (theirs.state(api).await, api.events(&own).await);

    for (method, pattern, body) in WAYS {
        let answer = ask(api, method, &theirs.address(&own, pattern), body).await;
        assert_eq!(answer.status, 404, "{method} {pattern}: {answer:?}");
        let nobodys = theirs.address(&own, pattern).replace("/w1/", "/none/");
        let nobodys = [&theirs.approval, &theirs.question, &theirs.message, &theirs.rule, &theirs.upload]
            .into_iter()
            .fold(nobodys, |path, id| path.replace(id.as_str(), "0123456789abcdef0123456789abcdef"));
        let none = ask(api, method, &nobodys, body).await;
        let told = |answer: &Answer| if answer.text.is_empty() { Value::Null } else { answer.json()["detail"].clone() };
        assert_eq!((none.status, told(&none)), (404, told(&answer)), "{method} {pattern}: as one that never was");
    }
    let mut socket = server.socket(&own, "").await;
    for frame in [
        json!({"type": "approve", "approval_id": theirs.approval, "decision": "approve"}),
        json!({"type": "answer", "question_id": theirs.question, "option_ids": ["1"]}),
    ] {
        socket.send(frame.clone()).await;
        assert_eq!(socket.wait("error").await["code"], "not_found", "{frame}");
    }
    assert_eq!(theirs.state(api).await, before, "nothing was done to them");
    assert_eq!(api.events(&own).await, own_before, "and nothing here");
    assert!(!server.workspace.join("other/b.txt").exists() && server.workspace.join("notes/a.txt").exists());
    server.model.forget();
}

/// Else the test above would show that nothing is there at all.
#[tokio::test]
async fn under_its_own_session_each_of_them_is_there() {
    let server = Server::start().await;
    let theirs = theirs(&server).await;
    // What these take away, `DELETE` takes away, too.
    let twice = ["/queue/{message}/send", "/queue/{message}/remove", "/approval-rules/{rule}/revoke"];
    let mut ways: Vec<_> = WAYS.into_iter().filter(|(_, pattern, _)| !twice.contains(pattern)).collect();
    // Their second turn runs; the first one has what can be seen and taken back.
    ways.sort_by_key(|(method, pattern, _)| {
        (pattern.starts_with("/approvals"), *method == "DELETE", *method == "PATCH")
    });
    for (method, pattern, body) in ways {
        let session = if pattern.starts_with("/questions") { &theirs.asking } else { &theirs.id };
        let address = theirs.address(session, pattern).replace("/turns/2/", "/turns/1/");
        let answer = ask(&server.api, method, &address, body).await;
        assert_ne!(answer.status, 404, "{method} {pattern}: {answer:?}");
    }
    server.model.forget();
}
