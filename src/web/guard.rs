//! What stands before every route: who may be addressed (Host), who may ask for a change (Origin and
//! Sec-Fetch-Site), and the headers of every answer.

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::nonce::Nonce;

use super::{error::Problem, server::HEAD_BUFFER_BYTES};
use crate::{protocol::ErrorCode, state::AppState};

/// The origins that are ours: the address we listen on, the loopback names with our port, and the names that the
/// operator added. Browsers leave out the port 80. A name without a scheme is reached through either.
pub fn own_origins(address: SocketAddr, extra: &[String]) -> Vec<String> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned(), name_of(address)];
    let port = address.port();
    let mut origins: Vec<_> = names.iter().map(|name| format!("http://{name}:{port}")).collect();
    if port == 80 {
        origins.extend(names.iter().map(|name| format!("http://{name}")));
    }
    for name in extra.iter().map(|name| name.to_ascii_lowercase()) {
        match authority(&name) {
            Some(_) => origins.push(name),
            None => origins.extend(["http", "https"].map(|scheme| format!("{scheme}://{name}"))),
        }
    }
    origins
}

/// What stands behind the scheme of an origin.
fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

/// Whether the name that a request is addressed to is reached through TLS alone.
pub fn is_secure(headers: &HeaderMap, origins: &[String]) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut named =
        origins.iter().filter(|our| authority(our).is_some_and(|our| our.eq_ignore_ascii_case(host))).peekable();
    named.peek().is_some() && named.all(|our| our.starts_with("https://"))
}

fn name_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

/// Longest address and headers of a request, together. No browser that has our cookies alone comes near it.
const HEAD_BYTES: usize = HEAD_BUFFER_BYTES / 2;

/// Refuses a request whose address and headers are too long.
pub async fn check_head(request: Request, next: Next) -> Response {
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let uri = request.uri();
    let address = uri.path().len() + uri.query().unwrap_or_default().len();
    if headers + address > HEAD_BYTES {
        let detail = format!(
            "The address and the headers of this request have more than {HEAD_BYTES} bytes, which is the limit. Nothing was \
             done. In a browser, delete the cookies of this site."
        );
        return Problem::new(ErrorCode::HeadersTooLarge, detail).into_response();
    }
    next.run(request).await
}

/// Refuses a request that is addressed to another name: a page of a foreign site that points its own name at
/// this machine (DNS rebinding) gets no further.
pub async fn check_host(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !addressed_to_us(&request, &state.site.origins) {
        let detail = "This server is not known under that name. Open it under the address that it prints at start.";
        return Problem::new(ErrorCode::ForeignHost, detail).into_response();
    }
    next.run(request).await
}

fn addressed_to_us(request: &Request, ours: &[String]) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let known = |text: &str| ours.iter().filter_map(|our| authority(our)).any(|our| our.eq_ignore_ascii_case(text));
    let named = host.to_str().is_ok_and(known);
    // An absolute request line must not name somebody else either.
    named && request.uri().authority().map(Authority::as_str).is_none_or(known)
}

/// Refuses what another site's page asks for, all but a plain link to us. Programs send no Origin and may.
pub async fn check_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let foreign = if acts(&request) {
        !same_site(request.headers(), &state.site.origins)
    } else {
        is_used_elsewhere(request.headers())
    };
    if foreign { foreign_origin() } else { next.run(request).await }
}

pub fn foreign_origin() -> Response {
    let detail = "This request came from a page of another site. Nothing was done.";
    Problem::new(ErrorCode::ForeignOrigin, detail).into_response()
}

/// Whether a request changes something or opens a socket.
pub fn acts(request: &Request) -> bool {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    changes || request.headers().contains_key(header::UPGRADE)
}

/// Whether the request says that it comes from one of our own pages. An Origin was compared before.
pub fn is_from_our_page(request: &Request) -> bool {
    let headers = request.headers();
    let by_fetch_site = matches!(fetch(headers, "site"), Some(b"same-origin" | b"none"));
    headers.contains_key(header::ORIGIN) || (by_fetch_site && !headers.contains_key(header::UPGRADE))
}

/// Whether a page of another site reads, embeds or frames this. Following a link to us is none of these.
fn is_used_elsewhere(headers: &HeaderMap) -> bool {
    let is_link = fetch(headers, "mode") == Some(b"navigate") && fetch(headers, "dest") == Some(b"document");
    comes_from_elsewhere(headers) && !is_link
}

pub fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    matches!(fetch(headers, "site"), Some(b"cross-site" | b"same-site"))
}

fn fetch<'a>(headers: &'a HeaderMap, what: &str) -> Option<&'a [u8]> {
    headers.get(format!("sec-fetch-{what}")).map(HeaderValue::as_bytes)
}

fn same_site(headers: &HeaderMap, ours: &[String]) -> bool {
    if !matches!(fetch(headers, "site"), None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    // The Host was checked; an Origin of another one of our names is another origin all the same.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    origins.next().is_none()
        && authority(origin).is_some_and(|from| from.eq_ignore_ascii_case(host))
        && ours.iter().any(|our| our.eq_ignore_ascii_case(origin))
}

const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not no-referrer: with that, browsers send `Origin: null` on our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (HeaderName::from_static("x-frame-options"), "SAMEORIGIN"),
];

