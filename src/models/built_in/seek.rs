//! Requests that look for text inside files: what is looked for, and where.

use super::{
    intent::{Intent, Scope, Search, SearchAsk, Target},
    phrase::{PREPOSITIONS, is_file_like, is_file_noun, kind, place, target},
    understand::split_place,
    words::Word,
};

#[rustfmt::skip]
const MENTIONS: &[&str] = &[
    "mention", "mentions", "mentioned", "mentioning", "contain", "contains", "containing", "include", "includes",
    "including", "reference", "references", "referencing", "appear", "appears", "occur", "occurs", "occurrences",
];
const SEARCHES: &[&str] = &["search", "searching", "grep", "scan"];
const MARKERS: &[&str] = &["word", "phrase", "string", "term", "expression", "keyword", "sentence", "words"];
const ANYTHING: &[&str] = &["anything", "something", "everything", "info", "information", "say", "says"];
#[rustfmt::skip]
const BEFORE_NEEDLE: &[&str] = &[
    "for", "the", "a", "an", "any", "all", "word", "words", "phrase", "text", "term", "string", "expression",
    "keyword", "mentions", "mention", "occurrences", "of", "to", "anything", "something", "about", "regarding",
    "concerning", "on", "lines", "line", "that", "which", "with", "containing", "contain", "contains", "is", "are",
    "was", "do", "does", "has", "where", "where's", "me", "every", "entries", "files", "file", "what", "term",
    "name",
];
#[rustfmt::skip]
const AFTER_NEEDLE: &[&str] = &[
    "please", "pls", "appear", "appears", "occur", "occurs", "mentioned", "come", "comes", "up", "show", "shows",
    "used", "found", "be", "is", "are", "get", "gets", "anywhere", "somewhere", "thanks", "in", "written",
];

pub fn search(words: &[Word], loud: bool) -> Option<Intent> {
    if is_about_names(words) {
        return None;
    }
    how_often(words, loud)
        .or_else(|| mention(words, loud))
        .or_else(|| about(words, loud))
        .or_else(|| search_verb(words, loud))
        .or_else(|| find_text(words, loud))
        .map(Intent::Search)
}

fn is_about_names(words: &[Word]) -> bool {
    let names: &[&str] = &["name", "names", "title", "filename", "filenames"];
    words.iter().any(|word| word.is(&["named", "called", "titled"]))
        || words.windows(2).any(|pair| pair[0].is(&["in", "the", "its", "their", "with"]) && pair[1].is(names))
        || words.windows(2).any(|pair| is_file_noun(&pair[0]) && pair[1].is(names))
}

/// "How often does X appear", "how many times is X mentioned".
fn how_often(words: &[Word], loud: bool) -> Option<Search> {
    let often = words.iter().position(|word| word.is(&["often", "times", "occurrences"]))?;
    let appears =
        words.iter().any(|word| word.like(MENTIONS) || word.is(&["used", "come", "comes", "found", "show", "shows"]));
    let asked = appears && words[..often].iter().any(|word| word.is(&["how", "many", "count", "number"]));
    asked.then(|| looked_for(&words[often + 1..], &[], SearchAsk::Count, loud))?
}

/// "Which files mention X", "does Y contain X", "where is X mentioned".
fn mention(words: &[Word], loud: bool) -> Option<Search> {
    let thing = |word: &Word| is_file_noun(word) || word.is(&["line", "lines", "row", "rows"]);
    let has = |at: usize| at > 0 && words[at].is(&["with", "having", "have", "has"]) && thing(&words[at - 1]);
    let at = (0..words.len()).find(|at| words[*at].like(MENTIONS) || has(*at))?;
    let (subject, object) = (&words[..at], &words[at + 1..]);
    let counted =
        subject.iter().any(|word| word.is(&["line", "lines"])) && subject.iter().any(|word| word.is(&["many"]));
    let ask = if counted { SearchAsk::Count } else { files_or_lines(subject) };
    let has_object = object.first().is_some_and(|word| !word.is(PREPOSITIONS) && !word.is(AFTER_NEEDLE));
    if has_object {
        return looked_for(object, subject, ask, loud);
    }
    // "X is mentioned in Y": what is looked for stands in front.
    let mut found = looked_for(subject, &[], SearchAsk::Lines, loud)?;
    if let Some((_, scope)) = place(object, loud) {
        set_scope(&mut found, scope);
    }
    Some(found)
}

/// "Is there anything about X", "what does Y say about X".
fn about(words: &[Word], loud: bool) -> Option<Search> {
    let on = |at: usize| at > 0 && words[at].is(&["on"]) && words[at - 1].is(ANYTHING);
    let at = (0..words.len()).find(|at| words[*at].is(&["about", "regarding", "concerning"]) || on(*at))?;
    let subject = &words[..at];
    let talks = subject
        .last()
        .is_some_and(|word| word.is(ANYTHING) || is_file_noun(word) || word.is(&["talk", "talks", "lines"]));
    talks.then(|| looked_for(&words[at + 1..], subject, files_or_lines(subject), loud))?
}

