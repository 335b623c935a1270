//! A session: its conversation in the middle, lists and files on the left, what happened on the right.

use leptos::prelude::*;

use super::tab_title;
use crate::{
    protocol::{Listed, SessionPage, Status},
    ui::{
        browser,
        chat::{composer::Composer, transcript::TranscriptView},
        connection,
        files::{panel::FilesPanel, state::Files},
        frame::{
            Divider, Frame, Side, palette::Palette, people::PeopleChip, rail::Rail, topbar::Topbar, zones::ZoneTabs,
        },
        logs::link::LinkChip,
        session_view::SessionView,
        sessions::{list::SessionList, menu::SessionMenu, state::Sessions},
        widgets::{Notice, upright},
        words::words,
    },
};

#[component]
pub fn Workbench(
    page: SessionPage,
    frame: Frame,
    sessions: Vec<Listed>,
    now: String,
    error: Option<String>,
) -> impl IntoView {
    let (id, boot_id) = (page.session.id.clone(), page.boot_id.clone());
    let back = browser::at(&["/sessions/", id.as_str()].concat());
    let listing = page.files.clone();
    let view = SessionView::new(page);
    let files = Files::new(view, listing);
    let sessions = Sessions::new(sessions, &now, Some(view));
    Effect::new(move |_| connection::follow(view, id.clone(), boot_id.clone()));
    let palette = RwSignal::new(false);
    let title = Signal::derive(move || view.session.with(|session| session.title.clone()));
    Effect::new(move |_| {
        let waiting = match sessions.waiting() {
            0 => String::new(),
            count => ["(", &count.to_string(), ") "].concat(),
        };
        let running = if view.is_running() { "● " } else { "" };
        browser::set_title(&[&waiting, running, &tab_title(&title.get())].concat());
    });
    let bar = view! { <Title view title/> }.into_any();
    view! {
        <div
            class="app session" data-zone=move || frame.zone.get().name() data-drawer=move || frame.drawer.get().to_string()
            data-watches=view.watches.then_some("") data-left=move || frame.left_open.get().to_string() data-right=move || frame.right_open.get().to_string()
        >
            <Topbar frame title=bar has_right=true back=back>
                <PeopleChip view/>
                <LinkChip view/>
                <Palette frame files open=palette/>
                <SessionMenu view title/>
            </Topbar>
            <div class="sidebar" id="left"><SessionList sessions/><FilesPanel files/></div>
            <Divider frame side=Side::Left/>
            <main class="centre chat" id="chat">
                {error.map(|text| view! { <Notice kind="failed">{text}</Notice> })}
                <TranscriptView view/>
                <PlainProgress view/>
                <Composer view/>
            </main>
            <Divider frame side=Side::Right/>
            <Rail frame view/>
            <ZoneTabs frame view/>
        </div>
    }
}

#[component]
fn Title(view: SessionView, title: Signal<String>) -> impl IntoView {
    let workspace = view.session.with_untracked(|session| session.workspace.clone());
    let folder = short_path(&workspace);
    view! { <h1 class="page-title">{move || upright(title.get())}</h1><span class="folder" title=workspace>{folder}</span> }
}

/// Without scripts, the running turn is shown in a frame that refreshes itself; what is being typed stays. What waits for
/// a person stands in the page: it does not change by itself.
#[component]
fn PlainProgress(view: SessionView) -> impl IntoView {
    let running = view.session.with_untracked(|session| session.status == Status::Running);
    let id = view.session.with_untracked(|session| session.id.to_string());
    // As text: browsers with scripts read what is inside `noscript` as text, and hydration must not look for elements.
    let title = words().frame.running_turn;
    let frame = [
        "<iframe class=\"plain-progress\" title=\"",
        title,
        "\" src=\"",
        &browser::at("/sessions/"),
        &id,
        "/live\"></iframe>",
    ]
    .concat();
    running.then(|| view! { <noscript inner_html=frame></noscript> })
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
