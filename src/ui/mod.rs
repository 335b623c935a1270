//! The page. The server renders it whole; in the browser the same components take over what is there.

pub mod browser;
mod chat;
mod connection;
mod logs;
mod pages;
mod session_view;
mod sessions;
pub mod widgets;
pub mod words;

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use pages::{home::HomePage, live::LivePage, not_found::NotFoundPage, session::SessionPage};

/// The document around the app.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let styles = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" id="leptos" href=styles/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Effect::new(|_| browser::mark_hydrated());
    view! {
        <Title formatter=|title: String| browser::page_title(if title.is_empty() { "Cowork".into() } else { format!("{title} · Cowork") })/>
        <Router>
            <Routes fallback=NotFoundPage>
                // Async: the status and the title depend on the data, and the page must be whole without scripts.
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/sessions/:id") view=SessionPage ssr=SsrMode::Async/>
                <Route path=path!("/sessions/:id/live") view=LivePage ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}
