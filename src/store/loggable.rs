//! An event as the log may hold it: without secrets, and its texts bounded.

use serde_json::{Value, json};

use super::{
    chain::{self, Link},
    failure::unreadable,
};
use crate::{agent::ports::store::StoreResult, protocol::EventBody, redaction::Redaction};

/// Longest `output` and `diff` in an event, in bytes. The log stays readable; the turn row has the whole.
const EVENT_TEXT_LIMIT: usize = 16 * 1024;
/// What is looked at behind the limit, in bytes: a secret that stands across it is seen whole.
const BEYOND_LIMIT: usize = 4 * 1024;

/// Made where there is time for it: on the writer's thread only what is small.
pub(super) struct Loggable {
    pub body: EventBody,
    pub payload: String,
    pub digest: Link,
}

/// What is to be logged, made ready already or not.
pub(super) enum Fact {
    Plain(EventBody),
    Ready(Loggable),
}

impl From<EventBody> for Fact {
    fn from(body: EventBody) -> Self {
        Self::Plain(body)
    }
}

impl From<Loggable> for Fact {
    fn from(ready: Loggable) -> Self {
        Self::Ready(ready)
    }
}

impl Fact {
    pub fn ready(self, redaction: &Redaction) -> StoreResult<Loggable> {
        match self {
            Self::Plain(body) => Loggable::new(body, redaction),
            Self::Ready(ready) => Ok(ready),
        }
    }

    pub fn body(&self) -> &EventBody {
        match self {
            Self::Plain(body) | Self::Ready(Loggable { body, .. }) => body,
        }
    }
}

impl Loggable {
    pub fn new(mut body: EventBody, redaction: &Redaction) -> StoreResult<Self> {
        let cut = shorten(&mut body, EVENT_TEXT_LIMIT + BEYOND_LIMIT);
        let (mut payload, event_type) = (payload(&body)?, body.event_type());
        if clean(&mut payload, redaction) {
            let whole = json!({ "event_type": event_type, "payload": payload });
            body = serde_json::from_value(whole).map_err(|error| unreadable("an event", &error))?;
        }
        if cut | shorten(&mut body, EVENT_TEXT_LIMIT) {
            if let EventBody::ToolCallCompleted { truncated, .. } = &mut body {
                *truncated = true;
            }
            payload = self::payload(&body)?;
        }
        let payload = payload.to_string();
        Ok(Self { digest: chain::digest(&payload), payload, body })
    }
}

/// Takes secrets out of a payload. Ids are what others recognise things by, and are nobody's words.
fn clean(payload: &mut Value, redaction: &Redaction) -> bool {
    let Some(fields) = payload.as_object_mut() else { return redaction.json(payload) };
    let words = fields.iter_mut().filter(|(name, _)| !name.ends_with("_id"));
    words.fold(false, |changed, (_, value)| redaction.json(value) | changed)
}

fn payload(body: &EventBody) -> StoreResult<Value> {
    let mut whole = serde_json::to_value(body).map_err(|error| unreadable("an event", &error))?;
    Ok(whole.get_mut("payload").map(Value::take).unwrap_or_default())
}

/// Bounds what a tool says in the log. Whether it was longer.
fn shorten(body: &mut EventBody, limit: usize) -> bool {
    let EventBody::ToolCallCompleted { output, diff, .. } = body else { return false };
    let long = output.len() > limit || diff.as_ref().is_some_and(|diff| diff.len() > limit);
    output.truncate(output.floor_char_boundary(limit));
    if let Some(diff) = diff {
        diff.truncate(diff.floor_char_boundary(limit));
    }
    long
}
