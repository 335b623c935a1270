//! An inspector of the HTML that this module gives: it reads it with an HTML tokenizer and knows its own list of what may
//! stand there, so that a hole in the sanitiser's list is seen.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::sanitise;

const VOID: [&str; 3] = ["br", "hr", "input"];

/// What is wrong with a block, if anything.
pub(super) fn complaint(block: &str) -> Option<String> {
    let inspector = Inspector::default();
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(block));
    let tokenizer = Tokenizer::new(inspector, Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let Inspector { complaint, open } = tokenizer.sink;
    let complaint = complaint.into_inner();
    let unclosed = || (!open.borrow().is_empty()).then(|| format!("never closed: {:?}", open.borrow()));
    let changed = || (sanitise::clean(block) != block).then(|| "sanitising again changes it".to_owned());
    complaint.or_else(unclosed).or_else(changed)
}

#[derive(Default)]
struct Inspector {
    complaint: RefCell<Option<String>>,
    open: RefCell<Vec<String>>,
}

impl TokenSink for Inspector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let result = match token {
            Token::TagToken(tag) => self.tag(&tag),
            Token::CharacterTokens(text) => text_complaint(&text).map_or(Ok(()), Err),
            Token::EOFToken => Ok(()),
            other => Err(format!("{other:?}")),
        };
        if let Err(complaint) = result {
            self.complaint.borrow_mut().get_or_insert(complaint);
        }
        TokenSinkResult::Continue
    }
}

impl Inspector {
    fn tag(&self, tag: &Tag) -> Result<(), String> {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            let opened = self.open.borrow_mut().pop();
            return if opened.as_ref() == Some(&name) { Ok(()) } else { Err(format!("</{name}> ends {opened:?}")) };
        }
        if !VOID.contains(&name.as_str()) {
            self.open.borrow_mut().push(name.clone());
        }
        let attributes: Vec<(String, String)> =
            tag.attrs.iter().map(|attr| (attr.name.local.to_string(), attr.value.to_string())).collect();
        let is_allowed = attributes.iter().all(|(attribute, value)| is_allowed(&name, attribute, value));
        let is_complete = required(&name).iter().all(|name| attributes.iter().any(|(attribute, _)| attribute == name));
        let is_known = !required(&name).is_empty() || PLAIN.contains(&name.as_str());
        if is_known && is_allowed && is_complete { Ok(()) } else { Err(format!("<{name} {attributes:?}>")) }
    }
}

/// Elements that need no attribute.
const PLAIN: [&str; 22] = [
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

fn required(tag: &str) -> &'static [&'static str] {
    match tag {
        "a" => &["href", "rel", "target"],
        "div" => &["class", "role", "tabindex", "aria-label"],
        "input" => &["type", "disabled", "aria-label"],
        "span" => &["class"],
        _ => &[],
    }
}

fn is_allowed(tag: &str, attribute: &str, value: &str) -> bool {
    match (tag, attribute) {
        ("a", "href") => is_safe_address(value),
        ("a", "rel") => value == "noopener noreferrer nofollow",
        ("a", "target") => value == "_blank",
        ("a", "class") => value == "image-link",
        ("code", "class") => {
            let language = value.strip_prefix("language-").unwrap_or_default();
            let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'+' || byte == b'-';
            (1..=32).contains(&language.len()) && language.bytes().all(is_name)
        }
        ("div", _) => [("class", "table-scroll"), ("role", "group"), ("tabindex", "0"), ("aria-label", "Table")]
            .contains(&(attribute, value)),
        ("input", "aria-label") => ["Done", "To do"].contains(&value),
        ("input", _) => [("type", "checkbox"), ("disabled", ""), ("checked", "")].contains(&(attribute, value)),
        ("li", "class") => value == "task",
        ("ol", "start") => value.parse::<u32>().is_ok(),
        ("pre", "class") => value == "plain",
        ("span", "class") => {
            let known = ["image-link", "invisible", "link-host", "math"];
            known.contains(&value) || ["hl-comment", "hl-text", "hl-number", "hl-keyword"].contains(&value)
        }
        ("td" | "th", "class") => ["align-left", "align-center", "align-right"].contains(&value),
        _ => false,
    }
}

/// An absolute address of an allowed scheme in plain ASCII, without a user name; or a file of the workspace.
fn is_safe_address(address: &str) -> bool {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    let web = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let host = web.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_web = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    let is_file = address.strip_prefix("?file=").is_some_and(|path| {
        path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-%".contains(&byte)) && !path.contains("..")
    });
    is_plain && (is_web || is_file || (address.starts_with("mailto:") && !address.contains('?')))
}

fn text_complaint(text: &str) -> Option<String> {
    let is_deceptive = |c: char| {
        let is_bidi = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        let is_hidden = matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}' | '\u{FDD0}');
        is_bidi || is_hidden || (c.is_control() && c != '\n' && c != '\t')
    };
    text.chars().find(|c| is_deceptive(*c)).map(|c| format!("text holds U+{:04X}", u32::from(c)))
}

#[test]
fn the_inspector_sees_each_kind_of_fault() {
    for faulty in [
        "<script>a</script>",
        "<p onclick=\"a\">b</p>",
        "<a href=\"javascript:a\">b</a>",
        "<img src=\"a\">",
        "<p>a",
        "<p></em></p>",
        "<!-- a -->",
        "<span style=\"a\" class=\"math\">b</span>",
        "<p class=\"x\">a</p>",
        "<div>a</div>",
        "<p>\u{202E}</p>",
        "<code class=\"language-A\">b</code>",
        "<input type=\"text\" disabled aria-label=\"Done\">",
        "a & b",
        "<!DOCTYPE html>",
        "<a href=\"https://a@b/\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">c</a>",
    ] {
        assert!(complaint(faulty).is_some(), "{faulty}");
    }
    assert_eq!(complaint("<p>a <em>b</em><br></p>"), None);
}
