use super::*;
use crate::{
    agent::ports::store::Store,
    store::testing::{Scene, session_id},
};

fn state(scene: &Scene) -> Option<String> {
    scene.sql().query_row("SELECT session_state FROM cowork_sessions", [], |row| row.get(0)).unwrap()
}

fn title(text: &str) -> UpdateSession {
    UpdateSession { title: Some(text.into()), ..UpdateSession::default() }
}

#[tokio::test]
async fn a_new_session_has_looms_row_ours_and_its_event() {
    let scene = Scene::new();
    let id = scene.create('a', "Reading the notes").await;
    let session = scene.session(&id).await;
    assert_eq!(
        session,
        StoredSession {
            id: id.clone(),
            title: "Reading the notes".into(),
            workspace: "/srv/sample".into(),
            model: "primary".into(),
            system_prompt: None,
            mode: Mode::Ask,
            turn_count: 0,
            total_tokens: 0,
            started_at: "2026-07-01T10:00:00.139Z".into(),
            last_active_at: "2026-07-01T10:00:00.139Z".into(),
            archived: false,
            pinned: false,
            head_seq: 1,
            running_turn: None,
            queue_held: false,
            pending: vec![],
            tasks: vec![],
        }
    );
    assert_eq!(state(&scene).as_deref(), Some(r#"{"title": "Reading the notes"}"#));
    let row: (String, String, i64) = scene
        .sql()
        .query_row("SELECT started_at, system_prompt, is_active FROM cowork_sessions", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(row, ("2026-07-01T12:00:00.139014".into(), String::new(), 1));
    assert_eq!(scene.event_types(&id).await, ["session_started"]);
}

#[tokio::test]
async fn an_id_is_given_once() {
    let scene = Scene::new();
    scene.create('a', "One").await;
    let new = NewSession {
        id: session_id('a'),
        title: "Two".into(),
        workspace: "/".into(),
        model: "m".into(),
        system_prompt: None,
        mode: Mode::Ask,
        forked_from: None,
    };
    assert!(scene.store.create_session(&Actor::local(), new).await.is_err());
    assert_eq!(scene.session(&session_id('a')).await.title, "One");
}

#[tokio::test]
async fn an_untitled_session_is_named_after_its_first_message_and_the_row_is_left_alone() {
    let scene = Scene::new();
    let id = scene.create('a', "").await;
    assert_eq!(scene.session(&id).await.title, "Untitled session");
    scene.start(&id, &format!("\n  {}\nsecond line", "ä".repeat(80))).await;
    let named = scene.session(&id).await.title;
    assert_eq!(named, format!("{}…", "ä".repeat(59)));
    assert_eq!(state(&scene), None);
}

#[tokio::test]
async fn a_rename_keeps_every_other_key_its_order_and_its_numbers() {
    let scene = Scene::new();
    let id = scene.create('a', "Old").await;
    let loom =
        r#"{"ui_state": {"percent_used": 5.30, "z": 12345678901234567890}, "title": "Old", "a": [1, null, "ä\u00e9"]}"#;
    scene.sql().execute("UPDATE cowork_sessions SET session_state = ?1", [loom]).unwrap();
    let session = scene.store.update_session(&Actor::local(), &id, title("New \"one\"")).await.unwrap();
    assert_eq!(session.title, "New \"one\"");
    assert_eq!(
        state(&scene).unwrap(),
        r#"{"ui_state":{"percent_used":5.30,"z":12345678901234567890},"title":"New \"one\"","a":[1,null,"ä\u00e9"]}"#
    );
}

#[tokio::test]
async fn a_state_that_is_no_json_is_not_overwritten() {
    let scene = Scene::new();
    let id = scene.create('a', "Old").await;
    scene.sql().execute("UPDATE cowork_sessions SET session_state = '{broken'", []).unwrap();
    assert_eq!(scene.session(&id).await.title, "Untitled session");
    assert!(scene.store.update_session(&Actor::local(), &id, title("New")).await.is_err());
    assert_eq!(state(&scene).as_deref(), Some("{broken"));
    assert_eq!(scene.event_types(&id).await, ["session_started"]);
}

#[tokio::test]
async fn an_update_records_what_changed_and_nothing_where_nothing_did() {
    let scene = Scene::new();
    let id = scene.create('a', "Old").await;
    scene.clock.advance(60);
    let update = UpdateSession {
        title: Some("New".into()),
        model: Some("primary".into()),
        archived: Some(true),
        pinned: Some(true),
        mode: Some(Mode::ReadOnly),
    };
    let session = scene.store.update_session(&Actor::local(), &id, update.clone()).await.unwrap();
    assert_eq!((session.mode, session.archived, session.head_seq), (Mode::ReadOnly, true, 2));
    assert_eq!(session.last_active_at, session.started_at, "a rename is no activity");
    scene.store.update_session(&Actor::local(), &id, update).await.unwrap();
    let events = scene.events(&id).await;
    assert_eq!(events.len(), 2);
    let expected = EventBody::SessionUpdated {
        title: Some("New".into()),
        model: None,
        archived: Some(true),
        pinned: Some(true),
        mode: Some(Mode::ReadOnly),
    };
    assert_eq!(events[1].body, expected);
}

#[tokio::test]
async fn every_mode_is_read_as_it_was_written() {
    let scene = Scene::new();
    let id = scene.create('a', "Modes").await;
    for mode in [Mode::Full, Mode::ReadOnly, Mode::AcceptEdits, Mode::Ask] {
        let update = UpdateSession { mode: Some(mode), ..UpdateSession::default() };
        assert_eq!(scene.store.update_session(&Actor::local(), &id, update).await.unwrap().mode, mode);
    }
}
