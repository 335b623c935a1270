//! Files that people bring, over real sockets: what is answered, what stands on the disk, what the log tells.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    form::Form,
    model::{Gate, call, say},
    server::{Server, Setup},
};

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `(name, status, code)` of each file.
fn told(answer: &Value) -> Vec<(&str, &str, &str)> {
    let files = answer["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| {
            let code = file["error"]["code"].as_str().unwrap_or_default();
            (file["name"].as_str().unwrap(), file["status"].as_str().unwrap(), code)
        })
        .collect()
}

#[tokio::test]
async fn files_arrive_whole_and_the_log_tells_each() {
    let server = Server::start().await;
    let id = server.session().await;
    let large: Vec<u8> = (0..700_000_u32).map(|number| (number % 251) as u8).collect();
    let form = Form::new()
        .field("target_dir", "in/box")
        .file("a.txt", "hello")
        .file("large.bin", &large)
        .file("sub/folder/empty", "");
    let answer = server.api.upload(&id, form).await.expect(200);
    assert_eq!((&answer["uploaded"], &answer["failed"]), (&json!(3), &json!(0)), "{answer}");
    let expected = [
        ("in/box/a.txt", hash(b"hello"), 5),
        ("in/box/large.bin", hash(&large), 700_000),
        ("in/box/sub/folder/empty", hash(b""), 0),
    ];
    for (file, (path, sha256, size)) in answer["files"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!((&file["path"], &file["sha256"], &file["size"]), (&json!(path), &json!(sha256), &json!(size)));
        assert_eq!((&file["status"], &file["error"]), (&json!("uploaded"), &Value::Null));
        assert_eq!(hash(&fs::read(server.workspace.join(path)).unwrap()), *sha256);
    }
    let events = server.api.upload_events(&id).await;
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["upload_started", "upload_completed", "upload_completed", "upload_completed"]);
    assert_eq!(events[0]["payload"]["target_dir"], "in/box");
    assert_eq!(events[0]["payload"]["on_conflict"], "fail");
    assert_eq!(events[2]["payload"]["sha256"], json!(hash(&large)));
    assert_eq!(events[2]["actor"], json!({"kind": "person", "name": "local"}));
    let upload = &events[0]["payload"]["upload_id"];
    assert!(events.iter().all(|event| event["payload"]["upload_id"] == *upload && upload.is_string()));
}

/// The contract's table: one file's fault is that file's.
#[tokio::test]
async fn each_file_is_judged_by_itself() {
    let server = Server::start().await;
    let id = server.session().await;
    fs::write(server.workspace.join("there.txt"), "old").unwrap();
    fs::create_dir(server.workspace.join("folder")).unwrap();
    symlink("/", server.workspace.join("out")).unwrap();
    let form = Form::new()
        .file("good.txt", "1")
        .file("there.txt", "new")
        .file("../escape", "x")
        .file("/abs", "x")
        .file("C:\\x", "x")
        .file("out/tmp/x", "x")
        .file("con.txt", "x")
        .file("a\u{202E}b", "x")
        .file(".git/config", "x")
        .file("big", vec![b'x'; 1_000_001])
        .file("folder", "x")
        .file("last.txt", "2");
    let answer = server.api.upload(&id, form).await.expect(200);
    assert_eq!(
        told(&answer),
        [
            ("good.txt", "uploaded", ""),
            ("there.txt", "failed", "already_exists"),
            ("../escape", "failed", "path_outside_workspace"),
            ("/abs", "failed", "path_outside_workspace"),
            ("C:\\x", "failed", "path_outside_workspace"),
            ("out/tmp/x", "failed", "path_outside_workspace"),
            ("con.txt", "failed", "bad_name"),
            ("a⟨U+202E⟩b", "failed", "bad_name"),
            (".git/config", "failed", "bad_name"),
            ("big", "failed", "file_too_large"),
            ("folder", "failed", "already_exists"),
            ("last.txt", "uploaded", ""),
        ]
    );
    assert_eq!((&answer["uploaded"], &answer["failed"]), (&json!(2), &json!(10)));
    for file in answer["files"].as_array().unwrap() {
        let Some(detail) = file["error"]["detail"].as_str() else { continue };
        assert!(detail.ends_with('.') && !detail.contains("os error"), "{detail}");
        assert!(!detail.contains(server.workspace.to_str().unwrap()), "{detail}");
    }
    assert_eq!(fs::read_to_string(server.workspace.join("there.txt")).unwrap(), "old");
    let mut names: Vec<_> = fs::read_dir(&server.workspace)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["folder", "good.txt", "last.txt", "out", "there.txt"]);
    let failed = server.api.upload_events(&id).await.into_iter().filter(|e| e["event_type"] == "upload_failed").count();
    assert_eq!(failed, 10);
}

