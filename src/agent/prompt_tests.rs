use super::*;
use crate::{agent::shrink::RESULT_LEFT_OUT, protocol::CallId};

fn row(role: Role, content: &str) -> TurnRow {
    TurnRow {
        turn_number: 0,
        turn: 1,
        message: None,
        role,
        content: content.into(),
        tool_calls: vec![],
        tool_call_id: None,
        tool_name: None,
        token_count: 0,
        created_at: String::new(),
        metadata: None,
    }
}

fn asking(id: &str) -> TurnRow {
    let call = ToolCall { id: CallId::new(id), name: "read_file".into(), arguments: "{}".into() };
    TurnRow { tool_calls: vec![call], ..row(Role::Assistant, "") }
}

fn result(id: &str) -> TurnRow {
    TurnRow {
        tool_call_id: Some(CallId::new(id)),
        ..row(Role::Tool, r#"{"success":true,"output":"two\nlines","error":null}"#)
    }
}

fn window(tokens: u64) -> Window<'static> {
    Window { tokens, answer: None, carried: &|_, _| 0 }
}

/// Every call followed by its result at once, and no result without a call: what providers demand.
fn is_valid(messages: &[ChatMessage]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        match message {
            ChatMessage::Tool { call_id, .. } => match open.iter().position(|id| id == call_id) {
                Some(found) => drop(open.remove(found)),
                None => return false,
            },
            _ if !open.is_empty() => return false,
            ChatMessage::Assistant { calls, .. } => open = calls.iter().map(|call| call.id.as_str()).collect(),
            _ => {}
        }
    }
    open.is_empty()
}

#[test]
fn a_result_keeps_its_lines() {
    let (messages, open) = history(&[row(Role::User, "q"), asking("a"), result("a")]);
    assert!(open.is_empty());
    assert!(matches!(&messages[2], ChatMessage::Tool { content, success: true, .. } if content == "two\nlines"));
}

#[test]
fn broken_histories_are_repaired() {
    let cases = [
        vec![row(Role::User, "q"), asking("a")],
        vec![row(Role::User, "q"), asking("a"), row(Role::User, "q2")],
        vec![result("a"), row(Role::User, "q")],
        // Loom's terminal app writes an answer before the result of its question.
        vec![row(Role::User, "q"), asking("a"), row(Role::User, "answer"), row(Role::Assistant, "ok"), result("a")],
        vec![row(Role::User, "q"), asking("a"), result("a"), result("a"), asking("a"), result("a")],
    ];
    for rows in cases {
        let (messages, _) = history(&[&rows[..], &[row(Role::User, "next")]].concat());
        assert!(is_valid(&messages), "{rows:?}");
    }
}

#[test]
fn the_newest_turn_always_stays_and_older_ones_leave_whole() {
    let long = "x".repeat(4_000);
    let rows: Vec<_> =
        (0..10).flat_map(|_| [row(Role::User, &long), asking("a"), result("a"), row(Role::Assistant, &long)]).collect();
    let preamble = Preamble::new("system".into(), &Tools::new([]));
    let Prompt { request, tokens } = preamble.prompt(&history(&rows).0, 1, &window(6_000));
    assert!(tokens <= 6_000);
    assert!(matches!(request.messages[0], ChatMessage::Note(_)));
    assert!(matches!(request.messages[1], ChatMessage::User(_)));
    assert!(is_valid(&request.messages));
    let tight = preamble.prompt(&history(&rows).0, 1, &window(10));
    let kept: Vec<bool> = tight.request.messages.iter().map(is_user).collect();
    assert_eq!(kept, [false, true, false, false], "the index, and of the newest turn the message and the last step");
}

#[test]
fn a_used_id_gets_a_suffix() {
    let used: HashSet<String> = ["call_1", "call_1-2"].map(String::from).into();
    assert_eq!(unused_id("call_9", &used), "call_9");
    assert_eq!(unused_id("call_1", &used), "call_1-3");
    assert_eq!(unused_id("", &used), "call-2");
}

