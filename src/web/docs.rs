//! `/docs`: the documentation of this very version, from inside the program. Plain HTML that our own Markdown room
//! makes; it costs the page's program nothing. For who is signed in, like everything that is nobody's way in.

mod pages;

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use regex::{Captures, Regex};

use self::pages::{GROUPS, PICTURES, Page};
use super::{error::Problem, page};
use crate::{
    markdown,
    protocol::{BasePath, ErrorCode},
    state::AppState,
};

/// A place that no link can lead to. What points into the docs goes through the Markdown room under this name, since
/// that room takes whole addresses alone, and gets its own address behind it.
const INSIDE: &str = "https://docs.cowork.invalid/";

pub async fn index(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let base = &state.site.base;
    let groups = GROUPS.iter().map(|group| {
        let pages = group.pages.iter().map(|page| {
            view! { <li><a href=address(base, page)>{page.title()}</a> <span class="muted">{page.about}</span></li> }
        });
        view! { <h2>{group.title}</h2> <ul>{pages.collect_view()}</ul> }
    });
    let main = view! { <h1>"Documentation"</h1> {groups.collect_view()} };
    document(&state, &headers, "Documentation", None, main.into_any()).into_response()
}

pub async fn show(State(state): State<AppState>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(page) = pages::named(&name) else {
        let main = view! { <h1>"There is no such page"</h1> <p>"The list has all that there are."</p> };
        return (StatusCode::NOT_FOUND, document(&state, &headers, "Not found", None, main.into_any())).into_response();
    };
    let main = view! { <div inner_html=html(&state.site.base, page.text)></div> };
    document(&state, &headers, page.title(), Some(page), main.into_any()).into_response()
}

pub async fn picture(Path(name): Path<String>) -> Response {
    match PICTURES.iter().find(|(known, _)| *known == name) {
        Some((_, bytes)) => ([(header::CONTENT_TYPE, "image/webp")], *bytes).into_response(),
        None => Problem::new(ErrorCode::NotFound, "There is no such picture in this version's docs.").into_response(),
    }
}

fn address(base: &BasePath, page: &Page) -> String {
    base.at(&format!("/docs/{}", page.name))
}

/// The page's text as HTML: headings from the first level, with names to lead to, and links that stay inside.
fn html(base: &BasePath, text: &str) -> String {
    let blocks = markdown::render(&inside(text));
    blocks.into_iter().map(|block| own_links(base, &heading(block))).collect()
}

/// Relative links as whole addresses.
fn inside(text: &str) -> String {
    static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\]\(([A-Za-z0-9_./#-]+)\)").ok());
    let whole = |found: &Captures<'_>| format!("]({INSIDE}{})", &found[1]);
    LINK.as_ref().map_or_else(|| text.to_owned(), |link| link.replace_all(text, whole).into_owned())
}

/// The Markdown room begins at the third level, since messages stand on a page; here the text is the page.
fn heading(block: String) -> String {
    static HEADING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^<h([3-6])>(?s:(.*))</h[3-6]>\s*$").ok());
    let Some(found) = HEADING.as_ref().and_then(|heading| heading.captures(&block)) else { return block };
    let level = found[1].parse::<u8>().unwrap_or(3) - 2;
    format!("<h{level} id=\"{}\">{}</h{level}>", slug(&found[2]), &found[2])
}

/// As GitHub names headings, so that the same links work there and here.
fn slug(html: &str) -> String {
    let mut tag = false;
    let html = html.replace("&amp;", "&");
    let text = html.chars().filter(|c| {
        let shown = !tag && *c != '<';
        tag = (tag || *c == '<') && *c != '>';
        shown
    });
    let kept = text.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn own_links(base: &BasePath, block: &str) -> String {
    static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"<a (class="image-link" )?href="https://docs\.cowork\.invalid/([^"]*)"[^>]*>(?s:(.*?))</a> <span class="link-host">\(docs\.cowork\.invalid\)</span>"#,
        )
        .ok()
    });
    let replace = |found: &Captures<'_>| {
        let (target, text) = (&found[2], &found[3]);
        match (found.get(1), target.strip_prefix("pictures/")) {
            (Some(_), Some(name)) => {
                let alt = text.trim_start_matches("image: ");
                let src = base.at(&format!("/docs/pictures/{name}"));
                format!("<img src=\"{src}\" alt=\"{alt}\" loading=\"lazy\">")
            }
            _ => match pages::place(target) {
                Some(place) if place.starts_with('/') => format!("<a href=\"{}\">{text}</a>", base.at(&place)),
                Some(place) => format!("<a href=\"{place}\">{text}</a>"),
                // A file of the repository that is no page: its name is what there is to say.
                None => text.to_owned(),
            },
        }
    };
    OWN.as_ref().map_or_else(|| block.to_owned(), |own| own.replace_all(block, replace).into_owned())
}

