//! Whether a proxy hands on what people need: the address, a socket, and text as it is written.

use std::time::{Duration, Instant};

use cowork::{config::Config, protocol::BasePath, web::PROBE_PAUSE};
use reqwest::{StatusCode, Url, header};
use tokio::{io::AsyncReadExt, time::timeout};

use super::Finding::{self, Bad, Fine, Odd};

/// Far more than the probe's own pauses.
const PATIENCE: Duration = Duration::from_secs(8);

/// The addresses that people type: those given, else those of the configuration that are reached through TLS.
pub fn addresses(given: &[String], config: &Config) -> Vec<String> {
    let base = BasePath::parse(&config.cowork.base_path).unwrap_or_default();
    let named = config.cowork.allowed_hosts.iter().filter(|name| name.starts_with("https://"));
    if given.is_empty() { named.map(|name| format!("{name}{}", base.as_str())).collect() } else { given.to_vec() }
}

pub async fn look(address: &str) -> Finding {
    let shown = without_password(address);
    let Ok(url) = Url::parse(&format!("{}/health/probe", address.trim_end_matches('/'))) else {
        return Bad(format!("proxy: {shown} is no address. --through takes one such as https://cowork.example"));
    };
    match timeout(PATIENCE, probe(url)).await {
        Ok(Ok(spread)) => judge(&shown, spread),
        Ok(Err(trouble)) => trouble.told(&shown),
        Err(_) => Odd(format!("proxy: {shown} did not answer within {} s", PATIENCE.as_secs())),
    }
}

enum Trouble {
    Unreachable(reqwest::Error),
    /// Something else than the probe, by Cowork or by somebody before it.
    Answered(StatusCode, By),
    Broken(std::io::Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Cowork,
    Another,
}

/// The time between the first piece of the probe and the last.
async fn probe(url: Url) -> Result<Duration, Trouble> {
    // It is not made without a way to do TLS. A socket is opened by HTTP/1.1.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().http1_only();
    // A machine without certificates can ask itself.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    let client = builder.build().map_err(Trouble::Unreachable)?;
    let asked = client.get(url).header(header::CONNECTION, "Upgrade").header(header::UPGRADE, "websocket");
    let asked =
        asked.header(header::SEC_WEBSOCKET_VERSION, "13").header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = asked.send().await.map_err(Trouble::Unreachable)?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let by = if kind.is_some_and(|kind| kind == "application/problem+json") { By::Cowork } else { By::Another };
        return Err(Trouble::Answered(answer.status(), by));
    }
    let mut socket = answer.upgrade().await.map_err(Trouble::Unreachable)?;
    let (mut piece, mut first, mut last) = ([0; 256], None, Instant::now());
    while socket.read(&mut piece).await.map_err(Trouble::Broken)? > 0 {
        last = Instant::now();
        first.get_or_insert(last);
    }
    Ok(first.map_or(Duration::ZERO, |first| last.duration_since(first)))
}

fn judge(shown: &str, spread: Duration) -> Finding {
    if spread >= PROBE_PAUSE {
        Fine(format!("proxy: {shown} hands on sockets, and what is written as it is written"))
    } else {
        Bad(format!(
            "proxy: {shown} holds back what is written and hands it on at once. Switch its buffering off: \
             `proxy_buffering off` for nginx, `flush_interval -1` for Caddy"
        ))
    }
}

impl Trouble {
    fn told(self, shown: &str) -> Finding {
        match self {
            Self::Unreachable(error) => {
                Odd(format!("proxy: {shown} can't be reached from here ({})", error.without_url()))
            }
            Self::Broken(error) => Bad(format!("proxy: {shown} breaks sockets off ({error})")),
            Self::Answered(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, By::Another) => Odd(format!(
                "proxy: {shown} wants to know who asks. `cowork doctor --through https://NAME:PASSWORD@…` looks behind it"
            )),
            Self::Answered(StatusCode::MISDIRECTED_REQUEST, By::Cowork) => Bad(format!(
                "proxy: Cowork does not know the name {shown}. The proxy must hand on `Host` as it came, and `allowed_hosts` \
                 must hold the name"
            )),
            Self::Answered(StatusCode::NOT_FOUND, _) | Self::Answered(StatusCode::UNAUTHORIZED, By::Cowork) => {
                Bad(format!(
                    "proxy: Cowork is not at {shown}. If Cowork has a `base_path`, the proxy must hand addresses on whole"
                ))
            }
            Self::Answered(StatusCode::UNPROCESSABLE_ENTITY, By::Cowork) => Bad(format!(
                "proxy: {shown} hands no sockets on. It must pass the headers `Upgrade` and `Connection`, by HTTP/1.1"
            )),
            Self::Answered(status, _) => Odd(format!("proxy: {shown} answers {status}")),
        }
    }
}

fn without_password(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) if url.has_host() => {
            let _ = (url.set_username(""), url.set_password(None));
            url.as_str().trim_end_matches('/').to_owned()
        }
        _ => "the address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        assert_eq!(without_password("https://anna:secret@cowork.example/office"), "https://cowork.example/office");
        assert_eq!(without_password("anna:secret"), "the address");
    }

    #[test]
    fn what_comes_at_once_was_held_back() {
        assert!(matches!(judge("https://a.example", PROBE_PAUSE), Fine(_)));
        assert!(matches!(judge("https://a.example", PROBE_PAUSE / 2), Bad(_)));
    }
}
