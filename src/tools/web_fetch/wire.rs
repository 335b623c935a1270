//! The way to a page: every name is looked up here, every address it stands for is checked, and only those that were
//! checked are connected to, at every step of a redirection.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use reqwest::{
    Client, ClientBuilder, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, LOCATION},
    redirect,
};

use super::address::{check, is_public, not_public};

/// Steps from one address to the next.
const MAX_REDIRECTS: usize = 5;
/// A server that takes longer is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("cowork/", env!("CARGO_PKG_VERSION"));
const WANTED: &str = "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.5";

/// Looks up names. A port, so that tests say what a name stands for and where its packets go.
#[async_trait]
pub trait Names: Send + Sync {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// Where an address that was found good is reached; port 0 means the page's own.
    fn route(&self, checked: IpAddr) -> SocketAddr {
        SocketAddr::new(checked, 0)
    }
}

/// The machine's own resolver.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why a name gets no connection.
#[derive(Debug)]
struct Closed(String);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Closed {}

/// The resolver of the client: what it does not give is not connected to.
pub struct Checked(pub Arc<dyn Names>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = names.look_up(host).await?;
            // One that is closed spoils all: which one is taken would be chance.
            if !found.iter().all(|address| is_public(*address)) {
                return Err(Closed(not_public(host)).into());
            }
            let routes: Vec<SocketAddr> = found.into_iter().map(|address| names.route(address)).collect();
            let addresses: Addrs = Box::new(routes.into_iter());
            Ok(addresses)
        })
    }
}

/// A client that goes nowhere by itself: redirections are looked at first, and a proxy would look names up again.
pub fn plain_client() -> ClientBuilder {
    // An error means that there is a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(redirect::Policy::none()).no_proxy()
}

/// A page as it came.
pub struct Fetched {
    pub url: Url,
    pub content_type: String,
    pub bytes: Vec<u8>,
    /// There is more of it.
    pub cut: bool,
}

/// Fetches pages, from checked addresses alone.
pub struct Wire {
    client: Client,
}

impl Wire {
    pub fn new(names: Arc<dyn Names>) -> Result<Self, String> {
        let client = plain_client()
            .dns_resolver(Arc::new(Checked(names)))
            .connect_timeout(CONNECT_LIMIT)
            .user_agent(AGENT)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client })
    }

    /// Follows redirections within the site that was asked for. One to another site is told instead: whether to go
    /// there is a question of its own.
    pub async fn fetch(&self, mut url: Url, max_bytes: usize) -> Result<Fetched, String> {
        let host = url.host_str().map(str::to_owned);
        for _ in 0..=MAX_REDIRECTS {
            check(&url)?;
            let sent = self.client.get(url.clone()).header(ACCEPT, WANTED).send().await;
            let response = sent.map_err(|error| explain(&url, &error))?;
            if !response.status().is_redirection() {
                return receive(url, response, max_bytes).await;
            }
            let next = response.headers().get(LOCATION).and_then(|next| url.join(next.to_str().ok()?).ok());
            let Some(next) = next else {
                return Err(format!("`{url}` answered {} without saying where to go.", response.status()));
            };
            check(&next)?;
            if next.host_str().map(str::to_owned) != host {
                return Err(format!(
                    "`{url}` leads to another site: {next}. Call web_fetch with that address to go there."
                ));
            }
            url = next;
        }
        Err(format!("`{url}` leads on and on: {MAX_REDIRECTS} redirections were followed."))
    }
}

async fn receive(url: Url, response: Response, max_bytes: usize) -> Result<Fetched, String> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    let (mut bytes, mut cut) = (Vec::new(), false);
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| explain(&url, &error))?;
        let room = max_bytes - bytes.len();
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            cut = true;
            break;
        }
    }
    if !status.is_success() {
        return Err(format!("`{url}` answered {status}."));
    }
    Ok(Fetched { url, content_type, bytes, cut })
}

/// The innermost reason is the one that a person understands.
fn explain(url: &Url, error: &reqwest::Error) -> String {
    let mut reason: &dyn Error = error;
    loop {
        if let Some(Closed(why)) = reason.downcast_ref() {
            return why.clone();
        }
        match reason.source() {
            Some(inner) => reason = inner,
            None => break,
        }
    }
    format!("`{url}` could not be fetched: {reason}.")
}
