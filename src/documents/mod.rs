//! Text out of documents that are no plain text: PDF, Word, PowerPoint, Excel, pages of the web. Their formats are large, and a file may be made
//! to break its readers: to take all memory, to nest without end, to never end. So a document is read by a process of
//! its own – this program, started anew – with little memory and time, and what happens to it happens to nobody else.

mod archive;
mod html;
mod pdf;
mod presentation;
mod process;
mod spreadsheet;
mod word;
mod xml;

use serde::{Deserialize, Serialize};

pub use process::{ReadError, Reader, SUBCOMMAND, serve};

/// Pages of a PDF that are read at once: about as much text as one answer holds.
pub const MAX_PAGES: u32 = 20;
/// Text of one document, in bytes; what is longer is cut. An answer shows a page of it.
pub const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Pdf,
    Word,
    Presentation,
    Spreadsheet,
    /// A page of the web, in UTF-8.
    Page,
}

/// What is read of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub text: String,
    /// First and last page that was read, and how many there are; only of what has pages.
    pub pages: Option<(u32, u32, u32)>,
    /// There is more text than is read of one document.
    pub cut: bool,
}

impl Kind {
    /// What a file is by its first bytes and, for those that are archives, by what is in them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        /// Some programs put something before the mark.
        const PDF_PROBE_BYTES: usize = 1024;
        let head = &bytes[..bytes.len().min(PDF_PROBE_BYTES)];
        if head.windows(5).any(|window| window == b"%PDF-") {
            return Some(Self::Pdf);
        }
        if !bytes.starts_with(b"PK\x03\x04") {
            return None;
        }
        let names = archive::names(bytes);
        let has = |part: &str| names.iter().any(|name| name == part);
        [
            ("word/document.xml", Self::Word),
            ("ppt/presentation.xml", Self::Presentation),
            ("xl/workbook.xml", Self::Spreadsheet),
        ]
        .into_iter()
        .find_map(|(part, kind)| has(part).then_some(kind))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Word => "Word document",
            Self::Presentation => "presentation",
            Self::Spreadsheet => "spreadsheet",
            Self::Page => "page",
        }
    }
}

/// The text of a document, from `first_page` on. Only for the process that may break.
fn text(kind: Kind, bytes: &[u8], first_page: u32) -> Result<Text, String> {
    match kind {
        Kind::Pdf => pdf::text(bytes, first_page),
        Kind::Word => word::text(bytes).map(whole),
        Kind::Presentation => presentation::text(bytes).map(whole),
        Kind::Spreadsheet => spreadsheet::text(bytes).map(whole),
        Kind::Page => html::text(bytes).map(whole),
    }
}

fn whole(mut text: String) -> Text {
    let cut = text.len() > MAX_TEXT_BYTES;
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    Text { text, pages: None, cut }
}

#[cfg(test)]
mod documents_tests;
