//! `/docs`: every page of the repository's docs, from inside the program, without scripts.

use std::{collections::BTreeSet, fs, path::Path};

use cowork::protocol::BasePath;

use crate::support::{
    html::elements,
    server::{Server, Setup},
};

#[tokio::test]
async fn every_page_is_served_and_linked() {
    let server = Server::start().await;
    let index = server.api.page("/docs").await;
    assert_eq!(index.status, 200);
    let linked: BTreeSet<&str> =
        index.text.split("href=\"/docs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names: BTreeSet<String> = docs
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".md").map(str::to_owned))
        .chain(["architecture".into()])
        .collect();
    assert_eq!(linked, names.iter().map(String::as_str).collect());
    for name in &names {
        let page = server.api.page(&format!("/docs/{name}")).await;
        assert_eq!(page.status, 200, "{name}");
        assert!(page.text.contains(&format!("<a href=\"/docs/{name}\" aria-current=\"page\">")), "{name}");
        assert!(page.text.contains("<h1") && !page.text.contains("<script"), "{name}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    }
    let missing = server.api.page("/docs/nothing").await;
    assert!(missing.status == 404 && missing.text.contains("There is no such page"), "{missing:?}");
    let staff = server.api.page("/docs/staff").await.text;
    let pictures: Vec<&str> = staff
        .split("src=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|src| src.ends_with(".webp"))
        .collect();
    assert_eq!(pictures.len(), 3, "{staff}");
    for picture in pictures {
        let (headers, bytes) = server.api.download(picture).await;
        assert_eq!(headers["content-type"], "image/webp");
        assert!(bytes.starts_with(b"RIFF"), "{picture}");
    }
    server.api.get("/docs/pictures/nothing.webp").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn the_menu_leads_there_in_each_language() {
    let server = Server::start().await;
    for (language, word) in [("en", "Documentation"), ("de", "Dokumentation")] {
        let headers = [("accept", "text/html"), ("accept-language", language)];
        let page = server.api.request("GET", "/", &headers, None).await;
        assert!(page.text.contains("href=\"/docs\"") && page.text.contains(word), "{language}");
    }
}

/// What a page leads to, shows or loads.
fn addresses(page: &str) -> Vec<String> {
    let addresses = elements(page)
        .into_iter()
        .flat_map(|element| ["href", "src", "srcset", "action"].map(|name| element.attribute(name).to_owned()));
    addresses.filter(|address| !address.is_empty()).collect()
}

fn has_name(page: &str, name: &str) -> bool {
    elements(page).iter().any(|element| element.attribute("id") == name)
}

#[tokio::test]
async fn below_a_base_path_every_link_of_every_page_leads_there() {
    const BASE: &str = "/cowork";
    let base = BasePath::parse(BASE).unwrap();
    let (plain, moved) = (Server::start().await, Setup { base, ..Setup::default() }.start().await);
    let outside = moved.api.below("");
    let mut open = vec![format!("{BASE}/docs")];
    let (mut pages, mut others) = (BTreeSet::new(), BTreeSet::new());
    while let Some(address) = open.pop() {
        if !pages.insert(address.clone()) {
            continue;
        }
        let page = outside.page(&address).await;
        assert_eq!(page.status, 200, "{address}");
        for to in addresses(&page.text) {
            let (path, name) = to.split_once('#').unwrap_or((&to, ""));
            if path.starts_with("https://") || path.starts_with("http://") {
                continue;
            }
            assert!(path.is_empty() || path.starts_with(&format!("{BASE}/")), "{address} leads to {to}");
            if path.is_empty() || path.starts_with(&format!("{BASE}/docs")) && !path.contains("/pictures/") {
                let other = if path.is_empty() { &address } else { path };
                let there = outside.page(other).await;
                assert_eq!(there.status, 200, "{address} leads to {to}");
                assert!(name.is_empty() || has_name(&there.text, name), "{address} leads to {to}");
                open.push(other.to_owned());
            } else {
                others.insert(path.to_owned());
            }
        }
    }
    let sources = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let sources = sources.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "md"));
    assert_eq!(pages.len(), sources.count() + 2, "with the list and ARCHITECTURE.md: {pages:?}");
    // Pictures, styles, the icon, and the way back: the same as without a base. The page may not be built yet, then
    // neither server has the style.
    for path in &others {
        let beside = path.strip_prefix(BASE).unwrap();
        let ((there, bytes), (headers, wanted)) = (outside.download(path).await, plain.api.download(beside).await);
        assert_eq!(there["content-type"], headers["content-type"], "{path}");
        let is_own =
            there["content-type"] != "text/html; charset=utf-8" && there["content-type"] != "application/problem+json";
        assert!(!is_own || bytes == wanted, "{path}");
        let is_picture = path.contains("/docs/pictures/");
        assert!(!is_picture || bytes.starts_with(b"RIFF"), "{path}");
    }
    for end in [".webp", ".css", "/favicon.svg", "/cowork/"] {
        assert!(others.iter().any(|path| path.ends_with(end)), "{end} in {others:?}");
    }
}
