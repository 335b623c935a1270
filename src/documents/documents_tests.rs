use std::io::Write;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn word(body: &str) -> String {
    let bytes = archive(&[("word/document.xml", &format!("<w:document><w:body>{body}</w:body></w:document>"))]);
    text(Kind::Word, &bytes, 1).unwrap().text
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn a_kind_is_told_by_what_is_in_the_file_and_not_by_its_name() {
    assert_eq!(Kind::of(b"%PDF-1.7 x"), Some(Kind::Pdf));
    assert_eq!(Kind::of(b"\n\n%PDF-1.7 x"), Some(Kind::Pdf));
    assert_eq!(Kind::of(&archive(&[("word/document.xml", "")])), Some(Kind::Word));
    assert_eq!(Kind::of(&archive(&[("ppt/presentation.xml", "")])), Some(Kind::Presentation));
    assert_eq!(Kind::of(&archive(&[("xl/workbook.xml", "")])), Some(Kind::Spreadsheet));
    for other in [&b"PK\x03\x04 and no archive"[..], b"plain text", b"", &archive(&[("a.txt", "x")])] {
        assert_eq!(Kind::of(other), None);
    }
}

#[test]
fn what_is_written_in_a_document_is_read_as_it_stands_there() {
    assert_eq!(word(&paragraph("a &lt;b&gt; &amp; &#8364; &#x41;")), "a <b> & \u{20ac} A\n");
    assert_eq!(word("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"), "a\tb\nc\n");
    assert_eq!(word("<w:p><w:r><w:delText>gone</w:delText><w:t>kept</w:t></w:r></w:p>"), "kept\n");
    let item = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one</w:t></w:r></w:p>";
    assert_eq!(word(item), "- one\n");
    let cell = |text: &str| format!("<w:tc>{}{}</w:tc>", paragraph(text), paragraph("more"));
    assert_eq!(word(&format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell("a"), cell("b"))), "a more\tb more\n");
}

/// A workbook of one sheet with these cells, in one row.
fn spreadsheet(cells: &str) -> String {
    let namespace = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = format!(
        "<workbook {namespace} xmlns:r=\"{relations}\"><sheets><sheet name=\"Costs\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let related = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"{relations}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let (root, sheets) = (related("officeDocument", "xl/workbook.xml"), related("worksheet", "worksheets/sheet1.xml"));
    let sheet = format!("<worksheet {namespace}><sheetData><row r=\"1\">{cells}</row></sheetData></worksheet>");
    let parts = [
        ("_rels/.rels", root.as_str()),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &sheets),
        ("xl/worksheets/sheet1.xml", &sheet),
    ];
    text(Kind::Spreadsheet, &archive(&parts), 1).unwrap().text
}

#[test]
fn a_formula_shows_its_result_or_where_nobody_has_reckoned_it_itself() {
    let cells = "<c r=\"A1\"><v>2</v></c><c r=\"B1\"><f>A1*3</f><v>6</v></c><c r=\"C1\"><f>SUM(A1:B1)</f></c>";
    assert_eq!(spreadsheet(cells).trim_end(), "## Sheet Costs\n2\t6\t=SUM(A1:B1)");
}

#[test]
fn a_document_that_is_no_document_is_said_to_be_one() {
    for (kind, bytes) in [
        (Kind::Word, archive(&[("a", "")])),
        (Kind::Word, b"PK\x03\x04".to_vec()),
        (Kind::Word, archive(&[("word/document.xml", "<a><b></a>")])),
        (Kind::Presentation, archive(&[("a", "")])),
        (Kind::Spreadsheet, archive(&[("xl/workbook.xml", "")])),
        (Kind::Pdf, b"%PDF-1.7".to_vec()),
    ] {
        assert!(text(kind, &bytes, 1).is_err(), "{kind:?}");
    }
}

#[test]
fn a_long_text_is_cut_and_that_is_said() {
    let long = whole("\u{e9}".repeat(MAX_TEXT_BYTES));
    assert!(long.cut && long.text.len() <= MAX_TEXT_BYTES);
    assert!(!whole("short".into()).cut);
}

#[test]
fn a_page_becomes_its_text_with_links_and_without_scripts() {
    let page = "<html><head><title>T</title><style>p{}</style><script>evil()</script></head><body><h1>Offers</h1>\
        <p>Two <b>rooms</b>, see <a href=\"/rooms\">all</a>.</p><ul><li>one<li>two</ul>\
        <table><tr><td>a</td><td>b</td></tr></table></body></html>";
    let text = text(Kind::Page, page.as_bytes(), 1).unwrap().text;
    assert!(text.contains("Offers") && text.contains("rooms") && text.contains("/rooms"), "{text}");
    assert!(text.contains("* one\n* two") && !text.contains("evil") && !text.contains("p{}"), "{text}");
}
