//! The way to one model server.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{HeaderMap, HeaderValue, LOCATION},
    redirect,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use tokio::time::{timeout, timeout_at};

use super::{
    answer::Patience,
    failure::{self, Advice, Server},
    retry_after::retry_after,
    settings::{Settings, Timeouts},
};
use crate::agent::ports::model::ModelError;

/// A health check is shown to a waiting person.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);
/// An error's text must not keep the turn waiting once its status is known.
const REFUSAL_LIMIT: Duration = Duration::from_secs(5);
/// Enough to find the words in a long error, in bytes; a person sees far less.
const MAX_REFUSAL: usize = 64 * 1024;
/// What a server says of its models, in bytes; the longest lists are a tenth of it.
const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// A way in which a server or model differs, learnt from its refusal.
pub trait Quirk: Copy + Ord {
    /// What a refusal of `sent` teaches. Only a field that was sent can teach something.
    fn learnt(refusal: &str, sent: &Value) -> Option<Self>;
}

/// What refusals have taught, for every later request.
pub struct Learnt<Q>(Mutex<BTreeSet<Q>>);

impl<Q> Default for Learnt<Q> {
    fn default() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }
}

impl<Q: Quirk> Learnt<Q> {
    fn all(&self) -> BTreeSet<Q> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, quirk: Q) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(quirk);
    }
}

/// A request that the server took.
pub struct Taken {
    pub response: Response,
    pub patience: Patience,
    /// The request's body, without the tools.
    pub sent: Value,
}

/// A request's body.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    rest: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a RawValue>,
}

pub struct Connection {
    client: Client,
    base: Url,
    timeouts: Timeouts,
    server: Arc<Server>,
}

impl Connection {
    /// Connects to nothing yet. `headers` go with every request, `advice` into what is said of failures.
    pub fn new(settings: &Settings, headers: HeaderMap, advice: Advice) -> Result<Self, ModelError> {
        let base = base(&settings.base_url)?;
        let client = client(&base, headers, settings.timeouts)?;
        let server = Arc::new(Server::new(&base, settings, advice));
        Ok(Self { client, base, timeouts: settings.timeouts, server })
    }

    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The address below the base. A query stays, which some gateways need.
    pub fn below(&self, segments: &[&str]) -> Url {
        below(&self.base, segments)
    }

    /// The same, with the base's last part left out where it is one of `endings`.
    pub fn beside(&self, endings: &[&str], segments: &[&str]) -> Url {
        let mut base = self.base.clone();
        let path = base.path().trim_end_matches('/');
        if let Some(shorter) = endings.iter().find_map(|ending| path.strip_suffix(&format!("/{ending}"))) {
            let shorter = shorter.to_owned();
            base.set_path(&shorter);
        }
        below(&base, segments)
    }

    /// Sends a request for an answer, once more for each difference that the server's refusal teaches. `rest` is the
    /// body without the tools.
    pub async fn ask<Q: Quirk>(
        &self,
        url: &Url,
        learnt: &Learnt<Q>,
        tools: Option<&RawValue>,
        rest: impl Fn(&BTreeSet<Q>) -> Value,
    ) -> Result<Taken, ModelError> {
        loop {
            let known = learnt.all();
            let rest = rest(&known);
            let body = Body { rest: &rest, tools };
            let patience = Patience::new(self.timeouts.first_byte, self.timeouts.idle);
            let sent = timeout_at(patience.until, self.client.post(url.clone()).json(&body).send()).await;
            let response = sent.map_err(|_| self.server.silent(patience.limit))?;
            let response = response.map_err(|error| self.server.broken(&error))?;
            if response.status().is_success() {
                return Ok(Taken { response, patience, sent: rest });
            }
            let (quirk, error) = self.refusal(response, &rest).await?;
            // Refused although it was heeded: asking again would go on for ever.
            if known.contains(&quirk) {
                return Err(error);
            }
            learnt.add(quirk);
        }
    }

    /// What the refusal teaches, with the error that it is otherwise; or the error.
    async fn refusal<Q: Quirk>(&self, response: Response, sent: &Value) -> Result<(Q, ModelError), ModelError> {
        let invalid = matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
        let (error, words) = self.error(response).await;
        // A conversation that is too long is often told together with the name of the limit.
        if !invalid || matches!(error, ModelError::ContextFull(_)) {
            return Err(error);
        }
        match Q::learnt(&words, sent) {
            Some(quirk) => Ok((quirk, error)),
            None => Err(error),
        }
    }

