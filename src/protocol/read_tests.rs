use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;

/// Read by its fields, a value is what serde reads.
#[track_caller]
fn both<T: Read + DeserializeOwned + PartialEq + std::fmt::Debug>(json: &Value) -> T {
    let known: T = serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(read::<T>(&json).as_ref(), Some(&known), "{json}");
    known
}

/// As it is written, a value is read by both.
#[track_caller]
fn back<T: Read + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    assert_eq!(both::<T>(&serde_json::to_value(value).unwrap()), *value);
}

fn event(event_type: &str, payload: Value) -> Value {
    json!({
        "seq": 7, "event_type": event_type, "payload": payload, "created_at": "2026-03-01T10:00:00.000Z",
        "actor": {"kind": "service", "name": "nightly"},
    })
}

fn approval() -> Value {
    json!({
        "turn": 2, "approval_id": "a", "tool_call_id": "c", "name": "shell_execute", "preview": "ls", "risk": "run",
        "args": {"command": "ls", "n": 3, "part": 0.5, "all": true, "none": null, "list": [1, "x"], "empty": {}}, "scope": null,
    })
}

fn asked() -> Value {
    let options = json!([{"id": "a", "label": "Apples", "description": "red"}]);
    json!({
        "turn": 2, "question_id": "q", "tool_call_id": "c", "question": "Which?", "kind": "multi_choice",
        "options": options, "allow_custom": true,
    })
}

fn tokens() -> Value {
    json!({"input": 1, "output": 2, "cached": 3, "total": 6})
}

/// One of each, and some without what may be missing.
fn events() -> Vec<Value> {
    let context = json!({"used": 5, "limit": 10});
    [
        ("session_started", json!({"workspace": "/srv", "model": "m", "mode": "accept_edits"})),
        ("session_started", json!({
            "workspace": "/srv", "model": "m", "mode": "ask", "forked_from": {"session_id": "s", "turn": 3},
        })),
        ("session_resumed", json!({"turn_count": 4})),
        ("session_updated", json!({"title": "T", "pinned": true, "mode": "full"})),
        ("session_updated", json!({"model": "n", "archived": false})),
        ("user_message_received", json!({
            "turn": null, "turn_number": null, "message_id": "m", "client_id": "c", "queued": true, "bytes": 5,
        })),
        ("user_message_received", json!({
            "turn": 1, "turn_number": 2, "message_id": "m", "client_id": null, "queued": false, "bytes": 5,
            "attachments": ["a.txt"],
        })),
        ("turn_started", json!({"turn": 1, "message_id": "m", "model": "x"})),
        ("model_call", json!({"turn": 1, "message": 0, "model": "x", "attempt": 1, "tokens": tokens(), "ms": 5})),
        ("model_call", json!({"turn": 1, "message": 0, "model": "x", "attempt": 1, "tokens": null, "ms": 5})),
        ("model_retry", json!({"turn": 1, "message": 0, "attempt": 2, "wait_ms": 900, "reason": "r"})),
        ("message_completed", json!({"turn": 1, "message": 0, "turn_number": 2, "bytes": 9, "partial": true})),
        ("tool_call_started", json!({"turn": 1, "tool_call_id": "c", "name": "n", "args": {"a": [1]}, "preview": "p"})),
        ("tool_call_completed", json!({
            "turn": 1, "tool_call_id": "c", "name": "n", "success": true, "elapsed_ms": 3, "preview": "p",
            "output": "o", "error": null, "diff": "d", "files_changed": ["f"], "truncated": true,
        })),
        ("approval_requested", approval()),
        ("approval_resolved", json!({"turn": 1, "approval_id": "a", "tool_call_id": "c", "decision": "approve_always"})),
        ("approval_rule_added", json!({"rule_id": "r", "tool": "t", "scope": "s"})),
        ("approval_rule_removed", json!({"rule_id": "r", "tool": "t", "scope": null})),
        ("awaiting_user_input", asked()),
        ("user_input_received", json!({"turn": 1, "question_id": "q", "tool_call_id": "c"})),
        ("steering_received", json!({"turn": 1, "steering_id": "s", "bytes": 3})),
        ("changes_undone", json!({"turn": 1, "restored": ["a"], "conflicts": []})),
        ("sharing_changed", json!({"name": "*", "part": "take_part"})),
        ("sharing_changed", json!({"name": "ben", "part": null})),
        ("queue_changed", json!({"change": "first", "message_id": "m", "length": 2})),
        ("queue_changed", json!({"change": "released", "message_id": null, "length": 2})),
        ("turn_completed", json!({
            "turn": 1, "model": "x", "tokens": tokens(), "latency_ms": 1, "total_time_ms": 2, "tool_calls": 3,
            "context": context, "stopped_by": "limit",
        })),
        ("turn_interrupted", json!({"turn": 1, "reason": "restart", "detail": "d"})),
        ("upload_started", json!({
            "upload_id": "u", "target_dir": ".", "on_conflict": "keep_both", "resumable": true, "name": "n", "bytes": 9,
        })),
        ("upload_completed", json!({
            "upload_id": "u", "name": "n", "status": "skipped", "path": "p", "size": 9, "sha256": null,
        })),
        ("upload_failed", json!({"upload_id": "u", "name": null, "path": null, "code": "c", "detail": "d"})),
        ("session_error", json!({"code": "c", "detail": "d"})),
        ("events_removed", json!({"first_seq": 1, "last_seq": 9, "count": 9})),
    ]
    .map(|(event_type, payload)| event(event_type, payload))
    .into()
}

