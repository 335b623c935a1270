//! The text of files that are not in UTF-8: programs of another time, and of Windows, still write them.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A file's bytes as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// What it is written in, as far as one can tell; `None` for UTF-8.
    pub encoding: Option<&'static str>,
}

const DAMAGED: &str = "UTF-8 with damaged characters";

/// `None`: they are no text. `cut`: more bytes follow, so that the last character may be half.
pub fn decoded(bytes: &[u8], cut: bool) -> Option<Decoded<'_>> {
    for (mark, encoding, name) in [(b"\xff\xfe", UTF_16LE, "UTF-16 LE"), (b"\xfe\xff", UTF_16BE, "UTF-16 BE")] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            let whole = &rest[..rest.len() - rest.len() % 2];
            let (text, _) = encoding.decode_without_bom_handling(whole);
            return Some(Decoded { text, encoding: Some(name) });
        }
    }
    if super::changes::is_binary(bytes) {
        return None;
    }
    let bytes = match std::str::from_utf8(bytes) {
        Ok(text) => return Some(Decoded { text: text.into(), encoding: None }),
        Err(error) if cut && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) => bytes,
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Decoded { text: text.into(), encoding: None });
    }
    // Letters of another encoding hardly ever make one of UTF-8 by chance.
    let (mut letters, mut faults) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        letters += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    if letters > faults {
        return Some(Decoded { text: String::from_utf8_lossy(bytes), encoding: Some(DAMAGED) });
    }
    // Every byte means something there, so what is no text is told by what no text has.
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(byte);
    if bytes.iter().any(is_control) {
        return None;
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    Some(Decoded { text, encoding: Some("Windows-1252") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Option<&'static str>) {
        let Decoded { text, encoding } = decoded(bytes, false).unwrap();
        (text.into_owned(), encoding)
    }

    #[test]
    fn text_is_read_in_what_it_is_written_in() {
        assert_eq!(read("Größe".as_bytes()), ("Größe".into(), None));
        assert_eq!(read(b"Gr\xf6\xdfe \x80 5"), ("Größe € 5".into(), Some("Windows-1252")));
        assert_eq!(read(b"\xff\xfeG\0\xf6\0"), ("Gö".into(), Some("UTF-16 LE")));
        assert_eq!(read(b"\xfe\xff\0G\0\xf6"), ("Gö".into(), Some("UTF-16 BE")));
        let damaged = [b"Gr\xc3\xb6\xc3\x9fe ".as_slice(), b"\xff"].concat();
        assert_eq!(read(&damaged), ("Größe \u{fffd}".into(), Some(DAMAGED)));
        assert_eq!(decoded(b"a\0b", false), None);
        assert_eq!(decoded(b"\xf6\x01\x02", false), None);
    }

    #[test]
    fn a_character_that_is_cut_in_two_is_left_out() {
        let cut = |bytes| decoded(bytes, true).map(|decoded| (decoded.text.into_owned(), decoded.encoding));
        assert_eq!(cut(b"cut \xc3"), Some(("cut ".into(), None)));
        assert_eq!(cut(b"\xff\xfea\0b"), Some(("a".into(), Some("UTF-16 LE"))));
        assert_eq!(read(b"end \xc3"), ("end \u{c3}".into(), Some("Windows-1252")));
    }
}