/// Assurance row 31: told for the request, and nothing was begun.
#[tokio::test]
async fn a_target_that_leads_out_is_422_for_the_request() {
    let server = Server::start().await;
    let id = server.session().await;
    symlink("/tmp", server.workspace.join("out")).unwrap();
    for target in ["..", "a/../../b", "/etc", "..\\x", "C:x", "a\0b", "out", "out/deeper"] {
        let answer = server.api.upload(&id, Form::new().field("target_dir", target).file("a", "x")).await;
        answer.expect_problem(422, "path_outside_workspace");
    }
    for (number, target) in [".", "", "%2e%2e", "~", "a//b", "c/"].into_iter().enumerate() {
        let form = Form::new().field("target_dir", target).file(&number.to_string(), "x");
        let answer = server.api.upload(&id, form).await.expect(200);
        assert_eq!(answer["uploaded"], 1, "{target:?} {answer}");
    }
    assert_eq!(server.api.upload_events(&id).await.len(), 12, "what was refused as a whole is no event");
}

#[tokio::test]
async fn the_rules_for_names_that_are_taken() {
    let server = Server::start().await;
    let id = server.session().await;
    let path = server.workspace.join("a.txt");
    for (field, value, sent, status, there) in [
        ("on_conflict", "fail", "one", "uploaded", "one"),
        ("on_conflict", "fail", "two", "failed", "one"),
        ("on_conflict", "skip", "three", "skipped", "one"),
        ("on_conflict", "keep_both", "four", "uploaded", "one"),
        ("on_conflict", "replace", "five", "uploaded", "five"),
        ("overwrite", "false", "six", "failed", "five"),
        ("overwrite", "true", "seven", "uploaded", "seven"),
    ] {
        let answer = server.api.upload(&id, Form::new().field(field, value).file("a.txt", sent)).await.expect(200);
        assert_eq!(answer["files"][0]["status"], status, "{field}={value} {answer}");
        assert_eq!(fs::read_to_string(&path).unwrap(), there, "{field}={value}");
    }
    assert_eq!(fs::read_to_string(server.workspace.join("a (2).txt")).unwrap(), "four");
    let skipped =
        server.api.upload_events(&id).await.into_iter().find(|e| e["payload"]["status"] == "skipped").unwrap();
    assert_eq!(skipped["event_type"], "upload_completed");
}

/// Assurance row 36: of many at once exactly one wins, and the file is whole.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_uploads_of_one_name_one_wins() {
    let server = Server::start().await;
    let id = server.session().await;
    let uploads = (0..12).map(|number| {
        let form = Form::new().file("same", number.to_string().repeat(50_000));
        let (api, id) = (server.api.clone(), id.clone());
        async move { api.upload(&id, form).await.expect(200) }
    });
    let answers = futures::future::join_all(uploads).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer["uploaded"] == 1).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let text = fs::read(server.workspace.join("same")).unwrap();
    assert_eq!(won[0]["files"][0]["sha256"], json!(hash(&text)));
}

/// Assurance row 40.
#[tokio::test]
async fn a_name_is_shown_in_the_form_that_it_is_kept_in() {
    let server = Server::start().await;
    let id = server.session().await;
    let answer = server.api.upload(&id, Form::new().file("u\u{308}.txt", "1").file("ü.txt", "2")).await.expect(200);
    assert_eq!(answer["files"][0]["path"], "ü.txt");
    assert_eq!(answer["files"][1]["error"]["code"], "already_exists");
}

/// Assurance row 48: thousands of files in one request, and others are served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_small_files_in_one_request() {
    let mut setup = Setup::default();
    setup.uploads.request_bytes = 100_000_000;
    let server = setup.start().await;
    let id = server.session().await;
    let form =
        (0..3000).fold(Form::new(), |form, number| form.file(&format!("many/{number}"), format!("content {number}")));
    let upload = {
        let (api, id) = (server.api.clone(), id.clone());
        tokio::spawn(async move { api.upload(&id, form).await })
    };
    // One that had to wait for the upload would be answered at its end, so only a few would be.
    let mut served = 0;
    while !upload.is_finished() {
        server.api.get("/health").await.expect(200);
        served += 1;
    }
    let answer = upload.await.unwrap().expect(200);
    assert_eq!((&answer["uploaded"], answer["files"].as_array().unwrap().len()), (&json!(3000), 3000));
    assert!(served > 5, "{served} requests were answered meanwhile");
    assert_eq!(fs::read_to_string(server.workspace.join("many/2999")).unwrap(), "content 2999");
    assert_eq!(server.api.session(&id).await["head_seq"], 3002);
}

