//! The form of looks and languages: it writes the two cookies that the pages are drawn by.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{base_path, extract::Form, page};
use crate::{
    protocol::{Look, Theme},
    state::AppState,
    ui::words::Language,
};

/// A year, in seconds.
const KEEP_S: u32 = 31_536_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedLook {
    theme: Option<String>,
    lang: Option<String>,
    /// Where to go on; a path of this server.
    back: Option<String>,
}

pub async fn set(State(state): State<AppState>, headers: HeaderMap, wanted: Form<WantedLook>) -> Response {
    let wanted = match wanted {
        Ok(wanted) => wanted.0,
        Err(problem) => return problem.into_response(),
    };
    let mut look = page::look(&headers);
    look.theme = wanted.theme.as_deref().and_then(Theme::named).unwrap_or(look.theme);
    let language = wanted.lang.as_deref().and_then(Language::of_tag).unwrap_or_else(|| page::language(&headers));
    let base = &state.site.base;
    let cookie = |name: &str, value: &str| {
        (header::SET_COOKIE, format!("{name}={value}; Path={}; Max-Age={KEEP_S}; SameSite=Lax", base.cookie_path()))
    };
    let cookies = AppendHeaders([cookie(Look::COOKIE, &look.written()), cookie(page::LANGUAGE_COOKIE, language.tag())]);
    let back = base_path::own(base, wanted.back.as_deref().unwrap_or_default());
    (cookies, Redirect::to(&back)).into_response()
}
