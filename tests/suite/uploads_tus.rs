//! Resumable uploads by tus 1.0: what is acknowledged lasts, the file appears whole, and the rules are those of any
//! other upload.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    http::{Answer, Api},
    model::ScriptedModel,
    process::Home,
    raw::Raw,
    server::{Server, Setup},
};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

fn content(length: u32) -> Vec<u8> {
    (0..length).map(|number| (number % 251) as u8).collect()
}

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

pub async fn create(api: &Api, session: &str, length: usize, pairs: &[(&str, &str)]) -> Answer {
    let (length, metadata) = (length.to_string(), metadata(pairs));
    let headers = [TUS, ("upload-length", length.as_str()), ("upload-metadata", metadata.as_str())];
    api.request("POST", &format!("/cowork/sessions/{session}/uploads/tus"), &headers, None).await
}

/// A new upload's address.
pub async fn begin(api: &Api, session: &str, length: usize, pairs: &[(&str, &str)]) -> String {
    let answer = create(api, session, length, pairs).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!((answer.header("tus-resumable"), answer.header("upload-offset")), ("1.0.0", "0"));
    assert!(answer.header("upload-expires").ends_with("GMT"), "{answer:?}");
    answer.header("location").to_owned()
}

pub async fn send(api: &Api, place: &str, offset: usize, piece: &[u8], more: &[(&str, &str)]) -> Answer {
    let offset = offset.to_string();
    let headers = [TUS, ("content-type", "application/offset+octet-stream"), ("upload-offset", offset.as_str())];
    let headers: Vec<_> = headers.into_iter().chain(more.iter().copied()).collect();
    api.send_bytes("PATCH", place, &headers, piece.to_vec()).await
}

async fn offset(api: &Api, place: &str) -> usize {
    let answer = api.request("HEAD", place, &[TUS], None).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer.header("upload-offset").parse().unwrap()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_file_comes_in_pieces_and_appears_whole() {
    let server = Server::start().await;
    let id = server.session().await;
    let file = content(500_000);
    let place = begin(&server.api, &id, file.len(), &[("filename", "sub/ä.bin"), ("target_dir", "in")]).await;
    for (at, end) in [(0, 200_000), (200_000, 200_001), (200_001, 500_000)] {
        assert_eq!(offset(&server.api, &place).await, at);
        assert!(!server.workspace.join("in").exists(), "nothing is there before the last byte");
        let answer = send(&server.api, &place, at, &file[at..end], &[]).await;
        assert_eq!((answer.status, answer.header("upload-offset")), (204, end.to_string().as_str()), "{answer:?}");
    }
    assert_eq!(fs::read(server.workspace.join("in/sub/ä.bin")).unwrap(), file);
    assert_eq!(offset(&server.api, &place).await, file.len(), "who lost the last answer learns that it is done");
    let told = server.api.get(&place).await.expect(200);
    assert_eq!((&told["result"]["status"], &told["result"]["sha256"]), (&json!("uploaded"), &json!(hash(&file))));
    assert_eq!(told["result"]["path"], "in/sub/ä.bin");
    let events = server.api.upload_events(&id).await;
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["upload_started", "upload_completed"]);
    assert_eq!(
        (&events[0]["payload"]["resumable"], &events[0]["payload"]["name"]),
        (&json!(true), &json!("sub/ä.bin"))
    );
    assert_eq!(events[1]["payload"]["sha256"], json!(hash(&file)));
    let pieces = server.database.with_file_name("cowork.db.files").join("uploads");
    assert_eq!(fs::read_dir(pieces).unwrap().count(), 0);
}

/// The pieces stand on the server's own disk until the file is whole: all that open uploads may still bring counts.
#[tokio::test]
async fn open_uploads_together_leave_the_disk_its_floor() {
    let mut setup = Setup::default();
    setup.uploads.file_bytes = u64::MAX;
    let server = setup.start().await;
    let id = server.session().await;
    let free = || {
        let disk = rustix::fs::statvfs(&server.workspace).unwrap();
        (disk.f_bavail * disk.f_frsize) as usize
    };
    // Each fits; what else is written to this disk meanwhile is far less than the rest.
    let most = free() / 5 * 3;
    let place = begin(&server.api, &id, most, &[("filename", "one")]).await;
    let refused = create(&server.api, &id, most, &[("filename", "other")]).await;
    refused.expect_problem(507, "no_space");
    server.api.request("DELETE", &place, &[TUS], None).await.expect(204);
    begin(&server.api, &id, most, &[("filename", "other")]).await;
}

