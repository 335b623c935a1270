//! The text of a PDF's pages. The reader that is used gives up on some pages by a panic; such a page is told as one that
//! can't be read, and the others are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

use super::{MAX_PAGES, MAX_TEXT_BYTES, Text};

const UNREADABLE: &str = "[this page can't be read]";
const NO_TEXT: &str = "[no text on this page; it may be a picture]";

pub fn text(bytes: &[u8], first_page: u32) -> Result<Text, String> {
    let mut document = Document::load_mem(bytes).map_err(|error| format!("it is damaged: {error}"))?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err("it is locked with a password".into());
    }
    let total = u32::try_from(document.get_pages().len()).unwrap_or(u32::MAX);
    if total == 0 {
        return Err("it has no pages".into());
    }
    if first_page > total {
        return Err(format!("it has {total} pages, so there is no page {first_page}"));
    }
    let mut last = first_page;
    let mut all = String::new();
    for page in first_page..=total.min(first_page.saturating_add(MAX_PAGES - 1)) {
        let text = page_text(&document, page);
        if page > first_page && all.len() + text.len() > MAX_TEXT_BYTES {
            break;
        }
        all.push_str(&format!("--- page {page} of {total} ---\n{text}\n"));
        last = page;
    }
    let cut = all.len() > MAX_TEXT_BYTES;
    all.truncate(all.floor_char_boundary(MAX_TEXT_BYTES));
    Ok(Text { text: all, pages: Some((first_page, last, total)), cut })
}

fn page_text(document: &Document, page: u32) -> String {
    let mut text = String::new();
    let read = catch_unwind(AssertUnwindSafe(|| output_doc_page(document, &mut PlainTextOutput::new(&mut text), page)));
    if !matches!(read, Ok(Ok(()))) {
        return UNREADABLE.into();
    }
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    let text = lines.join("\n").trim_matches('\n').to_owned();
    if text.is_empty() { NO_TEXT.into() } else { text }
}
