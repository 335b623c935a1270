//! What one line can begin in Markdown: the little block grammar that the splitter decides by.

/// Columns of indentation from which a line is indented code or a continuation, never a new block.
const CODE_INDENT: usize = 4;

/// One line without its line end, seen from the document's top level.
pub(super) struct Line<'a> {
    /// Width of the leading white space in columns; a tab reaches to the next multiple of four.
    pub indent: usize,
    /// The line from its first character that is neither space nor tab.
    rest: &'a str,
}

/// An opened fence: which line closes it depends on the character and the count that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
}

/// The container markers at the beginning of a line (`> - 1.`).
pub(super) struct Markers {
    /// How many containers the line may open or continue; half of its indentation counts too, as nested items need it.
    pub depth: usize,
    /// Byte offset of the first character after them.
    pub end: usize,
}

impl<'a> Line<'a> {
    pub fn new(line: &'a str) -> Self {
        let line = line.trim_end_matches('\n');
        let rest = line.trim_start_matches([' ', '\t']);
        Self { indent: columns(&line[..line.len() - rest.len()]), rest }
    }

    pub fn is_blank(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn is_indented(&self) -> bool {
        self.indent >= CODE_INDENT
    }

    pub fn is_quote(&self) -> bool {
        !self.is_indented() && self.rest.starts_with('>')
    }

    /// An ATX heading: one to six `#` and then white space or nothing.
    pub fn is_heading(&self) -> bool {
        let level = run(self.rest, b'#');
        let after = self.rest.as_bytes().get(level);
        !self.is_indented() && (1..=6).contains(&level) && matches!(after, None | Some(b' ' | b'\t'))
    }

    /// A thematic break and its character. After a paragraph one of `-` may be a setext underline instead.
    pub fn rule(&self) -> Option<u8> {
        let mark = *self.rest.as_bytes().first().filter(|byte| b"*-_".contains(byte))?;
        let only_marks = self.rest.bytes().all(|byte| byte == mark || byte == b' ' || byte == b'\t');
        let count = self.rest.bytes().filter(|byte| *byte == mark).count();
        (!self.is_indented() && only_marks && count >= 3).then_some(mark)
    }

    pub fn is_list_item(&self) -> bool {
        !self.is_indented() && list_marker(self.rest).is_some()
    }

    /// The fence that this line opens. After backticks the info string has none, else the line is inline code.
    pub fn fence(&self) -> Option<Fence> {
        let mark = *self.rest.as_bytes().first().filter(|byte| b"`~".contains(byte))?;
        let length = run(self.rest, mark);
        let is_inline_code = mark == b'`' && self.rest[length..].contains('`');
        (!self.is_indented() && length >= 3 && !is_inline_code).then_some(Fence { mark, length })
    }
}

impl Fence {
    pub fn is_closed_by(&self, line: &Line) -> bool {
        let length = run(line.rest, self.mark);
        !line.is_indented() && length >= self.length && line.rest[length..].trim_matches([' ', '\t']).is_empty()
    }
}

impl Markers {
    pub fn of(line: &str) -> Self {
        let (mut count, mut indent, mut end) = (0, 0, 0);
        loop {
            let rest = line[end..].trim_start_matches([' ', '\t']);
            indent += columns(&line[end..line.len() - rest.len()]);
            end = line.len() - rest.len();
            let marker = if rest.starts_with('>') { Some(1) } else { list_marker(rest) };
            let Some(width) = marker else { break };
            (count, end) = (count + 1, end + width);
        }
        Self { depth: if count == 0 { 0 } else { count + indent / 2 }, end }
    }
}

/// The width of a bullet or of a number with its delimiter, if white space or nothing follows it.
fn list_marker(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let width = match (digits, bytes.get(digits)?) {
        (0, b'-' | b'+' | b'*') => 1,
        (1..=9, b'.' | b')') => digits + 1,
        _ => return None,
    };
    // The parser counts vertical tab and form feed as white space here.
    matches!(bytes.get(width), None | Some(b' ' | 9..=13)).then_some(width)
}

fn run(text: &str, mark: u8) -> usize {
    text.bytes().take_while(|byte| *byte == mark).count()
}

fn columns(white_space: &str) -> usize {
    white_space.bytes().fold(0, |column, byte| if byte == b'\t' { column + 4 - column % 4 } else { column + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_closed_by_the_same_character_at_least_as_often() {
        let fence = Line::new("  ~~~~ rust").fence().unwrap();
        for closing in ["~~~~", "~~~~~  ", "   ~~~~\t"] {
            assert!(fence.is_closed_by(&Line::new(closing)), "{closing}");
        }
        for other in ["~~~", "````", "~~~~ rust", "    ~~~~"] {
            assert!(!fence.is_closed_by(&Line::new(other)), "{other}");
        }
    }

    #[test]
    fn backticks_with_a_backtick_after_them_open_no_fence() {
        assert_eq!(Line::new("``` a`b").fence(), None);
        assert!(Line::new("~~~ a`b").fence().is_some());
        assert_eq!(Line::new("    ```").fence(), None);
    }

    #[test]
    fn headings_rules_and_items_are_told_apart() {
        assert!(Line::new("## a").is_heading() && Line::new("#").is_heading());
        assert!(!Line::new("#a").is_heading() && !Line::new("####### a").is_heading());
        assert_eq!(Line::new(" * * *").rule(), Some(b'*'));
        assert_eq!(Line::new("--").rule(), None);
        assert_eq!(Line::new("-*-").rule(), None);
        assert!(Line::new("12) a").is_list_item() && Line::new("-").is_list_item());
        assert!(!Line::new("-a").is_list_item() && !Line::new("1234567890. a").is_list_item());
    }

    #[test]
    fn markers_count_containers_and_half_of_the_indentation() {
        let markers = Markers::of("> - 1. [a]: b");
        assert_eq!((markers.depth, markers.end), (3 + 1, 7));
        assert_eq!(Markers::of("        deep").depth, 0);
        assert_eq!(Markers::of("\t\t- a").depth, 1 + 4);
    }

    #[test]
    fn a_tab_reaches_to_the_next_multiple_of_four() {
        assert_eq!(Line::new("  \ta").indent, 4);
        assert_eq!(Line::new("\t\ta").indent, 8);
    }
}
