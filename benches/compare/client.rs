//! One session as a browser has it: a socket that watches, and messages by POST.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    model::{Script, now, stamps},
    subject::Subject,
};

/// Far above any answer here; what takes longer hangs.
const LONGEST_ANSWER: Duration = Duration::from_secs(120);

pub struct Client {
    pub id: String,
    http: reqwest::Client,
    token: String,
    messages: String,
    socket: WebSocketStream<TcpStream>,
    script: Script,
}

/// One answer, in nanoseconds of the model's clock.
pub struct Answer {
    /// From the moment before the POST to the first piece of text.
    pub first_text: u64,
    /// From the model's sending to the client's receiving, for every chunk.
    pub delays: Vec<u64>,
    pub first_sent: u64,
    pub last_received: u64,
}

impl Client {
    /// A new session whose model answers by `script`, watched.
    pub async fn open(http: &reqwest::Client, subject: &Subject, script: Script) -> anyhow::Result<Self> {
        let Subject { base, token, .. } = subject;
        let sessions = format!("{base}/cowork/sessions");
        let created = http.post(&sessions).bearer_auth(token).json(&json!({ "model": script.name() })).send().await?;
        let created: Value = created.error_for_status()?.json().await?;
        let id = created.get("id").and_then(Value::as_str).context("a session without id")?;
        let address = base.trim_start_matches("http://");
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let mut upgrade = format!("ws://{address}/cowork/sessions/{id}/stream").into_client_request()?;
        upgrade.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let (socket, _) = client_async(upgrade, tcp).await?;
        let mut client = Self {
            id: id.to_owned(),
            http: http.clone(),
            token: token.clone(),
            messages: format!("{sessions}/{id}/messages"),
            socket,
            script,
        };
        while !client.frame().await?.starts_with(r#"{"type":"synced""#) {}
        Ok(client)
    }

    /// Sends a message and takes the whole answer.
    pub async fn ask(&mut self) -> anyhow::Result<Answer> {
        let request =
            self.http.post(&self.messages).bearer_auth(&self.token).json(&json!({ "message": "Say something." }));
        let asked = now();
        let post = async { Ok(request.send().await?.error_for_status()?.bytes().await?) };
        let (_, mut answer) = timeout(LONGEST_ANSWER, async { tokio::try_join!(post, self.answer()) })
            .await
            .context("an answer did not end")??;
        answer.first_text -= asked;
        Ok(answer)
    }

    async fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut answer = Answer { first_text: 0, delays: Vec::new(), first_sent: 0, last_received: 0 };
        loop {
            let frame = self.frame().await?;
            let received = now();
            if frame.starts_with(r#"{"type":"turn_completed""#) {
                break;
            }
            ensure!(!frame.starts_with(r#"{"type":"turn_interrupted""#), "a turn failed: {frame}");
            // Cowork's frames of text, and the relay's, which are the model's own.
            if frame.starts_with(r#"{"type":"text_delta""#) || frame.starts_with(r#"{"id""#) {
                answer.take(&frame, received)?;
            }
        }
        ensure!(answer.delays.len() == self.script.chunks as usize, "chunks are missing");
        Ok(answer)
    }

    async fn frame(&mut self) -> anyhow::Result<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_))) | None => bail!("the socket was closed"),
                Some(other) => drop(other?),
            }
        }
    }

    pub async fn close(mut self) -> anyhow::Result<()> {
        self.socket.close(None).await?;
        // The other side's half of the handshake.
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }
}

impl Answer {
    fn take(&mut self, frame: &str, received: u64) -> anyhow::Result<()> {
        let mut in_order = true;
        stamps(frame, |number, sent| {
            if self.delays.is_empty() {
                (self.first_text, self.first_sent) = (received, sent);
            }
            in_order &= number as usize == self.delays.len();
            self.delays.push(received.saturating_sub(sent));
            self.last_received = received;
        })?;
        ensure!(in_order, "chunks came out of order");
        Ok(())
    }
}
