//! Sessions over REST: made, listed, changed, and what is refused.

use serde_json::{Value, json};

use crate::support::{
    model::say,
    server::{Server, Setup},
};

const UNKNOWN: &str = "0123456789abcdef0123456789abcdef";

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_new_session_has_its_place_and_the_fields_of_the_contract() {
    let server = Server::start().await;
    let answer = server.api.post("/cowork/sessions", json!({})).await;
    let place = answer.header("location").to_owned();
    let session = answer.expect(201);
    let fields = "archived head_seq id last_active_at mode model pending pinned started_at status tasks title total_tokens turn_count workspace";
    assert_eq!(keys(&session).join(" "), fields);
    let id = session["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
    assert_eq!(place, format!("/cowork/sessions/{id}"));
    assert_eq!(session["workspace"], server.workspace.display().to_string());
    assert_eq!((&session["model"], &session["mode"]), (&json!("scripted"), &json!("ask")));
    assert_eq!((&session["status"], &session["head_seq"]), (&json!("idle"), &json!(1)));
    assert_eq!((&session["pending"], &session["turn_count"]), (&json!([]), &json!(0)));
    let at = session["started_at"].as_str().unwrap();
    assert!(at.len() == 24 && at.as_bytes()[19] == b'.' && at.ends_with('Z'), "milliseconds, UTC: {at}");
    assert_eq!(server.api.get(&place).await.expect(200), session);
    assert_eq!(server.api.event_types(id).await, ["session_started"]);
}

#[tokio::test]
async fn what_is_asked_for_is_what_the_session_has() {
    let server = Server::playing([say("Aye.")]).await;
    let inner = server.workspace.join("reports");
    std::fs::create_dir(&inner).unwrap();
    let wanted = json!({"workspace": inner, "model": "scripted", "title": "  Quarter\n close ", "mode": "read_only",
        "system_prompt": "Talk like a pirate."});
    let session = server.api.post("/cowork/sessions", wanted).await.expect(201);
    assert_eq!((&session["title"], &session["mode"]), (&json!("Quarter close"), &json!("read_only")));
    assert_eq!(session["workspace"], inner.display().to_string());
    server.turn(session["id"].as_str().unwrap(), "Hello").await;
    assert_eq!(server.model.last_messages()[0], json!({"role": "system", "content": "Talk like a pirate."}));
}

#[tokio::test]
async fn a_session_that_can_not_be_is_refused_with_the_reason() {
    let server = Server::start().await;
    let missing = server.workspace.join("missing");
    let outside = server.workspace.parent().unwrap().join("data");
    let long = "x".repeat(201);
    let refused = [
        (json!({"colour": 1}), "invalid_request", "colour"),
        (json!({"mode": "yolo"}), "invalid_request", "mode"),
        (json!({"title": 7}), "invalid_request", "title"),
        (json!({"title": long}), "invalid_request", "200"),
        (json!([]), "invalid_request", ""),
        (json!({"workspace": missing}), "workspace_not_found", "missing"),
        (json!({"workspace": "work"}), "workspace_not_found", "full path"),
        (json!({"workspace": outside}), "workspace_not_allowed", ""),
        (json!({"workspace": "/etc"}), "workspace_not_allowed", ""),
        (json!({"model": "nobody"}), "unknown_model", "scripted"),
    ];
    for (body, code, word) in refused {
        let detail = server.api.post("/cowork/sessions", body.clone()).await.expect_problem(422, code);
        assert!(detail.contains(word), "{body}: {detail}");
    }
    for broken in ["{", "", "{\"title\": }", "nonsense"] {
        server.api.text("POST", "/cowork/sessions", broken).await.expect_problem(400, "bad_json");
    }
    let plain = [("content-type", "text/plain")];
    let answer = server.api.request("POST", "/cowork/sessions", &plain, Some("{}".into())).await;
    answer.expect_problem(415, "unsupported_media_type");
    assert_eq!(server.api.get("/cowork/sessions").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn a_session_that_is_not_there_is_not_found_everywhere() {
    let server = Server::start().await;
    for id in [UNKNOWN, "nonsense", "..%2f..%2fetc%2fpasswd", &UNKNOWN.to_uppercase()] {
        for (method, rest) in [
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("GET", "/turns"),
            ("GET", "/logs"),
            ("GET", "/queue"),
            ("POST", "/messages"),
            ("POST", "/stop"),
            ("PATCH", "/queue/x"),
            ("DELETE", "/queue/x"),
            ("POST", "/queue/x/send"),
            ("GET", "/stream"),
        ] {
            let path = format!("/cowork/sessions/{id}{rest}");
            let answer = server.api.json(method, &path, &json!({"message": "hello"})).await;
            // A body that does not fit may be said first.
            if method == "PATCH" && rest.is_empty() {
                assert!(matches!(answer.status, 404 | 422), "{answer:?}");
                continue;
            }
            answer.expect_problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn other_methods_and_other_addresses_are_told_apart() {
    let server = Server::start().await;
    let id = server.session().await;
    for (method, path) in [
        ("PUT", "/cowork/sessions".to_owned()),
        ("DELETE", "/cowork/sessions".to_owned()),
        ("PUT", format!("/cowork/sessions/{id}")),
        ("GET", format!("/cowork/sessions/{id}/messages")),
        ("POST", format!("/cowork/sessions/{id}/turns")),
        ("POST", "/health".to_owned()),
    ] {
        let answer = server.api.json(method, &path, &json!({})).await;
        answer.expect_problem(405, "method_not_allowed");
        assert!(!answer.header("allow").is_empty(), "{method} {path} names what is possible");
    }
    for path in ["/cowork", "/cowork/nothing", "/cowork/sessions/x/y/z", "/nothing", "/.env", "/cowork/sessions/"] {
        server.api.get(path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_list_has_the_newest_activity_first_and_comes_in_pages() {
    let server = Server::playing([say("Yes.")]).await;
    let mut ids = Vec::new();
    for title in ["one", "two", "three"] {
        ids.push(server.api.create(json!({"title": title})).await);
    }
    server.turn(&ids[0], "Wake up").await;
    let list = server.api.get("/cowork/sessions").await.expect(200);
    assert_eq!(keys(&list), ["sessions", "total"]);
    assert_eq!(titles(&list), ["one", "three", "two"]);
    let page = server.api.get("/cowork/sessions?offset=1&limit=1").await.expect(200);
    assert_eq!((titles(&page), &page["total"]), (vec!["three"], &json!(3)));
    assert_eq!(server.api.get("/cowork/sessions?offset=99").await.expect(200)["sessions"], json!([]));
    for query in ["limit=0", "limit=1001", "limit=-1", "limit=many", "offset=-1", "colour=red", "archived=maybe"] {
        server.api.get(&format!("/cowork/sessions?{query}")).await.expect_problem(422, "invalid_request");
    }
}

fn titles(list: &Value) -> Vec<&str> {
    list["sessions"].as_array().unwrap().iter().map(|session| session["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn sessions_are_found_by_words_of_their_title_and_of_their_messages() {
    let server = Server::playing([say("The total is 42 — grün.")]).await;
    let ledger = server.api.create(json!({"title": "Ledger 100%_"})).await;
    server.api.create(json!({"title": "Other"})).await;
    server.turn(&ledger, "What is the sum?").await;
    for (words, found) in [
        ("ledger", 1),
        ("gr%C3%BCn", 1),
        ("sum", 1),
        ("other", 1),
        ("nothing", 0),
        ("", 2),
        ("%25", 1),
        ("_", 1),
        ("'%22)--", 0),
    ] {
        let list = server.api.get(&format!("/cowork/sessions?q={words}")).await.expect(200);
        assert_eq!(list["total"], found, "{words}: {list}");
    }
}

#[tokio::test]
async fn archived_sessions_stand_in_a_list_of_their_own() {
    let server = Server::start().await;
    let (kept, put_away) = (server.session().await, server.session().await);
    let path = format!("/cowork/sessions/{put_away}");
    assert_eq!(server.api.patch(&path, json!({"archived": true})).await.expect(200)["archived"], true);
    let ids = |list: Value| list["sessions"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(server.api.get("/cowork/sessions").await.expect(200)), [json!(kept)]);
    assert_eq!(ids(server.api.get("/cowork/sessions?archived=true").await.expect(200)), [json!(put_away)]);
    server.api.patch(&path, json!({"archived": false})).await.expect(200);
    assert_eq!(server.api.get("/cowork/sessions").await.expect(200)["total"], 2);
}

#[tokio::test]
async fn a_change_is_kept_and_is_an_event_and_a_wrong_one_changes_nothing() {
    let server = Server::start().await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}");
    let changed = server.api.patch(&path, json!({"title": "New", "mode": "read_only", "model": "built_in"})).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["title"], &changed["mode"]), (&json!("New"), &json!("read_only")));
    assert_eq!((&changed["model"], &changed["head_seq"]), (&json!("built_in"), &json!(2)));
    let event = server.api.events_of(&id, "session_updated").await.remove(0);
    assert_eq!(event["payload"], json!({"title": "New", "model": "built_in", "mode": "read_only"}));
    assert_eq!(event["actor"], json!({"kind": "person", "name": "local"}));
    for (body, code) in [
        (json!({"model": "nobody", "title": "Lost"}), "unknown_model"),
        (json!({"mode": "full", "title": "Lost"}), "mode_not_allowed"),
        (json!({"workspace": "/"}), "invalid_request"),
        (json!({"title": "x".repeat(201)}), "invalid_request"),
    ] {
        server.api.patch(&path, body).await.expect_problem(422, code);
    }
    assert_eq!(server.api.session(&id).await, changed);
}

#[tokio::test]
async fn the_conversation_is_read_in_rows_from_either_end() {
    let server = Server::playing([say("First."), say("Second.")]).await;
    let id = server.session().await;
    server.turn(&id, "One").await;
    server.turn(&id, "Two").await;
    let path = format!("/cowork/sessions/{id}/turns");
    let page = server.api.get(&path).await.expect(200);
    assert_eq!((keys(&page), &page["total"]), (vec!["total", "turns"], &json!(4)));
    let rows = page["turns"].as_array().unwrap();
    let fields =
        "content created_at message metadata role token_count tool_call_id tool_calls tool_name turn turn_number";
    assert_eq!(keys(&rows[0]).join(" "), fields);
    let line = |row: &Value| format!("{} {} {} {}", row["turn_number"], row["turn"], row["message"], row["content"]);
    assert_eq!(
        rows.iter().map(line).collect::<Vec<_>>(),
        ["1 1 null \"One\"", "2 1 0 \"First.\"", "3 2 null \"Two\"", "4 2 0 \"Second.\""]
    );
    for (query, numbers) in [
        ("offset=1&limit=2", vec![2, 3]),
        ("before=4&limit=2", vec![2, 3]),
        ("before=2", vec![1]),
        ("before=1", vec![]),
        ("offset=4", vec![]),
    ] {
        let page = server.api.get(&format!("{path}?{query}")).await.expect(200);
        let got: Vec<_> = page["turns"].as_array().unwrap().iter().map(|row| row["turn_number"].clone()).collect();
        assert_eq!((got, &page["total"]), (numbers.into_iter().map(Value::from).collect(), &json!(4)), "{query}");
    }
    for query in ["limit=0", "limit=1001", "before=-1", "before=x", "offset=x", "after=1"] {
        server.api.get(&format!("{path}?{query}")).await.expect_problem(422, "invalid_request");
    }
    assert_eq!(server.api.session(&id).await["turn_count"], 2);
}

#[tokio::test]
async fn folders_are_shown_below_the_allowed_roots_and_nowhere_else() {
    let server = Server::start().await;
    for folder in ["b/deep", "a", ".hidden"] {
        std::fs::create_dir_all(server.workspace.join(folder)).unwrap();
    }
    std::os::unix::fs::symlink("/etc", server.workspace.join("out")).unwrap();
    let list = server.api.get("/cowork/workspaces").await.expect(200);
    let names =
        |list: &Value| list["folders"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&list), ["a", "b"]);
    let b = list["folders"][1]["path"].as_str().unwrap();
    let inner = server.api.get(&format!("/cowork/workspaces?dir={b}")).await.expect(200);
    assert_eq!((names(&inner), &inner["parent"]), (vec![json!("deep")], &list["dir"]));
    for outside in ["/", "/etc", &format!("{b}/../.."), &format!("{b}/../out"), &format!("{b}/../.hidden")] {
        let answer = server.api.get(&format!("/cowork/workspaces?dir={outside}")).await;
        answer.expect_problem(422, "workspace_not_allowed");
    }
}

#[tokio::test]
async fn a_form_without_scripts_leads_to_the_page_that_shows_the_result() {
    let server = Server::playing([say("Hello.")]).await;
    let workspace = server.workspace.display().to_string();
    let fields = [("title", "By form"), ("workspace", &workspace), ("model", "")];
    let made = server.api.form("/cowork/sessions", &fields).await;
    assert_eq!(made.status, 303);
    let page = made.header("location").to_owned();
    let id = page.strip_prefix("/sessions/").unwrap();
    assert_eq!(server.api.session(id).await["title"], "By form");

    let api = format!("/cowork/sessions/{id}");
    let sent = server.api.form(&format!("{api}/messages"), &[("message", "Hi & <there>")]).await;
    assert_eq!((sent.status, sent.header("location")), (303, page.as_str()));
    server.ended(id, 1).await;
    assert_eq!(server.api.rows(id).await[0]["content"], "Hi & <there>");
    let renamed = server.api.form(&format!("{api}/update"), &[("title", "Again"), ("pinned", "true")]).await;
    assert_eq!((renamed.status, renamed.header("location")), (303, page.as_str()));
    assert_eq!(server.api.session(id).await["pinned"], true);
    let event = server.api.events_of(id, "session_updated").await.remove(0);
    assert_eq!(event["payload"], json!({"title": "Again", "pinned": true}));
    assert_eq!(server.api.session(id).await["title"], "Again");
}

#[tokio::test]
async fn a_form_that_fails_leads_back_with_the_reason() {
    let server = Server::start().await;
    let id = server.session().await;
    let fails = [
        ("/cowork/sessions".to_owned(), vec![("workspace", "/etc")], "/?error=".to_owned()),
        (format!("/cowork/sessions/{id}/messages"), vec![("message", " ")], format!("/sessions/{id}?error=")),
        (format!("/cowork/sessions/{id}/stop"), vec![], format!("/sessions/{id}?error=")),
        ("/cowork/sessions".to_owned(), vec![("colour", "red")], "/?error=".to_owned()),
    ];
    for (path, fields, place) in fails {
        let answer = server.api.form(&path, &fields).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.header("location").starts_with(&place), "{answer:?}");
        let page = server.api.page(answer.header("location")).await;
        assert!(page.text.contains("notice-failed"), "the page shows it: {}", page.text);
    }
}

#[tokio::test]
async fn what_the_server_says_of_itself_holds_no_key() {
    let server = Setup { api_key: Some("sk-canary-5417"), ..Default::default() }.start().await;
    let health = server.api.get("/health").await.expect(200);
    assert_eq!(health, json!({"status": "ok", "ready": true, "version": env!("CARGO_PKG_VERSION")}));
    let models = server.api.get("/models").await.expect(200);
    let names: Vec<_> = models.as_array().unwrap().iter().map(|model| (&model["name"], &model["reachable"])).collect();
    assert_eq!(names, [(&json!("built_in"), &json!(true)), (&json!("scripted"), &json!(true))]);
    let tools = server.api.get("/tools").await.expect(200);
    let read = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "read_file").unwrap();
    assert!(read["description"].is_string() && read["parameters"]["type"] == "object", "{read}");
    let config = server.api.get("/config").await;
    assert!(!config.text.contains("sk-canary"), "{config:?}");
    assert_eq!(config.json()["models"]["scripted"]["api_key"], "[redacted]");
}
