//! Messages that wait for their turn.

use leptos::prelude::*;
use serde_json::json;

use crate::{
    protocol::QueuedMessage,
    ui::{browser, session_view::SessionView},
};

#[component]
pub fn QueueList(view: SessionView) -> impl IntoView {
    let held = move || view.queue_held.get();
    view! {
        <Show when=move || view.queue.with(|queue| !queue.is_empty()) fallback=|| ()>
            <section class="queue" aria-label="Waiting messages">
                <h3 class="group">{move || if held() { "Waiting until you go on" } else { "Sent next" }}</h3>
                <For each=move || view.queue.get() key=|queued| (queued.message_id.clone(), queued.message.clone()) let:queued>
                    <QueuedItem view queued/>
                </For>
            </section>
        </Show>
    }
}

#[component]
fn QueuedItem(view: SessionView, queued: QueuedMessage) -> impl IntoView {
    let session = view.session.with_untracked(|session| session.id.to_string());
    let action = format!("/cowork/sessions/{session}/queue/{}/send", queued.message_id);
    let on_submit = {
        let action = action.clone();
        move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            let action = action.clone();
            leptos::task::spawn_local(async move { drop(browser::post(&action, json!({})).await) });
        }
    };
    // The first one is the next anyway, unless the queue is held.
    let id = queued.message_id.clone();
    let is_next = move || {
        !view.queue_held.get() && view.queue.with(|queue| queue.first().is_some_and(|first| first.message_id == id))
    };
    view! {
        <div class="said queued">
            <p class="bubble">{queued.message}</p>
            <form method="post" action=action on:submit=on_submit hidden=is_next>
                <button class="button quiet" type="submit">{move || if view.is_running() { "Send next" } else { "Send now" }}</button>
            </form>
        </div>
    }
}
