use crate::{
    agent::ports::store::Store,
    protocol::{Actor, SessionQuery, UpdateSession},
    store::testing::Scene,
};

async fn titles(scene: &Scene, query: SessionQuery) -> (Vec<String>, u64) {
    let (sessions, total) = scene.store.sessions(None, &query).await.unwrap();
    (sessions.into_iter().map(|session| session.title).collect(), total)
}

async fn search(scene: &Scene, q: &str) -> Vec<String> {
    titles(scene, SessionQuery { q: q.into(), ..SessionQuery::default() }).await.0
}

async fn three(scene: &Scene) {
    for (digit, title) in [('a', "Budget 100%"), ('b', "Notes"), ('c', "plan_b")] {
        scene.create(digit, title).await;
        scene.clock.advance(10);
    }
}

#[tokio::test]
async fn the_newest_activity_comes_first_in_pages() {
    let scene = Scene::new();
    three(&scene).await;
    assert_eq!(titles(&scene, SessionQuery::default()).await.0, ["plan_b", "Notes", "Budget 100%"]);
    scene.start(&crate::store::testing::session_id('a'), "go on").await;
    let page = SessionQuery { offset: 1, limit: 1, ..SessionQuery::default() };
    assert_eq!(titles(&scene, page).await, (vec!["plan_b".into()], 3));
    assert_eq!(titles(&scene, SessionQuery::default()).await.0[0], "Budget 100%");
}

#[tokio::test]
async fn archived_sessions_are_listed_apart() {
    let scene = Scene::new();
    three(&scene).await;
    let archive = UpdateSession { archived: Some(true), ..UpdateSession::default() };
    scene.store.update_session(&Actor::local(), &crate::store::testing::session_id('b'), archive).await.unwrap();
    assert_eq!(titles(&scene, SessionQuery::default()).await, (vec!["plan_b".into(), "Budget 100%".into()], 2));
    let archived = SessionQuery { archived: true, ..SessionQuery::default() };
    assert_eq!(titles(&scene, archived).await, (vec!["Notes".into()], 1));
}

#[tokio::test]
async fn the_search_finds_titles_and_messages_whatever_their_case() {
    let scene = Scene::new();
    three(&scene).await;
    let id = crate::store::testing::session_id('b');
    scene.start(&id, "Where is the Needle?").await;
    scene.say(&id, 1, 0, "In the haystack.", vec![crate::store::testing::call("c1")]).await;
    scene.call_ended(&id, 1, "c1", "only-in-output", None).await;
    assert_eq!(search(&scene, "BUDGET").await, ["Budget 100%"]);
    assert_eq!(search(&scene, " needle ").await, ["Notes"]);
    assert_eq!(search(&scene, "HayStack").await, ["Notes"]);
    assert!(search(&scene, "only-in-output").await.is_empty());
}

#[tokio::test]
async fn signs_of_the_search_language_are_only_signs() {
    let scene = Scene::new();
    three(&scene).await;
    assert_eq!(search(&scene, "%").await, ["Budget 100%"]);
    assert_eq!(search(&scene, "_").await, ["plan_b"]);
    assert!(search(&scene, "\\").await.is_empty());
    assert!(search(&scene, "'; DROP TABLE cowork_sessions; --").await.is_empty());
}