/// Pieces that belong to no upload are swept when one begins; those of another that begins just then do.
#[tokio::test]
async fn uploads_that_begin_together_keep_what_is_sent_to_each() {
    let server = Server::start().await;
    let session = server.session().await;
    let sent = (0..24).map(|number| {
        let (api, session, name) = (server.api.clone(), session.clone(), format!("file-{number}"));
        async move {
            let place = begin(&api, &session, 3, &[("filename", &name)]).await;
            send(&api, &place, 0, b"abc", &[]).await.status
        }
    });
    let answers = futures::future::join_all(sent).await;
    assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
    assert_eq!(fs::read_dir(&server.workspace).unwrap().count(), 24);
}

#[tokio::test]
async fn what_the_server_can_do_is_told() {
    let server = Server::start().await;
    let id = server.session().await;
    let answer = server.api.request("OPTIONS", &format!("/cowork/sessions/{id}/uploads/tus"), &[], None).await;
    assert_eq!(answer.status, 204);
    assert_eq!((answer.header("tus-version"), answer.header("tus-resumable")), ("1.0.0", "1.0.0"));
    assert_eq!(answer.header("tus-extension"), "creation,creation-with-upload,checksum,termination,expiration");
    assert_eq!((answer.header("tus-max-size"), answer.header("tus-checksum-algorithm")), ("1000000", "sha1,sha256"));
}

/// Creation with the first bytes: what is told is how much of it is there, whatever came of them.
async fn create_with(api: &Api, session: &str, length: usize, first: &[u8], more: &[(&str, &str)]) -> Answer {
    let (length, metadata) = (length.to_string(), metadata(&[("filename", "a.txt")]));
    let headers = [
        TUS,
        ("content-type", "application/offset+octet-stream"),
        ("upload-length", length.as_str()),
        ("upload-metadata", metadata.as_str()),
    ];
    let headers: Vec<_> = headers.into_iter().chain(more.iter().copied()).collect();
    api.send_bytes("POST", &format!("/cowork/sessions/{session}/uploads/tus"), &headers, first.to_vec()).await
}

#[tokio::test]
async fn the_first_bytes_may_come_with_the_creation() {
    let server = Server::start().await;
    let id = server.session().await;
    let answer = create_with(&server.api, &id, 5, b"hel", &[]).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (201, "3"), "{answer:?}");
    let place = answer.header("location");
    assert_eq!(offset(&server.api, place).await, 3);
    assert_eq!(send(&server.api, place, 3, b"lo", &[]).await.status, 204);
    assert_eq!(fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "hello");
    // All of a small file in one request.
    fs::remove_file(server.workspace.join("a.txt")).unwrap();
    let answer = create_with(&server.api, &id, 5, b"whole", &[]).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (201, "5"), "{answer:?}");
    assert_eq!(fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "whole");
    assert_eq!(server.api.events_of(&id, "upload_completed").await.len(), 2);
}

#[tokio::test]
async fn first_bytes_that_are_not_taken_leave_an_upload_that_can_go_on() {
    let server = Server::start().await;
    let id = server.session().await;
    let good = ("upload-checksum", "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=");
    let answer = create_with(&server.api, &id, 5, b"hallo", &[good]).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (201, "0"), "{answer:?}");
    let place = answer.header("location");
    send(&server.api, place, 0, b"hallo", &[good]).await.expect_problem(460, "checksum_mismatch");
    assert_eq!(send(&server.api, place, 0, b"hello", &[good]).await.status, 204);
    assert_eq!(fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "hello");
    let answer = create_with(&server.api, &id, 5, b"again", &[]).await;
    answer.expect_problem(422, "already_exists");
}

