//! A page as a browser with scripts takes it apart: its elements with their attributes.

use std::cell::{Cell, RefCell};

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer,
        states::{RawKind, ScriptData},
    },
};

#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

pub fn elements(page: &str) -> Vec<Element> {
    read(page).elements.into_inner()
}

/// The text that stands on it, without what only programs read.
pub fn shown(page: &str) -> String {
    read(page).text.into_inner()
}

fn read(page: &str) -> Collector {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(page));
    let tokenizer = Tokenizer::new(Collector::default(), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}

#[derive(Default)]
struct Collector {
    elements: RefCell<Vec<Element>>,
    text: RefCell<String>,
    /// Within an element whose text is not shown where it stands.
    aside: Cell<bool>,
}

impl TokenSink for Collector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let tag = match token {
            Token::TagToken(tag) => tag,
            Token::CharacterTokens(text) if !self.aside.get() => {
                self.text.borrow_mut().push_str(&text);
                return TokenSinkResult::Continue;
            }
            _ => return TokenSinkResult::Continue,
        };
        self.aside.set(false);
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let attributes = tag.attrs.iter().map(|attr| (attr.name.local.to_string(), attr.value.to_string())).collect();
        let name = tag.name.to_string();
        // What is inside these is text, up to their end tag.
        let inside = match name.as_str() {
            "script" => Some(ScriptData),
            "style" | "noscript" | "iframe" => Some(RawKind::Rawtext),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        self.aside.set(inside.is_some());
        self.elements.borrow_mut().push(Element { name, attributes });
        inside.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}
