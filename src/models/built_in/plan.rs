//! From an intent and the results so far to the next step.
//!
//! The plan is replayed from its start each time: a call whose result is there returns it at once, the first one
//! without a result ends the replay and becomes the next step. So a plan reads as straight code, and no state is kept.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use super::{
    answer, capabilities,
    conversation::{Conversation, Step},
    intent::{FileAsk, Intent, ListAsk, Scope, Target},
    locate::{escape_glob, plain},
    results,
};
use crate::agent::ports::model::ModelRequest;

/// Calls per turn, below the turn loop's own cap of 40: twenty pages of one file and the steps to find it.
pub const MAX_CALLS: usize = 24;

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Call { name: &'static str, args: Value },
    Say(String),
}

/// One turn's work. Every method returns what it found, or the step that must come first.
pub struct Desk<'a> {
    pub talk: Conversation<'a>,
    /// Steps that the replay has passed and that changed something: what was seen before them may be no longer so.
    passed: Cell<usize>,
    /// The file that an earlier part of this request was about.
    pub focus: RefCell<Option<String>>,
}

pub fn next(request: &ModelRequest) -> Next {
    let desk = Desk { talk: Conversation::new(request), passed: Cell::new(0), focus: RefCell::default() };
    match desk.intend(desk.talk.intent()) {
        Ok(text) => Next::Say(text),
        Err(next) => next,
    }
}

impl Desk<'_> {
    pub fn intend(&self, intent: Intent) -> Result<String, Next> {
        match intent {
            Intent::List(scope, ask) => self.list(&scope, ask),
            Intent::Look(names) => self.look(&names),
            Intent::Find(query, ask) => self.find(&query, ask),
            Intent::Search(search) => self.search(search),
            Intent::File(target, ask) => self.inspect(&target, ask),
            Intent::Compare(left, right) => self.compare(&left, &right),
            Intent::ComparePair(names) => self.compare_pair(&names),
            Intent::Act(act) => self.carry_out(act),
            Intent::Several(parts) => self.one_by_one(parts),
            Intent::Decline(reason) => Ok(capabilities::declined(reason)),
        }
    }

    /// The result of a call, good or failed.
    pub fn call(&self, name: &'static str, args: Value) -> Result<&Step<'_>, Next> {
        if let Some(step) = self.step_of(name, &args) {
            return Ok(&self.talk.steps[step]);
        }
        if !self.talk.offers(name) {
            return Err(Next::Say(answer::tool_missing(name)));
        }
        if self.talk.steps.len() >= MAX_CALLS {
            return Err(Next::Say(answer::too_many_calls(MAX_CALLS)));
        }
        Err(Next::Call { name, args })
    }

    fn step_of(&self, name: &str, args: &Value) -> Option<usize> {
        let passed = self.passed.get();
        let later = &self.talk.steps[passed.min(self.talk.steps.len())..];
        later.iter().position(|step| step.name == name && step.args == *args).map(|at| at + passed)
    }

    /// The result of a call that changes something.
    pub fn change(&self, name: &'static str, args: Value) -> Result<&Step<'_>, Next> {
        let at = self.step_of(name, &args);
        let step = self.call(name, args)?;
        self.passed.set(at.map_or(self.passed.get(), |at| at + 1));
        Ok(step)
    }

    /// The text of a call that worked; one that failed ends the turn with its reason.
    pub fn text(&self, name: &'static str, args: Value) -> Result<&str, Next> {
        let step = self.call(name, args)?;
        if step.success { Ok(step.text) } else { Err(Next::Say(answer::failed(name, step.text))) }
    }

    pub fn glob(&self, pattern: &str, folder: Option<&str>) -> Result<results::Paths<'_>, Next> {
        let mut args = json!({ "pattern": pattern });
        if let Some(folder) = folder {
            args["path"] = json!(folder);
        }
        Ok(results::paths(self.text("glob_find", args)?))
    }

    fn list(&self, scope: &Scope, ask: ListAsk) -> Result<String, Next> {
        // A path without an extension was taken for a folder's; it may be a file's after all.
        if let Scope::Folder(path) = scope
            && path.contains('/')
            && let step = self.call("list_directory", json!({ "path": path }))?
            && !step.success
            && !is_missing(step.text)
        {
            return self.inspect(&Target::Path(path.clone()), FileAsk::Read);
        }
        let folder = match scope {
            Scope::Folder(folder) => self.listable(folder)?,
            Scope::Loose(names) => self.listable(&names.join(" "))?,
            Scope::Everywhere | Scope::File(_) => ".".to_owned(),
        };
        let listing = results::listing(self.text("list_directory", json!({ "path": folder }))?);
        Ok(answer::listing(&folder, &listing, ask))
    }

    /// The folder itself, or the one of that name deeper down.
    pub fn listable(&self, folder: &str) -> Result<String, Next> {
        let step = self.call("list_directory", json!({ "path": folder }))?;
        if step.success {
            return Ok(folder.to_owned());
        }
        if !is_missing(step.text) {
            return Err(Next::Say(answer::failed("list_directory", step.text)));
        }
        self.deeper_folder(folder)?.ok_or_else(|| Next::Say(answer::failed("list_directory", step.text)))
    }

    /// A folder of this name anywhere, in any case; it must hold a file to be seen.
    pub fn deeper_folder(&self, folder: &str) -> Result<Option<String>, Next> {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let inside = self.glob(&format!("**/{}/**", escape_glob(name)), None)?;
        Ok(inside.paths.iter().find_map(|path| folder_part(path, name)))
    }

    /// "What is in X": a folder of that name, or else a file.
    fn look(&self, names: &[String]) -> Result<String, Next> {
        if let Some(folder) = self.top_folder(names)? {
            return self.list(&Scope::Folder(folder), ListAsk::Entries);
        }
        let target = Target::Named(names.to_vec());
        self.inspect(&target, FileAsk::Read)
    }

    /// The folder directly in the workspace that has this name.
    pub fn top_folder(&self, names: &[String]) -> Result<Option<String>, Next> {
        let listing = results::listing(self.text("list_directory", json!({ "path": "." }))?);
        let wanted = plain(&names.join(" "));
        Ok(listing.folders.iter().find(|folder| plain(folder) == wanted).map(|folder| (*folder).to_owned()))
    }
}

fn folder_part(path: &str, name: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let folders = parts.split_last()?.1;
    let at = folders.iter().position(|part| part.to_lowercase() == name.to_lowercase())?;
    Some(parts[..=at].join("/"))
}

/// Whether a failed call says that there is nothing of that name.
pub fn is_missing(text: &str) -> bool {
    let low = text.to_lowercase();
    ["there is no", "no such", "not found", "does not exist", "doesn't exist"].iter().any(|fact| low.contains(fact))
}
