//! One session of the list: what it is called, how it stands, and what can be done with it in place.

use leptos::{ev, html, prelude::*};
use serde_json::json;

use super::state::Sessions;
use crate::{
    protocol::{Listed, SessionId, Status},
    ui::{
        browser,
        widgets::{Day, Glyph, Icon, upright},
        words::words,
    },
};

#[component]
pub fn SessionRow(sessions: Sessions, id: SessionId) -> impl IntoView {
    let listed = {
        let id = id.clone();
        // Rows outlive their place in the list by a moment.
        Memo::new(move |before: Option<&Option<Listed>>| {
            let found = sessions.list.with(|list| list.iter().find(|listed| listed.id == id).cloned());
            found.or_else(|| before.cloned().flatten())
        })
    };
    let value = move |read: fn(&Listed) -> String| listed.with(|listed| listed.as_ref().map(read).unwrap_or_default());
    let status =
        move || listed.with(|listed| listed.as_ref().map(|listed| sessions.status(listed))).unwrap_or_default();
    let title = move || listed.with(|listed| listed.as_ref().map(|listed| sessions.title(listed))).unwrap_or_default();
    let is = |signal: RwSignal<Option<SessionId>>, id: &SessionId| {
        let id = id.clone();
        move || signal.with(|open| open.as_ref() == Some(&id))
    };
    let (opened, renamed) = (is(sessions.opened, &id), is(sessions.renamed, &id));
    let toggle = {
        let (id, opened) = (id.clone(), opened.clone());
        move |_| sessions.opened.set((!opened()).then(|| id.clone()))
    };
    let on_key = {
        let id = id.clone();
        move |event: ev::KeyboardEvent| match event.key().as_str() {
            "F2" => sessions.renamed.set(Some(id.clone())),
            "Delete" => listed.get_untracked().into_iter().for_each(|listed| sessions.delete(listed)),
            _ => {}
        }
    };
    let href = browser::at(&["/sessions/", id.as_str()].concat());
    let current = sessions.is_current(&id).then_some("page");
    let expanded = opened.clone();
    view! {
        <li class="session-item">
            {move || if renamed() {
                view! { <Rename sessions id=id.clone() title=title()/> }.into_any()
            } else {
                view! {
                    <a class="session-row" href=href.clone() aria-current=current on:keydown=on_key.clone()>
                        <span class=move || ["dot ", dot(status())].concat() role="img" aria-label=move || label(status())></span>
                        <span class="session-title">{move || upright(title())}</span>
                        {move || listed.with(|listed| listed.as_ref().is_some_and(|listed| listed.pinned)).then(|| view! { <Icon glyph=Glyph::Pin/> })}
                        {move || view! { <Day at=value(|listed| listed.last_active_at.clone())/> }}
                    </a>
                }.into_any()
            }}
            <button
                type="button" class="button quiet row-more" aria-expanded=move || expanded().to_string()
                aria-label=move || [words().sessions.actions, ": ", &title()].concat() on:click=toggle
            ><Icon glyph=Glyph::Menu/></button>
            {move || opened().then(|| listed.get().map(|listed| view! { <Actions sessions listed/> }))}
        </li>
    }
}

#[component]
fn Actions(sessions: Sessions, listed: Listed) -> impl IntoView {
    let w = &words().sessions;
    let (id, pinned, archived) = (listed.id.clone(), listed.pinned, listed.archived);
    let pin = {
        let id = id.clone();
        move |_| sessions.change(&id, json!({ "pinned": !pinned }), |listed| listed.pinned = !pinned)
    };
    let archive = {
        let id = id.clone();
        move |_| sessions.change(&id, json!({ "archived": !archived }), |listed| listed.archived = !archived)
    };
    let rename = move |_| {
        sessions.opened.set(None);
        sessions.renamed.set(Some(id.clone()));
    };
    view! {
        <div class="row-actions" role="group" aria-label=w.actions>
            <button type="button" class="button quiet" on:click=pin>{if pinned { w.unpin } else { w.pin }}</button>
            <button type="button" class="button quiet" on:click=rename>{w.rename}</button>
            <button type="button" class="button quiet" on:click=archive>{if archived { w.unarchive } else { w.archive }}</button>
            <button type="button" class="button quiet danger" on:click=move |_| sessions.delete(listed.clone())>{w.delete}</button>
        </div>
    }
}

#[component]
fn Rename(sessions: Sessions, id: SessionId, title: String) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let title = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        sessions.rename(&id, title);
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            sessions.renamed.set(None);
        }
        // The list's own keys mean other things.
        event.stop_propagation();
    };
    view! {
        <form class="rename" on:submit=on_submit>
            <input node_ref=field value=title maxlength="200" aria-label=words().sessions.title on:keydown=on_key/>
            <button class="button" type="submit">{words().sessions.save}</button>
        </form>
    }
}

fn dot(status: Status) -> &'static str {
    match status {
        Status::Idle => "dot-idle",
        Status::Running => "dot-running",
        Status::AwaitingApproval | Status::AwaitingUserInput => "dot-waiting",
    }
}

fn label(status: Status) -> &'static str {
    let w = &words().sessions;
    match status {
        Status::Idle => w.idle,
        Status::Running => w.running,
        Status::AwaitingApproval | Status::AwaitingUserInput => w.waiting,
    }
}
