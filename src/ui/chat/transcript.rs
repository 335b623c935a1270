//! The transcript: turns in a column that follows the newest text until the reader scrolls away.

use leptos::{html, prelude::*};

use super::{queue::QueueList, turn::TurnItem};
use crate::ui::{browser, session_view::SessionView};

/// How many rows more "Earlier messages" asks for.
const MORE_ROWS: usize = 400;

#[component]
pub fn TranscriptView(view: SessionView, has_earlier: bool, shown_rows: usize) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let follows = RwSignal::new(true);
    Effect::new(move |_| {
        view.written.track();
        if follows.get_untracked() {
            browser::scroll_to_end(scroller);
        }
    });
    let earlier = format!("?rows={}", shown_rows * 10 + MORE_ROWS);
    let is_empty = move || view.turns.with(Vec::is_empty) && view.queue.with(Vec::is_empty);
    view! {
        <div class="scroller" node_ref=scroller on:scroll=move |_| follows.set(browser::is_near_end(scroller))>
            <div class="column" role="log" aria-live="off" aria-label="Conversation">
                {has_earlier.then(|| view! { <p class="earlier"><a href=earlier rel="external">"Earlier messages"</a></p> })}
                <Show when=is_empty fallback=|| ()>
                    <Welcome view/>
                </Show>
                <For each=move || view.turns.get() key=|turn| turn.turn let:turn>
                    <TurnItem turn/>
                </For>
                <QueueList view/>
            </div>
        </div>
        <Show when=move || !follows.get() fallback=|| ()>
            <button type="button" class="button to-end" on:click=move |_| { follows.set(true); browser::scroll_to_end(scroller); }>
                "To the newest"
            </button>
        </Show>
    }
}

#[component]
fn Welcome(view: SessionView) -> impl IntoView {
    let examples = view.examples.get_value().into_iter().map(|task| view! { <li>{task}</li> }).collect_view();
    view! {
        <div class="welcome">
            <h2>"Ready to work"</h2>
            <p>"Describe what you need. You see every step, and nothing outside the folder is touched."</p>
            <ul class="examples">{examples}</ul>
        </div>
    }
}
