//! A Word document: a paragraph a line, headings marked, a table's row a line with tabs.

use super::{
    archive::Archive,
    xml::{Node, attribute, read},
};

/// Parts of a document with text of their own, in the order in which they are told.
const NOTES: [(&str, &str); 2] = [("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")];

pub fn text(bytes: &[u8]) -> Result<String, String> {
    let mut archive = Archive::open(bytes)?;
    let body = archive.part("word/document.xml")?.ok_or("it has no text part")?;
    let mut text = paragraphs(&body)?;
    for (part, title) in NOTES {
        let Some(notes) = archive.part(part)? else { continue };
        let notes = paragraphs(&notes)?;
        if !notes.trim().is_empty() {
            text.push_str(&format!("\n## {title}\n{notes}"));
        }
    }
    Ok(text)
}

#[derive(Default)]
struct Writer {
    text: String,
    line: String,
    in_text: bool,
    /// Tables that are open, one in the other.
    tables: usize,
    cells: Vec<String>,
    heading: usize,
    item: bool,
}

fn paragraphs(xml: &str) -> Result<String, String> {
    let mut writer = Writer::default();
    read(xml, |node| writer.take(node))?;
    Ok(writer.text)
}

impl Writer {
    fn take(&mut self, node: Node) {
        match node {
            Node::Open(name, attributes) => match name.as_str() {
                "t" | "delText" => self.in_text = name == "t",
                "tab" => self.line.push('\t'),
                "br" | "cr" => self.line.push('\n'),
                "tbl" => self.tables += 1,
                "pStyle" => self.heading = heading(attribute(&attributes, "val").unwrap_or_default()),
                "numPr" => self.item = true,
                _ => {}
            },
            Node::Text(text) if self.in_text => self.line.push_str(&text),
            Node::Text(_) => {}
            Node::Close(name) => match name.as_str() {
                "t" => self.in_text = false,
                "p" => self.end_paragraph(),
                "tc" if self.tables == 1 => self.cells.push(std::mem::take(&mut self.line).trim().to_owned()),
                "tr" if self.tables == 1 => {
                    let row = std::mem::take(&mut self.cells).join("\t");
                    self.text.push_str(&row);
                    self.text.push('\n');
                }
                "tbl" => self.tables = self.tables.saturating_sub(1),
                _ => {}
            },
        }
    }

    fn end_paragraph(&mut self) {
        let (heading, item) = (std::mem::take(&mut self.heading), std::mem::take(&mut self.item));
        if self.tables > 0 {
            // Paragraphs of a cell stand in one line.
            self.line.push(' ');
            return;
        }
        let line = std::mem::take(&mut self.line);
        let mark = match (heading, item) {
            (0, true) => "- ".to_owned(),
            (0, false) => String::new(),
            (level, _) => format!("{} ", "#".repeat(level)),
        };
        self.text.push_str(&mark);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// `Heading2` and its like in the languages that Word is sold in end with their level.
fn heading(style: &str) -> usize {
    let level = style.chars().last().and_then(|last| last.to_digit(10)).filter(|level| (1..=6).contains(level));
    let names = ["heading", "berschrift", "titre", "titolo", "ttulo", "kop", "nagwek", "rubrik"];
    let named = names.iter().any(|name| style.to_lowercase().contains(name));
    match (named, level) {
        (true, Some(level)) => level as usize,
        _ if style == "Title" => 1,
        _ => 0,
    }
}
