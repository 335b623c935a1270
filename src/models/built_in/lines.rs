//! "The first ten lines", "the last 5 rows", "lines 20 to 30".

use super::{
    intent::{FileAsk, Intent, Target},
    phrase::target,
    words::{Word, number},
};

const UNITS: &[&str] = &["line", "lines", "row", "rows", "records", "entries"];
const START: &[&str] = &["first", "top", "head", "beginning", "start", "preview"];
const END: &[&str] = &["last", "bottom", "tail", "end"];
/// What `head` shows when nobody says how much.
const USUAL: usize = 10;
/// More lines than this are not for a chat.
const MOST: usize = 2_000;

pub fn line_range(words: &[Word], loud: bool) -> Option<Intent> {
    let unit = words.iter().position(|word| word.like(UNITS));
    let ask = between(words, unit).or_else(|| from_an_end(words, unit))?;
    // Numbers and units are no part of a file's name here.
    let rest: Vec<Word> = words
        .iter()
        .filter(|word| number(word).is_none() && !is_position(word) && span(word).is_none())
        .cloned()
        .collect();
    let target = target(&rest, loud).unwrap_or(Target::Last);
    Some(Intent::File(target, ask))
}

fn is_position(word: &Word) -> bool {
    word.like(UNITS) || word.is(START) || word.is(END) || word.is(&["couple", "few", "through", "-", "until", "till"])
}

fn between(words: &[Word], unit: Option<usize>) -> Option<FileAsk> {
    let after = &words[unit? + 1..];
    if let Some((first, last)) = after.first().and_then(span) {
        return Some(range(first, last));
    }
    let first = after.first().and_then(number)?;
    let joins = after.get(1).is_some_and(|word| word.is(&["to", "and", "through", "-", "–", "until", "till"]));
    let last = after.get(2).and_then(number).filter(|_| joins);
    Some(range(first, last.unwrap_or(first)))
}

/// "20-30".
fn span(word: &Word) -> Option<(usize, usize)> {
    let (first, last) = word.low.split_once(['-', '–'])?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn range(first: usize, last: usize) -> FileAsk {
    let (first, last) = (first.min(last).max(1), first.max(last).max(1));
    FileAsk::Range(first, last.min(first.saturating_add(MOST - 1)))
}

fn from_an_end(words: &[Word], unit: Option<usize>) -> Option<FileAsk> {
    let at = words.iter().position(|word| word.is(START) || word.is(END))?;
    let amount = words.get(at + 1).and_then(number);
    let one = unit.is_some_and(|unit| unit == at + 1 && words[unit].is(&["line", "row"]));
    let stands_alone = words[at].is(&["head", "tail", "beginning", "preview"]);
    if unit.is_none_or(|unit| unit < at) && !stands_alone && amount.is_none() {
        return None;
    }
    // "The first 3 files" is about something else.
    if unit.is_none() && !stands_alone {
        return None;
    }
    let amount = if one { 1 } else { amount.unwrap_or(USUAL).clamp(1, MOST) };
    Some(if words[at].is(END) { FileAsk::Tail(amount) } else { FileAsk::Head(amount) })
}
