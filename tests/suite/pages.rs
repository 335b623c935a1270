//! The pages as the server renders them: whole without scripts, and safe whatever anybody writes.

use serde_json::json;

use crate::support::{
    html::{self, elements},
    model::{Gate, call, say},
    server::Server,
};

#[tokio::test]
async fn the_start_lists_the_sessions_and_offers_a_form() {
    let server = Server::start().await;
    std::fs::create_dir(server.workspace.join("reports")).unwrap();
    let id = server.api.create(json!({"title": "Quarter <close> & more"})).await;
    let page = server.api.page("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("Quarter &lt;close&gt; &amp; more"), "{}", page.text);
    assert!(page.text.contains("reports"), "{}", page.text);
    let elements = elements(&page.text);
    let has = |name: &str, pairs: &[(&str, &str)]| {
        let fits = |element: &crate::support::html::Element| {
            element.name == name && pairs.iter().all(|(key, value)| element.attribute(key) == *value)
        };
        assert!(elements.iter().any(fits), "<{name} {pairs:?}> in {}", page.text);
    };
    has("a", &[("href", &format!("/sessions/{id}"))]);
    has("form", &[("method", "post"), ("action", "/cowork/sessions")]);
    has("input", &[("name", "workspace"), ("value", &server.workspace.display().to_string())]);
    has("input", &[("name", "title")]);
    has("select", &[("name", "model")]);
    has("button", &[("type", "submit")]);
}

#[tokio::test]
async fn a_session_is_whole_without_scripts() {
    let server = Server::playing([
        call("a", "read_file", &json!({"path": "notes.txt"})),
        say("It says **alpha**.\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
    ])
    .await;
    server.write_file("notes.txt", "alpha beta gamma\n");
    let id = server.api.create(json!({"title": "My notes"})).await;
    server.turn(&id, "What do my notes say?").await;
    let page = server.api.page(&format!("/sessions/{id}")).await;
    assert_eq!(page.status, 200);
    for text in [
        "<title>My notes · Cowork</title>",
        "What do my notes say?",
        "It says <strong>alpha</strong>.",
        "<td>1</td>",
        "notes.txt",
        "alpha beta gamma",
        "data-type=\"turn_completed\"",
    ] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    let forms: Vec<_> = elements(&page.text).into_iter().filter(|element| element.name == "form").collect();
    assert!(forms.iter().all(|form| form.attribute("method") == "post" && form.attribute("action").starts_with('/')));
    let actions: Vec<_> = forms.iter().map(|form| form.attribute("action").to_owned()).collect();
    let messages = format!("/cowork/sessions/{id}/messages");
    let (update, delete) = (format!("/cowork/sessions/{id}/update"), format!("/cowork/sessions/{id}/delete"));
    for action in [messages.as_str(), &update, &delete, "/cowork/look"] {
        assert!(actions.iter().any(|known| known == action), "{action} in {actions:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_has_a_page_that_says_so_and_the_status() {
    let server = Server::start().await;
    for path in [
        "/sessions/0123456789abcdef0123456789abcdef",
        "/sessions/0123456789abcdef0123456789abcdef/live",
        "/sessions/nonsense",
        "/nothing",
    ] {
        let page = server.api.page(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.text.contains("There is nothing here") && page.text.contains("href=\"/\""),
            "{path}: {}",
            page.text
        );
    }
}

#[tokio::test]
async fn the_running_turn_refreshes_itself_until_it_has_ended() {
    let gate = Gate::new();
    let server = Server::playing([say("Half a **tho").wait(&gate).then("ught**.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Think").await;
    socket.wait("text_delta").await;
    let (page, live) = (format!("/sessions/{id}"), format!("/sessions/{id}/live"));
    let refreshes = |text: &str| elements(text).iter().any(|element| element.attribute("http-equiv") == "refresh");

    let running = server.api.page(&live).await;
    assert!(running.text.contains("Half a") && refreshes(&running.text), "{}", running.text);
    let whole = server.api.page(&page).await.text;
    assert!(whole.contains("Half a") && !refreshes(&whole), "what is being typed is not lost: {whole}");
    assert!(
        whole.contains(&format!("src=\"{live}\"")) && whole.contains(&format!("action=\"/cowork/sessions/{id}/stop\""))
    );

    gate.open();
    socket.wait("turn_completed").await;
    let ended = server.api.page(&live).await.text;
    assert!(ended.contains("<strong>thought</strong>") && !refreshes(&ended), "{ended}");
    assert!(ended.contains(&format!("href=\"{page}\"")), "{ended}");
}

#[tokio::test]
async fn waiting_messages_are_shown_with_a_way_to_go_on() {
    let gate = Gate::new();
    let server = Server::playing([say("").wait(&gate)]).await;
    let id = server.session().await;
    server.api.send(&id, "Begin").await;
    gate.reached(1).await;
    let queued = server.api.send(&id, "I wait <here>").await;
    let page = server.api.page(&format!("/sessions/{id}")).await.text;
    assert!(page.contains("I wait &lt;here&gt;"), "{page}");
    let action = format!("/cowork/sessions/{id}/queue/{}/send", queued["message_id"].as_str().unwrap());
    assert!(page.contains(&format!("action=\"{action}\"")), "{page}");
}

#[tokio::test]
async fn a_long_history_opens_at_its_end_with_a_way_to_the_rest() {
    let server = Server::start().await;
    let id = server.api.create(json!({"title": "Long"})).await;
    let file = rusqlite::Connection::open(&server.database).unwrap();
    let row = "INSERT INTO conversation_turns (session_id, turn_number, role, content, token_count, created_at)
               VALUES (?1, ?2, ?3, ?4, 1, '2026-06-30 07:56:54')";
    for number in 1..=300 {
        let (role, text) = if number % 2 == 1 { ("user", "question") } else { ("assistant", "answer") };
        file.execute(row, rusqlite::params![id, number, role, format!("{text} number {number}")]).unwrap();
    }
    let page = server.api.page(&format!("/sessions/{id}")).await.text;
    assert!(page.contains("answer number 300") && !page.contains("question number 1<"), "the newest rows");
    let more = elements(&page).into_iter().find(|element| element.attribute("href").starts_with("?rows=")).unwrap();
    let page = server.api.page(&format!("/sessions/{id}{}", more.attribute("href"))).await.text;
    assert!(page.contains("question number 1<") && page.contains("answer number 300"), "all of them");
}

/// A sample of what has broken other chats; src/markdown has the whole collection.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>-->",
    "</title><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "</noscript><svg onload=alert(1)>",
    "<img src=https://evil.example/p.gif>",
    "![a](https://evil.example/p.gif)",
    "![a][b]\n\n[b]: https://evil.example/p.gif",
    "[click](javascript:alert(1))",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<div style=\"background:url(https://evil.example/p)\" onclick=alert(1)>x</div>",
    "\"><b autofocus onfocus=alert(1)>",
    "' onmouseover='alert(1)",
    "```\"><script>alert(1)</script>\nx\n```",
    "<object data=https://evil.example/x.swf><embed src=//evil.example>",
    "\u{2028}</script>\\u003cscript>\\\"</script>",
];

#[tokio::test]
async fn nothing_that_is_written_becomes_an_element_of_the_page() {
    let hostile = HOSTILE.join("\n\n");
    let server = Server::playing([
        say(&hostile).call("a", "read_file", &json!({"path": "evil.txt"})).call_text("b", &hostile, &hostile),
        say("Done"),
    ])
    .await;
    server.write_file("evil.txt", &hostile);
    let title: String = HOSTILE[..5].join(" ").chars().take(190).collect();
    let id = server.api.create(json!({"title": title})).await;
    server.turn(&id, &hostile).await;
    for path in [format!("/sessions/{id}"), format!("/sessions/{id}/live"), "/".into()] {
        let page = server.api.page(&path).await;
        let nonce = page.header("content-security-policy").split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        for element in elements(&page.text) {
            let shown = format!("{element:?} in {path}");
            match element.name.as_str() {
                "script" | "style" => assert_eq!(element.attribute("nonce"), nonce, "{shown}"),
                "img" | "object" | "embed" | "base" | "iframe" | "video" | "audio" => panic!("{shown}"),
                "form" => assert!(element.attribute("action").starts_with('/'), "{shown}"),
                "link" => assert!(element.attribute("href").starts_with('/'), "{shown}"),
                "meta" => assert!(!element.attribute("content").contains("evil"), "{shown}"),
                _ => {}
            }
            for (name, value) in &element.attributes {
                assert!(!name.starts_with("on") && name != "style" && name != "srcset", "{shown}");
                let leads = matches!(name.as_str(), "href" | "src" | "action" | "formaction" | "xlink:href");
                assert!(!(leads && value.trim().to_lowercase().starts_with("javascript:")), "{shown}");
            }
        }
    }
}

/// Row 23: what turns text around, or can't be seen, is shown by its number in titles, the list of files, steps and logs alike.
#[tokio::test]
async fn nothing_that_is_written_turns_the_page_around_or_hides_in_it() {
    let name = "invoice\u{202E}fdp\u{200B}.exe";
    let server = Server::playing([call("a", "read_file", &json!({"path": name})), say("Read.")]).await;
    server.write_file(name, "x");
    let id = server.api.create(json!({"title": format!("My {name}")})).await;
    server.turn(&id, "Read it").await;
    for (path, shown) in [(format!("/sessions/{id}"), 4), ("/".into(), 1)] {
        let seen = html::shown(&server.api.page(&path).await.text);
        assert!(!seen.contains(['\u{202E}', '\u{200B}']), "{path}: {seen}");
        assert!(seen.matches("invoice⟨U+202E⟩fdp⟨U+200B⟩.exe").count() >= shown, "{path}: {seen}");
    }
}

#[tokio::test]
async fn an_error_in_the_address_is_text_on_the_page() {
    let server = Server::start().await;
    let page = server.api.page("/?error=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<script>alert(1)"), "{}", page.text);
}

#[tokio::test]
async fn the_page_speaks_the_readers_language() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.api.token());
    let page = |headers: Vec<(&'static str, &'static str)>| {
        let (api, always) = (&server.api, vec![("accept", "text/html"), ("authorization", bearer.as_str())]);
        async move { api.request("GET", "/", &[always, headers].concat(), None).await.text }
    };
    let german = page(vec![("accept-language", "de-DE,de;q=0.9,en;q=0.5")]).await;
    assert!(german.contains("<html lang=\"de\"") && german.contains("Neue Sitzung"), "{german}");
    let chosen = page(vec![("accept-language", "de"), ("cookie", "cowork_lang=en; other=1")]).await;
    assert!(chosen.contains("<html lang=\"en\"") && chosen.contains("New session"), "{chosen}");
    let unknown = page(vec![("accept-language", "tlh")]).await;
    assert!(unknown.contains("<html lang=\"en\""), "{unknown}");
}

#[tokio::test]
async fn the_page_is_drawn_as_the_person_has_set_it_up() {
    let server = Server::start().await;
    let id = server.session().await;
    let fields = [("theme", "dark"), ("lang", "de"), ("back", "//evil.example")];
    let set = server.api.form("/cowork/look", &fields).await;
    assert_eq!((set.status, set.header("location")), (303, "/"), "only to a place of ours");

    let bearer = format!("Bearer {}", server.api.token());
    let looking = |cookie: &'static str| {
        let (api, path) = (&server.api, format!("/sessions/{id}"));
        let headers = [("accept", "text/html"), ("authorization", bearer.as_str()), ("cookie", cookie)];
        async move { api.request("GET", &path, &headers, None).await.text }
    };
    let page = looking("cowork_look=dark.0.1.300.420.progress").await;
    assert!(page.contains("data-theme=\"dark\"") && page.contains("--left:300px;--right:420px"), "{page}");
    assert!(page.contains("data-left=\"false\"") && page.contains("No plan yet."), "{page}");
    let page = looking("cowork_look=<script>.x.y.<b>.99999999.</style>").await;
    assert!(page.contains("--left:272px;--right:364px"), "{page}");
}
