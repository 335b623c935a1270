//! A session: its conversation in the middle, its logs on the right.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{not_found::NotFoundPage, told_error};
use crate::{
    protocol::{SessionPage as Page, Status},
    rpc::sessions::load_session,
    ui::{
        chat::{composer::Composer, transcript::TranscriptView},
        connection,
        logs::{link::LinkChip, panel::LogPanel},
        session_view::SessionView,
        sessions::list::SessionSidebar,
        widgets::{Glyph, Icon, Notice},
    },
};

#[component]
pub fn SessionPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let rows =
        Memo::new(move |_| query.with(|query| query.get("rows")).and_then(|rows| rows.parse().ok()).unwrap_or(0));
    let page = Resource::new_blocking(move || (id.get(), rows.get()), |(id, rows)| load_session(id, rows));
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => Either::Left(view! { <Workbench page/> }),
                    Err(_) => Either::Right(view! { <NotFoundPage/> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn Workbench(page: Page) -> impl IntoView {
    let query = use_query_map();
    let error = move || query.with(told_error);
    let (id, boot_id) = (page.session.id.clone(), page.boot_id.clone());
    let blocked = page.blocked.clone();
    let view = SessionView::new(page);
    {
        let id = id.clone();
        Effect::new(move |_| connection::follow(view, id.clone(), boot_id.clone()));
    }
    let title = Signal::derive(move || view.session.with(|session| session.title.clone()));
    let tab_title = Signal::derive(move || if view.is_running() { format!("● {}", title.get()) } else { title.get() });
    let session = Signal::derive(move || view.session.get());
    let tab = RwSignal::new("chat");
    view! {
        <Title text=tab_title/>
        <div class="app session" data-tab=move || tab.get()>
            <Header view title/>
            <SessionSidebar current=Some(session)/>
            <main class="centre chat" id="chat">
                {move || error().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
                <TranscriptView view/>
                <PlainProgress view/>
                <Composer view blocked/>
            </main>
            <LogPanel view/>
            <Tabs tab/>
        </div>
    }
}

#[component]
fn Header(view: SessionView, title: Signal<String>) -> impl IntoView {
    let workspace = view.session.with_untracked(|session| session.workspace.clone());
    let folder = short_path(&workspace);
    view! {
        <header class="topbar">
            <a class="brand" href="/" aria-label="Cowork, all sessions"><span class="logo"><Icon glyph=Glyph::Logo/></span></a>
            <h1 class="page-title">{title}</h1>
            <span class="folder" title=workspace>{folder}</span>
            <span class="spacer"></span>
            <LinkChip view/>
            <SessionMenu view title/>
        </header>
    }
}

/// Rename, archive, delete: forms, so that they work without scripts.
#[component]
fn SessionMenu(view: SessionView, title: Signal<String>) -> impl IntoView {
    let id = view.session.with_untracked(|session| session.id.to_string());
    let archived = move || view.session.with(|session| session.archived);
    view! {
        <details class="menu">
            <summary class="button quiet" aria-label="Session menu"><Icon glyph=Glyph::Menu/></summary>
            <div class="menu-body card">
                <form class="menu-form" method="post" action="/rpc/rename_session">
                    <input type="hidden" name="id" value=id.clone()/>
                    <label class="field">"Title" <input name="title" maxlength="200" value=title.get_untracked() autocomplete="off"/></label>
                    <button class="button" type="submit">"Rename"</button>
                </form>
                <form method="post" action="/rpc/archive_session">
                    <input type="hidden" name="id" value=id.clone()/>
                    <input type="hidden" name="archived" value=move || (!archived()).to_string()/>
                    <button class="button wide" type="submit">{move || if archived() { "Bring back from the archive" } else { "Archive" }}</button>
                </form>
                <form method="post" action="/rpc/delete_session">
                    <input type="hidden" name="id" value=id.clone()/>
                    <button class="button wide danger" type="submit">"Delete session"</button>
                </form>
            </div>
        </details>
    }
}

/// Without scripts, the running turn is shown in a frame that refreshes itself; what is being typed stays.
#[component]
fn PlainProgress(view: SessionView) -> impl IntoView {
    let running = view.session.with_untracked(|session| session.status == Status::Running);
    let id = view.session.with_untracked(|session| session.id.to_string());
    // As text: browsers with scripts read what is inside `noscript` as text, and hydration must not look for elements.
    let frame =
        format!("<iframe class=\"plain-progress\" title=\"The running turn\" src=\"/sessions/{id}/live\"></iframe>");
    running.then(|| view! { <noscript inner_html=frame></noscript> })
}

#[component]
fn Tabs(tab: RwSignal<&'static str>) -> impl IntoView {
    let button = move |name: &'static str, label: &'static str, glyph: Glyph| {
        view! {
            <button type="button" class="tab" aria-pressed=move || (tab.get() == name).to_string() on:click=move |_| tab.set(name)>
                <Icon glyph/>{label}
            </button>
        }
    };
    view! {
        <nav class="tabs" aria-label="Views">
            {button("chat", "Chat", Glyph::Chat)} {button("sessions", "Sessions", Glyph::Folder)} {button("logs", "Logs", Glyph::Logs)}
        </nav>
    }
}

/// The last two parts of a path: what tells folders apart.
fn short_path(path: &str) -> String {
    let mut parts: Vec<_> = path.rsplit('/').filter(|part| !part.is_empty()).take(2).collect();
    parts.reverse();
    parts.join(" / ")
}

#[cfg(test)]
mod tests {
    use super::short_path;

    #[test]
    fn a_path_is_told_by_its_end() {
        assert_eq!(short_path("/srv/finance/q1-close"), "finance / q1-close");
        assert_eq!(short_path("/srv"), "srv");
    }
}
