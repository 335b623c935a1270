//! The files of a workspace over HTTP: listed, searched, previewed, downloaded, packed. Nothing leads out of it, and
//! nothing in them runs.

use std::{fs, io::Read, os::unix::fs::symlink};

use serde_json::{Value, json};

use crate::support::{http::Answer, server::Server};

const SECRET: &str = "the secret of the house next door";

/// A server with files in its workspace, and a secret beside it.
async fn place() -> (Server, String) {
    let server = Server::start().await;
    for (name, text) in [
        ("readme.md", "# Hello\n\n<script>alert(1)</script>\n"),
        ("docs/plan.txt", "the plan"),
        ("docs/deep/ä b.csv", "a,b\n1,2\n"),
        ("page.html", "<script>alert(1)</script>"),
        ("picture.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("paper.pdf", "%PDF-1.4"),
        ("node_modules.txt", "x"),
        ("search", "a file of this name"),
        (".hidden", "x"),
        ("ignored.log", "x"),
        (".gitignore", "*.log\n"),
        (".git/config", "[core]"),
    ] {
        server.write_file(name, text);
    }
    fs::write(server.workspace.join("data.bin"), [0_u8, 159, 146, 150]).unwrap();
    let outside = server.workspace.parent().unwrap().join("work-secret");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("key.txt"), SECRET).unwrap();
    symlink(&outside, server.workspace.join("out")).unwrap();
    symlink(outside.join("key.txt"), server.workspace.join("key.txt")).unwrap();
    let id = server.session().await;
    (server, id)
}

fn at(id: &str, rest: &str) -> String {
    format!("/cowork/sessions/{id}/{rest}")
}

