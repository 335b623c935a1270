//! From a person's words to an [`Intent`]. Rules look at verbs, units and places, never at whole sentences.

use super::{
    act::{act, several},
    decline::declined,
    intent::{FileAsk, FileQuery, FindAsk, Intent, ListAsk, Reason, Scope, Search, SearchAsk, Target, Units},
    lines::line_range,
    phrase::{
        is_file_like, is_file_noun, is_folder_noun, is_folder_path, is_kind_word, kind, name_words, place, scope,
        target,
    },
    seek::search,
    words::{Word, shouted, stem, words},
};

/// Polite words and beginnings that say nothing about what is wanted.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "please", "pls", "plz", "kindly", "hi", "hello", "hey", "hallo", "good", "morning", "afternoon", "can", "could",
    "would", "will", "may", "might", "you", "i", "i'd", "i'm", "id", "am", "we", "want", "wanna", "need", "like",
    "love", "to", "just", "let", "let's", "me", "us", "help", "tell", "ok", "okay", "so", "now", "also", "then",
    "and", "quickly", "possible", "maybe", "if", "know", "there,", "dear",
];
const FINDS: &[&str] = &["find", "locate", "where", "where's", "wheres", "looking", "look", "search"];
const LISTS: &[&str] =
    &["list", "ls", "dir", "what", "what's", "whats", "which", "show", "display", "see", "give", "view", "get"];
const READS: &[&str] = &[
    "read", "show", "open", "display", "view", "see", "cat", "look", "content", "contents", "say", "says", "get",
    "give", "check", "pull", "bring",
];

pub fn understand(text: &str) -> Intent {
    if let Some(parts) = several(text) {
        return in_order(parts);
    }
    let all = words(text);
    let skipped = all.iter().take_while(|word| word.is(FILLERS)).count();
    let asked = &all[skipped..];
    if asked.is_empty() {
        return Intent::Decline(Reason::Greeting);
    }
    let loud = shouted(text);
    if let Some(act) = act(text, asked, loud) {
        return Intent::Act(act);
    }
    if let Some(reason) = declined(asked) {
        return Intent::Decline(reason);
    }
    let intent = compare(asked, loud)
        .or_else(|| search(asked, loud))
        .or_else(|| many_files(asked))
        .or_else(|| count(asked, loud))
        .or_else(|| columns(asked, loud))
        .or_else(|| line_range(asked, loud))
        .or_else(|| extreme(asked, loud))
        .or_else(|| find(asked, loud))
        .or_else(|| list(asked, loud))
        .or_else(|| read(asked, loud));
    intent.unwrap_or(Intent::Decline(Reason::Unclear))
}

/// All parts, or none: half of what was asked may be worse than nothing.
fn in_order(parts: Vec<&str>) -> Intent {
    let intents: Vec<(String, Intent)> = parts.iter().map(|part| ((*part).to_owned(), understand(part))).collect();
    match intents.iter().find_map(|(_, intent)| if let Intent::Decline(reason) = intent { Some(*reason) } else { None })
    {
        Some(reason) => Intent::Decline(reason),
        None => Intent::Several(intents),
    }
}

