use serde_json::json;

use super::*;
use crate::protocol::Event;
use crate::protocol::ToolCall;

fn row(turn_number: u64, turn: u32, role: Role, content: &str) -> TurnRow {
    TurnRow {
        turn_number,
        turn,
        message: None,
        role,
        content: content.into(),
        tool_calls: vec![],
        tool_call_id: None,
        tool_name: None,
        token_count: 0,
        created_at: "2026-03-01T10:00:00.000Z".into(),
        metadata: None,
    }
}

fn call_row(turn_number: u64, turn: u32, message: u32, id: &str, arguments: &str) -> TurnRow {
    let call = ToolCall { id: CallId::new(id), name: "read_file".into(), arguments: arguments.into() };
    TurnRow { message: Some(message), tool_calls: vec![call], ..row(turn_number, turn, Role::Assistant, "") }
}

fn result_row(turn_number: u64, turn: u32, id: &str, output: &str) -> TurnRow {
    let content =
        json!({"success": true, "output": output, "error": null, "files_changed": [], "data": null}).to_string();
    TurnRow { tool_call_id: Some(CallId::new(id)), ..row(turn_number, turn, Role::Tool, &content) }
}

fn record(seq: u64, body: EventBody, text: Option<&str>) -> Record {
    let event = Event { seq, body, created_at: "2026-03-01T10:00:01.000Z".into(), actor: Actor::local() };
    Record { event, text: text.map(Into::into) }
}

