//! The system's own notifications, for who looks elsewhere: asked for by a click, shown when something waits or is done.

use leptos::prelude::*;

use crate::{
    protocol::Status,
    ui::{browser, session_view::SessionView, words::words},
};

/// Offers them where the browser has not been asked yet.
#[component]
pub fn NotifyButton(view: SessionView, title: Signal<String>) -> impl IntoView {
    let w = &words().sessions;
    let offered = RwSignal::new(false);
    Effect::new(move |_| offered.set(browser::can_ask_to_notify()));
    Effect::new(move |before: Option<Status>| {
        let status = view.status.get();
        if before.is_some_and(|before| before != status) {
            match status {
                Status::Running => {}
                Status::Idle => browser::notify(&title.get_untracked(), w.notify_done),
                Status::AwaitingApproval | Status::AwaitingUserInput => {
                    browser::notify(&title.get_untracked(), w.group_waiting)
                }
            }
        }
        status
    });
    let ask = move |_| {
        offered.set(false);
        browser::ask_to_notify();
    };
    view! { <button type="button" class="button quiet wide" hidden=move || !offered.get() on:click=ask>{w.notify}</button> }
}
