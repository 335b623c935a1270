//! Counting: lines, words, and the rows and columns of delimited text.

/// What a text holds. Lines are the tool's business: it gives the total.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    /// Records that follow the first one.
    pub rows: usize,
    /// Records with another number of fields than the first.
    pub uneven: usize,
    pub delimiter: Option<char>,
}

pub fn words<'a>(lines: impl IntoIterator<Item = &'a str>) -> usize {
    lines.into_iter().map(|line| line.split_whitespace().count()).sum()
}

/// Reads delimited text: quoted fields may hold delimiters, doubled quotes and line ends; empty lines don't count.
pub fn table(lines: &[&str]) -> Table {
    let Some(first) = lines.iter().find(|line| !line.trim().is_empty()) else { return Table::default() };
    let delimiter = delimiter(first);
    let mut records = records(lines, delimiter.unwrap_or(',')).into_iter();
    let columns = records.next().unwrap_or_default();
    let mut table = Table { delimiter, ..Table::default() };
    for record in records {
        table.rows += 1;
        table.uneven += usize::from(record.len() != columns.len());
    }
    table.columns = columns.iter().map(|name| name.trim().trim_start_matches('\u{feff}').to_owned()).collect();
    table
}

/// The character that divides the first line most often, outside quotes.
fn delimiter(line: &str) -> Option<char> {
    let mut quoted = false;
    let mut counts = [(',', 0), (';', 0), ('\t', 0), ('|', 0)];
    for c in line.chars() {
        quoted ^= c == '"';
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == c && !quoted) {
            *count += 1;
        }
    }
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (best.1 > 0).then_some(best.0)
}

fn records(lines: &[&str], delimiter: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record: Vec<String> = vec![String::new()];
    let mut quoted = false;
    for line in lines {
        if !quoted && line.trim().is_empty() {
            continue;
        }
        read_line(line, delimiter, &mut quoted, &mut record);
        if quoted {
            push(&mut record, '\n');
        } else {
            records.push(std::mem::replace(&mut record, vec![String::new()]));
        }
    }
    if quoted {
        records.push(record);
    }
    records
}

fn read_line(line: &str, delimiter: char, quoted: &mut bool, record: &mut Vec<String>) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' && *quoted && chars.peek() == Some(&'"') {
            push(record, '"');
            chars.next();
        } else if c == '"' && (*quoted || record.last().is_some_and(String::is_empty)) {
            *quoted = !*quoted;
        } else if c == delimiter && !*quoted {
            record.push(String::new());
        } else {
            push(record, c);
        }
    }
}

fn push(record: &mut [String], c: char) {
    if let Some(field) = record.last_mut() {
        field.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_may_hold_delimiters_quotes_and_line_ends() {
        let found = table(&["date;\"item; note\";amount", "1;\"a \"\"b\"\"; c\";2", "", "2;\"two", "lines\";3", "3;x"]);
        assert_eq!(found.columns, ["date", "item; note", "amount"]);
        assert_eq!((found.rows, found.uneven, found.delimiter), (3, 1, Some(';')));
    }

    #[test]
    fn text_without_a_delimiter_has_one_column_and_nothing_has_none() {
        assert_eq!(table(&["hello world"]).columns, ["hello world"]);
        assert_eq!(table(&[]), Table::default());
        assert_eq!(words(["two words", "", " three  more words "]), 5);
    }
}
