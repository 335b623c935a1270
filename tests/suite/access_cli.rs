//! The commands beside the server: its token, its links, its users.

use std::{
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use serde_json::json;

use crate::support::{
    model::ScriptedModel,
    process::{Home, Means},
    proxy::Proxy,
    shim, soon,
};

fn database(home: &Home) -> String {
    home.database.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_its_owners_alone_and_stands_nowhere_else() {
    let home = Home::new();
    let process = home.start().await;
    let token = home.run(&["token", "--database", &database(&home)]).await;
    let token = token.out.trim().to_owned();
    assert_eq!(token, process.api.token());
    let file = home.data().join("token");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let id = process.api.create(json!({})).await;
    process.api.showing("wrong").get("/cowork/sessions").await.expect(401);
    process.api.get(&format!("/cowork/sessions/{id}/logs")).await.expect(200);
    process.terminate();
    let log = process.log.clone();
    assert_eq!(process.exit_code().await, Some(0));
    assert!(!log.lock().unwrap().contains(&token));
    let bytes = std::fs::read(&home.database).unwrap();
    assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    let again = home.start().await;
    again.api.session(&id).await;
    assert_eq!(again.api.token(), token, "a restart signs nobody out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_got_from_the_running_server() {
    let home = Home::new();
    let nobody = home.run(&["link", "--database", &database(&home)]).await;
    assert!(nobody.code == Some(1) && nobody.err.contains("No Cowork runs"), "{nobody:?}");
    let process = home.start().await;
    for _ in 0..2 {
        let link = home.run(&["link", "--database", &database(&home)]).await;
        assert_eq!(link.code, Some(0), "{link:?}");
        let path = link.out.trim().strip_prefix(&format!("http://{}", process.address)).unwrap().to_owned();
        let entered = process.api.nobody().page(&path).await;
        assert_eq!((entered.status, entered.header("location")), (303, "/"), "{entered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_ends_the_old_one_in_the_running_server() {
    let home = Home::new();
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let mut socket = process.socket(&id, "").await;
    socket.wait("synced").await;
    let rotated = home.run(&["token", "--rotate", "--database", &database(&home)]).await;
    assert_eq!(soon("the end of the socket", socket.close_code()).await, Some(1008));
    process.api.get("/me").await.expect(401);
    process.api.showing(rotated.out.trim()).get("/me").await.expect(200);
}

fn with_input(mut command: Command, input: &str) -> (Option<i32>, String) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_added_listed_and_removed() {
    let home = Home::new();
    let database = database(&home);
    let add = |name: &str| home.command(&["user", "--database", &database, "add", name]);
    let (code, told) = with_input(add("anna"), "anna's long password\n");
    assert_eq!(code, Some(0), "{told}");
    for (name, password, why) in [
        ("ben", "short\n", "at least 10"),
        ("a:b", "long enough it is\n", "can't be a name"),
        ("local", "long enough it is\n", "runs this server"),
    ] {
        let (code, told) = with_input(add(name), password);
        assert!(code == Some(1) && told.contains(why), "{name}: {told}");
    }
    let service = home.run(&["user", "--database", &database, "add-service", "nightly"]).await;
    // The database may be named anywhere behind the command.
    let listed = home.run(&["user", "list", "--database", &database]).await;
    assert_eq!(listed.out, home.run(&["user", "--database", &database, "list"]).await.out);
    assert_eq!(listed.out, "anna\tperson\nnightly\tservice\n");
    let file = home.data().join("users");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let process = home.start().await;
    let me = process.api.showing(service.out.trim()).get("/me").await.expect(200);
    assert_eq!(me, json!({"name": "nightly", "kind": "service"}));
    let entered =
        process.api.nobody().form("/sign-in", &[("name", "anna"), ("password", "anna's long password")]).await;
    assert_eq!(entered.status, 303, "{entered:?}");
    let removed = home.run(&["user", "--database", &database, "remove", "nightly"]).await;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    let unknown = home.run(&["user", "--database", &database, "remove", "nightly"]).await;
    assert!(unknown.code == Some(1) && unknown.err.contains("nightly"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_can_sign_in_others_may_reach_the_server() {
    let home = Home::new();
    let database = database(&home);
    let refused = home.refused(&["--host", "0.0.0.0"]).await;
    assert!(refused.code == Some(1) && refused.err.contains("cowork user add"), "{refused:?}");
    let add = home.command(&["user", "--database", &database, "add", "anna"]);
    assert_eq!(with_input(add, "anna's long password\n").0, Some(0));
    let process = home.start_with_arguments(&["--host", "0.0.0.0"]).await;
    assert!(process.address.ip().is_unspecified());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_beside_the_running_server_and_opens_as_a_database() {
    let home = Home::new();
    let process = home.start().await;
    let id = process.api.create(json!({"title": "Kept"})).await;
    let copy = home.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let made = home.run(&["backup", copy, "--database", &database(&home)]).await;
    assert!(made.code == Some(0) && made.out.contains("1 sessions"), "{made:?}");
    let again = home.run(&["backup", copy, "--database", &database(&home)]).await;
    assert!(again.code == Some(1) && again.err.contains("there already"), "{again:?}");
    let nothing = home.run(&["backup", "x.db", "--database", "/nowhere/at/all.db"]).await;
    assert!(nothing.code == Some(1) && nothing.err.contains("no database"), "{nothing:?}");
    process.kill_9();
    std::fs::rename(copy, &home.database).unwrap();
    for left in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{left}", home.database.display()));
    }
    assert_eq!(home.start().await.api.session(&id).await["title"], "Kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_fine_and_what_is_not() {
    let home = Home::new();
    let database = database(&home);
    let before = home.run(&["doctor", "--database", &database]).await;
    assert_eq!(before.code, Some(0), "{before:?}");
    for text in ["will be made", "whoever starts the server", "none is configured", "disk: "] {
        assert!(before.out.contains(text), "{text}: {}", before.out);
    }
    let process = home.start().await;
    let running = home.run(&["doctor", "--database", &database]).await;
    assert!(
        running.code == Some(0) && running.out.contains(&format!("runs at http://{}", process.address)),
        "{running:?}"
    );
    let token = home.data().join("token");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(home.data().join("users"), "nonsense").unwrap();
    let ill = home.run(&["doctor", "--database", &database]).await;
    assert_eq!(ill.code, Some(1), "{ill:?}");
    assert!(ill.out.contains("WRONG secrets") && ill.out.contains("WRONG access"), "{ill:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_the_machine_the_models_the_port_and_the_file() {
    let (model, taken) = (ScriptedModel::start().await, TcpListener::bind("127.0.0.1:0").unwrap());
    let home = Home::with(&model);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = taken.local_addr().unwrap();
    home.add_settings(&format!(
        "[models.away]\nprovider = \"openai_compatible\"\nbase_url = \"http://{nobody}/v1\"\nmodel = \"x\"\n
         [server]\nport = {}",
        address.port()
    ));
    std::fs::create_dir(home.database.parent().unwrap()).unwrap();
    std::fs::write(&home.database, "this is no database").unwrap();
    let ill = home.run(&["doctor", "--database", &database(&home)]).await;
    assert_eq!(ill.code, Some(1), "{ill:?}");
    for wanted in [
        "ok    configuration: ",
        &format!("WRONG server: does not run, and can't listen on {address}"),
        "WRONG database: ",
        "ok    disk: ",
        "ok    clock: plausible",
        "ok    model scripted: answers",
        "look  model away: ",
        "ok    sandbox: commands run confined",
    ] {
        assert!(ill.out.lines().any(|line| line.starts_with(wanted)), "{wanted}: {}", ill.out);
    }
}

/// What will surprise somebody is said, and is no failure: the server runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_that_the_disk_is_small_and_the_clock_behind() {
    let home = Home::new();
    let database = database(&home);
    let arguments = ["doctor", "--database", &database];
    std::fs::create_dir(home.database.parent().unwrap()).unwrap();
    let small = home.run_on_small_disk(8_000_000, &arguments).await;
    assert_eq!(small.code, Some(0), "{small:?}");
    let low = small.out.lines().find(|line| line.starts_with("look  disk: ")).unwrap_or_else(|| panic!("{small:?}"));
    assert!(low.contains(" MiB free at ") && low.ends_with("that is little"), "{low}");

    let clock = home.path().join("clock");
    std::fs::write(&clock, (-20 * 365 * 24 * 60 * 60_i64).to_ne_bytes()).unwrap();
    let means = Means::ShimWith(shim::path().to_owned(), vec![("COWORK_CLOCK", clock.display().to_string())]);
    let behind = home.run_amid(&means, &arguments).await;
    assert_eq!(behind.code, Some(0), "{behind:?}");
    assert!(behind.out.contains("look  clock: it is behind this program's own making"), "{behind:?}");
    assert!(!behind.out.contains("WRONG"), "{behind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_through_the_proxy_that_people_come_by() {
    let home = Home::new();
    let database = database(&home);
    let process = home.start_with_arguments(&["--base-path", "/office"]).await;
    let look = async |through: String| {
        let run = home.run(&["doctor", "--database", &database, "--through", &through]).await;
        let told = run.out.lines().find(|line| line.contains("proxy: ")).unwrap_or_else(|| panic!("{run:?}"));
        (run.code, told.to_owned())
    };
    let here = format!("http://{}/office", process.address);
    assert_eq!(
        look(here.clone()).await,
        (Some(0), format!("ok    proxy: {here} hands on sockets, and what is written as it is written"))
    );
    let (code, told) = look(format!("http://{}", process.address)).await;
    assert!(code == Some(1) && told.contains("must hand addresses on whole"), "{told}");
    let (code, told) = look(format!("http://ben:secret@{}/office", Proxy::holding_back(process.address).await)).await;
    assert!(code == Some(1) && told.contains("proxy_buffering off") && !told.contains("secret"), "{told}");
    let (code, told) = look(format!("http://{}/office", Proxy::without_sockets(process.address).await)).await;
    assert!(code == Some(1) && told.contains("hands no sockets on"), "{told}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, told) = look(format!("http://{nobody}/office")).await;
    assert!(code == Some(0) && told.starts_with("look  proxy: ") && told.contains("can't be reached"), "{told}");
}
