//! What waits for a person's word. The cards stand behind the last turn and stick to the lower edge while the reader is
//! elsewhere in the conversation, so none can be missed; the server draws them, and their forms work by themselves.

use leptos::prelude::*;

use crate::ui::{
    browser,
    session_view::{CallView, SessionView},
    words::words,
};

#[component]
pub fn AskList(view: SessionView) -> impl IntoView {
    let count = move || view.asks().len();
    let told = move || (count() > 0).then(|| words().chat.waits_for_you.of(count() as u64));
    view! {
        <p class="visually-hidden" role="status">{told}</p>
        <Show when=move || { count() > 0 } fallback=|| ()>
            <section class="asks" aria-label=words().chat.waiting_for_you on:input=|event| browser::keep_field(&event)>
                <For each=move || view.asks() key=|call| call.card.with_untracked(|card| card.tool_call_id.clone()) let:call>
                    <AskItem call/>
                </For>
            </section>
        </Show>
    }
}

/// A card does not change while it waits, so what is typed into it stays.
#[component]
fn AskItem(call: CallView) -> impl IntoView {
    let card = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| card.get().into_iter().for_each(|_| browser::restore_fields(card)));
    view! { <div node_ref=card inner_html=call.card.with_untracked(|card| card.ask.clone())></div> }
}
