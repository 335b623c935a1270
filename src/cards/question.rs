//! The card of a question: the choices as plain buttons or boxes, and room for the person's own words.

use leptos::prelude::*;

use super::Pen;
use crate::{
    markdown::{visible, visible_line},
    protocol::{QuestionKind, QuestionOption, transcript::CallQuestion},
};

impl Pen {
    pub(super) fn question(&self, asked: &CallQuestion) -> AnyView {
        let (words, question) = (self.words, &asked.question);
        let action = format!("{}/questions/{}", self.base, asked.question_id);
        // Boxes and own words are one answer.
        let own_words = match question.kind {
            QuestionKind::FreeText => true,
            QuestionKind::SingleChoice => question.allow_custom,
            QuestionKind::MultiChoice => false,
        };
        let own = own_words.then(|| self.own_words(asked, action.clone()));
        view! {
            <article class="ask" data-kind="question" tabindex="-1">
                <h2 class="ask-kind">{words.asks_you}</h2>
                <p class="ask-what"><strong>{visible(&question.question)}</strong></p>
                {self.options(asked, action)}
                {own}
                <p class="muted small">{words.no_hurry}</p>
            </article>
        }
        .into_any()
    }

    fn options(&self, asked: &CallQuestion, action: String) -> Option<AnyView> {
        let question = &asked.question;
        let choice = match question.kind {
            QuestionKind::FreeText => return None,
            QuestionKind::SingleChoice => question.options.iter().map(button).collect::<Vec<_>>().into_any(),
            QuestionKind::MultiChoice => {
                let boxes: Vec<_> = question.options.iter().map(checkbox).collect();
                let own = question.allow_custom.then(|| room_for_words(asked, self.words.own_words, "1", false));
                view! {
                    <p class="muted small">{self.words.choose_some}</p>
                    {boxes}
                    {own}
                    <div><button class="button primary" type="submit">{self.words.answer}</button></div>
                }
                .into_any()
            }
        };
        Some(
            view! { <form class="ask-options" method="post" action=action target="_top" data-live="">{choice}</form> }
                .into_any(),
        )
    }

    fn own_words(&self, asked: &CallQuestion, action: String) -> AnyView {
        let words = self.words;
        let free = asked.question.kind == QuestionKind::FreeText;
        let label = if free { words.your_answer } else { words.own_words };
        let class = if free { "button primary" } else { "button" };
        let room = room_for_words(asked, label, if free { "3" } else { "1" }, true);
        view! {
            <form class="ask-own" method="post" action=action target="_top" data-live="">
                {room}
                <button class=class type="submit">{words.answer}</button>
            </form>
        }
        .into_any()
    }
}

fn room_for_words(asked: &CallQuestion, label: &'static str, rows: &'static str, required: bool) -> AnyView {
    let draft = format!("answer:{}", asked.question_id);
    view! { <label class="field">{label}<textarea name="answer" rows=rows required=required data-draft=draft></textarea></label> }
        .into_any()
}

fn button(option: &QuestionOption) -> AnyView {
    view! {
        <button class="button option" name="option_ids" value=option.id.clone()>
            <span class="option-label">{visible_line(&option.label)}</span>
            {described(option)}
        </button>
    }
    .into_any()
}

fn checkbox(option: &QuestionOption) -> AnyView {
    view! {
        <label class="option">
            <input type="checkbox" name="option_ids" value=option.id.clone()/>
            <span><span class="option-label">{visible_line(&option.label)}</span>{described(option)}</span>
        </label>
    }
    .into_any()
}

fn described(option: &QuestionOption) -> Option<AnyView> {
    let text = visible(&option.description);
    (!text.is_empty()).then(|| view! { <span class="option-text">{text}</span> }.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            CallId, Question, QuestionId, SessionId,
            transcript::{Call, CallState},
        },
        ui::words::Language,
    };

    fn drawn(kind: QuestionKind, allow_custom: bool) -> String {
        let option =
            |id: &str| QuestionOption { id: id.into(), label: format!("Label {id}"), description: String::new() };
        let options = if kind == QuestionKind::FreeText { vec![] } else { vec![option("a"), option("b")] };
        let question = Question { question: "Which <one>?".into(), kind, options, allow_custom };
        let mut call = Call::new(CallId::new("c"), "ask_user");
        call.state = CallState::Waiting;
        call.question = Some(CallQuestion { question_id: QuestionId::new("q1"), question, answer: None });
        Pen::new(Language::English, &SessionId("5".repeat(32)), &crate::protocol::BasePath::default()).ask(&call)
    }

    #[test]
    fn each_kind_has_its_own_way_to_answer() {
        let free = drawn(QuestionKind::FreeText, false);
        assert!(free.contains("<textarea") && !free.contains("option_ids"), "{free}");
        let single = drawn(QuestionKind::SingleChoice, false);
        assert!(
            single.contains("<button") && single.contains("value=\"b\"") && !single.contains("<textarea"),
            "{single}"
        );
        let many = drawn(QuestionKind::MultiChoice, true);
        assert!(many.matches("type=\"checkbox\"").count() == 2 && many.contains("<textarea"), "{many}");
        assert_eq!(many.matches("<form").count(), 1, "boxes and own words are sent together: {many}");
        assert!(free.contains("Which &lt;one&gt;?"), "{free}");
    }
}
