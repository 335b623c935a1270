//! Requests to change something or to run a command. Only what is said whole is understood: which file, and what shall
//! become of it. Everything else is left to those who decline.

use super::{
    act_parts::{after_colon, cut_at, destination, new_name, one_file, plain_command, text_behind},
    intent::{Act, Target},
    phrase::{is_file_like, is_file_noun},
    words::{Word, words},
};

/// The file of a note that names none.
const NOTES: &str = "notes.txt";
/// Steps of one request: more is a program, not a wish.
const MAX_PARTS: usize = 6;
/// Longest step of a plan, in characters, as the tool has it.
const STEP_CHARS: usize = 200;

const RENAMES: &[&str] = &["rename"];
const MOVES: &[&str] = &["move", "mv", "put"];
const DELETES: &[&str] = &["delete", "remove", "erase", "rm", "del", "trash"];
const REPLACES: &[&str] = &["replace", "substitute", "change"];
const APPENDS: &[&str] = &["add", "append", "write", "insert", "put", "record"];
const CREATES: &[&str] = &["create", "creat", "make", "start"];
const RUNS: &[&str] = &["run", "execute", "exec"];
const NEGATIONS: &[&str] = &["not", "don't", "dont", "never", "without", "except", "unless", "if"];

/// Parts that are to be done one after the other.
pub fn several(text: &str) -> Option<Vec<&str>> {
    // What stands behind a colon or in quotes is text, with whatever words.
    if text.contains([':', '"', '`', '“', '„']) {
        return None;
    }
    let mut parts = vec![text];
    for border in ["; then ", ", then ", " and then ", ". Then ", ", and then ", "; "] {
        parts = parts.into_iter().flat_map(|part| part.split(border)).collect();
    }
    let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
    (2..=MAX_PARTS).contains(&parts.len()).then_some(parts)
}

/// `asked`: the words without the polite ones in front.
pub fn act(text: &str, asked: &[Word], loud: bool) -> Option<Act> {
    if let Some(act) = plan(text).or_else(|| note(text, asked, loud)).or_else(|| run(text, asked)) {
        return Some(act);
    }
    if asked.iter().any(|word| word.is(NEGATIONS)) {
        return None;
    }
    // "In notes.txt replace …": the place stands in front.
    if asked[0].is(&["in"])
        && let Some(verb) = asked.iter().position(|word| word.like(REPLACES))
    {
        let target = one_file(&asked[1..verb], loud)?;
        return replace(&asked[verb + 1..], Some(target), loud);
    }
    let (verb, rest) = asked.split_first()?;
    let done = |verbs: &[&str]| verb.like(verbs);
    if done(RENAMES) {
        return rename(rest, loud);
    }
    if done(REPLACES) {
        return replace(rest, None, loud);
    }
    if done(DELETES) {
        return one_file(rest, loud).map(Act::Delete);
    }
    if done(MOVES)
        && let Some(act) = move_file(rest, loud)
    {
        return Some(act);
    }
    if done(APPENDS) {
        return append(rest, loud);
    }
    if done(CREATES) { create(rest) } else { None }
}

fn rename(rest: &[Word], loud: bool) -> Option<Act> {
    let (from, to) = cut_at(rest, &["to", "as", "into"])?;
    Some(Act::Rename { from: one_file(from, loud)?, to: new_name(to)? })
}

fn move_file(rest: &[Word], loud: bool) -> Option<Act> {
    let (from, to) = cut_at(rest, &["to", "into", "in", "under", "inside"]).or_else(|| {
        // "mv a.txt b/", as in a terminal.
        (rest.len() == 2).then(|| rest.split_at(1))
    })?;
    let from = one_file(from, loud).filter(|from| !matches!(from, Target::Named(names) if names.len() > 3))?;
    let (path, is_folder) = destination(to)?;
    Some(if is_folder { Act::MoveInto { from, folder: path } } else { Act::MoveTo { from, path } })
}

fn replace(rest: &[Word], target: Option<Target>, loud: bool) -> Option<Act> {
    let (old, rest) = cut_at(rest, &["with", "by", "to", "into"])?;
    let (new, target) = match target {
        Some(target) => (rest, target),
        None => {
            let at = rest.iter().rposition(|word| word.is(&["in", "inside", "within"]))?;
            (&rest[..at], one_file(&rest[at + 1..], loud)?)
        }
    };
    Some(Act::Replace { old: said(old)?, new: said(new)?, target })
}

/// A text in quotes, or a single word that needs none.
fn said(words: &[Word]) -> Option<String> {
    let words: Vec<&Word> =
        words.iter().filter(|word| !word.is(&["the", "word", "text", "phrase", "please", "number"])).collect();
    match words.as_slice() {
        [only] => Some(only.raw.clone()),
        several => match several.iter().filter(|word| word.quoted).collect::<Vec<_>>().as_slice() {
            [quoted] => Some(quoted.raw.clone()),
            _ => None,
        },
    }
}

