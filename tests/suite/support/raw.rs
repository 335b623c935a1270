//! Bytes on a TCP connection, for requests that no client sends.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::soon;

pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        // A server may refuse before it has read all.
        let _ = soon("room on the connection", self.0.write_all(bytes.as_ref())).await;
    }

    /// Everything until the server closes.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        // A reset is an end, too.
        while let Ok(read @ 1..) = soon("the end of the connection", self.0.read(&mut piece)).await {
            bytes.extend_from_slice(&piece[..read]);
        }
        bytes
    }

    /// Reads until the bytes hold `mark`.
    pub async fn read_until(&mut self, mark: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(mark) {
            bytes.push(soon(mark, self.0.read_u8()).await.unwrap());
        }
        bytes
    }
}

/// Sends bytes and reads whatever comes until the server closes.
pub async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut connection = Raw::connect(address).await;
    connection.write(request).await;
    String::from_utf8_lossy(&connection.read_to_end().await).into_owned()
}

/// The status of the first answer in `answers`; 0 where there is none.
pub fn status(answers: &str) -> u16 {
    answers.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(0)
}
