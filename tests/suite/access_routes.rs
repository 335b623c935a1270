//! Every route, every method, every credential: who may not is answered the same everywhere, before anything runs.

use std::collections::BTreeMap;

use crate::support::{
    http::Answer,
    people::{self, Team},
    server::Server,
};

/// Who may ask an address at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Everybody, signed in or not.
    Everybody,
    SignedIn,
    /// Those who may watch the session, and for changes take part.
    Session,
    /// Whoever made the session.
    Maker,
    /// Whoever runs the server.
    Runner,
}
use Open::{Everybody, Maker, Runner, Session, SignedIn};

/// A route that is not here fails the first test: whoever adds one says whom it is open to.
pub const ROUTES: &[(&str, Open)] = &[
    ("/health", Everybody),
    ("/health/live", Everybody),
    ("/health/probe", Everybody),
    ("/health/ready", Everybody),
    ("/favicon.svg", Everybody),
    ("/pkg/{build}/{file}", Everybody),
    ("/launch/{token}", Everybody),
    ("/sign-in", Everybody),
    ("/launch", Runner),
    ("/sign-out", SignedIn),
    ("/me", SignedIn),
    ("/", SignedIn),
    ("/models", SignedIn),
    ("/models/offers", SignedIn),
    ("/tools", SignedIn),
    ("/config", SignedIn),
    ("/openapi.json", SignedIn),
    ("/docs", SignedIn),
    ("/docs/{page}", SignedIn),
    ("/docs/pictures/{file}", SignedIn),
    ("/cowork/sessions", SignedIn),
    ("/cowork/workspaces", SignedIn),
    ("/cowork/look", SignedIn),
    ("/sessions/{id}", Session),
    ("/sessions/{id}/live", Session),
    ("/sessions/{id}/sharing", Session),
    ("/cowork/sessions/{id}", Session),
    ("/cowork/sessions/{id}/update", Session),
    ("/cowork/sessions/{id}/delete", Maker),
    ("/cowork/sessions/{id}/restore", Maker),
    ("/cowork/sessions/{id}/fork", Session),
    ("/cowork/sessions/{id}/uploads", Session),
    ("/cowork/sessions/{id}/uploads/tus", Session),
    ("/cowork/sessions/{id}/uploads/tus/{upload}", Session),
    ("/cowork/sessions/{id}/files", Session),
    ("/cowork/sessions/{id}/files/search", Session),
    ("/cowork/sessions/{id}/files/{*path}", Session),
    ("/cowork/sessions/{id}/preview/{*path}", Session),
    ("/cowork/sessions/{id}/archive", Session),
    ("/cowork/sessions/{id}/sharing", Session),
    ("/cowork/sessions/{id}/turns", Session),
    ("/cowork/sessions/{id}/turns/{turn}/changes", Session),
    ("/cowork/sessions/{id}/turns/{turn}/undo", Session),
    ("/cowork/sessions/{id}/earlier", Session),
    ("/cowork/sessions/{id}/export", Session),
    ("/cowork/sessions/{id}/turns/{turn}/calls/{call}/output", Session),
    ("/cowork/sessions/{id}/logs", Session),
    ("/cowork/sessions/{id}/messages", Session),
    ("/cowork/sessions/{id}/stop", Session),
    ("/cowork/sessions/{id}/steer", Session),
    ("/cowork/sessions/{id}/approvals/{approval}", Session),
    ("/cowork/sessions/{id}/approvals/deny-all", Session),
    ("/cowork/sessions/{id}/approval-rules", Session),
    ("/cowork/sessions/{id}/approval-rules/{rule}", Session),
    ("/cowork/sessions/{id}/approval-rules/{rule}/revoke", Session),
    ("/cowork/sessions/{id}/questions/{question}", Session),
    ("/cowork/sessions/{id}/queue", Session),
    ("/cowork/sessions/{id}/queue/{message}", Session),
    ("/cowork/sessions/{id}/queue/{message}/edit", Session),
    ("/cowork/sessions/{id}/queue/{message}/remove", Session),
    ("/cowork/sessions/{id}/queue/{message}/send", Session),
    ("/cowork/sessions/{id}/stream", Session),
];

pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const NOBODYS: &str = "0123456789abcdef0123456789abcdef";

