//! One turn: what the person said, what the agent did and said, and how it ended.

use leptos::prelude::*;

use super::message::MessageItem;
use crate::{
    protocol::transcript::{Outcome, Said},
    ui::{
        session_view::TurnView,
        viewer::Viewer,
        widgets::{Clock, Glyph, Icon, Notice},
        words::words,
    },
};

#[component]
pub fn TurnItem(turn: TurnView) -> impl IntoView {
    let running = move || turn.outcome.with(|outcome| *outcome == Outcome::Running);
    // What was said into the turn stands where it was said.
    let said_before = move |message: Option<u32>| {
        move || {
            let count = turn.messages.with(Vec::len);
            let here = |after: usize| match message {
                Some(message) => after == message as usize,
                None => after >= count,
            };
            let steering = turn.steering.get().into_iter().filter(|steered| here(steered.after));
            steering.map(|steered| view! { <SaidItem said=steered.said steered=true/> }).collect_view()
        }
    };
    view! {
        <section class="turn" id=["turn-", &turn.turn.to_string()].concat() data-running=move || running().then_some("")>
            {move || turn.user.get().map(|said| view! { <SaidItem said steered=false/> })}
            <For each=move || turn.messages.get() key=|message| message.message let:message>
                {said_before(Some(message.message))}
                <MessageItem message/>
            </For>
            {said_before(None)}
            {move || turn.retry.get().map(|text| view! { <Notice kind="waiting">{text}</Notice> })}
            {move || running().then(|| view! { <Working since=turn.user.get_untracked().map(|said| said.at) writing=turn.writing/> })}
            <div class="turn-end" inner_html=move || turn.foot.get()></div>
        </section>
    }
}

#[component]
fn SaidItem(said: Said, steered: bool) -> impl IntoView {
    let author = said.actor.map(|actor| actor.name).filter(|name| Viewer::sees_as_other(name));
    view! {
        <div class="said">
            <p class="bubble">{said.text}</p>
            {(!said.attachments.is_empty()).then(|| view! { <p class="attached"><Icon glyph=Glyph::Clip/>{said.attachments.join(", ")}</p> })}
            <p class="said-at">{author}" "{steered.then_some(words().chat.steered)}" "<Clock at=said.at/></p>
        </div>
    }
}

/// There is no answer yet, or not all of it. The seconds, and how a call grows, are not for screen readers: they would
/// say each.
#[component]
fn Working(since: Option<String>, writing: RwSignal<String>) -> impl IntoView {
    let writes = move || writing.with(|html| !html.is_empty());
    view! {
        <p class="working" role="status">
            <span class="pulse" aria-hidden="true"></span>
            <span class:visually-hidden=writes>{words().chat.working}</span>
            <span class="writing" aria-hidden="true" hidden=move || !writes() inner_html=writing></span>" "
            <span class="elapsed" aria-hidden="true" data-since=since></span>
            <span class="silent">{words().chat.silent}</span>
        </p>
    }
}
