//! A program's output as text: no escape sequences, cut between characters, and of a long one the beginning and the
//! end.

use anstream::adapter::StripBytes;

/// What is kept of the beginning, in bytes: what was started and how it went on.
const HEAD_BYTES: usize = 64 * 1024;
/// What is kept of the end, in bytes: there stands what went wrong. Both together are as much as a search gives.
const TAIL_BYTES: usize = 192 * 1024;
/// What is shown while the program runs, in bytes. Nobody reads further, and it is kept for those who join.
const LIVE_BYTES: usize = 1024 * 1024;
/// A character is at most so long.
const CHARACTER_BYTES: usize = 4;

/// From bytes as they come to text. What is no UTF-8 becomes U+FFFD.
#[derive(Default)]
pub struct Decoder {
    escapes: StripBytes,
    /// The beginning of a character whose end has not come yet.
    pending: Vec<u8>,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) -> String {
        for printable in self.escapes.strip_next(bytes) {
            self.pending.extend_from_slice(printable);
        }
        let mut text = String::new();
        let mut rest = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            let begun = chunk.invalid();
            let at_the_end = rest + chunk.valid().len() + begun.len() == self.pending.len();
            if at_the_end && may_go_on(begun) {
                rest += chunk.valid().len();
                break;
            }
            rest += chunk.valid().len() + begun.len();
            if !begun.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.pending.drain(..rest);
        text
    }

    /// What is left when nothing more comes.
    pub fn finish(self) -> &'static str {
        if self.pending.is_empty() { "" } else { "\u{fffd}" }
    }
}

/// Whether bytes are the beginning of a character.
fn may_go_on(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.len() < CHARACTER_BYTES
        && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// The beginning and the end of a text that comes in pieces.
#[derive(Default)]
pub struct Kept {
    head: String,
    tail: String,
    bytes: u64,
}

impl Kept {
    pub fn push(&mut self, text: &str) {
        self.bytes += text.len() as u64;
        let room = HEAD_BYTES.saturating_sub(self.head.len());
        // Once something went to the tail, all goes there.
        let (first, rest) = text.split_at(if self.tail.is_empty() { text.floor_char_boundary(room) } else { 0 });
        self.head.push_str(first);
        self.tail.push_str(rest);
        // Twice as much before it is cut, so that each byte is moved once.
        if self.tail.len() > 2 * TAIL_BYTES {
            let cut = self.tail.ceil_char_boundary(self.tail.len() - TAIL_BYTES);
            self.tail.drain(..cut);
        }
    }

    /// All of it, or its beginning and end in whole lines with `note` between them, which is told how many bytes
    /// are missing.
    pub fn text(self, note: impl FnOnce(u64) -> String) -> String {
        if self.bytes as usize <= HEAD_BYTES + TAIL_BYTES && self.bytes == (self.head.len() + self.tail.len()) as u64 {
            return self.head + &self.tail;
        }
        let head = self.head.rfind('\n').map_or(&*self.head, |end| &self.head[..=end]);
        let tail = &self.tail[self.tail.ceil_char_boundary(self.tail.len().saturating_sub(TAIL_BYTES))..];
        let tail = tail.find('\n').map_or(tail, |end| &tail[end + 1..]);
        let missing = self.bytes - (head.len() + tail.len()) as u64;
        let gap = if head.ends_with('\n') { "" } else { "\n" };
        format!("{head}{gap}{}\n{tail}", note(missing))
    }
}

/// Lets so much text through as somebody who watches can use, and says once that there is more.
#[derive(Default)]
pub struct Live {
    bytes: usize,
    said: bool,
}

impl Live {
    pub fn show<'a>(&mut self, text: &'a str) -> &'a str {
        let shown = &text[..text.floor_char_boundary(LIVE_BYTES.saturating_sub(self.bytes))];
        self.bytes += shown.len();
        if shown.is_empty() && !text.is_empty() && !self.said {
            self.said = true;
            return "\n[the output goes on, but is not shown any further]\n";
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pieces: &[&[u8]]) -> String {
        let mut decoder = Decoder::default();
        let mut text: String = pieces.iter().map(|piece| decoder.push(piece)).collect();
        text.push_str(decoder.finish());
        text
    }

    #[test]
    fn text_is_the_same_wherever_its_bytes_are_cut() {
        let whole = "naïve 数据 🦀 end\n".as_bytes();
        for at in 0..=whole.len() {
            let (first, second) = whole.split_at(at);
            assert_eq!(decoded(&[first, second]), "naïve 数据 🦀 end\n", "cut at {at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(decoded(&bytes), "naïve 数据 🦀 end\n");
    }

    #[test]
    fn what_is_no_text_is_replaced_and_what_controls_terminals_left_out() {
        assert_eq!(decoded(&[b"caf\xe9 au\n"]), "caf\u{fffd} au\n");
        assert_eq!(decoded(&[b"end \xf0\x9f"]), "end \u{fffd}");
        assert_eq!(decoded(&[b"\x1b[31mred\x1b[0m\n", b"\x1b]0;ti", b"tle\x07a\tb\n"]), "red\na\tb\n");
        assert_eq!(decoded(&[b"a\x1b", b"[2J\x1b[1;1Hb"]), "ab");
    }

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut kept = Kept::default();
        kept.push("one\n");
        kept.push("two");
        assert_eq!(kept.text(|_| unreachable!()), "one\ntwo");
    }

    #[test]
    fn of_a_long_output_the_first_and_the_last_lines_are_kept() {
        let mut kept = Kept::default();
        let mut bytes = 0;
        for number in 0..200_000 {
            let line = format!("line {number} é\n");
            bytes += line.len();
            kept.push(&line);
        }
        let mut missing = 0;
        let text = kept.text(|left_out| {
            missing = left_out;
            "[cut]".into()
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[lines.len() - 1]), ("line 0 é", "line 199999 é"));
        let cut = lines.iter().position(|line| *line == "[cut]").unwrap();
        assert!(lines[cut - 1].ends_with('é') && lines[cut + 1].starts_with("line "), "{:?}", &lines[cut - 1..cut + 2]);
        assert_eq!(missing as usize, bytes - (text.len() - "[cut]\n".len()));
        assert!(text.len() > 200 * 1024 && text.len() <= HEAD_BYTES + TAIL_BYTES + 10, "{}", text.len());
    }

    #[test]
    fn one_endless_line_is_cut_too() {
        let mut kept = Kept::default();
        for _ in 0..1000 {
            kept.push(&"ü".repeat(1000));
        }
        let text = kept.text(|missing| format!("[{missing}]"));
        assert!(text.len() <= HEAD_BYTES + TAIL_BYTES + 20, "{}", text.len());
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn live_output_ends_with_a_word() {
        let mut live = Live::default();
        let piece = "x".repeat(1024);
        let shown: String = (0..2000).map(|_| live.show(&piece)).collect();
        assert!(shown.len() < LIVE_BYTES + 100 && shown.ends_with("any further]\n"));
    }
}
