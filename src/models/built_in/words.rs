//! A person's text as words: quotes kept together, typing errors forgiven.

/// One word, or one quoted string.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As it was typed, without the punctuation around it.
    pub raw: String,
    pub low: String,
    pub quoted: bool,
    /// A comma or the end of a sentence follows.
    pub ends_clause: bool,
    /// Where it ends in the text, in characters, with all that belongs to it.
    pub end: usize,
}

impl Word {
    fn new(raw: &str, quoted: bool, ends_clause: bool, end: usize) -> Self {
        Self { raw: raw.to_owned(), low: raw.to_lowercase(), quoted, ends_clause, end }
    }

    /// Whether this is one of `list`, exactly. A quoted string is never a word of the request.
    pub fn is(&self, list: &[&str]) -> bool {
        !self.quoted && list.contains(&self.low.as_str())
    }

    /// Whether this is one of `list`, give or take one typing error in a longer word.
    pub fn like(&self, list: &[&str]) -> bool {
        !self.quoted && list.iter().any(|known| same_but_for_a_slip(&self.low, known))
    }
}

/// Text beyond this many characters is not read: a request is a sentence or two, and this bounds the work.
const TEXT_CHARS: usize = 2_000;

const CLOSING: &[(char, &str)] =
    &[('"', "\""), ('\'', "'"), ('`', "`"), ('“', "”“"), ('„', "“”"), ('«', "»"), ('‘', "’'"), ('’', "’'")];

pub fn words(text: &str) -> Vec<Word> {
    let chars: Vec<char> = text.chars().take(TEXT_CHARS).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_whitespace() {
            at += 1;
        } else if let Some(end) = quote_end(&chars, at) {
            let inner: String = chars[at + 1..end].iter().collect();
            let inner = inner.trim();
            if !inner.is_empty() {
                let ends_clause = chars.get(end + 1).is_some_and(|c| ",;.".contains(*c));
                found.push(Word::new(inner, true, ends_clause, end + 1));
            }
            at = end + 1;
        } else {
            let end = chars[at..].iter().position(|c| c.is_whitespace()).map_or(chars.len(), |n| at + n);
            let piece: String = chars[at..end].iter().collect::<String>().replace('’', "'");
            found.extend(bare(&piece, end));
            at = end;
        }
    }
    found
}

/// Where the quote that opens at `at` closes; an apostrophe inside a word opens nothing.
fn quote_end(chars: &[char], at: usize) -> Option<usize> {
    let closers = CLOSING.iter().find(|(open, _)| *open == chars[at])?.1;
    let closes = |index: usize| {
        closers.contains(chars[index]) && chars.get(index + 1).is_none_or(|next| !next.is_alphanumeric())
    };
    (at + 2..chars.len()).find(|index| closes(*index))
}

fn bare(piece: &str, end: usize) -> Option<Word> {
    let front = piece.trim_start_matches(['(', '[', '"', '\'', '`']);
    let core = front.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '`', '…']);
    let tail = &front[core.len()..];
    (!core.is_empty()).then(|| Word::new(core, false, tail.contains([',', ';', '.', '!', '?']), end))
}

/// Whether the text is all capitals, so that the case of a name in it means nothing.
pub fn shouted(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    letters.clone().count() > 8 && !letters.clone().any(char::is_lowercase)
}

/// Longer words may have one slip, words of four letters only two letters in the wrong order.
fn same_but_for_a_slip(typed: &str, known: &str) -> bool {
    if typed == known {
        return true;
    }
    // A slip in the first letter makes another word more often than not: "older", "folder".
    let begins_alike = typed.chars().next() == known.chars().next() || same_letters(&start(typed), &start(known));
    if !begins_alike {
        return false;
    }
    match known.chars().count() {
        0..=3 => false,
        4 => typed.chars().count() == 4 && distance(typed, known) == 1 && same_letters(typed, known),
        length => typed.chars().count().abs_diff(length) <= 1 && distance(typed, known) == 1,
    }
}

fn start(word: &str) -> String {
    word.chars().take(2).collect()
}

fn same_letters(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(a) == sorted(b)
}

/// Damerau-Levenshtein distance (optimal string alignment). Names are cut at 64 letters to bound the work.
pub fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// A word without its plural, to look for in names: "notes" → "note", "policies" → "polic".
pub fn stem(word: &str) -> &str {
    let low = word.to_lowercase();
    if low.len() != word.len() || low.len() < 4 {
        return word;
    }
    if low.ends_with("ies") && low.len() > 5 {
        return &word[..word.len() - 3];
    }
    let keeps_s = ["ss", "us", "is"].iter().any(|ending| low.ends_with(ending));
    if low.ends_with('s') && !keeps_s { &word[..word.len() - 1] } else { word }
}

/// "7", "seven", "2,000", and the "-5" of "head -5".
pub fn number(word: &Word) -> Option<usize> {
    const NAMES: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    const TENS: [(&str, usize); 5] = [("fifteen", 15), ("twenty", 20), ("thirty", 30), ("fifty", 50), ("hundred", 100)];
    if word.quoted {
        return None;
    }
    let name = NAMES.iter().position(|name| *name == word.low);
    let tens = || TENS.iter().find(|(name, _)| *name == word.low).map(|(_, value)| *value);
    name.or_else(tens).or_else(|| word.low.trim_start_matches('-').replace(',', "").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together_and_an_apostrophe_does_not_open_one() {
        let found = words("what's in 'Travel policy.md', or \"a b\"?");
        let raw: Vec<&str> = found.iter().map(|word| word.raw.as_str()).collect();
        assert_eq!(raw, ["what's", "in", "Travel policy.md", "or", "a b"]);
        assert!(found[2].quoted && found[2].ends_clause && !found[0].quoted);
    }

    #[test]
    fn one_slip_is_forgiven_in_longer_words_only() {
        let like = |typed: &str, known: &str| words(typed)[0].like(&[known]);
        assert!(like("serach", "search") && like("comapre", "compare") && !like("company", "compare"));
        assert!(like("raed", "read") && like("fnid", "find"));
        assert!(!like("road", "read") && !like("lit", "list") && !like("srch", "search"));
    }

    #[test]
    fn plurals_become_stems() {
        assert_eq!(
            ["notes", "policies", "address", "INVOICES", "csv"].map(stem),
            ["note", "polic", "address", "INVOICE", "csv"]
        );
    }
}