fn session() -> Value {
    let mut waits = [approval(), asked()];
    for (wait, kind) in waits.iter_mut().zip(["approval_requested", "awaiting_user_input"]) {
        wait["type"] = json!(kind);
        wait["seq"] = json!(5);
    }
    json!({
        "id": "5".repeat(32), "title": "T", "workspace": "/srv", "model": "m", "mode": "read_only",
        "status": "awaiting_approval", "turn_count": 2, "total_tokens": 5_000_000_000_u64, "started_at": "s",
        "last_active_at": "l", "archived": true, "pinned": true, "head_seq": 9, "pending": waits,
        "tasks": [{"content": "do", "status": "in_progress"}],
    })
}

#[test]
fn every_event_is_read_as_serde_reads_it() {
    let events = events();
    let types: BTreeSet<_> = events.iter().map(|event| both::<Event>(event).body.event_type()).collect();
    assert_eq!(types.len(), 27, "a new event needs a sample here: {types:?}");
    for event in &events {
        let mut frame = event.clone();
        frame["type"] = json!("log_event");
        assert!(matches!(both::<ServerFrame>(&frame), ServerFrame::LogEvent(_)));
    }
}

#[test]
fn frames_are_read_as_serde_reads_them() {
    let card = CallCard {
        tool_call_id: CallId::new("c"),
        state: CallState::Succeeded,
        line: "<b>".into(),
        body: String::new(),
        below: String::new(),
        ask: "ask".into(),
    };
    let call = LiveCall { tool_call_id: CallId::new("c"), name: "n".into(), offset: 3, text: "t".into() };
    let in_flight = InFlight { turn: 1, message: 2, text: "x".into(), thinking: "y".into(), calls: vec![call] };
    let session = both::<Session>(&session());
    let text = || "text \u{1F600} \"quoted\"".to_owned();
    for frame in [
        ServerFrame::Hello { session, head_seq: 9, boot_id: text(), in_flight: Some(in_flight) },
        ServerFrame::Synced { seq: 3 },
        ServerFrame::Reset { reason: text(), first_seq: 1 },
        ServerFrame::TextDelta { turn: 1, message: 0, offset: 5, text: text() },
        ServerFrame::ThinkingDelta { turn: 1, message: 0, offset: 5, text: text() },
        ServerFrame::MessageBlocks { turn: 1, message: 0, from: 2, blocks: vec![text()], open: true },
        ServerFrame::ToolCallCard { turn: 1, message: 0, card },
        ServerFrame::Fragment { part: Part::Foot(4), html: text() },
        ServerFrame::Fragment { part: Part::Writing(4), html: text() },
        ServerFrame::Fragment { part: Part::Menu, html: text() },
        ServerFrame::Fragment { part: Part::Meter, html: text() },
        ServerFrame::MessageAccepted { seq: 1, message: text() },
        ServerFrame::TurnStarted { seq: 1, message: text() },
        ServerFrame::QueueChanged { seq: 1, message: Some(text()) },
        ServerFrame::QueueChanged { seq: 1, message: None },
        ServerFrame::MessageCompleted { seq: 1, text: text() },
        ServerFrame::SteeringReceived { seq: 1, message: text() },
        ServerFrame::UserInputReceived { seq: 1, answer: text() },
        ServerFrame::ToolCallOutput { turn: 1, tool_call_id: CallId::new("c"), offset: 1, text: text() },
        ServerFrame::Error { code: text(), detail: text(), client_id: None },
        ServerFrame::Heartbeat { head_seq: 4 },
        ServerFrame::Pong { head_seq: 4 },
        ServerFrame::Presence { people: vec![Present { name: "anna".into(), typing: true }] },
    ] {
        back(&frame);
    }
    assert_eq!(both::<ServerFrame>(&json!({"type": "of_a_later_version", "seq": 3})), ServerFrame::Other);
}

