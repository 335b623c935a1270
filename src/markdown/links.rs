//! Where a link may lead, and what of that a reader is told.

use ammonia::Url;

/// Schemes that a link may have.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// A link that may be followed.
pub(super) struct Target {
    /// As a browser reads it: host in ASCII, no user name, nothing left to guess.
    pub href: String,
    /// Where it leads: the host, with its port if it has an unusual one, or the mail address.
    pub place: String,
}

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

    /// Whether a link text already tells the place, as a bare address does.
    pub fn is_told_by(&self, text: &str) -> bool {
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
