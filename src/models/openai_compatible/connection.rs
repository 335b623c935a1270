//! The way to one model server.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
    redirect,
};
use serde_json::Value;
use tokio::time::{timeout, timeout_at};

use super::{
    answer::{Answer, Patience},
    decoder::Decoder,
    failure::{self, Server},
    names::ToolNames,
    reader::Reader,
    request::{self, Quirk},
    retry_after::retry_after,
    settings::Settings,
};
use crate::{
    agent::ports::model::{ModelError, ModelRequest},
    config::ApiKey,
};

/// A health check is shown to a waiting person.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);
/// An error's text must not keep the turn waiting once its status is known.
const REFUSAL_LIMIT: Duration = Duration::from_secs(5);
/// Enough to find the words in a long error, in bytes; a person sees far less.
const MAX_REFUSAL: usize = 64 * 1024;

pub struct Connection {
    client: Client,
    chat: Url,
    models: Url,
    settings: Settings,
    server: Arc<Server>,
    /// Learnt from refusals, for every later call.
    quirks: Mutex<BTreeSet<Quirk>>,
}

impl Connection {
    pub fn new(settings: Settings) -> Result<Self, ModelError> {
        let base = base(&settings.base_url)?;
        let client = client(&base, &settings)?;
        let server = Arc::new(Server::new(&base, &settings));
        let (chat, models) = (below(&base, &["chat", "completions"]), below(&base, &["models"]));
        Ok(Self { client, chat, models, settings, server, quirks: Mutex::default() })
    }

    /// Sends the request, once more for each difference that the server's refusal teaches.
    pub async fn open(self: Arc<Self>, request: ModelRequest) -> Result<Answer, ModelError> {
        let names = ToolNames::new(request.tools.iter().map(|tool| tool.name.as_str()));
        loop {
            let body = request::body(&request, &names, &self.settings, &self.quirks());
            let patience = Patience::new(self.settings.timeouts.first_byte, self.settings.timeouts.idle);
            let response = self.post(&body, patience).await?;
            if response.status().is_success() {
                let server = self.server.clone();
                let reader = Reader::new(Decoder::new(server.clone(), names));
                return Ok(Answer { server, response, reader, patience });
            }
            let quirk = self.refusal(response, &body).await?;
            self.quirks.lock().unwrap_or_else(PoisonError::into_inner).insert(quirk);
        }
    }

    /// Whether the server answers. It may well lack the list of models, or the model in it.
    pub async fn health(&self) -> Result<(), ModelError> {
        let ask = async {
            let response =
                self.client.get(self.models.clone()).send().await.map_err(|error| self.server.broken(&error))?;
            match response.status() {
                status if status.is_success() => Ok(()),
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(()),
                _ => Err(self.error(response).await.0),
            }
        };
        timeout(HEALTH_LIMIT, ask).await.unwrap_or_else(|_| Err(self.server.silent(HEALTH_LIMIT)))
    }

    async fn post(&self, body: &Value, patience: Patience) -> Result<Response, ModelError> {
        let sent = timeout_at(patience.until, self.client.post(self.chat.clone()).json(body).send()).await;
        let response = sent.map_err(|_| self.server.silent(patience.limit))?;
        response.map_err(|error| self.server.broken(&error))
    }

    /// What the refusal teaches, or the error that it is.
    async fn refusal(&self, response: Response, sent: &Value) -> Result<Quirk, ModelError> {
        let invalid = matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
        let (error, words) = self.error(response).await;
        // A conversation that is too long is often told together with the name of the limit.
        if !invalid || matches!(error, ModelError::ContextFull(_)) {
            return Err(error);
        }
        Quirk::learnt(&words, sent).ok_or(error)
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

    fn quirks(&self) -> BTreeSet<Quirk> {
        self.quirks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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

/// The address below the base. A query stays, which some gateways need.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn client(base: &Url, settings: &Settings) -> Result<Client, ModelError> {
    // An error means that there is a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Redirects would send a POST on as a GET, and the conversation to a server nobody named.
    let builder = Client::builder().connect_timeout(settings.timeouts.connect).redirect(redirect::Policy::none());
    let builder = builder.default_headers(headers(settings.api_key.as_ref())?);
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

fn headers(key: Option<&ApiKey>) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(headers) };
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.reveal())).map_err(|_| {
        ModelError::Auth(
            "The API key holds a character that can't be sent. Put it into the configuration again.".into(),
        )
    })?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(headers)
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
        let Err(ModelError::Auth(text)) = headers(Some(&ApiKey::new("sk-\nsecret"))) else { panic!() };
        assert!(!text.contains("secret"), "{text}");
    }
}