/// Sets the headers of every answer, and hands a fresh nonce to the page that is rendered inside.
pub async fn set_headers(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let reload = std::env::var("LEPTOS_WATCH").is_ok().then_some(state.leptos.reload_port);
    let policy = content_security_policy(&nonce, reload);
    request.extensions_mut().insert(nonce);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        // Bytes of people's files come with a stricter one.
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Nothing but our own files; scripts by nonce alone. The plain page shows the running answer in a frame of its own.
fn content_security_policy(nonce: &str, reload_port: Option<u32>) -> String {
    let reload = reload_port.map(|port| format!(" ws://127.0.0.1:{port} ws://localhost:{port}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; manifest-src 'self'; connect-src 'self'{reload}; frame-src 'self'; \
         frame-ancestors 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], uri: &str) -> Request {
        let mut builder = Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[test]
    fn only_our_own_names_are_ours() {
        let ours =
            own_origins(([127, 0, 0, 2], 9000).into(), &["cowork.example:443".into(), "https://tls.example".into()]);
        for good in [
            "localhost:9000",
            "127.0.0.1:9000",
            "[::1]:9000",
            "LOCALHOST:9000",
            "127.0.0.2:9000",
            "cowork.example:443",
            "tls.example",
        ] {
            assert!(addressed_to_us(&request(&[("host", good)], "/"), &ours), "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.nip.io:9000", "localhost", "localhost:9001", "", "localhost:9000.evil"] {
            assert!(!addressed_to_us(&request(&[("host", bad)], "/"), &ours), "{bad}");
        }
        assert!(!addressed_to_us(&request(&[], "/"), &ours), "no Host");
        assert!(
            !addressed_to_us(&request(&[("host", "localhost:9000"), ("host", "localhost:9000")], "/"), &ours),
            "two"
        );
        assert!(!addressed_to_us(&request(&[("host", "localhost:9000")], "http://evil.example/"), &ours), "absolute");
    }

    #[test]
    fn only_our_own_page_and_programs_may_change_something() {
        let ours = own_origins(([127, 0, 0, 1], 9000).into(), &[]);
        let asks = |headers: &[(&str, &str)]| {
            let all: Vec<_> = [("host", "localhost:9000")].into_iter().chain(headers.iter().copied()).collect();
            same_site(request(&all, "/").headers(), &ours)
        };
        assert!(asks(&[]));
        assert!(asks(&[("origin", "http://localhost:9000"), ("sec-fetch-site", "same-origin")]));
        assert!(asks(&[("sec-fetch-site", "none")]));
        for origin in [
            "null",
            "http://localhost:9001",
            "https://localhost:9000",
            "http://127.0.0.1:9000",
            "http://localhost.evil:9000",
            "http://localhost:9000.evil",
            "ftp://localhost:9000",
            "",
        ] {
            assert!(!asks(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "Same-Origin", ""] {
            assert!(!asks(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!asks(&[("origin", "http://localhost:9000"), ("origin", "http://evil")]));
    }

    #[test]
    fn a_name_behind_tls_is_another_one_without() {
        let ours = own_origins(([127, 0, 0, 1], 9000).into(), &["https://tls.example".into(), "both.example".into()]);
        let asks =
            |host: &str, origin: &str| same_site(request(&[("host", host), ("origin", origin)], "/").headers(), &ours);
        assert!(asks("tls.example", "https://tls.example") && !asks("tls.example", "http://tls.example"));
        assert!(asks("both.example", "https://both.example") && asks("both.example", "http://both.example"));
        assert!(!asks("tls.example", "https://both.example"));
        let secure = |host| is_secure(request(&[("host", host)], "/").headers(), &ours);
        assert!(secure("tls.example") && !secure("both.example") && !secure("localhost:9000") && !secure("evil"));
    }

    #[test]
    fn another_page_may_link_to_us_and_nothing_else() {
        let used = |site: &str, mode: &str, dest: &str| {
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
            is_used_elsewhere(request(&headers, "/").headers())
        };
        for site in ["cross-site", "same-site"] {
            assert!(!used(site, "navigate", "document"));
            for (mode, dest) in
                [("navigate", "iframe"), ("no-cors", "image"), ("cors", "empty"), ("no-cors", "document")]
            {
                assert!(used(site, mode, dest), "{mode} {dest}");
            }
        }
        assert!(!used("same-origin", "navigate", "iframe") && !used("none", "navigate", "document"));
        assert!(!is_used_elsewhere(&HeaderMap::new()), "a program");
    }

    #[test]
    fn the_policy_has_no_unsafe_inline() {
        let policy = content_security_policy("abc", None);
        assert!(
            policy.contains("'nonce-abc'") && !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'")
        );
        assert!(!policy.contains("ws:"));
    }
}
