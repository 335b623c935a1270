//! The truth about the connection, in a word.

use leptos::prelude::*;

use crate::ui::session_view::{Link, SessionView};

#[component]
pub fn LinkChip(view: SessionView) -> impl IntoView {
    let link = view.link;
    let text = move || match link.get() {
        Link::Connecting => "Connecting".to_owned(),
        Link::Live => "Live".to_owned(),
        Link::CatchingUp { head } => {
            format!("Catching up, {} of {head}", view.session.with(|session| session.head_seq).min(head))
        }
        Link::Waiting { .. } => "Connection lost".to_owned(),
        Link::Gone => "Reload the page".to_owned(),
    };
    let countdown =
        move || if let Link::Waiting { seconds } = link.get() { Some(format!("again in {seconds} s")) } else { None };
    let state = move || match link.get() {
        Link::Live => "live",
        Link::Connecting | Link::CatchingUp { .. } => "busy",
        Link::Waiting { .. } | Link::Gone => "lost",
    };
    view! {
        <span class="chip link" role="status" data-link=state>
            <span class="dot" aria-hidden="true"></span>
            <span class="link-text">{text}</span>
            // Not for screen readers: they would say every second.
            {move || countdown().map(|text| view! { <span class="link-wait" aria-hidden="true">{text}</span> })}
        </span>
    }
}
