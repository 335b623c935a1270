//! A text file as a model sees it, and as it stands on the disk: a model writes line breaks as `\n` and knows of no byte
//! order mark, and what a file has of them is kept.

/// The mark that some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file's text with its ways of writing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Without the mark, and with `\n` alone where the file has `\r\n`.
    text: String,
    /// For each `\n` of the text, whether the file has `\r\n` there.
    returns: Vec<bool>,
    mark: bool,
}

/// Why a file is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoText {
    Binary,
    /// For example Latin-1 or UTF-16.
    OtherEncoding,
}

impl TextFile {
    pub fn read(bytes: &[u8]) -> Result<Self, NoText> {
        let (mark, bytes) = bytes.strip_prefix(MARK).map_or((false, bytes), |rest| (true, rest));
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(NoText::OtherEncoding);
        }
        if bytes.contains(&0) {
            return Err(NoText::Binary);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoText::OtherEncoding)?;
        let mut file = Self { text: String::with_capacity(whole.len()), returns: Vec::new(), mark };
        for line in whole.split_inclusive('\n') {
            match line.strip_suffix("\r\n") {
                Some(line) => {
                    file.text.push_str(line);
                    file.text.push('\n');
                    file.returns.push(true);
                }
                None => {
                    file.text.push_str(line);
                    file.returns.extend(line.ends_with('\n').then_some(false));
                }
            }
        }
        Ok(file)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn has_mark(&self) -> bool {
        self.mark
    }

    /// Whether most lines end with `\r\n`.
    pub fn has_returns(&self) -> bool {
        self.returns.iter().filter(|with| **with).count() * 2 > self.returns.len()
    }

    /// Puts `new` in the place of the bytes `from..to` of the text. Its line breaks are written as those that it
    /// replaces, else as most in the file.
    pub fn replace(&mut self, from: usize, to: usize, new: &str) {
        let breaks = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        let first = breaks(&self.text[..from]);
        let last = first + breaks(&self.text[from..to]);
        let new = plain(new);
        let count = breaks(&new);
        if count != last - first {
            let old = &self.returns[first..last];
            let most = old.iter().filter(|with| **with).count() * 2;
            let with = if old.is_empty() { self.has_returns() } else { most > old.len() };
            self.returns.splice(first..last, std::iter::repeat_n(with, count));
        }
        self.text.replace_range(from..to, &new);
    }

    /// The bytes of another text in this file's ways. Line breaks that it brings with it as `\r\n` are its own.
    pub fn rewritten(&self, text: &str) -> Vec<u8> {
        let with = self.has_returns() && !text.contains('\r');
        let mark = self.mark && !text.starts_with('\u{feff}');
        let text = if with { text.replace('\n', "\r\n") } else { text.to_owned() };
        [if mark { MARK } else { b"" }, text.as_bytes()].concat()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = if self.mark { MARK.to_vec() } else { Vec::new() };
        let mut returns = self.returns.iter();
        for line in self.text.split_inclusive('\n') {
            match line.strip_suffix('\n').filter(|_| returns.next() == Some(&true)) {
                Some(line) => {
                    bytes.extend(line.bytes());
                    bytes.extend(b"\r\n");
                }
                None => bytes.extend(line.bytes()),
            }
        }
        bytes
    }
}

/// Text from a model with `\n` alone.
pub fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_replacement_has_the_line_breaks_of_its_place() {
        for (file, old, new, expected) in [
            ("a\r\nb\r\n", "b", "c\nd", "a\r\nc\r\nd\r\n"),
            ("a\nb\n", "b", "c\r\nd", "a\nc\nd\n"),
            ("a\r\nb\r\nc\nd\n", "c\nd", "e\nf\ng", "a\r\nb\r\ne\nf\ng\n"),
            ("a\r\nb\nc", "a\nb\nc", "x\ny\nz", "x\r\ny\nz"),
            ("a\r\nb", "b", "", "a\r\n"),
            ("\u{feff}a\r\nb", "a\n", "", "\u{feff}b"),
            ("a\rb\n", "b", "c", "a\rc\n"),
        ] {
            let mut text = TextFile::read(file.as_bytes()).unwrap();
            let from = text.text().find(old).unwrap();
            text.replace(from, from + old.len(), new);
            assert_eq!(String::from_utf8(text.bytes()).unwrap(), expected, "{file:?}");
        }
    }

    #[test]
    fn a_new_text_is_written_in_the_ways_of_the_old_one() {
        let old = TextFile::read(b"\xef\xbb\xbfa\r\nb\r\n").unwrap();
        assert!(old.has_mark() && old.has_returns());
        assert_eq!(old.rewritten("x\ny\n"), b"\xef\xbb\xbfx\r\ny\r\n");
        assert_eq!(old.rewritten("\u{feff}x\r\ny\n"), b"\xef\xbb\xbfx\r\ny\n");
        let old = TextFile::read(b"a\nb\r\n").unwrap();
        assert_eq!(old.rewritten("x\ny\n"), b"x\ny\n");
    }

    #[test]
    fn what_is_no_utf8_is_told_apart() {
        assert_eq!(TextFile::read(b"caf\xe9"), Err(NoText::OtherEncoding));
        assert_eq!(TextFile::read(b"\xff\xfea\0"), Err(NoText::OtherEncoding));
        assert_eq!(TextFile::read(b"\x89PNG\0"), Err(NoText::Binary));
    }

    proptest! {
        #[test]
        fn what_is_not_replaced_stays_byte_for_byte(
            file in r"[a\r\n\x{feff}é]{0,40}", new in r"[b\n]{0,5}", a in 0..60_usize, b in 0..60_usize,
        ) {
            let whole = TextFile::read(file.as_bytes()).unwrap();
            prop_assert_eq!(whole.bytes(), file.as_bytes());
            let text = whole.text().to_owned();
            let (from, to) = (text.floor_char_boundary(a.min(b)), text.floor_char_boundary(a.max(b)));
            let mut edited = whole.clone();
            edited.replace(from, to, &new);
            prop_assert_eq!(edited.text(), format!("{}{new}{}", &text[..from], &text[to..]));
            let bytes = edited.bytes();
            let again = TextFile::read(&bytes).unwrap();
            prop_assert_eq!(again.bytes(), bytes);
        }
    }
}
