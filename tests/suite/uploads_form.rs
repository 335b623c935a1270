//! Bodies that no browser sends: what is not a form is refused, and what was taken before it went wrong is told.

use std::fs;

use serde_json::json;

use crate::support::{
    form::{BOUNDARY, Form},
    raw::{exchange, status},
    server::{Server, Setup},
};

const FILE: &str = "Content-Disposition: form-data; name=\"files\"; filename=\"a.txt\"";

fn names(server: &Server) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(&server.workspace)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The body of the last answer in what a raw connection brought.
fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(&answer[answer.find("\r\n\r\n").unwrap()..]).unwrap_or_else(|_| panic!("{answer}"))
}

/// Assurance rows 44 and 46.
#[tokio::test]
async fn what_is_no_form_with_files_is_400() {
    let server = Server::start().await;
    let id = server.session().await;
    for form in [
        Form::new(),
        Form::new().field("target_dir", "x"),
        Form::new().part("Content-Disposition: form-data; name=\"files\"; filename=\"\"", ""),
        Form::new().part("Content-Disposition: form-data; name=\"files\"", "text"),
        Form::new().part("Content-Disposition: form-data; name=\"other\"; filename=\"a\"", "text"),
        Form::new().part("Content-Disposition: form-data; filename=\"a\"", "text"),
        Form::new().part("Content-Disposition: attachment; name=\"files\"; filename=\"a\"", "text"),
        Form::new().part("Content-Type: text/plain", "text"),
        Form::new().part(
            "Content-Disposition: form-data; name=\"files\"\r\nContent-Type: multipart/mixed; boundary=x",
            "--x--",
        ),
        Form::new().part(&format!("{FILE}\r\n folded: x"), "text"),
        Form::new().part(&format!("{FILE}{}", "\r\nX: y".repeat(33)), "text"),
        Form::new().part(&format!("{FILE}\r\nX: {}", "y".repeat(17 * 1024)), "text"),
        Form::new().raw("x".repeat(20_000)).file("a.txt", "x"),
        Form::new().field("target_dir", &"x".repeat(20_000)).file("a.txt", "x"),
        Form::new().raw(format!("--{BOUNDARY}\r\n{FILE}")),
        Form::new().raw(
            [
                b"--",
                BOUNDARY.as_bytes(),
                b"\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\xff\"\r\n\r\nx\r\n",
            ]
            .concat(),
        ),
    ] {
        server.api.upload(&id, form).await.expect_problem(400, "bad_multipart");
    }
    assert!(names(&server).is_empty() && server.api.upload_events(&id).await.is_empty());
}

/// Assurance row 45.
#[tokio::test]
async fn a_field_stands_once_and_before_the_files() {
    let server = Server::start().await;
    let id = server.session().await;
    let fields = || Form::new().field("target_dir", "x");
    for form in [
        fields().field("target_dir", "x").file("a", "x"),
        Form::new().field("on_conflict", "skip").field("overwrite", "true").file("a", "x"),
        Form::new().field("overwrite", "true").field("overwrite", "true").file("a", "x"),
    ] {
        server.api.upload(&id, form).await.expect_problem(400, "bad_multipart");
    }
    assert!(names(&server).is_empty());
    for (field, value) in [("on_conflict", "maybe"), ("overwrite", "yes"), ("colour", "red")] {
        let answer = server.api.upload(&id, Form::new().field(field, value).file("a", "x")).await;
        assert!(answer.expect_problem(422, "invalid_request").contains(field));
    }
    let late = Form::new().file("first.txt", "1").field("target_dir", "x").file("second.txt", "2");
    let answer = server.api.upload(&id, late).await;
    assert_eq!(answer.status, 400);
    let problem = answer.json();
    assert_eq!((&problem["code"], &problem["uploaded"]), (&json!("bad_multipart"), &json!(1)));
    assert_eq!(problem["files"].as_array().unwrap().len(), 1);
    assert_eq!(names(&server), ["first.txt"], "what had arrived stands in `files`");
}

