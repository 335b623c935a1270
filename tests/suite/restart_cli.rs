//! The program at its start: what it says, what it refuses, and with which exit code.

use std::net::TcpListener;

use serde_json::json;

use crate::support::process::Home;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_database_is_refused() {
    let home = Home::new();
    let process = home.start().await;
    let id = process.api.create(json!({"title": "Mine"})).await;
    let ended = home.refused(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("Another Cowork") && ended.err.contains("--database"), "{ended:?}");
    assert!(ended.out.is_empty(), "{ended:?}");
    assert_eq!(process.api.session(&id).await["title"], "Mine", "the first one works on");
    process.kill_9();
    let process = home.start().await;
    assert_eq!(process.api.session(&id).await["title"], "Mine", "a killed one leaves no lock behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let home = Home::new();
    home.start().await.kill_9();
    let file = rusqlite::Connection::open(&home.database).unwrap();
    file.execute("UPDATE cowork_web_meta SET value = value + 1 WHERE key = 'schema_version'", []).unwrap();
    file.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(file);
    let before = std::fs::read(&home.database).unwrap();
    let ended = home.refused(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("newer Cowork"), "{ended:?}");
    assert_eq!(std::fs::read(&home.database).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let home = Home::new();
    std::fs::create_dir_all(home.database.parent().unwrap()).unwrap();
    std::fs::write(&home.database, "My important notes, not a database at all.\n".repeat(50)).unwrap();
    let before = std::fs::read(&home.database).unwrap();
    let ended = home.refused(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("not an SQLite database"), "{ended:?}");
    assert_eq!(std::fs::read(&home.database).unwrap(), before);
}

/// Assurance row 67.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_can_only_be_read_is_refused_with_what_helps() {
    let home = Home::new();
    drop(home.start().await);
    let before = std::fs::read(&home.database).unwrap();
    let ended = home.refused_where_data_is_read_only().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let path = home.database.display().to_string();
    for told in [path.as_str(), "can't be opened for writing", "--database"] {
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
    }
    assert_eq!(std::fs::read(&home.database).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_others_reach_is_refused() {
    let home = Home::new();
    for host in ["0.0.0.0", "::", "[::]", "192.0.2.7", "2001:db8::7"] {
        let ended = home.refused(&["--host", host]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.err.contains(host) && ended.err.contains("cowork user add") && ended.err.contains("--host 127.0.0.1"),
            "{ended:?}"
        );
        assert!(!home.database.exists(), "nothing was made before");
    }
    let ended = home.refused(&["--host", "no such host"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_names_the_option_that_helps() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = home.run(&["serve", "--port", &port]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("--port") && ended.err.contains(&port), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn version_and_help_are_told_and_an_unknown_option_is_not() {
    let home = Home::new();
    let version = home.run(&["--version"]).await;
    assert_eq!((version.code, version.out.trim()), (Some(0), concat!("cowork ", env!("CARGO_PKG_VERSION"))));
    let help = home.run(&["--help"]).await;
    assert_eq!(help.code, Some(0));
    assert!(help.out.starts_with("Work with an agent on a folder of files, in the browser"), "{}", help.out);
    for option in ["serve", "--config", "--host", "--port", "--workspace", "--database"] {
        assert!(help.out.contains(option), "{option}: {}", help.out);
    }
    let wrong = home.run(&["--colour"]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_before_a_command_is_refused_and_not_passed_over() {
    let home = Home::new();
    for (option, value) in [("--port", "1"), ("--workspace", "/nowhere"), ("--database", "/nowhere/x.db")] {
        for command in ["serve", "token"] {
            let ended = home.run(&[option, value, command]).await;
            assert_eq!(ended.code, Some(2), "{option} {command}: {ended:?}");
            assert!(ended.err.contains(command) && ended.err.contains(option), "{ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_or_a_configuration_that_is_not_there_is_said_so() {
    let home = Home::new();
    for arguments in
        [["--workspace", "/nowhere/at/all"], ["--config", "/nowhere/loom.toml"], ["--workspace", "loom.toml"]]
    {
        std::fs::write(home.path().join("loom.toml"), "").unwrap();
        let ended = home.run(&["serve", "--port", "0", arguments[0], arguments[1]]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(arguments[1]), "{ended:?}");
    }
    std::fs::write(home.path().join("loom.toml"), "[server]\nport = \"many\"\n").unwrap();
    let ended = home.run(&["serve"]).await;
    assert!(ended.code == Some(1) && ended.err.contains("loom.toml") && ended.err.contains("line 2"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_options_sessions_stand_in_a_file_of_our_own_that_only_the_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("projects")).unwrap();
    let data = home.path().join(".loom");
    let process = home.start_plain().await;
    process.api.create(json!({})).await;
    let file = data.join("cowork.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!data.join("loom.db").exists(), "the file that Loom would make is never made");
    assert_eq!(process.api.page("/").await.status, 200);
    #[cfg(target_os = "linux")]
    assert_eq!(process.listens(), [process.address], "on this machine's own address alone");
}
