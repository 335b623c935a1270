//! The last word on all HTML of this module: a whitelist, applied after rendering.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::{highlight, links};

/// What the class of a code block begins with.
pub(super) const LANGUAGE_CLASS: &str = "language-";

/// Longest name of a language that becomes a class.
const MAX_LANGUAGE_BYTES: usize = 32;

static RULES: LazyLock<Builder<'static>> = LazyLock::new(rules);

/// `html` with nothing in it that is not on the whitelist. Cleaning the result again changes nothing.
pub(super) fn clean(html: &str) -> String {
    RULES.clean(html).to_string()
}

/// Whether `name` may stand in a class.
pub(super) fn is_language(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'+' || byte == b'-';
    (1..=MAX_LANGUAGE_BYTES).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn rules() -> Builder<'static> {
    let mut rules = Builder::default();
    rules
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "code",
            "del",
            "div",
            "em",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "input",
            "li",
            "ol",
            "p",
            "pre",
            "span",
            "strong",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("code", HashSet::from(["class"])),
            ("input", HashSet::from(["type", "disabled", "checked"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .tag_attribute_values(HashMap::from([
            ("div", exactly([("aria-label", "Table"), ("role", "group"), ("tabindex", "0")])),
            ("input", HashMap::from([("aria-label", HashSet::from(["Done", "To do"]))])),
        ]))
        .set_tag_attribute_values(HashMap::from([
            ("a", HashMap::from([("target", "_blank")])),
            ("input", HashMap::from([("type", "checkbox"), ("disabled", "")])),
        ]))
        .allowed_classes(HashMap::from([
            ("a", HashSet::from(["image-link"])),
            ("div", HashSet::from(["table-scroll"])),
            ("li", HashSet::from(["task"])),
            ("pre", HashSet::from(["plain"])),
            ("span", ["image-link", "invisible", "link-host", "math"].into_iter().chain(highlight::CLASSES).collect()),
            ("td", HashSet::from(["align-left", "align-center", "align-right"])),
            ("th", HashSet::from(["align-left", "align-center", "align-right"])),
        ]))
        .attribute_filter(attribute)
        .url_schemes(HashSet::from(links::SCHEMES))
        .url_relative(UrlRelative::Custom(Box::new(file)))
        .link_rel(Some("noopener noreferrer nofollow"));
    rules
}

/// Of what leads to a place of this server, only files of the workspace.
fn file(address: &str) -> Option<Cow<'_, str>> {
    links::is_file(address).then_some(Cow::Borrowed(address))
}

fn exactly<const N: usize>(pairs: [(&'static str, &'static str); N]) -> HashMap<&'static str, HashSet<&'static str>> {
    pairs.into_iter().map(|(name, value)| (name, HashSet::from([value]))).collect()
}

/// The attributes whose values follow a grammar.
fn attribute<'v>(tag: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let is_allowed = match (tag, name) {
        ("code", "class") => value.strip_prefix(LANGUAGE_CLASS).is_some_and(is_language),
        ("ol", "start") => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    };
    is_allowed.then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_off_the_whitelist_comes_through() {
        for (html, expected) in [
            ("<script>a</script><p onclick=a style=b id=c>d</p>", "<p>d</p>"),
            ("<img src=a><svg><a href=b></svg><p>c", "<p>c</p>"),
            ("<a href=javascript:a>b</a>", "<a target=\"_blank\" rel=\"noopener noreferrer nofollow\">b</a>"),
            ("<code class='language-a b'>c</code>", "<code>c</code>"),
            ("<ol start='1;'><li class='task x'>a</ol>", "<ol><li class=\"task\">a</li></ol>"),
            ("<input type=text name=a value=b>", "<input type=\"checkbox\" disabled=\"\">"),
            ("<div tabindex=1 role=main class='table-scroll evil'>a</div>", "<div class=\"table-scroll\">a</div>"),
        ] {
            let cleaned = clean(html);
            assert_eq!(clean(&cleaned), cleaned);
            assert_eq!(normalised(&cleaned), normalised(expected));
        }
    }

    #[test]
    fn of_this_servers_places_only_files_are_led_to() {
        assert!(clean("<a href='?file=out/a.md'>b</a>").contains("href=\"?file=out/a.md\""));
        for other in ["/cowork/x", "x", "?file=", "?file=a&amp;rows=1", "#a", "?rows=1"] {
            assert!(!clean(&format!("<a href='{other}'>b</a>")).contains("href"), "{other}");
        }
    }

    /// Attributes that the sanitiser adds itself have no fixed order.
    fn normalised(html: &str) -> Vec<&str> {
        let mut words: Vec<&str> = html.split([' ', '<', '>']).collect();
        words.sort_unstable();
        words
    }
}