/// The file that a message names when it is nothing but that: an answer to "which one?", or "what about README.md?".
pub fn bare_target(text: &str) -> Option<(Target, Lead)> {
    let all = words(text);
    let lead = all.iter().take_while(|word| word.is(FILLERS) || word.is(&["what", "how", "about", "the"])).count();
    let again = all[..lead].iter().any(|word| word.is(&["and", "about", "also"]));
    let rest = &all[lead..];
    let names_only = rest.len() <= 4 && rest.iter().all(|word| !word.is(READS) && !word.is(FINDS) && !word.is(LISTS));
    let target = target(rest, shouted(text)).filter(|target| names_only && *target != Target::Last)?;
    Some((target, if again { Lead::SameAgain } else { Lead::Plain }))
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lead {
    Plain,
    /// "And README.md?", "what about README.md?": what was asked last, of another file.
    SameAgain,
}

/// "Show more", "go on", "next".
pub fn asks_for_more(text: &str) -> bool {
    let all = words(text);
    let says_more = all.iter().any(|word| word.is(&["more", "next", "continue", "rest", "on"]));
    let rest: &[&str] =
        &["show", "the", "go", "more", "next", "continue", "rest", "on", "read", "lines", "page", "see", "yes"];
    says_more && all.iter().all(|word| word.is(FILLERS) || word.is(rest))
}

fn compare(words: &[Word], loud: bool) -> Option<Intent> {
    #[rustfmt::skip]
    const COMPARES: &[&str] = &[
        "compare", "compares", "comparing", "compair", "comparison", "diff", "difference", "differences", "differ",
        "differs", "different", "versus", "vs", "changed", "changes", "same", "identical", "equal",
    ];
    let at = words.iter().position(|word| word.like(COMPARES))?;
    let (before, after) = (&words[..at], &words[at + 1..]);
    if words[at].is(&["changed", "changes"]) && !after.iter().any(|word| word.is(&["between", "from"])) {
        return None;
    }
    if let Some((left, right)) = pair(after, loud).or_else(|| pair(before, loud)) {
        return Some(Intent::Compare(left, right));
    }
    // "The same file" is no comparison; two names are needed.
    if words[at].is(&["same", "identical", "equal"]) {
        return None;
    }
    let other = target(after, loud);
    if words[at].is(&["compare", "compair", "comparing"])
        || before.iter().all(|word| target(std::slice::from_ref(word), loud).is_none())
    {
        return match other? {
            Target::Named(names) => Some(Intent::ComparePair(names)),
            _ => None,
        };
    }
    Some(Intent::Compare(target(before, loud)?, other?))
}

fn pair(words: &[Word], loud: bool) -> Option<(Target, Target)> {
    let splits = |word: &Word| word.is(&["and", "with", "to", "vs", "versus", "against", "&", "from"]);
    let at = words.iter().enumerate().filter(|(_, word)| splits(word));
    at.into_iter().find_map(|(at, _)| Some((target(&words[..at], loud)?, target(&words[at + 1..], loud)?)))
}

/// Two files named, and no comparison: to take the first alone would be half an answer.
fn many_files(words: &[Word]) -> Option<Intent> {
    let files = words.iter().filter(|word| is_file_like(word)).count();
    (files > 1).then_some(Intent::Decline(Reason::ManyFiles))
}

/// "How many", "count", "number of", "word count".
fn count(words: &[Word], loud: bool) -> Option<Intent> {
    let at = words.iter().enumerate().position(|(at, word)| counts(words, at, word))?;
    let rest = &words[at + 1..];
    let units = units(words);
    if units != Units::default() {
        if let (_, Some(Scope::Everywhere | Scope::Folder(_))) = split_place(rest, loud) {
            return Some(Intent::Decline(Reason::ManyFiles));
        }
        let target = target(rest, loud).or_else(|| target(&words[..at], loud)).unwrap_or(Target::Last);
        return Some(Intent::File(target, FileAsk::Count(units)));
    }
    let (outside, scope) = split_place(rest, loud);
    let kind = kind(outside);
    let noun = outside.iter().any(|word| is_file_noun(word) || is_folder_noun(word));
    if kind.is_some() {
        let query = FileQuery { kind, name: file_names(outside), scope: folder_scope(scope), maybe_text: false };
        return Some(Intent::Find(query, FindAsk::Count));
    }
    let names = file_names(outside);
    let both = Units { lines: true, words: true, ..units };
    match scope {
        Some(Scope::File(target)) if names.is_empty() => Some(Intent::File(target, FileAsk::Count(both))),
        Some(Scope::File(target)) if words[at].like(&["count"]) => Some(occurrences(names.join(" "), target)),
        // "How many hotels are in the ledger": a question about what the text means.
        Some(Scope::File(_)) => Some(Intent::Decline(Reason::Calculate)),
        Some(scope @ Scope::Folder(_)) => Some(Intent::List(scope, ListAsk::Count)),
        scope if noun && names.is_empty() => Some(Intent::List(folder_scope(scope), ListAsk::Count)),
        _ => target(rest, loud)
            .filter(|target| matches!(target, Target::Path(_) | Target::Pattern(_) | Target::Last))
            .map(|target| Intent::File(target, FileAsk::Count(both))),
    }
}

fn occurrences(needle: String, file: Target) -> Intent {
    Intent::Search(Search { needle, scope: Scope::File(file), tail: None, kind: None, ask: SearchAsk::Count })
}

fn counts(words: &[Word], at: usize, word: &Word) -> bool {
    let next = |list: &[&str]| words.get(at + 1).is_some_and(|next| next.is(list));
    (word.is(&["how"]) && next(&["many", "long"]))
        || (word.is(&["number"]) && next(&["of"]))
        || word.like(&["count", "howmany"])
        || word.is(&["wc"])
}

fn units(words: &[Word]) -> Units {
    // "Word documents" are a kind of file and not a unit.
    let unit = |list: &[&str]| {
        words.iter().enumerate().any(|(at, word)| word.like(list) && !words.get(at + 1).is_some_and(is_file_noun))
    };
    let long = words.windows(2).any(|pair| pair[0].is(&["how"]) && pair[1].is(&["long"]));
    Units {
        lines: unit(&["line", "lines"]) || long,
        words: unit(&["word", "words"]) || long,
        columns: unit(&["column", "columns", "colums", "cols", "fields"]),
        rows: unit(&["row", "rows", "records", "entries"]),
    }
}

/// "Which columns are in X", "the header of X".
fn columns(words: &[Word], loud: bool) -> Option<Intent> {
    let at = words.iter().position(|word| word.like(&["columns", "header", "headers", "headings"]))?;
    let target = target(&words[at + 1..], loud).unwrap_or(Target::Last);
    Some(Intent::File(target, FileAsk::Count(Units { columns: true, ..Units::default() })))
}

/// The newest, oldest, biggest, smallest file.
fn extreme(words: &[Word], loud: bool) -> Option<Intent> {
    let has = |list: &[&str]| words.iter().any(|word| word.like(list));
    let file = words.iter().any(|word| is_file_noun(word) || is_kind_word(word));
    let list_ask = if has(&["biggest", "largest"]) {
        Some(ListAsk::Biggest)
    } else {
        has(&["smallest"]).then_some(ListAsk::Smallest)
    };
    let (outside, scope) = split_place(words, loud);
    if let Some(ask) = list_ask.filter(|_| file) {
        return Some(Intent::List(folder_scope(scope), ask));
    }
    let recency: &[&str] = &["newest", "latest", "recent", "oldest"];
    let ask = if has(&["oldest"]) { FindAsk::Oldest } else { FindAsk::Newest };
    let name: Vec<String> =
        file_names(outside).into_iter().filter(|name| !recency.contains(&name.as_str()) && name != "most").collect();
    let query = FileQuery { kind: kind(outside), name, scope: folder_scope(scope), maybe_text: false };
    (has(recency) && (file || query.name.len() == 1)).then_some(Intent::Find(query, ask))
}

fn find(words: &[Word], loud: bool) -> Option<Intent> {
    let found = |word: &Word| word.like(FINDS);
    let verb = words
        .iter()
        .position(found)
        .filter(|at| !words[*at].is(&["look"]) || words.get(at + 1).is_some_and(|w| w.is(&["for"])));
    let named = words.iter().any(|word| word.is(&["named", "called", "titled"]))
        || words
            .windows(2)
            .any(|pair| pair[0].is(&["in", "the"]) && pair[1].is(&["name", "names", "title", "filename"]));
    let rest = verb.map_or(words, |at| &words[at + 1..]);
    let (outside, scope) = match split_place(rest, loud) {
        // "The email from Bob", "the minutes of May": no place but a part of the name.
        (outside, Some(Scope::Loose(_))) if rest.get(outside.len()).is_some_and(|word| word.is(&["from", "of"])) => {
            (rest, None)
        }
        split => split,
    };
    let kind = kind(outside);
    let listed = words.iter().any(|word| word.is(LISTS) || word.is(&["are", "is", "do", "have", "any", "all"]));
    let file_like = outside.iter().any(is_file_like);
    if verb.is_none() && !(named || (kind.is_some() && listed && !file_like)) {
        return None;
    }
    let name = file_names(outside);
    let any_noun = words.iter().any(|word| is_file_noun(word) || is_folder_noun(word));
    if words.iter().any(is_folder_noun) && kind.is_none() && !words.iter().any(is_file_noun) {
        return list(words, loud);
    }
    if name.is_empty() && kind.is_none() {
        return any_noun.then(|| Intent::List(folder_scope(scope), ListAsk::Entries));
    }
    let maybe_text =
        kind.is_none() && !named && !any_noun && !file_like && !words.iter().any(|word| word.is(&["where", "where's"]));
    Some(Intent::Find(FileQuery { kind, name, scope: folder_scope(scope), maybe_text }, FindAsk::Names))
}

fn list(words: &[Word], loud: bool) -> Option<Intent> {
    let verb = words.iter().any(|word| word.like(LISTS) || word.is(FINDS));
    let (outside, scope) = split_place(words, loud);
    let asks_for_what = words[0].is(&["what", "what's", "whats", "which"])
        || words[0].like(&["list", "content", "contents"])
        || words[0].is(&["ls", "dir"]);
    let plural =
        words.iter().any(|word| word.is(&["files", "documents", "docs", "everything"]) || is_folder_noun(word));
    let outside_names: Vec<String> = name_words(outside).into_iter().filter(|name| !is_list_verb(name)).collect();
    match scope {
        Some(Scope::Folder(folder)) if verb || asks_for_what => {
            Some(Intent::List(Scope::Folder(folder), ListAsk::Entries))
        }
        Some(Scope::Everywhere) if (verb || asks_for_what) && outside_names.is_empty() => {
            Some(Intent::List(Scope::Everywhere, ListAsk::Entries))
        }
        Some(Scope::File(target)) if asks_for_what && outside_names.is_empty() => {
            Some(Intent::File(target, FileAsk::Read))
        }
        Some(Scope::Loose(names)) if asks_for_what && outside_names.is_empty() => Some(Intent::Look(names)),
        _ if !verb => None,
        None if plural => listed_without_preposition(words, loud),
        None if words[0].like(&["list"]) || words[0].is(&["ls", "dir"]) => listed_without_preposition(words, loud),
        None if asks_for_what && words.iter().any(|word| word.is(&["here"])) => {
            Some(Intent::List(Scope::Everywhere, ListAsk::Entries))
        }
        _ => None,
    }
}

fn is_list_verb(name: &str) -> bool {
    LISTS.contains(&name.to_lowercase().as_str())
}

/// "List invoices/archive/", "show the invoices folder", "which files do we have".
fn listed_without_preposition(words: &[Word], loud: bool) -> Option<Intent> {
    let rest: Vec<Word> =
        words.iter().filter(|word| !word.like(&["list", "show"]) && !word.is(LISTS)).cloned().collect();
    match scope(&rest, loud) {
        Some(Scope::Folder(folder)) => Some(Intent::List(Scope::Folder(folder), ListAsk::Entries)),
        // A path without an extension in a request to list is a folder's.
        Some(Scope::File(Target::Path(path))) if !path.rsplit('/').next().unwrap_or_default().contains('.') => {
            Some(Intent::List(Scope::Folder(path), ListAsk::Entries))
        }
        Some(Scope::Loose(names)) => Some(Intent::Look(names)),
        Some(Scope::File(target)) => Some(Intent::File(target, FileAsk::Read)),
        Some(Scope::Everywhere) | None => Some(Intent::List(Scope::Everywhere, ListAsk::Entries)),
    }
}

fn read(words: &[Word], loud: bool) -> Option<Intent> {
    let verb = words.iter().position(|word| word.like(READS));
    let folder = words.iter().find(|word| !word.quoted && (is_folder_path(&word.raw) || word.raw.ends_with('/')));
    if let Some(folder) = folder.filter(|word| word.raw.len() > 1 && (verb.is_some() || words.len() == 1)) {
        return scope(std::slice::from_ref(folder), loud).map(|scope| Intent::List(scope, ListAsk::Entries));
    }
    let Some(verb) = verb else {
        let only_a_file = words.len() <= 3 && words.iter().any(is_file_like);
        return only_a_file.then(|| target(words, loud).map(|target| Intent::File(target, FileAsk::Read)))?;
    };
    let target = target(&words[verb + 1..], loud).or_else(|| target(&words[..verb], loud))?;
    Some(Intent::File(target, FileAsk::Read))
}

/// The words without the phrase that says where, and where.
pub fn split_place(words: &[Word], loud: bool) -> (&[Word], Option<Scope>) {
    match place(words, loud) {
        Some((at, scope)) => (&words[..at], Some(scope)),
        None => (words, None),
    }
}

/// Where files are looked for: a name after "in" is a folder's.
fn folder_scope(scope: Option<Scope>) -> Scope {
    match scope {
        Some(Scope::Loose(names)) => Scope::Folder(names.join(" ")),
        Some(Scope::Folder(folder)) => Scope::Folder(folder),
        Some(Scope::Everywhere | Scope::File(_)) | None => Scope::Everywhere,
    }
}

/// Parts of a file name; a quoted part stays whole, kinds of file are no names.
fn file_names(words: &[Word]) -> Vec<String> {
    let named: Vec<Word> = words.iter().filter(|word| !is_kind_word(word)).cloned().collect();
    name_words(&named).into_iter().filter(|name| !stem(name).is_empty()).collect()
}
