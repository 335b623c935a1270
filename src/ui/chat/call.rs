//! One tool call: a line that opens, the change under it, and what a running one puts out. The server draws the parts.

use leptos::prelude::*;

use crate::{protocol::transcript::CallState, ui::session_view::CallView};

#[component]
pub fn CallItem(call: CallView) -> impl IntoView {
    let card = call.card;
    let id = card.with_untracked(|card| ["call-", card.tool_call_id.as_str()].concat());
    let part =
        move |part: fn(&crate::protocol::transcript::CallCard) -> &String| move || card.with(|card| part(card).clone());
    let quiet = move || call.live.with(String::is_empty);
    view! {
        <li class="call" id=id data-state=move || state_name(card.with(|card| card.state))>
            <details>
                <summary class="call-line" inner_html=part(|card| &card.line)></summary>
                <div class="call-body" inner_html=part(|card| &card.body)></div>
            </details>
            <pre class="call-live" hidden=quiet>{call.live}</pre>
            <div class="call-below" inner_html=part(|card| &card.below)></div>
        </li>
    }
}

/// For styles and tests.
fn state_name(state: CallState) -> &'static str {
    match state {
        CallState::Open => "open",
        CallState::Waiting => "waiting",
        CallState::Running => "running",
        CallState::Succeeded => "done",
        CallState::Failed => "failed",
    }
}
