//! The start: what waits, the sessions there are, and a new one.

use leptos::prelude::*;

use crate::{
    protocol::{HomePage, Listed, SessionId},
    ui::{
        browser,
        frame::{Divider, Frame, Side, topbar::Topbar},
        pages::NAME,
        sessions::{
            checks::Checks,
            create::CreateForm,
            list::SessionList,
            state::{Sessions, is_waiting},
        },
        widgets::Notice,
        words::words,
    },
};

#[component]
pub fn Home(home: HomePage, frame: Frame, sessions: Vec<Listed>, now: String, error: Option<String>) -> impl IntoView {
    let sessions = Sessions::new(sessions, &now, None);
    let w = words();
    let folder =
        home.choices.folders.as_ref().ok().filter(|folders| folders.dir.is_some()).map(|folders| folders.writable);
    let built_in = home.choices.built_in_only;
    Effect::new(move |_| match sessions.waiting() {
        0 => browser::set_title(NAME),
        count => browser::set_title(&["(", &count.to_string(), ") ", NAME].concat()),
    });
    view! {
        <div class="app home" data-left=move || frame.left_open.get().to_string()>
            <Topbar frame title=view! { <span class="brand-name">{NAME}</span> }.into_any() has_right=false back=browser::at("/")/>
            <div class="sidebar" id="left"><SessionList sessions/></div>
            <Divider frame side=Side::Left/>
            <main class="centre start">
                {error.map(|text| view! { <Notice kind="failed">{text}</Notice> })}
                {home.deleted.map(|id| view! { <Deleted id/> })}
                <Waiting sessions/>
                <h1>{w.sessions.new_session}</h1>
                <p class="lead">{w.home.lead}</p>
                <CreateForm choices=home.choices/>
                <Checks folder built_in/>
            </main>
        </div>
    }
}

/// What needs a person, across all sessions.
#[component]
fn Waiting(sessions: Sessions) -> impl IntoView {
    let rows = move || {
        sessions.list.with(|list| {
            let waiting = list.iter().filter(|listed| is_waiting(listed.status));
            let row = |listed: &Listed| {
                let href = browser::at(&["/sessions/", listed.id.as_str()].concat());
                view! { <li><a href=href><span class="dot dot-waiting"></span><span>{listed.title.clone()}</span></a></li> }
            };
            waiting.map(row).collect_view()
        })
    };
    move || {
        let count = sessions.waiting() as u64;
        (count > 0).then(|| {
            view! {
                <section class="inbox card">
                    <h2>{words().sessions.waiting_count.of(count)}</h2>
                    <ul class="folder-list">{rows()}</ul>
                </section>
            }
        })
    }
}

#[component]
fn Deleted(id: SessionId) -> impl IntoView {
    let w = &words().sessions;
    view! {
        <form class="notice notice-info" method="post" action=browser::at(&["/cowork/sessions/", id.as_str(), "/restore"].concat())>
            <span>{w.deleted}" "</span>
            <button class="button" type="submit">{w.undo}</button>
            <span class="muted">" "{w.undo_for}</span>
        </form>
    }
}
