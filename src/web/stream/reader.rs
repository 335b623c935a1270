//! What a client sends: commands and pings. A mistake is answered and the socket lives on.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::ws::{CloseCode, Message, close_code};
use futures::{SinkExt, channel::mpsc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Watch;
use crate::{
    protocol::{Answer, ApiError, ClientFrame, ErrorCode, Right, ServerFrame},
    web::socket::Listener,
};

/// What the reader asks the writer to send.
pub enum Outgoing {
    Frame(Box<ServerFrame>),
    Close(CloseCode, &'static str),
}

pub struct Reader {
    pub watch: Arc<Watch>,
    /// Where others are told that this one types.
    pub typing: Option<Box<dyn Fn(bool) + Send + Sync>>,
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
        self.tell(Outgoing::Close(code, reason)).await;
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
        if let Err(error) = self.carry_out(frame).await {
            self.refuse(error, client_id).await;
        }
    }

    async fn carry_out(&self, frame: ClientFrame) -> Result<(), ApiError> {
        let Watch { state, visitor, id, feed } = &*self.watch;
        let (agent, actor) = (&state.agent, &visitor.actor);
        if !matches!(frame, ClientFrame::Ping { .. }) {
            state.require(visitor, id, Right::TakePart).await?;
        }
        match frame {
            ClientFrame::UserMessage { message, client_id, attachments } => {
                agent.send_message(actor, id, message, client_id, attachments).await.map(drop)
            }
            ClientFrame::Stop { .. } => agent.stop(actor, id).await,
            ClientFrame::Steer { message, .. } => agent.steer(actor, id, message).await,
            ClientFrame::Approve { approval_id, decision, .. } => agent.decide(actor, id, approval_id, decision).await,
            ClientFrame::Answer { question_id, answer, option_ids, .. } => {
                agent.answer(actor, id, question_id, Answer { answer, option_ids }).await
            }
            ClientFrame::Typing { typing, .. } => {
                if let Some(tell) = &self.typing {
                    tell(typing);
                }
                Ok(())
            }
            ClientFrame::Ping { .. } => {
                self.reply(ServerFrame::Pong { head_seq: feed.head() }).await;
                Ok(())
            }
        }
    }

    async fn refuse(&self, error: ApiError, client_id: Option<String>) {
        self.reply(ServerFrame::Error { code: error.code.as_str().into(), detail: error.detail, client_id }).await;
    }

    async fn reply(&self, frame: ServerFrame) {
        self.tell(Outgoing::Frame(Box::new(frame))).await;
    }

    /// Waits until there is room for more.
    async fn tell(&self, what: Outgoing) {
        // The writer is gone only when the socket is.
        let _ = self.replies.clone().send(what).await;
    }
}

fn client_id(frame: &ClientFrame) -> Option<String> {
    match frame {
        ClientFrame::UserMessage { client_id, .. }
        | ClientFrame::Stop { client_id }
        | ClientFrame::Steer { client_id, .. }
        | ClientFrame::Approve { client_id, .. }
        | ClientFrame::Answer { client_id, .. }
        | ClientFrame::Typing { client_id, .. }
        | ClientFrame::Ping { client_id } => client_id.clone(),
    }
}

/// Reads a frame; the error keeps the `client_id` where one can be read, so that its sender recognises it.
fn read_frame(text: &str) -> Result<ClientFrame, (ApiError, Option<String>)> {
    const KNOWN: [&str; 7] = ["user_message", "stop", "steer", "approve", "answer", "typing", "ping"];
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
