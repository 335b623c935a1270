//! One tool call as a line: state, verb, object, time. It opens to its input and output.

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    protocol::transcript::{Call, CallState},
    ui::widgets::{Glyph, Icon},
};

/// Output shown in an opened call; the rest stands in the log's download.
const SHOWN_CHARS: usize = 8_000;

#[component]
pub fn CallItem(call: RwSignal<Call>) -> impl IntoView {
    let state = move || call.with(|call| call.state);
    view! {
        <li class="call" data-state=move || state_name(state())>
            <details>
                <summary class="call-line">
                    {move || view! { <Icon glyph=glyph(state())/> }}
                    <span class="visually-hidden">{move || state_name(state())}</span>
                    <span class="call-verb">{move || call.with(verb)}</span>
                    <code class="call-object">{move || call.with(|call| call.preview.clone())}</code>
                    <span class="call-summary">{move || call.with(|call| call.summary.clone())}</span>
                    <span class="call-time">{move || call.with(|call| call.elapsed_ms.map(duration))}</span>
                </summary>
                <div class="call-body">
                    <h4>"Input"</h4>
                    <pre tabindex="0">{move || call.with(|call| input(&call.args))}</pre>
                    {move || call.with(|call| call.error.clone()).map(|error| view! { <h4>"Error"</h4><pre class="failed" tabindex="0">{error}</pre> })}
                    {move || call.with(output).map(|output| view! { <h4>"Output"</h4><pre tabindex="0">{output}</pre> })}
                </div>
            </details>
        </li>
    }
}

/// What is done, in the tense of its state.
fn verb(call: &Call) -> String {
    let done = !matches!(call.state, CallState::Running | CallState::Open | CallState::Waiting);
    let words = match call.name.as_str() {
        "read_file" => ("Reading", "Read"),
        "list_directory" => ("Looking into", "Looked into"),
        "glob_find" => ("Finding files", "Found files"),
        "ripgrep_search" => ("Searching for", "Searched for"),
        _ => return call.name.clone(),
    };
    if done { words.1 } else { words.0 }.to_owned()
}

fn glyph(state: CallState) -> Glyph {
    match state {
        CallState::Open | CallState::Waiting => Glyph::Clock,
        CallState::Running => Glyph::Spark,
        CallState::Succeeded => Glyph::Check,
        CallState::Failed => Glyph::Cross,
    }
}

fn state_name(state: CallState) -> &'static str {
    match state {
        CallState::Open => "open",
        CallState::Waiting => "waiting",
        CallState::Running => "running",
        CallState::Succeeded => "done",
        CallState::Failed => "failed",
    }
}

/// Below a second in milliseconds, above with one decimal.
pub fn duration(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

fn input(args: &Value) -> String {
    match args {
        Value::String(text) => text.clone(),
        _ => serde_json::to_string_pretty(args).unwrap_or_default(),
    }
}

fn output(call: &Call) -> Option<String> {
    // A lone line end would vanish on the way through HTML.
    if call.output.trim().is_empty() {
        return None;
    }
    let shown: String = call.output.chars().take(SHOWN_CHARS).collect();
    let cut = call.truncated || shown.len() < call.output.len();
    Some(if cut { format!("{shown}\n[… the rest is in the session's history]") } else { shown })
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(88), "88 ms");
        assert_eq!(duration(3_149), "3.1 s");
    }
}
