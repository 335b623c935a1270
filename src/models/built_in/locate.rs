//! Finds the file that a person means, by path, by part of a name, or by "it".

use super::{
    answer,
    intent::Target,
    plan::{Desk, Next, is_missing},
    words::{distance, stem},
};

/// A file that was found, and what a person must know about how.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub path: String,
    pub note: Option<String>,
}

impl Found {
    fn sure(path: impl Into<String>) -> Self {
        Self { path: path.into(), note: None }
    }
}

impl Desk<'_> {
    /// A path that a person typed is taken as it is; [`Desk::missing_path`] helps when it turns out wrong.
    pub fn locate(&self, target: &Target) -> Result<Found, Next> {
        match target {
            Target::Path(path) => Ok(Found::sure(path)),
            Target::Pattern(pattern) => {
                let found = owned(&self.glob(pattern, None)?.paths);
                let name = pattern.trim_start_matches("**/").replace('*', " ");
                self.choose(found, &[name.trim().to_owned()])
            }
            Target::Named(names) => self.choose(self.named(names, None, None)?, names),
            Target::Last => {
                let earlier = self.focus.borrow().clone().or_else(|| self.talk.last_file());
                earlier.map(Found::sure).ok_or_else(|| Next::Say(answer::no_earlier_file()))
            }
            Target::Nth(nth) => self
                .talk
                .nth_of_last_answer(*nth)
                .map(Found::sure)
                .ok_or_else(|| Next::Say(answer::no_such_number(*nth))),
        }
    }

    /// The files whose path has all of `names`, newest first.
    pub fn named(&self, names: &[String], kind: Option<&str>, folder: Option<&str>) -> Result<Vec<String>, Next> {
        let pattern = match kind {
            Some(kind) => format!("**/{kind}"),
            None => name_pattern(names),
        };
        let found = self.glob(&pattern, folder)?;
        let fits = |path: &&&str| names.iter().all(|name| path.to_lowercase().contains(&stem(name).to_lowercase()));
        Ok(found.paths.iter().filter(fits).map(|path| (*path).to_owned()).collect())
    }

    pub fn choose(&self, found: Vec<String>, names: &[String]) -> Result<Found, Next> {
        match found.as_slice() {
            [] => self.nearest(names),
            [only] => Ok(Found::sure(only)),
            several => match exactly_named(several, names) {
                Some(path) => Ok(Found::sure(path)),
                None => self.ask_which(&names.join(" "), several).map(Found::sure),
            },
        }
    }

    /// Another file of the same name, or one that is nearly named so.
    pub fn missing_path(&self, path: &str) -> Result<Found, Next> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = owned(&self.glob(&super::phrase::in_any_folder(&escape_glob(name)), None)?.paths);
        let others: Vec<String> = found.into_iter().filter(|other| other != path).collect();
        match others.as_slice() {
            [only] => Ok(Found { path: only.clone(), note: Some(answer::found_elsewhere(path, only)) }),
            _ => self.choose(others, &[name.to_owned()]),
        }
    }

    /// Looks through all names for a slip of the pen; only a single candidate is taken, and the answer says so.
    fn nearest(&self, names: &[String]) -> Result<Found, Next> {
        let wanted = names.join(" ");
        let all = self.glob("**/*", None)?;
        let near = near_names(&all.paths, names);
        match near.as_slice() {
            [only] => Ok(Found { path: only.clone(), note: Some(answer::taken_for(&wanted, only)) }),
            _ => Err(Next::Say(answer::no_file(&wanted, &near, &all))),
        }
    }

    /// Names near `names`, for an answer that found nothing.
    pub fn suggestions(&self, names: &[String]) -> Result<Vec<String>, Next> {
        Ok(near_names(&self.glob("**/*", None)?.paths, names))
    }

    /// Reads a page of the file that is meant; `start` and `end` as the tool takes them.
    pub fn open(&self, target: &Target, start: Option<usize>, end: Option<usize>) -> Result<(Found, &str), Next> {
        let found = self.locate(target)?;
        let step = self.call("read_file", read_args(&found.path, start, end))?;
        if step.success {
            return Ok((found, step.text));
        }
        if !is_missing(step.text) {
            return Err(Next::Say(answer::failed("read_file", step.text)));
        }
        let other = self.missing_path(&found.path)?;
        let text = self.text("read_file", read_args(&other.path, start, end))?;
        Ok((other, text))
    }
}