#[test]
fn calls_of_the_last_message_without_a_result_come_back_as_they_are() {
    let (messages, open) = history(&[row(Role::User, "q"), asking("a"), result("a"), asking("b")]);
    assert_eq!(open.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(matches!(messages.last(), Some(ChatMessage::Assistant { .. })), "the call has no made-up result");
}

#[test]
fn what_is_left_out_is_told_with_its_turns_and_their_first_words() {
    let long = "x".repeat(4_000);
    let ask = |turn: u32| row(Role::User, &format!("Question {turn}\nwith more lines"));
    let rows: Vec<_> = (1..=9).flat_map(|turn| [ask(turn), row(Role::Assistant, &long)]).collect();
    let Prompt { request, tokens } =
        Preamble::new("system".into(), &Tools::new([])).prompt(&history(&rows).0, 4, &window(6_000));
    assert!(tokens <= 6_000 * (100 - RESERVE_PERCENT) / 100, "{tokens}");
    let ChatMessage::Note(index) = &request.messages[0] else { panic!("{:?}", request.messages[0]) };
    let shown = request.messages.iter().filter(|message| is_user(message)).count() as u32;
    assert!(index.contains(&format!("Turns 1 to {} of this session", 12 - shown)), "{index}");
    assert!(index.contains("- turn 4: Question 1\n") && index.contains("conversation_recall"), "{index}");
    assert!(index.len() <= INDEX_CHARS);
}

#[test]
fn in_a_turn_that_is_too_long_old_results_give_way_first() {
    let result = |id: &str| {
        let text = format!("{id}: {}", "line of text\n".repeat(400));
        let content =
            serde_json::to_string(&ToolResult { success: true, output: text, ..ToolResult::default() }).unwrap();
        TurnRow { tool_call_id: Some(CallId::new(id)), ..row(Role::Tool, &content) }
    };
    let rows = [row(Role::User, "q"), asking("a"), result("a"), asking("b"), result("b"), asking("c"), result("c")];
    let Prompt { request, tokens } =
        Preamble::new("s".into(), &Tools::new([])).prompt(&history(&rows).0, 1, &window(4_000));
    assert!(tokens <= 3_000, "{tokens}");
    assert!(is_valid(&request.messages));
    let results: Vec<_> = request
        .messages
        .iter()
        .filter_map(|message| match message {
            ChatMessage::Tool { content, .. } => Some(content.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(results[0], RESULT_LEFT_OUT);
    assert!(results[2].starts_with("c: line of text") && !results[2].contains("left out here"));
    let Prompt { request, tokens } =
        Preamble::new("s".into(), &Tools::new([])).prompt(&history(&rows).0, 1, &window(1_000));
    assert!(tokens <= 750, "{tokens}");
    let ChatMessage::Tool { content, .. } = request.messages.last().unwrap() else { panic!() };
    assert!(content.starts_with("c: line of text\n") && content.ends_with("\nline of text\n"), "{content}");
    assert!(content.contains("left out here for lack of room"), "{content}");
}

#[test]
fn the_answer_has_the_room_that_it_may_take_and_never_all_of_it() {
    let budget = |answer| Window { answer, ..window(8_000) }.budget();
    for (answer, expected) in
        [(None, 6_000), (Some(500), 6_000), (Some(3_000), 5_000), (Some(4_000), 4_000), (Some(64_000), 4_000)]
    {
        assert_eq!(budget(answer), expected, "{answer:?}");
    }
    let long = "x".repeat(4_000);
    let rows: Vec<_> = (0..10).flat_map(|_| [row(Role::User, &long), row(Role::Assistant, &long)]).collect();
    let tight = Window { answer: Some(4_000), ..window(8_000) };
    let Prompt { tokens, .. } = Preamble::new("s".into(), &Tools::new([])).prompt(&history(&rows).0, 1, &tight);
    assert!((2_000..=4_000).contains(&tokens), "{tokens}");
}
