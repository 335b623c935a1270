//! A TOML file as sections that hand out typed values, each fault with its line.

use std::{fmt::Display, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::ConfigError;

/// How much of a wrong value is shown, in characters.
const SHOWN_VALUE: usize = 40;
/// The key whose value is never shown, and sections whose values are none.
const SECRET: &str = "api_key";
const SECRET_SECTIONS: [&str; 2] = [".env", ".headers"];

/// The text, to tell lines by.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl<'a> Source<'a> {
    pub fn parse(self) -> Result<DeTable<'a>, ConfigError> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.fault(at, format!("not valid TOML: {}", error.message().replace('\n', "; ")))
        })
    }

    /// Counted from 1.
    pub fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub fn fault(&self, at: usize, reason: impl Into<String>) -> ConfigError {
        ConfigError::Line { file: self.file.into(), line: self.line(at), reason: reason.into() }
    }
}

/// One table of the file, or a table that isn't there and has no values.
#[derive(Clone)]
pub struct Section<'a> {
    source: Source<'a>,
    /// As a person writes it between brackets.
    name: String,
    table: Option<&'a DeTable<'a>>,
}

type Value<'a> = &'a Spanned<DeValue<'a>>;

impl<'a> Section<'a> {
    pub fn whole_file(source: Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self { source, name: String::new(), table: Some(table) }
    }

    pub fn section(&self, key: &str) -> Result<Self, ConfigError> {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let table = match self.value(key) {
            None => None,
            Some(value) => match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => return Err(self.source.fault(value.span().start, format!("`[{name}]` must be a section"))),
            },
        };
        Ok(Self { source: self.source, name, table })
    }

    /// Keys with their place, in the order of the file.
    pub fn keys(&self) -> Vec<(&'a str, usize)> {
        let entries = self.table.into_iter().flat_map(|table| table.iter());
        let mut keys: Vec<_> = entries.map(|(key, _)| (key.get_ref().as_ref(), key.span().start)).collect();
        keys.sort_by_key(|(_, at)| *at);
        keys
    }

    /// ``loom.toml line 7: `[server] port` ``, to begin a warning with.
    pub fn place(&self, key: &str) -> String {
        let at = self.keys().into_iter().find(|(name, _)| *name == key).map_or(0, |(_, at)| at);
        format!("{} line {}: {}", self.source.file, self.source.line(at), self.shown(key))
    }

    /// A text; an empty one counts as left out, as Loom has it.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let text = self.typed(key, "text in quotes", |value| value.as_str().map(str::to_owned))?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        self.typed(key, "a list of texts, such as [\"one\", \"two\"]", |value| {
            value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        })
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    pub fn whole<N>(&self, key: &str, range: RangeInclusive<N>) -> Result<Option<N>, ConfigError>
    where
        N: TryFrom<u64> + PartialOrd + Display,
    {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.typed(key, &wanted, |value| {
            let number = value.as_integer()?;
            let number = u64::from_str_radix(number.as_str(), number.radix()).ok()?;
            N::try_from(number).ok().filter(|number| range.contains(number))
        })
    }

    pub fn number(&self, key: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, ConfigError> {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        self.typed(key, &wanted, |value| {
            let number: f64 = match value {
                DeValue::Integer(number) => number.as_str().parse().ok()?,
                DeValue::Float(number) => number.as_str().parse().ok()?,
                _ => return None,
            };
            range.contains(&number).then_some(number)
        })
    }

    /// The fault of a value that has the right type and still can't be used.
    pub fn fault(&self, key: &str, reason: &str) -> ConfigError {
        let at = self.value(key).map_or(0, |value| value.span().start);
        self.source.fault(at, format!("{} {reason}", self.shown(key)))
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match read(value.get_ref()) {
            Some(read) => Ok(Some(read)),
            None => Err(self.fault(key, &format!("must be {wanted}, not {}", self.written(key, value)))),
        }
    }

    fn value(&self, key: &str) -> Option<Value<'a>> {
        self.table?.get(key)
    }

    fn shown(&self, key: &str) -> String {
        let is_section = self.value(key).is_some_and(|value| value.get_ref().is_table());
        match (self.name.as_str(), is_section) {
            ("", true) => format!("`[{key}]`"),
            ("", false) => format!("`{key}`"),
            (name, true) => format!("`[{name}.{key}]`"),
            (name, false) => format!("`[{name}] {key}`"),
        }
    }

    /// The value as it stands in the file, unless it is a secret.
    fn written(&self, key: &str, value: Value<'a>) -> String {
        if key == SECRET || SECRET_SECTIONS.iter().any(|section| self.name.ends_with(section)) {
            return "something else".into();
        }
        let text = self.source.text.get(value.span()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let mut shown: String = line.chars().take(SHOWN_VALUE).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        shown
    }
}
