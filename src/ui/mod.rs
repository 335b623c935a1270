//! The page. The server renders it whole; in the browser the same components take over what is there.

pub mod browser;
mod chat;
mod connection;
mod files;
mod frame;
mod logs;
mod pages;
mod session_view;
mod sessions;
mod viewer;
pub mod widgets;
pub mod words;

use std::sync::Arc;

use leptos::{nonce::use_nonce, prelude::*};

use crate::protocol::{Opened, Page, Status};
use frame::Frame;
use pages::{home::Home, live::RunningTurn, not_found::NotFound, session::Workbench};
use viewer::Viewer;

/// Seconds between two looks at a running turn without scripts.
const REFRESH_S: &str = "2";

/// The document around the app.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let opened = use_context::<Arc<Opened>>().unwrap_or_default();
    let styles = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let look = opened.look;
    let widths = format!(":root{{--left:{}px;--right:{}px}}", look.left, look.right);
    // A page that asks does not refresh itself: what is being typed into it would be lost.
    let running = matches!(&opened.page, Page::Running(page) if page.session.status == Status::Running);
    view! {
        <!DOCTYPE html>
        <html lang=browser::language().tag() data-theme=look.theme.name() data-base=opened.base.as_str().to_owned()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                <meta name="color-scheme" content="light dark"/>
                {running.then(|| view! { <meta http-equiv="refresh" content=REFRESH_S/> })}
                <title inner_html=pages::title(&opened.page)></title>
                <link rel="icon" href=browser::at("/favicon.svg") type="image/svg+xml"/>
                <link rel="stylesheet" id="leptos" href=styles/>
                <style nonce=use_nonce()>{widths}</style>
                <AutoReload options=options.clone()/>
                {(!matches!(opened.page, Page::Running(_))).then(|| view! {
                    <script type="application/json" id="opened" nonce=use_nonce() inner_html=written(&opened)></script>
                    <HydrationScripts options/>
                })}
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// What the page was opened with, for its program. No text in it can end the element that it stands in.
fn written(opened: &Opened) -> String {
    serde_json::to_string(opened).unwrap_or_default().replace('<', "\\u003c")
}

#[component]
pub fn App() -> impl IntoView {
    let Opened { page, look, now, sessions, error, name, .. } = browser::opened();
    Effect::new(|_| browser::mark_hydrated());
    let frame = Frame::new(look);
    Viewer::provide(name);
    match page {
        Page::Home(home) => view! { <Home home=*home frame sessions now error/> }.into_any(),
        Page::Session(page) => view! { <Workbench page=*page frame sessions now error/> }.into_any(),
        Page::Running(page) => view! { <RunningTurn page=*page/> }.into_any(),
        Page::NotFound => view! { <NotFound error/> }.into_any(),
    }
}
