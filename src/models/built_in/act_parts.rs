//! The parts of a request to change something: the one file, the new name, the place, the words as they were typed.

use super::{
    intent::Target,
    phrase::{is_file_like, is_file_noun, is_folder_noun, is_folder_path, is_kind_word, target},
    words::Word,
};

/// Words beside a file's name that say nothing more.
const BESIDE: &[&str] = &[
    "the", "my", "our", "this", "that", "please", "pls", "plz", "thanks", "now", "for", "me", "file", "document", "doc",
];
/// More than one file is meant, or a part of one.
#[rustfmt::skip]
const NOT_ONE: &[&str] = &[
    "all", "every", "everything", "each", "any", "both", "files", "documents", "and", "or", "of", "from", "with", "but",
    "old", "older", "empty", "line", "lines", "row", "rows", "column", "columns", "paragraph", "word", "words", "section",
    "page", "duplicate", "duplicates", "some", "these", "those", "them", "password", "list", "in",
];
/// Programs that people run without saying that they are commands.
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "awk", "bash", "bundle", "cal", "cargo", "cat", "composer", "cut", "date", "df", "diff", "du", "echo", "file", "find",
    "git", "go", "gradle", "grep", "head", "java", "jq", "ls", "make", "md5sum", "mvn", "node", "npm", "npx", "perl", "php",
    "pip", "pwd", "pytest", "python", "python3", "rg", "ruby", "sed", "seq", "sh", "sha256sum", "sort", "stat", "tail",
    "tar", "tr", "tree", "uname", "uniq", "uv", "wc", "which", "xargs", "yarn",
];

/// The file that the words name, if they name one and nothing else.
pub fn one_file(words: &[Word], loud: bool) -> Option<Target> {
    if words.is_empty() || words.iter().any(|word| word.is(NOT_ONE) || word.raw.contains(['*', '?'])) {
        return None;
    }
    let files = words.iter().filter(|word| is_file_like(word)).count();
    let found = target(words, loud)?;
    let whole = match &found {
        Target::Path(_) => words.iter().all(|word| is_file_like(word) || word.is(BESIDE)),
        Target::Pattern(_) => words.len() <= 6,
        Target::Named(names) => {
            names.len() <= 4 && words.iter().all(|word| !is_kind_word(word) && !is_folder_noun(word))
        }
        Target::Last | Target::Nth(_) => words.len() <= 4,
    };
    (files <= 1 && whole).then_some(found)
}

/// What stands before and behind the first of these words.
pub fn cut_at<'a>(words: &'a [Word], borders: &[&str]) -> Option<(&'a [Word], &'a [Word])> {
    let at = words.iter().position(|word| word.is(borders)).filter(|at| *at > 0)?;
    Some((&words[..at], &words[at + 1..]))
}

/// A name as it was typed.
pub fn new_name(words: &[Word]) -> Option<String> {
    let words: Vec<&Word> =
        words.iter().filter(|word| !word.is(&["please", "pls", "plz", "instead", "thanks"])).collect();
    match words.as_slice() {
        [only] if only.quoted || !only.is(&["it", "that", "lower", "upper", "something"]) => Some(only.raw.clone()),
        _ => None,
    }
}

/// Where something is to go, and whether that is a folder.
pub fn destination(words: &[Word]) -> Option<(String, bool)> {
    let says_folder = words.iter().any(is_folder_noun);
    let names: Vec<&Word> = words.iter().filter(|word| !word.is(BESIDE) && !is_folder_noun(word)).collect();
    let [only] = names.as_slice() else { return None };
    let path = only.raw.trim_start_matches("./").trim_end_matches('/');
    let folder = says_folder || only.raw.ends_with('/') || is_folder_path(&only.raw);
    let file = is_file_like(only) && !folder;
    (!path.is_empty() && (folder || file)).then(|| (path.to_owned(), folder))
}

/// What stands before and behind the first colon; nothing where that belongs to a time or an address.
pub fn after_colon(text: &str) -> Option<(&str, &str)> {
    let (head, tail) = text.split_once(':')?;
    let tail = tail.strip_prefix([' ', '\n'])?.trim();
    (!tail.is_empty()).then_some((head, tail))
}

/// The text behind a word, as it was typed.
pub fn text_behind(text: &str, word: &Word) -> Option<String> {
    let behind: String = text.chars().skip(word.end).collect();
    let behind = behind.trim();
    (!behind.is_empty()).then(|| behind.to_owned())
}

/// A command that begins with a program of its own kind, from word `at` on.
pub fn plain_command(text: &str, asked: &[Word], at: usize) -> Option<String> {
    let program = asked.get(at)?;
    let known = program.raw == program.low && PROGRAMS.contains(&program.low.as_str()) || program.raw.starts_with("./");
    // "Find the report" is said to a person, "find . -name x" to a machine.
    let spoken =
        asked.get(at + 1).is_some_and(|next| next.is(&["the", "a", "an", "my", "our", "all", "me", "it", "out"]));
    if !known || spoken || is_file_noun(program) {
        return None;
    }
    let begins = program.end - program.raw.chars().count();
    let command: String = text.chars().skip(begins).collect();
    Some(command.trim().trim_end_matches(['?', '!']).trim().to_owned())
}
