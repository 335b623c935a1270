//! Uploads that break off: nothing half is ever there, and the log says so. Promise P6.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{
    form::Form,
    http::Api,
    model::ScriptedModel,
    process::{Home, Means},
    raw::{Raw, exchange},
    server::Server,
    shim, soon,
};

/// Every name below a folder, also of unfinished files.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The head and the first `sent` bytes of a form.
fn beginning(id: &str, api: &Api, form: &[u8], sent: usize) -> Vec<u8> {
    let head = Form::head(id, api, &format!("Content-Length: {}\r\n", form.len()));
    [head.as_bytes(), &form[..sent]].concat()
}

async fn upload_event(server: &Server, id: &str, cursor: u64) -> Value {
    let mut socket = server.socket(id, &format!("cursor={cursor}")).await;
    socket.wait_event("upload_failed").await
}

/// Assurance row 37: the connection ends at every 64 KiB.
#[tokio::test]
async fn a_connection_that_ends_early_leaves_no_piece_of_a_file() {
    let server = Server::start().await;
    let id = server.session().await;
    let form = Form::new().file("whole.txt", "1").file("cut.bin", vec![7; 300_000]).bytes();
    for sent in (1..=4).map(|step| step * 65_536) {
        let head = server.api.session(&id).await["head_seq"].as_u64().unwrap();
        let mut connection = Raw::connect(server.address).await;
        connection.write(beginning(&id, &server.api, &form, sent)).await;
        drop(connection);
        let failed = upload_event(&server, &id, head).await;
        assert_eq!(failed["type"], "log_event");
        assert_eq!(names(&server.workspace), ["whole.txt"], "what had arrived whole is there");
        let events = server.api.upload_events(&id).await;
        let last = &events.last().unwrap()["payload"];
        assert_eq!((&last["name"], &last["code"]), (&json!("cut.bin"), &json!("upload_interrupted")));
        fs::remove_file(server.workspace.join("whole.txt")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_ends_uploads_in_order() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let form = Form::new().file("whole.txt", "1").file("cut.bin", vec![7; 300_000]).bytes();
    let mut socket = process.socket(&id, "cursor=0").await;
    let mut connection = Raw::connect(process.address).await;
    connection.write(beginning(&id, &process.api, &form, 100_000)).await;
    socket.wait_event("upload_started").await;
    process.terminate();
    let answer = String::from_utf8_lossy(&connection.read_to_end().await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"upload_interrupted\""), "it is told: {answer}");
    drop(socket);
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(names(&home.workspace), ["whole.txt"]);
    let process = home.start().await;
    let kinds: Vec<_> = process.api.event_types(&id).await;
    assert_eq!(kinds, ["session_started", "upload_started", "upload_completed", "upload_failed"], "recorded once");
}

/// Contract: a kill -9 leaves no partial file under the final name, no temp file after the next start, and the log
/// tells it.
#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_in_mid_upload_nothing_half_is_there() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let form = Form::new().field("target_dir", "box").file("cut.bin", vec![7; 3_000_000]).bytes();
    let mut socket = process.socket(&id, "cursor=0").await;
    let mut connection = Raw::connect(process.address).await;
    connection.write(beginning(&id, &process.api, &form, 2_500_000)).await;
    socket.wait_event("upload_started").await;
    process.kill_9();
    // What a file system leaves that knows no files without a name.
    fs::create_dir_all(home.workspace.join("box")).unwrap();
    fs::write(home.workspace.join("box/.cowork-part-upload-0123"), "half").unwrap();

    let process = home.start().await;
    assert_eq!(names(&home.workspace), ["box"]);
    assert!(names(&home.workspace.join("box")).is_empty());
    let events = process.api.upload_events(&id).await;
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["upload_started", "upload_failed"]);
    assert_eq!(events[1]["payload"]["code"], "upload_interrupted");
    assert_eq!(events[1]["actor"]["kind"], "system");
    drop(process);
    let process = home.start().await;
    assert_eq!(process.api.upload_events(&id).await.len(), 2, "it is told once");
    let answer =
        process.api.upload(&id, Form::new().field("target_dir", "box").file("cut.bin", "whole")).await.expect(200);
    assert_eq!(answer["uploaded"], 1);
}