fn document(state: &AppState, headers: &HeaderMap, title: &str, current: Option<&Page>, main: AnyView) -> Html<String> {
    let (options, base) = (&state.leptos, &state.site.base);
    let styles = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let theme = page::look(headers).theme.name();
    let title = format!("{title} · Cowork");
    let html = Owner::new().with(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    <title>{title}</title>
                    <link rel="icon" href=base.at("/favicon.svg") type="image/svg+xml"/>
                    <link rel="stylesheet" href=styles/>
                </head>
                <body class="docs">
                    <nav class="docs-nav" aria-label="Documentation">
                        <p><a href=base.at("/")>"Cowork"</a> " · " <a href=base.at("/docs")>"Documentation"</a></p>
                        {GROUPS.iter().map(|group| navigation(base, group, current)).collect_view()}
                    </nav>
                    <main class="prose docs-text">{main}</main>
                </body>
            </html>
        }
        .to_html()
    });
    Html(html)
}

fn navigation(base: &BasePath, group: &'static pages::Group, current: Option<&Page>) -> impl IntoView + use<> {
    let current = current.map(|page| page.name);
    let links = group.pages.iter().map(|page| {
        let here = (current == Some(page.name)).then_some("page");
        view! { <li><a href=address(base, page) aria-current=here>{page.title()}</a></li> }
    });
    view! { <p class="group">{group.title}</p> <ul class="plain-list">{links.collect_view()}</ul> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_pages_stay_inside_and_others_keep_their_host() {
        let text = "# A\n\nSee [the API](api.md#live-stream), [below](#access), [the file](../deploy/nginx.conf) and \
                    [Rust](https://rustup.rs).\n\n## Live `stream` & more\n";
        let html = html(&BasePath::default(), text);
        assert!(html.contains(r#"<h1 id="a">A</h1>"#), "{html}");
        assert!(html.contains(r#"<a href="/docs/api#live-stream">the API</a>,"#), "{html}");
        assert!(html.contains("<a href=\"#access\">below</a>"), "{html}");
        assert!(html.contains("the file and") && html.contains("(rustup.rs)"), "{html}");
        assert!(html.contains(r#"<h2 id="live-stream--more">"#), "{html}");
    }

    #[test]
    fn every_page_is_whole_and_every_link_leads_somewhere() {
        let all: Vec<&Page> = GROUPS.iter().flat_map(|group| group.pages).collect();
        let headings = |page: &Page| html(&BasePath::default(), page.text);
        for page in &all {
            let html = headings(page);
            assert!(!html.contains("docs.cowork.invalid"), "{}", page.name);
            assert!(html.starts_with("<h1 "), "{} begins with its title", page.name);
            for piece in html.split("<a href=\"").skip(1) {
                let target = piece.split('"').next().unwrap_or_default();
                let (path, name) = target.split_once('#').unwrap_or((target, ""));
                let other = match path.strip_prefix("/docs/") {
                    Some(other) => pages::named(other),
                    None if path.is_empty() => Some(*page),
                    None => continue,
                };
                let other = other.unwrap_or_else(|| panic!("{}: {target}", page.name));
                let id = format!("id=\"{name}\"");
                assert!(name.is_empty() || headings(other).contains(&id), "{} leads to {target}", page.name);
            }
        }
    }
}
