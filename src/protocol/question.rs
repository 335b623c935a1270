//! A question that the agent puts to a person, and its answer.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub question: String,
    pub kind: QuestionKind,
    /// Empty for free text.
    pub options: Vec<QuestionOption>,
    /// Whether an answer in the person's own words is taken beside the options.
    pub allow_custom: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    FreeText,
    SingleChoice,
    MultiChoice,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionOption {
    /// Unique among the options of its question.
    pub id: String,
    pub label: String,
    #[serde(default)]
    pub description: String,
}

/// Body of `POST …/questions/{question_id}`: own words, or chosen options; one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub option_ids: Vec<String>,
}
