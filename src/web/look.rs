//! The form of looks and languages: it writes the two cookies that the pages are drawn by.

use axum::{
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{extract::Form, page};
use crate::{
    protocol::{Look, Theme},
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

pub async fn set(headers: HeaderMap, wanted: Form<WantedLook>) -> Response {
    let wanted = match wanted {
        Ok(wanted) => wanted.0,
        Err(problem) => return problem.into_response(),
    };
    let mut look = page::look(&headers);
    look.theme = wanted.theme.as_deref().and_then(Theme::named).unwrap_or(look.theme);
    let language = wanted.lang.as_deref().and_then(Language::of_tag).unwrap_or_else(|| page::language(&headers));
    let cookie = |name: &str, value: &str| {
        (header::SET_COOKIE, format!("{name}={value}; Path=/; Max-Age={KEEP_S}; SameSite=Lax"))
    };
    let cookies = AppendHeaders([cookie(Look::COOKIE, &look.written()), cookie(page::LANGUAGE_COOKIE, language.tag())]);
    // `//host` would lead to another site.
    let is_ours = |path: &String| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let back = wanted.back.filter(is_ours).unwrap_or_else(|| "/".into());
    (cookies, Redirect::to(&back)).into_response()
}
