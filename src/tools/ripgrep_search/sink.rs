//! Takes what the searcher finds in one file and writes it down.

use std::io;

use grep_searcher::{Searcher, Sink, SinkContext, SinkContextKind, SinkMatch};

use crate::tools::{wording::cut_line, work::Halt};

/// A matched line or one around it is cut here, in characters: minified code and data have endless ones.
pub const MAX_SHOWN_CHARS: usize = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Lines,
    /// Only which files match, and how often.
    Files,
}

/// Why a search ended before it had seen everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Matches,
    /// The answer is as long as it may be.
    Text,
    Halt(Halt),
}

/// What one file gave.
#[derive(Default)]
pub struct Found {
    /// Matching lines.
    pub matches: u64,
    /// Lines for the model, each with its line break; empty for [`Show::Files`].
    pub text: String,
    pub stop: Option<Stop>,
}

pub struct FileSink<'a> {
    name: &'a str,
    show: Show,
    /// Matches that may still be taken.
    left: u64,
    /// Bytes of text that may still be written.
    room: usize,
    found: Found,
    /// What comes before the next match, if there is one: context lines and the divider of groups.
    before: String,
    binary: bool,
}

impl<'a> FileSink<'a> {
    pub fn new(name: &'a str, show: Show, left: u64, room: usize) -> Self {
        Self { name, show, left, room, found: Found::default(), before: String::new(), binary: false }
    }

    /// A binary file gives nothing, also where lines matched before that showed.
    pub fn found(self) -> Found {
        if self.binary { Found::default() } else { self.found }
    }

    fn line(&self, number: Option<u64>, mark: char, bytes: &[u8]) -> String {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        let number = number.unwrap_or_default();
        format!("{}{mark}{number}{mark} {}\n", self.name, cut_line(&line, MAX_SHOWN_CHARS))
    }
}

impl Sink for FileSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        if self.found.matches == self.left {
            self.found.stop = Some(Stop::Matches);
            return Ok(false);
        }
        if self.show == Show::Lines {
            let line = self.line(found.line_number(), ':', found.bytes());
            if self.found.text.len() + self.before.len() + line.len() > self.room {
                self.found.stop = Some(Stop::Text);
                return Ok(false);
            }
            self.found.text.push_str(&self.before);
            self.found.text.push_str(&line);
            self.before.clear();
        }
        self.found.matches += 1;
        Ok(true)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> io::Result<bool> {
        if self.show == Show::Files {
            return Ok(true);
        }
        let line = self.line(context.line_number(), '-', context.bytes());
        match context.kind() {
            SinkContextKind::After => self.found.text.push_str(&line),
            SinkContextKind::Before | SinkContextKind::Other => self.before.push_str(&line),
        }
        Ok(true)
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        self.before.push_str("--\n");
        Ok(true)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.binary = true;
        Ok(false)
    }
}
