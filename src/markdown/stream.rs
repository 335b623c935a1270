//! Renders a text while it grows: finished blocks once, the open block anew each time.

use std::borrow::Cow;
use std::sync::Arc;

use super::chunk::{Chunk, Form, GUARD, html_blocks};
use super::plain;
use super::splitter::Splitter;

/// Bytes of one message that are read as Markdown; what lies behind is plain text. Longer answers are data, not prose.
pub const MARKDOWN_LIMIT_BYTES: usize = 512 * 1024;

/// An open block longer than this is shown as plain text until it is finished: it is rendered anew with every change.
const OPEN_LIMIT_BYTES: usize = 32 * 1024;

/// The first block that changed and everything from there on. Cut the list of blocks at `from`, append `blocks`, and it is
/// the text so far; doing so twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub from: usize,
    /// Sanitised HTML, one top-level block each.
    pub blocks: Vec<String>,
    /// The last block may still change.
    pub open: bool,
}

/// A text on its way in. Its memory is the open block; finished text is forgotten once it is handed out.
#[derive(Default)]
pub struct Stream {
    /// The last character was a carriage return: a line feed after it belongs to the same line end.
    after_carriage_return: bool,
    /// Bytes given to the splitter so far, at most [`MARKDOWN_LIMIT_BYTES`].
    markdown_bytes: usize,
    splitter: Splitter,
    /// The unfinished piece of the text behind the limit; none before the limit is reached.
    overflow: Option<String>,
    /// Chunks that are finished and not yet rendered.
    finished: Vec<Chunk>,
    /// Blocks handed out that never change again.
    settled: usize,
    /// Blocks handed out after those.
    shown: Vec<Arc<str>>,
    long_open: LongOpen,
}

/// The finished pieces of an open block that is over [`OPEN_LIMIT_BYTES`].
#[derive(Default)]
struct LongOpen {
    pieces: Vec<Arc<str>>,
    /// Bytes of the open block that the pieces show.
    bytes: usize,
}

impl Stream {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more text. Rendering waits for [`Stream::blocks`], so this is cheap.
    pub fn push(&mut self, text: &str) {
        let text = self.with_plain_line_ends(text);
        if self.overflow.is_some() {
            return self.push_overflow(&text);
        }
        let room = MARKDOWN_LIMIT_BYTES - self.markdown_bytes;
        let (markdown, rest) = text.split_at(text.floor_char_boundary(room));
        self.splitter.push(markdown, &mut self.finished);
        self.markdown_bytes += markdown.len();
        if rest.is_empty() {
            return;
        }
        // A line is not cut in two: the one that crosses the limit goes over whole.
        let crossing = self.splitter.take_unfinished_line();
        self.splitter.finish(&mut self.finished);
        self.push_overflow(&crossing);
        self.push_overflow(rest);
    }

    /// What changed since the last call.
    pub fn blocks(&mut self) -> Change {
        let mut view: Vec<Arc<str>> = Vec::new();
        for chunk in std::mem::take(&mut self.finished) {
            self.long_open = LongOpen::default();
            view.extend(chunk.render().into_iter().map(Arc::from));
        }
        let newly_settled = view.len();
        self.show_open(&mut view);
        let unchanged = self.shown.iter().zip(&view).take_while(|(old, new)| is_same(old, new)).count();
        let from = self.settled + unchanged;
        let blocks = view[unchanged..].iter().map(|block| block.to_string()).collect();
        self.settled += newly_settled;
        self.shown = view.split_off(newly_settled);
        Change { from, blocks, open: !self.shown.is_empty() }
    }

    /// Ends the text and gives what changed since the last call. Text pushed after that begins a new block.
    pub fn finish(&mut self) -> Change {
        self.splitter.finish(&mut self.finished);
        let rest = self.overflow.as_mut().map(std::mem::take).unwrap_or_default();
        if !rest.is_empty() {
            self.finished.push(Chunk { text: rest, form: Form::Plain });
        }
        self.blocks()
    }

    fn push_overflow(&mut self, text: &str) {
        let overflow = self.overflow.get_or_insert_default();
        overflow.push_str(text);
        while let Some(end) = plain::first_piece_end(overflow) {
            let rest = overflow.split_off(end);
            self.finished.push(Chunk { text: std::mem::replace(overflow, rest), form: Form::Plain });
        }
    }

    /// Appends the blocks of the text that is still open.
    fn show_open(&mut self, view: &mut Vec<Arc<str>>) {
        if let Some(text) = self.overflow.as_deref().filter(|text| !text.is_empty()) {
            view.push(plain::html(text).into());
        }
        let (text, form) = self.splitter.open();
        if text.len() > OPEN_LIMIT_BYTES || form == Form::Plain {
            self.long_open.show(text, view);
        } else {
            self.long_open = LongOpen::default();
            view.extend(html_blocks(text).into_iter().map(Arc::from));
        }
    }

    /// The text with `\n` for every line end, and without the characters that mean something to the parser alone.
    fn with_plain_line_ends<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if text.is_empty() {
            return Cow::Borrowed(text);
        }
        let ends_line = std::mem::replace(&mut self.after_carriage_return, text.ends_with('\r'));
        let text = if ends_line { text.strip_prefix('\n').unwrap_or(text) } else { text };
        if !text.contains(['\r', '\0', GUARD]) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").replace(['\0', GUARD], "\u{FFFD}"))
    }
}

impl LongOpen {
    fn show(&mut self, text: &str, view: &mut Vec<Arc<str>>) {
        while let Some(end) = plain::first_piece_end(&text[self.bytes..]) {
            self.pieces.push(plain::html(&text[self.bytes..][..end]).into());
            self.bytes += end;
        }
        view.extend(self.pieces.iter().cloned());
        view.push(plain::html(&text[self.bytes..]).into());
    }
}

fn is_same(old: &Arc<str>, new: &Arc<str>) -> bool {
    Arc::ptr_eq(old, new) || old == new
}
