//! What a message that begins with `/` does instead of being sent.

use leptos::{prelude::*, task::spawn_local};
use serde_json::{Value, json};

use super::draft::Draft;
use crate::ui::{browser, words::words};

/// The order of `commands` in the words, and of the chips.
pub const NAMES: [&str; 6] = ["/stop", "/mode", "/model", "/rename", "/export", "/help"];

/// Carries out a command; whether the text was one.
pub fn run(draft: &Draft, text: &str) -> bool {
    let (name, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let base = draft.base.get_value();
    match name {
        "/stop" => post(draft, base + "/stop", json!({})),
        "/mode" => browser::open_menu(0),
        "/model" => browser::open_menu(1),
        "/rename" if !rest.is_empty() => post(draft, base + "/update", json!({ "title": rest })),
        "/export" => browser::go_to(&(base + "/export")),
        "/help" | "/rename" => draft.view.problem.set(Some(help())),
        _ => return false,
    }
    true
}

fn help() -> String {
    let lines = NAMES.iter().zip(words().chat.commands).map(|(name, text)| [name, " – ", text].concat());
    lines.collect::<Vec<_>>().join(" · ")
}

fn post(draft: &Draft, path: String, body: Value) {
    let problem = draft.view.problem;
    spawn_local(async move {
        let failed = browser::post(&path, body).await.err();
        problem.try_set(failed.map(|error| error.detail));
    });
}
