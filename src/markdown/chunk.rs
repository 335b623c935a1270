//! One chunk of Markdown: parsed with comrak and given as sanitised HTML blocks.

use std::borrow::Cow;

use comrak::nodes::Node;
use comrak::{Arena, Options, parse_document};

use super::lines::Markers;
use super::{plain, sanitise, writer};

/// Stands before a `[` or `<` that begins a line, so that the line begins neither a reference definition nor an HTML block.
/// Unicode keeps this character free for such private use; texts lose it on the way in and the writer leaves it out.
pub(super) const GUARD: char = '\u{FDD0}';

/// A run of whole top-level blocks.
pub(super) struct Chunk {
    pub text: String,
    pub form: Form,
}

/// How a piece of text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Markdown,
    /// Escaped and otherwise as it is.
    Plain,
}

impl Chunk {
    pub fn render(&self) -> Vec<String> {
        match self.form {
            Form::Markdown => html_blocks(&self.text),
            Form::Plain => plain::pieces(&self.text).map(plain::html).collect(),
        }
    }
}

/// The HTML of each top-level block of `text`.
pub(super) fn html_blocks(text: &str) -> Vec<String> {
    let (arena, source) = (Arena::new(), guarded(text));
    parse(&arena, &source).children().map(|block| sanitise::clean(&writer::html(block))).collect()
}

/// Whether a top-level block begins with the line at byte `line_start`, the last line of `text`.
pub(super) fn last_block_begins_at(text: &str, line_start: usize) -> bool {
    let line_number = 1 + text[..line_start].matches('\n').count();
    let (arena, source) = (Arena::new(), guarded(text));
    let root = parse(&arena, &source);
    root.last_child().is_some_and(|block| block.data().sourcepos.start.line == line_number)
}

fn parse<'a>(arena: &'a Arena<'a>, source: &str) -> Node<'a> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.math_dollars = true;
    parse_document(arena, source, &options)
}

fn guarded(text: &str) -> Cow<'_, str> {
    if !text.contains(['[', '<']) {
        return Cow::Borrowed(text);
    }
    let mut guarded = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let (markers, content) = line.split_at(Markers::of(line).end);
        guarded.push_str(markers);
        if content.starts_with('<') || (content.starts_with('[') && !is_task(content)) {
            guarded.push(GUARD);
        }
        guarded.push_str(content);
    }
    Cow::Owned(guarded)
}

/// `[ ]` or `[x]`: a task's box, which is never the label of a definition unless a colon follows.
fn is_task(content: &str) -> bool {
    let bytes = content.as_bytes();
    matches!(bytes.get(1), Some(b' ' | b'x' | b'X')) && bytes.get(2) == Some(&b']') && bytes.get(3) != Some(&b':')
}
