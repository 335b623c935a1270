//! Why a program can't be confined: what was tried, and what the system said.

use std::{fmt, io};

#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For `map_err`: `doing` reads like "mounting /proc".
    pub fn of<E: Into<io::Error>>(doing: &str) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{doing} failed: {}", error.into()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
