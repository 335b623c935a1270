//! The pages: what each address shows is read first, then Leptos renders it whole.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::{nonce::Nonce, prelude::*};

use super::{extract::encode, files, messages, router::Routes};
use crate::{
    access::Visitor,
    cards::{self, Pen},
    protocol::{ApiError, BasePath, ErrorCode, Look, Opened, Page, SessionId, Tab},
    state::AppState,
    ui::{
        self,
        browser::Still,
        words::{Language, plain::plain},
    },
};

pub const LANGUAGE_COOKIE: &str = "cowork_lang";

/// What an address may ask for; names that a page does not know are passed over.
type Asked = Query<HashMap<String, String>>;

pub fn routes() -> Routes {
    // Leptos renders on this runtime; a second router of the same process finds it set.
    let _ = any_spawner::Executor::init_tokio();
    Routes::new()
        .route("/", get(home))
        .route("/sessions/{id}", get(session))
        .route("/sessions/{id}/live", get(running_turn))
}

async fn home(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(mut asked): Asked,
    request: Request<Body>,
) -> Response {
    let wanted = asked.get("deleted").and_then(|id| SessionId::parse(id));
    let deleted = match &wanted {
        Some(id) => state.restorable(&visitor, id).await,
        None => false,
    };
    if wanted.is_some() && !deleted {
        let text = plain(language(request.headers())).session_gone;
        asked.entry("error".to_owned()).or_insert_with(|| text.to_owned());
    }
    let page = state.home_page(asked.get("dir").cloned(), wanted.filter(|_| deleted)).await;
    render(state, &visitor, Ok(Page::Home(Box::new(page))), &asked, request).await
}

async fn session(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Asked,
    request: Request<Body>,
) -> Response {
    if let Some(file) = file_asked_for(&state, &id, &asked) {
        return file;
    }
    let rows = asked.get("rows").and_then(|rows| rows.parse().ok());
    let language = language(request.headers());
    let mut page = state.session_page(&visitor, &id, rows, language).await;
    if let (Ok(page), Tab::Changes) = (&mut page, wanted_look(request.headers(), &asked).tab) {
        page.changes = state.turn_changes(page).await;
    }
    if let Ok(page) = &mut page {
        page.files = files::of_root(&state.agent, &page.session.id).await;
    }
    let page = page.map(|page| Page::Session(Box::new(page)));
    render(state, &visitor, page, &asked, request).await
}

/// A link of a message to a file, where no script shows it.
fn file_asked_for(state: &AppState, id: &str, asked: &HashMap<String, String>) -> Option<Response> {
    let path = encode(asked.get("file")?);
    let id = SessionId::parse(id)?;
    Some(Redirect::to(&state.site.base.at(&format!("/cowork/sessions/{id}/files/{path}"))).into_response())
}

/// Rows that surely hold the running turn's end.
const RUNNING_ROWS: u32 = 30;

async fn running_turn(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Asked,
    request: Request<Body>,
) -> Response {
    if let Some(file) = file_asked_for(&state, &id, &asked) {
        return file;
    }
    let language = language(request.headers());
    let page = state.session_page(&visitor, &id, Some(RUNNING_ROWS), language).await;
    let page = page.map(|page| Page::Running(Box::new(page)));
    render(state, &visitor, page, &asked, request).await
}

/// An address that nothing stands at: a page for people, a problem document for programs.
pub async fn not_found(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Asked,
    request: Request<Body>,
) -> Response {
    let accept = header_text(request.headers(), header::ACCEPT);
    if !accept.contains("text/html") {
        return messages::nothing_here().await.into_response();
    }
    render(state, &visitor, Err(ApiError::session_not_found()), &asked, request).await
}

async fn render(
    state: AppState,
    visitor: &Visitor,
    page: Result<Page, ApiError>,
    asked: &HashMap<String, String>,
    request: Request<Body>,
) -> Response {
    let (status, page, mut error) = match page {
        Ok(page) => (StatusCode::OK, page, None),
        Err(error) if error.code == ErrorCode::NotFound => (StatusCode::NOT_FOUND, Page::NotFound, None),
        // The page says what failed, beside the way back.
        Err(error) => (
            StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Page::NotFound,
            Some(error.detail),
        ),
    };
    error = error.or_else(|| asked.get("error").filter(|text| !text.is_empty()).cloned());
    let look = wanted_look(request.headers(), asked);
    let now = jiff::Timestamp::now().to_string();
    let sessions = state.listed_sessions(visitor).await;
    let name = visitor.limited_to().map(ToOwned::to_owned);
    let base = state.site.base.clone();
    let language = language(request.headers());
    let still = still(&page, &base, language, asked);
    let opened = Arc::new(Opened { page, look, now, sessions, error, name, base });
    let nonce = request.extensions().get::<Nonce>().cloned();
    let context = move || {
        provide_context(opened.clone());
        provide_context(language);
        provide_context(still.clone());
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
    };
    let options = state.leptos.clone();
    let render = leptos_axum::render_app_async_with_context(context, move || ui::shell(options.clone()));
    let mut response = render(request).await;
    *response.status_mut() = status;
    response
}

/// What never changes in the page while it is open.
fn still(page: &Page, base: &BasePath, language: Language, asked: &HashMap<String, String>) -> Still {
    let Page::Session(page) = page else { return Still { facts: cards::facts(language), ..Still::default() } };
    let pen = Pen::new(language, &page.session.id, base);
    let draft = asked.get("message").map(|text| text.replace('&', "&amp;").replace('<', "&lt;"));
    let draft = draft.unwrap_or_default();
    Still { examples: pen.examples(&page.files), exports: pen.exports(), draft, ..Still::default() }
}

/// The look with what the address asks for: without scripts the right panel's tabs are links.
fn wanted_look(headers: &HeaderMap, asked: &HashMap<String, String>) -> Look {
    let look = look(headers);
    Look { tab: asked.get("tab").and_then(|name| Tab::named(name)).unwrap_or(look.tab), ..look }
}

pub fn look(headers: &HeaderMap) -> Look {
    cookie(headers, Look::COOKIE).map(|text| Look::read(&text)).unwrap_or_default()
}

/// The person's choice, else what the browser prefers.
pub fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(|tag| Language::of_tag(&tag));
    chosen.or_else(|| Language::of_header(&header_text(headers, header::ACCEPT_LANGUAGE))).unwrap_or_default()
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), header::HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_choice_of_a_language_goes_before_the_browsers() {
        let german = (header::ACCEPT_LANGUAGE, "de-DE,en;q=0.5");
        assert_eq!(language(&headers(&[])), Language::English);
        assert_eq!(language(&headers(std::slice::from_ref(&german))), Language::German);
        assert_eq!(language(&headers(&[german, (header::COOKIE, "a=b; cowork_lang=en")])), Language::English);
        assert_eq!(language(&headers(&[(header::COOKIE, "cowork_lang=xx")])), Language::English);
    }
}
