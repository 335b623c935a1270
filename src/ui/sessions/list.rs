//! The left panel: all sessions, newest activity first.

use leptos::prelude::*;

use crate::{
    protocol::{Session, SessionId, Status},
    rpc::sessions::list_sessions,
    ui::widgets::{Day, Glyph, Icon},
};

/// `current`: the session whose page this is, with its live title and status.
#[component]
pub fn SessionSidebar(#[prop(into)] current: Option<Signal<Session>>) -> impl IntoView {
    let status = current.map(|session| Memo::new(move |_| session.with(|session| session.status)));
    // A turn's begin and end change the order, so the list is read again then.
    let sessions =
        Resource::new_blocking(move || status.map(|status| status.get()), |_| list_sessions(String::new(), false));
    // A list that can't be read now leaves the one before in place.
    let shown = StoredValue::new(Vec::new());
    view! {
        <nav class="sidebar" id="sessions" aria-label="Sessions">
            <a class="button new-session" href="/"><Icon glyph=Glyph::Plus/>"New session"</a>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    if let Ok(list) = sessions.await {
                        shown.set_value(list.sessions);
                    }
                    view! { <Rows list=shown.get_value() current/> }
                })}
            </Transition>
        </nav>
    }
}

#[component]
fn Rows(list: Vec<Session>, current: Option<Signal<Session>>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p class="empty">"No sessions yet."</p> }.into_any();
    }
    let rows = list.into_iter().map(|session| view! { <Row session current/> }).collect_view();
    view! { <h2 class="group">"Sessions"</h2><ul class="session-list">{rows}</ul> }.into_any()
}

#[component]
fn Row(session: Session, current: Option<Signal<Session>>) -> impl IntoView {
    let id: SessionId = session.id.clone();
    let this = current.filter(|current| current.with_untracked(|current| current.id == id));
    let title = session.title.clone();
    let status = session.status;
    let title = move || this.map_or_else(|| title.clone(), |this| this.with(|session| session.title.clone()));
    let status = move || this.map_or(status, |this| this.with(|session| session.status));
    view! {
        <li>
            <a class="session-row" href=format!("/sessions/{}", session.id) aria-current=this.map(|_| "page")>
                <span class=move || format!("dot {}", dot(status())) role="img" aria-label=move || label(status())></span>
                <span class="session-title">{title}</span>
                <Day at=session.last_active_at/>
            </a>
        </li>
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
    match status {
        Status::Idle => "idle",
        Status::Running => "running",
        Status::AwaitingApproval | Status::AwaitingUserInput => "waiting for you",
    }
}
