//! The page on which a session is shared: plain HTML, so that it costs the page's program nothing.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    error::Answer,
    extract::SessionPath,
    plain::{self, Document},
};
use crate::{
    access::Visitor,
    protocol::{EVERYBODY, Right, SessionId, Share, Sharing},
    state::AppState,
};

#[derive(Deserialize)]
pub struct PageQuery {
    error: Option<String>,
}

/// Where the page of a session stands.
pub fn page_of(id: &SessionId) -> String {
    format!("/sessions/{id}/sharing")
}

pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    SessionPath(id): SessionPath,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    let (session, sharing) = (state.agent.session(&id).await?, state.agent.sharing(&id).await?);
    let may_share = visitor.limited_to().is_none_or(|name| sharing.owner.as_deref() == Some(name));
    let base = &state.site.base;
    let back = base.at(&format!("/sessions/{id}"));
    let action = base.at(&format!("/cowork/sessions/{id}/sharing"));
    let main = view! {
        <p><a href=back>{session.title}</a></p>
        <h1>"Sharing"</h1>
        {query.error.map(|error| view! { <p class="notice notice-failed" role="alert">{error}</p> })}
        {whose(&sharing)}
        {list(&action, &sharing, may_share)}
        {(may_share && sharing.owner.is_some()).then(|| form(&action))}
    };
    Ok(plain::document(&state, Document::titled("Sharing"), main.into_any()).into_response())
}

fn whose(sharing: &Sharing) -> impl IntoView + use<> {
    match &sharing.owner {
        Some(owner) => view! { <p>"This session is " <strong>{owner.clone()}</strong> "'s."</p> }.into_any(),
        None => view! { <p>"This session is everybody's who may sign in: it was made where nobody had a name."</p> }
            .into_any(),
    }
}

fn list(action: &str, sharing: &Sharing, may_share: bool) -> impl IntoView + use<> {
    let rows = sharing.shares.iter().map(|share| row(action, share, may_share)).collect_view();
    let none = sharing.shares.is_empty() && sharing.owner.is_some();
    view! {
        <ul class="plain-list">{rows}</ul>
        {none.then(|| view! { <p class="muted">"It is shared with nobody."</p> })}
    }
}

fn row(action: &str, share: &Share, may_share: bool) -> impl IntoView + use<> {
    let who = if share.name == EVERYBODY { "Everybody".to_owned() } else { share.name.clone() };
    let what = match share.part {
        Some(Right::Watch) | None => " may watch",
        Some(Right::TakePart | Right::Own) => " takes part",
    };
    let name = share.name.clone();
    let action = action.to_owned();
    let take_back = may_share.then(|| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="name" value=name/>
                <button class="button" type="submit">"Take back"</button>
            </form>
        }
    });
    view! { <li><strong>{who}</strong>{what}{take_back}</li> }
}

fn form(action: &str) -> impl IntoView + use<> {
    view! {
        <form class="card create" method="post" action=action.to_owned()>
            <label class="field">"With" <input name="name" required=true placeholder="a name, or * for everybody" autocomplete="off"/></label>
            <label class="field">"Who"
                <select name="part"><option value="watch">"may watch"</option><option value="take_part">"takes part"</option></select>
            </label>
            <button class="button primary" type="submit">"Share"</button>
        </form>
    }
}
