//! The answers about one file's text, or about two.

use std::{fmt::Write, time::Duration};

use similar::{ChangeTag, TextDiff};

use super::{
    answer::{SHOWN_ENTRIES, more_sentence},
    conversation::{OFFER_END, OFFER_START},
    inspect::Text,
    intent::Units,
    locate::Found,
    prose::{code, fence, figure, numbered, plural},
    results::Page,
    tally::Table,
};

/// Lines of a file or a diff that one answer shows; more is for the file's own page.
const SHOWN_LINES: usize = 200;
/// Bytes of file text in one answer: a file with few, very long lines must not flood the page either.
const SHOWN_BYTES: usize = 24 * 1024;
/// Column names in one answer.
const SHOWN_COLUMNS: usize = 40;
/// After this a diff may be longer than it needs to be, but it is never wrong.
const DIFF_TIME: Duration = Duration::from_secs(1);

pub fn shown(found: &Found, page: &Page<'_>) -> String {
    let name = code(&found.path);
    let note = noted(found);
    if page.total == 0 {
        return format!("{note}{name} is empty.");
    }
    if page.lines.is_empty() {
        return format!(
            "{note}{name} has {}; there is nothing at the lines that you asked for.",
            plural(page.total, "line")
        );
    }
    let lines = within_budget(&page.lines);
    let last = page.first + lines.len() - 1;
    let all = page.first == 1 && last == page.total;
    let head = if all {
        format!("{name} has {}.", plural(page.total, "line"))
    } else {
        format!("{name}, lines {} to {} of {}.", figure(page.first), figure(last), figure(page.total))
    };
    let more = if last >= page.total {
        String::new()
    } else {
        format!(
            "\n\nMore follows. {OFFER_START}lines {} to {} of {name}{OFFER_END}",
            last + 1,
            (last + SHOWN_LINES).min(page.total),
        )
    };
    format!("{note}{head}\n\n{}{more}", fence("", &lines.join("\n")))
}

fn within_budget<'a>(lines: &'a [&'a str]) -> &'a [&'a str] {
    let mut bytes = 0;
    let fits = lines.iter().take(SHOWN_LINES).take_while(|line| {
        bytes += line.len() + 1;
        bytes <= SHOWN_BYTES
    });
    &lines[..fits.count().clamp(1, lines.len())]
}

fn noted(found: &Found) -> String {
    found.note.as_ref().map(|note| format!("{note}\n\n")).unwrap_or_default()
}

pub fn counted(found: &Found, units: Units, text: &Text<'_>, table: &Table, words: usize) -> String {
    let name = code(&found.path);
    let note = noted(found);
    if text.total == 0 {
        return format!("{note}{name} is empty.");
    }
    let mut facts = Vec::new();
    if units.lines {
        facts.push(plural(text.total, "line"));
    }
    if units.words {
        facts.push(plural(words, "word"));
    }
    if units.columns {
        facts.push(plural(table.columns.len(), "column"));
    }
    if units.rows {
        facts.push(format!("{} below the first one", plural(table.rows, "row")));
    }
    let mut answer = format!("{note}{name} has {}.", join_and(&facts));
    if units.columns && table.delimiter.is_none() {
        answer += " I see no comma, semicolon, tab or bar that divides its first line.";
    }
    if (units.columns || units.rows) && table.uneven > 0 {
        let _ = write!(answer, " {} with another number of columns than the first row.", count_of(table.uneven));
    }
    if (units.words || units.columns || units.rows) && !text.whole {
        let _ = write!(
            answer,
            " I counted only what I could read: {} of {}, and very long lines only in part.",
            plural(text.lines.len(), "line"),
            figure(text.total)
        );
    }
    if units.columns && table.delimiter.is_some() {
        let names: Vec<String> =
            table.columns.iter().take(SHOWN_COLUMNS).enumerate().map(|(at, name)| column(at, name)).collect();
        let _ = write!(answer, "\n\n{}{}", names.join("\n"), more_sentence(table.columns.len(), names.len()));
    }
    answer
}

fn count_of(rows: usize) -> String {
    if rows == 1 { "1 row is uneven,".into() } else { format!("{} rows are uneven,", figure(rows)) }
}

fn column(at: usize, name: &str) -> String {
    if name.is_empty() { format!("{}. (no name)", at + 1) } else { format!("{}. {}", at + 1, code(name)) }
}

fn join_and(facts: &[String]) -> String {
    match facts {
        [] => String::new(),
        [only] => only.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

pub fn compare_what(wanted: &str, found: &[String]) -> String {
    match found.len() {
        0 => format!("I found no files for {}. Name both: *compare a.txt and b.txt*.", code(wanted)),
        count => format!(
            "To compare I need just two files, and {} fit {}. Name both: *compare a.txt and b.txt*.\n\n{}",
            figure(count),
            code(wanted),
            numbered(&found[..count.min(SHOWN_ENTRIES)])
        ),
    }
}

pub fn compared((old, before): (&Found, &Text<'_>), (new, after): (&Found, &Text<'_>)) -> String {
    let names = format!("{} and {}", code(&old.path), code(&new.path));
    let notes = format!("{}{}", noted(old), noted(new));
    let partly = if before.whole && after.whole {
        ""
    } else {
        " I compared only what I could read of them: the first pages, and very long lines only in part."
    };
    let (left, right) = (text_of(before), text_of(after));
    if left == right && before.total == after.total {
        let fact = if partly.is_empty() { "have the same text" } else { "show no difference" };
        return format!("{notes}{names} {fact}.{partly}");
    }
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(left.as_str(), right.as_str());
    let count = |tag: ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (removed, added) = (count(ChangeTag::Delete), count(ChangeTag::Insert));
    let unified = diff.unified_diff().context_radius(3).header(&old.path, &new.path).to_string();
    let all: Vec<&str> = unified.lines().collect();
    let shown = within_budget(&all);
    let more = more_sentence(all.len(), shown.len());
    let counts = format!("{} only in the first, {} only in the second", plural(removed, "line"), plural(added, "line"));
    format!("{notes}{names} differ: {counts}.{partly}\n\n{}{more}", fence("diff", &shown.join("\n")))
}

fn text_of(text: &Text<'_>) -> String {
    text.lines.iter().flat_map(|line| [*line, "\n"]).collect()
}
