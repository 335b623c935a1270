//! Whenever a socket breaks, a client that comes back with its cursor ends with the same texts and the same event
//! rows as one that never broke: shown for a break after every single frame of a turn, live.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, say},
    replica::Replica,
    server::Server,
    socket::Socket,
    soon,
};

/// Turns that run beside each other; each has scripts of its own.
const AT_ONCE: usize = 4;

/// Three messages in pieces, with two calls between them. The model pauses before each piece and each call.
fn script(gate: &Gate) -> [Script; 3] {
    let spoken = |pieces: &[&str]| pieces.iter().fold(say(""), |script, piece| script.wait(gate).then(piece));
    let list = json!({});
    [
        spoken(&["Ich ", "schaue ", "nach – ", "𝄞 "]).wait(gate).call("call_1", "list_directory", &list),
        spoken(&["Noch", " ein", "mal: ", "ä"]).wait(gate).call("call_1", "read_file", &json!({"path": "a.txt"})),
        spoken(&["Fertig", ": ", "grün", " und ", "e\u{301}", "."]).wait(gate),
    ]
}

/// How often the model pauses in all.
const PAUSES: usize = 4 + 1 + 4 + 1 + 6 + 1;

fn name(cut: usize) -> String {
    format!("Break after {cut} frames")
}

async fn begin(server: &Server, cut: usize) -> (String, Gate) {
    let gate = Gate::new();
    server.model.play_for(&name(cut), script(&gate));
    (server.session().await, gate)
}

/// Reads until the turn has ended.
async fn follow(mut socket: Socket, replica: &mut Replica) -> usize {
    let mut frames = 0;
    while replica.turns_ended.is_empty() {
        replica.take(&socket.next().await.expect("the socket stays open"));
        frames += 1;
    }
    frames
}

/// Reads so many frames, then the connection breaks. `None` when the turn was over before.
async fn read_then_break(mut socket: Socket, replica: &mut Replica, frames: usize) -> Option<()> {
    for _ in 0..frames {
        replica.take(&socket.next().await.expect("the socket stays open"));
        if !replica.turns_ended.is_empty() {
            return None;
        }
    }
    drop(socket);
    Some(())
}

/// Lets the model go on one step at a time, each when the one before has been seen.
async fn drive(mut witness: Socket, gate: &Gate) -> Replica {
    let mut replica = Replica::default();
    for pause in 1..=PAUSES {
        gate.reached(pause).await;
        gate.step();
    }
    follow_witness(&mut witness, &mut replica).await;
    replica
}

async fn follow_witness(witness: &mut Socket, replica: &mut Replica) {
    while replica.turns_ended.is_empty() {
        replica.take(&witness.next().await.expect("the witness stays"));
    }
}

/// A whole turn with one break after `cut` frames. `false` where the turn has no so many frames.
async fn survives(server: &Server, cut: usize) -> bool {
    let (id, gate) = begin(server, cut).await;
    let witness = server.socket(&id, "cursor=0").await;
    let breaker = server.socket(&id, "cursor=0").await;
    server.api.send(&id, &name(cut)).await;
    let broken_client = async {
        let mut replica = Replica::default();
        let broken = read_then_break(breaker, &mut replica, cut).await.is_some();
        if broken {
            let query = format!("cursor={}", replica.cursor());
            follow(server.socket(&id, &query).await, &mut replica).await;
        }
        (replica, broken)
    };
    let (unbroken, (returned, broken)) = tokio::join!(drive(witness, &gate), broken_client);
    assert_eq!(returned, unbroken, "broken after {cut} frames");
    let log: Vec<Value> = server.api.events(&id).await;
    assert_eq!(unbroken.rows.len(), log.len());
    assert_eq!(unbroken.texts.len(), 3);
    broken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_after_any_frame_ends_with_the_same_text_and_rows() {
    let server = Server::start().await;
    server.write_file("a.txt", "alpha\n");
    let mut cuts = stream::iter(0..).map(|cut| survives(&server, cut)).buffered(AT_ONCE);
    let mut live = 0;
    while soon("the next break", cuts.next()).await == Some(true) {
        live += 1;
    }
    assert!(live >= 30, "a turn of this kind has more frames than {live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_again_and_again_ends_with_the_same_text_and_rows() {
    for every in [1, 2, 5] {
        let server = Server::start().await;
        server.write_file("a.txt", "alpha\n");
        let cut = 1000 + every;
        let (id, gate) = begin(&server, cut).await;
        let witness = server.socket(&id, "cursor=0").await;
        server.api.send(&id, &name(cut)).await;
        let broken_client = async {
            let mut replica = Replica::default();
            let mut breaks = 0;
            loop {
                // Hello comes first each time, so that many frames are news.
                let query = format!("cursor={}", replica.cursor());
                let socket = server.socket(&id, &query).await;
                if read_then_break(socket, &mut replica, every + 2).await.is_none() {
                    return (replica, breaks);
                }
                breaks += 1;
            }
        };
        let (unbroken, (returned, breaks)) =
            soon("the end of the turn", async { tokio::join!(drive(witness, &gate), broken_client) }).await;
        assert_eq!(returned, unbroken, "broken every {every} frames");
        assert!(breaks >= 5, "{breaks}");
    }
}