/// "Search Y for X", "look for X in Y".
fn search_verb(words: &[Word], loud: bool) -> Option<Search> {
    let looks =
        |at: usize| words[at].is(&["look", "looking", "check"]) && words[at + 1..].iter().any(|word| word.is(&["for"]));
    let at = (0..words.len()).find(|at| words[*at].like(SEARCHES) || looks(*at))?;
    let rest = &words[at + 1..];
    let Some(split) = rest.iter().position(|word| word.is(&["for"])) else {
        let file = rest.iter().take(2).any(is_file_noun);
        return (!file).then(|| looked_for(rest, &[], SearchAsk::Lines, loud))?;
    };
    // "Look for the file X" is about a name.
    let object = &rest[split + 1..];
    if object.iter().take(3).any(is_file_noun) && !object.iter().any(|word| word.is(MARKERS) || word.quoted) {
        return None;
    }
    if object.iter().any(is_file_noun) && object.iter().any(|word| kind(std::slice::from_ref(word)).is_some()) {
        return None;
    }
    looked_for(object, &rest[..split], SearchAsk::Lines, loud)
}

/// "Find the word X", "find 'X' in Y", "find X in notes.txt".
fn find_text(words: &[Word], loud: bool) -> Option<Search> {
    let at = words.iter().position(|word| {
        word.like(&["find", "locate", "show"]) || word.is(&["where", "where's", "which", "what", "is"])
    })?;
    let rest = &words[at + 1..];
    let marker = rest.iter().position(|word| word.is(MARKERS) && !word.quoted);
    let followed = marker.filter(|at| {
        rest.get(at + 1).is_some_and(|next| !next.is(PREPOSITIONS) && !is_file_noun(next) && !next.is(&["count"]))
    });
    if let Some(marker) = followed.filter(|_| !words.iter().any(|word| word.is(&["many", "count"]))) {
        return looked_for(&rest[marker + 1..], &rest[..marker], files_or_lines(&words[..at + marker]), loud);
    }
    if !words[at].like(&["find", "locate"]) || rest.iter().any(is_file_noun) {
        return None;
    }
    let (outside, scope) = split_place(rest, loud);
    let at_place = rest.get(outside.len()).is_some_and(|word| !word.is(&["from", "of"]));
    let in_file = match scope {
        Some(Scope::File(_)) => true,
        // A kind of file, or a name like "policy.md", is looked for among the names.
        Some(Scope::Loose(_)) => at_place && kind(outside).is_none() && !outside.iter().any(is_file_like),
        Some(Scope::Folder(_) | Scope::Everywhere) | None => false,
    };
    let quoted = outside.iter().any(|word| {
        word.quoted && target(std::slice::from_ref(word), loud).is_some_and(|t| matches!(t, Target::Named(_)))
    });
    (in_file || quoted).then(|| looked_for(rest, &[], SearchAsk::Lines, loud))?
}

fn files_or_lines(subject: &[Word]) -> SearchAsk {
    let files = subject.iter().any(is_file_noun) || kind(subject).is_some();
    if files && !points_back(subject) { SearchAsk::Files } else { SearchAsk::Lines }
}

/// `object` holds what is looked for and perhaps where; `subject` may say where, too.
fn looked_for(object: &[Word], subject: &[Word], ask: SearchAsk, loud: bool) -> Option<Search> {
    let (outside, behind) = match place(object, loud) {
        Some((at, scope)) if at > 0 => (&object[..at], Some((&object[at..], scope))),
        _ => (object, None),
    };
    let needle = needle(outside)?;
    let quoted = outside.iter().any(|word| word.quoted);
    let mut found = Search { needle, scope: Scope::Everywhere, tail: None, kind: kind(subject), ask };
    if let Some(scope) = subject_scope(subject, loud) {
        found.scope = scope;
    }
    if let Some((tail, scope)) = behind {
        set_scope(&mut found, scope);
        let raw: Vec<&str> = tail.iter().map(|word| word.raw.as_str()).collect();
        found.tail = (!quoted && matches!(found.scope, Scope::Loose(_))).then(|| raw.join(" "));
    }
    Some(found)
}

fn set_scope(found: &mut Search, scope: Scope) {
    if matches!(scope, Scope::File(_)) && found.ask == SearchAsk::Files {
        found.ask = SearchAsk::Lines;
    }
    found.scope = scope;
}

/// "Does the travel policy …", "which files in invoices …", "search invoices for …".
fn subject_scope(subject: &[Word], loud: bool) -> Option<Scope> {
    if let Some((_, scope)) = place(subject, loud) {
        return Some(scope);
    }
    let meaningful: Vec<Word> = subject
        .iter()
        .filter(|word| kind(std::slice::from_ref(word)).is_none() && !word.is(ANYTHING))
        .cloned()
        .collect();
    match target(&meaningful, loud)? {
        Target::Named(names) => Some(Scope::Loose(names)),
        Target::Last => points_back(subject).then_some(Scope::File(Target::Last)),
        file => Some(Scope::File(file)),
    }
}

/// "It", "this file", "that document"; not the "that" of "files that mention".
fn points_back(subject: &[Word]) -> bool {
    let pair = |pair: &[Word]| pair[0].is(&["this", "that", "the", "same"]) && pair[1].is(&["file", "document", "doc"]);
    subject.iter().any(|word| word.is(&["it"])) || subject.windows(2).any(pair)
}

fn needle(words: &[Word]) -> Option<String> {
    if let Some(quoted) = words.iter().find(|word| word.quoted) {
        return Some(quoted.raw.clone());
    }
    let start = words.iter().take_while(|word| word.is(BEFORE_NEEDLE)).count();
    let mut kept = &words[start..];
    while let [front @ .., last] = kept {
        let polite = last.is(&["me", "us"]) && front.last().is_some_and(|word| word.is(&["for"]));
        kept = match front {
            [rest @ .., _] if polite => rest,
            _ if last.is(AFTER_NEEDLE) => front,
            _ => break,
        };
    }
    let text: Vec<&str> = kept.iter().map(|word| word.raw.as_str()).collect();
    (!text.is_empty()).then(|| text.join(" "))
}
