//! What a client sends: commands and pings. A mistake is answered and the socket lives on.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::ws::{CloseCode, Message, close_code};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    agent::{Agent, feed::Feed},
    protocol::{Actor, Answer, ApiError, ClientFrame, ErrorCode, ServerFrame, SessionId},
    web::socket::Listener,
};

/// What the reader asks the writer to send.
pub enum Outgoing {
    Frame(Box<ServerFrame>),
    Close(CloseCode, &'static str),
}

pub struct Reader {
    pub agent: Agent,
    pub id: SessionId,
    pub feed: Arc<Feed>,
    pub replies: mpsc::Sender<Outgoing>,
    pub done: CancellationToken,
}

#[async_trait]
impl Listener for Reader {
    async fn hear(&self, message: Message) {
        match message {
            Message::Text(text) => self.take(text.as_str()).await,
            _ => self.close(close_code::UNSUPPORTED, "only text frames are understood").await,
        }
    }

    async fn close(&self, code: CloseCode, reason: &'static str) {
        let _ = self.replies.send(Outgoing::Close(code, reason)).await;
        self.done.cancelled().await;
    }
}

impl Reader {
    async fn take(&self, text: &str) {
        let (frame, client_id) = match read_frame(text) {
            Ok(frame) => {
                let client_id = client_id(&frame);
                (frame, client_id)
            }
            Err((error, client_id)) => return self.refuse(error, client_id).await,
        };
        let done = match frame {
            ClientFrame::UserMessage { message, client_id, attachments } => {
                self.agent.send_message(&Actor::local(), &self.id, message, client_id, attachments).await.map(drop)
            }
            ClientFrame::Stop { .. } => self.agent.stop(&self.id).await,
            ClientFrame::Steer { message, .. } => self.agent.steer(&Actor::local(), &self.id, message).await,
            ClientFrame::Approve { approval_id, decision, .. } => {
                self.agent.decide(&Actor::local(), &self.id, approval_id, decision).await
            }
            ClientFrame::Answer { question_id, answer, option_ids, .. } => {
                self.agent.answer(&Actor::local(), &self.id, question_id, Answer { answer, option_ids }).await
            }
            ClientFrame::Ping { .. } => {
                self.reply(ServerFrame::Pong { head_seq: self.feed.head() }).await;
                Ok(())
            }
        };
        if let Err(error) = done {
            self.refuse(error, client_id).await;
        }
    }

    async fn refuse(&self, error: ApiError, client_id: Option<String>) {
        self.reply(ServerFrame::Error { code: error.code.as_str().into(), detail: error.detail, client_id }).await;
    }

    async fn reply(&self, frame: ServerFrame) {
        // The writer is gone only when the socket is.
        let _ = self.replies.send(Outgoing::Frame(Box::new(frame))).await;
    }
}

fn client_id(frame: &ClientFrame) -> Option<String> {
    match frame {
        ClientFrame::UserMessage { client_id, .. }
        | ClientFrame::Stop { client_id }
        | ClientFrame::Steer { client_id, .. }
        | ClientFrame::Approve { client_id, .. }
        | ClientFrame::Answer { client_id, .. }
        | ClientFrame::Ping { client_id } => client_id.clone(),
    }
}

/// Reads a frame; the error keeps the `client_id` where one can be read, so that its sender recognises it.
fn read_frame(text: &str) -> Result<ClientFrame, (ApiError, Option<String>)> {
    const KNOWN: [&str; 6] = ["user_message", "stop", "steer", "approve", "answer", "ping"];
    let value: Value = serde_json::from_str(text).map_err(|error| {
        (ApiError::new(ErrorCode::BadJson, format!("The frame is not valid JSON: {error}. It was ignored.")), None)
    })?;
    let client_id = value.get("client_id").and_then(Value::as_str).map(Into::into);
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !KNOWN.contains(&kind.as_str()) {
        let detail = format!("`type` must be one of {}, not \"{kind}\". The frame was ignored.", KNOWN.join(", "));
        return Err((ApiError::new(ErrorCode::UnknownFrame, detail), client_id));
    }
    serde_json::from_value(value).map_err(|error| {
        (
            ApiError::new(
                ErrorCode::InvalidRequest,
                format!("The frame `{kind}` does not fit: {error}. It was ignored."),
            ),
            client_id,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_do_not_fit_say_why() {
        let code = |text: &str| read_frame(text).err().map(|(error, _)| error.code);
        assert_eq!(code("nonsense"), Some(ErrorCode::BadJson));
        assert_eq!(code("[]"), Some(ErrorCode::UnknownFrame));
        assert_eq!(code(r#"{"type": "fly"}"#), Some(ErrorCode::UnknownFrame));
        assert_eq!(code(r#"{"type": "user_message"}"#), Some(ErrorCode::InvalidRequest));
        assert_eq!(code(r#"{"type": "stop", "why": 1}"#), Some(ErrorCode::InvalidRequest));
        assert_eq!(code(&"[".repeat(100_000)), Some(ErrorCode::BadJson));
        assert_eq!(code(r#"{"type": "ping"}"#), None);
    }

    #[test]
    fn the_client_id_comes_back_with_the_error() {
        let (_, client_id) = read_frame(r#"{"type": "user_message", "client_id": "c1", "text": "x"}"#).unwrap_err();
        assert_eq!(client_id.as_deref(), Some("c1"));
    }
}
