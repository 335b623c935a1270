use crate::{
    agent::ports::store::Store,
    protocol::{Actor, ActorKind, Right, SessionQuery, Share, Sharing},
    store::testing::{Scene, session_id},
};

fn anna() -> Actor {
    Actor { kind: ActorKind::Person, name: "anna".into() }
}

async fn visible(scene: &Scene, viewer: Option<&str>) -> u64 {
    scene.store.sessions(viewer, &SessionQuery::default()).await.unwrap().1
}

async fn share(scene: &Scene, name: &str, part: Option<Right>) -> Sharing {
    scene.store.share(&anna(), &session_id('a'), Share { name: name.into(), part }).await.unwrap()
}

#[tokio::test]
async fn a_session_is_its_makers_until_it_is_shared() {
    let scene = Scene::new();
    let id = scene.create('a', "Mine").await;
    scene.sql().execute("UPDATE cowork_web_sessions SET owner = 'anna'", []).unwrap();
    let part = async |name: &str| scene.store.part(&id, name).await.unwrap();
    assert_eq!((part("anna").await, part("ben").await), (Some(Right::Own), None));
    assert_eq!((visible(&scene, Some("anna")).await, visible(&scene, Some("ben")).await), (1, 0));
    assert_eq!(visible(&scene, None).await, 1);

    share(&scene, "ben", Some(Right::Watch)).await;
    assert_eq!((part("ben").await, visible(&scene, Some("ben")).await), (Some(Right::Watch), 1));
    share(&scene, "*", Some(Right::TakePart)).await;
    assert_eq!((part("ben").await, part("chris").await), (Some(Right::TakePart), Some(Right::TakePart)));
    share(&scene, "*", None).await;
    assert_eq!((part("ben").await, part("chris").await), (Some(Right::Watch), None));
    let sharing = scene.store.sharing(&id).await.unwrap();
    assert_eq!(sharing.owner.as_deref(), Some("anna"));
    assert_eq!(sharing.shares, [Share { name: "ben".into(), part: Some(Right::Watch) }]);
}

#[tokio::test]
async fn each_change_is_one_event_and_no_change_is_none() {
    let scene = Scene::new();
    let id = scene.create('a', "Mine").await;
    let before = scene.published.of(&id).len();
    for part in [Some(Right::Watch), Some(Right::Watch), Some(Right::TakePart), None, None] {
        share(&scene, "ben", part).await;
    }
    assert_eq!(scene.published.of(&id).len(), before + 3);
}

#[tokio::test]
async fn a_session_of_looms_is_everybodys_and_a_deleted_one_is_still_its_makers_to_bring_back() {
    let scene = Scene::new();
    let id = scene.create('a', "Mine").await;
    scene.sql().execute("UPDATE cowork_web_sessions SET owner = NULL", []).unwrap();
    assert_eq!(scene.store.part(&id, "ben").await.unwrap(), Some(Right::Own));
    scene.sql().execute("UPDATE cowork_web_sessions SET owner = 'anna'", []).unwrap();
    scene.store.delete_session(&id).await.unwrap();
    assert_eq!(scene.store.part(&id, "anna").await.unwrap(), Some(Right::Own));
    assert_eq!(scene.store.part(&session_id('f'), "anna").await.unwrap(), None);
}

#[tokio::test]
async fn nothing_of_a_session_that_is_gone_stays() {
    let scene = Scene::new();
    let id = scene.create('a', "Mine").await;
    share(&scene, "ben", Some(Right::Watch)).await;
    scene.store.delete_session(&id).await.unwrap();
    scene.clock.advance(31);
    scene.store.purge_expired().await.unwrap();
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_web_shares"), 0);
}
