//! What a call would be given, for a person to read.

use leptos::prelude::*;
use serde_json::Value;

use crate::markdown::{visible, visible_line};

/// Longest text that stands on the line of its name, in characters.
const INLINE_CHARS: usize = 80;

/// All arguments but those in `shown`, which stand elsewhere. `None` where nothing is left.
pub fn arguments(args: &Value, shown: &[&str]) -> Option<AnyView> {
    let object = match args {
        Value::Object(object) => object,
        Value::Null => return None,
        Value::String(text) => return Some(block(text)),
        other => return Some(block(&other.to_string())),
    };
    let rows: Vec<_> = object.iter().filter(|(name, _)| !shown.contains(&name.as_str())).map(row).collect();
    (!rows.is_empty()).then(|| view! { <dl class="args">{rows}</dl> }.into_any())
}

fn row((name, value): (&String, &Value)) -> AnyView {
    let text = match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let value = if text.contains('\n') || text.chars().count() > INLINE_CHARS {
        block(&text)
    } else {
        view! { <code>{visible(&text)}</code> }.into_any()
    };
    view! { <div><dt>{visible_line(name)}</dt><dd>{value}</dd></div> }.into_any()
}

fn block(text: &str) -> AnyView {
    view! { <pre tabindex="0">{visible(text)}</pre> }.into_any()
}

/// The text of an argument, on one line.
pub fn text(args: &Value, name: &str) -> Option<String> {
    args.get(name).and_then(Value::as_str).map(visible_line)
}
