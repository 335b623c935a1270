use leptos::prelude::*;
use leptos_meta::Title;

/// An address that nothing stands at, or a session that is not there any more.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <main class="lonely">
            <h1>"There is nothing here"</h1>
            <p>"The session may have been deleted, or the address has a typing error."</p>
            <p><a class="button primary" href="/">"To your sessions"</a></p>
        </main>
    }
}
