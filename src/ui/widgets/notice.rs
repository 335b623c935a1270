//! A sentence that the person should read, with a tone.

use leptos::prelude::*;

/// `kind` is `info`, `waiting` or `failed`.
#[component]
pub fn Notice(kind: &'static str, children: Children) -> impl IntoView {
    view! { <p class=["notice notice-", kind].concat() role="status">{children()}</p> }
}
