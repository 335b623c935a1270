//! Reads the texts that the reading tools answer with. Anything unexpected reads as "nothing there", never as a fault.

/// A page of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page<'a> {
    pub lines: Vec<&'a str>,
    /// Number of the first line in `lines`, from 1.
    pub first: usize,
    /// Lines of the whole file.
    pub total: usize,
    /// Where the next page starts, if the tool said that it cut.
    pub next: Option<usize>,
}

pub fn page(text: &str) -> Page<'_> {
    let mut rows = text.lines();
    let (first, last, total) = rows.next().and_then(page_header).unwrap_or_default();
    let mut page = Page { first, total, ..Page::default() };
    for row in rows {
        // A numbered line can't begin with "[cut: ", so file content is never taken for the note.
        match row.split_once('\t') {
            Some((number, line)) if number.trim().parse::<usize>().is_ok() => page.lines.push(line),
            _ if row.starts_with("[cut: ") => page.next = (last < total).then_some(last + 1),
            _ => {}
        }
    }
    page
}

/// `PATH: lines A-B of TOTAL`
fn page_header(row: &str) -> Option<(usize, usize, usize)> {
    let (_, rest) = row.rsplit_once(": lines ")?;
    let (range, total) = rest.split_once(" of ")?;
    let (first, last) = range.split_once('-')?;
    Some((figure(first)?, figure(last)?, figure(total)?))
}

fn figure(text: &str) -> Option<usize> {
    text.trim().replace(',', "").parse().ok()
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing<'a> {
    pub folders: Vec<&'a str>,
    /// Name and size in bytes, where the tool gives one.
    pub files: Vec<(&'a str, Option<u64>)>,
    /// Links as the tool shows them.
    pub links: Vec<&'a str>,
    pub cut: bool,
}

impl Listing<'_> {
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty() && self.links.is_empty()
    }
}

pub fn listing(text: &str) -> Listing<'_> {
    let mut found = Listing::default();
    for row in text.lines().skip(1).filter(|row| !row.is_empty()) {
        if row.starts_with("[cut: ") {
            found.cut = true;
        } else if row.contains("@ -> ") {
            found.links.push(row);
        } else if let Some(folder) = row.strip_suffix('/') {
            found.folders.push(folder);
        } else {
            found.files.push(sized(row));
        }
    }
    found
}

/// `name (1240 bytes)`
fn sized(row: &str) -> (&str, Option<u64>) {
    let parts = row.strip_suffix(')').and_then(|row| row.rsplit_once(" ("));
    let Some((name, size)) = parts else { return (row, None) };
    match size.split_once(' ').and_then(|(bytes, _)| bytes.replace(',', "").parse().ok()) {
        Some(bytes) => (name, Some(bytes)),
        None => (row, None),
    }
}

/// A list of paths that may be cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths<'a> {
    pub paths: Vec<&'a str>,
    pub cut: bool,
}

pub fn paths(text: &str) -> Paths<'_> {
    let rows = text.lines().skip(1).filter(|row| !row.is_empty());
    let (notes, paths): (Vec<&str>, Vec<&str>) = rows.partition(|row| row.starts_with("[cut: "));
    Paths { paths, cut: !notes.is_empty() }
}

/// Matches of a search, by file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches<'a> {
    /// Path and how many matches it has.
    pub files: Vec<(&'a str, usize)>,
    /// The matched lines: path, line number, text. Empty if only files were asked for.
    pub lines: Vec<(&'a str, usize, &'a str)>,
    pub cut: bool,
}

pub fn matches(text: &str) -> Matches<'_> {
    let mut found = Matches::default();
    for row in text.lines().skip(1) {
        if row.starts_with("[cut: ") {
            found.cut = true;
        } else if let Some((path, number, line)) = matched_line(row) {
            found.lines.push((path, number, line));
            match found.files.last_mut().filter(|(last, _)| *last == path) {
                Some((_, count)) => *count += 1,
                None => found.files.push((path, 1)),
            }
        }
    }
    found
}

/// The answer to a search with `files_only`: `invoices/a.txt (2)`.
pub fn matched_files(text: &str) -> Matches<'_> {
    let mut found = Matches::default();
    for row in text.lines().skip(1).filter(|row| !row.is_empty()) {
        if row.starts_with("[cut: ") {
            found.cut = true;
            continue;
        }
        let counted = row.strip_suffix(')').and_then(|row| row.rsplit_once(" ("));
        let file = counted.and_then(|(path, count)| Some((path, figure(count)?)));
        found.files.push(file.unwrap_or((row, 1)));
    }
    found
}

/// `path:12: text`; the first place where a number stands between colons divides.
fn matched_line(row: &str) -> Option<(&str, usize, &str)> {
    row.match_indices(':').find_map(|(at, _)| {
        let (number, line) = row[at + 1..].split_once(':')?;
        let number = number.parse().ok()?;
        Some((&row[..at], number, line.strip_prefix(' ').unwrap_or(line)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_lines_as_they_are_and_knows_what_follows() {
        let text = "a: b.txt: lines 1-3 of 9\n1\talpha\n2\t[cut: not a note]\n3\t\n[cut: lines 4-9 follow; call read_file with line_start=4]";
        let page = page(text);
        assert_eq!(page.lines, ["alpha", "[cut: not a note]", ""]);
        assert_eq!((page.first, page.total, page.next), (1, 9, Some(4)));
        assert_eq!(super::page("notes.txt: empty"), Page::default());
    }

    #[test]
    fn a_listing_tells_folders_files_and_links_apart() {
        let found = listing(
            "inv: 1 folder, 2 files\narchive/\na (old) (12 bytes)\nlink@ -> ../x\nb.txt (1 byte)\n[cut: 3 more entries; list a folder inside]",
        );
        assert_eq!(found.folders, ["archive"]);
        assert_eq!(found.files, [("a (old)", Some(12)), ("b.txt", Some(1))]);
        assert_eq!((found.links.len(), found.cut), (1, true));
    }

    #[test]
    fn matches_are_read_with_colons_in_text_and_counts_in_brackets() {
        let found = matches("2 matches in 1 file\na.txt:12: at 10:30: lunch\na.txt:14: x\n--\na.txt-15- y");
        assert_eq!(found.lines, [("a.txt", 12, "at 10:30: lunch"), ("a.txt", 14, "x")]);
        assert_eq!(found.files, [("a.txt", 2)]);
        assert_eq!(matched_files("1 file matches\ninvoices/a (1).txt (2)").files, [("invoices/a (1).txt", 2)]);
    }
}
