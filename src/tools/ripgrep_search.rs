//! `ripgrep_search`: lines that match a regular expression.

mod sink;

use async_trait::async_trait;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use self::sink::{FileSink, Show, Stop};
use super::{
    arguments::{arguments, schema},
    pattern::NamePattern,
    wording::{count, cut_note, explain, one_line, path_argument, printable, respond},
    work::{Halt, TIME_LIMIT, Watch, Watched, stopped, work},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    },
    workspace::{Found, Hidden, Kind, Workspace, WorkspacePath},
};

/// Matches in one answer where the model names no other number.
const DEFAULT_MATCHES: u64 = 200;
/// Text of one answer, in bytes: about 64,000 tokens, and only reached with much context around many matches.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// The longest line that is searched, in bytes. A file with a longer one is data; it would be held in memory whole.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

pub struct RipgrepSearch;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Regular expression in Rust's syntax, matched against one line at a time.
    pattern: String,
    /// File or folder to search, relative to the workspace. Default: the workspace itself.
    path: Option<String>,
    /// Search only files whose path below `path` fits this pattern, such as `*.csv`.
    glob: Option<String>,
    /// Whether `a` also finds `A`. Default: false.
    case_insensitive: Option<bool>,
    /// Give only the files and how many lines match in each. Default: false.
    files_only: Option<bool>,
    /// Lines to show before and after each match. Default: 0.
    #[schemars(range(max = 10))]
    context: Option<u64>,
    /// Stop after so many matches. Default: 200.
    #[schemars(range(min = 1, max = 1000))]
    max_matches: Option<u64>,
}

#[async_trait]
impl Tool for RipgrepSearch {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "ripgrep_search".into(),
            description: "Searches the text files of the workspace for a regular expression and gives each matching \
                line with its path and number. Leaves out hidden and binary files and what .gitignore names."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        let pattern = args["pattern"].as_str().unwrap_or_default();
        match args["path"].as_str().filter(|path| !matches!(*path, "" | ".")) {
            None => one_line(&format!("/{pattern}/"), 80),
            Some(path) => one_line(&format!("/{pattern}/ in {path}"), 80),
        }
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let search = Search::new(&args, context.room)?;
        work(context, move |workspace, watch| search.run(workspace, watch)).await
    }
}

/// What is searched for, and where.
struct Search {
    matcher: RegexMatcher,
    target: WorkspacePath,
    names: Option<NamePattern>,
    show: Show,
    context: usize,
    max_matches: u64,
    max_bytes: usize,
}

/// What has been found so far.
#[derive(Default)]
struct Tally {
    matches: u64,
    files: u64,
    text: String,
    stop: Option<Stop>,
    unreadable: u64,
}

impl Search {
    fn new(args: &Args, room: usize) -> Result<Self, ToolError> {
        Ok(Self {
            matcher: matcher(&args.pattern, args.case_insensitive.unwrap_or(false))?,
            target: path_argument(args.path.as_deref())?,
            names: args.glob.as_deref().map(|glob| NamePattern::parse("glob", glob)).transpose()?,
            show: if args.files_only.unwrap_or(false) { Show::Files } else { Show::Lines },
            context: args.context.map_or(0, |lines| usize::try_from(lines).unwrap_or(usize::MAX)),
            max_matches: args.max_matches.unwrap_or(DEFAULT_MATCHES),
            max_bytes: room.min(MAX_TEXT_BYTES),
        })
    }

    fn run(&self, workspace: &Workspace, watch: &Watch) -> Result<ToolOutput, ToolError> {
        let unusable = |error| explain(workspace, &self.target, "file or folder", &error);
        let mut tally = Tally::default();
        if workspace.facts(&self.target).map_err(unusable)?.kind == Kind::Folder {
            let walk = workspace.walk(&self.target, Hidden::Skip).map_err(unusable)?;
            for found in walk {
                tally.stop = tally.stop.or(watch.halted().map(Stop::Halt));
                if tally.stop.is_some() {
                    break;
                }
                if let Found::File(path) = found
                    && self.fits(&path)
                {
                    self.search_file(workspace, watch, &path, &mut tally);
                }
            }
        } else {
            workspace.open_file(&self.target).map_err(unusable)?;
            self.search_file(workspace, watch, &self.target, &mut tally);
        }
        self.answer(tally)
    }