/// Assurance row 39 and the contract: a disk that is full in the middle of a file, in a file system of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_leaves_nothing_half() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    home.add_settings("[uploads]\nmin_free_bytes = 0");
    let process = home.start_on_small_disk(2_000_000).await;
    let id = process.api.create(json!({})).await;
    let form = Form::new().file("small.txt", "1").file("large.bin", vec![7; 3_000_000]).file("after.txt", "2");
    // Without a length it is found out piece by piece.
    let answer = exchange(process.address, form.chunked(&id, &process.api)).await;
    let files: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let told: Vec<_> = files["files"].as_array().unwrap().iter().map(|file| &file["error"]["code"]).collect();
    assert_eq!(told, [&Value::Null, &json!("no_space"), &Value::Null], "{answer}");
    let list = process.api.get(&format!("/cowork/sessions/{id}/files")).await.expect(200);
    let names: Vec<_> =
        list["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["after.txt", "small.txt"]);
    let failed = process.api.events_of(&id, "upload_failed").await;
    assert_eq!(failed[0]["payload"]["code"], "no_space");
    // Announced, it is refused before its first byte.
    process.api.upload(&id, Form::new().file("large.bin", vec![7; 3_000_000])).await.expect_problem(507, "no_space");
    let answer = process.api.upload(&id, Form::new().file("later.bin", vec![7; 1_000_000])).await.expect(200);
    assert_eq!(answer["uploaded"], 1, "what was given up leaves its room: {answer}");
}

/// A disk that takes a file's bytes and then can't keep them. The database stands elsewhere and is well; for what happens
/// where it is not, see `faults::after_a_failed_sync_nothing_more_is_acknowledged`.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_sync_fails_is_not_there_is_told_and_the_next_one_works() {
    let model = ScriptedModel::start().await;
    let home = Home::with(&model);
    let flag = home.path().join("fails");
    let means = Means::ShimWith(shim::path().to_owned(), vec![("COWORK_SYNC_FAILS", flag.display().to_string())]);
    let process = home.try_start(&means).await.unwrap();
    // A few are synced one by one, more of them by one sync of the whole file system.
    let form = |count: usize| (0..count).fold(Form::new(), |form, number| form.file(&format!("{number}.txt"), "kept"));
    for count in [1, 6] {
        let id = process.api.create(json!({})).await;
        fs::write(&flag, home.workspace.to_str().unwrap()).unwrap();
        let answer = process.api.upload(&id, form(count)).await.expect(200);
        assert_eq!((&answer["uploaded"], &answer["failed"]), (&json!(0), &json!(count)), "{answer}");
        for file in answer["files"].as_array().unwrap() {
            assert_eq!((&file["error"]["code"], &file["sha256"]), (&json!("internal"), &Value::Null), "{answer}");
        }
        assert_eq!(names(&home.workspace), Vec::<String>::new(), "no file, and no piece of one");
        assert_eq!(process.api.events_of(&id, "upload_completed").await.len(), 0);

        fs::remove_file(&flag).unwrap();
        let answer = process.api.upload(&id, form(count)).await.expect(200);
        assert_eq!(answer["uploaded"], count, "the next one works: {answer}");
        let events = process.api.upload_events(&id).await;
        let of = |kind: &str| events.iter().filter(|event| event["event_type"] == kind).count();
        assert_eq!((of("upload_failed"), of("upload_completed")), (count, count), "{events:?}");
        for name in names(&home.workspace) {
            fs::remove_file(home.workspace.join(name)).unwrap();
        }
    }
}

/// Other requests go on while a client that sends nothing holds its upload.
#[tokio::test]
async fn a_slow_upload_holds_nobody_up() {
    let server = Server::start().await;
    let id = server.session().await;
    let form = Form::new().file("slow.bin", vec![7; 300_000]).bytes();
    let mut slow = Raw::connect(server.address).await;
    slow.write(beginning(&id, &server.api, &form, 100_000)).await;
    let answer = server.api.upload(&id, Form::new().file("quick.txt", "x")).await.expect(200);
    assert_eq!(answer["uploaded"], 1);
    slow.write(&form[100_000..]).await;
    let told = soon("the answer", slow.read_until("\r\n\r\n")).await;
    assert!(String::from_utf8_lossy(&told).starts_with("HTTP/1.1 200"));
    assert_eq!(names(&server.workspace), ["quick.txt", "slow.bin"]);
}
