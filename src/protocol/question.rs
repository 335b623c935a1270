//! A question that the agent puts to a person, and its answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallId, QuestionId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    pub question: String,
    pub kind: QuestionKind,
    /// Empty for free text.
    pub options: Vec<QuestionOption>,
    /// Whether an answer in the person's own words is taken beside the options.
    pub allow_custom: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    FreeText,
    SingleChoice,
    MultiChoice,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionOption {
    /// Unique among the options of its question.
    pub id: String,
    pub label: String,
    #[serde(default)]
    pub description: String,
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    pub turn: u32,
    pub question_id: QuestionId,
    pub tool_call_id: CallId,
    #[serde(flatten)]
    pub question: Question,
}

/// Body of `POST …/questions/{question_id}`: own words, or chosen options; one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub option_ids: Vec<String>,
}

impl Question {
    /// The answer as the agent reads it, or why it doesn't fit.
    pub fn words(&self, answer: &Answer) -> Result<String, String> {
        let text = answer.answer.as_deref().filter(|text| !text.trim().is_empty());
        match (text, answer.option_ids.as_slice()) {
            (None, []) => Err("The answer is empty.".into()),
            (Some(text), []) => self.own_words(text),
            (None, chosen) => self.chosen(chosen),
            (Some(text), chosen) if self.kind == QuestionKind::MultiChoice && self.allow_custom => {
                Ok([&self.chosen(chosen)?, ", ", text].concat())
            }
            (Some(_), _) => Err("Give either `answer` or `option_ids`, not both.".into()),
        }
    }

    fn own_words(&self, text: &str) -> Result<String, String> {
        let is_option = self.options.iter().any(|option| option.label == text.trim());
        if self.kind == QuestionKind::FreeText || self.allow_custom || is_option {
            return Ok(text.to_owned());
        }
        Err("This question takes only one of its options as an answer.".into())
    }

    fn chosen(&self, ids: &[String]) -> Result<String, String> {
        if self.kind == QuestionKind::SingleChoice && ids.len() > 1 {
            return Err("This question takes one option.".into());
        }
        let label = |id: &String| {
            let option = self.options.iter().find(|option| option.id == *id);
            option
                .map(|option| option.label.as_str())
                .ok_or_else(|| format!("`{id}` is not an option of this question."))
        };
        let labels: Vec<&str> = ids.iter().map(label).collect::<Result<_, _>>()?;
        Ok(labels.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: QuestionKind, allow_custom: bool) -> Question {
        let option =
            |id: &str, label: &str| QuestionOption { id: id.into(), label: label.into(), description: String::new() };
        Question {
            question: "Which?".into(),
            kind,
            options: vec![option("a", "Apples"), option("p", "Pears")],
            allow_custom,
        }
    }

    fn words(text: &str) -> Answer {
        Answer { answer: Some(text.into()), option_ids: vec![] }
    }

    fn chosen(ids: &[&str]) -> Answer {
        Answer { answer: None, option_ids: ids.iter().map(|id| (*id).to_owned()).collect() }
    }

    #[test]
    fn answers_that_fit_become_words() {
        let single = question(QuestionKind::SingleChoice, false);
        assert_eq!(single.words(&chosen(&["p"])), Ok("Pears".into()));
        assert_eq!(single.words(&words("Pears")), Ok("Pears".into()));
        let many = question(QuestionKind::MultiChoice, true);
        assert_eq!(many.words(&chosen(&["p", "a"])), Ok("Pears, Apples".into()));
        assert_eq!(many.words(&words("neither")), Ok("neither".into()));
        let both = Answer { answer: Some("and plums".into()), ..chosen(&["p"]) };
        assert_eq!(many.words(&both), Ok("Pears, and plums".into()));
        // What a form sends whose room for words is left empty.
        let none = Answer { answer: Some(String::new()), ..chosen(&["p"]) };
        assert_eq!(many.words(&none), Ok("Pears".into()));
    }

    #[test]
    fn answers_that_do_not_fit_say_why() {
        let single = question(QuestionKind::SingleChoice, false);
        for wrong in [words("neither"), chosen(&["p", "a"]), chosen(&["x"]), words(" "), Answer::default()] {
            assert!(single.words(&wrong).is_err(), "{wrong:?}");
        }
        let both = Answer { answer: Some("Pears".into()), ..chosen(&["p"]) };
        assert!(single.words(&both).is_err());
    }
}
