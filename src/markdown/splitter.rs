//! Cuts a growing text into chunks, each a run of whole top-level blocks that nothing later can change.
//!
//! A cut is made only before or after a line where every reading of Markdown has a top-level boundary. Where lists and quotes
//! make that doubtful, the parser itself is asked. The cuts depend on the lines alone, never on how the text arrived.

use super::chunk::{self, Chunk, Form};
use super::lines::{Fence, Line, Markers};

/// Containers inside each other that are still parsed. People use five; the parser's work grows with the depth on every line.
const MAX_NESTING: usize = 64;

#[derive(Default)]
pub(super) struct Splitter {
    /// The lines of the open chunk and, at its end, the line that is still being written.
    text: String,
    /// Where the line that is still being written begins.
    line_start: usize,
    kind: Kind,
    /// Some line of the open chunk nests deeper than [`MAX_NESTING`].
    too_deep: bool,
}

/// What the open chunk began as, and so what may end it.
#[derive(Clone, Copy, Default)]
enum Kind {
    /// Nothing open.
    #[default]
    Nothing,
    Fence(Fence),
    IndentedCode,
    /// A paragraph, a table or a setext heading: ends with a blank line or where another block interrupts it.
    Leaf,
    /// Holds a list or a quote, or something that may be one.
    Containers {
        after_blank: bool,
        /// A refused cut is tried again when the chunk has grown to this size, so that asking stays linear in its length.
        ask_from: usize,
    },
}

impl Splitter {
    /// Takes in more text and appends the chunks that are finished by it.
    pub fn push(&mut self, text: &str, finished: &mut Vec<Chunk>) {
        for piece in text.split_inclusive('\n') {
            self.text.push_str(piece);
            if piece.ends_with('\n') {
                self.end_line(finished);
            }
        }
    }

    /// Ends the text: everything that is open becomes a chunk.
    pub fn finish(&mut self, finished: &mut Vec<Chunk>) {
        if self.line_start < self.text.len() {
            self.push("\n", finished);
        }
        if !self.text.is_empty() {
            finished.push(self.take());
        }
    }

    /// Takes back the line that is still being written.
    pub fn take_unfinished_line(&mut self) -> String {
        self.text.split_off(self.line_start)
    }

    /// The open chunk as it stands, and how to show it. White space alone is none yet: it may come to nothing.
    pub fn open(&self) -> (&str, Form) {
        if self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t')) {
            return ("", Form::Markdown);
        }
        let unfinished_line = &self.text[self.line_start..];
        let is_code = matches!(self.kind, Kind::Fence(_) | Kind::IndentedCode);
        let too_deep = self.too_deep || (!is_code && is_too_deep(unfinished_line));
        (&self.text, if too_deep { Form::Plain } else { Form::Markdown })
    }

    fn end_line(&mut self, finished: &mut Vec<Chunk>) {
        if self.line_begins_a_chunk() {
            let line = self.text.split_off(self.line_start);
            finished.push(self.take());
            self.text = line;
        }
        match self.kind_after_line() {
            Some(kind) => {
                let line = &self.text[self.line_start..];
                self.too_deep |= matches!(kind, Kind::Containers { .. }) && is_too_deep(line);
                self.kind = kind;
                self.line_start = self.text.len();
            }
            None => finished.push(self.take()),
        }
        if matches!(self.kind, Kind::Nothing) {
            self.text.clear();
            self.line_start = 0;
        }
    }

    /// Whether the line just completed certainly begins a new top-level block.
    fn line_begins_a_chunk(&mut self) -> bool {
        let line = Line::new(&self.text[self.line_start..]);
        let interrupts = line.is_heading() || line.fence().is_some();
        match self.kind {
            Kind::Nothing | Kind::Fence(_) => false,
            Kind::IndentedCode => !line.is_blank() && !line.is_indented(),
            Kind::Leaf => interrupts || line.is_quote() || matches!(line.rule(), Some(b'*' | b'_')),
            Kind::Containers { after_blank, ask_from } => {
                // Item content is indented by two columns at least.
                let may_begin = !line.is_blank() && line.indent < 2 && !line.is_list_item();
                may_begin && (after_blank || interrupts) && self.parser_agrees(ask_from)
            }
        }
    }

    fn parser_agrees(&mut self, ask_from: usize) -> bool {
        if self.too_deep {
            return true;
        }
        if self.line_start < ask_from {
            return false;
        }
        let agrees = chunk::last_block_begins_at(&self.text, self.line_start);
        if !agrees {
            self.kind = Kind::Containers { after_blank: false, ask_from: self.text.len() * 2 };
        }
        agrees
    }

    /// The kind of the open chunk with the line just completed in it; none if the line ends the chunk.
    fn kind_after_line(&self) -> Option<Kind> {
        let line = Line::new(&self.text[self.line_start..]);
        let containers = Kind::Containers { after_blank: line.is_blank(), ask_from: 0 };
        match self.kind {
            Kind::Nothing => first_line_kind(&line),
            Kind::Fence(fence) => (!fence.is_closed_by(&line)).then_some(self.kind),
            Kind::IndentedCode => Some(Kind::IndentedCode),
            Kind::Leaf if line.is_blank() => None,
            // An item may interrupt the paragraph; an indented line may be code after a setext heading.
            Kind::Leaf if line.is_list_item() || line.is_indented() => Some(containers),
            Kind::Leaf => Some(Kind::Leaf),
            Kind::Containers { ask_from, .. } => Some(Kind::Containers { after_blank: line.is_blank(), ask_from }),
        }
    }

    fn take(&mut self) -> Chunk {
        let open = std::mem::take(self);
        Chunk { text: open.text, form: if open.too_deep { Form::Plain } else { Form::Markdown } }
    }
}

