//! The card that asks for a person's word before a call runs: what exactly, what happens meanwhile, the plain choices.

use leptos::prelude::*;
use serde_json::Value;

use super::{
    Pen,
    arguments::{arguments, text},
    call::tool_name,
    diff, html,
};
use crate::{
    markdown::{visible, visible_line},
    protocol::{
        NOT_SHOWN, Risk, TOP_FOLDER,
        transcript::{Call, CallApproval, CallState},
    },
    ui::words::fill,
};

/// A change of so few lines is shown without being asked for.
const SHORT_LINES: usize = 6;
/// A command of so few characters stands in the question itself.
const SHORT_COMMAND_CHARS: usize = 48;

impl Pen {
    /// What asks for a person's word on the call, if anything does.
    pub(super) fn ask(&self, call: &Call) -> String {
        if call.state != CallState::Waiting {
            return String::new();
        }
        match (&call.approval, &call.question) {
            (Some(approval), _) if approval.decided.is_none() => html(self.approval(call, approval)),
            (_, Some(question)) if question.answer.is_none() => html(self.question(question)),
            _ => String::new(),
        }
    }

    fn approval(&self, call: &Call, approval: &CallApproval) -> AnyView {
        let words = self.words;
        let command = command(call);
        let is_short = |text: &String| text.chars().count() <= SHORT_COMMAND_CHARS && !text.contains('\n');
        let stands_below = command.as_ref().is_some_and(|text| !is_short(text));
        let object = match &command {
            Some(_) if stands_below => Some("…".to_owned()),
            Some(command) => Some(visible_line(command)),
            None => place(&call.args),
        };
        let asked = Call { preview: object.unwrap_or_else(|| call.preview.clone()), ..call.clone() };
        let block = command
            .filter(|_| stands_below)
            .map(|text| view! { <pre class="command" tabindex="0">{visible(&text)}</pre> });
        let risk = match approval.risk {
            Risk::Edit => words.risk_edit,
            Risk::Delete => words.risk_delete,
            Risk::Run => words.risk_run,
            Risk::Network => words.risk_network,
        };
        let always = self.always(call, approval).map(|text| {
            view! { <button class="button" name="decision" value="approve_always">{text}</button> }
        });
        let action = format!("{}/approvals/{}", self.base, approval.approval_id);
        view! {
            <article class="ask" data-kind="approval" tabindex="-1">
                <p class="ask-what">
                    <strong>{self.phrase(words.tool(&call.name).may, &asked)}</strong>" "
                    {self.places(call)}
                    <span class="muted">{words.nothing_runs}</span>
                </p>
                {block}
                <form class="ask-choices" method="post" action=action target="_top" data-live="">
                    <button class="button primary" name="decision" value="approve">{words.allow_once}</button>
                    {always}
                    <button class="button quiet" name="decision" value="deny">{words.deny}</button>
                    <span class="risk" data-risk=format!("{:?}", approval.risk).to_lowercase()>{risk}</span>
                </form>
                {self.exactly(call)}
            </article>
        }
        .into_any()
    }

    /// In how many places a file would change.
    fn places(&self, call: &Call) -> Option<String> {
        let edits = match call.args.get("edits").and_then(Value::as_array) {
            Some(edits) => edits.len(),
            None if call.name == "edit_file" && call.args.get("replace_all").and_then(Value::as_bool) != Some(true) => {
                1
            }
            None => return None,
        };
        Some(format!("{} ", self.words.edits.of(edits as u64)))
    }

    /// Names what it would be narrowed to; where there is nothing, there is no such choice.
    fn always(&self, call: &Call, approval: &CallApproval) -> Option<String> {
        let tool = self.words.tool(&call.name);
        Some(match approval.scope.as_deref()? {
            TOP_FOLDER if !tool.always_at_top.is_empty() => tool.always_at_top.to_owned(),
            whole if whole == call.name => fill(tool.always_in, &[&tool_name(whole)]),
            scope => fill(tool.always_in, &[&visible_line(scope)]),
        })
    }

    /// All that the call would be given, the change in its colours first.
    fn exactly(&self, call: &Call) -> Option<AnyView> {
        let (mut lines, mut told) = diff::proposed(&call.name, &call.args).unwrap_or_default();
        let unseen = call.diff.as_deref() == Some(NOT_SHOWN);
        if unseen {
            (lines, told) = (Vec::new(), &[]);
        } else if let Some(foreseen) = &call.diff {
            lines = diff::lines(foreseen);
        }
        let unseen = unseen.then(|| view! { <p class="muted small">{self.words.replaces_unseen}</p> });
        let open = !lines.is_empty() && lines.len() <= SHORT_LINES;
        let (show, hide) = match lines.is_empty() {
            true => (self.words.show_input, self.words.hide_input),
            false => (self.words.show_change, self.words.hide_change),
        };
        let change = (!lines.is_empty()).then(|| diff::whole(&lines, self.words));
        let rest = arguments(&call.args, told);
        if change.is_none() && rest.is_none() {
            return None;
        }
        let rest = rest.filter(|_| !open || has_more(call, told));
        Some(
            view! {
                {unseen}
                <details class="ask-change" open=open>
                    // The style shows the words for what a click does.
                    <summary><span class="to-show">{show}</span><span class="to-hide">{hide}</span></summary>
                    {change}{rest}
                </details>
            }
            .into_any(),
        )
    }
}

