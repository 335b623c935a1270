//! `ask_user`: a question to the person; the answer is the call's result.

use std::collections::HashSet;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    wording::{one_line, respond},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::{Question, QuestionKind, QuestionOption},
};

/// Longest question, in characters: more than a card shows without scrolling.
const MAX_QUESTION_CHARS: usize = 1200;
/// Most options: more is a list to search in, not a choice.
const MAX_OPTIONS: usize = 25;
/// Longest label, in characters: one line of a card.
const MAX_LABEL_CHARS: usize = 120;

pub struct AskUser;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The question, in words that a person without technical knowledge understands.
    question: String,
    /// `free_text`, `single_choice` or `multi_choice`. Default: a single choice where there are options.
    #[schemars(extend("enum" = ["free_text", "single_choice", "multi_choice"]))]
    question_type: Option<String>,
    /// What the person can choose from: up to 25 short labels.
    options: Option<Vec<OptionArg>>,
    /// Whether the person may answer in their own words instead. Default: true.
    allow_custom_response: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OptionArg {
    Label(String),
    Whole {
        id: Option<String>,
        label: String,
        #[serde(default)]
        description: String,
    },
}

impl JsonSchema for OptionArg {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Option".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": {
                    "id": { "type": "string" },
                    "label": { "type": "string" },
                    "description": { "type": "string" },
                },
                "required": ["label"],
            }
        ] })
    }
}

#[async_trait]
impl Tool for AskUser {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "ask_user".into(),
            description:
                "Asks the person one question and waits for the answer. Use it when what they want is unclear \
                and the files don't tell, or before a choice that is theirs. Give options where there are a few."
                    .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["question"].as_str().unwrap_or_default(), 80)
    }

    fn action(&self, _args: &Value) -> Action {
        Action::SESSION
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let answer = context.host.ask(question(arguments(args)?)?).await?;
        Ok(ToolOutput { summary: one_line(&answer, 80), text: answer, ..ToolOutput::default() })
    }
}

fn question(args: Args) -> Result<Question, ToolError> {
    let text = args.question.trim();
    if text.is_empty() || text.chars().count() > MAX_QUESTION_CHARS {
        return Err(respond(format!("`question` must have 1 to {MAX_QUESTION_CHARS} characters.")));
    }
    let options = options(args.options.unwrap_or_default())?;
    let kind = match args.question_type.as_deref() {
        None if options.is_empty() => QuestionKind::FreeText,
        None => QuestionKind::SingleChoice,
        Some("free_text") => QuestionKind::FreeText,
        Some("single_choice") => QuestionKind::SingleChoice,
        Some("multi_choice") => QuestionKind::MultiChoice,
        Some(other) => {
            return Err(respond(format!(
                "`question_type` must be free_text, single_choice or multi_choice, not `{}`.",
                one_line(other, 40)
            )));
        }
    };
    match kind {
        QuestionKind::FreeText if !options.is_empty() => {
            Err(respond("A free_text question has no options. Leave them out, or ask for a choice."))
        }
        QuestionKind::SingleChoice | QuestionKind::MultiChoice if options.len() < 2 => {
            Err(respond("A choice needs at least two options."))
        }
        _ => Ok(Question {
            question: text.to_owned(),
            kind,
            options,
            allow_custom: kind == QuestionKind::FreeText || args.allow_custom_response.unwrap_or(true),
        }),
    }
}

fn options(given: Vec<OptionArg>) -> Result<Vec<QuestionOption>, ToolError> {
    if given.len() > MAX_OPTIONS {
        return Err(respond(format!("There may be up to {MAX_OPTIONS} options.")));
    }
    let mut ids = HashSet::new();
    let mut options = Vec::new();
    for (index, option) in given.into_iter().enumerate() {
        let (id, label, description) = match option {
            OptionArg::Label(label) => (None, label, String::new()),
            OptionArg::Whole { id, label, description } => (id, label, description),
        };
        let label = one_line(&label, MAX_LABEL_CHARS);
        if label.is_empty() {
            return Err(respond("An option has an empty label."));
        }
        let wanted = id.filter(|id| !id.trim().is_empty()).unwrap_or_else(|| (index + 1).to_string());
        let id = if ids.contains(&wanted) { format!("{wanted}-{}", index + 1) } else { wanted };
        ids.insert(id.clone());
        options.push(QuestionOption { id, label, description: one_line(&description, MAX_QUESTION_CHARS) });
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(args: Value) -> Result<Question, String> {
        arguments(args).and_then(question).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_make_a_single_choice_with_ids_of_their_own() {
        let question = read(json!({ "question": "Which?", "options": ["Apples", "Pears"] })).unwrap();
        assert_eq!(question.kind, QuestionKind::SingleChoice);
        assert!(question.allow_custom);
        let ids: Vec<_> = question.options.iter().map(|option| (option.id.as_str(), option.label.as_str())).collect();
        assert_eq!(ids, [("1", "Apples"), ("2", "Pears")]);
    }

    #[test]
    fn looms_form_of_options_is_understood_and_ids_differ() {
        let given = json!({ "question": "Which?", "question_type": "multi_choice", "allow_custom_response": false,
            "options": [{ "id": "a", "label": "Apples", "description": "red" }, { "id": "a", "label": "Pears" }] });
        let question = read(given).unwrap();
        assert_eq!((question.kind, question.allow_custom), (QuestionKind::MultiChoice, false));
        assert_eq!(question.options[0].description, "red");
        assert_ne!(question.options[0].id, question.options[1].id);
    }

    #[test]
    fn an_option_of_neither_form_is_told_with_both() {
        let fault = |options: Value| read(json!({ "question": "Which?", "options": options })).unwrap_err();
        assert_eq!(fault(json!([1, "b"])), "`options[0]` must be text or an object, not 1.");
        assert!(fault(json!([{ "id": "a" }, "b"])).starts_with("`options[0].label` is missing."));
    }

    #[test]
    fn what_can_not_be_asked_says_why() {
        for wrong in [
            json!({}),
            json!({ "question": " " }),
            json!({ "question": "x".repeat(MAX_QUESTION_CHARS + 1) }),
            json!({ "question": "Which?", "options": ["only one"] }),
            json!({ "question": "Which?", "question_type": "maybe" }),
            json!({ "question": "Which?", "question_type": "free_text", "options": ["a", "b"] }),
            json!({ "question": "Which?", "options": ["a", ""] }),
            json!({ "question": "Which?", "options": vec!["a"; MAX_OPTIONS + 1] }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
