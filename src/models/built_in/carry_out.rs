//! Changes and commands, each by the session's own tools: first a look whether it can be done, then the call that the
//! person is asked about, then what came of it.

use serde_json::{Value, json};

use super::{
    answer,
    conversation::Step,
    finding::escape_regex,
    intent::{Act, Intent, Target},
    locate::{escape_glob, read_args},
    outcome,
    plan::{Desk, Next, is_missing},
    prose::code,
    results,
};

/// How the tools begin to say that the person denied a call.
const DENIED: &str = "The person denied this call";
/// Lines from the end of a file by which its end is found again.
const TAILS: [usize; 4] = [1, 2, 5, 20];

impl Desk<'_> {
    pub fn carry_out(&self, act: Act) -> Result<String, Next> {
        match act {
            Act::Append { text, target } => self.append(&text, &target),
            Act::Create { path, text } => self.create(&path, &text),
            Act::Rename { from, to } => {
                let from = self.existing(&from)?;
                let to = beside(&from, &with_extension(&from, &to));
                self.relocate(&from, &to)
            }
            Act::MoveInto { from, folder } => {
                let from = self.existing(&from)?;
                let folder = self.folder_for(&folder)?;
                let name = from.rsplit('/').next().unwrap_or(&from);
                self.relocate(&from, &format!("{folder}/{name}"))
            }
            Act::MoveTo { from, path } => {
                let from = self.existing(&from)?;
                self.relocate(&from, &path)
            }
            Act::Delete(target) => {
                let path = self.existing(&target)?;
                self.done("delete_file", json!({ "path": path }))?;
                Ok(outcome::deleted(&path))
            }
            Act::Replace { old, new, target } => self.replace(&old, &new, &target),
            Act::Run(command) => self.run(&command),
            Act::Plan(steps) => {
                self.text("task_tracker", tasks(&steps, None))?;
                Ok(outcome::planned(&steps))
            }
        }
    }

    /// Several parts in the person's order, with a plan that shows how far it is.
    pub fn one_by_one(&self, parts: Vec<(String, Intent)>) -> Result<String, Next> {
        let steps: Vec<String> = parts.iter().map(|(words, _)| words.trim_end_matches('.').to_owned()).collect();
        let mut answers = Vec::new();
        for (at, (_, intent)) in parts.into_iter().enumerate() {
            self.text("task_tracker", tasks(&steps, Some(at)))?;
            match self.intend(intent) {
                Ok(answer) => answers.push(answer),
                // What could not be done ends the rest: the next part may have needed it.
                Err(Next::Say(reason)) => {
                    answers.push(reason);
                    let left = steps.len() - at - 1;
                    answers.extend((left > 0).then(|| outcome::rest_not_done(left)));
                    return Err(Next::Say(answers.join("\n\n")));
                }
                Err(call) => return Err(call),
            }
        }
        self.text("task_tracker", tasks(&steps, Some(steps.len())))?;
        Ok(answers.join("\n\n"))
    }

    /// The path of a file that is there.
    fn existing(&self, target: &Target) -> Result<String, Next> {
        let path = match target {
            Target::Path(path) => {
                let found = self.look_for(path)?;
                match found {
                    Some(found) => found,
                    None => self.make_sure(path, self.missing_path(path)?)?,
                }
            }
            other => {
                let found = self.locate(other)?;
                let wanted = match other {
                    Target::Named(names) => names.join(" "),
                    Target::Path(_) | Target::Pattern(_) | Target::Last | Target::Nth(_) => found.path.clone(),
                };
                self.make_sure(&wanted, found)?
            }
        };
        self.focus.replace(Some(path.clone()));
        Ok(path)
    }

    /// The file at just this path, whatever case it was typed in.
    fn look_for(&self, path: &str) -> Result<Option<String>, Next> {
        let found = self.glob(&escape_glob(path), None)?;
        let exact = found.paths.iter().find(|found| **found == path);
        let alike = || found.paths.iter().find(|found| found.to_lowercase() == path.to_lowercase());
        Ok(exact.or_else(alike).map(|found| (*found).to_owned()))
    }

    /// The folder of that name, here or deeper down; a new one where there is none.
    fn folder_for(&self, folder: &str) -> Result<String, Next> {
        let step = self.call("list_directory", json!({ "path": folder }))?;
        if step.success || !is_missing(step.text) {
            return Ok(folder.to_owned());
        }
        Ok(self.deeper_folder(folder)?.unwrap_or_else(|| folder.to_owned()))
    }

    /// A call that changes something, and that went well.
    fn done(&self, name: &'static str, args: Value) -> Result<&Step<'_>, Next> {
        let step = self.change(name, args)?;
        if step.success {
            return Ok(step);
        }
        Err(Next::Say(match step.text.contains(DENIED) {
            true => outcome::denied(),
            false => answer::failed(name, step.text),
        }))
    }

    fn relocate(&self, from: &str, to: &str) -> Result<String, Next> {
        if from == to {
            return Err(Next::Say(outcome::same_place(from)));
        }
        self.done("move_file", json!({ "source": from, "destination": to }))?;
        self.focus.replace(Some(to.to_owned()));
        Ok(outcome::moved(from, to))
    }

    fn create(&self, path: &str, text: &str) -> Result<String, Next> {
        if let Some(found) = self.look_for(path)? {
            return Err(Next::Say(outcome::exists(&found)));
        }
        self.write(path, text)
    }

    fn write(&self, path: &str, text: &str) -> Result<String, Next> {
        let content = if text.is_empty() { String::new() } else { format!("{text}\n") };
        self.done("write_file", json!({ "path": path, "content": content }))?;
        self.focus.replace(Some(path.to_owned()));
        Ok(outcome::created(path, text))
    }

    /// There is no tool that appends: the end of the file is replaced by itself and the new line.
    fn append(&self, text: &str, target: &Target) -> Result<String, Next> {
        let path = match target {
            Target::Path(path) => match self.look_for(path)? {
                Some(path) => path,
                None => return self.write(path, text),
            },
            other => self.existing(other)?,
        };
        self.focus.replace(Some(path.clone()));
        let page = results::page(self.text("read_file", read_args(&path, None, None))?);
        let page = match page.next {
            // The end of a long file: its last lines alone.
            Some(_) => {
                let start = page.total.saturating_sub(TAILS[TAILS.len() - 1]).max(1);
                results::page(self.text("read_file", read_args(&path, Some(start), None))?)
            }
            None => page,
        };
        let Some(last) = page.lines.iter().rposition(|line| !line.trim().is_empty()) else {
            return self.write(&path, text);
        };
        let whole = page.lines.join("\n");
        let tails = TAILS.iter().map(|lines| page.lines[(last + 1).saturating_sub(*lines)..=last].join("\n"));
        let Some(tail) = tails.into_iter().find(|tail| whole.matches(tail.as_str()).count() == 1) else {
            return Err(Next::Say(outcome::no_end(&path)));
        };
        self.done("edit_file", json!({ "path": path, "old_str": tail, "new_str": format!("{tail}\n{text}") }))?;
        Ok(outcome::appended(&path, text))
    }

    fn replace(&self, old: &str, new: &str, target: &Target) -> Result<String, Next> {
        let path = self.existing(target)?;
        let found =
            results::matches(self.text("ripgrep_search", json!({ "pattern": escape_regex(old), "path": path }))?);
        // The search gives lines; how often each has the text is counted in them.
        let times: usize = found.lines.iter().map(|(_, _, line)| line.matches(old).count()).sum();
        if times == 0 {
            return Err(Next::Say(outcome::no_text(old, &path)));
        }
        let mut args = json!({ "path": path, "old_str": old, "new_str": new });
        if times > 1 || found.cut {
            let all = format!("Replace all {times}");
            let question = format!("{} stands {times} times in {}. What shall I do?", code(old), code(&path));
            let said = self.choice(&question, &[all.clone(), "Leave everything as it is".into()])?;
            if said != all {
                return Err(Next::Say(outcome::left_as_it_is()));
            }
            args["replace_all"] = json!(true);
        }
        self.done("edit_file", args)?;
        Ok(outcome::replaced(old, new, &path, times))
    }

    fn run(&self, command: &str) -> Result<String, Next> {
        let plain = !command.contains(['"', '\'', '|', '&', ';', '<', '>', '$', '`', '\\', '*', '(']);
        let (name, args) = match command.strip_prefix("git ").filter(|_| plain) {
            Some(rest) => ("git_command", json!({ "args": rest.split_whitespace().collect::<Vec<_>>() })),
            None => ("shell_execute", json!({ "command": command })),
        };
        let step = self.change(name, args)?;
        if step.text.contains(DENIED) {
            return Err(Next::Say(outcome::denied()));
        }
        Ok(outcome::ran(command, step.success, step.text))
    }
}

