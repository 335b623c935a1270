//! Who may ask at all: Host, Origin and Sec-Fetch-Site before every route, and the headers of every answer.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{
    form::Form,
    http::Answer,
    model::say,
    raw::{exchange, status},
    server::Server,
};
use crate::{
    access_routes::{METHODS, Open, ROUTES, ask},
    docs_security,
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Every address that changes something. `{id}` is a session, `{message}` a waiting message.
const CHANGING: &[(&str, &str)] = &[
    ("POST", "/cowork/sessions"),
    ("PATCH", "/cowork/sessions/{id}"),
    ("DELETE", "/cowork/sessions/{id}"),
    ("POST", "/cowork/sessions/{id}/restore"),
    ("POST", "/cowork/sessions/{id}/fork"),
    ("POST", "/cowork/sessions/{id}/sharing"),
    ("POST", "/cowork/sessions/{id}/uploads"),
    ("POST", "/cowork/sessions/{id}/uploads/tus"),
    ("PATCH", "/cowork/sessions/{id}/uploads/tus/{upload}"),
    ("POST", "/cowork/sessions/{id}/uploads/tus/{upload}"),
    ("DELETE", "/cowork/sessions/{id}/uploads/tus/{upload}"),
    ("POST", "/cowork/sessions/{id}/messages"),
    ("POST", "/cowork/sessions/{id}/stop"),
    ("POST", "/cowork/sessions/{id}/turns/{turn}/undo"),
    ("POST", "/cowork/sessions/{id}/steer"),
    ("POST", "/cowork/sessions/{id}/approvals/{approval}"),
    ("POST", "/cowork/sessions/{id}/approvals/deny-all"),
    ("DELETE", "/cowork/sessions/{id}/approval-rules/{rule}"),
    ("POST", "/cowork/sessions/{id}/questions/{question}"),
    ("PATCH", "/cowork/sessions/{id}/queue/{message}"),
    ("DELETE", "/cowork/sessions/{id}/queue/{message}"),
    ("POST", "/cowork/sessions/{id}/queue/{message}/send"),
    ("POST", "/cowork/sessions/{id}/queue/{message}/edit"),
    ("POST", "/cowork/sessions/{id}/queue/{message}/remove"),
    ("POST", "/cowork/sessions/{id}/approval-rules/{rule}/revoke"),
    ("POST", "/launch"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("POST", "/cowork/sessions/{id}/update"),
    ("POST", "/cowork/sessions/{id}/delete"),
    ("POST", "/cowork/look"),
];

#[tokio::test]
async fn every_changing_route_of_the_router_is_in_the_table() {
    let server = Server::start().await;
    let mut found = HashSet::new();
    for pattern in &server.addresses {
        let path = path(pattern, "0123456789abcdef0123456789abcdef");
        // Whoever asks with a method that is not there is told which are.
        let answer = server.api.request("SEARCH", &path, &[], None).await;
        assert_eq!(answer.status, 405, "{pattern}: {answer:?}");
        for method in answer.header("allow").split(',').filter(|method| !matches!(*method, "GET" | "HEAD" | "OPTIONS"))
        {
            found.insert((method.to_owned(), pattern.clone()));
        }
    }
    let listed: HashSet<_> = CHANGING.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed, found);
}

fn get(host_lines: &str, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\n{host_lines}Connection: close\r\n\r\n")
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let server = Server::start().await;
    let port = server.address.port();
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("LocalHost:{port}"),
        "cowork.example:443".into(),
    ] {
        for target in ["/health", "/", "/cowork/sessions", "/favicon.svg"] {
            let lines = format!("Host: {host}\r\nAuthorization: Bearer {}\r\n", server.api.token());
            let answer = exchange(server.address, get(&lines, target)).await;
            assert!(matches!(status(&answer), 200 | 404), "{host} {target}: {answer}");
            assert!(target == "/favicon.svg" || status(&answer) == 200, "{host} {target}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_foreign_host_reaches_nothing() {
    let server = Server::start().await;
    let id = server.session().await;
    let port = server.address.port();
    let ours = format!("localhost:{port}");
    let foreign = [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: 127.0.0.1.nip.io:{port}\r\n"),
        format!("Host: localhost.evil.example:{port}\r\n"),
        format!("Host: evil.example#localhost:{port}\r\n"),
        format!("Host: user@localhost:{port}\r\n"),
        "Host: localhost\r\n".to_owned(),
        format!("Host: localhost.:{port}\r\n"),
        format!("Host: localhost:{}\r\n", port.wrapping_add(1)),
        format!("Host: localhost:{port}0\r\n"),
        "Host: \r\n".to_owned(),
        String::new(),
        format!("Host: {ours}\r\nHost: {ours}\r\n"),
        format!("Host: {ours}\r\nHost: evil.example\r\n"),
        format!("Host: {ours}, evil.example\r\n"),
    ];
    for lines in &foreign {
        for target in ["/health", "/", "/cowork/sessions", "/pkg/x/y", "/nothing", &format!("/sessions/{id}")] {
            let answer = exchange(server.address, get(lines, target)).await;
            assert!(matches!(status(&answer), 421 | 400), "{lines:?} {target}: {answer}");
            assert!(!answer.contains(&id), "{answer}");
        }
        let request = format!(
            "DELETE /cowork/sessions/{id} HTTP/1.1\r\n{lines}X-Forwarded-Host: {ours}\r\nConnection: close\r\n\r\n"
        );
        assert!(matches!(status(&exchange(server.address, request).await), 421 | 400), "{lines:?}");
    }
    for target in ["http://evil.example/cowork/sessions", &format!("http://evil.example:{port}/health")] {
        let answer = exchange(server.address, get(&format!("Host: {ours}\r\n"), target)).await;
        assert!(matches!(status(&answer), 421 | 400), "{target}: {answer}");
    }
    let own = exchange(server.address, get(&format!("Host: {ours}\r\n"), &format!("http://{ours}/health"))).await;
    assert_eq!(status(&own), 200, "an absolute address of our own: {own}");
    server.api.session(&id).await;
}

fn path(pattern: &str, id: &str) -> String {
    let names = [
        "{message}",
        "{approval}",
        "{rule}",
        "{question}",
        "{turn}",
        "{upload}",
        "{call}",
        "{*path}",
        "{token}",
        "{build}",
        "{file}",
    ];
    let nobodys = "0123456789abcdef0123456789abcdef";
    names.iter().fold(pattern.replace("{id}", id), |path, name| path.replace(name, nobodys))
}

/// What pages of other sites can make a browser send.
fn foreign(server: &Server) -> Vec<Vec<(&'static str, String)>> {
    let port = server.address.port();
    let origins = [
        "null".to_owned(),
        "https://evil.example".into(),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("https://evil.example:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}/"),
        "http://127.0.0.1".into(),
        "file://".into(),
        String::new(),
    ];
    let sites = ["cross-site", "same-site", "no-cors", "Same-Origin", "same-origin, cross-site", ""];
    let by_origin = origins.into_iter().map(|origin| vec![("origin", origin)]);
    let by_site = sites.into_iter().map(|site| vec![("sec-fetch-site", site.to_owned())]);
    let both = vec![("origin", format!("http://127.0.0.1:{port}")), ("sec-fetch-site", "cross-site".to_owned())];
    by_origin.chain(by_site).chain([both]).collect()
}

#[tokio::test]
async fn no_page_of_another_site_changes_anything() {
    let server = Server::start().await;
    let id = server.session().await;
    let before = server.api.session(&id).await;
    for headers in foreign(&server) {
        for (method, pattern) in CHANGING {
            // What a form of another site may send without asking first.
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json",
            ] {
                let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                all.push(("content-type", kind));
                let body = if kind == "application/json" { "{\"message\":\"x\"}" } else { "message=x&title=x&id=x" };
                let answer = server.api.request(method, &path(pattern, &id), &all, Some(body.into())).await;
                answer.expect_problem(403, "foreign_origin");
            }
        }
    }
    assert_eq!(server.api.session(&id).await, before);
    assert_eq!(server.api.get("/cowork/sessions").await.expect(200)["total"], 1);
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
}

#[tokio::test]
async fn no_page_of_another_site_opens_a_socket() {
    let server = Server::start().await;
    let id = server.session().await;
    for headers in foreign(&server) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let Err(refused) = server.try_socket(&id, "cursor=0", &headers).await else { panic!("{headers:?}") };
        refused.expect_problem(403, "foreign_origin");
    }
    let own = format!("http://{}", server.address);
    for headers in [vec![], vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")]] {
        assert!(server.try_socket(&id, "", &headers).await.is_ok(), "{headers:?}");
    }
}

#[tokio::test]
async fn our_own_page_and_programs_may() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    for headers in [
        vec![],
        vec![("origin", own.as_str())],
        vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "none")],
    ] {
        let headers = [headers, vec![FORM]].concat();
        let answer = server.api.request("POST", "/cowork/sessions", &headers, Some(String::new())).await;
        assert_eq!(answer.status, 201, "{headers:?} {answer:?}");
    }
}

