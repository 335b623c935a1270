use serde_json::json;

use super::*;
use crate::{
    agent::ports::store::{CallStart, Store},
    protocol::{CallId, EventBody},
    store::testing::{Scene, agent, session_id},
};

/// Two sessions, each with a turn and a call.
async fn scene() -> (Scene, SessionId, SessionId) {
    let scene = Scene::new();
    let (one, two) = (scene.create('a', "One").await, scene.create('b', "Two").await);
    for id in [&one, &two] {
        scene.start(id, "Look").await;
        scene.call_started(id, 1, "c").await;
        scene.call_ended(id, 1, "c", "text", None).await;
        scene.complete(id, 1).await;
    }
    (scene, one, two)
}

fn faults(verified: &Verified) -> Vec<(char, Seq, Misfit)> {
    verified.faults.iter().map(|fault| (fault.session.chars().next().unwrap(), fault.seq, fault.what)).collect()
}

#[tokio::test]
async fn a_log_that_nobody_touched_fits() {
    let (scene, ..) = scene().await;
    let verified = scene.forged("");
    assert_eq!(verified, Verified { sessions: 2, rows: 12, ..Verified::default() });
    assert!(scene.reopened().forged("").is_whole());
}

#[tokio::test]
async fn whatever_is_changed_in_the_file_is_found_and_its_first_row_is_named() {
    let (scene, ..) = scene().await;
    let a = |set: &str| format!("UPDATE cowork_events SET {set} AND session_id LIKE 'a%'");
    for (forgery, found) in [
        (a("payload = replace(payload, 'text', 'else') WHERE seq = 5"), ('a', 5, Misfit::Forged)),
        (a("payload = payload || ' ' WHERE seq = 2"), ('a', 2, Misfit::Forged)),
        (a("actor = '{\"kind\":\"person\",\"name\":\"local\"}' WHERE seq = 4"), ('a', 4, Misfit::Forged)),
        (a("created_at = '2020-01-01T00:00:00.000Z' WHERE seq = 3"), ('a', 3, Misfit::Forged)),
        (a("event_type = 'session_error' WHERE seq = 6"), ('a', 6, Misfit::Forged)),
        (a("turn = 2 WHERE seq = 6"), ('a', 6, Misfit::Forged)),
        (a("link = NULL WHERE seq = 3"), ('a', 3, Misfit::Forged)),
        // Two rows exchanged.
        (a("seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4)") + ";" + &a("seq = -seq WHERE seq < 0"), ('a', 3, Misfit::Forged)),
        // A row of another session, with its link.
        ("DELETE FROM cowork_events WHERE session_id LIKE 'a%' AND seq = 6; UPDATE cowork_events SET session_id = (SELECT MIN(session_id) FROM cowork_events) WHERE session_id LIKE 'b%' AND seq = 6".into(), ('a', 6, Misfit::Forged)),
        // Rows removed: in the middle, the first, the last, all.
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%' AND seq = 4".into(), ('b', 4, Misfit::Missing)),
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%' AND seq = 1".into(), ('b', 1, Misfit::Missing)),
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%' AND seq > 4".into(), ('b', 5, Misfit::Missing)),
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%'".into(), ('b', 1, Misfit::Missing)),
        // … and the chain's own marks with them.
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%' AND seq > 4; UPDATE cowork_web_chains SET head_seq = 4".into(), ('a', 6, Misfit::Marks)),
        ("DELETE FROM cowork_events WHERE session_id LIKE 'b%' AND seq > 4; DELETE FROM cowork_web_chains WHERE session_id LIKE 'b%'".into(), ('b', 4, Misfit::Marks)),
        ("UPDATE cowork_web_chains SET adopted_through = 6, adopted_at = '2026-07-01T10:00:00.139Z' WHERE session_id LIKE 'a%'".into(), ('a', 1, Misfit::Marks)),
        // A row that the server did not write.
        ("INSERT INTO cowork_events (session_id, seq, event_type, payload, created_at, actor, link) SELECT session_id, 7, event_type, payload, created_at, actor, link FROM cowork_events WHERE session_id LIKE 'a%' AND seq = 6".into(), ('a', 7, Misfit::Forged)),
    ] {
        let verified = scene.forged(&forgery);
        assert_eq!(faults(&verified).first(), Some(&found), "{forgery}");
        assert!(!verified.is_whole());
    }
}

/// The forger knows how links are made, and makes them all again with a key of their own.
#[tokio::test]
async fn a_forgery_that_is_hashed_again_is_found() {
    let (scene, one, _) = scene().await;
    let sql = scene.sql();
    sql.execute("UPDATE cowork_events SET payload = '{\"turn\":1}' WHERE session_id = ?1 AND seq = 3", [one.as_str()])
        .unwrap();
    let forger = ChainKey::of(b"some other key").unwrap();
    let mut link = NO_LINK;
    for row in EventRow::page(&sql, one.as_str(), 0).unwrap() {
        link = forger.link(&link, &row.linked(one.as_str()));
        let set = "UPDATE cowork_events SET link = ?3 WHERE session_id = ?1 AND seq = ?2";
        sql.execute(set, rusqlite::params![one.as_str(), row.seq as i64, link]).unwrap();
    }
    chain::keep_head(&sql, &forger, one.as_str(), 6, &link).unwrap();
    assert_eq!(faults(&scene.forged("")), [('a', 1, Misfit::Forged)]);
}