/// Assurance row 47, trap T6.
#[tokio::test]
async fn all_forms_of_a_file_name_come_to_the_same() {
    let server = Server::start().await;
    let id = server.session().await;
    let form = [
        "form-data; name=\"files\"; filename=\"say %22hi%22 1.txt\"",
        "form-data; name=\"files\"; filename=\"say \\\"hi\\\" 2.txt\"",
        "form-data; name=files; FILENAME*=utf-8''say%20%22hi%22%203.txt",
        "Form-Data; filename*=UTF-8''say%20%22hi%22%204.txt; filename=\"x\"; name=\"files\"",
        "form-data; name=\"files\"; filename=\"x\"; filename*=UTF-8''say%20%22hi%22%205.txt",
    ];
    let form = form.iter().fold(Form::new(), |form, header| form.part(&format!("Content-Disposition: {header}"), "x"));
    let answer = server.api.upload(&id, form).await.expect(200);
    assert_eq!(answer["uploaded"], 5, "{answer}");
    assert_eq!(names(&server), (1..=5).map(|number| format!("say \"hi\" {number}.txt")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_not_multipart_is_415() {
    let server = Server::start().await;
    let id = server.session().await;
    let path = format!("/cowork/sessions/{id}/uploads");
    for kind in ["application/json", "text/plain", "multipart/mixed; boundary=x", ""] {
        let headers = [("content-type", kind)];
        server
            .api
            .request("POST", &path, &headers, Some("x".into()))
            .await
            .expect_problem(415, "unsupported_media_type");
    }
    for kind in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a\u{1}\""] {
        let kind = kind.replace('\u{1}', &"x".repeat(71));
        let headers = [("content-type", kind.as_str())];
        server.api.request("POST", &path, &headers, Some("x".into())).await.expect_problem(400, "bad_multipart");
    }
}

/// Assurance row 38: by `Content-Length`, at once.
#[tokio::test]
async fn a_request_that_announces_too_much_is_413_before_its_body() {
    let server = Server::start().await;
    let id = server.session().await;
    let head = Form::head(&id, &server.api, "Content-Length: 4000001\r\nConnection: close\r\n");
    let answer = exchange(server.address, head).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert_eq!(body(&answer)["code"], "request_too_large");
    assert!(names(&server).is_empty() && server.api.upload_events(&id).await.is_empty());
}

/// Assurance row 38: without `Content-Length`, what had arrived is told.
#[tokio::test]
async fn a_request_that_grows_too_large_keeps_what_had_arrived() {
    let mut setup = Setup::default();
    setup.uploads.request_bytes = 1500;
    let server = setup.start().await;
    let id = server.session().await;
    let form = Form::new().file("first.txt", vec![b'1'; 400]).file("second.txt", vec![b'2'; 2000]);
    let answer = exchange(server.address, form.chunked(&id, &server.api)).await;
    assert_eq!(status(&answer), 413, "{answer}");
    let problem = body(&answer);
    assert_eq!(
        (&problem["code"], &problem["uploaded"], &problem["failed"]),
        (&json!("request_too_large"), &json!(1), &json!(1))
    );
    assert_eq!(problem["files"][0]["name"], "first.txt");
    assert_eq!(names(&server), ["first.txt"]);
    let kinds: Vec<_> = server
        .api
        .upload_events(&id)
        .await
        .iter()
        .map(|event| event["event_type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["upload_started", "upload_completed", "upload_failed"]);
}

/// Assurance row 38: the limits one below, at, and one above.
#[tokio::test]
async fn the_limits_are_exact() {
    let file = 1000;
    let whole = |size: usize| Form::new().file("a", vec![b'x'; size]).bytes().len();
    for (size, expected) in [(file - 1, "uploaded"), (file, "uploaded"), (file + 1, "failed")] {
        let mut setup = Setup::default();
        setup.uploads.file_bytes = file as u64;
        setup.uploads.request_bytes = whole(file + 1) as u64;
        let server = setup.start().await;
        let id = server.session().await;
        let answer = server.api.upload(&id, Form::new().file("a", vec![b'x'; size])).await.expect(200);
        assert_eq!(answer["files"][0]["status"], expected, "{size}");
        let answer = server.api.upload(&id, Form::new().file("b", vec![b'x'; file + 2])).await;
        answer.expect_problem(413, "request_too_large");
    }
}

/// Assurance row 38: lengths that lie.
#[tokio::test]
async fn a_length_that_is_none_is_refused() {
    let server = Server::start().await;
    let id = server.session().await;
    let form = String::from_utf8(Form::new().file("a", "x").bytes()).unwrap();
    for length in
        ["Content-Length: -1", "Content-Length: 5, 6", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: x"]
    {
        let answer =
            exchange(server.address, format!("{}{form}", Form::head(&id, &server.api, &format!("{length}\r\n")))).await;
        assert_eq!(status(&answer), 400, "{length} {answer}");
    }
    let short = Form::head(&id, &server.api, &format!("Content-Length: {}\r\nConnection: close\r\n", form.len() - 20));
    let answer = exchange(server.address, format!("{short}{form}")).await;
    assert_eq!(status(&answer), 400, "{answer}");
    assert_eq!(body(&answer)["code"], "bad_multipart");
    assert!(names(&server).is_empty());
}
