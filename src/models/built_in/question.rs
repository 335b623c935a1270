//! Questions to the person, put with the session's own tool, where a request leaves something open.

use serde_json::json;

use super::{
    answer,
    locate::{Found, plain},
    outcome,
    plan::{Desk, Next},
};

/// Options of one question, as the tool takes them.
const MAX_OPTIONS: usize = 25;
const MAX_LABEL_CHARS: usize = 120;
const LEAVE_IT: &str = "None of them; leave everything as it is";

impl Desk<'_> {
    /// Which of several files is meant. Where the session has no questions, the next message answers.
    pub fn ask_which(&self, wanted: &str, found: &[String]) -> Result<String, Next> {
        let fits = found.len() <= MAX_OPTIONS && found.iter().all(|path| path.chars().count() <= MAX_LABEL_CHARS);
        if !fits || !self.talk.offers("ask_user") {
            return Err(Next::Say(answer::which_one(wanted, found)));
        }
        let question = format!("{} files fit \"{wanted}\". Which one do you mean?", found.len());
        let said = self.choice(&question, found)?;
        let wanted = plain(&said);
        let meant: Vec<&String> = match found.iter().find(|path| **path == said) {
            Some(path) => vec![path],
            None => found.iter().filter(|path| plain(path).contains(&wanted)).collect(),
        };
        match meant.as_slice() {
            [only] if !wanted.is_empty() => Ok((*only).clone()),
            _ => Err(Next::Say(outcome::none_of_them(&said))),
        }
    }

    /// A name that was only guessed is not changed without a word.
    pub fn make_sure(&self, wanted: &str, found: Found) -> Result<String, Next> {
        if found.note.is_none() {
            return Ok(found.path);
        }
        let question = format!("There is no file \"{wanted}\". Is this one meant?");
        let options = [found.path.clone(), LEAVE_IT.to_owned()];
        if !self.talk.offers("ask_user") {
            return Err(Next::Say(answer::no_file(wanted, &[found.path], &super::results::Paths::default())));
        }
        let said = self.choice(&question, &options)?;
        if said == found.path { Ok(found.path) } else { Err(Next::Say(outcome::left_as_it_is())) }
    }

    /// The label that the person chose, or what they said instead.
    pub fn choice(&self, question: &str, options: &[String]) -> Result<String, Next> {
        let args = json!({ "question": question, "options": options });
        Ok(self.text("ask_user", args)?.trim().to_owned())
    }
}