fn paths(list: &Value) -> Vec<&str> {
    list["entries"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_folder_is_listed_with_kinds_sizes_and_times() {
    let (server, id) = place().await;
    let list = server.api.get(&at(&id, "files?dir=docs")).await.expect(200);
    assert_eq!(paths(&list), ["docs/deep", "docs/plan.txt"]);
    let (folder, file) = (&list["entries"][0], &list["entries"][1]);
    assert_eq!((&folder["kind"], &folder["size"]), (&json!("folder"), &Value::Null));
    assert_eq!((&file["kind"], &file["size"], &file["name"]), (&json!("file"), &json!(8), &json!("plan.txt")));
    assert!(file["modified_at"].as_str().unwrap().ends_with('Z'));
    let top = server.api.get(&at(&id, "files")).await.expect(200);
    let kinds: Vec<_> = top["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["kind"].as_str().unwrap()))
        .collect();
    assert!(kinds.contains(&("out", "other")) && kinds.contains(&("key.txt", "other")), "{kinds:?}");
    assert!(!top.to_string().contains("work-secret"), "where a link leads is nobody's to know");
    server.api.get(&at(&id, "files?dir=docs/plan.txt")).await.expect_problem(422, "not_a_folder");
    server.api.get(&at(&id, "files?dir=nowhere")).await.expect_problem(404, "not_found");
}

/// Assurance rows 31 to 33: no way of asking leads out.
#[tokio::test]
async fn nothing_outside_is_read() {
    let (server, id) = place().await;
    for place in [
        "files?dir=..",
        "files?dir=/etc",
        "files?dir=docs/../..",
        "files?dir=out",
        "files/../work-secret/key.txt",
        "files/..%2fwork-secret%2fkey.txt",
        "files/%2e%2e/work-secret/key.txt",
        "files/%2Fetc%2Fpasswd",
        "files/out/key.txt",
        "files/key.txt",
        "files/docs%00",
        "preview/key.txt",
        "preview/..%2fwork-secret%2fkey.txt",
        "archive?dir=out",
        "archive?dir=..",
    ] {
        let answer = server.api.get(&at(&id, place)).await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{place}: {answer:?}");
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("root:"), "{place}");
    }
}

fn packed_names<R: Read + std::io::Seek>(zip: &zip::ZipArchive<R>) -> Vec<String> {
    zip.file_names().map(|name| name.unwrap().into_owned()).collect()
}

fn is_inert(answer: &Answer, kind: &str) {
    assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'", "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-disposition").starts_with(kind), "{answer:?}");
}

/// Assurance row 18.
#[tokio::test]
async fn a_download_is_an_attachment_that_runs_nothing() {
    let (server, id) = place().await;
    for name in ["page.xml", "page.xhtml"] {
        server.write_file(name, "<html xmlns=\"http://www.w3.org/1999/xhtml\"><script>alert(1)</script></html>");
    }
    for name in ["page.html", "page.xml", "page.xhtml", "picture.svg", "readme.md", "docs/plan.txt"] {
        let answer = server.api.get(&at(&id, &format!("files/{name}"))).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/octet-stream"), "{name}");
        is_inert(&answer, "attachment; filename=");
        assert_eq!(answer.text, fs::read_to_string(server.workspace.join(name)).unwrap());
        assert_eq!(answer.header("content-length"), answer.text.len().to_string());
    }
    let answer = server.api.get(&at(&id, "files/docs/deep/%C3%A4%20b.csv")).await;
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"_ b.csv\"; filename*=UTF-8''%C3%A4%20b.csv"
    );
    for (name, content_type) in [("picture.svg", "image/svg+xml"), ("paper.pdf", "application/pdf")] {
        let answer = server.api.get(&at(&id, &format!("files/{name}?inline=true"))).await;
        assert_eq!(answer.header("content-type"), content_type);
        is_inert(&answer, "inline; filename=");
    }
    for name in ["page.html", "page.xml", "page.xhtml"] {
        let answer = server.api.get(&at(&id, &format!("files/{name}?inline=true"))).await;
        is_inert(&answer, "attachment; filename=");
    }
    server.api.get(&at(&id, "files/docs")).await.expect_problem(422, "not_a_file");
    server.api.get(&at(&id, "files/gone.txt")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off() {
    let (server, id) = place().await;
    let path = at(&id, "files/docs/plan.txt");
    let range = async |range: &str, tag: &str| {
        let mut headers = vec![("range", range)];
        if !tag.is_empty() {
            headers.push(("if-range", tag));
        }
        server.api.request("GET", &path, &headers, None).await
    };
    let whole = server.api.get(&path).await;
    let tag = whole.header("etag").to_owned();
    for (asked, text, told) in
        [("bytes=4-", "plan", "bytes 4-7/8"), ("bytes=0-2", "the", "bytes 0-2/8"), ("bytes=-4", "plan", "bytes 4-7/8")]
    {
        let part = range(asked, &tag).await;
        assert_eq!((part.status, part.text.as_str(), part.header("content-range")), (206, text, told));
    }
    assert_eq!(range("bytes=4-", "\"another\"").await.status, 200, "the file has changed: all of it");
    let beyond = range("bytes=8-", "").await;
    beyond.expect_problem(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), "bytes */8");
    assert_eq!(range("bytes=0-1,3-4", "").await.text, "the plan");
    let head = server.api.request("HEAD", &path, &[], None).await;
    assert_eq!((head.status, head.header("content-length"), head.text.as_str()), (200, "8", ""));
}

#[tokio::test]
async fn a_file_is_found_by_what_is_typed() {
    let (server, id) = place().await;
    let found = async |query: &str| {
        let list = server.api.get(&at(&id, &format!("files/search{query}"))).await.expect(200);
        paths(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("?q=plan").await, ["docs/plan.txt"]);
    assert_eq!(found("?q=%C3%84%20B&limit=5").await, ["docs/deep/ä b.csv"]);
    assert!(found("?q=ignored").await.is_empty() && found("?q=hidden").await.is_empty());
    assert!(found("?q=key").await.is_empty(), "a link out is not found");
    assert_eq!(found("?q=&limit=2").await.len(), 2);
    for limit in ["0", "201", "x"] {
        server
            .api
            .get(&at(&id, &format!("files/search?q=a&limit={limit}")))
            .await
            .expect_problem(422, "invalid_request");
    }
    let file = server.api.get(&at(&id, "files/search")).await;
    assert_eq!(file.text, "a file of this name");
}

#[tokio::test]
async fn a_preview_is_data_and_never_a_page() {
    let (server, id) = place().await;
    let preview = async |name: &str| server.api.get(&at(&id, &format!("preview/{name}"))).await.expect(200);
    let text = preview("docs/plan.txt").await;
    assert_eq!((&text["kind"], &text["text"], &text["truncated"]), (&json!("text"), &json!("the plan"), &json!(false)));
    let page = preview("page.html").await;
    assert_eq!((&page["kind"], &page["text"]), (&json!("text"), &json!("<script>alert(1)</script>")));
    let markdown = preview("readme.md").await;
    assert_eq!(markdown["kind"], "markdown");
    let html = markdown["html"].as_str().unwrap();
    assert!(html.contains("Hello") && !html.contains("<script"), "{html}");
    let table = preview("docs/deep/%C3%A4%20b.csv").await;
    assert_eq!(
        (&table["kind"], &table["table"]),
        (&json!("table"), &json!({"columns": ["a", "b"], "rows": [["1", "2"]]}))
    );
    let image = preview("picture.svg").await;
    assert_eq!((&image["kind"], &image["text"]), (&json!("image"), &Value::Null));
    let shown = server.api.get(image["url"].as_str().unwrap()).await;
    is_inert(&shown, "inline");
    assert_eq!(preview("paper.pdf").await["kind"], "pdf");
    assert_eq!(preview("data.bin").await["kind"], "none");
    fs::write(server.workspace.join("preise.csv"), b"Gr\xf6\xdfe;Preis\nS;5 \x80\n").unwrap();
    let latin = preview("preise.csv").await;
    assert_eq!((&latin["encoding"], &latin["table"]["columns"]), (&json!("Windows-1252"), &json!(["Größe", "Preis"])));
    assert_eq!((&latin["table"]["rows"], &text["encoding"]), (&json!([["S", "5 €"]]), &Value::Null));
    server.write_file("large.txt", &"ä".repeat(200_000));
    let large = preview("large.txt").await;
    assert_eq!((&large["truncated"], large["text"].as_str().unwrap().len()), (&json!(true), 256 * 1024));
    server.api.get(&at(&id, "preview/docs")).await.expect_problem(422, "not_a_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_packed_while_it_is_sent() {
    let (server, id) = place().await;
    let noise: Vec<u8> = (0..600_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(server.workspace.join("docs/noise"), &noise).unwrap();
    fs::create_dir(server.workspace.join("docs/empty")).unwrap();
    let (headers, bytes) = server.api.download(&at(&id, "archive?dir=docs")).await;
    assert_eq!(headers["content-type"], "application/zip");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"docs.zip\""));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut names = packed_names(&zip);
    names.sort();
    assert_eq!(names, ["deep/", "deep/ä b.csv", "empty/", "noise", "plan.txt"]);
    let mut packed = Vec::new();
    zip.by_name("noise").unwrap().read_to_end(&mut packed).unwrap();
    assert_eq!(packed, noise);
    let (_, all) = server.api.download(&at(&id, "archive")).await;
    let zip = zip::ZipArchive::new(std::io::Cursor::new(all)).unwrap();
    let names = packed_names(&zip);
    let has = |name: &str| names.iter().any(|known| known == name);
    assert!(has(".hidden") && has("ignored.log"), "a folder is all of its files: {names:?}");
    assert!(
        names.iter().all(|name| !name.starts_with(".git/") && !name.contains("key") && !name.contains("out")),
        "{names:?}"
    );
    server.api.get(&at(&id, "archive?dir=readme.md")).await.expect_problem(422, "not_a_folder");
}

#[tokio::test]
async fn there_are_no_files_without_a_session() {
    let (server, _) = place().await;
    let nobody = "0".repeat(32);
    for place in ["files", "files/readme.md", "files/search?q=a", "preview/readme.md", "archive"] {
        server.api.get(&at(&nobody, place)).await.expect_problem(404, "not_found");
    }
}
