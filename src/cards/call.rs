//! A tool call: one line, what it opens to, and the change under it.

use leptos::prelude::*;

use super::{OUTPUT_CHARS, Pen, arguments::arguments, diff, foot::thousands, html};
use crate::{
    markdown::{visible, visible_line},
    protocol::{
        CallId, Decision,
        transcript::{Call, CallCard, CallState},
    },
    ui::{
        widgets::{Glyph, Icon, duration},
        words::{fill, summaries::summary},
    },
};

impl Pen {
    /// `over`: its turn has ended, so that nothing is still to come.
    pub fn call(&self, turn: u32, call: &Call, over: bool) -> CallCard {
        CallCard {
            tool_call_id: call.tool_call_id.clone(),
            state: call.state,
            line: html(self.line(call, over)),
            body: html(self.body(turn, call)),
            below: html(self.below(call)),
            ask: self.ask(call),
        }
    }

    fn line(&self, call: &Call, over: bool) -> impl IntoView + use<> {
        let tool = self.words.tool(&call.name);
        // What a person denied is over for them, also while it waits for the calls before it.
        let call_state = if call.state == CallState::Open && is_denied(call) { CallState::Failed } else { call.state };
        let template = match call_state {
            CallState::Open => fill(if over { self.words.tried } else { self.words.next }, &[tool.wish]),
            CallState::Running => tool.doing.to_owned(),
            CallState::Waiting if tool.may.is_empty() => tool.doing.to_owned(),
            CallState::Waiting => tool.may.to_owned(),
            CallState::Succeeded => tool.done.to_owned(),
            CallState::Failed => fill(self.failure(call), &[tool.wish]),
        };
        let (glyph, state) = match call_state {
            CallState::Open => (Glyph::Clock, if over { self.words.no_result } else { self.words.open }),
            CallState::Waiting => (Glyph::Clock, self.words.waiting),
            CallState::Running => (Glyph::Spark, self.words.running),
            CallState::Succeeded => (Glyph::Check, self.words.done),
            CallState::Failed => (Glyph::Cross, self.words.failed),
        };
        let summary = match call_state {
            CallState::Open | CallState::Waiting => state.to_owned(),
            // The words before it say so.
            CallState::Failed if is_denied(call) => String::new(),
            _ => self.summary(call),
        };
        let since = call.started_at.clone().filter(|_| call.state == CallState::Running);
        let time = call.elapsed_ms.filter(|_| call.state != CallState::Running).map(|ms| duration(ms, self.language));
        view! {
            <Icon glyph/>
            <span class="visually-hidden">{state}</span>
            {self.phrase(&template, call)}
            <span class="call-summary">{summary}</span>
            <span class="call-time" data-since=since>{time}</span>
        }
    }

    /// A call that the model is still writing, and how much of it there is.
    pub fn writing(&self, name: &str, preview: &str, bytes: usize) -> String {
        let mut call = Call::new(CallId::new(""), name);
        preview.clone_into(&mut call.preview);
        let words = self.phrase(&fill(self.words.prepares, &[self.words.tool(name).wish]), &call);
        let size = (bytes >= 1000)
            .then(|| view! { <span class="call-time">{format!("{} kB", thousands(bytes as u64 / 1000))}</span> });
        html(view! { {words}{size} })
    }

    /// The result in one line. Of a program that succeeded it is what that printed, or that it printed nothing.
    fn summary(&self, call: &Call) -> String {
        let prints = matches!(call.name.as_str(), "shell_execute" | "git_command" | "ask_user" | "web_fetch");
        let is_ours = !self.words.tool(&call.name).name.is_empty();
        let printed = prints && call.state == CallState::Succeeded && call.summary != "no output";
        let told = if is_ours && !printed { summary(self.language, &call.summary) } else { call.summary.clone() };
        visible_line(&told)
    }