#[tokio::test]
async fn a_head_that_was_told_before_must_stand_in_the_log() {
    let (scene, one, _) = scene().await;
    let log = || LogFile::open(&scene.path).unwrap();
    let (_, head) = chain::last(&scene.sql(), &one).unwrap().unwrap();
    let head = chain::hex(&head);
    scene.start(&one, "And on").await;
    assert!(log().verify(&[head.to_uppercase(), head.clone()]).unwrap().is_whole(), "also when the log went on");
    let never = "0".repeat(64);
    assert_eq!(log().verify(std::slice::from_ref(&never)).unwrap().missing_heads, [never]);
    // An older file put back as a whole fits in itself; only the head tells.
    let older = "DELETE FROM cowork_events WHERE seq > 0; DELETE FROM cowork_web_chains";
    scene.sql().execute_batch(older).unwrap();
    let verified = log().verify(std::slice::from_ref(&head)).unwrap();
    assert_eq!((verified.faults.len(), verified.missing_heads), (0, vec![head]));
}

#[tokio::test]
async fn rows_from_before_the_chain_are_marked_and_later_ones_are_not_taken_for_them() {
    let (scene, one, _) = scene().await;
    // As a version without a chain left it.
    let earlier = "UPDATE cowork_events SET link = NULL; DELETE FROM cowork_web_chains;
                   DELETE FROM cowork_web_meta WHERE key = 'chain_key'";
    scene.sql().execute_batch(earlier).unwrap();
    let unchained = LogFile::open(&scene.path).unwrap().verify(&[]);
    assert!(matches!(unchained, Err(VerifyError::NoChain)), "{unchained:?}");
    let scene = scene.reopened();
    scene.start(&one, "After").await;
    let verified = scene.forged("");
    assert!(verified.is_whole());
    let adopted: Vec<_> = verified.adopted.iter().map(|adopted| adopted.through).collect();
    assert_eq!(adopted, [6, 6]);
    let changed = scene.forged("UPDATE cowork_events SET payload = '{}' WHERE seq = 2 AND session_id LIKE 'b%'");
    assert_eq!(faults(&changed), [('b', 2, Misfit::Forged)], "from then on they are held");
    let unlinked = scene.forged("UPDATE cowork_events SET link = NULL WHERE seq = 8 AND session_id LIKE 'a%'");
    assert_eq!(faults(&unlinked), [('a', 8, Misfit::Forged)]);
}

#[tokio::test]
async fn a_lost_key_is_said_and_what_it_held_is_marked() {
    let (scene, one, _) = scene().await;
    let key = chain::data_folder(&scene.path).join("log.key");
    std::fs::remove_file(&key).unwrap();
    let without = LogFile::open(&scene.path).unwrap().verify(&[]);
    assert!(matches!(without, Err(VerifyError::NoKey { .. })), "{without:?}");
    let scene = scene.reopened();
    scene.start(&one, "After").await;
    let verified = scene.forged("");
    assert_eq!((verified.is_whole(), verified.adopted.len()), (true, 2));
    std::fs::write(&key, "f".repeat(64)).unwrap();
    let other = LogFile::open(&scene.path).unwrap().verify(&[]);
    assert!(matches!(other, Err(VerifyError::OtherKey(_))), "{other:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_is_its_owners_alone_and_not_in_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let (scene, ..) = scene().await;
    let file = chain::data_folder(&scene.path).join("log.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(&file).unwrap();
    let Scene { path, folder, .. } = scene.reopened();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key, "a start makes no other");
    let bytes = std::fs::read(path).unwrap();
    assert!(!bytes.windows(16).any(|window| window == &key.as_bytes()[..16]));
    drop(folder);
}

#[tokio::test]
async fn the_log_is_read_beside_the_server_that_writes_it() {
    let (scene, one, _) = scene().await;
    let log = LogFile::open(&scene.path).unwrap();
    let args = json!({"path": "a"});
    let start =
        CallStart { turn: 1, tool_call_id: CallId::new("d"), name: "read_file".into(), args, preview: "a".into() };
    scene.store.start_call(&agent(), &one, start).await.unwrap();
    let page = log.events(&one, 5, 10, &["tool_call_started".into()]).unwrap();
    assert!(matches!(page.events.as_slice(), [event] if matches!(event.body, EventBody::ToolCallStarted { .. })));
    assert!(matches!(log.events(&session_id('f'), 0, 10, &[]), Err(StoreError::NoSession)));
    let none = LogFile::open(&scene.path.with_file_name("none.db"));
    assert!(matches!(none, Err(VerifyError::NoFile(_))), "{none:?}");
}