fn first_line_kind(line: &Line) -> Option<Kind> {
    if line.is_blank() {
        return Some(Kind::Nothing);
    }
    if line.is_indented() {
        return Some(Kind::IndentedCode);
    }
    if let Some(fence) = line.fence() {
        return Some(Kind::Fence(fence));
    }
    if line.is_heading() || line.rule().is_some() {
        return None;
    }
    if line.is_quote() || line.is_list_item() {
        return Some(Kind::Containers { after_blank: false, ask_from: 0 });
    }
    Some(Kind::Leaf)
}

fn is_too_deep(line: &str) -> bool {
    Line::new(line).rule().is_none() && Markers::of(line).depth > MAX_NESTING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::chunk::html_blocks;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<String> {
        let (mut splitter, mut finished) = (Splitter::default(), Vec::new());
        splitter.push(text, &mut finished);
        splitter.finish(&mut finished);
        finished.into_iter().map(|chunk| chunk.text).collect()
    }

    #[test]
    fn each_paragraph_heading_rule_and_fence_is_a_chunk() {
        let text = "a\nb\n\n# c\nd\n***\n```\n\n# no\n```\ne\n";
        assert_eq!(split(text), ["a\nb\n\n", "# c\n", "d\n", "***\n", "```\n\n# no\n```\n", "e\n"]);
    }

    #[test]
    fn a_list_stays_whole_over_blank_lines_and_ends_at_plain_text() {
        assert_eq!(split("- a\n\n  b\n\n- c\n\nd\n"), ["- a\n\n  b\n\n- c\n\n", "d\n"]);
    }

    #[test]
    fn a_fence_inside_an_item_or_beside_it_is_not_cut() {
        let beside = "10. a\n  ```\n  code\n\ntext\n  ```\n";
        assert_eq!(split(beside), [beside]);
        let inside = "- ```\n  a\n\n  b\n  ```\n";
        assert_eq!(split(inside), [inside]);
    }

    #[test]
    fn code_after_a_setext_heading_keeps_its_blank_lines() {
        let text = "a\n===\n    code\n\n    code\n";
        assert_eq!(split(text), [text]);
    }

    #[test]
    fn a_quote_ends_at_a_blank_line() {
        assert_eq!(split("> a\n\n> b\n\nc\n"), ["> a\n\n", "> b\n\n", "c\n"]);
    }

    /// Lines that begin, continue or end every kind of block.
    fn line() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "",
            "",
            "",
            "a",
            "b **c**",
            "  a",
            "   a",
            "    a",
            "\ta",
            "      a",
            "- a",
            "-",
            "  - a",
            "    - a",
            "* a",
            "+ a",
            "1. a",
            "2. a",
            "10) a",
            "   1. a",
            "> a",
            ">",
            "> - a",
            ">> a",
            "> ```",
            "- > a",
            "- - a",
            "# a",
            "#",
            "   ## a",
            "    # a",
            "- # a",
            "***",
            "---",
            "- - -",
            "* * *",
            "___",
            "===",
            "  ---",
            "```",
            "```rust",
            "~~~",
            "   ```",
            "  ```",
            "    ```",
            "- ```",
            "1. ```",
            "a | b",
            "- | -",
            "--- | ---",
            "| a | b |",
            "|---|--:|",
            "<div>",
            "<!-- a",
            "-->",
            "<script>",
            "[a]: b",
            "[a]",
            "- [a]: b",
            "- [ ] a",
            "- [x] a",
            "\\",
            "a  ",
            "&amp;",
            "1.\ta",
            "-\ta",
            "\u{b}",
            "-\u{c}",
            "$$",
            "`a",
            "a`",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn chunk_by_chunk_reads_as_the_whole_text_does(lines in prop::collection::vec(line(), 1..14)) {
            let text = lines.join("\n") + "\n";
            let by_chunk: Vec<String> = split(&text).iter().flat_map(|chunk| html_blocks(chunk)).collect();
            prop_assert_eq!(by_chunk, html_blocks(&text));
        }
    }
}
