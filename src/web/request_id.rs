//! One name for a request wherever it leaves a trace: in the answer's header and error document, and in every line of
//! the process log that is written for it, also by the turn that it starts and by the socket that it opens.
//!
//! tower-http's layer takes any client's name as it comes. Here only the configured proxy is believed, so that nobody
//! else can write into the log, or make two requests look like one.

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, field::Empty};

use super::{error::Document, server::Remote};
use crate::{agent::new_id, state::AppState};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones fill lines.
const LONGEST: usize = 128;

pub async fn name(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let proxy = request.extensions().get::<Remote>().is_some_and(|Remote(from)| state.access.is_proxy(from.ip()));
    let id = given(request.headers()).filter(|_| proxy).map_or_else(new_id, str::to_owned);
    // The pattern, since an address may hold a secret.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    // An error's span: it is there whatever the level, so that no line of the request lacks its name.
    let span = tracing::error_span!("request", id, method = %request.method(), route, session = Empty, status = Empty);
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    if let Some(Document(mut document)) = response.extensions_mut().remove() {
        document["request_id"] = id.as_str().into();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(document.to_string());
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The name that the request brings, if it is well formed and the only one.
fn given(headers: &HeaderMap) -> Option<&str> {
    let mut named = headers.get_all(HEADER).iter();
    let (Some(name), None) = (named.next(), named.next()) else { return None };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.to_str().ok().filter(|name| (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain_and_the_only_one() {
        let read = |names: &[&str]| {
            let headers: HeaderMap =
                names.iter().map(|name| (HEADER, HeaderValue::from_bytes(name.as_bytes()).unwrap())).collect();
            given(&headers).map(str::to_owned)
        };
        for name in ["a", "0f3a-17_b.9", &"x".repeat(LONGEST)] {
            assert_eq!(read(&[name]).as_deref(), Some(name));
        }
        for names in [&[][..], &[""], &["a b"], &["a\tb"], &["a\"b"], &["ä"], &["a", "b"], &[&"x".repeat(LONGEST + 1)]]
        {
            assert_eq!(read(names), None, "{names:?}");
        }
    }
}
