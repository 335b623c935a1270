//! Server-sent events: bytes, cut anywhere, to events.
//!
//! Written out rather than taken from `eventsource-stream` 0.2, which panics on a byte order mark, holds everything back
//! after the first byte that is not UTF-8, drops a last event without its blank line and has no limit.

use std::{collections::VecDeque, mem};

/// Longest event, in bytes. A whole file written by one tool call stays well below it.
pub const MAX_EVENT: usize = 4 * 1024 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Empty where the server gives none.
    pub name: String,
    /// Never empty.
    pub data: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {MAX_EVENT} bytes")]
pub struct EventTooLong;

#[derive(Debug, Default)]
pub struct Parser {
    /// The line so far, without its end. Bytes, since a cut may fall inside a character.
    line: Vec<u8>,
    event: Event,
    /// The last byte was a CR, whose LF may come with the next bytes.
    after_cr: bool,
    begun: bool,
    ready: VecDeque<Event>,
}

impl Parser {
    /// Takes the next bytes; the events they complete wait in `pop`, also those before an error.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), EventTooLong> {
        while let Some(first) = bytes.first() {
            if mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if self.line.len() + self.event.data.len() > MAX_EVENT {
                return Err(EventTooLong);
            }
            let Some(end) = end else { return Ok(()) };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_of_line();
        }
        Ok(())
    }

    /// The bytes are over. The last event counts even where its blank line is missing.
    pub fn end(&mut self) {
        self.end_of_line();
        self.end_of_event();
    }

    pub fn pop(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    fn end_of_line(&mut self) {
        let bytes = mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = if mem::replace(&mut self.begun, true) { &text } else { text.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.end_of_event();
        }
        // A comment is a field without a name and falls through.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.data(value),
            "event" => value.clone_into(&mut self.event.name),
            // Older llama.cpp servers report errors as `error: {…}`.
            "error" => {
                "error".clone_into(&mut self.event.name);
                self.data(value);
            }
            _ => {}
        }
    }

    fn data(&mut self, value: &str) {
        if !self.event.data.is_empty() {
            self.event.data.push('\n');
        }
        self.event.data.push_str(value);
    }

    fn end_of_event(&mut self) {
        let event = mem::take(&mut self.event);
        if !event.data.is_empty() {
            self.ready.push_back(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &[u8]) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        parser.push(text).unwrap();
        parser.end();
        std::iter::from_fn(|| parser.pop()).map(|event| (event.name, event.data)).collect()
    }

    fn data(text: &[u8]) -> Vec<String> {
        events(text).into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn data_is_read_with_and_without_the_space_and_with_every_line_end() {
        assert_eq!(data(b"data: a\n\ndata:b\r\n\r\ndata:  c\r\rdata: d\n\n"), ["a", "b", " c", "d"]);
    }

    #[test]
    fn comments_and_unknown_fields_are_passed_over() {
        assert_eq!(data(b": keep-alive\n\nid: 7\nretry: 10\nfoo\n\ndata: a\n: ping\n\n"), ["a"]);
    }

    #[test]
    fn lines_of_one_event_are_joined() {
        assert_eq!(data(b"data: a\ndata: b\n\n"), ["a\nb"]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(data(b"data: a\n\ndata: b"), ["a", "b"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_field() {
        assert_eq!(data("\u{feff}data: a\n\n".as_bytes()), ["a"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_become_the_replacement_character() {
        assert_eq!(data(b"data: a\xffb\n\ndata: c\n\n"), ["a\u{fffd}b", "c"]);
    }

    #[test]
    fn the_name_of_an_event_lasts_for_that_event() {
        let expected = [("error", "x"), ("", "y"), ("error", "{}")].map(|(name, data)| (name.into(), data.into()));
        assert_eq!(events(b"event: error\ndata: x\n\ndata: y\n\nerror: {}\n\n"), expected);
    }

    #[test]
    fn an_event_over_the_limit_is_an_error_after_the_events_before_it() {
        let mut parser = Parser::default();
        let mut bytes = b"data: a\n\ndata: ".to_vec();
        bytes.resize(MAX_EVENT + 100, b'x');
        assert_eq!(parser.push(&bytes), Err(EventTooLong));
        assert_eq!(parser.pop().unwrap().data, "a");
        assert_eq!(parser.pop(), None);
    }

    #[test]
    fn many_lines_of_one_event_count_together() {
        let mut parser = Parser::default();
        let line = [b"data: ".as_slice(), &[b'x'; 1024], b"\n"].concat();
        assert!((0..MAX_EVENT / 1024 + 1).any(|_| parser.push(&line).is_err()));
    }
}
