//! What must not be told: our own secrets, which stand nowhere, and those of people and files, which stand in the
//! conversation alone and never in the log.
//!
//! A secret of ours is known by its value. One of somebody else is known by the field that holds it or by its form.

mod forms;
mod names;
mod own;

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;

pub use self::own::{OwnStream, OwnValues};
use self::{forms::Forms, names::Names};

/// What stands in a secret's place.
pub const REDACTED: &str = "[redacted]";

/// Knows secrets in texts and in JSON.
#[derive(Debug, Default)]
pub struct Redaction {
    own: RwLock<Arc<OwnValues>>,
    names: Names,
    forms: Forms,
}

impl Redaction {
    /// `own` are secrets of this server; `names` are fields that hold secrets here, beside those that do everywhere.
    pub fn new(own: impl IntoIterator<Item = String>, names: &[String]) -> Self {
        Self { own: RwLock::new(Arc::new(OwnValues::new(own))), names: Names::new(names), forms: Forms }
    }

    /// With the values of the environment whose names say that they are secret.
    pub fn with_environment(
        own: impl IntoIterator<Item = String>,
        names: &[String],
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let known = Names::new(names);
        let held = environment.into_iter().filter(|(name, value)| known.of_variable(name) && own::is_telling(value));
        Self::new(own.into_iter().chain(held.map(|(_, value)| value)), names)
    }

    /// Our own secrets, for what keeps them out of the conversation.
    pub fn own(&self) -> Arc<OwnValues> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in a secret of ours that is younger than the others. Those stay secrets.
    pub fn learn(&self, secret: String) {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(own.with(secret));
    }

    /// A text for the log: without secrets of ours and without what looks like one.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.own().clean(text) {
            Cow::Borrowed(text) => self.forms.clean(text),
            Cow::Owned(text) => Cow::Owned(self.forms.clean(&text).into_owned()),
        }
    }

    /// Cleans every text in `value`, and whatever a field known to hold a secret holds. Whether anything changed.
    pub fn json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let clean = match self.text(text) {
                    Cow::Borrowed(_) => return false,
                    Cow::Owned(clean) => clean,
                };
                *text = clean;
                true
            }
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.json(item) | changed),
            Value::Object(fields) => {
                let mut changed = false;
                for (name, field) in fields.iter_mut() {
                    changed |= if self.names.of_field(name) { hide(field) } else { self.json(field) };
                }
                changed | self.field_names(fields)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// A secret may also be the name of a field.
    fn field_names(&self, fields: &mut serde_json::Map<String, Value>) -> bool {
        if fields.keys().all(|name| matches!(self.text(name), Cow::Borrowed(_))) {
            return false;
        }
        let named = std::mem::take(fields).into_iter();
        *fields = named.map(|(name, field)| (self.text(&name).into_owned(), field)).collect();
        true
    }
}

/// All that a secret field holds; `true`, `false` and nothing are no secrets.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) if text.is_empty() || text == REDACTED => false,
        Value::String(_) | Value::Number(_) => {
            *value = REDACTED.into();
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| hide(item) | changed),
        Value::Object(fields) => fields.values_mut().fold(false, |changed, field| hide(field) | changed),
    }
}

#[cfg(test)]
#[path = "redaction/redaction_tests.rs"]
mod tests;
