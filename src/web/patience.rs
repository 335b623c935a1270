//! How long a client may take: for the head of a request, between two requests, and for a body. Who is slower holds its
//! connection no more.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a request line and its headers, from the first byte; for that of a new connection, from its start.
    pub head: Duration,
    /// Between two requests. Longer than proxies keep theirs, so that it is they who close.
    pub idle: Duration,
    pub body: Pace,
}

/// How slowly a body may arrive.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What a body may be waited for beyond what its bytes allow.
    pub grace: Duration,
    pub bytes_per_second: u32,
}

impl Default for Patience {
    fn default() -> Self {
        let body = Pace { grace: Duration::from_secs(30), bytes_per_second: 500 };
        Self { head: Duration::from_secs(5), idle: Duration::from_secs(75), body }
    }
}

impl Pace {
    /// For how long a body may have been waited for, once so many bytes of it are there.
    fn allows(self, bytes: u64) -> Duration {
        self.grace + Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_per_second))
    }
}

/// What a connection is at, told by its requests to its socket.
#[derive(Debug, Default)]
pub struct Phase {
    begun: AtomicU32,
    /// Bodies that are not over, both ways.
    bodies: AtomicU32,
}

impl Phase {
    /// A request's head is there; its body and that of its answer are to come.
    pub fn begin(&self) {
        self.bodies.fetch_add(2, SeqCst);
        self.begun.fetch_add(1, SeqCst);
    }

    /// The connection is HTTP's no more.
    pub fn hand_over(&self) {
        self.bodies.fetch_add(1, SeqCst);
    }

    fn is_busy(&self) -> bool {
        self.bodies.load(SeqCst) > 0
    }

    fn end_body(&self) {
        self.bodies.fetch_sub(1, SeqCst);
    }
}

/// A socket on which a head that does not come is an end. Hyper knows one limit for that and for the rest before it, and
/// keeps the longer one: it is given that of the rest.
pub struct Socket {
    socket: TcpStream,
    phase: Arc<Phase>,
    head: Duration,
    /// Requests that were seen to begin.
    begun: u32,
    /// Until when the head that is arriving must be there.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub fn new(socket: TcpStream, phase: Arc<Phase>, head: Duration) -> Self {
        Self { socket, phase, head, begun: 0, limit: Some(Box::pin(sleep(head))) }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.socket).poll_read(cx, buffer);
        let begun = this.phase.begun.load(SeqCst);
        if std::mem::replace(&mut this.begun, begun) != begun {
            this.limit = None;
        }
        // What arrives now belongs to a body, or to what HTTP was left for.
        if this.phase.is_busy() {
            return polled;
        }
        if buffer.filled().len() > before && this.limit.is_none() {
            this.limit = Some(Box::pin(sleep(this.head)));
        }
        match &mut this.limit {
            // Nothing read is an end.
            Some(limit) if polled.is_pending() => limit.as_mut().poll(cx).map(Ok),
            _ => polled,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// A request's body, which must not come in drops. Only the time counts in which somebody waits for it.
pub struct Arriving {
    body: Incoming,
    phase: Arc<Phase>,
    pace: Pace,
    bytes: u64,
    waited: Duration,
    /// Since when it is waited for, and until when that may be.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Arriving {
    pub fn new(body: Incoming, phase: Arc<Phase>, pace: Pace) -> Self {
        Self { body, phase, pace, bytes: 0, waited: Duration::ZERO, waiting: None }
    }

    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let left = self.pace.allows(self.bytes).saturating_sub(self.waited);
        let (_, limit) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        // A timer needs its moment, and the next drop would come before it.
        if !left.is_zero() {
            ready!(limit.as_mut().poll(cx));
        }
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the body arrives too slowly").into())))
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else { return this.poll_limit(cx) };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += since.elapsed();
        }
        if let Some(Ok(frame)) = &frame {
            this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.phase.end_body();
    }
}

/// The body of an answer. How slowly it is taken is the system's to watch.
pub struct Leaving {
    body: axum::body::Body,
    phase: Arc<Phase>,
}

impl Leaving {
    pub fn new(body: axum::body::Body, phase: Arc<Phase>) -> Self {
        Self { body, phase }
    }
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.phase.end_body();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_take_the_longer_the_more_of_it_has_come() {
        let pace = Patience::default().body;
        let seconds = |bytes| pace.allows(bytes).as_secs();
        assert_eq!((seconds(0), seconds(499), seconds(500), seconds(50_000_000)), (30, 30, 31, 100_030));
    }

    #[test]
    fn a_connection_is_busy_until_both_bodies_of_a_request_are_over_and_for_good_when_it_is_handed_over() {
        let phase = Phase::default();
        assert!(!phase.is_busy());
        phase.begin();
        phase.end_body();
        assert!(phase.is_busy());
        phase.end_body();
        assert!(!phase.is_busy());
        phase.begin();
        phase.hand_over();
        (0..2).for_each(|_| phase.end_body());
        assert!(phase.is_busy());
    }
}
