//! The JSON examples of the docs, read into the protocol's types: each holds, and nothing lacks one.

use std::{collections::BTreeSet, fs, path::Path};

use cowork::protocol::{ClientFrame, Event, ServerFrame};
use schemars::schema_for;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Every line of the fenced `json` blocks of a page.
fn examples(page: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{page}: {error}: {line}"))).collect()
}

/// Reads an example and writes it again: what comes out is what stands there, with no field more or less.
fn holds<T: DeserializeOwned + Serialize>(example: &Value) -> T {
    let read: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{error}: {example}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), *example);
    read
}

/// The words of a type's tag, from its own schema.
fn tags(schema: &Value, tag: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match schema {
        Value::Object(fields) => {
            found.extend(fields.get("properties").and_then(|all| all[tag]["const"].as_str()).map(str::to_owned));
            found.extend(fields.iter().filter(|(name, _)| *name != "$defs").flat_map(|(_, value)| tags(value, tag)));
        }
        Value::Array(items) => found.extend(items.iter().flat_map(|value| tags(value, tag))),
        _ => {}
    }
    found
}

/// What frames.md shows of a client's.
pub fn client_frames() -> Vec<Value> {
    let sent = tags(&schema_for!(ClientFrame).to_value(), "type");
    examples("frames.md").into_iter().filter(|example| sent.contains(kind(example))).collect()
}

pub fn kind(example: &Value) -> &str {
    example["type"].as_str().unwrap_or_else(|| panic!("{example} has no type"))
}

/// What the typed frame of an event has beside the payload.
fn beside(kind: &str) -> &'static [&'static str] {
    match kind {
        "message_accepted" | "steering_received" => &["message", "actor"],
        "turn_started" | "queue_changed" => &["message"],
        "message_completed" => &["text"],
        "user_input_received" => &["answer", "actor"],
        "approval_resolved" => &["actor"],
        _ => &[],
    }
}

/// The event that a typed frame tells of.
fn event_of(frame: &Value) -> Event {
    let kind = kind(frame);
    let mut payload = frame.as_object().unwrap().clone();
    for name in ["type", "seq"].iter().chain(beside(kind)) {
        assert!(payload.remove(*name).is_some(), "{kind} has `{name}`: {frame}");
    }
    let event_type = if kind == "message_accepted" { "user_message_received" } else { kind };
    let event = json!({"seq": frame["seq"], "event_type": event_type, "payload": payload,
        "created_at": "2026-03-01T10:00:00.000Z", "actor": {"kind": "person", "name": "anna"}});
    holds(&event)
}

#[test]
fn every_event_has_an_example_that_holds() {
    let events: Vec<Event> = examples("events.md").iter().map(holds).collect();
    let shown: BTreeSet<String> = events.iter().map(|event| event.body.event_type().to_owned()).collect();
    let there = tags(&schema_for!(Event).to_value(), "event_type");
    assert!(there.len() > 20, "{there:?}");
    assert_eq!(shown, there);
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
}

/// The table of events.md: the types of each row, and what stands in its last cell.
fn table() -> Vec<(Vec<String>, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let kinds = |cell: &str| cell.split(", ").map(|kind| kind.trim_matches('`').to_owned()).collect();
    cells.map(|cells| (kinds(cells[0]), cells.last().unwrap().to_string())).collect()
}

#[test]
fn the_table_of_events_has_each_with_all_its_fields() {
    let table = table();
    let listed: BTreeSet<String> = table.iter().flat_map(|(kinds, _)| kinds.clone()).collect();
    assert_eq!(listed, tags(&schema_for!(Event).to_value(), "event_type"));
    for example in examples("events.md") {
        let kind = example["event_type"].as_str().unwrap();
        let (_, fields) = table.iter().find(|(kinds, _)| kinds.iter().any(|listed| listed == kind)).unwrap();
        let named: BTreeSet<&str> = fields.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for field in example["payload"].as_object().unwrap().keys() {
            assert!(named.contains(field.as_str()), "{kind} has `{field}`: {fields}");
        }
    }
}

#[test]
fn every_frame_has_an_example_that_holds() {
    let examples = examples("frames.md");
    let shown: BTreeSet<String> = examples.iter().map(|example| kind(example).to_owned()).collect();
    let sent = tags(&schema_for!(ClientFrame).to_value(), "type");
    let own = tags(&schema_for!(ServerFrame).to_value(), "type");
    let of_events: BTreeSet<String> = self::examples("events.md")
        .iter()
        .filter_map(|event| holds::<Event>(event).body.frame_type().map(str::to_owned))
        .collect();
    let presence = BTreeSet::from(["presence".to_owned()]);
    let mut there: BTreeSet<String> = [&sent, &own, &of_events, &presence].into_iter().flatten().cloned().collect();
    // What stands for frames of later versions.
    there.remove("other");
    // Beside the pending calls of a session, which have a type, too.
    assert!(sent.len() == 7 && own.len() > 15 && of_events.len() > 10, "{sent:?} {own:?} {of_events:?}");
    assert_eq!(shown, there);
    for example in &examples {
        let kind = kind(example);
        if sent.contains(kind) {
            holds::<ClientFrame>(example);
        } else if of_events.contains(kind) {
            event_of(example);
            let read: ServerFrame = serde_json::from_value(example.clone()).unwrap();
            assert_ne!(format!("{read:?}"), "", "the page takes it, too");
        } else if kind == "presence" {
            let person = |person: &Value| person["name"].is_string() && person["typing"].is_boolean();
            assert!(example["people"].as_array().unwrap().iter().all(person), "{example}");
        } else {
            assert_ne!(holds::<ServerFrame>(example), ServerFrame::Other, "{example}");
        }
    }
}

/// A page that shows too much or too little would be noticed.
#[test]
fn an_example_that_does_not_hold_is_noticed() {
    let wrong = |example: Value| std::panic::catch_unwind(move || holds::<ServerFrame>(&example)).is_err();
    assert!(wrong(json!({"type": "synced"})), "a field is missing");
    assert!(wrong(json!({"type": "synced", "seq": 1, "more": 2})), "there is one too many");
    assert!(!wrong(json!({"type": "synced", "seq": 1})));
}