#[tokio::test]
async fn a_post_may_stand_for_a_method_that_somebody_on_the_way_lets_not_through() {
    let server = Server::start().await;
    let id = server.session().await;
    let place = begin(&server.api, &id, 5, &[("filename", "a.txt")]).await;
    let as_method = |method: &'static str| ("x-http-method-override", method);
    let piece = [TUS, ("content-type", "application/offset+octet-stream"), ("upload-offset", "0"), as_method("PATCH")];
    let answer = server.api.send_bytes("POST", &place, &piece, b"hel".to_vec()).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (204, "3"), "{answer:?}");
    let answer = server.api.request("POST", &place, &[TUS, as_method("HEAD")], None).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (200, "3"), "{answer:?}");
    for other in ["", "GET", "patch", "PUT"] {
        let answer = server.api.request("POST", &place, &[TUS, ("x-http-method-override", other)], None).await;
        answer.expect_problem(422, "invalid_request");
    }
    // A method that is checked as reading stays one.
    let answer = server.api.request("GET", &place, &[TUS, as_method("DELETE")], None).await;
    assert_eq!(answer.expect(200)["offset"], 3);
    assert_eq!(server.api.request("POST", &place, &[TUS, as_method("DELETE")], None).await.status, 204);
    assert_eq!(server.api.request("HEAD", &place, &[TUS], None).await.status, 404);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_anything_is_kept() {
    let server = Server::start().await;
    let id = server.session().await;
    fs::write(server.workspace.join("there.txt"), "old").unwrap();
    for (length, pairs, status, code) in [
        (1_000_001, vec![("filename", "a")], 413, "file_too_large"),
        (5, vec![], 422, "invalid_request"),
        (5, vec![("filename", "../a")], 422, "path_outside_workspace"),
        (5, vec![("filename", "con")], 422, "bad_name"),
        (5, vec![("filename", "a"), ("target_dir", "..")], 422, "path_outside_workspace"),
        (5, vec![("filename", "there.txt")], 422, "already_exists"),
        (5, vec![("filename", "a"), ("on_conflict", "maybe")], 422, "invalid_request"),
    ] {
        create(&server.api, &id, length, &pairs).await.expect_problem(status, code);
    }
    create(&server.api, &"0".repeat(32), 5, &[("filename", "a")]).await.expect_problem(404, "not_found");
    let path = format!("/cowork/sessions/{id}/uploads/tus");
    let answer = server.api.request("POST", &path, &[("upload-length", "5")], None).await;
    answer.expect_problem(412, "tus_version");
    assert_eq!(answer.header("tus-resumable"), "1.0.0");
    server
        .api
        .request("POST", &path, &[TUS, ("upload-defer-length", "1")], None)
        .await
        .expect_problem(422, "invalid_request");
    assert!(server.api.upload_events(&id).await.is_empty());

    let place = begin(&server.api, &id, 5, &[("filename", "a")]).await;
    send(&server.api, &place, 3, b"lo", &[]).await.expect_problem(409, "offset_mismatch");
    send(&server.api, &place, 0, b"too long", &[]).await.expect_problem(413, "request_too_large");
    let wrong = [TUS, ("content-type", "text/plain"), ("upload-offset", "0")];
    server.api.send_bytes("PATCH", &place, &wrong, vec![1]).await.expect_problem(415, "unsupported_media_type");
    assert_eq!(offset(&server.api, &place).await, 0);
    let other = server.session().await;
    let foreign = place.replace(&id, &other);
    send(&server.api, &foreign, 0, b"hello", &[]).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_piece_that_is_not_what_its_checksum_says_is_dropped() {
    let server = Server::start().await;
    let id = server.session().await;
    let place = begin(&server.api, &id, 5, &[("filename", "a.txt")]).await;
    let good = ("upload-checksum", "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=");
    send(&server.api, &place, 0, b"hallo", &[good]).await.expect_problem(460, "checksum_mismatch");
    assert_eq!(offset(&server.api, &place).await, 0);
    let unknown = ("upload-checksum", "crc32 AAAA");
    send(&server.api, &place, 0, b"hello", &[unknown]).await.expect_problem(422, "invalid_request");
    assert_eq!(send(&server.api, &place, 0, b"hello", &[good]).await.status, 204);
    assert_eq!(fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "hello");
}

#[tokio::test]
async fn a_name_that_is_taken_meanwhile_is_told_at_the_end() {
    let server = Server::start().await;
    let id = server.session().await;
    let place = begin(&server.api, &id, 5, &[("filename", "a.txt")]).await;
    fs::write(server.workspace.join("a.txt"), "theirs").unwrap();
    send(&server.api, &place, 0, b"hello", &[]).await.expect_problem(422, "already_exists");
    assert_eq!(fs::read_to_string(server.workspace.join("a.txt")).unwrap(), "theirs");
    let events = server.api.upload_events(&id).await;
    assert_eq!(
        (&events[1]["event_type"], &events[1]["payload"]["code"]),
        (&json!("upload_failed"), &json!("already_exists"))
    );
    assert_eq!(server.api.request("HEAD", &place, &[TUS], None).await.status, 422);
    let place = begin(&server.api, &id, 0, &[("filename", "a.txt"), ("on_conflict", "keep_both")]).await;
    assert_eq!(
        server.api.get(&place).await.expect(200)["result"]["path"],
        "a (2).txt",
        "an empty file is whole at once"
    );
}

#[tokio::test]
async fn an_upload_can_be_cancelled() {
    let server = Server::start().await;
    let id = server.session().await;
    let place = begin(&server.api, &id, 5, &[("filename", "a.txt")]).await;
    send(&server.api, &place, 0, b"he", &[]).await;
    assert_eq!(server.api.request("DELETE", &place, &[TUS], None).await.status, 204);
    assert_eq!(server.api.request("HEAD", &place, &[TUS], None).await.status, 404);
    assert_eq!(server.api.upload_events(&id).await[1]["payload"]["code"], "upload_cancelled");
    assert_eq!(fs::read_dir(&server.workspace).unwrap().count(), 0);
}

/// The connection breaks in the middle of a piece: what had arrived counts, and a new request does not wait for the
/// old one to be noticed.
#[tokio::test]
async fn a_piece_that_breaks_off_counts_as_far_as_it_came() {
    let server = Server::start().await;
    let id = server.session().await;
    let file = content(600_000);
    let place = begin(&server.api, &id, file.len(), &[("filename", "a.bin")]).await;
    let head = format!(
        "PATCH {place} HTTP/1.1\r\n{}Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: 600000\r\n\r\n",
        server.api.signed_head()
    );
    let (mut at, mut stalled) = (0, Vec::new());
    while at == 0 {
        // The connection stays open and says nothing more. Asking may be quicker than its first byte; then once more.
        let mut connection = Raw::connect(server.address).await;
        connection.write([head.as_bytes(), &file[..250_000]].concat()).await;
        stalled.push(connection);
        at = offset(&server.api, &place).await;
    }
    assert!(at <= 250_000);
    assert_eq!(send(&server.api, &place, at, &file[at..], &[]).await.status, 204);
    assert_eq!(fs::read(server.workspace.join("a.bin")).unwrap(), file);
}

/// Contract: state survives a restart, here a kill.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_a_kill() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let file = content(300_000);
    let place = begin(&process.api, &id, file.len(), &[("filename", "a.bin")]).await;
    assert_eq!(send(&process.api, &place, 0, &file[..100_000], &[]).await.status, 204);
    process.kill_9();
    let process = home.start().await;
    assert_eq!(offset(&process.api, &place).await, 100_000);
    assert_eq!(send(&process.api, &place, 100_000, &file[100_000..], &[]).await.status, 204);
    assert_eq!(fs::read(home.workspace.join("a.bin")).unwrap(), file);
    let result: Value = process.api.get(&place).await.expect(200);
    assert_eq!(result["result"]["sha256"], json!(hash(&file)));
}

#[tokio::test]
async fn an_upload_that_waited_too_long_is_given_up() {
    let mut setup = Setup::default();
    setup.uploads.keep_partial = std::time::Duration::ZERO;
    let server = setup.start().await;
    let id = server.session().await;
    let place = begin(&server.api, &id, 5, &[("filename", "a.txt")]).await;
    // Each new upload looks for those that have waited too long.
    let mut status = 200;
    while status == 200 {
        begin(&server.api, &id, 5, &[("filename", "b.txt")]).await;
        status = server.api.request("HEAD", &place, &[TUS], None).await.status;
    }
    assert_eq!(status, 404);
    let expired = server.api.events_of(&id, "upload_failed").await;
    assert_eq!(
        (&expired[0]["payload"]["name"], &expired[0]["payload"]["code"]),
        (&json!("a.txt"), &json!("upload_expired"))
    );
}