/// A turn as Loom writes it: the same call id in two messages of one turn.
fn loom_rows() -> Vec<TurnRow> {
    vec![
        row(1, 1, Role::User, "read both"),
        call_row(2, 1, 0, "call_1", r#"{"path":"a.txt"}"#),
        result_row(3, 1, "call_1", "alpha"),
        call_row(4, 1, 1, "call_1", r#"{"path":"b.txt"}"#),
        result_row(5, 1, "call_1", "beta"),
        TurnRow { message: Some(2), ..row(6, 1, Role::Assistant, "Both read.") },
    ]
}

/// The same turn as events of ours, with ids that don't repeat.
fn events() -> Vec<Record> {
    let id = MessageId::new("m1");
    let started = |seq, id: &str, path: &str| {
        let body = EventBody::ToolCallStarted {
            turn: 1,
            tool_call_id: CallId::new(id),
            name: "read_file".into(),
            args: json!({ "path": path }),
            preview: path.into(),
        };
        record(seq, body, None)
    };
    let completed = |seq, id: &str, output: &str| {
        let body = EventBody::ToolCallCompleted {
            turn: 1,
            tool_call_id: CallId::new(id),
            name: "read_file".into(),
            success: true,
            elapsed_ms: 7,
            preview: "1 line".into(),
            output: output.into(),
            error: None,
            diff: None,
            files_changed: vec![],
            truncated: false,
        };
        record(seq, body, None)
    };
    let message = |seq, message, turn_number, text: &str| {
        record(
            seq,
            EventBody::MessageCompleted { turn: 1, message, turn_number, bytes: text.len() as u64, partial: false },
            Some(text),
        )
    };
    let received = EventBody::UserMessageReceived {
        turn: Some(1),
        turn_number: Some(1),
        message_id: id.clone(),
        client_id: None,
        queued: false,
        bytes: 9,
        attachments: vec![],
        steering_id: None,
    };
    let ended = EventBody::TurnInterrupted { turn: 1, reason: InterruptReason::Stopped, detail: "Stopped.".into() };
    vec![
        record(1, received, Some("read both")),
        record(2, EventBody::TurnStarted { turn: 1, message_id: id, model: "m".into() }, None),
        message(3, 0, 2, ""),
        started(4, "call_1", "a.txt"),
        completed(5, "call_1", "alpha"),
        message(6, 1, 4, ""),
        started(7, "call_1-2", "b.txt"),
        completed(8, "call_1-2", "beta"),
        message(9, 2, 6, "Both read."),
        record(10, ended, None),
    ]
}

fn apply<'a>(transcript: &mut Transcript, records: impl Iterator<Item = &'a Record>) {
    for record in records {
        transcript.apply(record);
    }
}

#[test]
fn repeated_call_ids_of_loom_find_their_own_results() {
    let transcript = Transcript::from_rows(&loom_rows());
    let outputs: Vec<_> = transcript.turns[0]
        .messages
        .iter()
        .flat_map(|m| &m.calls)
        .map(|c| (c.preview.as_str(), c.output.as_str()))
        .collect();
    assert_eq!(outputs, [("a.txt", "alpha"), ("b.txt", "beta")]);
    assert_eq!(transcript.turns[0].outcome, Outcome::Past);
}

#[test]
fn events_alone_tell_the_whole_turn() {
    let mut transcript = Transcript::default();
    for event in events() {
        transcript.apply(&event);
    }
    let turn = &transcript.turns[0];
    assert_eq!(turn.user.as_ref().map(|said| said.text.as_str()), Some("read both"));
    assert_eq!(turn.messages.len(), 3);
    assert_eq!(turn.messages[1].calls[0].output, "beta");
    assert_eq!(turn.messages[2].text, "Both read.");
    assert!(matches!(turn.outcome, Outcome::Interrupted { reason: InterruptReason::Stopped, .. }));
}

#[test]
fn a_turn_runs_from_the_message_that_starts_it() {
    let mut transcript = Transcript::default();
    transcript.apply(&events()[0]);
    assert_eq!(transcript.running(), Some(1));
}

#[test]
fn applying_every_event_twice_changes_nothing() {
    let mut once = Transcript::default();
    apply(&mut once, events().iter());
    let mut twice = once.clone();
    // A page that was rendered from rows and events takes them again after a reconnect from an older cursor.
    apply(&mut twice, events().iter().skip(2));
    assert_eq!(once, twice);
}

#[test]
fn events_on_top_of_rows_add_no_second_message_or_call() {
    let mut rows = loom_rows();
    rows[3].tool_calls[0].id = CallId::new("call_1-2");
    rows[4].tool_call_id = Some(CallId::new("call_1-2"));
    let mut transcript = Transcript::from_rows(&rows);
    apply(&mut transcript, events().iter());
    let calls: usize = transcript.turns[0].messages.iter().map(|message| message.calls.len()).sum();
    assert_eq!((transcript.turns.len(), transcript.turns[0].messages.len(), calls), (1, 3, 2));
    assert_eq!(transcript.turns[0].messages[0].calls[0].elapsed_ms, Some(7));
}

#[test]
fn a_queued_message_waits_and_becomes_its_turn() {
    let mut transcript = Transcript::default();
    let id = MessageId::new("m7");
    let queued = EventBody::UserMessageReceived {
        turn: None,
        turn_number: None,
        message_id: id.clone(),
        client_id: None,
        queued: true,
        bytes: 5,
        attachments: vec![],
        steering_id: None,
    };
    assert_eq!(transcript.apply(&record(1, queued, Some("later"))), Touched::Queue);
    assert_eq!(transcript.queue[0].message, "later");
    transcript.apply(&record(2, EventBody::TurnStarted { turn: 4, message_id: id, model: "m".into() }, None));
    assert!(transcript.queue.is_empty());
    assert_eq!(transcript.turns[0].user.as_ref().map(|said| said.text.as_str()), Some("later"));
    assert_eq!(transcript.running(), Some(4));
}

#[test]
fn an_edited_message_waits_and_starts_with_its_new_text() {
    let mut transcript = Transcript::default();
    let id = MessageId::new("m7");
    let queued = EventBody::UserMessageReceived {
        turn: None,
        turn_number: None,
        message_id: id.clone(),
        client_id: None,
        queued: true,
        bytes: 3,
        attachments: vec![],
        steering_id: None,
    };
    let edited = EventBody::QueueChanged { change: QueueChange::Edited, message_id: Some(id.clone()), length: 1 };
    let started = EventBody::TurnStarted { turn: 1, message_id: id, model: "m".into() };
    transcript.apply(&record(1, queued, Some("old")));
    transcript.apply(&record(2, edited, Some("new")));
    assert_eq!(transcript.queue[0].message, "new");
    transcript.apply(&record(3, started, Some("new")));
    assert_eq!(transcript.turns[0].user.as_ref().map(|said| said.text.as_str()), Some("new"));
}

#[test]
fn a_word_that_came_too_late_for_its_turn_is_the_next_message() {
    let mut transcript = Transcript::default();
    let received = |id: &str, steering_id: Option<&str>| EventBody::UserMessageReceived {
        turn: None,
        turn_number: None,
        message_id: MessageId::new(id),
        client_id: None,
        queued: true,
        bytes: 1,
        attachments: vec![],
        steering_id: steering_id.map(SteeringId::new),
    };
    let steered = |id: &str| EventBody::SteeringReceived { turn: 1, steering_id: SteeringId::new(id), bytes: 1 };
    let started = EventBody::TurnStarted { turn: 1, message_id: MessageId::new("m"), model: "m".into() };
    let before = [started, received("q", None), steered("s1"), steered("s2"), steered("s3")];
    for (seq, body) in (1..).zip(before) {
        transcript.apply(&record(seq, body, Some("x")));
    }
    assert_eq!(transcript.turns[0].steering.len(), 3);
    assert_eq!(transcript.apply(&record(6, received("s2", Some("s2")), Some("x"))), Touched::Turn(0));
    transcript.apply(&record(7, received("s3", Some("s3")), Some("x")));
    let kept: Vec<_> = transcript.turns[0].steering.iter().map(|steered| steered.steering_id.as_str()).collect();
    assert_eq!(kept, ["s1"], "what the model got stays where it was said");
    let queue: Vec<_> = transcript.queue.iter().map(|waiting| waiting.message_id.as_str()).collect();
    assert_eq!(queue, ["s2", "s3", "q"]);
}

#[test]
fn a_retry_is_told_until_the_answer_comes_or_the_turn_ends() {
    let retry = |wait_ms| {
        let reason = "The server can't answer now (503): busy.".into();
        record(3, EventBody::ModelRetry { turn: 1, message: 0, attempt: 1, wait_ms, reason }, None)
    };
    let told = |wait_ms| {
        let mut transcript = Transcript::default();
        apply(&mut transcript, events()[..2].iter());
        assert_eq!(transcript.apply(&retry(wait_ms)), Touched::Turn(0));
        transcript
    };
    let said = |transcript: &Transcript| transcript.turns[0].retry.clone();
    let words = "The server can't answer now (503): busy. Trying again in 2 s (attempt 2).";
    assert_eq!(said(&told(2_000)).as_deref(), Some(words));
    assert_eq!(said(&told(1_001)).as_deref(), Some(words), "a part of a second is one more");
    // The next try's refusal takes the place of the one before it.
    let mut again = told(2_000);
    let reason = "Busy still.".into();
    again.apply(&record(4, EventBody::ModelRetry { turn: 1, message: 0, attempt: 2, wait_ms: 0, reason }, None));
    assert_eq!(said(&again).as_deref(), Some("Busy still. Trying again in 0 s (attempt 3)."));

    let mut begun = told(2_000);
    begun.begin_answer(1);
    assert_eq!(said(&begun), None, "while it is written");
    let ends = [events().remove(2), events().pop().unwrap()];
    for end in ends {
        let mut over = told(2_000);
        over.apply(&end);
        assert_eq!(said(&over), None, "{end:?}");
    }
}
