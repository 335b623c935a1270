//! An echo over the product's own socket, for the Autobahn test suite; `tests/conformance/autobahn` starts it.

use async_trait::async_trait;
use axum::{
    Router,
    extract::{
        WebSocketUpgrade,
        ws::{CloseCode, Message, WebSocket},
    },
    routing::get,
};
use cowork::web::{
    self, ServeOptions,
    socket::{self, Listener},
};
use futures::{SinkExt, StreamExt};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

enum Answer {
    Echo(Message),
    Close(CloseCode, &'static str),
}

struct Echo {
    answers: mpsc::Sender<Answer>,
    done: CancellationToken,
}

#[async_trait]
impl Listener for Echo {
    async fn hear(&self, message: Message) {
        let _ = self.answers.send(Answer::Echo(message)).await;
    }

    async fn close(&self, code: CloseCode, reason: &'static str) {
        let _ = self.answers.send(Answer::Close(code, reason)).await;
        self.done.cancelled().await;
    }
}

async fn serve(socket: WebSocket) {
    let (mut sink, stream) = socket.split();
    let (answers, mut inbox) = mpsc::channel(16);
    let done = CancellationToken::new();
    let echo = Echo { answers, done: done.clone() };
    let write = async {
        loop {
            let answer = tokio::select! {
                biased;
                answer = inbox.recv() => answer,
                () = done.cancelled() => break,
            };
            match answer {
                Some(Answer::Echo(message)) => {
                    if sink.send(message).await.is_err() {
                        break;
                    }
                }
                Some(Answer::Close(code, reason)) => {
                    socket::say_goodbye(&mut sink, code, reason).await;
                    break;
                }
                None => break,
            }
        }
        done.cancel();
    };
    tokio::join!(socket::read(stream, &echo, &done), write);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/conformance/autobahn starts it"]
async fn echo_server() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("echo: ws://{}", listener.local_addr().unwrap());
    let upgrade = |upgrade: WebSocketUpgrade| async { socket::limited(upgrade).on_upgrade(serve) };
    let router = Router::new().route("/", get(upgrade));
    let patience = web::Patience::default();
    let options =
        ServeOptions { connections: 100, vanished: web::VANISHED, patience, grace: std::time::Duration::ZERO };
    // It ends with whoever holds the other end of its standard input.
    let stop = async { drop(tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await) };
    web::serve(listener, router, options, stop).await;
}
