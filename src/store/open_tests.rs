use std::{fs, sync::Arc};

use rusqlite::Connection;

use super::*;
use crate::store::testing::{Published, Scene, StandingClock, open};

fn try_open(path: &Path) -> Result<(), OpenError> {
    open(path, Arc::new(Published::default()), StandingClock::at("2026-07-01T10:00:00Z")).map(drop)
}

#[cfg(unix)]
#[test]
fn a_missing_folder_and_file_are_created_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/cowork/cowork.db");
    let store = open(&path, Arc::new(Published::default()), StandingClock::at("2026-07-01T10:00:00Z")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["cowork.db", "cowork.db-wal", "cowork.db-cowork.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn a_second_cowork_is_refused_until_the_first_has_ended() {
    let scene = Scene::new();
    let error = try_open(&scene.path).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    assert!(error.to_string().contains("Another Cowork uses the database"));
    let Scene { store, path, folder, .. } = scene;
    drop(store);
    try_open(&path).unwrap();
    drop(folder);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_database_leads_to_the_same_lock() {
    let scene = Scene::new();
    let link = scene.folder.path().join("link.db");
    std::os::unix::fs::symlink(&scene.path, &link).unwrap();
    assert!(matches!(try_open(&link).unwrap_err(), OpenError::InUse(_)));
}

#[test]
fn another_program_may_use_the_file_at_the_same_time() {
    let scene = Scene::new();
    let loom = scene.sql();
    loom.execute("INSERT INTO cowork_sessions (id, workspace_path, model_name) VALUES ('x', '/', 'm')", []).unwrap();
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_sessions"), 1);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let text = "these are my notes\n".repeat(500);
    fs::write(&path, &text).unwrap();
    let error = try_open(&path).unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase(_)), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_with_a_damaged_schema_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cowork.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let error = try_open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Damaged(_)), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = try_open(&file.join("sub/cowork.db")).unwrap_err();
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("--database"));
}

#[test]
fn a_folder_in_place_of_the_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(try_open(folder.path()).unwrap_err(), OpenError::File { .. }));
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_not_a_byte_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cowork.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE cowork_web_meta (key TEXT PRIMARY KEY, value NOT NULL);
             INSERT INTO cowork_web_meta VALUES ('schema_version', 99);",
        )
        .unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = try_open(&path).unwrap_err();
    let ours = schema::MIGRATIONS.len() as u32;
    assert!(matches!(error, OpenError::Newer { found: 99, known, .. } if known == ours), "{error}");
    assert!(error.to_string().contains("newer Cowork"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_file_that_a_killed_process_left_with_a_log_is_not_changed_either() {
    let scene = Scene::new();
    let writer = scene.sql();
    writer.execute("UPDATE cowork_web_meta SET value = 99", []).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("cowork.db");
    fs::copy(&scene.path, &copy).unwrap();
    fs::copy(scene.path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let files = || (fs::read(&copy).unwrap(), fs::read(copy.with_extension("db-wal")).unwrap());
    let before = files();
    assert!(!before.1.is_empty());
    assert!(matches!(try_open(&copy).unwrap_err(), OpenError::Newer { found: 99, .. }));
    assert!(files() == before, "the database or its log changed");
}

#[test]
fn what_a_killed_process_was_writing_without_a_log_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, killed) = (folder.path().join("written.db"), folder.path().join("cowork.db"));
    let writer = Connection::open(&path).unwrap();
    // Pages go to the file before the end of the transaction, and the journal that takes them back goes before them.
    writer.execute_batch("PRAGMA cache_size = 1; CREATE TABLE kept (x); INSERT INTO kept VALUES (1); BEGIN").unwrap();
    for _ in 0..200 {
        writer.execute("INSERT INTO kept VALUES (zeroblob(4000))", []).unwrap();
    }
    fs::copy(&path, &killed).unwrap();
    fs::copy(folder.path().join("written.db-journal"), folder.path().join("cowork.db-journal")).unwrap();
    assert!(fs::metadata(&killed).unwrap().len() > 100_000, "the transaction had reached the file");

    try_open(&killed).unwrap();
    let kept =
        Connection::open(&killed).unwrap().query_row("SELECT COUNT(*) FROM kept", [], |row| row.get::<_, u32>(0));
    assert_eq!(kept.unwrap(), 1);
}

#[test]
fn tables_of_another_program_under_looms_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cowork.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE cowork_sessions (id TEXT PRIMARY KEY)").unwrap();
    let error = try_open(&path).unwrap_err();
    assert!(error.to_string().contains("lacks the column workspace_path of cowork_sessions"), "{error}");
}
