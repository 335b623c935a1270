//! The truth about the connection, in a word.

use leptos::prelude::*;

use crate::ui::{
    browser,
    session_view::{Link, SessionView},
    words::{fill, words},
};

#[component]
pub fn LinkChip(view: SessionView) -> impl IntoView {
    let link = view.link;
    let w = &words().logs;
    let text = move || match link.get() {
        Link::Connecting => w.connecting.to_owned(),
        Link::Live => w.live.to_owned(),
        Link::CatchingUp { head } => {
            let now = view.session.with(|session| session.head_seq).min(head);
            fill(w.catching_up, &[&now.to_string(), &head.to_string()])
        }
        Link::Waiting { .. } => w.lost.to_owned(),
        Link::SignedOut => w.signed_out.to_owned(),
    };
    // The page's own address asks who is not signed in, and leads back.
    let here = view.session.with_untracked(|session| browser::at(&["/sessions/", session.id.as_str()].concat()));
    let countdown = move || {
        if let Link::Waiting { seconds } = link.get() { Some(fill(w.again_in, &[&seconds.to_string()])) } else { None }
    };
    // Drawn once, so that it keeps the focus while the seconds go by.
    let waits = Memo::new(move |_| matches!(link.get(), Link::Waiting { .. }));
    let now = move |_| view.hurry.update(|hurry| *hurry += 1);
    let state = move || match link.get() {
        Link::Live => "live",
        Link::Connecting | Link::CatchingUp { .. } => "busy",
        Link::Waiting { .. } | Link::SignedOut => "lost",
    };
    view! {
        <span class="chip link" role="status" data-link=state>
            <span class="dot" aria-hidden="true"></span>
            <span class="link-text">{text}</span>
            {move || (link.get() == Link::SignedOut).then(|| view! { <a href=here.clone()>{w.sign_in}</a> })}
            // Not for screen readers: they would say every second.
            {move || countdown().map(|text| view! { <span class="link-wait" aria-hidden="true">{text}</span> })}
            {move || waits.get().then(|| view! { <button type="button" class="link-button" on:click=now>{w.try_now}</button> })}
        </span>
    }
}
