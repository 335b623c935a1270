//! The start: the sessions there are, and a new one.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::told_error;
use crate::{
    protocol::SessionId,
    ui::{
        sessions::{create::CreateForm, list::SessionSidebar},
        widgets::{Glyph, Icon, Notice},
    },
};

#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map();
    let value = move |name: &str| query.with(|query| query.get(name)).unwrap_or_default();
    let deleted = move || SessionId::parse(&value("deleted"));
    let error = move || query.with(told_error);
    let dir = Memo::new(move |_| value("dir"));
    view! {
        <Title text=""/>
        <div class="app home">
            <header class="topbar">
                <a class="brand" href="/"><span class="logo"><Icon glyph=Glyph::Logo/></span><span class="brand-name">"Cowork"</span></a>
            </header>
            <SessionSidebar current=None/>
            <main class="centre start">
                {move || error().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
                {move || deleted().map(|id| view! { <Deleted id/> })}
                <h1>"New session"</h1>
                <p class="lead">
                    "A session works on one folder of this computer. The agent can look at everything in it, and at nothing outside."
                </p>
                <CreateForm dir/>
            </main>
        </div>
    }
}

#[component]
fn Deleted(id: SessionId) -> impl IntoView {
    view! {
        <form class="notice notice-info" method="post" action=format!("/cowork/sessions/{id}/restore")>
            <span>"The session was deleted. Your files were not touched. "</span>
            <button class="button" type="submit">"Undo"</button>
            <span class="muted">" for 30 seconds"</span>
        </form>
    }
}