#[tokio::test]
async fn more_files_than_allowed_are_told_one_by_one() {
    let mut setup = Setup::default();
    setup.uploads.files = 2;
    let server = setup.start().await;
    let id = server.session().await;
    let form = Form::new().file("a", "1").file("b", "2").file("c", "3");
    let answer = server.api.upload(&id, form).await.expect(200);
    assert_eq!(told(&answer)[2], ("c", "failed", "too_many_files"));
}

/// Assurance row 39.
#[tokio::test]
async fn quotas_hold_before_anything_is_written() {
    let mut setup = Setup::default();
    setup.uploads.workspace_bytes = Some(100);
    let server = setup.start().await;
    let id = server.session().await;
    let answer = server.api.upload(&id, Form::new().file("a", vec![0; 60]).file("b", vec![0; 60])).await.expect(200);
    assert_eq!(told(&answer), [("a", "uploaded", ""), ("b", "failed", "quota_exceeded")]);
    server.api.upload(&id, Form::new().file("c", vec![0; 100_000])).await.expect_problem(507, "quota_exceeded");
    assert_eq!(fs::read_dir(&server.workspace).unwrap().count(), 1);
}

#[tokio::test]
async fn the_floor_of_free_space_holds_before_anything_is_written() {
    let mut setup = Setup::default();
    setup.uploads.free_bytes = u64::MAX / 2;
    let server = setup.start().await;
    let id = server.session().await;
    server.api.upload(&id, Form::new().file("a", "x")).await.expect_problem(507, "no_space");
    assert_eq!(fs::read_dir(&server.workspace).unwrap().count(), 0);
}

#[tokio::test]
async fn a_form_without_scripts_leads_back_to_the_page() {
    let server = Server::start().await;
    let id = server.session().await;
    let html = [("accept", "text/html,*/*;q=0.8")];
    let answer = server.api.upload_as(&id, Form::new().file("a.txt", "x"), &html).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("/sessions/{id}").as_str()));
    let answer = server.api.upload_as(&id, Form::new().file("a.txt", "x").file("b.txt", "y"), &html).await;
    let place = answer.header("location").to_owned();
    assert_eq!(answer.status, 303);
    assert!(place.contains("error=1%20of%202%20files%20was%20not%20uploaded"), "{place}");
    assert!(
        server
            .api
            .page(&place)
            .await
            .text
            .contains("1 of 2 files was not uploaded. a.txt: A file or folder of this name")
    );
}

#[tokio::test]
async fn there_is_no_upload_without_a_session_or_its_folder() {
    let server = Server::start().await;
    let nobody = "0".repeat(32);
    server.api.upload(&nobody, Form::new().file("a", "x")).await.expect_problem(404, "not_found");
    let id = server.session().await;
    fs::remove_dir(&server.workspace).unwrap();
    server.api.upload(&id, Form::new().file("a", "x")).await.expect_problem(422, "workspace_not_found");
    assert!(server.api.upload_events(&id).await.is_empty());
}

#[tokio::test]
async fn the_model_is_told_of_files_with_the_next_message() {
    let server = Server::playing([say("Seen."), say("Nothing new.")]).await;
    let id = server.session().await;
    server.api.upload(&id, Form::new().file("plan.txt", "x").file("con", "x")).await.expect(200);
    server.turn(&id, "What is new?").await;
    server.turn(&id, "And now?").await;
    let requests = server.model.requests();
    let notes = |request: &Value| {
        let messages = request["messages"].as_array().unwrap().clone();
        messages
            .into_iter()
            .filter(|message| message.to_string().contains("uploaded into the folder"))
            .collect::<Vec<_>>()
    };
    let told = notes(&requests[0]);
    assert_eq!(told.len(), 1, "{:#?}", requests[0]);
    assert!(told[0].to_string().contains("`plan.txt`") && !told[0].to_string().contains("`con`"));
    assert_eq!(notes(&requests[1]).len(), 1, "it stays in the history, and comes once");
    let rows = server.api.rows(&id).await;
    assert_eq!(rows[1]["metadata"]["workspace_files"], json!(["plan.txt"]));
    assert!(!server.api.page(&format!("/sessions/{id}")).await.text.contains("uploaded into the folder"));
}

#[tokio::test]
async fn a_running_turn_is_told_of_files_with_its_next_model_call() {
    let gate = Gate::new();
    let server = Server::playing([call("c", "list_directory", &json!({})).wait(&gate), say("I see it.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=0").await;
    server.api.send(&id, "Wait for my file").await;
    socket.wait("turn_started").await;
    server.api.upload(&id, Form::new().file("late.txt", "x")).await.expect(200);
    gate.open();
    socket.wait("turn_completed").await;
    assert!(server.model.requests()[1]["messages"].to_string().contains("`late.txt`"));
}
