//! The live stream with `?view=html`: the running message as rendered blocks.

use cowork::markdown;
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, call, say},
    server::{Server, wait_for_end},
};

const TEXT: &str = "# Bericht\n\nErste *Zeile* mit `code` und\nzweiter.\n\n- a\n- b\n  - c\n\n```rust\nfn main() {}\n```\n\n\
    | x | y |\n|---|---|\n| 1 | <b>2</b> |\n\n<script>alert(1)</script>\n\nEnde – 𝄞 [link](https://example.com)\n";

/// The text in pieces of a few characters; the gate stands before the second half.
fn in_pieces(text: &str, gate: &Gate) -> Script {
    let characters: Vec<char> = text.chars().collect();
    let (pieces, half) = (characters.chunks(7), characters.len() / 14);
    pieces.enumerate().fold(say(""), |script, (index, piece)| {
        let script = if index == half { script.wait(gate) } else { script };
        script.then(&piece.iter().collect::<String>())
    })
}

/// The blocks of message 0 as a page has them after the frames.
fn shown(frames: &[Value]) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for frame in frames.iter().filter(|frame| frame["type"] == "message_blocks" && frame["message"] == 0) {
        let from = frame["from"].as_u64().unwrap() as usize;
        assert!(from <= blocks.len(), "blocks are missing before {frame}");
        blocks.truncate(from);
        blocks.extend(frame["blocks"].as_array().unwrap().iter().map(|block| block.as_str().unwrap().to_owned()));
    }
    blocks
}

#[tokio::test]
async fn the_blocks_of_a_message_end_as_exactly_its_rendered_text() {
    let gate = Gate::new();
    let server = Server::playing([in_pieces(TEXT, &gate)]).await;
    let id = server.session().await;
    let mut early = server.socket(&id, "view=html").await;
    let mut with_cursor = server.socket(&id, "cursor=0&view=html").await;
    server.api.send(&id, "Schreib").await;
    early.wait("message_blocks").await;
    gate.reached(1).await;
    let mut late = server.socket(&id, "view=html").await;
    late.wait("message_blocks").await;
    gate.open();
    for (name, socket) in [("early", &mut early), ("with a cursor", &mut with_cursor), ("late", &mut late)] {
        wait_for_end(socket).await;
        assert_eq!(shown(&socket.frames), markdown::render(TEXT), "{name}");
        let last = socket.all("message_blocks").pop().unwrap().clone();
        assert_eq!(last["open"], false);
        let order: Vec<_> = socket.frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
        let blocks = order.iter().rposition(|kind| *kind == "message_blocks").unwrap();
        let completed = order.iter().position(|kind| *kind == "message_completed").unwrap();
        assert!(blocks < completed, "the last blocks come before the end of the message");
    }
}

#[tokio::test]
async fn what_was_missed_comes_rendered_too() {
    let gate = Gate::new();
    gate.open();
    let server = Server::playing([in_pieces(TEXT, &gate)]).await;
    let id = server.session().await;
    server.turn(&id, "Schreib").await;
    let mut socket = server.socket(&id, "cursor=0&view=html").await;
    socket.wait("synced").await;
    assert_eq!(shown(&socket.frames), markdown::render(TEXT));
}

#[tokio::test]
async fn without_the_view_there_are_no_blocks() {
    let server = Server::playing([say("**bold**")]).await;
    let id = server.session().await;
    let frames = server.turn(&id, "Hi").await;
    assert!(frames.iter().all(|frame| frame["type"] != "message_blocks"));
}

#[tokio::test]
async fn all_calls_of_a_message_are_shown_in_its_order_before_the_first_asks() {
    let write = |path: &str| json!({"path": path, "content": "x"});
    let script = call("a", "write_file", &write("one.txt")).call("b", "list_directory", &json!({"path": "."})).call(
        "c",
        "delete_file",
        &json!({"path": "two.txt"}),
    );
    let server = Server::playing([script]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "view=html").await;
    server.api.send(&id, "Do it").await;
    socket.wait("approval_requested").await;
    let cards: Vec<_> = socket.frames.iter().filter(|frame| frame["type"] == "tool_call_card").collect();
    let shown: Vec<_> = cards.iter().take(3).map(|frame| frame["card"]["tool_call_id"].as_str().unwrap()).collect();
    assert_eq!(shown, ["a", "b", "c"]);
    assert!(cards[2]["card"]["line"].as_str().unwrap().contains("two.txt"), "{}", cards[2]);
}
