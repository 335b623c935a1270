//! The one gate before every route: a request gets its [`Visitor`] here, or goes no further. What stands open to
//! everybody is named in [`PUBLIC`]; a route that is not there is closed, also one that does not exist.

mod extract;
mod pages;
mod routes;

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{error::Problem, guard, page, server::Remote};
use crate::{
    access::{Denied, Peer, Shown, Visitor},
    protocol::{ApiError, ErrorCode},
    state::AppState,
    ui::words,
};
pub use extract::{Who, visitor};
pub use routes::{Credentials, launch, me, new_link, sign_in, sign_in_page, sign_out};

/// The page's own files hold nothing of anybody; the others are how people come in.
pub const PUBLIC: [&str; 8] = [
    "/health",
    "/health/live",
    "/health/probe",
    "/health/ready",
    "/pkg/{build}/{file}",
    "/favicon.svg",
    "/launch/{token}",
    "/sign-in",
];

/// Values of our cookie that one request may show: a page on another port of this machine can add to it.
const MOST_COOKIES: usize = 4;

pub async fn check_visitor(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = peer(&state, &request);
    let matched = request.extensions().get::<MatchedPath>();
    let is_public = matched.is_some_and(|matched| PUBLIC.contains(&matched.as_str()));
    match who(&state, &peer, request.headers()) {
        // A browser shows its cookie whoever asks it to.
        Ok(visitor) if visitor.is_ambient() && guard::acts(&request) && !guard::is_from_our_page(&request) => {
            guard::foreign_origin()
        }
        Ok(visitor) => {
            // The page's files are part of the request for the page.
            if !is_public && let Err(limited) = state.agent.allowance().request(&visitor.actor.name) {
                return limited_answer(&state, limited, &request);
            }
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(_) if is_public => next.run(request).await,
        Err(denied) => refuse(&state, denied, &request),
    }
}

fn peer(state: &AppState, request: &Request) -> Peer {
    let remote = request.extensions().get::<Remote>();
    let from = remote.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Remote(address)| address.ip());
    state.access.peer(from, |name| request.headers().get(name).and_then(|value| value.to_str().ok()))
}

fn who(state: &AppState, peer: &Peer, headers: &HeaderMap) -> Result<Visitor, Denied> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| bearer(value).unwrap_or_default());
    let name = cookie_name(state, headers);
    let cookies = cookies(headers, &name);
    let ask = |cookie| state.access.who(&Shown { peer, bearer, cookie });
    let mut found = ask(cookies.first().copied());
    for cookie in cookies.into_iter().skip(1) {
        found = found.or_else(|_| ask(Some(cookie)));
    }
    found
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).take(MOST_COOKIES).collect()
}

/// Behind TLS the browser itself sees to it that nobody else sets a cookie of this name; one that is for a path of the
/// host alone may be set by other hosts of the domain, though not without TLS.
fn cookie_name(state: &AppState, headers: &HeaderMap) -> String {
    let prefix = match (guard::is_secure(headers, &state.site.origins), state.site.base.is_root()) {
        (true, true) => "__Host-",
        (true, false) => "__Secure-",
        (false, _) => "",
    };
    format!("{prefix}cowork_{}", state.site.port)
}

fn refuse(state: &AppState, denied: Denied, request: &Request) -> Response {
    if reads(request) && wants_page(request.headers()) && denied != Denied::NotListed {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return pages::sign_in(state, request.headers(), &state.site.base.at(path), None).into_response();
    }
    problem(denied)
}

/// In words, where a person would see it.
fn limited_answer(state: &AppState, limited: ApiError, request: &Request) -> Response {
    let wait = limited.retry_after.unwrap_or_default();
    let language = page::language(request.headers());
    match words::of(language).limits.told(limited.code, wait) {
        Some(told) if reads(request) && wants_page(request.headers()) => {
            let status = StatusCode::from_u16(limited.code.status()).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
            let page = pages::told(state, language, limited.code.title(), told);
            (status, [(header::RETRY_AFTER, wait.to_string())], page).into_response()
        }
        _ => Problem(limited).into_response(),
    }
}

fn reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

pub fn problem(denied: Denied) -> Response {
    let (code, detail) = match denied {
        Denied::Nothing => (
            ErrorCode::NotSignedIn,
            "Only who is signed in may ask this. Nothing was done. `cowork token` prints the token of this server for \
             the header `Authorization: Bearer …`; `cowork link` prints a link for a browser.",
        ),
        Denied::Wrong => (
            ErrorCode::NotSignedIn,
            "What was shown to sign in is wrong, or holds no more. Nothing was done. `cowork token` prints the token \
             that holds now; `cowork link` prints a link for a browser.",
        ),
        Denied::TooOften(_) => {
            (ErrorCode::TooManyAttempts, "There were too many wrong attempts. Nothing was done. Try again in a minute.")
        }
        Denied::NotListed => (
            ErrorCode::NotAllowed,
            "You are not on the list of those who may use this server, or not in one of its networks. Nothing was done. \
             Ask whoever runs it.",
        ),
    };
    let mut response = Problem::new(code, detail).into_response();
    let headers = response.headers_mut();
    match denied {
        Denied::Nothing | Denied::Wrong => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Denied::TooOften(wait) => {
            headers.insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        Denied::NotListed => {}
    }
    response
}

pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_under_its_own_name_alone() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1; cowork_9000=x;cowork_9001=y; cowork_9000=z"));
        headers.append("cookie", HeaderValue::from_static("cowork_9000=w; xcowork_9000=v; nonsense"));
        assert_eq!(cookies(&headers, "cowork_9000"), ["x", "z", "w"]);
    }

    #[test]
    fn a_bearer_is_a_scheme_and_a_token() {
        let read = |text| bearer(&HeaderValue::from_static(text)).map(str::to_owned);
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!((read("Basic abc"), read("abc"), read("")), (None, None, None));
    }
}
