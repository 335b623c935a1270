//! From the bytes of a page to characters, and from its text to as much of it as is shown.

use encoding_rs::{Encoding, UTF_8};

use crate::tools::wording::{cut_line, cut_note};

/// Text of one answer, in bytes: about 12,000 tokens.
const MAX_BYTES: usize = 48 * 1024;
const MAX_LINE_CHARS: usize = 2000;
/// Where a page that names no encoding in its header may name it, in bytes, as browsers have it.
const META_PROBE_BYTES: usize = 1024;

/// What a server says that it sent.
pub struct Kind<'a> {
    essence: &'a str,
    charset: Option<&'a str>,
}

impl<'a> Kind<'a> {
    pub fn read(content_type: &'a str) -> Self {
        let (essence, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
        let charset = rest.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
        });
        Self { essence: essence.trim(), charset }
    }

    pub fn is_html(&self) -> bool {
        self.essence.eq_ignore_ascii_case("text/html") || self.essence.eq_ignore_ascii_case("application/xhtml+xml")
    }

    /// Whether it can be shown at all.
    pub fn is_text(&self) -> bool {
        let essence = self.essence.to_ascii_lowercase();
        let readable =
            ["json", "xml", "javascript", "yaml", "toml", "x-www-form-urlencoded", "x-ndjson", "x-sh", "sql"];
        self.is_html()
            || essence.is_empty()
            || essence.starts_with("text/")
            || essence
                .strip_prefix("application/")
                .is_some_and(|kind| readable.iter().any(|known| kind == *known || kind.ends_with(&format!("+{known}"))))
    }
}

/// The characters of a page.
pub fn characters(kind: &Kind<'_>, bytes: &[u8]) -> Result<String, String> {
    let named = kind.charset.and_then(|charset| Encoding::for_label(charset.as_bytes()));
    let encoding = named.or_else(|| kind.is_html().then(|| declared(bytes)).flatten()).unwrap_or(UTF_8);
    let (decoded, _, _) = encoding.decode(bytes);
    if decoded.contains('\0') {
        return Err("it holds zero bytes, so it is no text".into());
    }
    Ok(decoded.into_owned())
}

/// The encoding that a page names in its own head.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(META_PROBE_BYTES)]).to_ascii_lowercase();
    let (_, behind) = head.split_once("charset=")?;
    let label: String = behind
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    Encoding::for_label(label.as_bytes())
}

/// As many whole lines from `start` on as fit, and how to get the rest.
pub struct Part {
    pub text: String,
    pub first: usize,
    pub last: usize,
    pub total: usize,
}

pub fn part(text: &str, start: usize, room: usize) -> Part {
    let room = room.min(MAX_BYTES);
    let total = text.lines().count();
    let mut part = Part { text: String::new(), first: start, last: start - 1, total };
    for line in text.lines().skip(start - 1) {
        let line = cut_line(line, MAX_LINE_CHARS);
        if part.last >= start && part.text.len() + line.len() > room {
            break;
        }
        part.text.push_str(&line);
        part.text.push('\n');
        part.last += 1;
    }
    if part.last < total {
        let next = part.last + 1;
        let note = cut_note(&[format!("lines {next}-{total} follow; call web_fetch with line_start={next}")]);
        part.text.extend(note);
    }
    part.text.truncate(part.text.trim_end().len());
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, bytes: &[u8]) -> String {
        characters(&Kind::read(content_type), bytes).unwrap()
    }

    #[test]
    fn other_encodings_are_read_as_their_header_or_their_page_says() {
        assert_eq!(read("text/plain; charset=ISO-8859-1", b"caf\xe9"), "café");
        assert_eq!(read("text/html", b"<meta charset=\"windows-1252\">\x80 5"), "<meta charset=\"windows-1252\">€ 5");
        assert_eq!(read("text/plain; charset=utf-16le", b"h\0i\0"), "hi");
        assert_eq!(read("text/plain", b"caf\xe9"), "caf\u{fffd}");
        assert!(characters(&Kind::read("text/plain"), b"a\0b").is_err());
    }

    #[test]
    fn what_is_shown_and_what_is_not() {
        for kind in
            ["text/html", "TEXT/plain; x=y", "application/json", "application/ld+json", "application/atom+xml", ""]
        {
            assert!(Kind::read(kind).is_text(), "{kind}");
        }
        for kind in ["image/png", "application/pdf", "application/octet-stream", "application/zip", "video/mp4"] {
            assert!(!Kind::read(kind).is_text(), "{kind}");
        }
    }

    #[test]
    fn a_long_text_comes_in_parts_that_join() {
        let whole: String = (1..=9_000).map(|line| format!("line {line} of the page\n")).collect();
        let (mut start, mut joined) = (1, String::new());
        loop {
            let part = part(&whole, start, usize::MAX);
            assert!(part.text.len() <= MAX_BYTES + 200);
            let body = part.text.lines().filter(|line| !line.starts_with("[cut: "));
            joined.extend(body.map(|line| format!("{line}\n")));
            if part.last == part.total {
                break;
            }
            assert!(part.text.contains(&format!("call web_fetch with line_start={}", part.last + 1)), "{}", part.last);
            start = part.last + 1;
        }
        assert_eq!(joined, whole);
    }
}
