//! A folder in memory that answers with the tools' own texts, and the loop that drives a turn over it.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use globset::GlobBuilder;
use serde_json::{Value, json};

use super::{BuiltIn, finding::escape_regex, plan::MAX_CALLS};
use crate::{
    agent::ports::model::{ChatMessage, Model, ModelEvent, ModelRequest, ToolSpec},
    protocol::{CallId, ToolCall},
};

pub const TOOLS: [&str; 4] = ["list_directory", "read_file", "glob_find", "ripgrep_search"];
/// Those of a session, as far as this model uses them.
pub const ALL_TOOLS: [&str; 12] = [
    "list_directory",
    "read_file",
    "glob_find",
    "ripgrep_search",
    "write_file",
    "edit_file",
    "move_file",
    "delete_file",
    "shell_execute",
    "git_command",
    "ask_user",
    "task_tracker",
];

#[derive(Clone, Default)]
pub struct Folder {
    files: BTreeMap<String, String>,
    /// A tool that always fails, and what it says.
    pub broken: Option<(&'static str, &'static str)>,
    page_lines: Option<usize>,
    /// What the person answers to any question.
    pub answer: Option<String>,
}

impl Folder {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, ..Self::default() }
    }

    /// The folder that the yardstick imagines.
    pub fn office() -> Self {
        Self::of(&[
            ("notes.txt", "Call ACME on Monday\nAsk about hotel and ACME parking\n\nacme again\n"),
            ("ledger-march.csv", "date,item,amount\n2024-03-01,hotel,120\n2024-03-02,\"taxi, night\",30\n"),
            ("ledger-april.csv", "date,item,amount\n2024-04-01,hotel,140\n2024-03-02,\"taxi, night\",30\n"),
            ("invoices/inv-001.txt", "Invoice 1 for ACME\ntotal due 1.200,00 (net)\n"),
            ("invoices/inv-002.txt", "Invoice 2 for Miller\n"),
            ("invoices/archive/inv-000.txt", "Invoice 0\n"),
            ("Travel policy.md", "# Travel\nHotels up to 150 per night.\n"),
            ("README.md", "# Shared folder\n"),
        ])
    }

    pub fn with_pages_of(mut self, lines: usize) -> Self {
        self.page_lines = Some(lines);
        self
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    fn run(&mut self, call: &ToolCall) -> (bool, String) {
        if let Some((_, reason)) = self.broken.filter(|(name, _)| *name == call.name) {
            return (false, reason.to_owned());
        }
        let args: Value = serde_json::from_str(&call.arguments).unwrap();
        let path = args["path"].as_str().unwrap_or(".");
        let done = match call.name.as_str() {
            "list_directory" => self.list(path),
            "read_file" => self.read(path, &args),
            "glob_find" => self.glob(path, args["pattern"].as_str().unwrap()),
            "ripgrep_search" => self.grep(path, &args),
            other => self.change(other, &args),
        };
        done.map_or_else(|error| (false, error), |text| (true, text))
    }

    fn change(&mut self, tool: &str, args: &Value) -> Result<String, String> {
        let text = |name: &str| args[name].as_str().unwrap_or_default().to_owned();
        match tool {
            "write_file" => {
                self.files.insert(text("path"), text("content"));
                Ok(format!("Created `{}`.", text("path")))
            }
            "edit_file" => {
                let (path, old, new) = (text("path"), text("old_str"), text("new_str"));
                let held = self.files.get_mut(&path).ok_or_else(|| missing(&path))?;
                let times = held.matches(&old).count();
                assert!(times == 1 || args["replace_all"] == json!(true), "{old:?} stands there {times} times");
                *held = held.replace(&old, &new);
                Ok(format!("Edited `{path}`."))
            }
            "move_file" => {
                let (from, to) = (text("source"), text("destination"));
                let held = self.files.remove(&from).ok_or_else(|| missing(&from))?;
                self.files.insert(to.clone(), held);
                Ok(format!("Moved `{from}` to `{to}`."))
            }
            "delete_file" => {
                self.files.remove(&text("path")).ok_or_else(|| missing(&text("path")))?;
                Ok(format!("Deleted `{}`.", text("path")))
            }
            "shell_execute" => Ok(format!("output of {}", text("command"))),
            "git_command" => Ok("On branch main".into()),
            "ask_user" => Ok(self.answer.clone().expect("nobody was to be asked")),
            "task_tracker" => Ok("The plan is kept.".into()),
            other => panic!("{other} is not offered"),
        }
    }

    fn inside<'a>(&'a self, path: &'a str) -> Result<Vec<(&'a str, &'a str)>, String> {
        let prefix = if path == "." { String::new() } else { format!("{path}/") };
        let all = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let found: Vec<_> = all.filter(|(name, _)| name.starts_with(&prefix) || *name == path).collect();
        if found.is_empty() && path != "." { Err(missing(path)) } else { Ok(found) }
    }

    fn list(&self, path: &str) -> Result<String, String> {
        if self.files.contains_key(path) {
            return Err(format!("`{path}` is not a folder. Read it with read_file."));
        }
        let skip = if path == "." { 0 } else { path.len() + 1 };
        let (mut folders, mut files) = (BTreeSet::new(), Vec::new());
        for (name, text) in self.inside(path)? {
            match name.get(skip..).unwrap_or_default().split_once('/') {
                Some((folder, _)) => _ = folders.insert(format!("{folder}/")),
                None => files.push(format!("{} ({} bytes)", &name[skip..], text.len())),
            }
        }
        let head = format!("{path}: {} folders, {} files", folders.len(), files.len());
        Ok(std::iter::once(head).chain(folders).chain(files).collect::<Vec<_>>().join("\n"))
    }

    fn read(&self, path: &str, args: &Value) -> Result<String, String> {
        let text = self.files.get(path).ok_or_else(|| missing(path))?;
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            return Ok(format!("{path}: empty"));
        }
        let number = |key: &str| args[key].as_u64().map(|n| usize::try_from(n).unwrap());
        let start = number("line_start").unwrap_or(1).min(lines.len());
        let asked = number("line_end").unwrap_or(lines.len()).min(lines.len()).max(start);
        let end = asked.min(start - 1 + self.page_lines.unwrap_or(2_000));
        let rows: String = (start..=end).map(|n| format!("\n{n}\t{}", lines[n - 1])).collect();
        let cut = format!("\n[cut: lines {}-{asked} follow; call read_file with line_start={}]", end + 1, end + 1);
        let cut = if end < asked { cut } else { String::new() };
        Ok(format!("{path}: lines {start}-{end} of {}{rows}{cut}", lines.len()))
    }

    fn glob(&self, path: &str, pattern: &str) -> Result<String, String> {
        let bad = |error: globset::Error| error.to_string();
        let glob = GlobBuilder::new(pattern).case_insensitive(true).build().map_err(bad)?.compile_matcher();
        let skip = if path == "." { 0 } else { path.len() + 1 };
        let found: Vec<&str> =
            self.inside(path)?.into_iter().map(|(name, _)| name).filter(|name| glob.is_match(&name[skip..])).collect();
        let head = match found.len() {
            0 => "no files match".to_owned(),
            1 => "1 file matches".to_owned(),
            n => format!("{n} files match"),
        };
        Ok(std::iter::once(head.as_str()).chain(found).collect::<Vec<_>>().join("\n"))
    }

    /// Finds the literal text that an escaped pattern stands for.
    fn grep(&self, path: &str, args: &Value) -> Result<String, String> {
        let pattern = args["pattern"].as_str().unwrap();
        let literal = unescape(pattern);
        assert_eq!(escape_regex(&literal), pattern, "the pattern is escaped");
        let needle = literal.to_lowercase();
        let name = args["glob"]
            .as_str()
            .map(|glob| GlobBuilder::new(glob).case_insensitive(true).build().unwrap().compile_matcher());
        let mut hits: Vec<(&str, Vec<String>)> = Vec::new();
        for (file, text) in self.inside(path)? {
            if name.as_ref().is_some_and(|glob| !glob.is_match(file)) {
                continue;
            }
            let found = text.lines().enumerate().filter(|(_, line)| line.to_lowercase().contains(&needle));
            let rows: Vec<String> = found.map(|(at, line)| format!("{file}:{}: {line}", at + 1)).collect();
            if !rows.is_empty() {
                hits.push((file, rows));
            }
        }
        if hits.is_empty() {
            return Ok("no matches".into());
        }
        if args["files_only"] == json!(true) {
            let rows = hits.iter().map(|(file, rows)| format!("\n{file} ({})", rows.len()));
            return Ok(format!("{} files match{}", hits.len(), rows.collect::<String>()));
        }
        let rows: Vec<String> = hits.iter().flat_map(|(_, rows)| rows.clone()).collect();
        Ok(format!("{} matches in {} files\n{}", rows.len(), hits.len(), rows.join("\n")))
    }
}

