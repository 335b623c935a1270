//! What goes wrong with a model server, as the port's errors and in words for a person.

use std::{error::Error, io, iter, time::Duration};

use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::settings::Settings;
use crate::agent::ports::model::ModelError;
use crate::config::ApiKey;

/// How much of the server's own words is repeated, in characters.
const MAX_SAID: usize = 300;

/// Words by which servers say that the conversation is too long; they agree on no code.
const CONTEXT_FULL: [&str; 10] = [
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context",
    "context length",
    "context size",
    "context window",
    "exceed context limit",
    "n_ctx",
    "prompt is too long",
    "input token count",
];
const CONTENT_REFUSED: [&str; 4] = ["content_filter", "content_policy", "content policy", "content management policy"];
const KEY_REFUSED: [&str; 3] = ["invalid_api_key", "authentication_error", "permission_error"];
const UNPAID: [&str; 3] = ["insufficient_quota", "billing_error", "credit balance"];
const REQUEST_WRONG: [&str; 3] = ["invalid_request", "badrequest", "not_supported"];
/// LM Studio answers an address it does not know with 200 and these words.
const ADDRESS_WRONG: [&str; 2] = ["unexpected endpoint", "not_found"];

/// What helps with servers of one kind, in words for a person.
#[derive(Clone, Debug)]
pub struct Advice {
    /// How their address usually looks, behind "Check base_url, ".
    pub address: &'static str,
    /// A sentence for when the model or the address is not found.
    pub missing: String,
}

/// The server as errors name it, and the key that they must not hold.
#[derive(Clone, Debug)]
pub struct Server {
    base: String,
    model: String,
    key: Option<ApiKey>,
    advice: Advice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Later,
    ContextFull,
    Key,
    Content,
    Unpaid,
    Missing,
    Wrong,
}

impl Kind {
    /// `words` is what the server says, in lower case.
    fn of_status(status: u16, words: &str) -> Self {
        match status {
            401 | 403 => Self::Key,
            402 => Self::Unpaid,
            400 | 429 if any(&UNPAID, words) => Self::Unpaid,
            404 => Self::Missing,
            408 | 409 | 429 => Self::Later,
            413 => Self::ContextFull,
            _ if any(&CONTEXT_FULL, words) => Self::ContextFull,
            500..=599 => Self::Later,
            _ if any(&CONTENT_REFUSED, words) => Self::Content,
            _ => Self::Wrong,
        }
    }

    /// For errors inside an answer without a number. The request was taken, so what is unknown may pass.
    fn of_words(words: &str) -> Self {
        let table = [
            (CONTEXT_FULL.as_slice(), Self::ContextFull),
            (&CONTENT_REFUSED, Self::Content),
            (&KEY_REFUSED, Self::Key),
            (&UNPAID, Self::Unpaid),
            (&ADDRESS_WRONG, Self::Missing),
            (&REQUEST_WRONG, Self::Wrong),
        ];
        table.into_iter().find(|(needles, _)| any(needles, words)).map_or(Self::Later, |(_, kind)| kind)
    }
}

fn any(needles: &[&str], words: &str) -> bool {
    needles.iter().any(|needle| words.contains(needle))
}

impl Server {
    /// The address is shown without what may be secret in it.
    pub fn new(base: &Url, settings: &Settings, advice: Advice) -> Self {
        let mut shown = base.clone();
        // Both fail only for addresses that can hold neither.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_query(None);
        shown.set_fragment(None);
        let base = shown.as_str().trim_end_matches('/').to_owned();
        let key = settings.api_key.clone().filter(|key| !key.is_empty());
        Self { base, model: settings.model.clone(), key, advice }
    }

    /// An answer whose status is no success.
    pub fn status(&self, status: StatusCode, after: Option<Duration>, body: &str) -> ModelError {
        let kind = Kind::of_status(status.as_u16(), &body.to_lowercase());
        let said = match serde_json::from_str::<Value>(body) {
            Ok(value) => self.said(&value),
            Err(_) if body.trim_start().starts_with('<') => "it sends a web page".into(),
            Err(_) => self.clean(body),
        };
        self.error(kind, Some(status.as_u16()), after, &said)
    }

    /// An error inside an answer that began as a success.
    pub fn reported(&self, error: &Value) -> ModelError {
        let words = error.to_string().to_lowercase();
        let code = code(error);
        let kind = code.map_or_else(|| Kind::of_words(&words), |status| Kind::of_status(status, &words));
        self.error(kind, code, None, &self.said(error))
    }

    /// The answer was ended for what it is about; `reason` is the server's own, where it gives one.
    pub fn filtered(&self, reason: Option<&str>) -> ModelError {
        let reason = reason.map(|reason| format!(": {}", self.clean(reason))).unwrap_or_default();
        self.error(Kind::Content, None, None, &format!("its content filter ended the answer{reason}"))
    }

    /// The answer is as long as it may be. `limit` is the one that was sent, in tokens.
    pub fn cut_short(&self, limit: Option<u32>) -> ModelError {
        ModelError::Cut(match limit {
            Some(limit) => format!(
                "one answer may have {limit} tokens. Say \"go on\", ask for less at once, or raise `max_tokens` of the model in the configuration."
            ),
            None => "the server ended it for its length. Say \"go on\", or ask for less at once.".into(),
        })
    }

    /// The answer, and what was asked, fill the model's window.
    pub fn filled(&self) -> ModelError {
        self.error(Kind::ContextFull, None, None, "the answer reached the end of its context")
    }

    /// The server answers, and does not have the model.
    pub fn missing(&self, said: &str) -> ModelError {
        self.error(Kind::Missing, None, None, said)
    }

