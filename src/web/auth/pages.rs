//! The pages before the gate: plain HTML with the page's style, no scripts.

use axum::{
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use leptos::prelude::*;

use crate::{
    access::{Denied, Visitor},
    state::AppState,
    ui::words::{
        Language,
        plain::{PlainWords, plain},
    },
    web::{
        guard, page,
        plain::{Document, document},
    },
};

/// How to come in; `to` is where the person wanted to go.
pub fn sign_in(state: &AppState, headers: &HeaderMap, to: &str, denied: Option<&Denied>) -> impl IntoResponse {
    let language = page::language(headers);
    let words = plain(language);
    // A link on another site brings no cookie along. Asked again by this page, the browser shows it.
    let again = denied.is_none() && guard::comes_from_elsewhere(headers);
    let told = denied.map(|denied| match denied {
        Denied::TooOften(_) => words.too_often,
        Denied::Nothing | Denied::Wrong | Denied::NotListed => words.wrong,
    });
    let form = state.access.has_passwords().then(|| form(words, state.site.base.at("/sign-in"), to.to_owned()));
    let main = view! {
        <h1>{words.sign_in}</h1>
        {told.map(|told| view! { <p class="notice notice-failed" role="alert">{told}</p> })}
        {form}
        {state.access.has_proxy().then(|| view! { <p>{words.by_proxy}</p> })}
        <p>{words.by_link[0]}<code>"cowork link"</code>{words.by_link[1]}</p>
    };
    let page = Document { language, title: words.sign_in, again };
    (StatusCode::UNAUTHORIZED, document(state, page, main.into_any()))
}

fn form(words: &'static PlainWords, action: String, to: String) -> impl IntoView {
    view! {
        <form class="card create" method="post" action=action>
            <input type="hidden" name="to" value=to/>
            <label class="field">{words.name}" "<input name="name" autocomplete="username" required=true autofocus=true/></label>
            <label class="field">{words.password}" "<input name="password" type="password" autocomplete="current-password" required=true/></label>
            <button class="button primary" type="submit">{words.sign_in}</button>
        </form>
    }
}

pub fn used_link(state: &AppState, language: Language) -> impl IntoResponse {
    let words = plain(language);
    let main = view! {
        <h1>{words.used_link}</h1>
        <p>{words.used_link_text[0]}<code>"cowork link"</code>{words.used_link_text[1]}</p>
        <p><a class="button" href=state.site.base.at("/")>{words.to_start}</a></p>
    };
    document(state, Document::titled(language, words.used_link), main.into_any())
}

/// What kept a page from being shown.
pub fn told(state: &AppState, language: Language, title: &'static str, told: String) -> impl IntoResponse {
    let main = view! {
        <h1>{title}</h1>
        <p class="notice notice-failed" role="alert">{told}</p>
    };
    document(state, Document::titled(language, title), main.into_any())
}

/// Who one is, and the way out.
pub fn signed_in(state: &AppState, language: Language, visitor: &Visitor) -> impl IntoResponse {
    let words = plain(language);
    let main = view! {
        <h1>{words.signed_in}</h1>
        <p>{words.you_are[0]}<strong>{visitor.actor.name.clone()}</strong>{words.you_are[1]}</p>
        <p><a class="button primary" href=state.site.base.at("/")>{words.to_sessions}</a></p>
        <form method="post" action=state.site.base.at("/sign-out")><button class="button" type="submit">{words.sign_out}</button></form>
    };
    document(state, Document::titled(language, words.signed_in), main.into_any())
}