    /// What can be said of a call that did not succeed: a command that failed ran all the same.
    fn failure(&self, call: &Call) -> &'static str {
        // Only events tell times; what is known from rows alone has neither.
        let never_began = call.elapsed_ms.is_some() && call.started_at.is_none();
        if is_denied(call) {
            self.words.not_allowed
        } else if never_began {
            self.words.not_done
        } else {
            self.words.tried
        }
    }

    /// The words of a step with its object in their midst.
    pub(super) fn phrase(&self, template: &str, call: &Call) -> AnyView {
        let mut object = visible_line(&call.preview);
        let template = match template.contains("{0}") && self.words.tool(&call.name).name.is_empty() {
            // A tool that we have no words for is named itself.
            true if object.is_empty() => {
                object = tool_name(&call.name);
                template.to_owned()
            }
            true => fill(template, &[&tool_name(&call.name)]),
            false => template.to_owned(),
        };
        let (before, after) = template.split_once("{0}").unwrap_or((&template, ""));
        // What stands beside the object is laid out for itself, where a space at its beginning would be lost.
        let (before, after) = (before.trim_end().to_owned(), after.replacen(' ', "\u{a0}", 1));
        let object = (!object.is_empty()).then(|| view! { <code class="call-object">{object}</code> });
        let after = (!after.is_empty()).then(|| view! { <span class="call-verb">{after}</span> });
        view! { <span class="call-verb">{before}</span>" "<span class="call-what">{object}{after}</span> }.into_any()
    }

    fn body(&self, turn: u32, call: &Call) -> impl IntoView + use<> {
        let words = self.words;
        let decided = call.approval.as_ref().and_then(|approval| approval.decided.as_ref()).map(|(decision, by)| {
            let text = match decision {
                Decision::Approve => words.allowed_by,
                Decision::ApproveAlways => words.always_by,
                Decision::Deny => words.denied_by,
            };
            view! { <p class="decided">{fill(text, &[&self.name(by)])}</p> }
        });
        let answered = call.question.as_ref().and_then(|question| question.answer.as_ref()).map(|(answer, by)| {
            let by = fill(words.answered_by, &[&self.name(by)]);
            view! { <p class="decided">{by} " " <q>{visible(answer)}</q></p> }
        });
        let input = arguments(&call.args, &[]).map(|args| view! { <h3>{words.input}</h3>{args} });
        let error = call.error.as_ref().map(|error| {
            view! { <h3>{words.error}</h3><pre class="failed" tabindex="0">{visible(error)}</pre> }
        });
        let log = view! {
            <button class="link-button only-live" type="button" data-log=call.tool_call_id.to_string()>{words.show_log}</button>
        };
        view! { {decided}{answered}{input}{error}{self.output(turn, call)}{log} }
    }

    fn output(&self, turn: u32, call: &Call) -> Option<AnyView> {
        // A lone line end would vanish on the way through HTML.
        if call.output.trim().is_empty() || call.state == CallState::Running {
            return None;
        }
        let shown: String = call.output.chars().take(OUTPUT_CHARS).collect();
        let load = (call.truncated || shown.len() < call.output.len()).then(|| {
            let href = format!("{}/turns/{turn}/calls/{}/output", self.base, encoded(call.tool_call_id.as_str()));
            view! { <a class="load" href=href data-load="">{self.words.load_all}</a> }
        });
        Some(view! { <h3>{self.words.output}</h3><pre tabindex="0">{visible(&shown)}</pre>{load} }.into_any())
    }

    /// The change that was made: a few lines at once, the rest on demand.
    fn below(&self, call: &Call) -> Option<AnyView> {
        let change = call.diff.as_deref().filter(|_| call.state == CallState::Succeeded)?;
        let lines = diff::lines(change);
        if lines.is_empty() {
            return None;
        }
        let (excerpt, more) = diff::excerpt(&lines, self.words);
        let rest = (more > 0).then(|| {
            view! {
                <details class="diff-more"><summary>{self.words.more_lines.of(more as u64)}</summary>{diff::whole(&lines, self.words)}</details>
            }
        });
        Some(view! { {excerpt}{rest} }.into_any())
    }
}

fn is_denied(call: &Call) -> bool {
    let decided = call.approval.as_ref().and_then(|approval| approval.decided.as_ref());
    decided.is_some_and(|(decision, _)| *decision == Decision::Deny)
}

/// `mcp.<alias>.<tool>` reads as the tool of the alias.
pub fn tool_name(name: &str) -> String {
    let named = name.strip_prefix("mcp.").and_then(|rest| rest.split_once('.'));
    visible_line(&named.map_or_else(|| name.to_owned(), |(alias, tool)| format!("{tool} ({alias})")))
}

