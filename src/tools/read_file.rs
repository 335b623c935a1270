//! `read_file`: a page of a text file, with line numbers.

use std::io::Read;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    arguments::{arguments, schema},
    wording::{count, cut_line, cut_note, explain, one_line, path_argument, printable, respond, thousands},
    work::{Halt, TIME_LIMIT, Watch, Watched, stopped, work},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    },
    workspace::{Workspace, WorkspaceError, WorkspacePath},
};

/// The largest file that is read, in bytes: it is held in memory while its lines are counted.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Lines on one page.
pub const MAX_PAGE_LINES: u64 = 2000;
/// Text on one page, in bytes: about 16,000 tokens.
pub const MAX_PAGE_BYTES: usize = 64 * 1024;
/// A longer line, in characters, is data and not text.
pub const MAX_LINE_CHARS: usize = 2000;
/// A NUL among the first bytes makes a file binary, as git has it.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

pub struct ReadFile;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// File to read, relative to the workspace.
    path: String,
    /// First line, counted from 1. Default: 1.
    #[schemars(range(min = 1))]
    line_start: Option<u64>,
    /// Last line. Default: the end, or as much as fits on a page of 2000 lines and 64 KiB.
    #[schemars(range(min = 1))]
    line_end: Option<u64>,
}

#[async_trait]
impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file".into(),
            description: "Reads a text file of the workspace. Each line comes with its number and a tab before it; \
                they are not part of the file. A long file comes in pages: go on with line_start."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["path"].as_str().unwrap_or_default(), 80)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        let path = path_argument(Some(&args.path))?;
        let from = args.line_start.unwrap_or(1);
        if let Some(to) = args.line_end.filter(|to| *to < from) {
            return Err(respond(format!("line_end={to} comes before line_start={from}.")));
        }
        work(context, move |workspace, watch| {
            let bytes = read(workspace, watch, &path)?;
            answer(&path, &bytes, from, args.line_end)
        })
        .await
    }
}

fn read(workspace: &Workspace, watch: &Watch, path: &WorkspacePath) -> Result<Vec<u8>, ToolError> {
    let unusable = |error: WorkspaceError| explain(workspace, path, "file", &error);
    let file = workspace.open_file(path).map_err(unusable)?;
    let too_large = || respond(format!("`{path}` is larger than 64 MiB. Look for a part of it with ripgrep_search."));
    if file.size > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // One more than allowed, so that a file that grows meanwhile is noticed.
    let read = Watched::new(file, watch).take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    match (read, watch.halted()) {
        (Err(_), Some(Halt::Stopped)) => return Err(stopped()),
        (Err(_), Some(Halt::TimeUp)) => {
            let seconds = TIME_LIMIT.as_secs();
            return Err(respond(format!(
                "`{path}` could not be read in {seconds} seconds. Look for a part of it with ripgrep_search."
            )));
        }
        (Err(error), None) => return Err(respond(format!("`{path}` could not be read: {}.", error.kind()))),
        (Ok(_), _) => {}
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    if bytes.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0) {
        let size = count(bytes.len() as u64, "byte", "bytes");
        return Err(respond(format!("`{path}` is a binary file ({size}), so it can't be read as text.")));
    }
    Ok(bytes)
}

/// Lines `from` to `to` of a file.
struct Page {
    text: String,
    /// The last line on the page; `from - 1` on an empty one.
    last: u64,
    total: u64,
}

fn answer(path: &WorkspacePath, bytes: &[u8], from: u64, to: Option<u64>) -> Result<ToolOutput, ToolError> {
    let name = printable(path.as_str());
    let page = page(bytes, from, to.unwrap_or(u64::MAX));
    let data = Some(json!({ "total_lines": page.total, "line_start": from, "line_end": page.last }));
    if page.total == 0 {
        return Ok(ToolOutput {
            text: format!("{name}: empty"),
            summary: "empty".into(),
            data,
            ..ToolOutput::default()
        });
    }
    if from > page.total {
        let lines = count(page.total, "line", "lines");
        return Err(respond(format!("`{name}` has {lines}, so there is nothing from line_start={from} on.")));
    }
    let (last, total) = (page.last, page.total);
    let mut text = format!("{name}: lines {from}-{last} of {total}{}", page.text);
    let wanted = to.unwrap_or(total).min(total);
    if last < wanted {
        let next = last + 1;
        let note = cut_note(&[format!("lines {next}-{wanted} follow; call read_file with line_start={next}")]);
        text.extend(note.iter().flat_map(|note| ["\n", note]));
    }
    let summary = if from == 1 && last == total {
        format!("{} {}", thousands(total), if total == 1 { "line" } else { "lines" })
    } else {
        format!("lines {}-{} of {}", thousands(from), thousands(last), thousands(total))
    };
    Ok(ToolOutput { text, summary, data, ..ToolOutput::default() })
}

/// Takes what fits; at least one line always does. Each line of the text begins with its line break.
fn page(bytes: &[u8], from: u64, to: u64) -> Page {
    let mut page = Page { text: String::new(), last: from - 1, total: 0 };
    let mut full = false;
    for line in lines(bytes) {
        page.total += 1;
        if full || page.total < from || page.total > to {
            continue;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = format!("\n{}\t{}", page.total, cut_line(&String::from_utf8_lossy(line), MAX_LINE_CHARS));
        let first = page.total == from;
        full = !first && (page.total - from >= MAX_PAGE_LINES || page.text.len() + line.len() > MAX_PAGE_BYTES);
        if !full {
            page.text.push_str(&line);
            page.last = page.total;
        }
    }
    page
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    whole.split(|byte| *byte == b'\n').take(if bytes.is_empty() { 0 } else { usize::MAX })
}
