//! Whenever a socket breaks, a client that comes back with its cursor ends with the same texts and the same event
//! rows as one that never broke: shown for a break after every single frame of a turn, live.

use futures::{StreamExt, stream};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{
    model::{Gate, Script, say},
    replica::Replica,
    server::Server,
    socket::Socket,
    soon,
};

/// Turns that run beside each other; each has scripts of its own.
const AT_ONCE: usize = 4;

/// What the model says, in the pieces it comes in. After each of the first two messages it asks for a call.
const MESSAGES: [&[&str]; 3] = [
    &["Ich ", "schaue ", "nach – ", "𝄞 "],
    &["Noch", " ein", "mal: ", "ä"],
    &["Fertig", ": ", "grün", " und ", "e\u{301}", "."],
];

/// The model pauses before each piece, each call and the end.
fn script(gate: &Gate) -> [Script; 3] {
    let spoken =
        MESSAGES.map(|pieces| pieces.iter().fold(say(""), |script, piece| script.wait(gate).then(piece)).wait(gate));
    let [first, second, third] = spoken;
    [
        first.call("call_1", "list_directory", &json!({})),
        second.call("call_1", "read_file", &json!({"path": "a.txt"})),
        third,
    ]
}

/// How much text there is in all after each of the pauses.
fn bytes_after_pauses() -> Vec<usize> {
    let pieces = MESSAGES.iter().flat_map(|pieces| pieces.iter().copied().chain([""]));
    let sum = |bytes: &mut usize, piece: &str| {
        *bytes += piece.len();
        Some(*bytes)
    };
    pieces.scan(0, sum).collect()
}

/// Lets the model go on when the client has seen all that there is, so that the client's breaks are live.
async fn drive(gate: &Gate, mut seen: watch::Receiver<usize>) {
    for (pause, bytes) in bytes_after_pauses().into_iter().enumerate() {
        gate.reached(pause + 1).await;
        gate.step();
        soon("the text at the client", seen.wait_for(|seen| *seen >= bytes)).await.unwrap();
    }
}

#[derive(Default)]
struct Client {
    replica: Replica,
    /// Bytes of text so far, of all messages.
    seen: watch::Sender<usize>,
}

impl Client {
    async fn open(&self, server: &Server, id: &str) -> Socket {
        server.socket(id, &format!("cursor={}", self.replica.cursor())).await
    }

    async fn read(&mut self, socket: &mut Socket) {
        self.replica.take(&socket.next().await.expect("the socket stays open"));
        self.seen.send_replace(self.replica.texts.values().map(String::len).sum());
    }

    fn has_ended(&self) -> bool {
        !self.replica.turns_ended.is_empty()
    }

    /// Reads so many frames, then the connection breaks. `false` where the turn was over before.
    async fn read_then_break(&mut self, mut socket: Socket, frames: usize) -> bool {
        for _ in 0..frames {
            self.read(&mut socket).await;
            if self.has_ended() {
                return false;
            }
        }
        true
    }

    async fn read_to_end(&mut self, mut socket: Socket) {
        while !self.has_ended() {
            self.read(&mut socket).await;
        }
    }
}

/// What a client has that watches without a break.
async fn unbroken(socket: Socket) -> Replica {
    let mut client = Client::default();
    client.read_to_end(socket).await;
    client.replica
}

/// How a break met the turn.
#[derive(Debug, PartialEq)]
enum Break {
    /// The turn still ran when the client came back.
    Live,
    Late,
    /// The turn has no more frames than that.
    Never,
}

/// A whole turn with one break after `frames` frames.
async fn survive(server: &Server, frames: usize) -> Break {
    let (gate, text) = (Gate::new(), format!("Break after {frames} frames"));
    server.model.play_for(&text, script(&gate));
    let id = server.session().await;
    let witness = server.socket(&id, "cursor=0").await;
    let mut client = Client::default();
    let socket = client.open(server, &id).await;
    server.api.send(&id, &text).await;
    let seen = client.seen.subscribe();
    let broken = async {
        if !client.read_then_break(socket, frames).await {
            return Break::Never;
        }
        let mut socket = client.open(server, &id).await;
        client.read(&mut socket).await;
        let runs = socket.frames[0]["session"]["status"] == "running";
        client.read_to_end(socket).await;
        if runs { Break::Live } else { Break::Late }
    };
    let (met, expected, ()) = tokio::join!(broken, unbroken(witness), drive(&gate, seen));
    assert_eq!(client.replica, expected, "broken after {frames} frames");
    assert_eq!(expected.texts.into_values().collect::<Vec<_>>(), MESSAGES.map(|pieces| pieces.concat()));
    assert_eq!(expected.rows.len(), server.api.events(&id).await.len());
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_after_any_frame_ends_with_the_same_text_and_rows() {
    let server = Server::start().await;
    server.write_file("a.txt", "alpha\n");
    let breaks = stream::iter(0..).map(|frames| survive(&server, frames)).buffered(AT_ONCE);
    let met: Vec<Break> = breaks.take_while(|met| std::future::ready(*met != Break::Never)).collect().await;
    assert!(met.len() >= 40, "a turn of this kind has more frames than {}", met.len());
    let live = met.iter().filter(|met| **met == Break::Live).count();
    // The turn may end meanwhile only where the model has said its last word already.
    assert!(live >= 30, "{live} of {} breaks came while the turn ran", met.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_again_and_again_ends_with_the_same_text_and_rows() {
    let server = Server::start().await;
    server.write_file("a.txt", "alpha\n");
    for frames in [3, 4, 7] {
        let (gate, text) = (Gate::new(), format!("Break every {frames} frames"));
        server.model.play_for(&text, script(&gate));
        let id = server.session().await;
        let witness = server.socket(&id, "cursor=0").await;
        server.api.send(&id, &text).await;
        let mut client = Client::default();
        let seen = client.seen.subscribe();
        let broken = async {
            let mut breaks = 0;
            while client.read_then_break(client.open(&server, &id).await, frames).await {
                breaks += 1;
            }
            breaks
        };
        let (breaks, expected, ()) = tokio::join!(broken, unbroken(witness), drive(&gate, seen));
        assert_eq!(client.replica, expected, "broken every {frames} frames");
        assert!(breaks >= 5, "{breaks}");
    }
}
