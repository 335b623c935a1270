//! One turn: what the person said, what the agent did and said, and how it ended.

use leptos::prelude::*;

use super::message::MessageItem;
use crate::{
    protocol::{
        InterruptReason, StoppedBy,
        transcript::{Outcome, Said},
    },
    ui::{
        session_view::TurnView,
        widgets::{Clock, Notice},
    },
};

#[component]
pub fn TurnItem(turn: TurnView) -> impl IntoView {
    let running = move || turn.outcome.with(|outcome| *outcome == Outcome::Running);
    view! {
        <section class="turn" id=format!("turn-{}", turn.turn) data-running=move || running().then_some("")>
            {move || turn.user.get().map(|said| view! { <SaidItem said/> })}
            <For each=move || turn.messages.get() key=|message| message.message let:message>
                <MessageItem message/>
            </For>
            {move || turn.retry.get().map(|text| view! { <Notice kind="waiting">{text}</Notice> })}
            {move || running().then(|| view! { <Working/> })}
            {move || turn.outcome.with(ending)}
        </section>
    }
}

#[component]
fn SaidItem(said: Said) -> impl IntoView {
    view! {
        <div class="said">
            <p class="bubble">{said.text}</p>
            <p class="said-at"><Clock at=said.at/></p>
        </div>
    }
}

/// There is no answer yet, or not all of it.
#[component]
fn Working() -> impl IntoView {
    view! { <p class="working" role="status"><span class="pulse" aria-hidden="true"></span>"Working"</p> }
}

fn ending(outcome: &Outcome) -> Option<AnyView> {
    match outcome {
        Outcome::Past | Outcome::Running => None,
        Outcome::Completed { stopped_by: Some(StoppedBy::Limit), .. } => {
            Some(view! { <Notice kind="waiting">"The limit of steps in one turn was reached."</Notice> }.into_any())
        }
        Outcome::Completed { .. } => None,
        Outcome::Interrupted { reason, detail } => {
            let kind = if *reason == InterruptReason::Error { "failed" } else { "waiting" };
            let detail = detail.clone();
            Some(view! { <Notice kind>{detail}</Notice> }.into_any())
        }
    }
}