#[tokio::test]
async fn asking_changes_nothing() {
    let server = Server::start().await;
    let id = server.session().await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        for (_, pattern) in CHANGING {
            server.api.request(method, &path(pattern, &id), &[("origin", "https://evil.example")], None).await;
        }
    }
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
}

/// An answer of every kind.
pub async fn all_kinds(server: &Server) -> Vec<(&'static str, Answer)> {
    server.model.play([say("Hello <b>.")]);
    let id = server.session().await;
    server.turn(&id, "Hi").await;
    let api = &server.api;
    let session = format!("/cowork/sessions/{id}");
    let evil = ("origin", "https://evil.example");
    vec![
        ("the start", api.page("/").await),
        ("a session's page", api.page(&format!("/sessions/{id}")).await),
        ("its page for sharing", api.page(&format!("/sessions/{id}/sharing")).await),
        ("the way in", api.nobody().page("/").await),
        ("its running turn", api.page(&format!("/sessions/{id}/live")).await),
        ("an unknown session's page", api.page("/sessions/0123456789abcdef0123456789abcdef").await),
        ("an unknown page", api.page("/nothing").await),
        ("a list", api.get("/cowork/sessions").await),
        ("a session", api.get(&session).await),
        ("a log", api.get(&format!("{session}/logs")).await),
        (
            "a log as lines",
            api.request("GET", &format!("{session}/logs"), &[("accept", "application/x-ndjson")], None).await,
        ),
        ("health", api.get("/health").await),
        ("a file", api.get("/favicon.svg").await),
        ("a file that is not there", api.get("/pkg/x/nothing.js").await),
        ("not found", api.get("/cowork/nothing").await),
        ("another method", api.request("PUT", "/cowork/sessions", &[], None).await),
        ("a wrong body", api.text("POST", "/cowork/sessions", "{").await),
        ("a redirect", api.form(&format!("{session}/stop"), &[]).await),
        ("another site", api.request("POST", "/cowork/sessions", &[evil], None).await),
        ("another host", api.request("GET", "/", &[("host", "evil.example")], None).await),
        ("a refused socket", api.get(&format!("{session}/stream")).await),
        (
            "a question before",
            api.request("OPTIONS", &session, &[evil, ("access-control-request-method", "DELETE")], None).await,
        ),
    ]
}

