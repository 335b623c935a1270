//! A server behind a link that is cut. `tests/faults/network.sh` makes the namespaces and the link; this process is on
//! the server's side of it, and the client is a thread on the other.

use std::{
    net::SocketAddr,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::support::{
    PATIENCE,
    model::{Gate, ScriptedModel, say},
    process::Home,
    replica::Replica,
    socket::Socket,
};

/// After the link is back, a client is back within this.
const BACK_WITHIN: Duration = Duration::from_secs(2);

fn link(state: &str) {
    assert!(Command::new("ip").args(["link", "set", "near", state]).status().unwrap().success());
}

/// The server listens on its own machine's addresses alone, so somebody must carry the bytes from the link to it.
async fn carry(listener: TcpListener, server: SocketAddr) {
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(server).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    }
}

/// Runs a client on the other side of the link.
fn on_the_far_side<T: Send + 'static>(client: impl Future<Output = T> + Send + 'static) -> std::thread::JoinHandle<T> {
    let process = std::env::var("COWORK_FAULT_FAR").expect("the script makes the far side");
    std::thread::spawn(move || {
        let namespace = std::fs::File::open(format!("/proc/{process}/ns/net")).unwrap();
        nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(client)
    })
}

async fn read_until(replica: &mut Replica, socket: &mut Socket, text: &str) {
    while replica.texts.values().all(|known| !known.ends_with(text)) {
        replica.take(&socket.next().await.expect("the socket stays open"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: needs namespaces and a link"]
async fn a_cut_link_ends_no_turn_and_the_client_comes_back() {
    let gate = Gate::new();
    let model = ScriptedModel::start().await;
    model.play([say("one ").wait(&gate).then("two ").wait(&gate).then("three ").wait(&gate).then("four")]);
    let home = Home::with(&model);
    let listener = TcpListener::bind("10.77.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let file = home.path().join("loom.toml");
    let config = std::fs::read_to_string(&file).unwrap() + &format!("[cowork]\nallowed_hosts = [\"{address}\"]\n");
    std::fs::write(&file, config).unwrap();
    let process = home.start().await;
    tokio::spawn(carry(listener, process.address));
    let id = process.api.create(json!({})).await;
    let mut witness = process.socket(&id, "cursor=0").await;

    let (seen, has_seen) = mpsc::channel();
    let (cut, is_cut) = mpsc::channel::<()>();
    let (session, far) = (id.clone(), process.api.through(address));
    let client = on_the_far_side(async move {
        let mut replica = Replica::default();
        let mut socket = Socket::open(&far, &session, "cursor=0").await;
        read_until(&mut replica, &mut socket, "one ").await;
        seen.send(()).unwrap();
        // Held: what was sent into the cut comes when the link is back.
        read_until(&mut replica, &mut socket, "two ").await;
        seen.send(()).unwrap();
        // Given up: the client leaves a dead socket and comes back by its cursor.
        is_cut.recv().unwrap();
        drop(socket.cut());
        let began = Instant::now();
        let mut socket = Socket::open(&far, &session, &format!("cursor={}", replica.cursor())).await;
        socket.wait("synced").await;
        let back = began.elapsed();
        replica.take_all(&socket.frames);
        while replica.turns_ended.is_empty() {
            replica.take(&socket.next().await.unwrap());
        }
        (replica, back)
    });
    process.api.send(&id, "Go").await;
    has_seen.recv_timeout(PATIENCE).unwrap();
    link("down");
    gate.step();
    witness.wait_for(|frame| frame["text"] == "two ").await;
    assert!(has_seen.try_recv().is_err(), "nothing comes over a cut link");
    link("up");
    has_seen.recv_timeout(PATIENCE).unwrap();

    link("down");
    gate.step();
    witness.wait_for(|frame| frame["text"] == "three ").await;
    link("up");
    cut.send(()).unwrap();
    gate.open();
    witness.wait_event("turn_completed").await;
    let (replica, back) = tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
    assert!(back <= BACK_WITHIN, "{back:?}");
    let mut expected = Replica::default();
    expected.take_all(&witness.frames);
    assert_eq!(replica, expected, "one that was cut ends as one that was not");
    println!("back after {back:?}");
}
