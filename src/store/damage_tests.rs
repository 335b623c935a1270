//! A file that was damaged, and a copy that was taken while it was written.

use std::sync::Arc;

use rusqlite::Connection;

use super::{
    LogFile,
    testing::{ALL, Published, Scene, StandingClock, open},
};
use crate::{
    agent::ports::store::Store,
    protocol::{Actor, SessionId, UpdateSession},
};

/// A closed file of some size with a known content.
async fn closed() -> (Scene, SessionId, Vec<u8>) {
    let scene = Scene::new();
    let id = scene.create('a', "Whole").await;
    for turn in 1..=12 {
        scene.start(&id, &format!("Question {turn} {}", "x".repeat(400))).await;
        scene.say(&id, turn, 0, &"answer ".repeat(100), vec![]).await;
        scene.complete(&id, turn).await;
    }
    scene.store.close().await.unwrap();
    let bytes = std::fs::read(&scene.path).unwrap();
    (scene, id, bytes)
}

/// Opens a damaged file and reads all that there is. Errors are fine, panics and made-up rows are not.
async fn read_all(bytes: &[u8], id: &SessionId, whole: &[String]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cowork.db");
    std::fs::write(&path, bytes).unwrap();
    let clock = StandingClock::at("2026-07-01T10:00:00.139014Z");
    let Ok(store) = open(&path, Arc::new(Published::default()), clock) else { return false };
    let rows = store.turns(id, ALL).await;
    let events = store.events(id, 0, 1000, &[]).await;
    // A write is refused or kept; the program lives.
    let _ =
        store.update_session(&Actor::local(), id, UpdateSession { archived: Some(true), ..Default::default() }).await;
    let _ = store.close().await;
    match (rows, events) {
        (Ok(rows), Ok(events)) => {
            let texts: Vec<String> = rows.turns.into_iter().map(|row| row.content).collect();
            texts == whole && events.events.len() == 49
        }
        _ => false,
    }
}

/// The bytes with one of them turned over, or cut off there; places are spread by a step that shares no factor with the
/// size.
fn damaged(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let at = place * 7919 * 13 % bytes.len();
    if place.is_multiple_of(4) {
        damaged.truncate(at);
    } else {
        damaged[at] ^= 0x55;
    }
    damaged
}

#[tokio::test]
async fn a_file_with_a_byte_turned_over_or_cut_off_is_refused_or_read_and_never_a_panic() {
    const PLACES: usize = 160;
    let (scene, id, bytes) = closed().await;
    let whole: Vec<String> = {
        let file = Connection::open(&scene.path).unwrap();
        let mut rows = file.prepare("SELECT content FROM conversation_turns ORDER BY id").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(read_all(&bytes, &id, &whole).await, "the file itself is whole");
    let mut told = 0;
    for place in 0..PLACES {
        told += usize::from(!read_all(&damaged(&bytes, place), &id, &whole).await);
    }
    assert!(told >= PLACES / 4, "what was cut off is missed: {told}");
}

/// What was not moved into the database yet, with damage: its beginning counts, and nothing is made up.
#[tokio::test]
async fn a_write_ahead_log_that_is_damaged_loses_its_end_alone() {
    const PLACES: usize = 60;
    let scene = Scene::new();
    let id = scene.create('a', "Whole").await;
    for turn in 1..=12 {
        scene.start(&id, &format!("Question {turn} {}", "x".repeat(400))).await;
        scene.say(&id, turn, 0, &"answer ".repeat(100), vec![]).await;
        scene.complete(&id, turn).await;
    }
    let events = scene.events(&id).await;
    let beside = |name: &str| scene.path.with_file_name(name);
    let (database, log) = (std::fs::read(&scene.path).unwrap(), std::fs::read(beside("cowork.db-wal")).unwrap());
    assert!(log.len() > 100_000, "{} bytes are not moved yet", log.len());
    let (mut whole, mut shortened) = (0, 0);
    for place in 0..PLACES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cowork.db");
        std::fs::write(&path, &database).unwrap();
        std::fs::write(folder.path().join("cowork.db-wal"), damaged(&log, place)).unwrap();
        let Ok(store) = open(&path, Arc::new(Published::default()), scene.clock.clone()) else { continue };
        // A session whose beginning is lost is not there.
        let Ok(found) = store.events(&id, 0, 1000, &[]).await else { continue };
        assert_eq!(found.events, events[..found.events.len()], "damage {place}");
        let count = if found.events.len() == events.len() { &mut whole } else { &mut shortened };
        *count += 1;
        store.close().await.unwrap();
    }
    assert!(shortened > PLACES / 4, "{whole} whole, {shortened} shortened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_while_many_write_is_whole_dense_and_fits_its_chain() {
    let scene = Scene::new();
    let ids = [scene.create('a', "One").await, scene.create('b', "Two").await];
    let (store, actor) = (&scene.store, Actor::local());
    let write = async {
        for number in 0..200 {
            let update = |id| store.update_session(&actor, id, title(number));
            let (one, two) = tokio::join!(update(&ids[0]), update(&ids[1]));
            one.and(two).unwrap();
        }
    };
    let copy = scene.path.with_file_name("copy.db");
    let (from, to) = (scene.path.clone(), copy.clone());
    let backup = tokio::task::spawn_blocking(move || {
        Connection::open(from).unwrap().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    });
    let ((), backup) = tokio::join!(write, backup);
    backup.unwrap();
    let keys = |database: &std::path::Path| super::chain::data_folder(database);
    std::fs::create_dir(keys(&copy)).unwrap();
    std::fs::copy(keys(&scene.path).join("log.key"), keys(&copy).join("log.key")).unwrap();
    let file = Connection::open(&copy).unwrap();
    let found: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    let verified = LogFile::open(&copy).unwrap().verify(&[]).unwrap();
    assert!(verified.is_whole() && verified.rows >= 2, "{verified:?}");
}

fn title(number: usize) -> UpdateSession {
    UpdateSession { title: Some(format!("Title {number}")), ..UpdateSession::default() }
}
