//! `read_file`: a page of a text file, with line numbers; the text of a document; a picture.

mod picture;

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
    documents::{Kind, MAX_PAGES, ReadError, Reader, Text},
    workspace::{Decoded, Workspace, WorkspaceError, WorkspacePath, decoded},
};

/// The largest file that is read, in bytes: it is held in memory while its lines are counted.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The largest document whose text is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
/// Lines on one page.
pub const MAX_PAGE_LINES: u64 = 2000;
/// Text on one page, in bytes: about 16,000 tokens.
pub const MAX_PAGE_BYTES: usize = 64 * 1024;
/// A longer line, in characters, is data and not text.
pub const MAX_LINE_CHARS: usize = 2000;

pub struct ReadFile {
    documents: Reader,
}

impl ReadFile {
    pub fn new(documents: Reader) -> Self {
        Self { documents }
    }
}

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
    /// First page of a PDF, of which 20 are read at once. Default: 1.
    #[schemars(range(min = 1))]
    page_start: Option<u64>,
}

/// What a file turned out to be.
enum Found {
    Told(ToolOutput),
    Document(Kind, Vec<u8>),
}

#[async_trait]
impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file".into(),
            description:
                "Reads a file of the workspace: text, the text of a PDF, Word, PowerPoint or Excel file, or a \
                picture. Each line comes with its number and a tab before it; they are not part of the file. A long \
                file comes in pages: go on with line_start, in a PDF with page_start."
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
        let wanted = Wanted { from, to: args.line_end, room: context.room.min(MAX_PAGE_BYTES) };
        let name = printable(path.as_str()).into_owned();
        let cancel = context.cancel;
        let found = work(context, move |workspace, watch| {
            let bytes = read(workspace, watch, &path)?;
            look(&path, bytes, wanted)
        })
        .await?;
        let (kind, bytes) = match found {
            Found::Told(output) => return Ok(output),
            Found::Document(kind, bytes) => (kind, bytes),
        };
        let first_page = u32::try_from(args.page_start.unwrap_or(1)).unwrap_or(u32::MAX);
        let text = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(stopped()),
            text = self.documents.read(kind, &bytes, first_page) => text,
        };
        let text = text.map_err(|error| unreadable(&name, kind, &error))?;
        document(&name, kind, &text, wanted)
    }
}

fn look(path: &WorkspacePath, bytes: Vec<u8>, wanted: Wanted) -> Result<Found, ToolError> {
    let name = printable(path.as_str());
    let size = count(bytes.len() as u64, "byte", "bytes");
    if let Some(kind) = Kind::of(&bytes) {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            let kind = kind.name();
            return Err(respond(format!("`{name}` is a {kind} of {size}; the text of up to 32 MiB is read.")));
        }
        return Ok(Found::Document(kind, bytes));
    }
    if let Some(told) = picture::told(path, &bytes) {
        return Ok(Found::Told(told));
    }
    let Some(Decoded { text, encoding }) = decoded(&bytes, false) else {
        return Err(respond(format!("`{name}` is a binary file ({size}), so it can't be read as text.")));
    };
    let Some(encoding) = encoding else { return answer(&name, text.as_bytes(), wanted).map(Found::Told) };
    let title = format!("{name} (not UTF-8; read as {encoding}, and edit_file can't change it)");
    let mut output = answer(&title, text.as_bytes(), wanted)?;
    output.summary = format!("{}, {encoding}", output.summary);
    output.data.iter_mut().for_each(|data| data["encoding"] = json!(encoding));
    Ok(Found::Told(output))
}

fn unreadable(name: &str, kind: Kind, error: &ReadError) -> ToolError {
    let kind = kind.name();
    if let ReadError::NotStarted(reason) = error {
        tracing::error!(reason, "the reader of documents can't be started");
    }
    respond(format!("The text of `{name}`, a {kind}, can't be read: {error}."))
}

fn document(name: &str, kind: Kind, text: &Text, wanted: Wanted) -> Result<ToolOutput, ToolError> {
    let pages = text.pages.map(|(first, last, total)| format!(", pages {first}-{last} of {total}")).unwrap_or_default();
    let title = format!("{name} ({}{pages})", kind.name());
    let mut output = answer(&title, text.text.as_bytes(), wanted)?;
    let mut notes = Vec::new();
    if text.cut {
        notes.push("there is more text than is read of one file".to_owned());
    }
    if let Some((_, last, total)) = text.pages.filter(|(_, last, total)| last < total) {
        let next = last + 1;
        notes.push(format!(
            "pages {next}-{total} follow, up to {MAX_PAGES} at once; call read_file with page_start={next}"
        ));
    }
    output.text.extend(cut_note(&notes).iter().flat_map(|note| ["\n", note]));
    if let (Some((first, last, total)), Some(data)) = (text.pages, &mut output.data) {
        data["pages"] = json!({ "first": first, "last": last, "total": total });
        output.summary = format!("pages {first}-{last} of {total}");
    }
    Ok(output)
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
    Ok(bytes)
}

/// Lines of a text, as many as fit.
#[derive(Clone, Copy)]
struct Wanted {
    from: u64,
    to: Option<u64>,
    /// In bytes.
    room: usize,
}

struct Page {
    text: String,
    /// The last line on the page; `from - 1` on an empty one.
    last: u64,
    total: u64,
}

fn answer(name: &str, bytes: &[u8], wanted: Wanted) -> Result<ToolOutput, ToolError> {
    let Wanted { from, to, .. } = wanted;
    let page = page(bytes, wanted);
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
fn page(bytes: &[u8], Wanted { from, to, room }: Wanted) -> Page {
    let to = to.unwrap_or(u64::MAX);
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
        full = !first && (page.total - from >= MAX_PAGE_LINES || page.text.len() + line.len() > room);
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
