//! One message of the model: its thoughts folded, its text as rendered blocks, then the card of its calls.

use leptos::prelude::*;

use super::call::CallItem;
use crate::ui::{
    session_view::{BlockView, MessageView},
    widgets::{Glyph, Icon},
    words::words,
};

#[component]
pub fn MessageItem(message: MessageView) -> impl IntoView {
    let has_text = move || message.blocks.with(|blocks| !blocks.is_empty());
    let has_calls = move || message.calls.with(|calls| !calls.is_empty());
    let thinks = move || message.thinking.with(|text| !text.is_empty());
    view! {
        <div class="message" data-text=move || has_text().then_some("") data-partial=move || message.partial.get().then_some("")>
            <Show when=thinks fallback=|| ()>
                <details class="thinking"><summary>{words().chat.thinking}</summary><p>{message.thinking}</p></details>
            </Show>
            <div class="prose">
                <For each=move || message.blocks.get() key=|block| block.index let:block>
                    <BlockItem block/>
                </For>
            </div>
            <Show when=has_calls fallback=|| ()>
                <ol class="calls card">
                    <For each=move || message.calls.get() key=|call| call.index let:call>
                        <CallItem call/>
                    </For>
                </ol>
            </Show>
        </div>
    }
}

/// A block is HTML that the server rendered and sanitised; it stands in its own element, which alone is drawn again.
#[component]
fn BlockItem(block: BlockView) -> impl IntoView {
    let is_code = Memo::new(move |_| block.html.with(|html| html.starts_with("<pre")));
    view! {
        <div class="block">
            <div inner_html=move || block.html.get()></div>
            {move || is_code.get().then(|| view! { <CopyCode/> })}
        </div>
    }
}

#[component]
fn CopyCode() -> impl IntoView {
    let label = words().chat.copy;
    view! { <button class="copy only-live" type="button" data-copy="code" title=label aria-label=label><Icon glyph=Glyph::Copy/></button> }
}
