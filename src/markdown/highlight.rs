//! Code in four colours: comments, strings, numbers, keywords. One pass over the text, for the languages that people
//! meet most; everything else stays plain. A wrong colour costs nothing, so nothing here understands a language.

use super::sanitise::is_language;

/// Longer code stays plain: marks around each word would make it many times as long.
const LIMIT_BYTES: usize = 32 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Comment,
    Text,
    Number,
    Keyword,
}

impl Kind {
    pub fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Comment => Some("hl-comment"),
            Self::Text => Some("hl-text"),
            Self::Number => Some("hl-number"),
            Self::Keyword => Some("hl-keyword"),
        }
    }
}

pub(super) const CLASSES: [&str; 4] = ["hl-comment", "hl-text", "hl-number", "hl-keyword"];

struct Language {
    names: &'static [&'static str],
    keywords: &'static str,
    line_comment: &'static [&'static str],
    block_comment: Option<(&'static str, &'static str)>,
    quotes: &'static [char],
}

const C_COMMENT: Option<(&str, &str)> = Some(("/*", "*/"));

const LANGUAGES: &[Language] = &[
    Language {
        names: &["rust", "rs"],
        keywords: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match \
            mod move mut pub ref return self Self static struct super trait true type unsafe use where while",
        line_comment: &["//"],
        block_comment: C_COMMENT,
        quotes: &['"'],
    },
    Language {
        names: &["js", "javascript", "jsx", "ts", "typescript", "tsx", "mjs"],
        keywords: "abstract as async await break case catch class const continue default delete do else enum export \
            extends false finally for from function if implements import in instanceof interface let new null of private \
            protected public return static super switch this throw true try type typeof undefined var void while yield",
        line_comment: &["//"],
        block_comment: C_COMMENT,
        quotes: &['"', '\'', '`'],
    },
    Language {
        names: &["python", "py"],
        keywords: "and as assert async await break class continue def del elif else except False finally for from global \
            if import in is lambda None nonlocal not or pass raise return True try while with yield match case self",
        line_comment: &["#"],
        block_comment: None,
        quotes: &['"', '\''],
    },
    Language {
        names: &["sh", "bash", "shell", "zsh", "console"],
        keywords: "if then else elif fi for in do done while until case esac function return exit export local set cd echo",
        line_comment: &["#"],
        block_comment: None,
        quotes: &['"', '\''],
    },
    Language {
        names: &["json", "jsonc", "json5"],
        keywords: "true false null",
        line_comment: &["//"],
        block_comment: C_COMMENT,
        quotes: &['"'],
    },
    Language {
        names: &["toml", "yaml", "yml", "ini", "dockerfile", "makefile"],
        keywords: "true false null yes no on off FROM RUN COPY CMD ENTRYPOINT WORKDIR ENV ARG EXPOSE",
        line_comment: &["#", ";"],
        block_comment: None,
        quotes: &['"', '\''],
    },
    Language {
        names: &["sql"],
        keywords: "select from where and or not null insert into values update set delete create table index view drop \
            alter add join left right inner outer on group by order having limit offset as distinct union all case when \
            then else end is in like between primary key foreign references default unique exists with SELECT FROM WHERE \
            AND OR NOT NULL INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE INDEX VIEW DROP ALTER ADD JOIN LEFT RIGHT \
            INNER OUTER ON GROUP BY ORDER HAVING LIMIT OFFSET AS DISTINCT UNION ALL CASE WHEN THEN ELSE END IS IN LIKE \
            BETWEEN PRIMARY KEY FOREIGN REFERENCES DEFAULT UNIQUE EXISTS WITH",
        line_comment: &["--"],
        block_comment: C_COMMENT,
        quotes: &['\'', '"'],
    },
    Language {
        names: &["html", "xml", "svg", "vue"],
        keywords: "",
        line_comment: &[],
        block_comment: Some(("<!--", "-->")),
        quotes: &['"'],
    },
    Language {
        names: &["css", "scss"],
        keywords: "important media import supports keyframes",
        line_comment: &[],
        block_comment: C_COMMENT,
        quotes: &['"', '\''],
    },
    Language {
        names: &["c", "cpp", "c++", "h", "java", "kotlin", "kt", "go", "swift", "cs", "csharp", "php", "scala", "dart"],
        keywords: "abstract auto bool boolean break case catch char class const continue default defer do double else enum \
            explicit extends extern false final finally float for foreach fun func go goto guard if implements import in \
            inline int interface let long map namespace new nil null nullptr object operator override package private \
            protected public return short signed sizeof static string struct super switch template this throw throws true \
            try type typedef union unsigned using val var virtual void volatile when while",
        line_comment: &["//"],
        block_comment: C_COMMENT,
        quotes: &['"', '\'', '`'],
    },
];

