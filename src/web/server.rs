//! The accept loop: hyper with the limits that a server on a network needs, and an orderly end.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, http::StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::patience::{Arriving, Leaving, Patience, Phase, Socket};

/// Buffer of a connection while it reads its request. What does not fit is answered by hyper, which can name no request
/// and write no document; `guard::check_head` refuses half as much in words.
pub const HEAD_BUFFER_BYTES: usize = 64 * 1024;
/// Pause after the system refused a connection, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long what was sent may stay without an answer of the other end's system. Longer than a watcher may take no byte:
/// that one is told why it is closed.
pub const VANISHED: Duration = Duration::from_secs(65);
/// More than the connections and files that are open at once here.
const OPEN_FILES: u64 = 65_536;

/// Every connection and every file that arrives is an open file, and the usual limit, 1024, is for programs that have
/// few. What the agent runs gets limits of its own.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })
    {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// A connection's place among those allowed at once. A socket keeps it when HTTP is done with it.
#[derive(Clone)]
pub struct Place(#[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// Connections at once; one more is closed at once.
    pub connections: usize,
    /// How long a peer may acknowledge nothing. Every watcher is sent a heartbeat, so one that vanished is noticed.
    pub vanished: Duration,
    pub patience: Patience,
    /// How long open requests and sockets may take to end after the stop.
    pub grace: Duration,
}

/// Serves until `stop` resolves, then lets open connections end within the grace period.
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions, stop: impl Future<Output = ()>) {
    let (connections, stopping) = (TaskTracker::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(options.connections));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((socket, remote)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(limit = options.connections, "a connection was closed: too many at once");
            continue;
        };
        // Small frames must leave at once.
        let _ = socket.set_nodelay(true);
        give_up_when_vanished(&socket, options.vanished);
        let held = (Remote(remote), Place(Arc::new(place)));
        connections.spawn(connect(socket, held, options.patience, router.clone(), stopping.clone()));
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    if timeout(options.grace, connections.wait()).await.is_err() {
        tracing::warn!("some connections were still open after the grace period");
    }
}

/// A peer that vanished without a word acknowledges nothing, not even a heartbeat; the system then ends the connection.
fn give_up_when_vanished(socket: &TcpStream, after: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(socket, after.as_millis() as u32) {
        tracing::debug!(%error, "a vanished peer will be noticed later");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, after);
}

/// HTTP/1 alone: hyper-util's builder for both versions waits without a limit for the first bytes that tell them apart.
async fn connect(
    socket: TcpStream,
    (remote, place): (Remote, Place),
    patience: Patience,
    router: Router,
    stopping: CancellationToken,
) {
    let phase = Arc::new(Phase::default());
    let socket = Socket::new(socket, phase.clone(), patience.head);
    let service = service_fn(move |request: Request<Incoming>| {
        phase.begin();
        let phase = phase.clone();
        let mut request = request.map(|body| Body::new(Arriving::new(body, phase.clone(), patience.body)));
        request.extensions_mut().insert(place.clone());
        request.extensions_mut().insert(remote);
        let answered = router.clone().oneshot(request);
        async move {
            answered.await.map(|answer| {
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    phase.hand_over();
                }
                answer.map(|body| Leaving::new(body, phase))
            })
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.idle).max_buf_size(HEAD_BUFFER_BYTES);
    let connection = builder.serve_connection(TokioIo::new(socket), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