    fn fits(&self, path: &WorkspacePath) -> bool {
        let below = path.below(&self.target).unwrap_or_default();
        self.names.as_ref().is_none_or(|names| names.matches(below))
    }

    fn search_file(&self, workspace: &Workspace, watch: &Watch, path: &WorkspacePath, tally: &mut Tally) {
        let name = printable(path.as_str());
        let left = self.max_matches - tally.matches;
        let room = self.max_bytes.saturating_sub(tally.text.len());
        let mut sink = FileSink::new(&name, self.show, left, room);
        let searched = workspace
            .open_file(path)
            .map_err(std::io::Error::other)
            .and_then(|file| self.searcher().search_reader(&self.matcher, Watched::new(file, watch), &mut sink));
        match (searched, watch.halted()) {
            (Err(_), Some(halt)) => {
                tally.add(&name, sink, self.context > 0);
                tally.stop = Some(Stop::Halt(halt));
            }
            (Err(_), None) => tally.unreadable += 1,
            (Ok(()), _) => tally.add(&name, sink, self.context > 0),
        }
    }

    fn searcher(&self) -> Searcher {
        SearcherBuilder::new()
            .line_number(true)
            .line_terminator(grep_matcher::LineTerminator::crlf())
            .before_context(self.context)
            .after_context(self.context)
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(MAX_LINE_BYTES))
            .build()
    }

    fn answer(&self, tally: Tally) -> Result<ToolOutput, ToolError> {
        let summary = match (self.show, tally.matches) {
            (Show::Files, 0) => "no files match".into(),
            (Show::Files, _) => count(tally.files, "file matches", "files match"),
            (Show::Lines, 0) => "no matches".into(),
            (Show::Lines, matches) => {
                format!("{} in {}", count(matches, "match", "matches"), count(tally.files, "file", "files"))
            }
        };
        let mut notes = Vec::new();
        let narrow = "narrow the pattern or the path";
        let matches = count(tally.matches, "match", "matches");
        match tally.stop {
            Some(Stop::Halt(Halt::Stopped)) => return Err(stopped()),
            Some(Stop::Halt(Halt::TimeUp)) => {
                notes.push(format!("stopped after {} seconds; {narrow}", TIME_LIMIT.as_secs()))
            }
            Some(Stop::Matches) => notes.push(format!("stopped at {matches}; {narrow}")),
            Some(Stop::Text) => notes.push(format!("stopped at {matches}, as much as fits; {narrow}")),
            None => {}
        }
        if tally.unreadable > 0 {
            notes.push(format!("{} could not be read", count(tally.unreadable, "file", "files")));
        }
        let mut text = format!("{summary}\n{}", tally.text);
        text.extend(cut_note(&notes));
        let data = Some(json!({ "matches": tally.matches, "files": tally.files }));
        Ok(ToolOutput { text: text.trim_end_matches('\n').into(), summary, data, ..ToolOutput::default() })
    }
}

impl Tally {
    fn add(&mut self, name: &str, sink: FileSink<'_>, with_context: bool) {
        let found = sink.found();
        self.stop = found.stop;
        if found.matches == 0 {
            return;
        }
        self.matches += found.matches;
        self.files += 1;
        if found.text.is_empty() {
            self.text.push_str(&format!("{name} ({})\n", found.matches));
            return;
        }
        if with_context && !self.text.is_empty() {
            self.text.push_str("--\n");
        }
        self.text.push_str(&found.text);
    }
}

fn matcher(pattern: &str, case_insensitive: bool) -> Result<RegexMatcher, ToolError> {
    let mut builder = RegexMatcherBuilder::new();
    builder.case_insensitive(case_insensitive).multi_line(true).crlf(true);
    builder.build(pattern).map_err(|error| {
        // grep-regex wraps the pattern before it reads it; read as it stands, the mark points at the right place.
        let reason = match regex_syntax::parse(pattern) {
            Err(error) => error.to_string(),
            Ok(_) => error.to_string(),
        };
        respond(format!(
            "`pattern` is not a regular expression that can be searched for: {reason}\n\
             To find the characters themselves, put a backslash before each of . ^ $ * + ? ( ) [ ] {{ }} | \\"
        ))
    })
}

#[cfg(test)]
#[path = "ripgrep_search/ripgrep_search_tests.rs"]
mod ripgrep_search_tests;
