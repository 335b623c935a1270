//! A client of the live stream.

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

use super::{
    http::{Answer, Api},
    soon,
};

/// `BPF_RET`: the filter ends and says how much of the packet is taken.
#[cfg(target_os = "linux")]
const RETURN: u16 = 0x06;

const READ_BYTES: usize = 16 * 1024;

pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Every frame so far, also those that a test passed over.
    pub frames: Vec<Value>,
    /// The code of the server's close, once it has come.
    pub closed: Option<u16>,
}

impl Socket {
    /// `query` is what stands behind the `?`.
    pub async fn open(api: &Api, session: &str, query: &str) -> Self {
        Self::try_open(api, session, query, &[]).await.unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// The socket, or the answer of a server that refuses it.
    pub async fn try_open(
        api: &Api,
        session: &str,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Answer> {
        let address = api.address;
        let url = api.url(&format!("/cowork/sessions/{session}/stream?{query}")).replacen("http:", "ws:", 1);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in api.shown(headers) {
            request.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let tcp = TcpStream::connect(address).await.unwrap();
        // Thousands of clients are one process here.
        let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
        match soon("the handshake", client_async_with_config(request, tcp, Some(config))).await {
            Ok((stream, _)) => Ok(Self { stream, frames: Vec::new(), closed: None }),
            Err(tungstenite::Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                let text = String::from_utf8(body.unwrap_or_default()).unwrap();
                let mut headers = reqwest::header::HeaderMap::new();
                for (name, value) in &parts.headers {
                    headers.insert(name.clone(), value.clone());
                }
                Err(Answer { status: parts.status.as_u16(), headers, text })
            }
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// The next frame; `None` when the server has closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = soon("the next frame", self.stream.next()).await;
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(text.as_str()).unwrap();
                    self.frames.push(frame.clone());
                    return Some(frame);
                }
                Some(Ok(Message::Close(frame))) => self.closed = frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Reads on until a frame fits.
    #[track_caller]
    pub fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> impl Future<Output = Value> {
        soon("the frame", async move {
            while let Some(frame) = self.next().await {
                if fits(&frame) {
                    return frame;
                }
            }
            let seen: Vec<String> =
                self.frames.iter().map(|frame| frame.to_string().chars().take(200).collect()).collect();
            panic!("the socket closed ({:?}) before the frame came: {seen:#?}", self.closed)
        })
    }

    /// Reads on until a frame of this type.
    #[track_caller]
    pub fn wait(&mut self, kind: &str) -> impl Future<Output = Value> {
        self.wait_for(move |frame| frame["type"] == kind)
    }

    /// Reads on until the row of an event of this type.
    #[track_caller]
    pub fn wait_event(&mut self, kind: &str) -> impl Future<Output = Value> {
        self.wait_for(move |frame| frame["event_type"] == kind)
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        soon("room for a frame", self.stream.send(message)).await.unwrap();
    }

    /// Sends without caring whether the server still listens.
    pub async fn try_send(&mut self, message: Message) {
        let _ = soon("room for a frame", self.stream.send(message)).await;
    }

    /// Reads to the end and tells the code of the server's close.
    pub async fn close_code(&mut self) -> Option<u16> {
        soon("the server's close", async { while self.next().await.is_some() {} }).await;
        self.closed
    }

    /// Leaves as browsers do.
    pub async fn leave(mut self) {
        let _ = self.stream.close(None).await;
        while self.next().await.is_some() {}
    }

    /// From now on nothing that is sent to it arrives, and nothing is acknowledged: as if its machine had lost its
    /// power. The connection ends for nobody here.
    #[cfg(target_os = "linux")]
    pub fn vanish(&self) {
        // A filter of one instruction: of each packet, nothing is taken.
        let nothing = socket2::SockFilter::new(RETURN, 0, 0, 0);
        socket2::SockRef::from(self.stream.get_ref()).attach_filter(&[nothing]).unwrap();
    }

    /// The connection breaks without a word.
    pub fn cut(self) -> Vec<Value> {
        self.frames
    }

    /// The frames of this type.
    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.frames.iter().filter(|frame| frame["type"] == kind).collect()
    }
}