    /// Whether the server answers at `url`. It may well lack what is there.
    pub async fn health(&self, url: &Url) -> Result<(), ModelError> {
        match self.within(HEALTH_LIMIT, self.client.get(url.clone())).await {
            Err((Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), _)) => Ok(()),
            Err((_, error)) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    /// What the server has at `url`, where a person waits for it.
    pub async fn get(&self, url: &Url) -> Result<Value, ModelError> {
        self.within(HEALTH_LIMIT, self.client.get(url.clone())).await.map_err(|(_, error)| error)
    }

    /// What the server says of itself at `url`, if it does; `body` is posted where there is one.
    pub async fn look(&self, url: &Url, body: Option<&Value>) -> Option<Value> {
        let request = match body {
            Some(body) => self.client.post(url.clone()).json(body),
            None => self.client.get(url.clone()),
        };
        self.within(HEALTH_LIMIT, request).await.ok().filter(|value| !value.is_null())
    }

    /// The JSON that the server answers, null where it answers something else. The status is told where there was one.
    async fn within(
        &self,
        limit: Duration,
        request: RequestBuilder,
    ) -> Result<Value, (Option<StatusCode>, ModelError)> {
        let ask = async {
            let response = request.send().await.map_err(|error| (None, self.server.broken(&error)))?;
            let status = response.status();
            if !status.is_success() {
                return Err((Some(status), self.error(response).await.0));
            }
            Ok(document(response).await)
        };
        timeout(limit, ask).await.unwrap_or_else(|_| Err((None, self.server.silent(limit))))
    }

    /// The error that an answer without success is, and the server's words.
    async fn error(&self, response: Response) -> (ModelError, String) {
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
            return (self.server.redirects(status, location), String::new());
        }
        let after = retry_after(response.headers(), Timestamp::now());
        let words = words(response).await;
        (self.server.status(status, after, &words), words)
    }
}

/// A header's value that shows in no log.
pub fn sealed(text: &str) -> Result<HeaderValue, ModelError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        ModelError::Auth(
            "The API key holds a character that can't be sent. Put it into the configuration again.".into(),
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn document(mut response: Response) -> Value {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await
        && bytes.len() < MAX_DOCUMENT
    {
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The text of a refusal, as far as it comes.
async fn words(mut response: Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await
            && bytes.len() < MAX_REFUSAL
        {
            bytes.extend_from_slice(&chunk);
        }
    };
    // What has come counts, whether or not the rest does.
    let _ = timeout(REFUSAL_LIMIT, read).await;
    bytes.truncate(MAX_REFUSAL);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn base(text: &str) -> Result<Url, ModelError> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let shown = text.rsplit('@').next().unwrap_or_default();
            let advice = "Write it with http:// or https://, such as http://127.0.0.1:8080/v1.";
            Err(ModelError::Fatal(format!("base_url `{shown}` is not the address of a server. {advice}")))
        }
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn client(base: &Url, headers: HeaderMap, timeouts: Timeouts) -> Result<Client, ModelError> {
    // An error means that there is a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Redirects would send a POST on as a GET, and the conversation to a server nobody named.
    let builder = Client::builder().connect_timeout(timeouts.connect).redirect(redirect::Policy::none());
    let builder = builder.default_headers(headers);
    // A server without TLS works on a machine without certificates, and one on this machine around any proxy.
    let builder = if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    let builder = if is_here(base) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| {
        let error = failure::root(&error);
        ModelError::Fatal(format!(
            "The connection to models can't be set up: {error}. Check the system's certificates."
        ))
    })
}

fn is_here(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_below_the_base_has_one_slash_and_keeps_the_query() {
        let chat = |text: &str| below(&base(text).unwrap(), &["chat", "completions"]).to_string();
        assert_eq!(chat("http://127.0.0.1:8080/v1"), "http://127.0.0.1:8080/v1/chat/completions");
        assert_eq!(chat("http://127.0.0.1:8080/v1/"), "http://127.0.0.1:8080/v1/chat/completions");
        assert_eq!(chat("http://127.0.0.1:8080"), "http://127.0.0.1:8080/chat/completions");
        assert_eq!(chat("https://h.example/d/m?api-version=1"), "https://h.example/d/m/chat/completions?api-version=1");
    }

    #[test]
    fn a_base_that_is_no_address_is_an_error_that_shows_how() {
        for wrong in ["", "127.0.0.1:8080/v1", "localhost:8080", "ftp://h/v1", "/v1"] {
            let Err(ModelError::Fatal(text)) = base(wrong) else { panic!("{wrong}") };
            assert!(text.contains("http://127.0.0.1:8080/v1"), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_reached_around_a_proxy() {
        let here = ["http://localhost:1/v1", "http://127.0.0.1/v1", "http://[::1]:8080/v1"];
        let elsewhere = ["http://10.0.0.1/v1", "https://api.example.com/v1"];
        assert!(here.iter().all(|text| is_here(&base(text).unwrap())));
        assert!(!elsewhere.iter().any(|text| is_here(&base(text).unwrap())));
    }

    #[test]
    fn a_key_that_can_not_be_sent_is_not_repeated() {
        let Err(ModelError::Auth(text)) = sealed("sk-\nsecret") else { panic!() };
        assert!(!text.contains("secret"), "{text}");
    }
}
