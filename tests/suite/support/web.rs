//! A web of the test's own, for the tool that fetches from it.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use cowork::{
    agent::ports::tool::Tool,
    documents::Reader,
    tools::{Names, WebFetch, WebFetchSettings},
};
use tokio::net::TcpListener;

use super::host::launcher;

pub const PUBLIC: &str = "93.184.216.34";

/// A resolver that says what the test wants, each time anew, and a network in which every public address is the test's
/// own server. Whoever asks it to reach anything else has passed by the check.
pub struct Stub {
    names: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub asked: Mutex<Vec<String>>,
    pub reached: Mutex<Vec<IpAddr>>,
    server: SocketAddr,
}

#[async_trait]
impl Names for Stub {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut names = self.names.lock().unwrap();
        let answers = names.get_mut(host).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }

    fn route(&self, checked: IpAddr) -> SocketAddr {
        self.reached.lock().unwrap().push(checked);
        self.server
    }
}

impl Stub {
    pub fn knows(&self, host: &str, answers: &[&[&str]]) {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        self.names.lock().unwrap().insert(host.into(), answers.iter().map(parse).collect());
    }
}

async fn page(request: Request) -> Response {
    let host = request.headers().get(header::HOST).unwrap().to_str().unwrap().to_owned();
    match (host.as_str(), request.uri().path()) {
        (_, "/offers") => ([(header::CONTENT_TYPE, "text/html")], "<h1>Offers</h1><p>Two rooms.</p>").into_response(),
        (_, "/moved") => Redirect::to("/offers").into_response(),
        (_, "/away") => Redirect::to("http://other.example/offers").into_response(),
        (_, "/inside") => Redirect::to("http://127.0.0.1/secret").into_response(),
        (_, "/first") => Redirect::to("/inside").into_response(),
        (_, "/mapped") => Redirect::to("http://[::ffff:10.0.0.1]/secret").into_response(),
        (_, "/file") => Redirect::to("file:///etc/passwd").into_response(),
        (_, "/round") => Redirect::to("/round").into_response(),
        (_, "/long") => ([(header::CONTENT_TYPE, "text/plain")], "a line\n".repeat(100_000)).into_response(),
        (_, "/nested") => ([(header::CONTENT_TYPE, "text/html")], "<div>".repeat(12_000)).into_response(),
        (_, "/picture") => ([(header::CONTENT_TYPE, "image/png")], &b"\x89PNG"[..]).into_response(),
        (_, "/slow") => {
            let never = futures::stream::pending::<Result<&'static [u8], io::Error>>();
            ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(never)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

pub async fn web() -> Arc<Stub> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(page)).await });
    let stub = Stub { names: Mutex::default(), asked: Mutex::default(), reached: Mutex::default(), server };
    stub.knows("site.example", &[&[PUBLIC]]);
    stub.knows("other.example", &[&[PUBLIC]]);
    Arc::new(stub)
}

pub fn tool(stub: &Arc<Stub>) -> Arc<dyn Tool> {
    let settings = WebFetchSettings { max_bytes: 64 * 1024, time_limit: Duration::from_secs(2) };
    Arc::new(WebFetch::new(settings, Reader::new(launcher()), stub.clone()).unwrap())
}
