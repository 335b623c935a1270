//! Connections that are slow, too many, too large or malformed.

use std::time::{Duration, Instant};

use cowork::web::{Pace, Patience};
use serde_json::json;

use crate::support::{
    process::Home,
    raw::{Raw, exchange, status},
    server::{Server, Setup},
    soon,
};

/// So long that no test sees its end.
const LONG: Duration = Duration::from_secs(3600);
/// So short that a test may wait for it.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn one_who_sends_headers_slowly_is_cut_off_after_five_seconds() {
    let server = Server::start().await;
    let begun = Instant::now();
    let mut slow = Raw::connect(server.address).await;
    slow.write(format!("GET /health HTTP/1.1\r\nHost: {}\r\nX-Slow: ", server.address)).await;
    let mut silent = Raw::connect(server.address).await;
    let (answer, nothing) = tokio::join!(slow.read_to_end(), silent.read_to_end());
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    assert!(nothing.is_empty() || String::from_utf8_lossy(&nothing).starts_with("HTTP/1.1 4"));
    assert!(begun.elapsed() >= Duration::from_secs(4));
    server.api.get("/health").await.expect(200);
}

/// Waits until a head's limit has passed: until one who says nothing is cut off.
async fn until_a_head_is_too_late(server: &Server) {
    assert_eq!(Raw::connect(server.address).await.read_to_end().await, b"");
}

