//! Recognises what this model can't do, before anything else: a request that only looks doable must not be acted on.

use super::{
    intent::Reason,
    phrase::{is_file_like, is_folder_noun},
    words::Word,
};

#[rustfmt::skip]
const WRITE: &[&str] = &[
    "write", "draft", "compose", "send", "email", "mail", "reply", "answer", "respond", "generate", "print",
    "forward", "prepare", "formulate", "plot", "draw", "design", "build", "program",
];
#[rustfmt::skip]
const CHANGE: &[&str] = &[
    "rm", "mv", "cp", "del", "mkdir", "touch", "turn", "transform", "delete", "remove", "erase", "rename", "move", "copy", "edit", "change", "modify", "update", "replace", "create",
    "make", "add", "insert", "append", "fix", "correct", "convert", "export", "save", "upload", "download", "merge",
    "combine", "sort", "clean", "format", "reformat", "overwrite", "duplicate", "trash", "drop", "zip", "unzip",
    "undo", "tidy", "restore", "split", "install", "run", "execute", "archive", "put", "set", "mark", "sign",
    "share", "lock",
];
const SUMMARISE: &[&str] = &["summarise", "summarize", "summerize", "shorten", "condense", "outline", "recap"];
const TRANSLATE: &[&str] = &["translate"];
const CALCULATE: &[&str] = &["calculate", "compute", "sum", "multiply", "subtract", "divide", "reconcile", "average"];
#[rustfmt::skip]
const EXPLAIN: &[&str] = &[
    "explain", "analyse", "analyze", "describe", "suggest", "recommend", "proofread", "improve", "organise",
    "organize", "rewrite", "rephrase", "schedule", "book", "remind", "call", "buy", "order", "interpret", "evaluate",
    "review", "decide", "predict", "forecast", "plan", "advise", "teach",
];
const FIGURES: &[&str] =
    &["sum", "total", "totals", "average", "mean", "median", "percentage", "maximum", "minimum", "profit", "revenue"];
const GREETINGS: &[&str] = &["hi", "hello", "hey", "hallo", "thanks", "thank", "help", "bye"];
/// Words after which a verb is what the person wants done.
const BEFORE_A_VERB: &[&str] =
    &["and", "then", "to", "please", "pls", "you", "also", "or", "we", "i", "let's", "me", "us"];

/// `words` come without the polite words in front.
pub fn declined(words: &[Word]) -> Option<Reason> {
    let first = words.first()?;
    let asks_abilities = first.is(&["what"])
        && words.get(1).is_some_and(|word| word.is(&["can"]))
        && words.get(2).is_some_and(|word| word.is(&["i", "you", "u", "we"]));
    if asks_abilities {
        return Some(Reason::Greeting);
    }
    if first.is(GREETINGS) && words.len() <= 4 {
        return Some(Reason::Greeting);
    }
    let verb = words.iter().enumerate().filter(|(at, _)| is_verb_place(words, *at));
    verb.into_iter()
        .find_map(|(at, _)| forbidden_verb(words, at))
        .or_else(|| question(words))
        .or_else(|| product(words))
        .or_else(|| criterion(words))
        .or_else(|| foreign(words))
}

fn is_verb_place(words: &[Word], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|index| &words[index]) else { return true };
    before.is(BEFORE_A_VERB) || (before.ends_clause && !before.quoted)
}

fn forbidden_verb(words: &[Word], at: usize) -> Option<Reason> {
    const VERBS: [(&[&str], Reason); 6] = [
        (CHANGE, Reason::Change),
        (WRITE, Reason::Write),
        (SUMMARISE, Reason::Summarise),
        (TRANSLATE, Reason::Translate),
        (CALCULATE, Reason::Calculate),
        (EXPLAIN, Reason::Explain),
    ];
    // "The archive folder" names a folder; "archive the folder" is a wish.
    if words.get(at + 1).is_some_and(is_folder_noun) && words[at].is(&["archive", "draft", "mail", "email", "share"]) {
        return None;
    }
    let adds_up = words[at].is(&["add"]) && words.get(at + 1).is_some_and(|next| next.is(&["up"]));
    if adds_up {
        return Some(Reason::Calculate);
    }
    VERBS.iter().find(|(verbs, _)| words[at].like(verbs)).map(|(_, reason)| *reason)
}

