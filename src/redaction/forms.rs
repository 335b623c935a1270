//! Secrets of anybody, known by their form or by the words before them.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use regex::{Captures, Regex, RegexSet};

use super::REDACTED;

/// What must be true of a match beyond its pattern.
#[derive(Clone, Copy)]
enum Proof {
    None,
    /// A word of this kind without a digit is a word.
    HasDigit,
    /// Not a type, a placeholder, a variable or a call, as programs and their documentation have it.
    IsValue,
    /// As `IsValue`, and at least so long, of letters and digits: the word before it is not telling enough.
    IsKey(usize),
}

const VALUE: &str = r#"(?:\\*"(?P<quoted>(?:[^"\\\n]|\\[^"\n])*)|'(?P<single>[^'\n]*)|(?P<bare>[^\s"'\\,;&)}\]>(]+))"#;

/// Patterns, the part that is hidden where it is not the whole, and the proof. `VALUE` stands for a value as programs,
/// shells, JSON and INI files write it.
const FORMS: [(&str, Proof); 18] = [
    (
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
        Proof::None,
    ),
    (r"\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){1,4}", Proof::None),
    (r"\bsk-[A-Za-z0-9_-]{12,}", Proof::HasDigit),
    (r"\b(?:[sr]k_(?:live|test)|whsec|hf|npm)_[A-Za-z0-9]{10,}", Proof::HasDigit),
    (
        r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|cowork_[0-9a-f]{32,})",
        Proof::None,
    ),
    (r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}\b", Proof::None),
    (r"\b(?:AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|pypi-[A-Za-z0-9_-]{40,})", Proof::None),
    (r"\bxox[a-z]-[A-Za-z0-9-]{10,}|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", Proof::None),
    (r"(?i)\bbearer[ \t]+(?P<bare>[A-Za-z0-9._~+/=-]{12,})", Proof::HasDigit),
    (
        r#"(?i)\b(?:proxy-)?authorization\\*["']?[ \t]*[:=][ \t]*\\*["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]+)?(?P<bare>[^\s"',;\\]+)"#,
        Proof::IsValue,
    ),
    (r#"(?i)\b(?:set-)?cookie:[ \t]*(?P<bare>[^\r\n"']+)"#, Proof::IsValue),
    (r#"(?i)\bx-(?:api-key|auth-token|access-token|amz-security-token)\\*["']?[ \t]*:[ \t]*VALUE"#, Proof::IsValue),
    (r#"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@"'<>]*:(?P<bare>[^\s/@"'<>]+)@"#, Proof::IsValue),
    (
        r#"(?i)[?&](?:key|api_?key|access_token|token|sig|signature|password|auth|code)=(?P<bare>[^&\s"'<>#]+)"#,
        Proof::IsKey(8),
    ),
    (r#"(?i)(?:password|passwd|passphrase|passcode)\\*["']?[ \t]*(?:=>|:=|[=:])[ \t]*VALUE"#, Proof::IsValue),
    (r#"[A-Z0-9]_(?:PASS|PWD|PW)[ \t]*=[ \t]*VALUE"#, Proof::IsValue),
    (
        r#"(?i)(?:secret|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|credentials?)\\*["']?[ \t]*(?:=>|:=|[=:])[ \t]*VALUE"#,
        Proof::IsKey(8),
    ),
    (
        r#"(?i)(?:^|[\s"'])(?:--?(?:password|passwd|passphrase|token|secret|api-?key|access-?key)[ =]+VALUE|(?:-u|--user)[ =]+["']?[^\s:"'/]+:(?P<user>[^\s"']+))"#,
        Proof::IsValue,
    ),
];

/// Words that stand where a value would, and what programs write before a value that is elsewhere.
const PLACEHOLDERS: [&str; 17] = [
    "null",
    "none",
    "nil",
    "true",
    "false",
    "string",
    "str",
    "text",
    "number",
    "undefined",
    "required",
    "optional",
    "yes",
    "no",
    "is",
    "the",
    "and",
];

/// The patterns, compiled when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Forms;

struct Compiled {
    /// All at once: most texts hold nothing, and one look tells so.
    any: RegexSet,
    each: Vec<(Regex, Proof)>,
}

fn compiled() -> &'static Compiled {
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let patterns = FORMS.map(|(pattern, _)| pattern.replace("VALUE", VALUE));
        // They are constants; a test compiles each.
        let each =
            patterns.iter().zip(FORMS).filter_map(|(pattern, (_, proof))| Some((Regex::new(pattern).ok()?, proof)));
        Compiled { each: each.collect(), any: RegexSet::new(&patterns).unwrap_or_else(|_| RegexSet::empty()) }
    })
}

/// Names of fields, words of a plain sentence: no form of a secret is made of these signs alone.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b' ')
}

impl Forms {
    pub fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut clean = Cow::Borrowed(text);
        if is_plain(text) || !compiled().any.is_match(text) {
            return clean;
        }
        for (pattern, proof) in &compiled().each {
            let found: Vec<_> =
                pattern.captures_iter(&clean).filter_map(|found| secret(&found, &clean, *proof)).collect();
            if !found.is_empty() {
                clean = Cow::Owned(without(&clean, &found));
            }
        }
        clean
    }
}

fn without(text: &str, secrets: &[Range<usize>]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for secret in secrets {
        clean.push_str(&text[from..secret.start]);
        clean.push_str(REDACTED);
        from = secret.end;
    }
    clean.push_str(&text[from..]);
    clean
}

/// The place of the secret in a match, if it is one.
fn secret(found: &Captures<'_>, text: &str, proof: Proof) -> Option<Range<usize>> {
    let named = ["quoted", "single", "bare", "user"].into_iter().find_map(|name| found.name(name));
    let place = named.or_else(|| found.get(0))?;
    let (value, behind) = (place.as_str(), &text[place.end()..]);
    let holds = match proof {
        Proof::None => true,
        Proof::HasDigit => value.bytes().any(|byte| byte.is_ascii_digit()),
        Proof::IsValue => is_value(value, behind),
        Proof::IsKey(least) => is_value(value, behind) && is_key(value, least),
    };
    (holds && !value.contains(REDACTED)).then(|| place.range())
}

fn is_value(value: &str, behind: &str) -> bool {
    let elsewhere = ["$", "<", "{", "%", "&", "*", "["];
    let is_word = PLACEHOLDERS.contains(&value.to_ascii_lowercase().trim_end_matches(['.', ',', ';', '?', '!']));
    let is_code = value.contains("::") || ["(", "::", "[", "<"].iter().any(|sign| behind.starts_with(sign));
    !value.is_empty() && !is_word && !is_code && !elsewhere.iter().any(|sign| value.starts_with(sign))
}

fn is_key(value: &str, least: usize) -> bool {
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mixed =
        value.bytes().any(|byte| byte.is_ascii_uppercase()) && value.bytes().any(|byte| byte.is_ascii_lowercase());
    let long = value.len() >= 24 && mixed;
    value.len() >= least && !value.contains(char::is_whitespace) && ((digits && letters) || long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!((compiled().each.len(), compiled().any.len()), (FORMS.len(), FORMS.len()));
    }
}