    pub fn redirects(&self, status: StatusCode, location: &str) -> ModelError {
        let location = self.clean(location);
        ModelError::Fatal(format!("{} redirects to {location} ({status}). Put that address into base_url.", self.base))
    }

    /// The request or its answer broke on the way.
    pub fn broken(&self, error: &reqwest::Error) -> ModelError {
        if let Some(fault) = tls_fault(error) {
            return ModelError::Fatal(self.tls(fault));
        }
        later(self.transport(error))
    }

    pub fn silent(&self, limit: Duration) -> ModelError {
        let Self { base, .. } = self;
        later(format!(
            "{base} has sent nothing for {limit:?}. It may still load the model: look at it, then try again."
        ))
    }

    pub fn cut_off(&self) -> ModelError {
        later(format!(
            "{} ended its answer before saying anything. Look at the model server, then try again.",
            self.base
        ))
    }

    pub fn broken_off(&self) -> ModelError {
        later(format!("{} ended its answer before it was whole. Try again.", self.base))
    }

    pub fn garbled(&self, data: &str) -> ModelError {
        let data = self.clean(data);
        later(format!("{} sends an answer that is broken off or is not JSON: {data}. Try again.", self.base))
    }

    pub fn web_page(&self) -> ModelError {
        ModelError::Fatal(format!("{} sends a web page. Check base_url, {}.", self.base, self.advice.address))
    }

    pub fn too_long(&self, limit: usize) -> ModelError {
        let limit = limit / (1024 * 1024);
        ModelError::Fatal(format!(
            "The answer of {} is longer than {limit} MiB and is given up. Ask for less.",
            self.base
        ))
    }

    fn transport(&self, error: &reqwest::Error) -> String {
        let Self { base, .. } = self;
        let cause = root(error);
        if is_refused(error) {
            return format!("Nothing answers at {base}. Start the model server or correct base_url.");
        }
        if error.is_connect() && error.is_timeout() {
            return format!("No connection to {base} comes about in time. Check base_url and the network.");
        }
        if error.is_connect() {
            return format!("Can't connect to {base}: {}. Check base_url and the network.", self.clean(&cause));
        }
        format!("The connection to {base} broke: {}. Look at the model server, then try again.", self.clean(&cause))
    }

    fn tls(&self, fault: &rustls::Error) -> String {
        let fault = self.clean(&fault.to_string());
        format!(
            "No secure connection to {}: {fault}. Check its certificate; a base_url without TLS begins with http://.",
            self.base
        )
    }

    fn error(&self, kind: Kind, status: Option<u16>, after: Option<Duration>, said: &str) -> ModelError {
        let Self { base, model, key, .. } = self;
        let number = status.map(|status| format!(" ({status})")).unwrap_or_default();
        match kind {
            Kind::Later => ModelError::Retry {
                after,
                detail: format!("{base} can't answer now{number}: {said}. Try again later."),
            },
            Kind::ContextFull => ModelError::ContextFull(format!(
                "The conversation is too long for {model}{number}: {said}. Shorten it, or give the server a larger context."
            )),
            Kind::Key if status == Some(403) => ModelError::Auth(format!(
                "{base} denies access to {model}{number}: {said}. Check what the API key is allowed to do."
            )),
            // The server's words are left out: they often repeat a part of the key.
            Kind::Key if key.is_some() => ModelError::Auth(format!(
                "{base} refuses the API key{number}. Put a valid key for {model} into the configuration."
            )),
            Kind::Key => ModelError::Auth(format!(
                "{base} asks for an API key{number}, and {model} has none. Put one into the configuration."
            )),
            Kind::Content => ModelError::Refused(format!("{base} refuses the request: {said}. Word it differently.")),
            Kind::Unpaid => {
                ModelError::Refused(format!("{base} refuses the request{number}: {said}. Check the account's plan."))
            }
            Kind::Missing => {
                ModelError::Fatal(format!("{base} does not find {model}{number}: {said}. {}", self.advice.missing))
            }
            Kind::Wrong => ModelError::Fatal(format!(
                "{base} does not accept the request{number}: {said}. Check the settings of {model}."
            )),
        }
    }

    fn said(&self, value: &Value) -> String {
        self.clean(&message(value).unwrap_or_else(|| value.to_string()))
    }

    /// One line of at most `MAX_SAID` characters without the key. The key goes before the cut, which could leave half of it.
    fn clean(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) => text.replace(key.reveal(), "[key]"),
            None => text.to_owned(),
        };
        let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = line.collect::<Vec<_>>().join(" ");
        let line = line.trim_end_matches('.');
        match line.char_indices().nth(MAX_SAID) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None if line.is_empty() => "it gives no reason".into(),
            None => line.to_owned(),
        }
    }
}

fn later(detail: String) -> ModelError {
    ModelError::Retry { after: None, detail }
}

/// The text in `{"error": {"message": …}}`, `{"error": …}`, `{"message": …}`, `{"detail": …}` or a list of one of them.
fn message(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Object(map) => {
            ["error", "message", "detail", "msg"].iter().find_map(|key| map.get(*key).and_then(message))
        }
        Value::Array(items) => items.iter().find_map(message),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The HTTP status that an error inside an answer names, as a number or as text.
fn code(error: &Value) -> Option<u16> {
    ["/code", "/error/code"].iter().filter_map(|path| error.pointer(path)).find_map(|code| {
        let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
        u16::try_from(number).ok().filter(|status| (400..600).contains(status))
    })
}

/// What an error comes down to; the libraries' own words say only which part of them failed.
pub fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// The error and what is below it. An I/O error hides the error that it wraps from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut kinds = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.any(|kind| kind == io::ErrorKind::ConnectionRefused)
}

fn tls_fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
