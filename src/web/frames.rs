//! Events as frames: the typed frame, where the event has one, and its `log_event`.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::protocol::{EventBody, QueueChange, Record, ServerFrame};

/// The event's frames as JSON text, in the order they are sent.
pub fn encode(record: &Record) -> Vec<Bytes> {
    let typed = typed(record).map(|frame| Bytes::from(Value::Object(frame).to_string()));
    typed.into_iter().chain([text(&ServerFrame::LogEvent(record.event.clone()))]).collect()
}

/// A frame as JSON text.
pub fn text(frame: &impl Serialize) -> Bytes {
    match serde_json::to_vec(frame) {
        Ok(json) => json.into(),
        // Plain data with string keys always serialises; a client ignores a frame that it doesn't know.
        Err(error) => {
            tracing::error!(%error, "a frame could not be written");
            Bytes::from_static(b"{}")
        }
    }
}

/// The payload under the frame's own name, with the seq and with the text that the log does not hold.
fn typed(record: &Record) -> Option<Map<String, Value>> {
    let event = &record.event;
    let name = event.body.frame_type()?;
    let mut frame = Map::from_iter([("type".to_owned(), json!(name)), ("seq".to_owned(), json!(event.seq))]);
    if let Ok(Value::Object(mut body)) = serde_json::to_value(&event.body)
        && let Some(Value::Object(payload)) = body.remove("payload")
    {
        frame.extend(payload);
    }
    if let (EventBody::ApprovalRequested(_), Some(whole)) = (&event.body, &record.text)
        && let Ok((args, preview)) = serde_json::from_str::<(Value, Value)>(whole)
    {
        frame.extend([("args".to_owned(), args), ("preview".to_owned(), preview)]);
    }
    if let Some(field) = text_field(&event.body) {
        frame.insert(field.to_owned(), json!(record.text.as_deref().unwrap_or_default()));
    }
    if names_its_actor(&event.body) {
        frame.insert("actor".to_owned(), json!(event.actor));
    }
    Some(frame)
}

fn names_its_actor(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::UserMessageReceived { .. }
            | EventBody::ApprovalResolved { .. }
            | EventBody::UserInputReceived { .. }
            | EventBody::SteeringReceived { .. }
    )
}

/// Where the frame has the text that the log does not. `message` of a completed message is its number.
fn text_field(body: &EventBody) -> Option<&'static str> {
    match body {
        EventBody::MessageCompleted { .. } => Some("text"),
        EventBody::UserMessageReceived { .. } | EventBody::TurnStarted { .. } => Some("message"),
        EventBody::SteeringReceived { .. } => Some("message"),
        EventBody::UserInputReceived { .. } => Some("answer"),
        EventBody::QueueChanged { change: QueueChange::Edited, .. } => Some("message"),
        EventBody::QueueChanged { .. }
        | EventBody::ApprovalRequested(_)
        | EventBody::ApprovalResolved { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. }
        | EventBody::AwaitingUserInput(_)
        | EventBody::ChangesUndone { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::ModelCall { .. }
        | EventBody::ModelRetry { .. }
        | EventBody::ToolCallStarted { .. }
        | EventBody::ToolCallCompleted { .. }
        | EventBody::TurnCompleted { .. }
        | EventBody::TurnInterrupted { .. }
        | EventBody::UploadStarted { .. }
        | EventBody::UploadCompleted { .. }
        | EventBody::UploadFailed { .. }
        | EventBody::EventsRemoved { .. }
        | EventBody::SessionError { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Actor, Event, MessageId};

    fn frames(body: EventBody, text: Option<&str>) -> Vec<Value> {
        let event = Event { seq: 7, body, created_at: "2026-03-01T10:00:00.000Z".into(), actor: Actor::local() };
        let record = Record { event, text: text.map(Into::into) };
        encode(&record).iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect()
    }

    #[test]
    fn a_message_stands_in_its_frame_and_not_in_the_log() {
        let body = EventBody::UserMessageReceived {
            turn: Some(1),
            turn_number: Some(1),
            message_id: MessageId::new("m"),
            client_id: Some("c".into()),
            queued: false,
            bytes: 5,
            attachments: vec![],
            steering_id: None,
        };
        let frames = frames(body, Some("hello"));
        assert_eq!(frames[0]["type"], "message_accepted");
        assert_eq!(
            (&frames[0]["message"], &frames[0]["client_id"], &frames[0]["seq"]),
            (&json!("hello"), &json!("c"), &json!(7))
        );
        assert_eq!(frames[0]["actor"]["name"], "local");
        assert_eq!(frames[1]["type"], "log_event");
        assert_eq!(frames[1]["event_type"], "user_message_received");
        assert!(!frames[1].to_string().contains("hello"));
    }

    #[test]
    fn a_completed_message_has_its_number_and_its_text() {
        let body = EventBody::MessageCompleted { turn: 1, message: 2, turn_number: 3, bytes: 2, partial: true };
        let frames = frames(body, Some("hi"));
        assert_eq!(
            (&frames[0]["message"], &frames[0]["text"], &frames[0]["partial"]),
            (&json!(2), &json!("hi"), &json!(true))
        );
    }

    #[test]
    fn an_event_without_a_frame_of_its_own_is_only_logged() {
        let frames = frames(EventBody::SessionResumed { turn_count: 3 }, None);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0]["payload"]["turn_count"], 3);
    }
}