fn unescape(pattern: &str) -> String {
    let mut chars = pattern.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

fn missing(path: &str) -> String {
    format!("There is no file `{path}` in the workspace. List the folder with list_directory.")
}

pub fn specs(names: &[&str]) -> Vec<ToolSpec> {
    let spec = |name: &&str| ToolSpec { name: (*name).into(), description: String::new(), parameters: json!({}) };
    names.iter().map(spec).collect()
}

/// What one model call said.
pub struct Said {
    pub text: String,
    pub calls: Vec<ToolCall>,
}

pub fn say(request: ModelRequest) -> Said {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let events: Vec<_> = runtime.block_on(BuiltIn.stream(request).collect());
    let mut said = Said { text: String::new(), calls: Vec::new() };
    for event in events {
        match event.unwrap() {
            ModelEvent::Text(text) => said.text += &text,
            ModelEvent::ToolCall(call) => said.calls.push(call),
            ModelEvent::Thinking(_) | ModelEvent::CallPiece { .. } | ModelEvent::Usage(_) => {}
        }
    }
    said
}

enum Place<'a> {
    Own(Folder),
    Lent(&'a mut Folder),
}

/// A session over a folder.
pub struct Talk<'a> {
    folder: Place<'a>,
    pub request: ModelRequest,
    /// The calls of the last turn, as `name {arguments}`.
    pub calls: Vec<String>,
}