#[tokio::test]
async fn a_connection_rests_longer_than_a_head_may_take_but_not_for_ever() {
    let patience = Patience { head: SHORT, idle: LONG, ..Patience::default() };
    let server = Setup { patience, ..Setup::default() }.start().await;
    let request = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut resting = Raw::connect(server.address).await;
    for _ in 0..3 {
        resting.write(&request).await;
        resting.read_until("\"version\"").await;
        resting.read_until("}").await;
        until_a_head_is_too_late(&server).await;
    }
    // A head that has begun must come whole, here as well.
    let mut half = Raw::connect(server.address).await;
    half.write(&request).await;
    half.read_until("\"version\"").await;
    until_a_head_is_too_late(&server).await;
    half.write(&request[..20]).await;
    assert!(!String::from_utf8_lossy(&half.read_to_end().await).contains("200 OK"), "it is cut off");

    let patience = Patience { head: LONG, idle: SHORT, ..Patience::default() };
    let server = Setup { patience, ..Setup::default() }.start().await;
    let mut resting = Raw::connect(server.address).await;
    resting.write(format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", server.address)).await;
    let told = resting.read_to_end().await;
    assert!(String::from_utf8_lossy(&told).starts_with("HTTP/1.1 200"), "and then nothing");
}

#[tokio::test]
async fn a_socket_is_under_no_limit_of_requests() {
    let patience = Patience { head: SHORT, idle: SHORT, body: Pace { grace: SHORT, bytes_per_second: 1 } };
    let server = Setup { patience, ..Setup::default() }.start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    socket.wait("synced").await;
    for _ in 0..2 {
        until_a_head_is_too_late(&server).await;
        socket.send(json!({"type": "ping"})).await;
        socket.wait("pong").await;
    }
}

/// A byte now and then is no pause, and no upload.
#[tokio::test]
async fn a_body_that_comes_in_drops_holds_no_connection() {
    let body = Pace { grace: SHORT, bytes_per_second: u32::MAX };
    let server = Setup { patience: Patience { body, ..Patience::default() }, ..Setup::default() }.start().await;
    let id = server.session().await;
    let json = "Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n";
    let form = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3000000\r\n\r\n--x\r\n\
                Content-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";
    for (path, begun) in [("/cowork/sessions".to_owned(), json), (format!("/cowork/sessions/{id}/uploads"), form)] {
        let mut slow = Raw::connect(server.address).await;
        slow.write(format!("POST {path} HTTP/1.1\r\n{}{begun}", server.signed_head())).await;
        let told = soon("an end", async {
            let mut told = [0; 12];
            loop {
                slow.write(b" ").await;
                if matches!(slow.0.try_read(&mut told), Ok(12)) {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(String::from_utf8_lossy(&told.await), "HTTP/1.1 408", "{path}");
    }
}

#[tokio::test]
async fn a_body_that_keeps_pace_may_take_as_long_as_it_needs() {
    let patience = Patience { head: SHORT, body: Pace { grace: SHORT, bytes_per_second: 1 }, ..Patience::default() };
    let server = Setup { patience, ..Setup::default() }.start().await;
    let mut steady = Raw::connect(server.address).await;
    let head = format!("POST /cowork/sessions HTTP/1.1\r\n{}Content-Type: application/json", server.signed_head());
    steady.write(format!("{head}\r\nContent-Length: 102\r\n\r\n{}", " ".repeat(100))).await;
    // Longer than what it may be waited for where nothing has come.
    for _ in 0..3 {
        until_a_head_is_too_late(&server).await;
    }
    steady.write("{}").await;
    assert!(String::from_utf8_lossy(&steady.read_until("\r\n\r\n").await).starts_with("HTTP/1.1 201"));
}

/// Row 51: who takes nothing of a file or an archive is let go by the system, and everything that it held is free again.
#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_a_download_is_let_go() {
    // More than the system takes for one that does not read, and nothing that gets smaller.
    let noise: Vec<u8> = (0..32_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for path in ["files/large.bin", "archive?dir=."] {
        let setup = Setup { connections: 2, vanished: Duration::from_millis(800), ..Setup::default() };
        let server = setup.start().await;
        let id = server.session().await;
        std::fs::write(server.workspace.join("large.bin"), &noise).unwrap();
        let mut slow = Raw::connect(server.address).await;
        slow.write(format!("GET /cowork/sessions/{id}/{path} HTTP/1.1\r\n{}\r\n", server.signed_head())).await;
        slow.read_until("\r\n\r\n").await;
        // The other place is the client's of the first line; so this one is given when the slow one is let go.
        let health = format!("GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
        soon("its place", async { while status(&exchange(server.address, &health).await) != 200 {} }).await;
        assert!(slow.read_to_end().await.len() < noise.len(), "{path}: it did not get all");
    }
}

/// Row 52: a process that may open no more files takes nobody new, keeps whom it has, and goes on when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_gives_no_more_open_files_ends_nothing() {
    const FILES: usize = 96;
    let home = Home::new();
    let process = home.start_with_few_files(FILES).await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    socket.wait("synced").await;
    let mut crowd = Vec::new();
    soon("the last open file", async {
        while process.open_files() < FILES {
            crowd.push(Raw::connect(process.address).await);
        }
    })
    .await;
    // Who waits in the system's queue is not refused, and not served.
    let mut late = Raw::connect(process.address).await;
    late.write(format!("GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", process.address)).await;
    for _ in 0..3 {
        socket.send(json!({"type": "ping"})).await;
        socket.wait("pong").await;
    }
    drop(crowd);
    assert_eq!(status(&String::from_utf8_lossy(&late.read_to_end().await)), 200, "it was its turn");
    process.api.patch(&format!("/cowork/sessions/{id}"), json!({"title": "Written"})).await.expect(200);
    socket.wait_event("session_updated").await;
}

#[tokio::test]
async fn a_body_that_stops_arriving_holds_no_connection() {
    let server = Server::start().await;
    let mut slow = Raw::connect(server.address).await;
    let head = format!("POST /cowork/sessions HTTP/1.1\r\n{}Content-Type: application/json\r\n", server.signed_head());
    slow.write(format!("{head}Content-Length: 10\r\nConnection: close\r\n\r\n{{")).await;
    let answer = slow.read_to_end().await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_incomplete"), "{answer}");
}

#[tokio::test]
async fn headers_that_are_too_long_or_too_many_are_refused() {
    let server = Server::start().await;
    let host = format!("Host: {}\r\n", server.address);
    let long = format!("GET /health HTTP/1.1\r\n{host}Connection: close\r\nX-Long: {}\r\n\r\n", "x".repeat(100 * 1024));
    assert_eq!(status(&exchange(server.address, long).await), 431);
    let many = "X-Many: 1\r\n".repeat(10_000);
    assert_eq!(status(&exchange(server.address, format!("GET /health HTTP/1.1\r\n{host}{many}\r\n")).await), 431);
    let target = format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(100 * 1024));
    assert!(matches!(status(&exchange(server.address, target).await), 414 | 431));
    server.api.get("/health").await.expect(200);
}

#[tokio::test]
async fn a_request_that_can_be_named_is_refused_by_a_document_and_any_other_without_one() {
    let server = Server::start().await;
    let cookies = "x".repeat(40 * 1024);
    for (path, headers) in [("/health", vec![("cookie", cookies.as_str())]), (&format!("/health?{cookies}"), vec![])] {
        let refused = server.api.request("GET", path, &headers, None).await;
        let detail = refused.expect_problem(431, "headers_too_large");
        assert!(detail.contains("32768 bytes"), "{detail}");
        assert_eq!(refused.header("x-content-type-options"), "nosniff");
    }
    let fits = "x".repeat(20 * 1024);
    server.api.request("GET", "/health", &[("cookie", &fits)], None).await.expect(200);
    // As errors.md says it.
    let many = format!("GET /health HTTP/1.1\r\nHost: {}\r\n{}\r\n", server.address, "X-Many: 1\r\n".repeat(100));
    let long = format!("GET /health HTTP/1.1\r\nHost: {}\r\nX-Long: {}\r\n\r\n", server.address, cookies.repeat(5));
    for (request, wanted) in [("no request\r\n\r\n".to_owned(), 400), (many, 431), (long, 431)] {
        let answer = exchange(server.address, request).await;
        assert_eq!(status(&answer), wanted, "{answer}");
        assert!(answer.ends_with("\r\n\r\n") && !answer.to_lowercase().contains("x-request-id"), "{answer}");
    }
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_a_place_that_is_free_is_given_again() {
    let server = Setup { connections: 2, ..Setup::default() }.start().await;
    let request = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = Raw::connect(server.address).await;
        connection.write(&request).await;
        connection.read_until("\"version\"").await;
        held.push(connection);
    }
    assert_eq!(exchange(server.address, &request).await, "", "the third is closed without a word");
    held.pop();
    let until = Instant::now() + Duration::from_secs(10);
    let last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    while status(&exchange(server.address, &last).await) != 200 {
        assert!(Instant::now() < until, "the place was not given again");
        tokio::task::yield_now().await;
    }
    held[0].write(&request).await;
    held[0].read_until("200 OK").await;
}

#[tokio::test]
async fn a_socket_keeps_its_place_among_the_connections() {
    let server = Setup { connections: 2, ..Setup::default() }.start().await;
    let id = server.session().await;
    // The client of the line above may hold a place; the sockets take what is left.
    let _first = server.socket(&id, "").await;
    let request = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    assert_eq!(exchange(server.address, &request).await, "");
}

#[tokio::test]
async fn a_request_that_two_could_read_differently_is_refused_or_ends_the_connection() {
    let server = Server::start().await;
    let id = server.session().await;
    let host = server.signed_head();
    let hidden = format!("DELETE /cowork/sessions/{id} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
    let post = format!("POST /cowork/sessions/{id}/stop HTTP/1.1\r\n{host}");
    let requests = [
        ("both lengths", format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("two lengths", format!("{post}Content-Length: 0\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len())),
        ("a list of lengths", format!("{post}Content-Length: 0, {}\r\n\r\n{hidden}", hidden.len())),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n{hidden}")),
        ("a length with a sign", format!("{post}Content-Length: +0\r\n\r\n{hidden}")),
        ("a length in hex", format!("{post}Content-Length: 0x0\r\n\r\n{hidden}")),
        ("another encoding", format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}")),
        ("an unknown encoding", format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("a folded header", format!("{post}X-A: 1\r\n Content-Length: 5\r\n\r\n{hidden}")),
        ("a blank before the colon", format!("{post}Content-Length : 5\r\n\r\n{hidden}")),
        ("a chunk of no size", format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n{hidden}")),
        ("no version", format!("GET /\r\n{host}\r\n{hidden}")),
        ("another version", format!("GET / HTTP/3.0\r\n{host}\r\n{hidden}")),
        ("a blank target", format!("GET  HTTP/1.1\r\n{host}\r\n{hidden}")),
        ("a NUL in a header", format!("GET / HTTP/1.1\r\n{host}X-A: a\0b\r\n\r\n{hidden}")),
        ("nonsense", format!("\x16\x03\x01\x02{hidden}")),
    ];
    for (what, request) in requests {
        let answers = exchange(server.address, &request).await;
        assert!(answers.matches("HTTP/1.1 ").count() <= 1, "{what} is answered twice: {answers}");
        assert!(matches!(status(&answers), 0 | 400..=499), "{what}: {answers}");
        server.api.session(&id).await;
    }
}

/// What is unusual and means one thing alone is answered for what it means.
#[tokio::test]
async fn sound_requests_are_answered_one_by_one_and_an_expectation_is_met() {
    let server = Server::start().await;
    let (id, head) = (server.session().await, server.signed_head());
    let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\n{head}{more}\r\n");
    let two = get("/health", "") + &get(&format!("/cowork/sessions/{id}"), "Connection: close\r\n");
    let answers = exchange(server.address, &two).await;
    let (first, second) = answers.split_once("\"version\"").unwrap();
    assert!(status(first) == 200 && !first.contains(&id) && second.contains(&id), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");

    let body = "{\"title\": \"Expected\"}";
    let patch = format!(
        "PATCH /cowork/sessions/{id} HTTP/1.1\r\n{head}Content-Type: application/json\r\nConnection: close\r\n"
    );
    let length = format!("Content-Length: {}\r\n", body.len());
    let mut polite = Raw::connect(server.address).await;
    polite.write(format!("{patch}Expect: 100-continue\r\n{length}\r\n")).await;
    assert!(String::from_utf8_lossy(&polite.read_until("\r\n\r\n").await).starts_with("HTTP/1.1 100"));
    polite.write(body).await;
    assert!(String::from_utf8_lossy(&polite.read_to_end().await).starts_with("HTTP/1.1 200"));
    assert_eq!(server.api.session(&id).await["title"], "Expected");

    // Lines that end with LF alone end where everybody thinks that they end.
    let bare = exchange(server.address, get("/health", "Connection: close\r\n").replace("\r\n", "\n")).await;
    assert!(matches!(status(&bare), 200 | 400), "{bare}");
    let smuggled = format!("{patch}X-A: 1\nTransfer-Encoding: chunked\r\n{length}\r\n0\r\n\r\n{}", get("/health", ""));
    let answers = exchange(server.address, smuggled).await;
    assert!(answers.matches("HTTP/1.1 ").count() <= 1 && matches!(status(&answers), 0 | 400..=499), "{answers}");
}

#[tokio::test]
async fn an_upgrade_to_another_protocol_is_not_made() {
    let server = Server::start().await;
    let host = format!("Host: {}\r\n", server.address);
    let h2c = format!(
        "GET /health HTTP/1.1\r\n{host}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    );
    assert_eq!(status(&exchange(server.address, h2c).await), 200);
    let preface = exchange(server.address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(matches!(status(&preface), 0 | 400..=599), "{preface}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_the_limit() {
    let server = Server::start().await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/messages");
    let body = format!("{{\"message\": \"{}\"}}", "x".repeat(4 * 1024 * 1024));
    let detail = server.api.text("POST", &path, &body).await.expect_problem(413, "request_too_large");
    assert!(detail.contains("4194304"), "{detail}");
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
}
