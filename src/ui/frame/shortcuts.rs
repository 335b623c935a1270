//! The sheet of keys.

use leptos::{html, prelude::*};

use crate::ui::{
    browser,
    widgets::{Glyph, Icon},
    words::words,
};

#[component]
pub fn Shortcuts(open: RwSignal<bool>) -> impl IntoView {
    let w = &words().frame;
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| if open.get() { browser::show_dialog(dialog) } else { browser::close_dialog(dialog) });
    let keys = [
        ("Ctrl K", w.key_palette),
        ("Alt C", w.key_composer),
        ("Alt N", w.key_new),
        ("Alt S", w.key_left),
        ("Alt L", w.key_right),
        ("Enter", w.key_send),
        ("Shift Enter", w.key_line),
        ("\u{2191} \u{2193}", w.key_list),
        ("F2", words().sessions.rename),
        ("Esc", w.key_close),
        ("?", w.key_help),
    ];
    let row = |(key, does): (&'static str, &'static str)| {
        view! { <div class="key-row"><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> }
    };
    view! {
        <dialog class="sheet" node_ref=dialog aria-label=w.shortcuts on:close=move |_| open.set(false)>
            <div class="preview-head">
                <h2>{w.shortcuts}</h2>
                <button type="button" class="button quiet icon-button" aria-label=w.close on:click=move |_| open.set(false)><Icon glyph=Glyph::Cross/></button>
            </div>
            <dl class="keys">{keys.map(row)}</dl>
        </dialog>
    }
}