/// Questions about the world, and questions that need understanding or arithmetic.
fn question(words: &[Word]) -> Option<Reason> {
    let first = words.first()?;
    let second = |list: &[&str]| words.get(1).is_some_and(|word| word.is(list));
    if first.is(&["how"]) && second(&["much"]) {
        return Some(Reason::Calculate);
    }
    let compares = words.iter().any(|word| word.like(&["differ", "different", "compare"]));
    let counts = second(&["many", "often", "long"]) || (compares && second(&["do", "does", "is", "are"]));
    if first.is(&["how"]) && !counts {
        return Some(Reason::Explain);
    }
    if first.is(&["why", "when", "who", "who's", "should", "whose", "whom"])
        || words.windows(2).any(|pair| pair[0].is(&["how"]) && pair[1].is(&["to"]))
    {
        return Some(Reason::Explain);
    }
    let asks = first.is(&["what", "what's", "whats", "give", "get", "tell", "show", "work", "count", "total", "how"]);
    let figure = words.iter().position(|word| word.is(FIGURES))?;
    let counts = words[figure..].iter().any(|word| word.is(&["number", "lines", "words", "rows", "columns", "files"]));
    let about_text = words[..figure]
        .iter()
        .any(|word| word.like(&["mention", "mentions", "contain", "contains", "word", "called", "named"]));
    (asks && !counts && !about_text).then_some(Reason::Calculate)
}

/// "A short summary of …": something that would have to be made.
fn product(words: &[Word]) -> Option<Reason> {
    const GIVES: &[&str] =
        &["give", "make", "write", "show", "need", "want", "provide", "get", "create", "do", "produce", "a", "an"];
    const ARTICLES: &[&str] = &["a", "an", "short", "brief", "quick", "concise", "good", "new", "nice"];
    const MADE: [(&[&str], Reason); 3] = [
        (&["summary", "overview", "synopsis", "digest"], Reason::Summarise),
        (&["translation"], Reason::Translate),
        (
            &[
                "email",
                "mail",
                "letter",
                "reply",
                "report",
                "presentation",
                "chart",
                "graph",
                "plan",
                "proposal",
                "poem",
                "joke",
            ],
            Reason::Write,
        ),
    ];
    let gives = words.first().is_some_and(|word| word.is(GIVES));
    let made = |at: usize| MADE.iter().find(|(things, _)| words[at].like(things)).map(|(_, reason)| *reason);
    let wanted = (1..words.len()).filter(|at| words[at - 1].is(ARTICLES));
    wanted.into_iter().find_map(made).filter(|_| gives)
}

/// What files are not found by. To look for these words in names or text instead would be an answer to something else.
fn criterion(words: &[Word]) -> Option<Reason> {
    const NEGATIONS: &[&str] =
        &["not", "don't", "dont", "doesn't", "doesnt", "didn't", "isn't", "aren't", "without", "except", "never"];
    #[rustfmt::skip]
    const PROPERTIES: &[&str] = &[
        "duplicate", "duplicates", "empty", "bigger", "larger", "smaller", "older", "newer", "modified", "edited",
        "created", "since", "yesterday", "hidden", "unused", "similar", "size",
    ];
    // Behind one of these stands what is looked for, and that may be any word.
    let sought = words.iter().position(|word| {
        word.like(&["mention", "mentions", "contain", "contains", "containing", "phrase", "about"])
            || word.is(&["for", "word", "named", "called"])
    });
    let open = &words[..sought.unwrap_or(words.len())];
    let seeks = words.first().is_some_and(|word| {
        word.like(&["find", "list", "show", "search", "locate"]) || word.is(&["which", "what", "are", "any"])
    });
    let texts = words.iter().filter(|word| word.quoted && !is_file_like(word)).count();
    let several = texts > 1 || (sought.is_some() && words.iter().any(|word| word.is(&["both", "either"])));
    if several || words.windows(2).any(|pair| pair[0].is(&["find"]) && pair[1].is(&["out"])) {
        return Some(Reason::Criterion);
    }
    let property = seeks && open.iter().any(|word| word.is(PROPERTIES));
    (property || open.iter().any(|word| word.is(NEGATIONS))).then_some(Reason::Criterion)
}

/// "Read it in French."
fn foreign(words: &[Word]) -> Option<Reason> {
    const LANGUAGES: &[&str] =
        &["english", "french", "german", "spanish", "italian", "dutch", "polish", "turkish", "chinese"];
    let in_one = |pair: &[Word]| pair[0].is(&["in", "into", "to"]) && pair[1].is(LANGUAGES);
    words.windows(2).any(in_one).then_some(Reason::Translate)
}
