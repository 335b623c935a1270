//! The answers' words: a short sentence first, then what was found. Nothing is said that no result shows.

use std::fmt::Write;

use super::{
    conversation::WHICH_ONE,
    intent::{FindAsk, ListAsk, SearchAsk},
    prose::{code, fence, figure, numbered, plural},
    results::{Listing, Matches, Paths},
};

/// Entries of a list in one answer.
pub const SHOWN_ENTRIES: usize = 100;
/// Matched lines in one answer.
const SHOWN_MATCHES: usize = 60;

pub fn tool_missing(name: &str) -> String {
    format!("I would need the tool {} for this, and this session does not offer it. Nothing was done.", code(name))
}

pub fn too_many_calls(limit: usize) -> String {
    format!(
        "I stopped: this takes more than {limit} tool calls. Ask for less at once, for example for one file or one folder."
    )
}

pub fn failed(name: &str, reason: &str) -> String {
    let reason: String = reason.trim().chars().take(1_000).collect();
    if reason.is_empty() {
        return format!("That did not work: {} failed and gave no reason.", code(name));
    }
    format!("That did not work. {} answered:\n\n{}", code(name), fence("", &reason))
}

pub fn no_earlier_file() -> String {
    "I don't know which file you mean. Tell me its name, for example *read notes.txt*, or ask *what is in this folder?*"
        .into()
}

pub fn no_such_number(nth: usize) -> String {
    format!("My last answer has no entry number {nth}. Tell me the file's name.")
}

pub fn which_one(wanted: &str, found: &[String]) -> String {
    let shown = &found[..found.len().min(SHOWN_ENTRIES)];
    let more = more_sentence(found.len(), shown.len());
    format!("{} fit {}. {WHICH_ONE}\n\n{}{more}", plural(found.len(), "file"), code(wanted), numbered(shown))
}

pub fn more_sentence(all: usize, shown: usize) -> String {
    if all > shown { format!("\n\n{} more are not shown.", figure(all - shown)) } else { String::new() }
}

pub fn no_file(wanted: &str, near: &[String], all: &Paths<'_>) -> String {
    if !near.is_empty() {
        return format!(
            "I found no file for {}. These names are near it. {}\n\n{}",
            code(wanted),
            WHICH_ONE,
            numbered(near)
        );
    }
    if all.paths.is_empty() {
        return format!("I found no file for {}: there are no files in this folder.", code(wanted));
    }
    let some: Vec<String> = all.paths.iter().take(5).map(|path| (*path).to_owned()).collect();
    format!(
        "I found no file for {}, and no name near it. The newest files here are:\n\n{}",
        code(wanted),
        numbered(&some)
    )
}

pub fn taken_for(wanted: &str, path: &str) -> String {
    format!("No file is named {}; I took {}, the only name near it.", code(wanted), code(path))
}

pub fn found_elsewhere(wanted: &str, path: &str) -> String {
    format!("{} is not there; I took {}.", code(wanted), code(path))
}

pub fn listing(folder: &str, found: &Listing<'_>, ask: ListAsk) -> String {
    let name = if folder == "." { "This folder".to_owned() } else { code(folder) };
    if found.is_empty() {
        return format!("{name} is empty.");
    }
    let counts = format!("{} and {}", plural(found.folders.len(), "folder"), plural(found.files.len(), "file"));
    let at_least = if found.cut { "at least " } else { "" };
    match ask {
        ListAsk::Count => format!("{name} holds {at_least}{counts}, not counting what is inside its folders."),
        ListAsk::Entries => format!("{name} holds {at_least}{counts}.\n\n{}", entries(found)),
        ListAsk::Biggest | ListAsk::Smallest => by_size(&name, found, ask),
    }
}

fn entries(found: &Listing<'_>) -> String {
    let folders = found.folders.iter().map(|folder| format!("- {}", code(&format!("{folder}/"))));
    let files = found.files.iter().map(|(name, bytes)| match bytes {
        Some(bytes) => format!("- {} ({})", code(name), size(*bytes)),
        None => format!("- {}", code(name)),
    });
    let links = found.links.iter().map(|link| format!("- {}", code(link)));
    let all: Vec<String> = folders.chain(files).chain(links).collect();
    let shown = all.len().min(SHOWN_ENTRIES);
    format!("{}{}", all[..shown].join("\n"), more_sentence(all.len(), shown))
}

