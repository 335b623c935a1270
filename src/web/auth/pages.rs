//! The pages before the gate: plain HTML with the page's style, no scripts.

use axum::{
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use leptos::prelude::*;

use crate::{
    access::{Denied, Visitor},
    state::AppState,
    web::{
        guard,
        plain::{Document, document},
    },
};

/// How to come in; `to` is where the person wanted to go.
pub fn sign_in(state: &AppState, headers: &HeaderMap, to: &str, denied: Option<&Denied>) -> impl IntoResponse {
    // A link on another site brings no cookie along. Asked again by this page, the browser shows it.
    let again = denied.is_none() && guard::comes_from_elsewhere(headers);
    let told = denied.map(|denied| match denied {
        Denied::TooOften(_) => "There were too many wrong attempts. Wait a minute, then try again.",
        Denied::Nothing | Denied::Wrong | Denied::NotListed => "Name or password is wrong. Try again.",
    });
    let form = state.access.has_passwords().then(|| form(state.site.base.at("/sign-in"), to.to_owned()));
    let by_proxy = state.access.has_proxy().then(|| {
        view! { <p>"Your organisation signs you in: open Cowork under the address that you were given."</p> }
    });
    let page = view! {
        <h1>"Sign in"</h1>
        {told.map(|told| view! { <p class="notice notice-failed" role="alert">{told}</p> })}
        {form}
        {by_proxy}
        <p>"Whoever runs this Cowork finds a link in the terminal where it was started. It works once, for a minute. "<code>"cowork link"</code>" prints a new one."</p>
    };
    (StatusCode::UNAUTHORIZED, document(state, Document { title: "Sign in", again }, page.into_any()))
}

fn form(action: String, to: String) -> impl IntoView {
    view! {
        <form class="card create" method="post" action=action>
            <input type="hidden" name="to" value=to/>
            <label class="field">"Name" <input name="name" autocomplete="username" required=true autofocus=true/></label>
            <label class="field">"Password" <input name="password" type="password" autocomplete="current-password" required=true/></label>
            <button class="button primary" type="submit">"Sign in"</button>
        </form>
    }
}

pub fn used_link(state: &AppState) -> impl IntoResponse {
    let page = view! {
        <h1>"This link does not work any more"</h1>
        <p>"It was used already, or it is older than a minute. Nothing is lost: "<code>"cowork link"</code>" in a terminal on the machine of the server prints a new one."</p>
        <p><a class="button" href=state.site.base.at("/")>"To the start"</a></p>
    };
    document(state, Document::titled("The link was used"), page.into_any())
}

/// What kept a page from being shown.
pub fn told(state: &AppState, title: &'static str, told: String) -> impl IntoResponse {
    let page = view! {
        <h1>{title}</h1>
        <p class="notice notice-failed" role="alert">{told}</p>
    };
    document(state, Document::titled(title), page.into_any())
}

/// Who one is, and the way out.
pub fn signed_in(state: &AppState, visitor: &Visitor) -> impl IntoResponse {
    let page = view! {
        <h1>"Signed in"</h1>
        <p>"You are "<strong>{visitor.actor.name.clone()}</strong>". What you do here stands in the log under this name."</p>
        <p><a class="button primary" href=state.site.base.at("/")>"To your sessions"</a></p>
        <form method="post" action=state.site.base.at("/sign-out")><button class="button" type="submit">"Sign out"</button></form>
    };
    document(state, Document::titled("Signed in"), page.into_any())
}
