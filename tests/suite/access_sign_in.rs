//! Coming in: by a link from the terminal, with a password, through a proxy. And being shut out again.

use std::time::Duration;

use cowork::{access, config};
use serde_json::json;

use crate::support::{
    http::{Answer, Api},
    people::{self, Team},
    raw::{exchange, status},
    server::{Server, Setup},
    socket::Socket,
    soon,
};

async fn link(server: &Server) -> String {
    let made = server.api.post("/launch", json!({})).await.expect(201);
    assert_eq!(made["expires_in"], 60);
    made["path"].as_str().unwrap().to_owned()
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_lets_one_browser_in_once() {
    let server = Server::start().await;
    let (nobody, path) = (server.api.nobody(), link(&server).await);
    nobody.request("HEAD", &path, &[], None).await.expect(204);
    let first = nobody.page(&path).await;
    assert_eq!((first.status, first.header("location")), (303, "/"), "the address with the secret is left at once");
    let set = first.header("set-cookie");
    let name = format!("cowork_{}=", server.address.port());
    assert!(set.starts_with(&name), "{set}");
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age="] {
        assert!(set.contains(part), "{part} in {set}");
    }
    assert!(!set.contains("Domain") && !set.contains("Secure"), "{set}");

    let second = nobody.page(&path).await;
    assert_eq!((second.status, second.header("set-cookie")), (403, ""));
    assert!(second.text.contains("cowork link"), "{}", second.text);
    let browser = server.api.with_cookie(&cookie(&first));
    assert_eq!(browser.get("/me").await.expect(200), json!({"name": "local", "kind": "person"}));
    assert_eq!(browser.page(&path).await.header("location"), "/", "who is in already is led on");
    assert_eq!(browser.page("/").await.status, 200);
    let id = browser.create(json!({})).await;
    assert_eq!(server.api.events(&id).await[0]["actor"], json!({"kind": "person", "name": "local"}));
    Socket::open(&browser, &id, "cursor=0").await.wait("synced").await;
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_alone() {
    let server = Server::start().await;
    let path = link(&server).await;
    let answer = server.api.nobody().request("GET", &path, &[("host", "tls.example")], None).await;
    let set = answer.header("set-cookie");
    assert!(set.starts_with("__Host-cowork_") && set.contains("; Secure") && set.contains("; Path=/"), "{set}");
    let shown = [("host", "tls.example"), ("cookie", set.split(';').next().unwrap())];
    server.api.request("GET", "/me", &shown, None).await.expect(200);
    let plain = set.split(';').next().unwrap().replace("__Host-", "");
    server.api.request("GET", "/me", &[("host", "tls.example"), ("cookie", &plain)], None).await.expect(401);
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_how_in_plain_words() {
    let server = Server::start().await;
    let page = server.api.nobody().page("/sessions/0123456789abcdef0123456789abcdef").await;
    assert_eq!((page.status, page.header("content-type")), (401, "text/html; charset=utf-8"));
    assert!(page.text.contains("Sign in") && page.text.contains("cowork link"), "{}", page.text);
    assert!(!page.text.contains("<script") && !page.text.contains("type=\"password\""), "{}", page.text);
    let problem = server.api.nobody().get("/cowork/sessions").await;
    let detail = problem.expect_problem(401, "not_signed_in");
    assert!(detail.contains("cowork token") && problem.header("www-authenticate") == "Bearer", "{detail}");
}

/// A link on another site brings no cookie along, since ours is strict; our own page then asks again, with it.
#[tokio::test]
async fn a_link_on_another_site_leads_in_all_the_same() {
    let server = Server::start().await;
    let from = |site| {
        [
            ("accept", "text/html"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ]
    };
    let again = server.api.nobody().request("GET", "/", &from("cross-site"), None).await;
    assert!(again.status == 401 && again.text.contains("http-equiv=\"refresh\""), "{again:?}");
    let own = server.api.nobody().request("GET", "/", &from("same-origin"), None).await;
    assert!(own.status == 401 && !own.text.contains("http-equiv=\"refresh\""), "once, not for ever: {own:?}");
}

#[tokio::test]
async fn a_cookie_acts_for_our_own_page_alone() {
    let server = Server::start().await;
    let answer = server.api.nobody().page(&link(&server).await).await;
    let cookie = cookie(&answer);
    let own = format!("http://{}", server.address);
    let id = server.session().await;
    for (headers, allowed) in [
        (vec![], false),
        (vec![("origin", own.as_str())], true),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], false),
    ] {
        let shown = [headers.as_slice(), &[("cookie", cookie.as_str()), ("content-type", "application/json")]].concat();
        let answer = server.api.request("POST", "/cowork/sessions", &shown, Some("{}".into())).await;
        assert_eq!(answer.status, if allowed { 201 } else { 403 }, "{headers:?} {answer:?}");
        // Browsers name the origin of every socket; one without is no browser, and has no business with a cookie.
        let by_origin = headers.iter().any(|(name, _)| *name == "origin");
        let shown = [headers.as_slice(), &[("cookie", cookie.as_str())]].concat();
        assert_eq!(server.try_socket(&id, "", &shown).await.is_ok(), by_origin, "{headers:?}");
    }
    for site in ["cross-site", "same-site"] {
        for (mode, dest) in [("cors", "empty"), ("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe")] {
            let headers =
                [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest), ("cookie", &cookie)];
            for path in ["/", "/cowork/sessions", "/favicon.svg", "/health"] {
                server.api.request("GET", path, &headers, None).await.expect_problem(403, "foreign_origin");
            }
        }
    }
}

