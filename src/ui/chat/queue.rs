//! Messages that wait for their turn: each can be changed, taken away, or sent first.

use leptos::{ev::KeyboardEvent, html, prelude::*};

use super::composer::composes;
use crate::{
    protocol::QueuedMessage,
    ui::{browser, session_view::SessionView, words::words},
};

#[component]
pub fn QueueList(view: SessionView) -> impl IntoView {
    let title = move || if view.queue_held.get() { words().chat.held } else { words().chat.sent_next };
    view! {
        <Show when=move || view.queue.with(|queue| !queue.is_empty()) fallback=|| ()>
            <section class="queue" aria-label=words().chat.waiting_messages>
                <h3 class="group">{title}</h3>
                <For each=move || view.queue.get() key=|queued| (queued.message_id.clone(), queued.message.clone()) let:queued>
                    <QueuedItem view queued/>
                </For>
            </section>
        </Show>
    }
}

#[component]
fn QueuedItem(view: SessionView, queued: QueuedMessage) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let text = queued.message.clone();
    let on_key = move |event: KeyboardEvent| {
        if !composes(&event) {
            browser::edit_key(&event);
        }
    };
    let (words, cancel) = (&words().chat, words().sessions.cancel);
    let action = |what: &str| view.path(&["/queue/", queued.message_id.as_str(), what].concat());
    // The first one is the next anyway, unless the queue is held.
    let id = queued.message_id.clone();
    let is_next = move || {
        !view.queue_held.get() && view.queue.with(|queue| queue.first().is_some_and(|first| first.message_id == id))
    };
    let send = move || if view.is_running() { words.send_next } else { words.send_now };
    view! {
        <div class="said queued">
            <p class="bubble">{queued.message.clone()}</p>
            <div class="queue-acts">
                <form method="post" action=action("/send") data-live="" hidden=is_next><button class="button quiet">{send}</button></form>
                <details on:toggle=move |_| browser::set_caret(field, &text)>
                    <summary class="button quiet">{words.edit}</summary>
                    <form class="queue-edit" method="post" action=action("/edit") data-live="" on:keydown=on_key on:reset=|event| browser::fold(&event)>
                        <textarea name="message" aria-label=words.edit node_ref=field required>{queued.message.clone()}</textarea>
                        <button class="button quiet only-live" type="reset">{cancel}</button>
                        <button class="button primary">{words.save}</button>
                    </form>
                </details>
                <form method="post" action=action("/remove") data-live=""><button class="button quiet">{words.remove}</button></form>
            </div>
        </div>
    }
}