fn by_size(name: &str, found: &Listing<'_>, ask: ListAsk) -> String {
    let mut files: Vec<(&str, u64)> = found.files.iter().filter_map(|(name, bytes)| Some((*name, (*bytes)?))).collect();
    files.sort_by_key(|(_, bytes)| *bytes);
    if ask == ListAsk::Biggest {
        files.reverse();
    }
    if files.is_empty() {
        return format!("{name} holds no files directly, so there is nothing to compare by size.");
    }
    let word = if ask == ListAsk::Biggest { "biggest" } else { "smallest" };
    let rows: Vec<String> =
        files.iter().take(10).map(|(name, bytes)| format!("{} ({})", code(name), size(*bytes))).collect();
    let rows: Vec<String> = rows.iter().enumerate().map(|(at, row)| format!("{}. {row}", at + 1)).collect();
    let scope = if found.cut { "as far as the listing goes" } else { "not counting what is inside its folders" };
    format!("{name}: the {word} files first, {scope}.\n\n{}", rows.join("\n"))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => plural(usize::try_from(bytes).unwrap_or(usize::MAX), "byte"),
        1_024..1_048_576 => format!("{}.{} KiB", bytes / 1_024, bytes % 1_024 * 10 / 1_024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

pub fn files(wanted: &str, found: &[String], cut: bool, folder: Option<&str>, ask: FindAsk) -> String {
    let place = folder.map(|folder| format!(" in {}", code(folder))).unwrap_or_default();
    let wanted = if wanted.is_empty() { String::new() } else { format!(" for {}", code(wanted)) };
    let at_least = if cut { "at least " } else { "" };
    let shown = &found[..found.len().min(SHOWN_ENTRIES)];
    match (ask, found) {
        (FindAsk::Newest, [newest, ..]) => format!("The newest file{wanted}{place} is {}.", code(newest)),
        (FindAsk::Oldest, _) if cut => {
            "There are too many files to tell which one is the oldest; name a folder or a kind of file.".into()
        }
        (FindAsk::Oldest, [.., oldest]) => format!("The oldest file{wanted}{place} is {}.", code(oldest)),
        _ => format!(
            "I found {at_least}{}{wanted}{place}, newest first.\n\n{}{}",
            plural(found.len(), "file"),
            numbered(shown),
            more_sentence(found.len(), shown.len())
        ),
    }
}

pub fn nothing_named(wanted: &str, folder: Option<&str>, near: &[String]) -> String {
    let place = folder.map(|folder| format!(" in {}", code(folder))).unwrap_or_default();
    let fact = format!("I found no file for {}{place}.", code(wanted));
    if near.is_empty() { fact } else { format!("{fact} These names are near it:\n\n{}", numbered(near)) }
}

pub fn no_name_but_text(wanted: &str, matches: &Matches<'_>) -> String {
    if matches.files.is_empty() {
        return format!(
            "I found {} neither in a file's name nor in a file's text. Only text files are searched.",
            code(wanted)
        );
    }
    format!(
        "No file is named like {}, but the text of {} has it.\n\n{}",
        code(wanted),
        plural(matches.files.len(), "file"),
        file_counts(matches)
    )
}

fn file_counts(matches: &Matches<'_>) -> String {
    let rows = matches.files.iter().enumerate().take(SHOWN_ENTRIES);
    let rows: Vec<String> =
        rows.map(|(at, (path, count))| format!("{}. {} ({})", at + 1, code(path), plural(*count, "match"))).collect();
    let cut = if matches.cut { "\n\nThe search stopped early; there may be more." } else { "" };
    format!("{}{}{cut}", rows.join("\n"), more_sentence(matches.files.len(), rows.len()))
}

/// What was searched for, and where.
pub struct Hits<'a> {
    pub needle: &'a str,
    pub path: Option<&'a str>,
    pub files: Option<&'a str>,
    pub note: Option<&'a str>,
}

impl Hits<'_> {
    fn place(&self) -> String {
        let path = self.path.map(|path| format!(" in {}", code(path))).unwrap_or_default();
        let files = self.files.map(|glob| format!(" in files like {}", code(glob))).unwrap_or_default();
        format!("{path}{files}")
    }
}

pub fn hits(hits: &Hits<'_>, found: &Matches<'_>, ask: SearchAsk) -> String {
    let note = hits.note.map(|note| format!("{note}\n\n")).unwrap_or_default();
    let (needle, place) = (code(hits.needle), hits.place());
    if found.files.is_empty() {
        return format!(
            "{note}I found no text {needle}{place}. Capitals and small letters make no difference; only text files are searched."
        );
    }
    let at_least = if found.cut { "at least " } else { "" };
    let files = plural(found.files.len(), "file");
    match ask {
        SearchAsk::Files => format!("{note}{needle} is in {at_least}{files}{place}.\n\n{}", file_counts(found)),
        SearchAsk::Lines => format!(
            "{note}{needle} is in {at_least}{} of {files}{place}.\n{}",
            plural(found.lines.len(), "line"),
            matched_lines(found)
        ),
        SearchAsk::Count => {
            let times = occurrences(found, hits.needle);
            let sure = if found.cut || found.lines.iter().any(|(_, _, line)| line.ends_with(" […]")) {
                "at least "
            } else {
                ""
            };
            format!(
                "{note}{needle} appears {sure}{}, in {} of {files}{place}.\n{}",
                plural(times, "time"),
                plural(found.lines.len(), "line"),
                matched_lines(found)
            )
        }
    }
}

fn occurrences(found: &Matches<'_>, needle: &str) -> usize {
    let needle = needle.to_lowercase();
    found.lines.iter().map(|(_, _, line)| line.to_lowercase().matches(needle.as_str()).count().max(1)).sum()
}

fn matched_lines(found: &Matches<'_>) -> String {
    let shown = &found.lines[..found.lines.len().min(SHOWN_MATCHES)];
    let mut text = String::new();
    for group in shown.chunk_by(|a, b| a.0 == b.0) {
        let rows: Vec<String> = group.iter().map(|(_, number, line)| format!("{number}: {line}")).collect();
        let _ = write!(text, "\n{}\n\n{}\n", code(group[0].0), fence("", &rows.join("\n")));
    }
    let more = more_sentence(found.lines.len(), shown.len());
    let cut = if found.cut { "\n\nThe search stopped early; there may be more." } else { "" };
    format!("{}{more}{cut}", text.trim_end())
}