pub fn read_args(path: &str, start: Option<usize>, end: Option<usize>) -> serde_json::Value {
    let mut args = serde_json::json!({ "path": path });
    if let Some(start) = start.filter(|start| *start > 1) {
        args["line_start"] = start.into();
    }
    if let Some(end) = end {
        args["line_end"] = end.into();
    }
    args
}

fn owned(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// A glob for the longest of the words, which tells most; the others are looked for in its results.
pub fn name_pattern(names: &[String]) -> String {
    let last_part = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
    let parts: Vec<String> = names.iter().map(last_part).collect();
    // `max_by_key` takes the last of equals; the first one is the more natural.
    let longest = parts.iter().rev().max_by_key(|name| name.chars().count());
    match longest.map(|name| stem(name)).filter(|name| !name.is_empty()) {
        Some(name) => format!("**/*{}*", escape_glob(name)),
        None => "**/*".to_owned(),
    }
}

/// Makes a name's own characters mean themselves in a glob.
pub fn escape_glob(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' => escaped.extend(['[', c, ']']),
            // No file name on any system holds these two as they are meant here.
            '\\' => escaped.push('?'),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A name without case, blanks and joints, to compare what people type with what files are called.
pub fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The one file whose name without extension is just what was said.
fn exactly_named(paths: &[String], names: &[String]) -> Option<String> {
    let wanted = plain(&names.join(" "));
    let fits = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let front = name.rsplit_once('.').map_or(name, |(front, _)| front);
        plain(front) == wanted || plain(name) == wanted || plain(front) == plain(stem(&names.join(" ")))
    };
    let mut fitting = paths.iter().filter(fits);
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

/// How many names an answer suggests.
const SUGGESTIONS: usize = 5;

fn near_names(paths: &[&str], names: &[String]) -> Vec<String> {
    let wanted: Vec<String> = names.iter().flat_map(|name| parts(name)).collect();
    let mut near: Vec<(usize, &str)> =
        paths.iter().map(|path| (hits(path, &wanted), *path)).filter(|(hits, _)| *hits > 0).collect();
    near.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
    let best = near.first().map_or(0, |(hits, _)| *hits);
    near.into_iter().filter(|(hits, _)| *hits == best).map(|(_, path)| path.to_owned()).take(SUGGESTIONS).collect()
}

fn hits(path: &str, wanted: &[String]) -> usize {
    let own = parts(path);
    wanted.iter().filter(|word| own.iter().any(|part| is_near(word, part))).count()
}

/// The words of a name, without its extension.
fn parts(name: &str) -> Vec<String> {
    let front = name.rsplit_once('.').map_or(name, |(front, _)| front);
    let split = front.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 2);
    split.map(|part| stem(part).to_lowercase()).collect()
}

fn is_near(word: &str, part: &str) -> bool {
    let slips = match word.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    };
    distance(word, part) <= slips
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_pattern_takes_the_longest_word_and_escapes_it() {
        assert_eq!(name_pattern(&owned(&["may", "budgets"])), "**/*budget*");
        assert_eq!(name_pattern(&owned(&["a[1]"])), "**/*a[[]1[]]*");
        assert_eq!(name_pattern(&[]), "**/*");
    }

    #[test]
    fn near_names_forgive_slips_and_take_the_best() {
        let paths = ["notes.txt", "Travel policy.md", "ledger-march.csv"];
        assert_eq!(near_names(&paths, &owned(&["travle", "polcy"])), ["Travel policy.md"]);
        assert_eq!(near_names(&paths, &owned(&["ntoes"])), ["notes.txt"]);
        assert!(near_names(&paths, &owned(&["budget"])).is_empty());
    }

    #[test]
    fn an_exact_name_wins_over_longer_ones() {
        let found = owned(&["old-notes.txt", "notes.txt"]);
        assert_eq!(exactly_named(&found, &owned(&["notes"])), Some("notes.txt".into()));
        assert_eq!(exactly_named(&owned(&["a/notes.txt", "notes.txt"]), &owned(&["notes"])), None);
    }
}
