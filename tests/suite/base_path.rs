//! The server below a path of its own: every address that it takes and every address that it tells.

use cowork::protocol::BasePath;
use serde_json::json;

use crate::support::{
    html::elements,
    http::Api,
    model::{ScriptedModel, call, say},
    people,
    process::Home,
    server::{Server, Setup, is_end},
    socket::Socket,
};

const BASE: &str = "/office/cowork";

fn below() -> Setup {
    Setup { base: BasePath::parse(BASE).unwrap(), ..Setup::default() }
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What an address answers, with a session in it that is there.
async fn status(api: &Api, method: &str, pattern: &str, session: &str) -> u16 {
    let parts = pattern.split('/').map(|part| match part {
        "{id}" => session,
        "{turn}" => "1",
        part if part.starts_with('{') => "none",
        part => part,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let body = (!matches!(method, "GET" | "HEAD" | "OPTIONS")).then(|| "{\"unknown\": 1}".to_owned());
    api.request(method, &path, &[("content-type", "application/json")], body).await.status
}

#[tokio::test]
async fn every_address_answers_below_the_base_as_it_does_without_one() {
    let (plain, moved) = (Server::start().await, below().start().await);
    let mut walked = 0;
    for pattern in &plain.addresses {
        for method in METHODS {
            // A session of its own each time: some of these delete it.
            let (one, other) = (plain.session().await, moved.session().await);
            let wanted = status(&plain.api, method, pattern, &one).await;
            assert_eq!(status(&moved.api, method, pattern, &other).await, wanted, "{method} {pattern}");
            let nobody = status(&moved.api.nobody(), method, pattern, &other).await;
            assert_eq!(nobody, status(&plain.api.nobody(), method, pattern, &one).await, "{method} {pattern}");
            walked += 1;
        }
    }
    assert!(walked > 300, "{walked}");
}

#[tokio::test]
async fn nothing_stands_beside_the_base() {
    let server = below().start().await;
    let outside = server.api.below("");
    for path in ["/", "/health", "/me", "/cowork/sessions", "/office", "/office/coworkers", "/office/cowork2/health"] {
        assert_eq!(outside.nobody().get(path).await.status, 401, "{path}");
        assert_eq!(outside.get(path).await.status, 404, "{path}");
    }
    let start = outside.page(BASE).await;
    assert_eq!(start.status, 200, "the base itself is the start: {start:?}");
}

/// Every address that a page leads to, loads or posts to.
fn addresses(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for element in elements(page) {
        for name in ["href", "src", "action", "formaction", "data-href"] {
            found.push(element.attribute(name).to_owned());
        }
    }
    // What the script at the page's end loads.
    let loaded = page.split(['"', '\'', '`']).filter(|piece| piece.ends_with(".js") || piece.ends_with(".wasm"));
    found.extend(loaded.map(str::to_owned));
    found.retain(|address| address.starts_with('/'));
    found
}

#[track_caller]
fn all_below(what: &str, page: &str) -> usize {
    let found = addresses(page);
    for address in &found {
        let inside = address.strip_prefix(BASE).unwrap_or_else(|| panic!("{what} leads to {address}"));
        assert!(inside.starts_with('/') && !inside.starts_with(BASE), "{what} leads to {address}");
    }
    found.len()
}

#[tokio::test]
async fn every_page_leads_below_the_base() {
    let server = Setup { base: BasePath::parse(BASE).unwrap(), ..people::setup() }.start().await;
    server.model.play([call("w", "write_file", &json!({"path": "a.txt", "content": "x"})), say("Done.")]);
    let api = server.api.with_cookie(&cookie(&server).await);
    let id = api.create(json!({"mode": "accept_edits"})).await;
    let mut socket = Socket::open(&api, &id, "cursor=0&view=html").await;
    api.send(&id, "Write").await;
    socket.wait_event("turn_completed").await;
    for frame in &socket.frames {
        for html in [&frame["html"], &frame["card"]["body"], &frame["card"]["below"], &frame["card"]["ask"]] {
            all_below("a drawn part", html.as_str().unwrap_or_default());
        }
    }
    let mut seen = 0;
    for path in ["/", "/sign-in", "/nowhere", "/?deleted=0123456789abcdef0123456789abcdef"] {
        seen += all_below(path, &api.page(path).await.text);
        all_below(path, &server.api.nobody().page(path).await.text);
    }
    for path in ["", "/live", "/sharing", "?tab=changes"] {
        let page = api.page(&format!("/sessions/{id}{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        seen += all_below(path, &page.text);
        for address in
            addresses(&page.text).iter().filter(|address| address.contains("/pkg/") || address.ends_with(".svg"))
        {
            let asset = server.api.below("").get(address).await;
            // The page's files may not be built yet; they are looked for all the same.
            let is_looked_for = asset.text.contains("no such file in this version of the page");
            assert!(asset.status == 200 || is_looked_for, "{address}: {asset:?}");
        }
    }
    assert!(seen > 40, "{seen}");
    let page = api.page(&format!("/sessions/{id}")).await.text;
    assert!(page.contains(&format!("data-base=\"{BASE}\"")), "the page's program learns where it is");
}

async fn cookie(server: &Server) -> String {
    let to = format!("{BASE}/sessions/x");
    let fields = [("name", "anna"), ("password", people::ANNA), ("to", to.as_str())];
    let answer = server.api.nobody().form("/sign-in", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, to.as_str()), "{answer:?}");
    let set = answer.header("set-cookie");
    assert!(set.starts_with("cowork_") && set.contains(&format!("; Path={BASE};")), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn redirects_locations_and_cookies_are_below_the_base() {
    let server = Setup { base: BasePath::parse(BASE).unwrap(), ..people::setup() }.start().await;
    let api = server.api.with_cookie(&cookie(&server).await);
    let nobody = server.api.nobody();
    let to = [("name", "anna"), ("password", people::ANNA), ("to", "/wiki/evil")];
    assert_eq!(nobody.form("/sign-in", &to).await.header("location"), format!("{BASE}/"));
    let tls = [("host", "tls.example"), ("origin", "https://tls.example"), ("accept", "text/html")];
    let body = format!("name=anna&password={}", people::ANNA.replace(' ', "+"));
    let headers = [tls.as_slice(), &[("content-type", "application/x-www-form-urlencoded")]].concat();
    let answer = nobody.request("POST", "/sign-in", &headers, Some(body)).await;
    assert!(answer.header("set-cookie").starts_with("__Secure-cowork_"), "{answer:?}");

    let created = api.post("/cowork/sessions", json!({})).await;
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("{BASE}/cowork/sessions/{id}"));
    let tus = [("tus-resumable", "1.0.0"), ("upload-length", "3"), ("upload-metadata", "filename YS50eHQ=")];
    let upload = api.request("POST", &format!("/cowork/sessions/{id}/uploads/tus"), &tus, None).await;
    assert!(upload.header("location").starts_with(&format!("{BASE}/cowork/sessions/{id}/uploads/tus/")), "{upload:?}");
    server.write_file("p.png", "no picture");
    let preview = api.get(&format!("/cowork/sessions/{id}/preview/p.png")).await.expect(200);
    assert_eq!(preview["url"], format!("{BASE}/cowork/sessions/{id}/files/p.png?inline=true"));

    let renamed = api.form(&format!("/cowork/sessions/{id}/update"), &[("title", "New")]).await;
    assert_eq!(renamed.header("location"), format!("{BASE}/sessions/{id}"));
    let failed = api.form(&format!("/cowork/sessions/{id}/stop"), &[]).await;
    assert!(failed.header("location").starts_with(&format!("{BASE}/sessions/{id}?error=")), "{failed:?}");
    let made = api.form("/cowork/sessions", &[]).await;
    assert!(made.header("location").starts_with(&format!("{BASE}/sessions/")), "{made:?}");
    let deleted = api.form(&format!("/cowork/sessions/{id}/delete"), &[]).await;
    assert_eq!(deleted.header("location"), format!("{BASE}/?deleted={id}"));
    for (back, to) in
        [(format!("{BASE}/sessions/a"), format!("{BASE}/sessions/a")), ("/wiki".into(), format!("{BASE}/"))]
    {
        let look = api.form("/cowork/look", &[("theme", "dark"), ("back", back.as_str())]).await;
        assert_eq!(look.header("location"), to);
        let cookies: Vec<_> = look.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(cookies.iter().all(|cookie| cookie.contains(&format!("; Path={BASE};"))), "{cookies:?}");
    }
    let out = api.form("/sign-out", &[]).await;
    assert_eq!(out.header("location"), format!("{BASE}/sign-in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_takes_the_base_from_its_arguments_or_its_file_and_tells_it() {
    let model = ScriptedModel::start().await;
    model.play([say("Fine.")]);
    let home = Home::with(&model);
    home.add_settings("[cowork]\nbase_path = \"/from/file/\"");
    let process = home.start().await;
    process.api.below("/from/file").get("/health").await.expect(200);
    drop(process);
    let process = home.start_with_arguments(&["--base-path", BASE]).await;
    assert!(process.api.url("/").ends_with(&format!("{BASE}/")), "the line at the start tells it");
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "cursor=0").await;
    process.api.send(&id, "Hello").await;
    socket.wait_for(is_end).await;
    let link = home.run(&["link", "--database", home.database.to_str().unwrap()]).await;
    let path =
        link.out.trim().strip_prefix(&format!("http://{}", process.address)).unwrap_or_else(|| panic!("{link:?}"));
    assert!(path.starts_with(&format!("{BASE}/launch/")), "{link:?}");
    let launched = process.api.below("").nobody().page(path).await;
    assert_eq!((launched.status, launched.header("location")), (303, format!("{BASE}/").as_str()), "{launched:?}");
    drop(process);
    for wrong in ["cowork", "/a/../b", "/a?b"] {
        let refused = home.refused(&["--base-path", wrong]).await;
        assert!(refused.code == Some(1) && refused.err.contains("can't be where Cowork begins"), "{refused:?}");
    }
}
