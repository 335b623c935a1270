//! Secrets of ours, known by their value.

use std::{borrow::Cow, path::Path};

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

use super::REDACTED;

/// A shorter value is as likely a word as a secret, and would be taken out of texts that mean the word.
const SHORTEST: usize = 8;

/// The values themselves. None is ever shown, not even to a debugger's print.
#[derive(Default)]
pub struct OwnValues {
    values: Vec<String>,
    search: Option<AhoCorasick>,
}

impl std::fmt::Debug for OwnValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.values.len())
    }
}

/// Whether a value of the environment can be told from other text by itself: no number, no plain word and no path.
pub(super) fn is_telling(value: &str) -> bool {
    let value = value.trim();
    let plain = value.bytes().all(|byte| byte.is_ascii_lowercase()) || value.bytes().all(|byte| byte.is_ascii_digit());
    value.len() >= SHORTEST && !plain && !(value.starts_with('/') && Path::new(value).exists())
}

impl OwnValues {
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().map(|value| value.trim().to_owned()).collect();
        values.retain(|value| value.len() >= SHORTEST);
        // The longest first: one may be the beginning of another.
        values.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        values.dedup();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values);
        // It fails only for more patterns than memory holds.
        let search = search.ok().filter(|_| !values.is_empty());
        Self { values, search }
    }

    pub(super) fn with(&self, value: String) -> Self {
        Self::new(self.values.iter().cloned().chain([value]))
    }

    pub fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.search {
            Some(search) if search.is_match(text) => {
                Cow::Owned(search.replace_all(text, &vec![REDACTED; self.values.len()]))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// [`OwnValues::clean`] for a text that is given away.
    pub fn cleaned(&self, text: String) -> String {
        match self.clean(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }
    }

    /// [`OwnValues::clean`] for every text in a JSON value.
    pub fn cleaned_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.cleaned(text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.cleaned_json(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, field)| (self.cleaned(name), self.cleaned_json(field))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// Where the end of `text` may be the beginning of a secret that goes on in the next piece.
    fn open_end(&self, text: &str) -> usize {
        let begun = |value: &String| {
            let most = value.len().saturating_sub(1).min(text.len());
            (1..=most).rev().find(|length| {
                let at = text.len() - length;
                text.is_char_boundary(at) && value.as_bytes().starts_with(&text.as_bytes()[at..])
            })
        };
        text.len() - self.values.iter().filter_map(begun).max().unwrap_or(0)
    }
}

/// A text that comes in pieces. What may be the beginning of a secret is held back until more has come.
#[derive(Debug, Default)]
pub struct OwnStream {
    held: String,
}

impl OwnStream {
    /// What can be shown of all pieces so far and was not shown yet.
    pub fn push(&mut self, own: &OwnValues, piece: &str) -> String {
        if own.values.is_empty() {
            return piece.to_owned();
        }
        self.held.push_str(piece);
        let clean = own.cleaned(std::mem::take(&mut self.held));
        let end = own.open_end(&clean);
        self.held = clean[end..].to_owned();
        clean[..end].to_owned()
    }

    /// The rest, when no piece follows.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own() -> OwnValues {
        OwnValues::new(["sk-canary-93b1f7".into(), "sk-canary-93b1f7-long".into(), "päßwört1".into(), "short".into()])
    }

    #[test]
    fn values_are_taken_out_and_short_ones_are_no_secrets() {
        let own = own();
        assert_eq!(own.clean("a sk-canary-93b1f7-long b"), "a [redacted] b");
        assert_eq!(own.clean("xsk-canary-93b1f7x päßwört1"), "x[redacted]x [redacted]");
        assert_eq!(own.clean("short and sweet"), "short and sweet");
        assert_eq!(format!("{own:?}"), "3 values");
    }

    #[test]
    fn words_numbers_and_paths_of_the_environment_are_no_secrets() {
        for plain in ["keychain", "12345678901", "/usr/bin/env", "abc"] {
            assert!(!is_telling(plain), "{plain}");
        }
        assert!(is_telling("hunter22") && is_telling("/9j4AAQSkZJRgABAQ"));
    }

    proptest! {
        /// However a text is cut into pieces, no piece and no join of them holds a secret, and nothing else is lost.
        #[test]
        fn a_secret_in_pieces_is_taken_out(before in "[a-z sk-]{0,12}", after in "[a-z-]{0,9}", cuts in proptest::collection::vec(1..6usize, 1..30)) {
            let (own, text) = (own(), format!("{before}sk-canary-93b1f7{after}päßwört1"));
            let (mut stream, mut shown, mut rest) = (OwnStream::default(), String::new(), text.as_str());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let at = rest.floor_char_boundary(cut.min(rest.len()));
                shown.push_str(&stream.push(&own, &rest[..at]));
                rest = &rest[at..];
            }
            shown.push_str(&stream.finish());
            prop_assert!(!shown.contains("sk-canary-93b1f7") && !shown.contains("päßwört1"), "{}", shown);
            prop_assert!(shown.starts_with(&before) && shown.ends_with(REDACTED), "{}", shown);
        }
    }
}
