//! Proxies that are set up badly.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

pub struct Proxy;

impl Proxy {
    /// Hands on what the server writes when it has written all of it.
    pub async fn holding_back(server: SocketAddr) -> SocketAddr {
        Self::start(server, |head| head, true).await
    }

    /// Takes off what asks for a socket.
    pub async fn without_sockets(server: SocketAddr) -> SocketAddr {
        Self::start(
            server,
            |head| head.replace("upgrade: websocket\r\n", "").replace("connection: Upgrade\r\n", ""),
            false,
        )
        .await
    }

    async fn start(server: SocketAddr, change: fn(String) -> String, holds: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server, change, holds));
            }
        });
        address
    }
}

/// One exchange of one connection.
async fn serve(mut client: TcpStream, server: SocketAddr, change: fn(String) -> String, holds: bool) {
    let (own, theirs) = (client.local_addr().unwrap().to_string(), server.to_string());
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let mut behind = TcpStream::connect(server).await.unwrap();
    let head = change(String::from_utf8(head).unwrap()).replace(&own, &theirs);
    behind.write_all(head.as_bytes()).await.unwrap();
    if holds {
        // The answer's head at once, as proxies do.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(behind.read_u8().await.unwrap());
        }
        client.write_all(&answer).await.unwrap();
        let mut rest = Vec::new();
        let _ = behind.read_to_end(&mut rest).await;
        let _ = client.write_all(&rest).await;
    } else {
        let _ = copy(&mut behind, &mut client).await;
    }
}
