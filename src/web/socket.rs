//! A WebSocket as this server speaks it, whatever is said over it: its limits, reading to the end, and the goodbye.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use axum::extract::{
    WebSocketUpgrade,
    ws::{CloseCode, CloseFrame, Message, WebSocket, close_code},
};
use futures::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tungstenite::error::ProtocolError;

/// A frame over this is closed with 1009; a message has its own, smaller limit.
const FRAME_BYTES: usize = 1024 * 1024;
/// Allocated for every socket, so small: an idle watcher costs a few KiB.
const BUFFER_BYTES: usize = 4096;
/// Largest frame that we send: a message of 1 MiB with every character escaped, or the arguments of a large call.
/// Each frame is flushed before the next, so a socket never holds more than one.
const UNSENT_BYTES: usize = 16 * 1024 * 1024;
/// A client gets this long to answer a close, or to send the rest of its own.
const GOODBYE: Duration = Duration::from_secs(2);

pub fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(UNSENT_BYTES)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
}

/// Who is on our end.
#[async_trait]
pub trait Listener: Send + Sync {
    /// A text or binary message. The socket is read on when this returns.
    async fn hear(&self, message: Message);

    /// The client broke the protocol; whoever writes is asked to close with this.
    async fn close(&self, code: CloseCode, reason: &'static str);
}

/// Reads until the client leaves or `done` is cancelled, cancels it, and lets the closing handshake finish.
pub async fn read(mut stream: SplitStream<WebSocket>, listener: &dyn Listener, done: &CancellationToken) {
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = done.cancelled() => break,
        };
        match next {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => listener.hear(message).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => break,
            Some(Err(error)) => {
                if let Some((code, reason)) = fault(&error) {
                    listener.close(code, reason).await;
                }
                break;
            }
        }
    }
    done.cancel();
    // Polling on lets the close handshake finish before the connection is dropped.
    let _ = timeout(GOODBYE, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

/// A client that takes nothing any more does not get it; the connection ends all the same.
pub async fn say_goodbye(sink: &mut SplitSink<WebSocket, Message>, code: CloseCode, reason: &'static str) {
    let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = timeout(Duration::from_secs(1), sink.send(goodbye)).await;
}

/// What to tell a client that broke the protocol; `None` where the connection itself is broken.
fn fault(error: &axum::Error) -> Option<(CloseCode, &'static str)> {
    match error.source()?.downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some((close_code::SIZE, "a frame may have 1 MiB")),
        tungstenite::Error::Utf8(_) => Some((close_code::INVALID, "text must be UTF-8")),
        // The other end is gone without a close.
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some((close_code::PROTOCOL, "not a frame of a WebSocket client")),
        _ => None,
    }
}