/// The plan with the first steps done; `None`: nothing has begun.
fn tasks(steps: &[String], now: Option<usize>) -> Value {
    let status = |at: usize| match now {
        Some(now) if at < now => "completed",
        Some(now) if at == now => "in_progress",
        _ => "pending",
    };
    let tasks: Vec<Value> =
        steps.iter().enumerate().map(|(at, step)| json!({ "content": step, "status": status(at) })).collect();
    json!({ "tasks": tasks })
}

/// A new name in the same folder.
fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) if !name.contains('/') => format!("{folder}/{name}"),
        _ => name.to_owned(),
    }
}

/// Who says "rename it to minutes" does not want to lose what kind of file it is.
fn with_extension(path: &str, name: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    match file.rsplit_once('.') {
        Some((front, extension)) if !front.is_empty() && !name.contains('.') => format!("{name}.{extension}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_keeps_folder_and_kind() {
        assert_eq!(with_extension("a/notes.txt", "minutes"), "minutes.txt");
        assert_eq!(with_extension("a/notes.txt", "minutes.md"), "minutes.md");
        assert_eq!(with_extension("Makefile", "Build"), "Build");
        assert_eq!(with_extension(".env", "env"), "env");
        assert_eq!(beside("a/b/notes.txt", "minutes.txt"), "a/b/minutes.txt");
        assert_eq!(beside("notes.txt", "minutes.txt"), "minutes.txt");
        assert_eq!(beside("a/notes.txt", "b/minutes.txt"), "b/minutes.txt");
    }
}