#[tokio::test]
async fn another_token_shuts_everybody_out_within_a_second() {
    let server = Server::start().await;
    let answer = server.api.nobody().page(&link(&server).await).await;
    let browser = server.api.with_cookie(&cookie(&answer));
    let waiting = link(&server).await;
    let id = server.session().await;
    let mut sockets = [server.socket(&id, "").await, Socket::open(&browser, &id, "").await];
    for socket in &mut sockets {
        socket.wait("synced").await;
    }
    // The first look after it ends them.
    assert!(access::LOOK_EVERY < Duration::from_secs(1) / 2);
    let looks = server.access.changes();
    let token = access::rotate_token(&server.data).unwrap();
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, Some(1008));
    }
    assert_eq!(*looks.borrow(), 1);
    server.api.get("/cowork/sessions").await.expect_problem(401, "not_signed_in");
    browser.get("/cowork/sessions").await.expect_problem(401, "not_signed_in");
    assert_eq!(server.api.nobody().page(&waiting).await.status, 403);
    server.api.showing(&token).get("/cowork/sessions").await.expect(200);
}

#[tokio::test]
async fn a_guess_is_answered_more_and_more_slowly() {
    let server = Server::start().await;
    let nobody = server.api.nobody();
    let mut limited = 0;
    for guess in 0..100 {
        let answer = nobody.showing(&format!("{guess:064}")).get("/cowork/sessions").await;
        if answer.status == 429 {
            answer.expect_problem(429, "too_many_attempts");
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
            limited += 1;
        }
    }
    assert_eq!(limited, 90);
    assert_eq!(nobody.page("/launch/guess").await.status, 429);
    server.api.get("/cowork/sessions").await.expect(200);
}

#[tokio::test]
async fn a_password_signs_in_without_scripts_and_leads_where_one_wanted_to_go() {
    let server = people::setup().start().await;
    let nobody = server.api.nobody();
    let page = nobody.page("/sessions/0123456789abcdef0123456789abcdef?rows=5").await;
    assert!(page.status == 401 && page.text.contains("type=\"password\""), "{}", page.text);
    assert!(page.text.contains("/sessions/0123456789abcdef0123456789abcdef?rows=5"), "{}", page.text);
    for (to, leads) in
        [("/sessions/x", "/sessions/x"), ("//evil.example", "/"), ("https://evil.example", "/"), ("", "/")]
    {
        let fields = [("name", "anna"), ("password", people::ANNA), ("to", to)];
        assert_eq!(nobody.form("/sign-in", &fields).await.header("location"), leads);
    }
    for (name, password) in [("anna", "mistaken"), ("nobody", people::ANNA), ("nightly", "nothing right"), ("", "")] {
        let answer = nobody.form("/sign-in", &[("name", name), ("password", password)]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""), "{name}");
        assert!(answer.text.contains("Name or password is wrong"), "{}", answer.text);
        assert!(password.is_empty() || !answer.text.contains(password), "{}", answer.text);
    }
    let evil = [("origin", "https://evil.example"), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("name=anna&password={}", people::ANNA.replace(' ', "+"));
    let answer = nobody.request("POST", "/sign-in", &evil, Some(body)).await;
    answer.expect_problem(403, "foreign_origin");
    let out = server.api.with_cookie(&people::cookie(&server, "anna", people::ANNA).await).form("/sign-out", &[]).await;
    assert!(out.status == 303 && out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
}

#[tokio::test]
async fn everybody_acts_under_their_own_name() {
    let server = people::setup().start().await;
    server.model.play([crate::support::model::say("Hello.")]);
    let team = Team::join(&server).await;
    for (api, kind, name) in [(&team.anna, "person", "anna"), (&team.service, "service", "nightly")] {
        let id = api.create(json!({})).await;
        assert_eq!(api.events(&id).await[0]["actor"], json!({"kind": kind, "name": name}));
    }
    let id = team.anna.create(json!({})).await;
    let mut socket = Socket::open(&team.anna, &id, "cursor=0").await;
    socket.send(json!({"type": "user_message", "message": "Hi"})).await;
    let accepted = socket.wait("message_accepted").await;
    assert_eq!(accepted["actor"], json!({"kind": "person", "name": "anna"}));
    crate::support::server::wait_for_end(&mut socket).await;
}

#[tokio::test]
async fn who_is_taken_out_is_shut_out_at_once_and_nobody_else() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let (hers, his) = (team.anna.create(json!({})).await, team.ben.create(json!({})).await);
    let mut anna = Socket::open(&team.anna, &hers, "").await;
    let mut ben = Socket::open(&team.ben, &his, "").await;
    anna.wait("synced").await;
    ben.wait("synced").await;
    people::change_password(&server, "anna").await;
    assert_eq!(anna.close_code().await, Some(1008));
    team.anna.get("/me").await.expect(401);
    ben.send(json!({"type": "ping"})).await;
    ben.wait("pong").await;
}

