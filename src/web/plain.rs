//! Pages without the page's program: plain HTML in its style, whole without scripts.

use axum::response::Html;
use leptos::prelude::*;

use crate::{state::AppState, ui::words::Language};

pub struct Document {
    pub language: Language,
    pub title: &'static str,
    /// The browser asks once more, by itself and from this page.
    pub again: bool,
}

impl Document {
    pub fn titled(language: Language, title: &'static str) -> Self {
        Self { language, title, again: false }
    }
}

pub fn document(state: &AppState, document: Document, main: AnyView) -> Html<String> {
    let options = &state.leptos;
    let styles = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let page = Owner::new().with(|| {
        view! {
            <!DOCTYPE html>
            <html lang=document.language.tag()>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    {document.again.then(|| view! { <meta http-equiv="refresh" content="0"/> })}
                    <title>{format!("{} · Cowork", document.title)}</title>
                    <link rel="icon" href=state.site.base.at("/favicon.svg") type="image/svg+xml"/>
                    <link rel="stylesheet" href=styles/>
                </head>
                <body><main class="lonely">{main}</main></body>
            </html>
        }
        .to_html()
    });
    Html(page)
}
