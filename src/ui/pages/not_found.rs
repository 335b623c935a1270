use leptos::prelude::*;

use crate::ui::{browser, widgets::Notice, words::words};

/// An address that nothing stands at, or one whose page could not be read.
#[component]
pub fn NotFound(error: Option<String>) -> impl IntoView {
    let w = &words().frame;
    view! {
        <main class="lonely">
            <h1>{w.nothing_here}</h1>
            {error.map(|text| view! { <Notice kind="failed">{text}</Notice> })}
            <p>{w.nothing_here_text}</p>
            <p><a class="button primary" href=browser::at("/")>{w.to_sessions}</a></p>
        </main>
    }
}
