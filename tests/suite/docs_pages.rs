//! `/docs`: every page of the repository's docs, from inside the program, without scripts.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::server::Server;

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
        .filter(|src| src.ends_with(".png"))
        .collect();
    assert_eq!(pictures.len(), 3, "{staff}");
    for picture in pictures {
        let (headers, bytes) = server.api.download(picture).await;
        assert_eq!(headers["content-type"], "image/png");
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
    }
    server.api.get("/docs/pictures/nothing.png").await.expect_problem(404, "not_found");
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