/// An answer with people's files in it, or about them.
pub async fn all_kinds_of_files(server: &Server) -> Vec<(&'static str, Answer)> {
    server.write_file("page.html", "<script>alert(1)</script>");
    server.write_file("notes.md", "# Notes");
    let id = server.session().await;
    let (api, session) = (&server.api, format!("/cowork/sessions/{id}"));
    let metadata = [("tus-resumable", "1.0.0"), ("upload-length", "3"), ("upload-metadata", "filename Yi50eHQ=")];
    vec![
        ("a listing", api.get(&format!("{session}/files")).await),
        ("a download", api.get(&format!("{session}/files/page.html")).await),
        (
            "a part of one",
            api.request("GET", &format!("{session}/files/page.html"), &[("range", "bytes=0-3")], None).await,
        ),
        (
            "a part that is not there",
            api.request("GET", &format!("{session}/files/page.html"), &[("range", "bytes=99-")], None).await,
        ),
        ("a preview", api.get(&format!("{session}/preview/notes.md")).await),
        ("a preview of a page", api.get(&format!("{session}/preview/page.html")).await),
        ("a missing download", api.get(&format!("{session}/files/none.txt")).await),
        ("an upload", api.upload(&id, Form::new().file("a.txt", "a")).await),
        ("a refused upload", api.upload(&id, Form::new()).await),
        ("a resumable upload", api.request("POST", &format!("{session}/uploads/tus"), &metadata, None).await),
        ("an exported session", api.get(&format!("{session}/export")).await),
    ]
}

