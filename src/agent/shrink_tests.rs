use super::*;
use crate::protocol::CallId;

fn user(text: &str) -> ChatMessage {
    ChatMessage::User(text.into())
}

fn step(id: &str, text: &str, arguments: &Value, result: &str) -> [ChatMessage; 2] {
    let call = ToolCall { id: CallId::new(id), name: "write_file".into(), arguments: arguments.to_string() };
    let tool =
        ChatMessage::Tool { call_id: id.into(), name: "write_file".into(), success: true, content: result.into() };
    [ChatMessage::Assistant { text: text.into(), calls: vec![call] }, tool]
}

fn in_room(turn: &[ChatMessage], budget: u64) -> Vec<ChatMessage> {
    let (messages, used) = shrink(turn, budget, &|_, _| 0);
    assert!(used <= budget, "{used} of {budget}");
    assert_eq!(used, messages.iter().map(message_tokens).sum::<u64>());
    messages
}

fn arguments(message: &ChatMessage) -> Value {
    let ChatMessage::Assistant { calls, .. } = message else { panic!("{message:?}") };
    serde_json::from_str(&calls[0].arguments).unwrap()
}

fn lines(count: usize) -> String {
    (1..=count).map(|line| format!("line {line} of a long text\n")).collect()
}

#[test]
fn what_fits_stays_as_it_is() {
    let turn = [user("q")].into_iter().chain(step("a", "t", &json!({"content": lines(100)}), "r")).collect::<Vec<_>>();
    assert_eq!(in_room(&turn, 10_000), turn);
}

#[test]
fn arguments_of_finished_calls_give_way_before_texts_and_stay_json() {
    let long = json!({"path": "a.txt", "content": lines(400), "edits": [{"old_str": lines(50)}]});
    let turn: Vec<_> = [user("q")]
        .into_iter()
        .chain(step("a", "I write it.", &long, "Wrote it."))
        .chain(step("b", "And this.", &long, "Wrote it."))
        .collect();
    let shrunk = in_room(&turn, 4_000);
    assert_eq!(arguments(&shrunk[1])["path"], "a.txt");
    assert!(arguments(&shrunk[1])["content"].as_str().unwrap().contains("bytes that were given here are left out"));
    assert!(arguments(&shrunk[1])["edits"][0]["old_str"].as_str().unwrap().contains("left out"));
    assert_eq!(arguments(&shrunk[3]), long, "the newest call keeps its arguments as long as it can");
    let shrunk = in_room(&turn, 300);
    assert_eq!((&shrunk[0], &shrunk[1]), (&user("q"), &ChatMessage::Note(STEPS_LEFT_OUT.into())));
    assert!(arguments(&shrunk[2])["content"].as_str().unwrap().contains("left out"));
    let mut broken = format!("{{\"path\": \"{}", "x".repeat(900));
    shorten_arguments(&mut broken);
    assert!(serde_json::from_str::<Value>(&broken).unwrap()["left_out"].is_string(), "{broken}");
}

#[test]
fn a_new_result_keeps_its_beginning_and_its_end_at_line_borders() {
    let turn: Vec<_> = [user("q")].into_iter().chain(step("a", "", &json!({}), &lines(2_000))).collect();
    let shrunk = in_room(&turn, 1_500);
    let ChatMessage::Tool { content, .. } = &shrunk[2] else { panic!() };
    let shown: Vec<&str> = content.lines().collect();
    assert_eq!((shown[0], shown.last()), ("line 1 of a long text", Some(&"line 2000 of a long text")));
    assert!(content.contains("\n[… left out here for lack of room: ask for a smaller part …]\n"), "{content}");
    assert!(shown.iter().all(|line| line.starts_with("line ") && line.ends_with(" text") || line.starts_with('[')));
    assert!(content.len() > 4_000, "the room is used: {}", content.len());
    let mut one_line = "ä".repeat(5_000);
    cut_middle(&mut one_line, 1_000, TEXT_CUT);
    assert!(one_line.len() <= 1_000 && one_line.starts_with('ä') && one_line.ends_with('ä'));
}

#[test]
fn short_results_beside_a_long_one_stay_whole() {
    let mut turn = vec![user("q")];
    let [mut assistant, long] = step("a", "", &json!({}), &lines(2_000));
    if let ChatMessage::Assistant { calls, .. } = &mut assistant {
        calls.push(ToolCall { id: CallId::new("b"), name: "read_file".into(), arguments: "{}".into() });
    }
    let short = ChatMessage::Tool { call_id: "b".into(), name: "read_file".into(), success: true, content: lines(20) };
    turn.extend([assistant, long, short.clone()]);
    assert_eq!(in_room(&turn, 1_500)[3], short);
}

#[test]
fn a_long_message_of_the_person_gives_way_at_last() {
    let turn: Vec<_> = [user(&lines(2_000))].into_iter().chain(step("a", "", &json!({}), &lines(200))).collect();
    let shrunk = in_room(&turn, 2_000);
    let ChatMessage::User(text) = &shrunk[0] else { panic!() };
    assert!(text.starts_with("line 1 ") && text.ends_with("line 2000 of a long text\n") && text.contains(TEXT_CUT));
    let alone = in_room(&[user(&lines(2_000))], 2_000);
    assert!(matches!(&alone[0], ChatMessage::User(text) if text.len() > 6_000));
}

#[test]
fn of_many_steps_the_oldest_leave_whole_and_what_people_said_stays() {
    let mut turn = vec![user("q")];
    for at in 0..200 {
        turn.extend(step(&format!("c{at}"), "I go on with it.", &json!({"path": "a.txt"}), &lines(30)));
    }
    turn.insert(5, ChatMessage::Note("Steering instruction from user: shorter".into()));
    let shrunk = in_room(&turn, 3_000);
    assert_eq!(shrunk[1], ChatMessage::Note(STEPS_LEFT_OUT.into()));
    assert!(shrunk.contains(&turn[5]));
    let mut rest = shrunk[3..].iter();
    while let Some(message) = rest.next() {
        let ChatMessage::Assistant { calls, .. } = message else { panic!("{message:?}") };
        assert!(matches!(rest.next(), Some(ChatMessage::Tool { call_id, .. }) if *call_id == calls[0].id.as_str()));
    }
    assert_eq!(shrunk.last(), turn.last(), "what the model is to answer now is whole");
}

#[test]
fn thoughts_that_go_back_to_the_server_are_counted_and_give_way_with_their_text() {
    let turn: Vec<_> =
        [user("q")].into_iter().chain(step("a", "", &json!({}), "r")).chain(step("b", "", &json!({}), "r")).collect();
    let thoughts = |text: &str, _: &[ToolCall]| if text.is_empty() { 8_000 } else { 0 };
    let (messages, used) = shrink(&turn, 10_000, &thoughts);
    assert_eq!(messages, turn);
    assert!(used >= 4_000, "{used}");
    let (messages, used) = shrink(&turn, 3_000, &thoughts);
    assert!((2_000..=3_000).contains(&used), "{used}");
    assert!(matches!(&messages[1], ChatMessage::Assistant { text, .. } if text == TEXT_CUT));
    assert_eq!(messages[3], turn[3], "the newest keep theirs");
}
