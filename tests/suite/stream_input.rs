//! What a client may send over the live stream, and what happens when it sends something else.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::support::{
    model::{Gate, say},
    raw::Raw,
    server::{Server, Setup},
    socket::Socket,
};

const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn ready(server: &Server) -> (String, Socket) {
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    socket.wait("synced").await;
    (id, socket)
}

/// The socket still answers.
async fn assert_alive(socket: &mut Socket) {
    socket.send(json!({"type": "ping"})).await;
    socket.wait("pong").await;
}

#[tokio::test]
async fn a_message_over_the_socket_is_the_same_as_a_post() {
    let server = Server::playing([say("Hello.")]).await;
    let (id, mut socket) = ready(&server).await;
    socket.send(json!({"type": "user_message", "message": "Hi", "client_id": "c-1"})).await;
    let accepted = socket.wait("message_accepted").await;
    assert_eq!((&accepted["message"], &accepted["client_id"]), (&json!("Hi"), &json!("c-1")));
    assert_eq!((&accepted["turn"], &accepted["queued"]), (&json!(1), &json!(false)));
    assert_eq!(accepted["actor"], json!({"kind": "person", "name": "local"}));
    socket.wait("turn_completed").await;
    let again = json!({"message": "Hi", "client_id": "c-1"});
    let answer = server.api.post(&format!("/cowork/sessions/{id}/messages"), again).await.expect(202);
    assert_eq!(answer["message_id"], accepted["message_id"]);
}

#[tokio::test]
async fn a_ping_is_answered_with_the_head() {
    let server = Server::start().await;
    let (_, mut socket) = ready(&server).await;
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.wait("pong").await, json!({"type": "pong", "head_seq": 1}));
    socket.send_message(Message::Ping("x".into())).await;
    assert_alive(&mut socket).await;
}

#[tokio::test]
async fn bad_input_is_answered_with_an_error_and_the_socket_lives_on() {
    let server = Setup { message_bytes: 1000, ..Setup::default() }.start().await;
    let (id, mut socket) = ready(&server).await;
    let long = "x".repeat(1001);
    let bad: Vec<(String, &str)> = vec![
        ("nonsense".into(), "bad_json"),
        (String::new(), "bad_json"),
        ("{\"type\": \"ping\"".into(), "bad_json"),
        ("{\"type\": \"ping\", \"n\": 1e999}".into(), "bad_json"),
        ("[".repeat(100_000), "bad_json"),
        ("{\"type\": \"user_message\", \"message\": \"\\ud800\"}".into(), "bad_json"),
        ("{\"type\": \"\u{0}\"}".into(), "bad_json"),
        ("[]".into(), "unknown_frame"),
        ("null".into(), "unknown_frame"),
        ("{}".into(), "unknown_frame"),
        ("{\"type\": 7}".into(), "unknown_frame"),
        ("{\"type\": \"fly\"}".into(), "unknown_frame"),
        ("{\"type\": \"user_message\"}".into(), "invalid_request"),
        ("{\"type\": \"user_message\", \"message\": 7}".into(), "invalid_request"),
        ("{\"type\": \"user_message\", \"message\": \"x\", \"extra\": 1}".into(), "invalid_request"),
        ("{\"type\": \"stop\", \"why\": 1}".into(), "invalid_request"),
        ("{\"type\": \"user_message\", \"message\": \"  \"}".into(), "invalid_request"),
        (json!({"type": "user_message", "message": long}).to_string(), "message_too_large"),
        ("{\"type\": \"stop\"}".into(), "not_running"),
    ];
    for (text, code) in bad {
        socket.send_text(&text).await;
        let error = socket.wait("error").await;
        assert_eq!(error["code"], code, "{:.80}: {error}", text);
        assert!(!error["detail"].as_str().unwrap().is_empty());
        assert_eq!(error.get("client_id"), None);
    }
    assert_alive(&mut socket).await;
    assert_eq!(server.api.event_types(&id).await, ["session_started"]);
}