/// A provider's id as one part of a path.
fn encoded(id: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    id.bytes().map(|byte| if keep(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            Actor, ApprovalId, BasePath, Risk, Role, SessionId, ToolCall, TurnRow,
            transcript::{CallApproval, Transcript},
        },
        ui::words::Language,
    };

    /// The row's text.
    fn row(language: Language, call: &Call) -> String {
        let line = Pen::new(language, &SessionId("5".repeat(32)), &BasePath::default()).call(1, call, false).line;
        let text = line.split('<').filter_map(|piece| Some(piece.split_once('>')?.1)).collect::<Vec<_>>().join(" ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_call_behind_one_that_asks_waits_for_its_turn() {
        let mut call = Call::new(CallId::new("c"), "shell_execute");
        call.preview = "make".into();
        assert!(row(Language::English, &call).contains("Next: run make waits for its turn"));
        assert!(row(Language::German, &call).contains("Danach: make ausführen wartet, bis es an der Reihe ist"));
    }

    fn ended(name: &str, preview: &str, summary: &str) -> Call {
        let mut call = Call::new(CallId::new("c"), name);
        (call.state, call.elapsed_ms) = (CallState::Failed, Some(0));
        (call.preview, call.summary) = (preview.into(), summary.into());
        call
    }

    #[test]
    fn a_row_tells_results_and_times_in_the_readers_language() {
        let done = |name: &str, summary: &str| {
            let mut call = ended(name, "a.md", summary);
            (call.state, call.elapsed_ms) = (CallState::Succeeded, Some(130_549));
            row(Language::German, &call)
        };
        assert!(done("read_file", "3,812 lines").contains("3 812 Zeilen 130,5 s"));
        assert!(done("shell_execute", "no output").contains("keine Ausgabe"));
        assert!(done("shell_execute", "3 files").contains("3 files"), "what a program printed is told as it is");
        assert!(done("mcp.files.list", "3 files").contains("3 files"));
    }

    #[test]
    fn a_call_in_a_list_of_words_names_what_it_would_run() {
        let call = ToolCall {
            id: CallId::new("c"),
            name: "git_command".into(),
            arguments: r#"{"args":["commit","-m","Add March"]}"#.into(),
        };
        let turn = TurnRow {
            turn_number: 2,
            turn: 1,
            message: Some(0),
            role: Role::Assistant,
            content: String::new(),
            tool_calls: vec![call],
            tool_call_id: None,
            tool_name: None,
            token_count: 0,
            created_at: String::new(),
            metadata: None,
        };
        let transcript = Transcript::from_rows(&[turn]);
        let waits = &transcript.turns[0].messages[0].calls[0];
        assert!(row(Language::English, waits).contains("Next: run git commit -m Add March"), "{waits:?}");
    }

    #[test]
    fn a_row_does_not_claim_what_was_not_done() {
        let denied = CallApproval {
            approval_id: ApprovalId::new("a"),
            risk: Risk::Run,
            scope: None,
            decided: Some((Decision::Deny, Actor::local())),
        };
        let mut call = ended("shell_execute", "rm -rf x", "denied");
        call.approval = Some(denied);
        let before_its_turn = Call { state: CallState::Open, ..call.clone() };
        assert!(row(Language::English, &before_its_turn).contains("Not allowed: run rm -rf x"));
        for (language, said) in
            [(Language::English, "Not allowed: run rm -rf x"), (Language::German, "Nicht erlaubt: rm -rf x ausführen")]
        {
            assert!(row(language, &call).contains(said), "{}", row(language, &call));
            assert!(!row(language, &call).contains("denied"), "it is said once");
        }
        let refused = ended("write_file", "a.md", "not allowed in this mode");
        assert!(row(Language::English, &refused).contains("Not done: write a.md not allowed in this mode"));
        let mut failed = ended("shell_execute", "make", "exit code 2");
        failed.started_at = Some("2026-03-01T10:00:00.000Z".into());
        assert!(row(Language::English, &failed).contains("Tried to run make exit code 2"));
        assert!(row(Language::German, &failed).contains("Versucht: make ausführen Exitcode 2"));
        let other = ended("mcp.files.move", "", "gone");
        assert!(
            row(Language::English, &other).contains("Not done: use move (files)"),
            "a tool without words of its own"
        );
    }
}
