//! A client as the contract wants one: it keeps the texts and the event rows, and comes back with its cursor.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a client knows of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replica {
    /// The text of each message, by turn and message.
    pub texts: BTreeMap<(u64, u64), String>,
    /// Each event row as it came, by seq.
    pub rows: BTreeMap<u64, Value>,
    pub turns_ended: Vec<u64>,
    /// The last seq that it had from elsewhere.
    before: u64,
}

impl Replica {
    /// One that has all rows up to `seq` already.
    pub fn behind(seq: u64) -> Self {
        Self { before: seq, ..Self::default() }
    }

    /// The last seq whose row has come.
    pub fn cursor(&self) -> u64 {
        self.rows.keys().next_back().copied().unwrap_or(self.before)
    }

    /// Takes a frame in.
    ///
    /// # Panics
    /// When it does not go on where the last one ended.
    pub fn take(&mut self, frame: &Value) {
        let at = || (frame["turn"].as_u64().unwrap(), frame["message"].as_u64().unwrap());
        match frame["type"].as_str().unwrap() {
            "hello" if !frame["in_flight"].is_null() => {
                let live = &frame["in_flight"];
                let at = (live["turn"].as_u64().unwrap(), live["message"].as_u64().unwrap());
                self.texts.insert(at, live["text"].as_str().unwrap().to_owned());
            }
            "text_delta" => {
                let text = self.texts.entry(at()).or_default();
                assert_eq!(frame["offset"], text.len(), "the delta has a seam: {frame} after {text:?}");
                text.push_str(frame["text"].as_str().unwrap());
            }
            "message_completed" => drop(self.texts.insert(at(), frame["text"].as_str().unwrap().to_owned())),
            "log_event" => self.add_row(frame),
            _ => {}
        }
    }

    fn add_row(&mut self, frame: &Value) {
        let seq = frame["seq"].as_u64().unwrap();
        assert_eq!(seq, self.cursor() + 1, "the log has a gap or a repetition: {frame}");
        if matches!(frame["event_type"].as_str(), Some("turn_completed" | "turn_interrupted")) {
            self.turns_ended.push(frame["payload"]["turn"].as_u64().unwrap());
        }
        self.rows.insert(seq, frame.clone());
    }

    pub fn take_all<'a>(&mut self, frames: impl IntoIterator<Item = &'a Value>) {
        frames.into_iter().for_each(|frame| self.take(frame));
    }
}
