//! One edit of a text.

use super::{
    indent::reindent,
    search::{Alike, best, lines},
};
use crate::tools::{changing::numbered, text_file::TextFile, wording::count};

/// How much of the lines must be the same for them to be meant, from 0 to 1.
const FLOOR: f32 = 0.85;
/// How much less alike everything else must be.
const GAP: f32 = 0.05;
/// In larger files only the exact text is looked for, in bytes: comparing takes long there.
const MAX_SEARCHED_BYTES: usize = 1024 * 1024;
/// Places that a text names.
const MAX_NAMED: usize = 20;
/// Lines around the nearest place that is shown, and lines of it.
const AROUND: usize = 3;
const MAX_SHOWN: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Both with `\n` alone.
    pub old: String,
    pub new: String,
    pub all: bool,
}

/// Does the edit. The answer says what was taken for `old` where it was not the very text; the error why nothing was
/// done.
pub fn apply(file: &mut TextFile, edit: &Edit, halted: &dyn Fn() -> bool) -> Result<Option<String>, String> {
    if edit.old == edit.new {
        return Err("`old_str` and `new_str` are the same.".into());
    }
    let places = places(file.text(), &edit.old);
    match places.as_slice() {
        [] => {}
        [only] => {
            file.replace(*only, only + edit.old.len(), &edit.new);
            return Ok(None);
        }
        _ if edit.all => {
            let apart = apart(&places, edit.old.len());
            for place in apart.iter().rev() {
                file.replace(*place, place + edit.old.len(), &edit.new);
            }
            return Ok(Some(format!("It stood there {} times.", apart.len())));
        }
        several => return Err(ambiguous(file.text(), several)),
    }
    if file.text().len() > MAX_SEARCHED_BYTES {
        return Err(not_found("", file.text(), &edit.old));
    }
    let (text, old) = (lines(file.text()), lines(&edit.old));
    let alike = best(&text, &old, halted);
    match choose(&alike) {
        Chosen::One(found, _)
            if found.pairs(&text, &old).iter().any(|(wanted, there)| figures(wanted) != figures(there)) =>
        {
            let near = shown(&text, found);
            Err(format!(
                "`old_str` is not in the file: what is most like it has other figures. Read the file again and copy the \
                 text exactly.{near}"
            ))
        }
        Chosen::One(found, note) => {
            let (from, to) = (text[found.first].start, text[found.last].end);
            let new = reindent(&edit.new, &found.pairs(&text, &old));
            let new = without_edges(&edit.old, &new);
            // Lines that go take their line break with them.
            let to = if new.is_empty() { (to + 1).min(file.text().len()) } else { to };
            file.replace(from, to, &new);
            Ok(Some(note))
        }
        Chosen::Several => {
            let named: Vec<String> = alike.iter().filter(|alike| alike.score >= FLOOR - GAP).map(span).collect();
            Err(format!(
                "`old_str` is not there exactly, and more than one place is much like it: {}. Copy the text from the \
                 file, with lines around it that tell the places apart.",
                listing(&named)
            ))
        }
        Chosen::None => {
            let near = alike.first().map(|nearest| shown(&text, nearest)).unwrap_or_default();
            Err(not_found(&near, file.text(), &edit.old))
        }
    }
}

enum Chosen<'a> {
    One(&'a Alike, String),
    Several,
    None,
}

/// The lines that are meant, if it is clear which.
fn choose(alike: &[Alike]) -> Chosen<'_> {
    let mut same = alike.iter().filter(|alike| alike.same);
    match (same.next(), same.next()) {
        (Some(only), None) => {
            return Chosen::One(only, format!("Taken for `old_str`: {}, the same but for spaces.", span(only)));
        }
        (Some(_), Some(_)) => return Chosen::Several,
        (None, _) => {}
    }
    let Some(first) = alike.first().filter(|first| first.score >= FLOOR) else { return Chosen::None };
    if alike.get(1).is_some_and(|second| first.score - second.score < GAP) {
        return Chosen::Several;
    }
    let percent = (first.score * 100.0).floor();
    Chosen::One(first, format!("Taken for `old_str`: {}, {percent} % alike; nothing else is near.", span(first)))
}

/// The figures in a line, in their order. A line with other ones is another line, however alike they are.
fn figures(line: &str) -> Vec<&str> {
    line.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect()
}

/// Where `old` stands, also where the places overlap.
fn places(text: &str, old: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(old)) {
        places.push(from + found);
        let step = text[from + found..].chars().next().map_or(1, char::len_utf8);
        from += found + step;
    }
    places
}

fn apart(places: &[usize], length: usize) -> Vec<usize> {
    let mut apart: Vec<usize> = Vec::new();
    for place in places {
        if apart.last().is_none_or(|last| last + length <= *place) {
            apart.push(*place);
        }
    }
    apart
}

fn ambiguous(text: &str, places: &[usize]) -> String {
    let line = |place: &usize| text[..*place].matches('\n').count() + 1;
    let mut named: Vec<String> = places.iter().map(|place| line(place).to_string()).collect();
    named.dedup();
    format!(
        "`old_str` stands there {} times, in {} {}. Add lines around it so that it is there once, or set replace_all.",
        places.len(),
        if named.len() == 1 { "line" } else { "lines" },
        listing(&named)
    )
}

fn listing(named: &[String]) -> String {
    let more = named.len().saturating_sub(MAX_NAMED);
    let shown = &named[..named.len() - more];
    match (more, shown) {
        (0, [rest @ .., last]) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (0, _) => shown.join(", "),
        _ => format!("{} and {}", shown.join(", "), count(more as u64, "more", "more")),
    }
}

/// `line 7`, `lines 7-9`.
fn span(alike: &Alike) -> String {
    let (first, last) = (alike.first + 1, alike.last + 1);
    if first == last { format!("line {first}") } else { format!("lines {first}-{last}") }
}

/// The nearest place with its surroundings, numbered.
fn shown(text: &[super::search::Line<'_>], nearest: &Alike) -> String {
    let from = nearest.first.saturating_sub(AROUND);
    let to = (nearest.last + 1 + AROUND).min(text.len()).min(from + MAX_SHOWN);
    let lines: Vec<String> = (from..to).map(|line| numbered(line + 1, text[line].text)).collect();
    format!(" Nearest to it is {}:\n{}", span(nearest), lines.join("\n"))
}

fn not_found(near: &str, text: &str, old: &str) -> String {
    let advice = match without_numbers(old).is_some_and(|bare| text.contains(&bare)) {
        true => "Leave out the numbers that read_file puts before the lines.",
        false => "Read the file again and copy the text exactly.",
    };
    format!("`old_str` is not in the file. {advice}{near}")
}

/// Lines as read_file shows them, without number and tab.
fn without_numbers(old: &str) -> Option<String> {
    let bare = |line: &str| {
        let (number, rest) = line.split_once('\t')?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| rest.to_owned())
    };
    let lines: Option<Vec<String>> = old.lines().map(bare).collect();
    lines.map(|lines| lines.join("\n"))
}

/// The new text without the empty lines at its ends that the old one has, too: lines are replaced from the first to
/// the last that isn't empty.
fn without_edges(old: &str, new: &str) -> String {
    let leading = |text: &str| text.lines().take_while(|line| line.trim().is_empty()).count();
    let skip = leading(old).min(leading(new));
    let new: String = new.split_inclusive('\n').skip(skip).collect();
    let trailing = |text: &str| text.len() - text.trim_end_matches('\n').len();
    let end = new.len() - trailing(old).min(trailing(&new));
    new[..end].to_owned()
}