#[tokio::test]
async fn an_error_carries_the_client_id_of_what_it_answers() {
    let gate = Gate::new();
    let server = Server::playing([say("").wait(&gate)]).await;
    let (_, mut socket) = ready(&server).await;
    for (frame, code) in [
        (json!({"type": "stop", "client_id": "s"}), "not_running"),
        (json!({"type": "user_message", "message": "", "client_id": "s"}), "invalid_request"),
        (json!({"type": "user_message", "text": "x", "client_id": "s"}), "invalid_request"),
        (json!({"type": "nothing", "client_id": "s"}), "unknown_frame"),
    ] {
        socket.send(frame.clone()).await;
        let error = socket.wait("error").await;
        assert_eq!((&error["code"], &error["client_id"]), (&json!(code), &json!("s")), "{frame}");
    }
    socket.send(json!({"type": "user_message", "message": "One", "client_id": "c"})).await;
    socket.wait("turn_started").await;
    socket.send(json!({"type": "user_message", "message": "Two", "client_id": "c"})).await;
    let error = socket.wait("error").await;
    assert_eq!((&error["code"], &error["client_id"]), (&json!("client_id_reused"), &json!("c")));
}

#[tokio::test]
async fn a_binary_frame_closes_with_1003_and_stops_no_turn() {
    let gate = Gate::new();
    let server = Server::playing([say("On ").wait(&gate).then("and on.")]).await;
    let (id, mut socket) = ready(&server).await;
    socket.send(json!({"type": "user_message", "message": "Go"})).await;
    socket.wait("text_delta").await;
    socket.send_message(Message::binary(vec![0, 1, 2])).await;
    assert_eq!(socket.close_code().await, Some(1003));
    gate.open();
    assert_eq!(server.ended(&id, 1).await["type"], "turn_completed");
}

#[tokio::test]
async fn a_frame_over_one_mebibyte_closes_with_1009() {
    let server = Server::start().await;
    let (id, mut socket) = ready(&server).await;
    socket.try_send(Message::text("x".repeat(1024 * 1024 + 1))).await;
    assert_eq!(socket.close_code().await, Some(1009));

    let mut socket = server.socket(&id, "").await;
    let half = || vec![b'x'; 600 * 1024];
    socket.try_send(Message::Frame(Frame::message(half(), OpCode::Data(Data::Text), false))).await;
    socket.try_send(Message::Frame(Frame::message(half(), OpCode::Data(Data::Continue), true))).await;
    assert_eq!(socket.close_code().await, Some(1009), "in two halves, too");
}

/// Assurance row 55: pieces without a byte add up to nothing.
#[tokio::test]
async fn a_message_of_a_hundred_thousand_empty_pieces_is_a_message() {
    const PIECES: usize = 100_000;
    let server = Server::start().await;
    let id = server.session().await;
    let mut connection = Raw::connect(server.address).await;
    let path = format!("/cowork/sessions/{id}/stream");
    connection.write(format!("GET {path} HTTP/1.1\r\n{}{HANDSHAKE}\r\n", server.signed_head())).await;
    connection.read_until("\"synced\"").await;
    let ping = b"{\"type\":\"ping\"}";
    let mut pieces = vec![0x01, 0x80, 0, 0, 0, 0];
    for _ in 0..PIECES {
        pieces.extend_from_slice(&[0x00, 0x80, 0, 0, 0, 0]);
    }
    pieces.extend_from_slice(&[0x80, 0x80 | ping.len() as u8, 0, 0, 0, 0]);
    pieces.extend_from_slice(ping);
    connection.write(pieces).await;
    connection.read_until("\"pong\"").await;
}

