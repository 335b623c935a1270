use crate::{
    agent::ports::store::Store,
    protocol::{CallId, EventBody, SessionId, ToolResult},
    store::testing::{Scene, call},
};

async fn used(scene: &Scene, id: &SessionId, call: &str) -> bool {
    scene.store.call_id_used(id, &CallId::new(call)).await.unwrap()
}

#[tokio::test]
async fn the_intent_is_recorded_before_the_result() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.say(&id, 1, 0, "", vec![call("c1")]).await;
    scene.call_started(&id, 1, "c1").await;
    let started = scene.events(&id).await.pop().unwrap().body;
    let EventBody::ToolCallStarted { turn: 1, tool_call_id, args, preview, .. } = started else {
        panic!("{started:?}")
    };
    assert_eq!(
        (tool_call_id.as_str(), args["path"].as_str(), preview.as_str()),
        ("c1", Some("notes.txt"), "notes.txt")
    );
    scene.call_ended(&id, 1, "c1", "alpha", None).await;
    let row = scene.rows(&id).await.pop().unwrap();
    assert_eq!(ToolResult::from_row(&row.content).output, "alpha");
    let completed = scene.events(&id).await.pop().unwrap().body;
    assert!(matches!(completed, EventBody::ToolCallCompleted { success: true, elapsed_ms: 7, .. }), "{completed:?}");
}

#[tokio::test]
async fn a_call_id_is_used_from_its_message_on_for_ever_in_its_session() {
    let scene = Scene::new();
    let (id, other) = (scene.create('a', "Notes").await, scene.create('b', "Other").await);
    scene.start(&id, "go").await;
    assert!(!used(&scene, &id, "c1").await);
    scene.say(&id, 1, 0, "", vec![call("c1")]).await;
    assert!(used(&scene, &id, "c1").await);
    scene.call_ended(&id, 1, "c1", "alpha", None).await;
    scene.complete(&id, 1).await;
    scene.start(&id, "again").await;
    assert!(used(&scene, &id, "c1").await);
    assert!(!used(&scene, &id, "c").await);
    assert!(!used(&scene, &other, "c1").await);
    assert_eq!(scene.number("SELECT COUNT(*) FROM cowork_web_call_ids"), 1);
}

#[tokio::test]
async fn ids_in_rows_that_loom_adds_between_turns_count_too() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    scene.complete(&id, 1).await;
    let row = format!(
        "INSERT INTO conversation_turns (session_id, turn_number, role, content, tool_call_id, tool_name)
         VALUES ('{id}', 2, 'tool', '{{}}', 'call_1', 'read_file')"
    );
    scene.sql().execute_batch(&row).unwrap();
    assert!(used(&scene, &id, "call_1").await);
    scene.start(&id, "again").await;
    assert!(used(&scene, &id, "call_1").await);
}
