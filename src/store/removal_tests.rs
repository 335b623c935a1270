use crate::{
    agent::ports::store::{Store, StoreError},
    protocol::{SessionId, SessionQuery},
    store::testing::{Scene, message},
};

async fn deleted(scene: &Scene) -> SessionId {
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "hello").await;
    scene.complete(&id, 1).await;
    scene.queue(&id, "later").await;
    scene.store.delete_session(&id).await.unwrap();
    id
}

fn rows_left(scene: &Scene, id: &SessionId) -> i64 {
    ["cowork_events", "cowork_web_sessions", "cowork_web_messages", "conversation_turns"]
        .iter()
        .map(|table| scene.number(&format!("SELECT COUNT(*) FROM {table} WHERE session_id = '{id}'")))
        .sum::<i64>()
        + scene.number(&format!("SELECT COUNT(*) FROM cowork_sessions WHERE id = '{id}'"))
}

#[tokio::test]
async fn a_deleted_session_is_gone_at_once_for_everyone() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    let store = &scene.store;
    assert_eq!(store.session(&id).await.unwrap(), None);
    assert_eq!(store.sessions(None, &SessionQuery::default()).await.unwrap().1, 0);
    assert!(matches!(store.records(&id, 0, 10).await, Err(StoreError::NoSession)));
    assert!(matches!(store.queue(&id).await, Err(StoreError::NoSession)));
    assert!(matches!(store.delete_session(&id).await, Err(StoreError::NoSession)));
    let refused = store.accept_message(&crate::protocol::Actor::local(), &id, message("x", None)).await;
    assert!(matches!(refused, Err(StoreError::NoSession)));
}

#[tokio::test]
async fn a_restored_session_is_as_it_was_and_is_not_purged() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    let session = scene.store.restore_session(&id).await.unwrap();
    assert_eq!((session.title.as_str(), session.turn_count, session.head_seq), ("Notes", 1, 5));
    scene.clock.advance(31);
    scene.store.purge_expired().await.unwrap();
    assert_eq!(scene.store.queue(&id).await.unwrap().len(), 1);
    assert!(matches!(scene.store.restore_session(&id).await, Err(StoreError::NotRestorable)));
}

#[tokio::test]
async fn a_purged_session_leaves_no_row() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    let kept = scene.create('b', "Kept").await;
    scene.clock.advance(29);
    scene.store.purge_expired().await.unwrap();
    assert!(rows_left(&scene, &id) > 5, "it can still be restored");
    scene.clock.advance(1);
    scene.store.purge_expired().await.unwrap();
    assert_eq!(rows_left(&scene, &id), 0);
    assert!(matches!(scene.store.restore_session(&id).await, Err(StoreError::NoSession)));
    assert_eq!(scene.session(&kept).await.title, "Kept");
}

#[tokio::test]
async fn opening_the_file_purges_what_can_no_longer_be_restored() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    scene.clock.advance(29);
    let scene = scene.reopened();
    assert!(rows_left(&scene, &id) > 0);
    scene.clock.advance(1);
    let scene = scene.reopened();
    assert_eq!(rows_left(&scene, &id), 0);
}

#[tokio::test]
async fn after_its_time_a_session_can_not_be_restored_though_its_rows_are_there() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    scene.clock.advance(30);
    assert!(matches!(scene.store.restore_session(&id).await, Err(StoreError::NotRestorable)));
}

#[tokio::test]
async fn a_second_deletion_has_its_own_time() {
    let scene = Scene::new();
    let id = deleted(&scene).await;
    scene.clock.advance(20);
    scene.store.restore_session(&id).await.unwrap();
    scene.store.delete_session(&id).await.unwrap();
    scene.clock.advance(15);
    scene.store.purge_expired().await.unwrap();
    scene.store.restore_session(&id).await.unwrap();
}
