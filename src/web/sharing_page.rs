//! The page on which a session is shared: plain HTML, so that it costs the page's program nothing.

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    error::Answer,
    extract::SessionPath,
    page,
    plain::{self, Document},
};
use crate::{
    access::Visitor,
    protocol::{EVERYBODY, Right, SessionId, Share, Sharing},
    state::AppState,
    ui::words::{
        fill,
        plain::{PlainWords, plain as plain_words},
    },
};

#[derive(Deserialize)]
pub struct PageQuery {
    error: Option<String>,
}

/// Where the page of a session stands.
pub fn page_of(id: &SessionId) -> String {
    format!("/sessions/{id}/sharing")
}

pub async fn sharing_page(
    State(state): State<AppState>,
    visitor: Visitor,
    SessionPath(id): SessionPath,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (session, sharing) = (state.agent.session(&id).await?, state.agent.sharing(&id).await?);
    let may_share = visitor.limited_to().is_none_or(|name| sharing.owner.as_deref() == Some(name));
    let base = &state.site.base;
    let back = base.at(&format!("/sessions/{id}"));
    let action = base.at(&format!("/cowork/sessions/{id}/sharing"));
    let language = page::language(&headers);
    let words = plain_words(language);
    let main = view! {
        <p><a href=back>{session.title}</a></p>
        <h1>{words.sharing}</h1>
        {query.error.map(|error| view! { <p class="notice notice-failed" role="alert">{error}</p> })}
        <p>{whose(words, &sharing)}</p>
        {list(words, &action, &sharing, may_share)}
        {(may_share && sharing.owner.is_some()).then(|| form(words, &action))}
    };
    Ok(plain::document(&state, Document::titled(language, words.sharing), main.into_any()).into_response())
}

fn whose(words: &PlainWords, sharing: &Sharing) -> String {
    match &sharing.owner {
        Some(owner) => fill(words.belongs_to, &[owner]),
        None => words.everybodys.to_owned(),
    }
}

fn list(words: &'static PlainWords, action: &str, sharing: &Sharing, may_share: bool) -> impl IntoView + use<> {
    let rows = sharing.shares.iter().map(|share| row(words, action, share, may_share)).collect_view();
    let none = sharing.shares.is_empty() && sharing.owner.is_some();
    view! {
        <ul class="plain-list">{rows}</ul>
        {none.then(|| view! { <p class="muted">{words.shared_with_nobody}</p> })}
    }
}

fn row(words: &'static PlainWords, action: &str, share: &Share, may_share: bool) -> impl IntoView + use<> {
    let who = if share.name == EVERYBODY { words.everybody } else { &share.name };
    let what = match share.part {
        Some(Right::Watch) | None => words.watches,
        Some(Right::TakePart | Right::Own) => words.takes_part,
    };
    let told = fill(what, &[who]);
    let name = share.name.clone();
    let action = action.to_owned();
    let take_back = may_share.then(|| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="name" value=name/>
                <button class="button" type="submit">{words.take_back}</button>
            </form>
        }
    });
    view! { <li>{told}{take_back}</li> }
}

fn form(words: &'static PlainWords, action: &str) -> impl IntoView + use<> {
    view! {
        <form class="card create" method="post" action=action.to_owned()>
            <label class="field">{words.share_with}" "<input name="name" required=true placeholder=words.share_with_hint autocomplete="off"/></label>
            <label class="field">{words.part}
                <select name="part"><option value="watch">{words.may_watch}</option><option value="take_part">{words.may_take_part}</option></select>
            </label>
            <button class="button primary" type="submit">{words.share}</button>
        </form>
    }
}
