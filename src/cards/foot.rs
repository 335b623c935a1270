//! What stands under a turn: how it ended, and what can be done with it.

use leptos::prelude::*;

use super::{Pen, html};
use crate::{
    markdown::{visible, visible_line},
    protocol::{
        InterruptReason, StoppedBy, Tokens,
        transcript::{Outcome, Turn},
    },
    ui::{
        widgets::{Glyph, Icon, duration},
        words::fill,
    },
};

impl Pen {
    /// Empty while the turn runs.
    pub fn foot(&self, turn: &Turn) -> String {
        if turn.outcome == Outcome::Running {
            return String::new();
        }
        html(view! { {self.ending(turn)}<div class="turn-foot">{self.actions(turn)}{self.facts(&turn.outcome)}</div> })
    }

    /// Fact, effect, next step; nothing where the turn ended as one expects.
    fn ending(&self, turn: &Turn) -> Option<AnyView> {
        let words = self.words;
        let (kind, text) = match &turn.outcome {
            Outcome::Past | Outcome::Running | Outcome::Completed { stopped_by: None, .. } => return None,
            Outcome::Completed { stopped_by: Some(StoppedBy::Limit), .. } => {
                ("waiting", words.limit_reached.to_owned())
            }
            Outcome::Interrupted { reason: InterruptReason::Stopped, .. } => ("waiting", words.stopped.to_owned()),
            Outcome::Interrupted { reason: InterruptReason::Restart, .. } => ("waiting", words.restarted.to_owned()),
            Outcome::Interrupted { reason: InterruptReason::Error, detail } => ("failed", visible(detail)),
        };
        let go_on = view! {
            <form method="post" action=format!("{}/messages", self.base) target="_top" data-live="">
                <input type="hidden" name="message" value=words.go_on_message/>
                // Two clicks are one wish.
                <input type="hidden" name="client_id" value=format!("go-on-{}", turn.turn)/>
                // What waits is sent after it; the style shows the words that are true.
                <button class="button" type="submit"><span class="go-on-alone">{words.go_on}</span><span class="go-on-first">{words.go_on_first}</span></button>
            </form>
        };
        Some(
            view! { <div class=format!("notice notice-{kind} ending")><p>{text}" "{words.kept}</p>{go_on}</div> }
                .into_any(),
        )
    }

    fn actions(&self, turn: &Turn) -> AnyView {
        let words = self.words;
        let copy = turn.messages.iter().any(|message| !message.text.is_empty() || !message.blocks.is_empty()).then(|| {
            view! { <button class="button quiet tool only-live" type="button" data-copy="turn" title=words.copy aria-label=words.copy><Icon glyph=Glyph::Copy/></button> }
        });
        let said = turn.user.as_ref().map(|said| {
            view! {
                <form method="post" action=format!("{}/messages", self.base) target="_top" data-live="">
                    <input type="hidden" name="message" value=said.text.clone()/>
                    <button class="button quiet tool" type="submit" title=words.retry aria-label=words.retry><Icon glyph=Glyph::Again/></button>
                    <button class="button quiet tool only-live" type="button" data-edit="" title=words.edit aria-label=words.edit><Icon glyph=Glyph::Pen/></button>
                </form>
            }
        });
        let fork = view! {
            <form method="post" action=format!("{}/fork", self.base) target="_top">
                <input type="hidden" name="turn" value=turn.turn.to_string()/>
                <button class="button quiet tool" type="submit" title=words.fork aria-label=words.fork><Icon glyph=Glyph::Fork/></button>
            </form>
        };
        view! { {copy}{said}{fork} }.into_any()
    }

    fn facts(&self, outcome: &Outcome) -> Option<AnyView> {
        let Outcome::Completed { model, tokens, total_time_ms, tool_calls, .. } = outcome else { return None };
        let words = self.words;
        let row = |name: &'static str, value: String| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
        Some(
            view! {
                <details class="facts">
                    <summary title=words.details>{duration(*total_time_ms, self.language)}</summary>
                    <dl>
                        {row(words.model, visible_line(model))}
                        {row(words.tokens, self.tokens(tokens))}
                        {row(words.steps, tool_calls.to_string())}
                    </dl>
                </details>
            }
            .into_any(),
        )
    }

    fn tokens(&self, tokens: &Tokens) -> String {
        let text = fill(self.words.tokens_of, &[&thousands(tokens.input), &thousands(tokens.output)]);
        if tokens.estimated { format!("{text} ({})", self.words.estimated) } else { text }
    }
}

/// `12 345`, with a narrow blank that no line breaks at, which every language reads.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{SessionId, transcript::Said},
        ui::words::Language,
    };

    fn foot(outcome: Outcome) -> String {
        let user = Some(Said { text: "List \"them\"".into(), at: String::new(), actor: None, attachments: Vec::new() });
        Pen::new(Language::English, &SessionId("5".repeat(32)), &crate::protocol::BasePath::default()).foot(&Turn {
            turn: 1,
            user,
            outcome,
            ..Turn::default()
        })
    }

    #[test]
    fn a_running_turn_has_no_foot_and_an_interrupted_one_says_how_to_go_on() {
        assert_eq!(foot(Outcome::Running), "");
        let detail = "The model did not answer.".to_owned();
        let failed = foot(Outcome::Interrupted { reason: InterruptReason::Error, detail });
        for part in ["notice-failed", "The model did not answer.", "is kept", "Continue"] {
            assert!(failed.contains(part), "{part}: {failed}");
        }
        assert!(foot(Outcome::Past).contains("value=\"List &quot;them&quot;\""), "{}", foot(Outcome::Past));
    }

    #[test]
    fn figures_are_grouped() {
        assert_eq!(
            [thousands(7), thousands(1234), thousands(1_234_567)],
            ["7", "1\u{202F}234", "1\u{202F}234\u{202F}567"]
        );
    }
}