fn transcript() -> Transcript {
    let said = Said { text: "Hi".into(), at: "t".into(), actor: Some(Actor::local()), attachments: vec!["a".into()] };
    let card = CallCard {
        tool_call_id: CallId::new("c"),
        state: CallState::Waiting,
        line: String::new(),
        body: String::new(),
        below: String::new(),
        ask: String::new(),
    };
    let message =
        Message { message: 1, blocks: vec!["<p>".into()], partial: true, cards: vec![card], ..Message::default() };
    let completed = Outcome::Completed {
        model: "m".into(),
        tokens: Tokens { input: 1, estimated: true, ..Tokens::default() },
        total_time_ms: 5,
        tool_calls: 1,
        context: ContextUse { used: 1, limit: 2 },
        stopped_by: Some(StoppedBy::Limit),
    };
    let interrupted = Outcome::Interrupted { reason: InterruptReason::Stopped, detail: "d".into() };
    let steered = Steered { steering_id: SteeringId::new("s"), after: 1, said: said.clone() };
    let turn = |number, outcome| Turn {
        turn: number,
        user: Some(said.clone()),
        messages: vec![message.clone()],
        outcome,
        retry: Some("r".into()),
        steering: vec![steered.clone()],
        foot: "f".into(),
    };
    let outcomes = [Outcome::Past, completed, interrupted, Outcome::Running];
    let queued = QueuedMessage {
        message_id: MessageId::new("m"),
        message: "next".into(),
        created_at: "c".into(),
        attachments: vec![],
        steering_id: Some(SteeringId::new("s")),
    };
    Transcript { turns: (1..).zip(outcomes).map(|(n, o)| turn(n, o)).collect(), queue: vec![queued], queue_held: true }
}

fn change(kind: ChangeKind) -> FileChange {
    FileChange {
        path: "a".into(),
        kind,
        from: Some("b".into()),
        folder: true,
        diff: None,
        binary: true,
        undone: false,
        undoable: true,
        note: None,
    }
}

