//! A server behind a link that is cut. After it: the database is whole, `seq` is dense, and all that was acknowledged is
//! there.
//!
//! In the normal run the link is one that this process carries byte by byte, and stops carrying: neither end is told, as
//! with a cable that is pulled. `tests/faults/network.sh` makes namespaces and a link of the system's own, and takes it
//! down; this process is then on the server's side of it, and the client is a thread on the other.

use std::{
    net::SocketAddr,
    process::Command,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::faults::{Told, check, go_on};
use crate::support::{
    PATIENCE,
    model::{Gate, ScriptedModel, say},
    process::Home,
    replica::Replica,
    socket::Socket,
};

/// After the link is back, a client is back within this.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// What the client has at the end, and how long it took it to come back.
type Client = BoxFuture<'static, (Replica, Duration)>;

/// The way between server and client.
struct Link {
    listener: TcpListener,
    /// Takes it down and brings it back.
    set: Box<dyn Fn(bool) + Send>,
    /// Tells the carrier which of the two it is.
    is_up: watch::Receiver<bool>,
    /// Runs the client at the far end.
    far: fn(Client) -> JoinHandle<(Replica, Duration)>,
}

/// Carries what one end writes to the other while the link is up. What was read when it went down waits.
async fn carry_one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_up: watch::Receiver<bool>) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if is_up.wait_for(|up| *up).await.is_err() || to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
    // The end is news like any other.
    let _ = is_up.wait_for(|up| *up).await;
}

/// The server listens on its own machine's addresses alone, so somebody must carry the bytes from the link to it.
async fn carry(listener: TcpListener, server: SocketAddr, is_up: watch::Receiver<bool>) {
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let (from_near, to_near) = near.into_split();
        let (from_server, to_server) = TcpStream::connect(server).await.unwrap().into_split();
        tokio::spawn(carry_one_way(from_near, to_server, is_up.clone()));
        tokio::spawn(carry_one_way(from_server, to_near, is_up.clone()));
    }
}

async fn read_until(replica: &mut Replica, socket: &mut Socket, text: &str) {
    while replica.texts.values().all(|known| !known.ends_with(text)) {
        replica.take(&socket.next().await.expect("the socket stays open"));
    }
}

fn on_a_runtime_of_its_own(client: Client) -> (Replica, Duration) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(client)
}

/// A turn while the link is cut twice; how long the client took to come back.
async fn behind(link: Link) -> Duration {
    let gate = Gate::new();
    let model = ScriptedModel::start().await;
    model.play([say("one ").wait(&gate).then("two ").wait(&gate).then("three ").wait(&gate).then("four")]);
    let home = Home::with(&model);
    let address = link.listener.local_addr().unwrap();
    home.add_settings(&format!("[cowork]\nallowed_hosts = [\"{address}\"]"));
    let process = home.start().await;
    tokio::spawn(carry(link.listener, process.address, link.is_up));
    let id = process.api.create(json!({})).await;
    let mut witness = process.socket(&id, "cursor=0").await;

    let (seen, has_seen) = mpsc::channel();
    let (cut, is_cut) = mpsc::channel::<()>();
    let (session, far) = (id.clone(), process.api.through(address));
    let client = (link.far)(Box::pin(async move {
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
    }));
    let accepted = process.api.send(&id, "Go").await["message_id"].as_str().unwrap().to_owned();
    has_seen.recv_timeout(PATIENCE).unwrap();
    (link.set)(false);
    gate.step();
    witness.wait_for(|frame| frame["text"] == "two ").await;
    assert!(has_seen.try_recv().is_err(), "nothing comes over a cut link");
    (link.set)(true);
    has_seen.recv_timeout(PATIENCE).unwrap();

    (link.set)(false);
    gate.step();
    witness.wait_for(|frame| frame["text"] == "three ").await;
    (link.set)(true);
    cut.send(()).unwrap();
    gate.open();
    witness.wait_event("turn_completed").await;
    let (replica, back) = tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
    let mut expected = Replica::default();
    expected.take_all(&witness.frames);
    assert_eq!(replica, expected, "one that was cut ends as one that was not");

    process.kill_9();
    let process = home.start().await;
    check(&home, &process, &Told { id: id.clone(), replica, accepted: vec![accepted] }, "a cut link").await;
    go_on(&model, &process, &id).await;
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_carries_nothing_ends_no_turn_and_loses_nothing() {
    let (up, is_up) = watch::channel(true);
    behind(Link {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        set: Box::new(move |is_up| up.send(is_up).unwrap()),
        is_up,
        far: |client| std::thread::spawn(|| on_a_runtime_of_its_own(client)),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/faults/run: needs namespaces and a link"]
async fn a_cut_link_ends_no_turn_and_the_client_comes_back() {
    let set = |up: bool| {
        let state = if up { "up" } else { "down" };
        assert!(Command::new("ip").args(["link", "set", "near", state]).status().unwrap().success());
    };
    let far = |client: Client| {
        let process = std::env::var("COWORK_FAULT_FAR").expect("the script makes the far side");
        std::thread::spawn(move || {
            let namespace = std::fs::File::open(format!("/proc/{process}/ns/net")).unwrap();
            nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            on_a_runtime_of_its_own(client)
        })
    };
    let listener = TcpListener::bind("10.77.0.1:0").await.unwrap();
    // The link itself is what goes down.
    let (_always, is_up) = watch::channel(true);
    let back = behind(Link { listener, set: Box::new(set), is_up, far }).await;
    assert!(back <= BACK_WITHIN, "{back:?}");
    println!("back after {back:?}");
}
