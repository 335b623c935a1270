//! The things that a request names: files, folders, kinds of file.

use super::{
    intent::{Scope, Target},
    words::Word,
};

pub const PREPOSITIONS: &[&str] = &["in", "inside", "within", "under", "from", "into", "of", "inside of"];
const FOLDER: &[&str] = &["folder", "folders", "directory", "directories", "subfolder", "dir"];
const FILE: &[&str] = &["file", "files", "document", "documents", "doc", "docs"];
const PRONOUNS: &[&str] = &["it", "that", "this", "its", "same", "previous", "last", "them"];
/// Words of a request that are never part of a file's name, unless they are quoted.
#[rustfmt::skip]
const NOISE: &[&str] = &[
    "talk", "talks", "talking", "written", "discuss", "check", "whether", "if", "verify", "everything", "anything",
    "something", "having", "a", "an", "the", "teh", "th", "my", "our", "your", "their", "his", "her", "all", "any", "every", "each", "some",
    "one", "ones", "both", "please", "pls", "plz", "thanks", "thank", "you", "me", "us", "i", "we", "they", "there",
    "there's", "here", "now", "just", "also", "again", "too", "quickly", "only", "whole", "full", "entire",
    "complete", "current", "is", "are", "was", "were", "be", "do", "does", "did", "has", "have", "had", "can",
    "could", "would", "will", "may", "get", "got", "give", "tell", "let", "let's", "want", "need", "like", "with",
    "without", "for", "about", "to", "on", "at", "by", "and", "or", "in", "inside", "within", "under", "from",
    "into", "of", "between", "against", "vs", "versus", "what", "what's", "whats", "which", "where", "where's",
    "who", "whose", "how", "many", "much", "that's", "these", "those", "file", "files", "filename", "document",
    "documents", "doc", "docs", "folder", "folders", "directory", "directories", "content", "contents", "text",
    "texts", "name", "names", "named", "called", "titled", "labelled", "title", "say", "says", "read", "show",
    "open", "display", "view", "see", "look", "looks", "looking", "find", "search", "locate", "list", "compare",
    "count", "number", "lines", "line", "words", "word", "rows", "row", "columns", "column", "colums", "fields",
    "records", "entries", "first", "last", "top", "bottom", "head", "tail", "hold", "holds", "contain", "contains",
    "up", "out", "exactly", "currently", "total", "stored", "located", "saved", "exist", "exists", "put", "keep",
    "kept", "got", "today", "anywhere", "somewhere", "everywhere", "yet",
];
const ORDINALS: &[&str] =
    &["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// Kinds of file as people call them. Longer phrases stand before their parts.
const KINDS: &[(&[&str], &str)] = &[
    (&["word"], "*.{doc,docx,odt,rtf}"),
    (&["excel"], "*.{xls,xlsx,ods}"),
    (&["powerpoint"], "*.{ppt,pptx,odp}"),
    (&["spreadsheet", "spreadsheets"], "*.{csv,tsv,xls,xlsx,ods}"),
    (&["presentation", "presentations", "slides"], "*.{ppt,pptx,odp}"),
    (&["picture", "pictures", "image", "images", "photo", "photos"], "*.{png,jpg,jpeg,gif,webp,svg,heic,bmp,tif,tiff}"),
    (&["markdown"], "*.{md,markdown}"),
    (&["text"], "*.txt"),
];
const EXTENSIONS: &[&str] = &[
    "csv", "tsv", "txt", "md", "pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "ppt", "pptx", "odp", "json",
    "xml", "html", "yaml", "yml", "toml", "log", "zip", "png", "jpg", "jpeg", "gif", "svg", "eml", "ics", "py", "sql",
];

pub fn is_noise(word: &Word) -> bool {
    word.is(NOISE) || word.is(&["-", "–", "&", "+", "/"])
}

pub fn is_file_noun(word: &Word) -> bool {
    word.like(FILE)
}

pub fn is_folder_noun(word: &Word) -> bool {
    word.like(FOLDER)
}

/// Whether a word looks like a path or like a name with an extension.
pub fn is_file_like(word: &Word) -> bool {
    let text = word.low.as_str();
    if text.contains("://") || text.contains('@') || text.starts_with("www.") || text.contains(['*', '?']) {
        return false;
    }
    has_extension(text) || (!word.quoted && text.trim_end_matches('/').contains('/') && !text.starts_with('/'))
}

fn has_extension(name: &str) -> bool {
    let Some((front, extension)) = name.rsplit_once('.') else { return false };
    let known = EXTENSIONS.contains(&extension);
    let fits = (2..=5).contains(&extension.len()) && extension.chars().all(char::is_alphanumeric);
    !front.is_empty() && (known || (fits && extension.starts_with(char::is_alphabetic) && !front.contains(' ')))
}

/// The glob for the kind of file that the words name, if they name one.
pub fn kind(words: &[Word]) -> Option<String> {
    words.iter().enumerate().find_map(|(index, word)| kind_at(words, index, word))
}

fn kind_at(words: &[Word], index: usize, word: &Word) -> Option<String> {
    if word.quoted {
        return None;
    }
    if word.low.starts_with("*.") && word.low.len() > 2 {
        return Some(word.raw.clone());
    }
    let bare = word.low.trim_start_matches('.');
    if let Some(extension) = EXTENSIONS.iter().find(|known| bare == **known || bare.strip_suffix('s') == Some(**known))
    {
        let alone = ["doc", "log"].contains(extension) && !words.get(index + 1).is_some_and(is_file_noun);
        return (!alone).then(|| format!("*.{extension}"));
    }
    // "the word needle" and "the text of" are no kinds: these need "files" or "documents" behind them.
    let needs_noun = ["word", "text", "excel", "powerpoint", "markdown"].contains(&bare);
    let has_noun = words.get(index + 1).is_some_and(is_file_noun);
    let (_, glob) = KINDS.iter().find(|(names, _)| names.contains(&bare))?;
    (has_noun || !needs_noun).then(|| (*glob).to_owned())
}

/// Whether a word says what kind of file is meant rather than its name.
pub fn is_kind_word(word: &Word) -> bool {
    let bare = word.low.trim_start_matches('.');
    let extension = EXTENSIONS.iter().any(|known| bare == *known || bare.strip_suffix('s') == Some(*known));
    !word.quoted && (extension || word.low.starts_with("*.") || KINDS.iter().any(|(names, _)| names.contains(&bare)))
}

/// The words that can be part of a name.
pub fn name_words(words: &[Word]) -> Vec<String> {
    words.iter().filter(|word| !is_noise(word) && can_be_a_name(word)).map(|word| clean(&word.raw)).collect()
}

fn can_be_a_name(word: &Word) -> bool {
    word.raw.chars().any(char::is_alphanumeric) && !word.raw.contains("://")
}

fn clean(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    path.strip_suffix("'s").unwrap_or(path).to_owned()
}

/// Which file the words name; `None` if they name none.
pub fn target(words: &[Word], shouted: bool) -> Option<Target> {
    if let Some(at) = words.iter().position(is_file_like) {
        return Some(file_like_target(words, at, shouted));
    }
    if let Some(quoted) = words.iter().find(|word| word.quoted) {
        return Some(Target::Named(vec![quoted.raw.clone()]));
    }
    if let Some(nth) = nth(words) {
        return Some(Target::Nth(nth));
    }
    let names = name_words(words);
    let names: Vec<String> =
        names.into_iter().filter(|name| !PRONOUNS.contains(&name.to_lowercase().as_str())).collect();
    if !names.is_empty() {
        return Some(Target::Named(names));
    }
    words.iter().any(|word| word.is(PRONOUNS) || word.is(&["file", "document", "doc"])).then_some(Target::Last)
}

/// An unquoted name may begin some words before its extension: "Travel policy.md".
fn file_like_target(words: &[Word], at: usize, shouted: bool) -> Target {
    let word = &words[at];
    let path = clean(&word.raw);
    if word.quoted {
        return Target::Path(path);
    }
    let start = words[..at]
        .iter()
        .rposition(|w| is_noise(w) || w.quoted || w.ends_clause || is_kind_word(w))
        .map_or(0, |n| n + 1);
    if start == at {
        return if shouted { Target::Pattern(in_any_folder(&path)) } else { Target::Path(path) };
    }
    let parts: Vec<&str> = words[start..=at].iter().map(|w| w.raw.as_str()).collect();
    Target::Pattern(format!("**/*{}", parts.join("*")))
}

pub fn in_any_folder(path: &str) -> String {
    format!("**/{path}")
}

/// "The second one", "number 2", "#2".
fn nth(words: &[Word]) -> Option<usize> {
    let rest: Vec<&Word> =
        words.iter().filter(|word| !word.is(&["the", "file", "one", "please", "document"])).collect();
    let [.., last] = rest.as_slice() else { return None };
    if let Some(index) = ORDINALS.iter().position(|name| last.low == *name) {
        return Some(index + 1);
    }
    let digits = last.low.trim_start_matches('#').parse::<usize>().ok().filter(|n| (1..=99).contains(n))?;
    let said_number = rest.len() > 1 && rest[rest.len() - 2].is(&["number", "no", "nr", "#"]);
    (rest.len() == 1 || said_number || last.low.starts_with('#')).then_some(digits)
}

/// The place that a request names after a preposition, and the words outside that phrase.
pub fn place(words: &[Word], shouted: bool) -> Option<(usize, Scope)> {
    let starts = words.iter().enumerate().rev().filter(|(_, word)| word.is(PREPOSITIONS));
    starts.into_iter().find_map(|(at, _)| Some((at, scope(&words[at + 1..], shouted)?)))
}

/// What the words behind a preposition mean as a place.
pub fn scope(words: &[Word], shouted: bool) -> Option<Scope> {
    if words.first()?.is(&["the"]) && words.get(1).is_some_and(|word| word.is(&["name", "names", "title", "filename"]))
    {
        return None;
    }
    if let Some(file) = words.iter().find(|word| is_file_like(word)) {
        let folder = file.raw.ends_with('/') || words.iter().any(is_folder_noun) || is_folder_path(&file.raw);
        return match target(words, shouted) {
            Some(target) if !folder => Some(Scope::File(target)),
            _ => Some(Scope::Folder(clean(&file.raw))),
        };
    }
    if let Some(word) = words.iter().find(|word| word.raw.len() > 1 && word.raw.ends_with('/')) {
        return Some(Scope::Folder(clean(&word.raw)));
    }
    let places = ["root", "main", "shared", "workspace", "project", "session", "whole", "this", "here", "top", "level"];
    let names: Vec<String> =
        name_words(words).into_iter().filter(|name| !places.contains(&name.to_lowercase().as_str())).collect();
    let says_folder = words.iter().any(is_folder_noun);
    if names.is_empty() {
        return nowhere_in_particular(words, says_folder);
    }
    if says_folder {
        return Some(Scope::Folder(names.join(" ")));
    }
    if words.iter().filter(|word| !is_noise(word)).all(|word| word.is(PRONOUNS)) {
        return Some(Scope::File(Target::Last));
    }
    Some(Scope::Loose(names))
}

/// A path whose last part has no extension: most likely a folder's.
pub fn is_folder_path(path: &str) -> bool {
    path.contains('/') && !path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().contains('.')
}

fn nowhere_in_particular(words: &[Word], says_folder: bool) -> Option<Scope> {
    let plural = words.iter().any(|word| word.is(&["files", "documents", "docs", "everywhere", "all", "here"]));
    let file = words.iter().any(|word| word.is(&["file", "document", "it"]));
    if file && !says_folder && !plural {
        return Some(Scope::File(Target::Last));
    }
    let place = ["workspace", "project", "here", "session", "root", "there"];
    (says_folder || plural || words.iter().any(|word| word.is(&place))).then_some(Scope::Everywhere)
}