#[test]
fn pages_are_read_as_serde_reads_them() {
    let changes = [ChangeKind::Created, ChangeKind::Modified, ChangeKind::Deleted, ChangeKind::Moved].map(change);
    let list = ChangeList { changes: changes.into(), notes: vec!["n".into()] };
    let kinds = [FileKind::Folder, FileKind::File, FileKind::Other];
    let entries =
        kinds.map(|kind| FileEntry { name: "n".into(), path: "p".into(), kind, size: Some(3), modified_at: None });
    let session = both::<Session>(&session());
    let page = SessionPage {
        session: session.clone(),
        transcript: transcript(),
        events: events().iter().map(both::<Event>).collect(),
        cursor: 9,
        in_flight: Some((2, 1)),
        boot_id: "b".into(),
        changed: BTreeMap::from([(2, BTreeSet::from(["a".to_owned(), "b".to_owned()]))]),
        changes: BTreeMap::from([(2, list)]),
        files: FileList { entries: entries.into(), truncated: true },
        uploads: events().iter().map(both::<Event>).collect(),
        earlier: Some(4),
        menu: "<m>".into(),
        meter: String::new(),
        blocked: None,
        watches: true,
    };
    let folder = Folder { name: "n".into(), path: "/n".into() };
    let folders =
        FolderList { dir: None, usable: true, writable: false, parent: Some("/".into()), folders: vec![folder] };
    let choices = |folders| CreateChoices { models: vec!["m".into()], built_in_only: true, folders, notice: None };
    let refused = choices(Err(ApiError::session_not_found()));
    for page in [
        Page::Home(Box::new(HomePage { choices: choices(Ok(folders)), deleted: Some(SessionId("s".into())) })),
        Page::Home(Box::new(HomePage { choices: refused, deleted: None })),
        Page::Session(Box::new(page.clone())),
        Page::Running(Box::new(page)),
        Page::NotFound,
    ] {
        let look = Look { theme: Theme::Contrast, tab: Tab::Changes, left: 300, ..Look::default() };
        let sessions = vec![Listed::from(session.clone())];
        back(&Opened {
            page,
            look,
            now: "now".into(),
            sessions,
            error: Some("e".into()),
            name: Some("anna".into()),
            base: BasePath::parse("/office").unwrap(),
        });
    }
    back(&EarlierTurns { turns: transcript().turns, earlier: None });
}

#[test]
fn answers_are_read_as_serde_reads_them() {
    for code in ErrorCode::ALL {
        back(&ApiError::new(*code, "detail"));
    }
    let events = events().iter().map(both::<Event>).collect();
    back(&EventPage { events, next_cursor: 7, head_seq: 9, total: 30 });
    both::<ListedPage>(&json!({"sessions": [session()], "total": 1}));
    let conflict = UndoConflict { path: "p".into(), detail: "d".into() };
    back(&UndoAnswer { restored: vec!["a".into()], conflicts: vec![conflict] });
    let table = Table { columns: vec!["a".into()], rows: vec![vec!["1".into()]] };
    for kind in ["text", "markdown", "table", "image", "pdf", "none"] {
        both::<FilePreview>(&json!({
            "name": "n", "path": "p", "kind": kind, "size": 3, "modified_at": null, "truncated": false, "encoding": "e",
            "text": "t", "html": null, "table": table, "url": null,
        }));
    }
    both::<ModelInfo>(&json!({
        "name": "n", "provider": "p", "model": "m", "default": true, "context_limit": 9, "reachable": false, "detail": "d",
    }));
    both::<ModelOffer>(&json!({
        "name": "n", "provider": "p", "base_url": "u", "models": [{"model": "m", "toml": "t"}],
    }));
    for status in ["uploaded", "skipped", "failed"] {
        let error = json!({"code": "file_too_large", "detail": "d"});
        both::<UploadedFile>(&json!({
            "name": "n", "status": status, "path": "p", "size": 3, "sha256": null, "error": error,
        }));
    }
}

#[test]
fn what_does_not_fit_is_not_read() {
    for wrong in [json!(null), json!({}), json!([]), json!("x"), event("of_a_later_version", json!({}))] {
        assert_eq!(read::<Event>(&&wrong), None, "{wrong}");
    }
    assert_eq!(read::<Status>(&&json!("asleep")), None);
    assert_eq!(read::<Listed>(&&json!({"id": "s", "title": 3})), None);
    assert_eq!(read::<Vec<String>>(&&json!(["a", 1])), None);
}
