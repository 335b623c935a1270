//! The running turn alone, for browsers without scripts: it stands in a frame and refreshes itself until it ends.

use leptos::{either::Either, prelude::*};
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_params_map;

use super::not_found::NotFoundPage;
use crate::{
    protocol::{SessionPage as Page, Status},
    rpc::sessions::load_session,
    ui::{
        chat::{AskList, turn::TurnItem},
        session_view::SessionView,
    },
};

/// Seconds between two looks.
const REFRESH_S: &str = "2";
/// Rows that surely hold the running turn's end.
const ROWS: u32 = 30;

#[component]
pub fn LivePage() -> impl IntoView {
    let params = use_params_map();
    let id = params.with_untracked(|params| params.get("id")).unwrap_or_default();
    let page = Resource::new_blocking(move || id.clone(), |id| load_session(id, ROWS));
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => Either::Left(view! { <RunningTurn page/> }),
                    Err(_) => Either::Right(view! { <NotFoundPage/> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn RunningTurn(page: Page) -> impl IntoView {
    let running = page.session.status != Status::Idle;
    // A page that asks does not refresh itself: what is being typed into it would be lost.
    let refreshes = page.session.status == Status::Running;
    let back = format!("/sessions/{}", page.session.id);
    let view = SessionView::new(page);
    let turn = view.turns.with_untracked(|turns| turns.last().copied());
    view! {
        <Title text="The running turn"/>
        {refreshes.then(|| view! { <Meta http_equiv="refresh" content=REFRESH_S/> })}
        <main class="plain-turn">
            {turn.map(|turn| view! { <TurnItem turn/> })}
            <AskList view/>
            {(!running).then(|| view! { <p><a class="button" href=back target="_top">"Finished. Show the conversation"</a></p> })}
        </main>
    }
}
