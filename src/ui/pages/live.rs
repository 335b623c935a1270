//! The running turn alone, for browsers without scripts: it stands in a frame and refreshes itself until it ends.

use leptos::prelude::*;

use crate::{
    protocol::{SessionPage, Status},
    ui::{
        browser,
        chat::{AskList, turn::TurnItem},
        session_view::SessionView,
        words::words,
    },
};

#[component]
pub fn RunningTurn(page: SessionPage) -> impl IntoView {
    let running = page.session.status != Status::Idle;
    let back = browser::at(&["/sessions/", page.session.id.as_str()].concat());
    let view = SessionView::new(page);
    let turn = view.turns.with_untracked(|turns| turns.last().copied());
    view! {
        <main class="plain-turn">
            {turn.map(|turn| view! { <TurnItem turn/> })}
            <AskList view/>
            {(!running).then(|| view! { <p><a class="button" href=back target="_top">{words().frame.finished}</a></p> })}
        </main>
    }
}
