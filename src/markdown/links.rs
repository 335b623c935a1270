//! Where a link may lead, and what of that a reader is told.

use std::fmt::Write;

use ammonia::Url;

use super::invisible::visible_line;

/// Schemes that a link may have.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// A link that may be followed.
pub(super) struct Target {
    /// As a browser reads it: host in ASCII, no user name, nothing left to guess.
    pub href: String,
    /// Where it leads: the host, with its port if it has an unusual one, the mail address, or the file's path.
    pub place: String,
}

/// What the address of a file of the workspace begins with. It asks the session's own page for the file, so that a message
/// need not know which session it stands in; the page shows it, and without scripts the server hands it out.
pub(super) const FILE: &str = "?file=";

impl Target {
    /// None for every scheme but the allowed ones, and for relative links: they have no base in a message.
    pub fn parse(destination: &str) -> Option<Self> {
        let mut url = Url::parse(destination).ok()?;
        if !SCHEMES.contains(&url.scheme()) {
            return None;
        }
        if url.scheme() == "mailto" {
            // Subject and body could be written by someone else than the sender.
            url.set_query(None);
            url.set_fragment(None);
            let place = url.as_str().strip_prefix("mailto:")?.to_owned();
            return (!place.is_empty()).then(|| Self { href: url.into(), place });
        }
        // `https://known.example@other.example` leads to the other one.
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let place = place_of(&url)?;
        Some(Self { href: url.into(), place })
    }

    /// A file of the workspace that a relative link names: a plain path below it with a dot or a folder in it, since a word
    /// alone is hardly a file.
    pub fn of_file(destination: &str) -> Option<Self> {
        let named = decoded(destination.split('#').next()?)?;
        let path = named.strip_prefix("./").unwrap_or(&named);
        let is_name = |part: &str| !part.is_empty() && part != "." && part != "..";
        let fits =
            path.split('/').all(is_name) && !path.contains([':', '\\', '?', '\u{FDD0}']) && path.contains(['.', '/']);
        (fits && visible_line(path) == path)
            .then(|| Self { href: FILE.to_owned() + &encoded(path), place: path.to_owned() })
    }

    /// Whether a link text already tells the place, as a bare address does.
    pub fn is_told_by(&self, text: &str) -> bool {
        if self.href.starts_with(FILE) {
            return text == self.place || self.place.rsplit('/').next() == Some(text);
        }
        let text = text.trim().to_ascii_lowercase();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || !text.contains(&self.place) {
            return false;
        }
        if self.href.starts_with("mailto:") {
            return text == self.place || text == self.href;
        }
        let address = if text.contains("://") { text } else { format!("https://{text}") };
        let Ok(url) = Url::parse(&address) else { return false };
        let has_user = !url.username().is_empty() || url.password().is_some();
        !has_user && place_of(&url).as_ref() == Some(&self.place)
    }
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let number = (*first == b'%').then(|| u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok());
        match number {
            Some(number) => {
                bytes.push(number?);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// As one value of a query, in plain ASCII.
fn encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)
}

/// Whether a relative address is that of a file.
pub(super) fn is_file(address: &str) -> bool {
    address
        .strip_prefix(FILE)
        .is_some_and(|path| !path.is_empty() && path.bytes().all(|byte| is_plain(byte) || byte == b'%'))
}

fn place_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(destination: &str) -> Option<String> {
        Target::parse(destination).map(|target| target.place)
    }

    #[test]
    fn the_place_is_where_the_browser_goes() {
        assert_eq!(place("https://google.com@evil.com/a").unwrap(), "evil.com");
        assert_eq!(place("https://пример.рф").unwrap(), "xn--e1afmkfd.xn--p1ai");
        assert_eq!(place("HTTP://EXAMPLE.com:80/").unwrap(), "example.com");
        assert_eq!(place("https://example.com:8443").unwrap(), "example.com:8443");
        assert_eq!(place("https:\\\\evil.com\\x").unwrap(), "evil.com");
        assert_eq!(place("http://0x7f.1/").unwrap(), "127.0.0.1");
        assert_eq!(place("mailto:a@b.example?body=x").unwrap(), "a@b.example");
    }

    #[test]
    fn other_schemes_and_relative_links_have_no_target() {
        for destination in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "/a",
            "//evil.com",
            "#a",
            "a b",
            "",
            "mailto:",
            "ftp://a",
            "blob:https://a",
            "view-source:https://a",
            "java\tscript:alert(1)",
            "tel:1",
            "https://",
        ] {
            assert_eq!(place(destination), None, "{destination}");
        }
    }

    #[test]
    fn a_file_is_a_plain_path_below_the_workspace() {
        let file = |destination: &str| Target::of_file(destination).map(|target| (target.href, target.place));
        let found = |href: &str, path: &str| Some((href.to_owned(), path.to_owned()));
        assert_eq!(file("out/report.md"), found("?file=out/report.md", "out/report.md"));
        assert_eq!(file("./a%20b.txt#part"), found("?file=a%20b.txt", "a b.txt"));
        assert_eq!(file("März/plan"), found("?file=M%C3%A4rz/plan", "März/plan"));
        for other in [
            "report",
            "",
            "#a",
            "/etc/passwd",
            "../a.md",
            "out/../a.md",
            "out//a.md",
            "//evil.com/a",
            "a/",
            "c:\\a.md",
            "%2e%2e/a.md",
            "%2Fetc/passwd",
            "javascript:alert(1)/a.b",
            "java%3Ascript.x",
            "a.md?x",
            "a%",
            "a.%zz",
            "a%FF.md",
            "a\u{202E}b.md",
            "a%E2%80%AEb.md",
            "a%0A.md",
            "a%00.md",
        ] {
            assert_eq!(file(other), None, "{other}");
        }
        let target = Target::of_file("out/report.md").unwrap();
        assert!(
            target.is_told_by("out/report.md") && target.is_told_by("report.md") && !target.is_told_by("invoice.pdf")
        );
        assert!(is_file("?file=out/a%20b.md"));
        for other in ["?file=", "?file=a b", "?file=a&b", "?file=a#b", "/a", "?x=a"] {
            assert!(!is_file(other), "{other}");
        }
    }

    #[test]
    fn user_names_leave_the_address() {
        assert_eq!(Target::parse("https://u:p@evil.com/").unwrap().href, "https://evil.com/");
    }

    #[test]
    fn only_a_bare_address_tells_the_place() {
        let target = Target::parse("https://example.com/a").unwrap();
        for text in ["example.com", "https://example.com/other", " EXAMPLE.com/a "] {
            assert!(target.is_told_by(text), "{text}");
        }
        for text in [
            "click here",
            "example.com.evil.com",
            "evil.com/example.com",
            "see example.com",
            "https://example.com@evil.com",
            "exаmple.com",
            "",
            "https://example.com:444",
        ] {
            assert!(!target.is_told_by(text), "{text}");
        }
        assert!(Target::parse("mailto:a@b.example").unwrap().is_told_by("a@b.example"));
        assert!(!Target::parse("http://127.0.0.1/").unwrap().is_told_by("0x7f.1"));
    }
}
