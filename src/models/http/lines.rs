//! Lines of JSON: bytes, cut anywhere, to lines.

use std::collections::VecDeque;

use super::sse::{EventTooLong, MAX_EVENT};

#[derive(Debug, Default)]
pub struct Lines {
    /// Bytes, since a cut may fall inside a character.
    open: Vec<u8>,
    ready: VecDeque<String>,
}

impl Lines {
    /// Takes the next bytes; the lines they complete wait in `pop`, also those before an error.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), EventTooLong> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.open(&bytes[..end])?;
            self.end();
            bytes = &bytes[end + 1..];
        }
        self.open(bytes)
    }

    /// The bytes are over. The last line counts even where its end is missing.
    pub fn end(&mut self) {
        let line = String::from_utf8_lossy(&self.open).trim().to_owned();
        self.open.clear();
        if !line.is_empty() {
            self.ready.push_back(line);
        }
    }

    pub fn pop(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    fn open(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        self.open.extend_from_slice(bytes);
        if self.open.len() > MAX_EVENT { Err(EventTooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut lines = Lines::default();
        pieces.into_iter().for_each(|piece| lines.push(piece).unwrap());
        lines.end();
        std::iter::from_fn(|| lines.pop()).collect()
    }

    #[test]
    fn lines_come_whole_wherever_they_are_cut() {
        let text = "{\"a\":\"ä\"}\r\n\n  \n{\"b\":1}\n{\"c\":2}";
        let expected = ["{\"a\":\"ä\"}", "{\"b\":1}", "{\"c\":2}"];
        for at in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(at);
            assert_eq!(read([left, right]), expected, "cut at {at}");
        }
        assert_eq!(read(text.as_bytes().chunks(1)), expected);
    }

    #[test]
    fn a_line_over_the_limit_is_an_error_after_the_lines_before_it() {
        let mut lines = Lines::default();
        let mut bytes = b"{}\n".to_vec();
        bytes.resize(MAX_EVENT + 10, b'x');
        assert_eq!(lines.push(&bytes), Err(EventTooLong));
        assert_eq!(lines.pop().as_deref(), Some("{}"));
        assert_eq!(lines.pop(), None);
    }
}