#[tokio::test]
async fn who_is_removed_or_left_out_of_the_list_is_shut_out_and_nobody_else() {
    let server = people::setup().start().await;
    let team = Team::join(&server).await;
    let listed = |names: &[&str]| {
        let people = names.iter().map(|name| (*name).to_owned()).collect();
        server.access.set(config::Access { people, ..config::Access::default() });
    };
    let mut sockets = Vec::new();
    for api in [&team.anna, &team.ben, &team.service] {
        let id = api.create(json!({})).await;
        sockets.push(Socket::open(api, &id, "").await);
        sockets.last_mut().unwrap().wait("synced").await;
    }
    let [mut anna, mut ben, mut service] = <[Socket; 3]>::try_from(sockets).ok().unwrap();
    listed(&["anna", "nightly"]);
    assert_eq!(ben.close_code().await, Some(1008));
    team.ben.get("/me").await.expect_problem(403, "not_allowed");
    people::remove(&server, "anna").await;
    assert_eq!(anna.close_code().await, Some(1008));
    team.anna.get("/me").await.expect_problem(401, "not_signed_in");
    service.send(json!({"type": "ping"})).await;
    service.wait("pong").await;
}

fn behind_a_proxy(proxies: &str) -> Setup {
    let proxy = config::Proxy { header: "x-forwarded-user".into(), addresses: vec![proxies.parse().unwrap()] };
    Setup { access: config::Access { proxy: Some(proxy), ..config::Access::default() }, ..Setup::default() }
}

async fn me(api: &Api, headers: &[(&str, &str)]) -> Answer {
    api.request("GET", "/me", headers, None).await
}

#[tokio::test]
async fn a_proxy_names_people_and_nobody_else_does() {
    let server = behind_a_proxy("127.0.0.1/32").start().await;
    let nobody = server.api.nobody();
    let anna = me(&nobody, &[("x-forwarded-user", "anna")]).await.expect(200);
    assert_eq!(anna, json!({"name": "anna", "kind": "person"}));
    me(&nobody, &[]).await.expect_problem(401, "not_signed_in");
    for bad in ["local", "a:b", "*"] {
        me(&nobody, &[("x-forwarded-user", bad)]).await.expect_problem(401, "not_signed_in");
    }
    // A page of another site can make the browser ask through the proxy, which adds the name by itself.
    let post = [("x-forwarded-user", "anna"), ("content-type", "application/json")];
    nobody.request("POST", "/cowork/sessions", &post, Some("{}".into())).await.expect_problem(403, "foreign_origin");

    let elsewhere = behind_a_proxy("10.0.0.1/32").start().await;
    me(&elsewhere.api.nobody(), &[("x-forwarded-user", "anna")]).await.expect_problem(401, "not_signed_in");
}

#[tokio::test]
async fn the_list_of_networks_looks_behind_the_proxy() {
    let mut setup = behind_a_proxy("127.0.0.1/32");
    setup.access.networks = vec!["10.0.0.0/8".parse().unwrap()];
    setup.access.people = vec!["anna".into()];
    let server = setup.start().await;
    for (name, from, expected) in [("anna", "10.1.2.3", 200), ("anna", "192.0.2.1", 403), ("ben", "10.1.2.3", 403)] {
        let headers = [("x-forwarded-user", name), ("x-forwarded-for", from)];
        assert_eq!(me(&server.api.nobody(), &headers).await.status, expected, "{name} {from}");
    }
    let lines =
        format!("Host: {}\r\nX-Forwarded-For: 10.1.2.3, 192.0.2.1\r\nX-Forwarded-User: anna\r\n", server.address);
    let answer = exchange(server.address, format!("GET /me HTTP/1.1\r\n{lines}Connection: close\r\n\r\n")).await;
    assert_eq!(status(&answer), 403, "the last hop counts, not what the client wrote before it: {answer}");
    soon("the owner's way in", me(&server.api, &[])).await.expect(200);
}