/// An address of the pattern, with everything that a handler would want in path, query and body.
fn address(pattern: &str, session: &str) -> String {
    let parts = pattern.split('/').map(|part| match part {
        "{id}" => session,
        "{turn}" => "1",
        part if part.starts_with('{') => NOBODYS,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What a handler of the address can read, so that nothing but the credential is wrong.
fn body(pattern: &str) -> (&'static str, String) {
    let body = match pattern.rsplit('/').next().unwrap_or_default() {
        "messages" | "steer" | "edit" | "{message}" => r#"{"message": "taken"}"#,
        "{approval}" => r#"{"decision": "approve"}"#,
        "{question}" => r#"{"answer": "taken"}"#,
        "sharing" => r#"{"name": "ben", "part": "take_part"}"#,
        "{id}" | "update" => r#"{"title": "taken"}"#,
        _ => "{}",
    };
    ("application/json", body.to_owned())
}

pub async fn ask(
    api: &crate::support::http::Api,
    method: &str,
    pattern: &str,
    session: &str,
    more: &[(&str, &str)],
) -> Answer {
    let (kind, body) = body(pattern);
    let mut headers = vec![("content-type", kind)];
    headers.extend_from_slice(more);
    // A socket is asked for as browsers do, where the pattern has one.
    if pattern.ends_with("/stream") {
        headers.extend([
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]);
    }
    let body = (!matches!(method, "GET" | "HEAD" | "OPTIONS")).then_some(body);
    api.request(method, &address(pattern, session), &headers, body).await
}

#[tokio::test]
async fn every_route_is_listed_and_no_other() {
    let server = Server::start().await;
    let listed: BTreeMap<&str, ()> = ROUTES.iter().map(|(pattern, _)| (*pattern, ())).collect();
    let found: BTreeMap<&str, ()> = server.addresses.iter().map(|pattern| (pattern.as_str(), ())).collect();
    assert_eq!(listed, found);
    let open: Vec<&str> = ROUTES.iter().filter(|(_, open)| *open == Everybody).map(|(pattern, _)| *pattern).collect();
    let mut named = cowork::web::PUBLIC.to_vec();
    named.sort_unstable();
    let mut open_now = open.clone();
    open_now.sort_unstable();
    assert_eq!(open_now, named);
}

#[tokio::test]
async fn who_shows_nothing_or_something_wrong_reaches_nothing() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let id = team.anna.create(serde_json::json!({"title": "Anna's"})).await;
    let old = server.api.token().to_owned();
    let cookie = people::cookie(&server, "anna", people::ANNA).await;
    let revoked = cookie.clone();
    people::change_password(&server, "anna").await;
    let wrong: Vec<Vec<(&str, String)>> = vec![
        vec![],
        vec![("authorization", "Bearer 0".into())],
        vec![("authorization", format!("Bearer {}", &old[1..]))],
        vec![("authorization", format!("Basic {old}"))],
        vec![("authorization", old.clone())],
        vec![("cookie", format!("{}=local", people::cookie_name(&server)))],
        vec![("cookie", revoked)],
        vec![("cookie", cookie.replacen("cowork_", "cowork_1", 1))],
        vec![("x-forwarded-user", "anna".into())],
    ];
    let nobody = server.api.nobody();
    for (pattern, _) in ROUTES.iter().filter(|(_, open)| *open != Everybody) {
        for method in METHODS {
            for shown in &wrong {
                let shown: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
                // As our own page would ask, so that the credential alone is at fault.
                let own = format!("http://{}", server.address);
                let headers = [shown.as_slice(), &[("origin", own.as_str())]].concat();
                let answer = ask(&nobody, method, pattern, &id, &headers).await;
                assert!(matches!(answer.status, 401 | 429), "{method} {pattern} {shown:?}: {answer:?}");
                assert!(!answer.text.contains("Anna's"), "{answer:?}");
            }
        }
    }
    let file = rusqlite::Connection::open(&server.database).unwrap();
    let events: i64 = file.query_row("SELECT COUNT(*) FROM cowork_events", [], |row| row.get(0)).unwrap();
    assert_eq!(events, 1, "session_started, and nothing since");
}

#[tokio::test]
async fn an_address_that_is_not_there_is_closed_too() {
    let server = Server::start().await;
    for path in ["/nothing", "/cowork/nothing", "/pkg/x", "/launch/", "/health/", "//health", "/sign-in/x"] {
        for method in METHODS {
            let answer = server.api.nobody().request(method, path, &[], None).await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        }
    }
}

/// A text without what differs from answer to answer.
fn alike(text: &str, id: &str) -> String {
    let mut text = text.replace(id, NOBODYS);
    // Leptos writes the nonce into the one, and into the other where there is one; a page tells its time.
    for attribute in ["nonce=\"", "crossorigin=\"", "\"now\":\"", "\"request_id\":\""] {
        let mut pieces = text.split(attribute);
        let first = pieces.next().unwrap_or_default().to_owned();
        let rest = pieces.map(|piece| piece.split_once('"').map_or(piece, |(_, rest)| rest));
        text = std::iter::once(first.as_str()).chain(rest).collect();
    }
    text
}

/// What the routes of a session answer to one whose session it is not: the same as to one that is not there.
#[tokio::test]
async fn a_session_of_another_is_not_there() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let id = team.anna.create(serde_json::json!({"title": "Anna's"})).await;
    for (pattern, open) in ROUTES.iter().filter(|(_, open)| matches!(open, Session | Maker)) {
        for method in METHODS {
            let theirs = ask(&team.ben, method, pattern, &id, &[]).await;
            let none = ask(&team.ben, method, pattern, NOBODYS, &[]).await;
            let what = format!("{method} {pattern} ({open:?})");
            assert_eq!((theirs.status, alike(&theirs.text, &id)), (none.status, alike(&none.text, &id)), "{what}");
            assert!(!theirs.text.contains("Anna's"), "{what}: {theirs:?}");
            assert!(matches!(theirs.status, 404 | 405) || method == "OPTIONS", "{what}: {theirs:?}");
        }
    }
    assert_eq!(team.anna.event_types(&id).await, ["session_started"]);
    assert_eq!(team.anna.session(&id).await["title"], "Anna's");
    let list = team.ben.get("/cowork/sessions?q=Anna").await.expect(200);
    assert_eq!((&list["total"], list["sessions"].as_array().unwrap().len()), (&serde_json::json!(0), 0));
    assert!(!team.ben.page("/").await.text.contains(&id));
}

#[tokio::test]
async fn links_are_for_whoever_runs_the_server() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    for api in [&team.anna, &team.service] {
        api.post("/launch", serde_json::json!({})).await.expect_problem(403, "not_allowed");
    }
    assert!(ROUTES.contains(&("/launch", Runner)));
    server.api.post("/launch", serde_json::json!({})).await.expect(201);
}