/// The pieces of `code`, whose concatenation it is. `name` is the word behind the fence.
pub(super) fn pieces<'c>(name: &str, code: &'c str) -> Vec<(Kind, &'c str)> {
    let known = LANGUAGES.iter().find(|language| is_language(name) && language.names.contains(&name));
    let Some(language) = known.filter(|_| code.len() <= LIMIT_BYTES) else { return vec![(Kind::Plain, code)] };
    let mut pieces: Vec<(Kind, &str)> = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let before = code[..at].chars().next_back();
        let (kind, length) = language.piece(rest, before);
        if kind != Kind::Plain {
            if plain < at {
                pieces.push((Kind::Plain, &code[plain..at]));
            }
            pieces.push((kind, &rest[..length]));
            plain = at + length;
        }
        at += length;
    }
    if plain < code.len() {
        pieces.push((Kind::Plain, &code[plain..]));
    }
    pieces
}

impl Language {
    /// What `rest` begins with, and how long that is; never nothing.
    fn piece(&self, rest: &str, before: Option<char>) -> (Kind, usize) {
        let first = rest.chars().next().unwrap_or_default();
        let stands_free = before.is_none_or(|c| c.is_whitespace() || "(){}[];,".contains(c));
        if self.line_comment.iter().any(|mark| rest.starts_with(mark) && (mark.len() > 1 || stands_free)) {
            return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
        }
        if let Some((open, close)) = self.block_comment.filter(|(open, _)| rest.starts_with(open)) {
            let end = rest[open.len()..].find(close).map(|at| open.len() + at + close.len());
            return (Kind::Comment, end.unwrap_or(rest.len()));
        }
        if self.quotes.contains(&first) {
            return text(rest, first);
        }
        if first.is_ascii_digit() {
            return (Kind::Number, run(rest, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_'));
        }
        if first.is_alphabetic() || first == '_' {
            let length = run(rest, |c| c.is_alphanumeric() || c == '_');
            let is_keyword = self.keywords.split_ascii_whitespace().any(|keyword| keyword == &rest[..length]);
            return (if is_keyword { Kind::Keyword } else { Kind::Plain }, length);
        }
        (Kind::Plain, first.len_utf8())
    }
}

/// A text in quotes; one that does not end on its line is none, unless its quotes may span lines.
fn text(rest: &str, quote: char) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' if quote != '`' => return (Kind::Plain, quote.len_utf8()),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return (Kind::Text, at + c.len_utf8()),
            _ => {}
        }
    }
    (Kind::Plain, quote.len_utf8())
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(name: &str, code: &str) -> Vec<(Kind, String)> {
        let pieces = pieces(name, code);
        assert_eq!(pieces.iter().map(|(_, text)| *text).collect::<String>(), code);
        pieces.into_iter().filter(|(kind, _)| *kind != Kind::Plain).map(|(kind, text)| (kind, text.into())).collect()
    }

    #[test]
    fn each_kind_is_found() {
        let code = "let x = \"a\\\"b\"; // why\n/* 1 */ 0x1F done";
        let expected = [
            (Kind::Keyword, "let"),
            (Kind::Text, "\"a\\\"b\""),
            (Kind::Comment, "// why"),
            (Kind::Comment, "/* 1 */"),
            (Kind::Number, "0x1F"),
        ];
        assert_eq!(coloured("rust", code), expected.map(|(kind, text)| (kind, text.to_owned())));
        assert_eq!(coloured("unknown", code), []);
    }

    #[test]
    fn what_never_ends_is_plain_and_nothing_is_lost() {
        for code in ["\"open\nlet", "/* open", "'", "`a\nb`", "# x", "a#b", "ä\"ö\"", ""] {
            for name in ["js", "python", "sh", "sql", "html", "toml"] {
                coloured(name, code);
            }
        }
        assert_eq!(coloured("js", "`a\nb`"), [(Kind::Text, "`a\nb`".to_owned())]);
        assert_eq!(coloured("sh", "a#b"), []);
    }
}
