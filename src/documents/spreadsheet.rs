//! A spreadsheet: each sheet with its rows, cells between tabs, as they would stand in a CSV file.

use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};

use super::{MAX_TEXT_BYTES, archive::Archive};

/// Empty cells that are written between two others; a cell far to the right is told by its place instead.
const MAX_GAP: u32 = 50;

pub fn text(bytes: &[u8]) -> Result<String, String> {
    // The reader unpacks without asking how much.
    Archive::open(bytes)?.check_all()?;
    let damaged = |error: &dyn std::fmt::Display| format!("it is damaged: {error}");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error: calamine::XlsxError| damaged(&error))?;
    let mut text = String::new();
    for name in book.sheet_names() {
        text.push_str(&format!("## Sheet {name}\n"));
        let mut cells = match book.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            Err(error) => {
                text.push_str(&format!("[this sheet can't be read: {error}]\n\n"));
                continue;
            }
        };
        // Cell by cell: the extent that a sheet claims may be that of a desert.
        let (mut row, mut column, mut begun) = (0, 0, false);
        while let Some(cell) = cells.next_cell_with_formula().map_err(|error| damaged(&error))? {
            let mut shown = shown(&cell.value);
            // A program that writes formulas need not have reckoned them.
            if let Some(formula) = cell.formula.filter(|_| shown.is_empty()) {
                shown = one_line(&format!("={formula}"));
            }
            if shown.is_empty() {
                continue;
            }
            let (at_row, at_column) = cell.pos;
            if !begun || at_row != row {
                if begun {
                    text.push('\n');
                }
                if begun && at_row > row + 1 || !begun && at_row > 0 {
                    text.push_str(&format!("[row {}]\n", at_row + 1));
                }
                (row, column, begun) = (at_row, 0, true);
            }
            if at_column.saturating_sub(column) > MAX_GAP {
                text.push_str(&format!("\t[column {}] ", at_column + 1));
            } else {
                (column..at_column).for_each(|_| text.push('\t'));
            }
            column = at_column;
            text.push_str(&shown);
            if text.len() > MAX_TEXT_BYTES {
                return Ok(text);
            }
        }
        text.push_str("\n\n");
    }
    Ok(text)
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => one_line(text),
        DataRef::SharedString(text) => one_line(text),
        DataRef::Bool(value) => value.to_string().to_uppercase(),
        DataRef::DateTime(time) => date(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn date(time: &calamine::ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    if time.as_f64() < 1.0 {
        // No day: a time as somebody typed it.
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {hour:02}:{minute:02}:{second:02}") }
}
