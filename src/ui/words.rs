//! Every text of the page, in each of its languages: one file an area, one constant a language. The server chooses
//! the language and writes it into the document; the browser takes it from there, so both draw the same.

pub mod cards;
pub mod chat;
pub mod files;
pub mod frame;
pub mod home;
pub mod limits;
pub mod logs;
pub mod plain;
pub mod sessions;
pub mod still;
pub mod summaries;

use super::browser;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// As in `<html lang>` and in the cookie.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// `1.2`, or `1,2`: so many tenths.
    pub fn tenths(self, tenths: u64) -> String {
        let point = match self {
            Self::English => ".",
            Self::German => ",",
        };
        [&(tenths / 10).to_string(), point, &(tenths % 10).to_string()].concat()
    }

    /// Of a tag such as `de-AT`; only the language counts.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The first language of an `Accept-Language` that the page speaks. Browsers list them by preference.
    pub fn of_header(accepted: &str) -> Option<Self> {
        accepted.split(',').find_map(|offer| Self::of_tag(offer.split(';').next().unwrap_or_default()))
    }
}

/// All texts in one language.
pub struct Words {
    pub chat: chat::ChatWords,
    pub files: files::FileWords,
    pub frame: frame::FrameWords,
    pub home: home::HomeWords,
    pub limits: limits::LimitWords,
    pub logs: logs::LogWords,
    pub sessions: sessions::SessionWords,
}

static ENGLISH: Words = Words {
    chat: chat::ENGLISH,
    files: files::ENGLISH,
    frame: frame::ENGLISH,
    home: home::ENGLISH,
    limits: limits::ENGLISH,
    logs: logs::ENGLISH,
    sessions: sessions::ENGLISH,
};

static GERMAN: Words = Words {
    chat: chat::GERMAN,
    files: files::GERMAN,
    frame: frame::GERMAN,
    home: home::GERMAN,
    limits: limits::GERMAN,
    logs: logs::GERMAN,
    sessions: sessions::GERMAN,
};

/// The texts in the page's language.
pub fn words() -> &'static Words {
    of(browser::language())
}

/// Where the page's language is known otherwise.
pub fn of(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

/// A text that counts: `{0}` is the number.
#[derive(Clone, Copy, Debug)]
pub struct Plural {
    pub one: &'static str,
    pub many: &'static str,
}

impl Plural {
    pub fn of(&self, count: u64) -> String {
        self.with(count, &[])
    }

    /// The number is `{0}`, the values are `{1}` and on.
    pub fn with(&self, count: u64, values: &[&str]) -> String {
        let number = count.to_string();
        let all: Vec<&str> = std::iter::once(number.as_str()).chain(values.iter().copied()).collect();
        fill(if count == 1 { self.one } else { self.many }, &all)
    }
}

/// What somebody did: told to themselves, and to the others with the name as `{0}`.
#[derive(Clone, Copy, Debug)]
pub struct ByWhom {
    pub you: &'static str,
    pub other: &'static str,
}

/// Puts values into a text: `{0}` is the first. Much smaller in the page than formatting at each place.
pub fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let (index, after) = behind.split_once('}').unwrap_or((behind, ""));
        filled.push_str(index.parse().ok().and_then(|index: usize| values.get(index).copied()).unwrap_or_default());
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_in_what_browsers_send() {
        assert_eq!(Language::of_header("de-CH,de;q=0.9,en;q=0.8"), Some(Language::German));
        assert_eq!(Language::of_header("fr-FR, fr;q=0.9, en-GB;q=0.7, de;q=0.5"), Some(Language::English));
        assert_eq!(Language::of_header("ja"), None);
        assert_eq!(Language::of_header(""), None);
        assert_eq!(Language::of_tag("DE_at"), Some(Language::German));
    }

    #[test]
    fn decimals_are_written_as_the_language_writes_them() {
        let written = [0, 9, 10, 1305].map(|tenths| Language::ALL.map(|language| language.tenths(tenths)));
        assert_eq!(written, [["0.0", "0,0"], ["0.9", "0,9"], ["1.0", "1,0"], ["130.5", "130,5"]]);
    }

    #[test]
    fn values_take_their_places_in_any_order() {
        assert_eq!(fill("{1} von {0}", &["9", "drei"]), "drei von 9");
        assert_eq!(fill("nothing", &["x"]), "nothing");
        assert_eq!(fill("{7} and {", &["x"]), " and ");
        let events = Plural { one: "one event", many: "{0} events of {1}" };
        assert_eq!((events.of(1), events.with(3, &["5"])), ("one event".into(), "3 events of 5".into()));
    }
}
