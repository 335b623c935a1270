//! The accept loop: hyper with the limits that a server on a network needs, and an orderly end.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::ServiceExt;

/// A request line and its headers must be complete by then; slow senders hold no connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Buffer of a connection while it reads its request; longer headers are answered with 431.
const HEADER_BYTES: usize = 32 * 1024;
/// Pause after the system refused a connection, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection's place among those allowed at once. A socket keeps it when HTTP is done with it.
#[derive(Clone)]
pub struct Place(#[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// Connections at once; one more is closed at once.
    pub connections: usize,
    /// How long open requests and sockets may take to end after the stop.
    pub grace: Duration,
}

/// Serves until `stop` resolves, then lets open connections end within the grace period.
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(options.connections));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((socket, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(limit = options.connections, "a connection was closed: too many at once");
            continue;
        };
        // Small frames must leave at once.
        let _ = socket.set_nodelay(true);
        let connection = graceful.watch(connect(socket, router.clone(), Place(Arc::new(place))));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if timeout(options.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections were still open after the grace period");
    }
}

fn connect(
    socket: TcpStream,
    router: Router,
    place: Place,
) -> impl GracefulConnection<Error: std::fmt::Display> + Send {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(place.clone());
        router.clone().oneshot(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES);
    builder.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned()
}
