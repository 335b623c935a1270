//! Patterns for file names, such as `**/*.csv`.

use globset::{GlobBuilder, GlobMatcher};

use super::wording::{one_line, respond};
use crate::{agent::ports::tool::ToolError, workspace::Hidden};

/// A pattern for paths below a folder. Without `/` it is one for the name, in any folder. Case does not count.
pub struct NamePattern {
    matcher: GlobMatcher,
    hidden: Hidden,
}

impl NamePattern {
    /// `argument` is the name of the argument that holds `text`.
    pub fn parse(argument: &str, text: &str) -> Result<Self, ToolError> {
        let wrong = |why: &str| {
            respond(format!("`{argument}` can't be `{}`: {why}. Write it like `**/*.csv`.", one_line(text, 80)))
        };
        let pattern = text.strip_prefix("./").unwrap_or(text);
        if pattern.is_empty() {
            return Err(wrong("it is empty"));
        }
        if pattern.starts_with('/') {
            return Err(wrong("it is absolute; it matches paths below `path`"));
        }
        if pattern.split('/').any(|name| name == "..") {
            return Err(wrong("it has `..` in it; it matches paths below `path`"));
        }
        let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
        let glob = GlobBuilder::new(&anywhere).literal_separator(true).case_insensitive(true).build();
        let matcher = glob.map_err(|error| wrong(&error.kind().to_string()))?.compile_matcher();
        let hidden = if names_a_dot(pattern) { Hidden::Include } else { Hidden::Skip };
        Ok(Self { matcher, hidden })
    }

    pub fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }

    /// Hidden files are looked at only where the pattern names them.
    pub fn hidden(&self) -> Hidden {
        self.hidden
    }
}

/// Whether a name in the pattern starts with a dot, also one in `{…,…}`.
fn names_a_dot(pattern: &str) -> bool {
    let mut before = '/';
    for character in pattern.chars() {
        if character == '.' && matches!(before, '/' | '{' | ',') {
            return true;
        }
        before = character;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        NamePattern::parse("pattern", pattern).unwrap().matches(path)
    }

    #[test]
    fn a_pattern_without_a_slash_is_for_the_name_anywhere() {
        assert!(matches("*.csv", "a.csv"));
        assert!(matches("*.csv", "x/y/A.CSV"));
        assert!(matches("./*.csv", "x/a.csv"));
        assert!(!matches("*.csv", "a.csv.txt"));
        assert!(matches("{a,b}.txt", "x/b.txt"));
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_do_not() {
        assert!(matches("x/*.csv", "x/a.csv"));
        assert!(!matches("x/*.csv", "x/y/a.csv"));
        assert!(matches("x/**/*.csv", "x/y/z/a.csv"));
        assert!(matches("**/*.csv", "a.csv"));
        assert!(matches("x/**", "x/y/a.csv"));
    }

    #[test]
    fn only_a_dot_at_the_start_of_a_name_asks_for_hidden_files() {
        let hidden = |pattern| NamePattern::parse("pattern", pattern).unwrap().hidden();
        for pattern in [".env", "**/.env", ".github/**", "{.env,.envrc}"] {
            assert_eq!(hidden(pattern), Hidden::Include, "{pattern}");
        }
        for pattern in ["*.csv", "a.b/c.d", "./a"] {
            assert_eq!(hidden(pattern), Hidden::Skip, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_leads_out_or_is_broken_is_refused() {
        for (pattern, why) in
            [("../*", "`..`"), ("a/../b", "`..`"), ("/etc/*", "absolute"), ("", "empty"), ("[a", "class")]
        {
            let error = NamePattern::parse("glob", pattern).err().unwrap().to_string();
            assert!(error.starts_with("`glob` can't be") && error.contains(why), "{error}");
        }
    }
}
