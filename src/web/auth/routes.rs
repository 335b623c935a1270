//! Coming in and leaving.

use axum::{
    Extension, Json,
    extract::{FromRequest, Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{cookie_name, pages, peer, problem, wants_page};
use crate::{
    access::{COOKIE_LIFE, Denied, Visitor},
    protocol::{ApiError, ErrorCode},
    state::AppState,
    web::{
        base_path,
        error::{Answer, Problem},
        extract::Fields,
        guard, page,
    },
};

/// Seconds that a link of [`new_link`] waits for its browser.
const LINK_SECONDS: u64 = 60;

/// Exchanges a link from the terminal for a cookie.
pub async fn launch(
    State(state): State<AppState>,
    Path(secret): Path<String>,
    visitor: Option<Extension<Visitor>>,
    request: Request,
) -> Response {
    // One who only looks whether it is there leaves it to the browser.
    if request.method() == Method::HEAD {
        return StatusCode::NO_CONTENT.into_response();
    }
    if visitor.is_some() {
        return Redirect::to(&state.site.base.at("/")).into_response();
    }
    match state.access.launch(&secret, &peer(&state, &request)) {
        Ok(visitor) => enter(&state, request.headers(), &visitor, &state.site.base.at("/")),
        Err(Denied::NotListed) => problem(Denied::NotListed),
        Err(denied) => {
            let mut page = pages::used_link(&state, page::language(request.headers())).into_response();
            *page.status_mut() = match denied {
                Denied::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
                Denied::Nothing | Denied::Wrong | Denied::NotListed => StatusCode::FORBIDDEN,
            };
            page
        }
    }
}

/// A link for another browser, for whoever runs the server.
pub async fn new_link(State(state): State<AppState>, visitor: Visitor) -> Answer<Response> {
    if !visitor.is_owner() {
        let detail = "Only whoever runs this server gets links for it. Nothing was done. Sign in as yourself.";
        return Err(Problem::new(ErrorCode::NotAllowed, detail));
    }
    let path = state.access.new_link().map_err(|error| {
        tracing::error!(%error, "no link could be made");
        ApiError::internal()
    })?;
    Ok((StatusCode::CREATED, Json(json!({"path": state.site.base.at(&path), "expires_in": LINK_SECONDS})))
        .into_response())
}

pub async fn me(visitor: Visitor) -> Json<serde_json::Value> {
    Json(json!({"name": visitor.actor.name, "kind": visitor.actor.kind}))
}

pub async fn sign_in_page(
    State(state): State<AppState>,
    visitor: Option<Extension<Visitor>>,
    headers: HeaderMap,
) -> Response {
    match visitor {
        Some(Extension(visitor)) => pages::signed_in(&state, page::language(&headers), &visitor).into_response(),
        None => pages::sign_in(&state, &headers, &state.site.base.at("/"), None).into_response(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    /// Where the person wanted to go.
    #[serde(default)]
    to: String,
}

pub async fn sign_in(State(state): State<AppState>, request: Request) -> Response {
    let (peer, headers) = (peer(&state, &request), request.headers().clone());
    let Credentials { name, password, to } = match Fields::from_request(request, &()).await {
        Ok(Fields(credentials)) => credentials,
        Err(problem) => return problem.into_response(),
    };
    match state.access.sign_in(name.trim(), password, &peer).await {
        Ok(visitor) => {
            tracing::info!(name = visitor.actor.name, address = %peer.address, "signed in");
            enter(&state, &headers, &visitor, &base_path::own(&state.site.base, &to))
        }
        Err(denied) => {
            tracing::warn!(address = %peer.address, ?denied, "a sign-in was refused");
            if denied == Denied::NotListed || !wants_page(&headers) {
                return problem(denied);
            }
            let mut page =
                pages::sign_in(&state, &headers, &base_path::own(&state.site.base, &to), Some(&denied)).into_response();
            if let Denied::TooOften(wait) = denied {
                *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                page.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
            }
            page
        }
    }
}

pub async fn sign_out(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let cookie = set_cookie(&state, &headers, "", 0);
    ([(header::SET_COOKIE, cookie)], Redirect::to(&state.site.base.at("/sign-in"))).into_response()
}

/// Signs the browser in and leads it on; the address with the secret is not kept.
fn enter(state: &AppState, headers: &HeaderMap, visitor: &Visitor, to: &str) -> Response {
    let value = state.access.cookie(visitor).unwrap_or_default();
    let cookie = set_cookie(state, headers, &value, COOKIE_LIFE.as_secs());
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

fn set_cookie(state: &AppState, headers: &HeaderMap, value: &str, seconds: u64) -> HeaderValue {
    let (name, secure) = (cookie_name(state, headers), guard::is_secure(headers, &state.site.origins));
    let path = state.site.base.cookie_path();
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    // Hex, digits and dots: always a header's value.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