/// Whether the arguments say more than the question and the change do.
fn has_more(call: &Call, told: &[&str]) -> bool {
    let mut names = call.args.as_object().into_iter().flat_map(|object| object.keys());
    names.any(|name| name != "path" && !told.contains(&name.as_str()))
}

/// What a program would be started with.
fn command(call: &Call) -> Option<String> {
    match call.name.as_str() {
        "shell_execute" => call.args.get("command")?.as_str().map(ToOwned::to_owned),
        "git_command" => {
            let words = call.args.get("args")?.as_array()?.iter().filter_map(Value::as_str).map(quoted);
            Some(std::iter::once("git".to_owned()).chain(words).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// A word of a command line as one would type it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

/// The file that a call is about, whole.
fn place(args: &Value) -> Option<String> {
    let moved = || Some(format!("{} → {}", text(args, "source")?, text(args, "destination")?));
    text(args, "path").or_else(moved)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        protocol::{ApprovalId, CallId, SessionId},
        ui::words::Language,
    };

    fn drawn(language: Language, name: &str, args: Value, scope: Option<&str>) -> String {
        pen(language).ask(&waiting(name, args, scope))
    }

    fn pen(language: Language) -> Pen {
        Pen::new(language, &SessionId("5".repeat(32)), &crate::protocol::BasePath::default())
    }

    fn waiting(name: &str, args: Value, scope: Option<&str>) -> Call {
        let approval = CallApproval {
            approval_id: ApprovalId::new("a1"),
            risk: Risk::Edit,
            scope: scope.map(Into::into),
            decided: None,
        };
        let mut call = Call::new(CallId::new("c"), name);
        (call.args, call.state, call.approval) = (args, CallState::Waiting, Some(approval));
        call
    }

    #[test]
    fn the_card_tells_what_exactly_and_names_the_scope() {
        let args = json!({"path": "q1/ledger.csv", "old_str": "1,240.00", "new_str": "1,420.00"});
        let card = drawn(Language::English, "edit_file", args, Some("q1"));
        for part in [
            "May I change",
            "q1/ledger.csv",
            "- 1,240.00",
            "+ 1,420.00",
            "Allow edits in q1 in this session",
            "Nothing runs until you answer.",
            "value=\"deny\"",
        ] {
            assert!(card.contains(part), "{part}: {card}");
        }
    }

    #[test]
    fn without_a_scope_there_is_nothing_to_allow_for_good() {
        let run = drawn(Language::English, "shell_execute", json!({"command": "ls; rm x"}), None);
        assert!(run.contains("value=\"approve\"") && !run.contains("approve_always"), "{run}");
        let top = drawn(Language::English, "write_file", json!({"path": "a.md", "content": ""}), Some("."));
        assert!(top.contains("Allow writing files directly in the folder in this session"), "{top}");
        let other = drawn(Language::English, "mcp.files.move", json!({}), Some("mcp.files.move"));
        assert!(other.contains("Allow move (files) in this session"), "{other}");
    }

    #[test]
    fn a_file_that_is_there_is_shown_as_it_would_change() {
        let args = json!({"path": "plan.md", "content": "one\ntwo\n"});
        let mut call = waiting("write_file", args, None);
        let pen = pen(Language::English);
        assert!(pen.ask(&call).contains("+ one"));
        call.diff = Some("--- a/plan.md\n+++ b/plan.md\n@@ -1,2 +1,2 @@\n one\n-2\n+two\n".into());
        let card = pen.ask(&call);
        assert!(card.contains("- 2") && card.contains("+ two") && !card.contains("+ one"), "{card}");
    }

    #[test]
    fn words_may_stand_in_another_order() {
        let card = drawn(Language::German, "delete_file", json!({"path": "alt.txt"}), None);
        let (ich, alt) = (card.find("Darf ich").unwrap(), card.find("alt.txt").unwrap());
        assert!(ich < alt && alt < card.find("löschen?").unwrap(), "{card}");
    }

    #[test]
    fn hidden_characters_and_markup_are_shown_and_never_act() {
        let name = "invoice\u{202E}fdp.exe<img src=x>";
        let card = drawn(Language::English, "write_file", json!({"path": name, "content": "\u{2066}x</pre><b>"}), None);
        assert!(card.contains("invoice⟨U+202E⟩fdp.exe") && card.contains("⟨U+2066⟩x"), "{card}");
        assert!(!card.contains('\u{202E}') && !card.contains("<img") && !card.contains("<b>"), "{card}");
    }

    #[test]
    fn a_long_command_is_shown_whole() {
        let long = format!("for f in *.csv; do echo {}; done", "x".repeat(200));
        let card = drawn(Language::English, "shell_execute", json!({"command": long, "timeout_seconds": 5}), None);
        assert!(card.contains(&long) && card.contains("timeout_seconds"), "{card}");
        let git = drawn(Language::English, "git_command", json!({"args": ["commit", "-m", "Add March"]}), None);
        assert!(
            git.contains("git commit -m 'Add March'") || git.contains("git commit -m &#x27;Add March&#x27;"),
            "{git}"
        );
    }
}
