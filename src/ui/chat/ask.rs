//! What waits for a person's word. The cards stand behind the last turn and stick to the lower edge while the reader is
//! elsewhere in the conversation, so none can be missed; the server draws them, and their forms work by themselves.

use leptos::prelude::*;

use crate::{
    protocol::Pending,
    ui::{
        browser,
        session_view::{CallView, SessionView},
        words::words,
    },
};

#[component]
pub fn AskList(view: SessionView) -> impl IntoView {
    let count = move || view.asks().len();
    let told = move || (count() > 0).then(|| words().chat.waits_for_you.of(count() as u64));
    view! {
        <p class="visually-hidden" role="status">{told}</p>
        <Show when=move || { count() > 0 } fallback=|| ()>
            <section class="asks" aria-label=words().chat.waiting_for_you on:input=|event| browser::keep_field(&event)>
                <DenyAll view/>
                <For each=move || view.asks() key=|call| call.card.with_untracked(|card| card.tool_call_id.clone()) let:call>
                    <AskItem call/>
                </For>
            </section>
        </Show>
    }
}

/// For all calls at once there is the safe word alone.
#[component]
fn DenyAll(view: SessionView) -> impl IntoView {
    let is_approval = |pending: &&Pending| matches!(pending, Pending::ApprovalRequested { .. });
    let count = Memo::new(move |_| view.session.with(|session| session.pending.iter().filter(is_approval).count()));
    let action = view.path("/approvals/deny-all");
    view! {
        <form class="deny-all" method="post" action=action target="_top" data-live="" hidden=move || count.get() < 2>
            <button class="button" type="submit">{move || words().chat.deny_all.of(count.get() as u64)}</button>
        </form>
    }
}

/// A card does not change while it waits, so what is typed into it stays.
#[component]
fn AskItem(call: CallView) -> impl IntoView {
    let card = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| card.get().into_iter().for_each(|_| browser::restore_fields(card)));
    view! { <div node_ref=card inner_html=call.card.with_untracked(|card| card.ask.clone())></div> }
}