/// `add "text" to notes.txt`: the text in quotes, so that nothing is written that was meant otherwise.
fn append(rest: &[Word], loud: bool) -> Option<Act> {
    let quoted = rest.iter().position(|word| word.quoted && !is_file_like(word))?;
    let before = &rest[..quoted];
    if !before
        .iter()
        .all(|word| word.is(&["a", "the", "line", "note", "text", "words", "down", "this", "new", "entry"]))
    {
        return None;
    }
    let (between, place) = rest[quoted + 1..].split_first()?;
    if !between.is(&["to", "into", "in", "at", "on"]) {
        return None;
    }
    let place = match place {
        [the, end, of, rest @ ..] if the.is(&["the"]) && end.is(&["end", "bottom"]) && of.is(&["of"]) => rest,
        place => place,
    };
    Some(Act::Append { text: rest[quoted].raw.clone(), target: one_file(place, loud)? })
}

/// `note: …`, `make a note: …`, `write a note in todo.txt: …`, `note that …`.
fn note(text: &str, asked: &[Word], loud: bool) -> Option<Act> {
    #[rustfmt::skip]
    const HEAD: &[&str] = &[
        "note", "notes", "a", "the", "this", "make", "take", "write", "jot", "down", "add", "quick", "short", "new", "of",
        "following", "me", "remember",
    ];
    let notes = || Target::Path(NOTES.into());
    if asked[0].is(&["note"]) && asked.get(1).is_some_and(|word| word.is(&["that", "down"])) {
        return text_behind(text, &asked[1]).map(|text| Act::Append { text, target: notes() });
    }
    let (head, tail) = after_colon(text)?;
    let head = words(head);
    let (head, target) = match cut_at(&head, &["in", "into", "to"]) {
        Some((head, place)) if place.iter().any(is_file_like) => (head, one_file(place, loud)?),
        _ => (head.as_slice(), notes()),
    };
    let asked_head = head.iter().skip_while(|word| !word.is(HEAD));
    let says_note = head.iter().any(|word| word.is(&["note", "notes", "jot", "down", "remember"]));
    let fits = asked_head.clone().count() > 0 && asked_head.clone().all(|word| word.is(HEAD));
    (says_note && fits).then(|| Act::Append { text: tail.to_owned(), target })
}

/// `create a file called todo.txt with "milk"`.
fn create(rest: &[Word]) -> Option<Act> {
    let name = rest.iter().position(is_file_like)?;
    let (before, after) = (&rest[..name], &rest[name + 1..]);
    let says_file = before.iter().any(|word| is_file_noun(word) || word.is(&["new", "empty"]));
    let only = |word: &Word| {
        is_file_noun(word) || word.is(&["a", "an", "the", "new", "empty", "text", "called", "named", "with", "name"])
    };
    if !says_file || !before.iter().all(only) {
        return None;
    }
    let path = rest[name].raw.trim_start_matches("./").to_owned();
    let text = after.iter().filter(|word| word.quoted).map(|word| word.raw.as_str()).collect::<Vec<_>>();
    let joins = |word: &&Word| !word.quoted;
    let known: &[&str] = &[
        "with",
        "containing",
        "that",
        "says",
        "the",
        "text",
        "content",
        "and",
        "in",
        "it",
        "please",
        "here",
        "for",
        "me",
    ];
    if text.len() > 1 || !after.iter().filter(joins).all(|word| word.is(known)) {
        return None;
    }
    Some(Act::Create { path, text: text.concat() })
}

fn run(text: &str, asked: &[Word]) -> Option<Act> {
    if asked[0].is(&["git"]) && asked.len() > 1 {
        return plain_command(text, asked, 0).map(Act::Run);
    }
    if !asked[0].is(RUNS) {
        return None;
    }
    let command = match after_colon(text) {
        Some((head, command)) if words(head).len() <= 4 => Some(command.to_owned()),
        _ => match asked[1..].iter().position(|word| word.is(&["command", "commandline"])) {
            Some(at) if at <= 2 => text_behind(text, &asked[at + 1]),
            _ => match asked.get(1)? {
                quoted if quoted.quoted && asked.len() == 2 => Some(quoted.raw.clone()),
                _ => plain_command(text, asked, 1),
            },
        },
    }?;
    let command = command.trim().trim_matches('`').trim().to_owned();
    (!command.is_empty()).then_some(Act::Run(command))
}

/// `make a plan: …; …`.
fn plan(text: &str) -> Option<Act> {
    let (head, tail) = after_colon(text)?;
    let head = words(head);
    let says_plan = head.last().is_some_and(|word| word.like(&["plan", "steps", "tasks", "todo"]));
    if !says_plan || head.len() > 5 {
        return None;
    }
    let border = if tail.contains('\n') { '\n' } else { ';' };
    let border = if tail.contains(border) { border } else { ',' };
    let bullet = |c: char| c.is_ascii_digit() || c.is_whitespace() || "-*.)".contains(c);
    let steps: Vec<String> = tail
        .split(border)
        .map(|step| step.trim_start_matches(bullet).trim().trim_end_matches('.'))
        .filter(|step| !step.is_empty())
        .map(|step| step.chars().take(STEP_CHARS).collect())
        .collect();
    (steps.len() > 1).then_some(Act::Plan(steps))
}
