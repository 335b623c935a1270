//! Work on one file's text, or on two: show, count, compare.

use super::{
    file_answer,
    intent::{FileAsk, Target, Units},
    locate::{Found, read_args},
    plan::{Desk, Next},
    results::{self, Page},
    tally,
};

/// Pages that a count reads of one file: 40,000 lines at most, and room for the steps that find it.
const COUNT_PAGES: usize = 20;
/// Pages of each of two files that a comparison reads, so that both stay within the calls of a turn.
const COMPARE_PAGES: usize = 8;
/// A line that the tool cut ends so.
const CUT_LINE: &str = " […]";

/// The text of a file, as far as it was read.
pub struct Text<'a> {
    pub lines: Vec<&'a str>,
    pub total: usize,
    /// All lines are there, none of them cut.
    pub whole: bool,
}

impl Desk<'_> {
    pub fn inspect(&self, target: &Target, ask: FileAsk) -> Result<String, Next> {
        match ask {
            FileAsk::Read => self.show(target, None, None),
            FileAsk::Head(lines) => self.show(target, None, Some(lines)),
            FileAsk::Range(first, last) => self.show(target, Some(first), Some(last)),
            FileAsk::Tail(lines) => self.tail(target, lines),
            FileAsk::Count(units) => self.count(target, units),
        }
    }

    fn show(&self, target: &Target, start: Option<usize>, end: Option<usize>) -> Result<String, Next> {
        let (found, text) = self.open(target, start, end)?;
        let page = results::page(text);
        Ok(file_answer::shown(&found, &page))
    }

    fn tail(&self, target: &Target, lines: usize) -> Result<String, Next> {
        let (found, text) = self.open(target, None, Some(1))?;
        let total = results::page(text).total;
        let start = total.saturating_sub(lines) + 1;
        let page = match total {
            0 | 1 => results::page(text),
            _ => results::page(self.text("read_file", read_args(&found.path, Some(start), Some(total)))?),
        };
        Ok(file_answer::shown(&found, &page))
    }

    fn count(&self, target: &Target, units: Units) -> Result<String, Next> {
        let (found, text) = self.open(target, None, None)?;
        let only_lines = !(units.words || units.columns || units.rows);
        let pages = if only_lines { 1 } else { COUNT_PAGES };
        let text = self.pages(&found, text, pages)?;
        let table = tally::table(&text.lines);
        Ok(file_answer::counted(&found, units, &text, &table, tally::words(text.lines.iter().copied())))
    }

    /// Reads on from the first page, at most `pages` in all.
    fn pages<'s>(&'s self, found: &Found, first: &'s str, pages: usize) -> Result<Text<'s>, Next> {
        let mut page: Page<'s> = results::page(first);
        let mut text = Text { lines: page.lines, total: page.total, whole: false };
        for _ in 1..pages {
            let Some(start) = page.next.filter(|next| *next > page.first) else { break };
            page = results::page(self.text("read_file", read_args(&found.path, Some(start), None))?);
            text.lines.append(&mut page.lines);
        }
        text.whole = text.lines.len() >= text.total && !text.lines.iter().any(|line| line.ends_with(CUT_LINE));
        Ok(text)
    }

    pub fn compare(&self, left: &Target, right: &Target) -> Result<String, Next> {
        let (old, first) = self.open(left, None, None)?;
        let (new, second) = self.open(right, None, None)?;
        let before = self.pages(&old, first, COMPARE_PAGES)?;
        let after = self.pages(&new, second, COMPARE_PAGES)?;
        Ok(file_answer::compared((&old, &before), (&new, &after)))
    }

    /// "Compare the two ledgers": the name must fit just two files.
    pub fn compare_pair(&self, names: &[String]) -> Result<String, Next> {
        let names: Vec<String> = names.iter().filter(|name| !["two", "2"].contains(&name.as_str())).cloned().collect();
        let found = self.named(&names, None, None)?;
        match found.as_slice() {
            [left, right] => {
                let (left, right) = if left <= right { (left, right) } else { (right, left) };
                self.compare(&Target::Path(left.clone()), &Target::Path(right.clone()))
            }
            several => Ok(file_answer::compare_what(&names.join(" "), several)),
        }
    }
}
