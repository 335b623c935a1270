//! Finding files by name and by what they say.

use serde_json::json;

use super::{
    answer::{self, Hits},
    intent::{FileQuery, FindAsk, Scope, Search, SearchAsk, Target},
    plan::{Desk, Next, is_missing},
    results,
};

impl Desk<'_> {
    pub fn find(&self, query: &FileQuery, ask: FindAsk) -> Result<String, Next> {
        let folder = match &query.scope {
            Scope::Folder(folder) => Some(self.searchable_folder(query, folder)?),
            Scope::Everywhere | Scope::File(_) | Scope::Loose(_) => None,
        };
        let folder = folder.as_deref();
        let found = self.named(&query.name, query.kind.as_deref(), folder)?;
        let pattern = self.pattern(query);
        let cut = self.glob(&pattern, folder)?.cut;
        let wanted = described(query);
        if !found.is_empty() {
            return Ok(answer::files(&wanted, &found, cut, folder, ask));
        }
        if query.maybe_text {
            return self.find_in_text(&wanted, folder);
        }
        let near = if query.name.is_empty() { Vec::new() } else { self.suggestions(&query.name)? };
        Ok(answer::nothing_named(&wanted, folder, &near))
    }

    fn pattern(&self, query: &FileQuery) -> String {
        match &query.kind {
            Some(kind) => format!("**/{kind}"),
            None => super::locate::name_pattern(&query.name),
        }
    }

    /// The folder as it was said, or the one of that name deeper down.
    fn searchable_folder(&self, query: &FileQuery, folder: &str) -> Result<String, Next> {
        let step = self.call("glob_find", json!({ "pattern": self.pattern(query), "path": folder }))?;
        if step.success || !is_missing(step.text) {
            return Ok(folder.to_owned());
        }
        self.deeper_folder(folder)?.ok_or_else(|| Next::Say(answer::failed("glob_find", step.text)))
    }

    fn find_in_text(&self, wanted: &str, folder: Option<&str>) -> Result<String, Next> {
        let mut args = json!({ "pattern": escape_regex(wanted), "case_insensitive": true, "files_only": true });
        if let Some(folder) = folder {
            args["path"] = json!(folder);
        }
        let matches = results::matched_files(self.text("ripgrep_search", args)?);
        Ok(answer::no_name_but_text(wanted, &matches))
    }

    pub fn search(&self, search: Search) -> Result<String, Next> {
        let (search, place) = self.place(search)?;
        let args = search_args(&search, &place);
        let step = self.call("ripgrep_search", args)?;
        let (text, path) = match &place.path {
            Some(path) if !step.success && is_missing(step.text) => {
                let path = self.elsewhere(&search, path, step.text)?;
                let place = Place { path: Some(path.clone()), ..place.clone() };
                (self.text("ripgrep_search", search_args(&search, &place))?, Some(path))
            }
            path if step.success => (step.text, path.clone()),
            _ => return Err(Next::Say(answer::failed("ripgrep_search", step.text))),
        };
        let matches =
            if search.ask == SearchAsk::Files { results::matched_files(text) } else { results::matches(text) };
        let hits = Hits {
            needle: &search.needle,
            path: path.as_deref(),
            files: place.glob.as_deref(),
            note: place.note.as_deref(),
        };
        Ok(answer::hits(&hits, &matches, search.ask))
    }

    /// Where a path that isn't there may be instead.
    fn elsewhere(&self, search: &Search, path: &str, reason: &str) -> Result<String, Next> {
        match &search.scope {
            Scope::File(_) => Ok(self.missing_path(path)?.path),
            Scope::Folder(_) | Scope::Loose(_) | Scope::Everywhere => {
                self.deeper_folder(path)?.ok_or_else(|| Next::Say(answer::failed("ripgrep_search", reason)))
            }
        }
    }

    fn place(&self, mut search: Search) -> Result<(Search, Place), Next> {
        let glob = search.kind.clone();
        let at = |path: String, note: Option<String>| Place { path: Some(path), glob: glob.clone(), note };
        match search.scope.clone() {
            Scope::Everywhere => Ok((search, Place { glob, ..Place::default() })),
            Scope::Folder(folder) => Ok((search, at(folder, None))),
            Scope::File(target) => {
                let found = self.locate(&target)?;
                Ok((search, at(found.path, found.note)))
            }
            Scope::Loose(names) => {
                if let Some(folder) = self.top_folder(&names)? {
                    return Ok((search, at(folder, None)));
                }
                let place = match self.named(&names, None, None)?.as_slice() {
                    [] => self.nowhere(&mut search, &names)?,
                    [only] => at(only.clone(), None),
                    _ => Place { glob: Some(super::locate::name_pattern(&names)), ..Place::default() },
                };
                Ok((search, place))
            }
        }
    }

    /// No folder and no file has the name: it belongs to the text, or it is a slip.
    fn nowhere(&self, search: &mut Search, names: &[String]) -> Result<Place, Next> {
        if let Some(tail) = search.tail.take() {
            search.needle = format!("{} {tail}", search.needle);
            return Ok(Place { glob: search.kind.clone(), ..Place::default() });
        }
        let found = self.locate(&Target::Named(names.to_vec()))?;
        Ok(Place { path: Some(found.path), glob: None, note: found.note })
    }
}

/// Where a search looks.
#[derive(Clone, Debug, Default)]
struct Place {
    path: Option<String>,
    glob: Option<String>,
    note: Option<String>,
}

fn search_args(search: &Search, place: &Place) -> serde_json::Value {
    let mut args = json!({ "pattern": escape_regex(&search.needle) });
    if let Some(path) = &place.path {
        args["path"] = json!(path);
    }
    if let Some(glob) = &place.glob {
        args["glob"] = json!(glob);
    }
    args["case_insensitive"] = json!(true);
    if search.ask == SearchAsk::Files {
        args["files_only"] = json!(true);
    }
    args
}

/// Makes a person's text mean itself in a regex.
pub fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn described(query: &FileQuery) -> String {
    match (&query.kind, query.name.is_empty()) {
        (Some(kind), true) => kind.clone(),
        (Some(kind), false) => format!("{} ({kind})", query.name.join(" ")),
        (None, _) => query.name.join(" "),
    }
}
