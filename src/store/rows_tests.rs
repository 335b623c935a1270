use super::*;
use crate::{
    agent::ports::store::Store,
    store::testing::{Scene, call, plan},
};

/// Three turns: a plain one, one with a call, one that has only begun. Rows 1 to 7.
async fn three_turns(scene: &Scene) -> SessionId {
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "What is in this folder? chunks=3").await;
    scene.say(&id, 1, 0, "A file.", vec![]).await;
    scene.complete(&id, 1).await;
    scene.start(&id, "read it").await;
    scene.say(&id, 2, 0, "", vec![call("c1")]).await;
    scene.call_ended(&id, 2, "c1", "alpha\nbeta needle\n", None).await;
    scene.say(&id, 2, 1, "It says alpha.", vec![]).await;
    scene.complete(&id, 2).await;
    scene.start(&id, "thanks").await;
    id
}

/// `turn_number`, `turn`, `message` of each row.
fn places(page: &TurnPage) -> Vec<(u64, u32, Option<u32>)> {
    page.turns.iter().map(|row| (row.turn_number, row.turn, row.message)).collect()
}

const WHOLE: [(u64, u32, Option<u32>); 7] =
    [(1, 1, None), (2, 1, Some(0)), (3, 2, None), (4, 2, Some(0)), (5, 2, None), (6, 2, Some(1)), (7, 3, None)];

#[tokio::test]
async fn turn_and_message_are_the_same_in_every_window() {
    let scene = Scene::new();
    let id = three_turns(&scene).await;
    for limit in 1..=8_u32 {
        for offset in 0..8_u64 {
            let page = scene.store.turns(&id, TurnWindow::From { offset, limit }).await.unwrap();
            let expected: Vec<_> = WHOLE.into_iter().skip(offset as usize).take(limit as usize).collect();
            assert_eq!((places(&page), page.total), (expected, 7), "offset {offset} limit {limit}");
        }
        for before in [None, Some(1), Some(4), Some(6), Some(7), Some(100), Some(u64::MAX)] {
            let window = TurnWindow::Before { turn_number: before, limit };
            let page = scene.store.turns(&id, window).await.unwrap();
            let below: Vec<_> = WHOLE.into_iter().filter(|(number, ..)| *number < before.unwrap_or(u64::MAX)).collect();
            let expected = below[below.len().saturating_sub(limit as usize)..].to_vec();
            assert_eq!((places(&page), page.total), (expected, 7), "before {before:?} limit {limit}");
        }
    }
}

#[tokio::test]
async fn rows_have_looms_form_and_counts() {
    let scene = Scene::new();
    let id = three_turns(&scene).await;
    let rows = scene.rows(&id).await;
    assert_eq!(rows.iter().map(|row| row.token_count).collect::<Vec<_>>(), [8, 1, 1, 28, 25, 3, 1]);
    assert_eq!(rows[3].tool_calls, [call("c1")]);
    assert_eq!(rows[4].tool_call_id, Some(CallId::new("c1")));
    assert_eq!(rows[4].tool_name.as_deref(), Some("read_file"));
    assert_eq!(rows[0].created_at, "2026-07-01T10:00:00.000Z");
    let text = |column: &str, number: i64| -> Option<String> {
        let sql = format!("SELECT {column} FROM conversation_turns WHERE turn_number = ?1");
        scene.sql().query_row(&sql, [number], |row| row.get(0)).unwrap()
    };
    assert_eq!(text("created_at", 1).as_deref(), Some("2026-07-01 10:00:00"));
    assert_eq!(text("tool_calls", 2), None);
    assert_eq!(
        text("tool_calls", 4).as_deref(),
        Some(
            r#"[{"id": "c1", "type": "function", "function": {"name": "read_file", "arguments": "{\"path\": \"notes.txt\"}"}}]"#
        )
    );
    assert_eq!(
        text("content", 5).as_deref(),
        Some(
            r#"{"success": true, "output": "alpha\nbeta needle\n", "error": null, "files_changed": [], "data": null}"#
        )
    );
}

#[tokio::test]
async fn the_session_counts_its_rows() {
    let scene = Scene::new();
    let id = three_turns(&scene).await;
    let session = scene.session(&id).await;
    assert_eq!((session.turn_count, session.total_tokens), (3, 67));
    let stored = "SELECT turn_count * 1000 + total_tokens FROM cowork_sessions";
    assert_eq!(scene.number(stored), 3067);
    assert_eq!(scene.number("SELECT SUM(token_count) FROM conversation_turns"), 67);
}

#[tokio::test]
async fn a_partial_message_is_marked_in_its_row() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.start(&id, "go").await;
    let end = crate::agent::ports::store::MessageEnd {
        by: crate::store::testing::agent(),
        turn: 1,
        message: 0,
        text: "I was ab".into(),
        calls: vec![],
        partial: true,
        events: vec![],
    };
    scene.store.end_message(&id, end).await.unwrap();
    assert_eq!(scene.rows(&id).await[1].metadata.as_ref().unwrap()["partial"], true);
}

#[tokio::test]
async fn rows_before_the_first_user_row_belong_to_turn_0_and_odd_columns_are_read_kindly() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene
        .sql()
        .execute_batch(&format!(
            "INSERT INTO conversation_turns (session_id, turn_number, role, content, tool_calls, metadata, token_count)
             VALUES ('{id}', 1, 'developer', NULL, 'not json', 'not json', NULL),
                    ('{id}', 2, 'assistant', 'hi', '[{{\"no\": \"id\"}}]', '{{\"a\": 1}}', 1),
                    ('{id}', 2, 'user', 'hello', NULL, NULL, 1)"
        ))
        .unwrap();
    let page = scene.store.turns(&id, crate::store::testing::ALL).await.unwrap();
    assert_eq!(places(&page), [(1, 0, None), (2, 0, Some(0)), (2, 1, None)]);
    assert_eq!(page.turns[0].role, Role::System);
    assert!(page.turns[1].tool_calls.is_empty());
}

#[tokio::test]
async fn the_windows_use_indexes() {
    let scene = Scene::new();
    let connection = scene.sql();
    for sql in [from_offset_sql(), newest_before_sql(), USER_ROWS_BEFORE.into(), ROLES_BACKWARDS.into()] {
        let plan = plan(&connection, &sql);
        assert!(plan.contains("SEARCH conversation_turns USING"), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