impl<'a> Talk<'a> {
    pub fn over(folder: &Folder) -> Self {
        Self::with(Place::Own(folder.clone()), &TOOLS)
    }

    /// With all tools; what is changed stays in the folder.
    pub fn acting(folder: &'a mut Folder) -> Self {
        Self::with(Place::Lent(folder), &ALL_TOOLS)
    }

    fn with(folder: Place<'a>, tools: &[&str]) -> Self {
        let request = ModelRequest { tools: specs(tools).into(), ..ModelRequest::default() };
        Self { folder, request, calls: Vec::new() }
    }

    /// A whole turn: its final answer.
    pub fn ask(&mut self, text: &str) -> String {
        self.calls.clear();
        self.request.messages.push(ChatMessage::User(text.into()));
        loop {
            let said = say(self.request.clone());
            self.request.messages.push(ChatMessage::Assistant { text: said.text.clone(), calls: said.calls.clone() });
            if said.calls.is_empty() {
                return said.text;
            }
            for call in said.calls {
                self.calls.push(format!("{} {}", call.name, call.arguments));
                assert!(self.calls.len() <= MAX_CALLS, "{text}: {:?}", self.calls);
                self.answer(call);
            }
        }
    }

    fn answer(&mut self, call: ToolCall) {
        let (success, content) = match &mut self.folder {
            Place::Own(folder) => folder.run(&call),
            Place::Lent(folder) => folder.run(&call),
        };
        let CallId(call_id) = call.id;
        self.request.messages.push(ChatMessage::Tool { call_id, name: call.name, success, content });
    }
}