#[tokio::test]
async fn a_message_that_just_fits_passes_and_one_byte_more_does_not() {
    let server = Server::playing([say("Long.")]).await;
    let (_, mut socket) = ready(&server).await;
    let limit = 262_144;
    socket.send(json!({"type": "user_message", "message": "x".repeat(limit + 1)})).await;
    let error = socket.wait("error").await;
    assert_eq!(error["code"], "message_too_large");
    assert!(error["detail"].as_str().unwrap().contains("262144"), "{error}");
    socket.send(json!({"type": "user_message", "message": "x".repeat(limit)})).await;
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn a_malformed_websocket_is_closed_with_the_code_that_says_why() {
    let server = Server::start().await;
    let id = server.session().await;
    let masked = |opcode: u8, payload: &[u8]| {
        // A mask of zeros leaves the payload readable.
        let mut frame = vec![opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    };
    let bad: [(&str, Vec<u8>, u16); 5] = [
        ("text that is not UTF-8", masked(0x81, &[0xff, 0xfe]), 1007),
        ("a frame without a mask", vec![0x81, 0x02, b'h', b'i'], 1002),
        ("a reserved bit", masked(0xc1, b"hi"), 1002),
        ("a reserved opcode", masked(0x83, b"hi"), 1002),
        ("a continuation of nothing", masked(0x80, b"hi"), 1002),
    ];
    for (what, frame, code) in bad {
        let mut connection = Raw::connect(server.address).await;
        let path = format!("/cowork/sessions/{id}/stream");
        connection.write(format!("GET {path} HTTP/1.1\r\n{}{HANDSHAKE}\r\n", server.signed_head())).await;
        connection.read_until("\"synced\"").await;
        connection.read_until("}").await;
        connection.write(frame).await;
        let bytes = connection.read_to_end().await;
        let close = bytes.windows(2).position(|pair| pair[0] == 0x88).map(|at| &bytes[at..]);
        let Some(close) = close else { panic!("{what}: no close in {bytes:?}") };
        assert_eq!(u16::from_be_bytes([close[2], close[3]]), code, "{what}");
    }
}

#[tokio::test]
async fn what_can_be_refused_is_refused_before_the_upgrade() {
    let server = Server::start().await;
    let id = server.session().await;
    let unknown = "0123456789abcdef0123456789abcdef";
    for session in [unknown, "x", &id.to_uppercase()] {
        let Err(refused) = server.try_socket(session, "", &[]).await else { panic!("{session}") };
        refused.expect_problem(404, "not_found");
    }
    for query in
        ["cursor=x", "cursor=-1", "cursor=1.5", "cursor=", "cursor=99999999999999999999", "view=pdf", "colour=red"]
    {
        let Err(refused) = server.try_socket(&id, query, &[]).await else { panic!("{query}") };
        refused.expect_problem(422, "invalid_request");
    }
    let plain = server.api.get(&format!("/cowork/sessions/{id}/stream")).await;
    plain.expect_problem(422, "invalid_request");
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_and_others_are_served_meanwhile() {
    const PINGS: usize = 10_000;
    let server = Server::playing([say("Fine.")]).await;
    let (id, mut flood) = ready(&server).await;
    for _ in 0..PINGS {
        flood.send_text("{\"type\": \"ping\"}").await;
        // Answers are taken as they come; a client that takes none waits for itself.
        if flood.frames.len() % 8 == 0 {
            flood.wait("pong").await;
        }
    }
    server.turn(&id, "And me?").await;
    while flood.all("pong").len() < PINGS {
        flood.wait("pong").await;
    }
    assert!(flood.frames.iter().all(|frame: &Value| frame["type"] != "error"));
}

/// Assurance row 58, with the limits of the product.
#[tokio::test]
async fn a_thousand_messages_at_once_are_one_turn_and_a_queue_and_the_others_are_refused() {
    const MESSAGES: usize = 1000;
    let gate = Gate::new();
    let server = Server::playing([say("Busy").wait(&gate)]).await;
    let (id, mut flood) = ready(&server).await;
    flood.send(json!({"type": "user_message", "message": "Begin"})).await;
    gate.reached(1).await;
    for number in 1..MESSAGES {
        flood.send(json!({"type": "user_message", "message": format!("Message {number}")})).await;
        let number = number.to_string();
        // Each is answered before the next is sent: a client that takes no answers waits for itself.
        let answers = |frame: &Value| match frame["type"].as_str() {
            Some("message_accepted") => frame["message"] == format!("Message {number}"),
            kind => kind == Some("error"),
        };
        flood.wait_for(answers).await;
    }
    let refused = flood.all("error");
    assert!(refused.iter().all(|error| error["code"] == "queue_full"), "{refused:?}");
    assert_eq!((flood.all("message_accepted").len(), refused.len()), (101, MESSAGES - 101));
    assert_eq!(server.api.queue(&id).await.len(), 100);
    assert_eq!(server.api.events_of(&id, "turn_started").await.len(), 1);
    server.api.post(&format!("/cowork/sessions/{id}/stop"), json!({})).await.expect(202);
    flood.wait_event("turn_interrupted").await;
}