#[tokio::test]
async fn every_answer_has_its_guarding_headers_and_a_fresh_nonce() {
    let server = Server::start().await;
    let mut nonces = HashSet::new();
    for (kind, answer) in all_kinds(&server).await {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{kind}: {name} in {answer:?}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{kind}");
        assert!(matches!(answer.header("cache-control"), "no-store" | "no-cache"), "{kind}: {answer:?}");
        let policy = answer.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "img-src 'self' data:",
        ] {
            assert!(policy.split("; ").any(|part| part == directive), "{kind}: {directive} in {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'),
            "{policy}"
        );
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 16, "{nonce}");
        assert!(nonces.insert(nonce.to_owned()), "{kind} has a nonce of its own");
        for script in answer.text.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{kind}: <script{script}>");
        }
        assert!(!answer.text.contains(" style=\""), "{kind} has an inline style");
    }
}

/// Every route by every method: for one who may, for nobody, and for another site's page.
#[tokio::test]
async fn no_route_and_no_method_is_without_the_guarding_headers_and_none_invites_other_sites() {
    let server = Server::start().await;
    let id = server.session().await;
    let nobody = server.api.nobody();
    // What one who may does is done.
    server.model.play_for("taken", (0..8).map(|_| say("Taken.")));
    let mut statuses = std::collections::BTreeSet::new();
    for (pattern, _) in ROUTES.iter().filter(|(pattern, _)| *pattern != "/sign-out") {
        // What ends the session is not what is looked at here.
        let session =
            if pattern.ends_with("{id}") || pattern.ends_with("/delete") { &server.session().await } else { &id };
        for method in METHODS {
            let evil = [("origin", "https://evil.example"), ("access-control-request-method", "DELETE")];
            for (who, api, more) in
                [("one", &server.api, &[] as &[_]), ("nobody", &nobody, &[]), ("evil", &server.api, &evil)]
            {
                if who == "one" && pattern.ends_with("/stream") && method == "GET" {
                    // A socket is no answer; that it has the headers is `docs_security`'s.
                    continue;
                }
                let answer = ask(api, method, pattern, session, more).await;
                docs_security::is_guarded(&format!("{who}: {method} {pattern}"), &answer.headers);
                statuses.insert(answer.status);
            }
        }
    }
    assert!(ROUTES.iter().any(|(_, open)| *open == Open::Everybody));
    for status in [200, 204, 303, 401, 403, 404, 405, 422] {
        assert!(statuses.contains(&status), "{status} is among {statuses:?}");
    }
    server.model.forget();
}

#[tokio::test]
async fn no_answer_invites_other_sites() {
    let server = Server::start().await;
    let files = all_kinds_of_files(&server).await;
    for (kind, answer) in all_kinds(&server).await.into_iter().chain(files) {
        let inviting = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(inviting, None, "{kind}");
    }
}

#[tokio::test]
async fn no_error_tells_of_the_server_inside() {
    let server = Server::start().await;
    let id = server.session().await;
    let session = format!("/cowork/sessions/{id}");
    let mut answers = all_kinds(&server).await;
    answers.push(("a wrong cursor", server.api.get(&format!("{session}/logs?cursor='")).await));
    answers.push(("a wrong field", server.api.post("/cowork/sessions", json!({"model": {"x": 1}})).await));
    answers.push(("a path", server.api.get("/cowork/workspaces?dir=/etc/ssh").await));
    answers.push(("a search", server.api.get("/cowork/sessions?q=%22%27%29%3B--&limit=0").await));
    // A fault of ours: the table is gone.
    let file = rusqlite::Connection::open(&server.database).unwrap();
    file.execute_batch("DROP TABLE conversation_turns").unwrap();
    let fault = server.api.get(&format!("{session}/turns")).await;
    fault.expect_problem(500, "internal");
    answers.push(("a fault", fault));
    answers.push(("a fault in a page", server.api.page(&format!("/sessions/{id}")).await));
    let data = server.database.parent().unwrap().display().to_string();
    let inside = [
        data.as_str(),
        env!("CARGO_MANIFEST_DIR"),
        "src/",
        ".rs:",
        "rusqlite",
        "SELECT ",
        "conversation_turns",
        "panicked",
        ".cargo",
    ];
    for (kind, answer) in answers.iter().filter(|(_, answer)| answer.status >= 400) {
        for word in inside {
            assert!(!answer.text.contains(word), "{kind} tells of {word}: {}", answer.text);
        }
    }
}
