//! Changes in their colours.

use leptos::prelude::*;
use serde_json::Value;
use similar::{Algorithm, ChangeTag, utils::diff_slices};

use crate::{markdown::visible, ui::words::cards::CardWords};

/// Changed lines that stand under a step without being asked for.
const EXCERPT_LINES: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    /// What stands around a change, or between two.
    Around,
    /// Of the line before: it is the last, and has no line end.
    NoLineEnd,
}

pub struct Line<'t> {
    kind: Kind,
    text: &'t str,
}

impl Line<'_> {
    fn is_change(&self) -> bool {
        self.kind != Kind::Around
    }

    fn draw(&self, words: &CardWords) -> AnyView {
        let (class, sign) = match self.kind {
            Kind::Added => ("added", "+ "),
            Kind::Removed => ("removed", "- "),
            Kind::Around => ("", "  "),
            Kind::NoLineEnd => {
                return view! { <span class="hunk">{format!("  {}\n", words.no_line_end)}</span> }.into_any();
            }
        };
        view! { <span class=class>{format!("{sign}{}\n", visible(self.text))}</span> }.into_any()
    }
}

/// The lines of a unified diff of one or more files.
pub fn lines(diff: &str) -> Vec<Line<'_>> {
    // Lines of the piece that are to come, old and new: names of the next file look like changed lines.
    let (mut old, mut new) = (0_usize, 0_usize);
    let mut lines = Vec::new();
    for text in diff.lines() {
        let (kind, text) = match text.split_at_checked(1) {
            Some(("+", rest)) if new > 0 => {
                new -= 1;
                (Kind::Added, rest)
            }
            Some(("-", rest)) if old > 0 => {
                old -= 1;
                (Kind::Removed, rest)
            }
            Some((" ", rest)) if old > 0 && new > 0 => {
                (old, new) = (old - 1, new - 1);
                (Kind::Around, rest)
            }
            Some(("\\", _)) if !lines.is_empty() => (Kind::NoLineEnd, ""),
            // Where a piece stands, names of files, and what else stands between pieces.
            _ => {
                (old, new) = piece(text).unwrap_or_default();
                continue;
            }
        };
        lines.push(Line { kind, text });
    }
    lines
}

/// How many lines, old and new, follow on the head of a piece, `@@ -1,2 +1,3 @@`.
fn piece(head: &str) -> Option<(usize, usize)> {
    let (old, new) = head.strip_prefix("@@ -")?.split_once(" @@")?.0.split_once(" +")?;
    let count = |range: &str| range.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok());
    Some((count(old)?, count(new)?))
}

/// The first changed lines, and how many more there are.
pub fn excerpt(lines: &[Line<'_>], words: &CardWords) -> (AnyView, usize) {
    let changed = || lines.iter().filter(|line| line.is_change());
    let first: Vec<_> = changed().take(EXCERPT_LINES).map(|line| line.draw(words)).collect();
    (view! { <pre class="diff excerpt">{first}</pre> }.into_any(), changed().count().saturating_sub(EXCERPT_LINES))
}

pub fn whole(lines: &[Line<'_>], words: &CardWords) -> AnyView {
    let lines: Vec<_> = lines.iter().map(|line| line.draw(words)).collect();
    view! { <pre class="diff" tabindex="0">{lines}</pre> }.into_any()
}

/// What a call would change, told by its arguments alone, and the names of those that it tells all of.
pub fn proposed<'a>(tool: &str, args: &'a Value) -> Option<(Vec<Line<'a>>, &'static [&'static str])> {
    let field = |name: &str| args.get(name).and_then(Value::as_str);
    match tool {
        "write_file" => Some((all(Kind::Added, field("content")?).collect(), &["content"])),
        "edit_file" => match args.get("edits").and_then(Value::as_array) {
            Some(edits) => Some((edits.iter().flat_map(replaced).collect(), &["edits"])),
            None => Some((replaced(args), &["old_str", "new_str"])),
        },
        _ => None,
    }
}

fn replaced(edit: &Value) -> Vec<Line<'_>> {
    let field = |name: &str| edit.get(name).and_then(Value::as_str).unwrap_or_default().lines().collect::<Vec<_>>();
    let (old, new) = (field("old_str"), field("new_str"));
    let line = |tag, text| {
        let kind = match tag {
            ChangeTag::Equal => Kind::Around,
            ChangeTag::Delete => Kind::Removed,
            ChangeTag::Insert => Kind::Added,
        };
        Line { kind, text }
    };
    let changes = diff_slices(Algorithm::Myers, &old, &new);
    changes.into_iter().flat_map(|(tag, texts)| texts.iter().map(move |text| line(tag, *text))).collect()
}

fn all(kind: Kind, text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(move |text| Line { kind, text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ui::words::{Language, cards::cards};

    fn kinds(lines: &[Line<'_>]) -> Vec<(Kind, String)> {
        lines.iter().map(|line| (line.kind, line.text.to_owned())).collect()
    }

    #[test]
    fn lines_that_look_like_headers_are_lines_inside_a_piece() {
        let diff = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n--- old\n+++ new\n";
        let expected = [(Kind::Around, "same"), (Kind::Removed, "-- old"), (Kind::Added, "++ new")];
        assert_eq!(kinds(&lines(diff)), expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn the_names_of_a_second_file_are_no_lines_of_the_first() {
        let file = "--- /dev/null\n+++ b/m.txt\n@@ -0,0 +1 @@\n+one\n";
        let added = || (Kind::Added, "one".to_owned());
        assert_eq!(kinds(&lines(&format!("{file}{file}"))), [added(), added()]);
        assert_eq!(kinds(&lines(&format!("{file}diff --git a/x b/x\n{file}"))), [added(), added()]);
    }

    #[test]
    fn a_line_end_that_goes_or_comes_is_told_in_words() {
        let diff = "@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+b\n";
        let (view, more) = excerpt(&lines(diff), cards(Language::English));
        let html = crate::cards::html(view);
        assert!(html.contains("the last line has no line end") && !html.contains('\\'), "{html}");
        assert_eq!(more, 0);
    }

    #[test]
    fn an_edit_is_told_as_what_goes_and_what_comes() {
        let args = json!({"path": "a", "edits": [{"old_str": "x\ny", "new_str": "z"}, {"old_str": "q"}]});
        let (lines, shown) = proposed("edit_file", &args).unwrap();
        let removed = |text: &str| (Kind::Removed, text.to_owned());
        assert_eq!(kinds(&lines), [removed("x"), removed("y"), (Kind::Added, "z".into()), removed("q")]);
        assert_eq!(shown, ["edits"]);
        assert!(proposed("shell_execute", &args).is_none());

        let appended = json!({"path": "a", "old_str": "last\n", "new_str": "last\nmore\n"});
        let (lines, _) = proposed("edit_file", &appended).unwrap();
        assert_eq!(kinds(&lines), [(Kind::Around, "last".to_owned()), (Kind::Added, "more".into())]);
    }

    #[test]
    fn an_excerpt_has_changed_lines_alone_and_counts_the_rest() {
        let added = EXCERPT_LINES + 3;
        let diff = format!("@@ -1 +1,{} @@\n around\n{}", added + 1, "+line\n".repeat(added));
        let (view, more) = excerpt(&lines(&diff), cards(Language::English));
        let html = crate::cards::html(view);
        assert_eq!((html.matches("+ line").count(), more), (EXCERPT_LINES, 3));
        assert!(!html.contains("around"));
    }
}
