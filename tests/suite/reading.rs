//! Files that are more than text, as the model gets them: documents as their text, pictures as pictures.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::{
    model::{call, say},
    server::{Server, Setup},
};

/// A picture of one dot.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn read(id: &str, args: Value) -> crate::support::model::Script {
    call(id, "read_file", &args)
}

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF with one line on each page.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), String::new()];
    objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".into());
    let mut kids = String::new();
    for text in pages {
        let content = format!("BT /F1 12 Tf 50 700 Td ({text}) Tj ET");
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
        let content = objects.len();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        ));
        kids.push_str(&format!("{} 0 R ", objects.len()));
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len());
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let start = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    places.iter().for_each(|place| file.push_str(&format!("{place:010} 00000 n \n")));
    file.push_str(&format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1));
    file.into_bytes()
}

fn write(server: &Server, name: &str, bytes: &[u8]) {
    std::fs::write(server.workspace.join(name), bytes).unwrap();
}

/// What the model reads of one file.
async fn told(server: &Server, args: Value) -> Value {
    server.model.play([read("r", args), say("Read.")]);
    let id = server.session().await;
    let frames = server.turn(&id, "Read it").await;
    frames.into_iter().find(|frame| frame["type"] == "tool_call_completed").unwrap()
}

#[tokio::test]
async fn documents_are_read_as_their_text() {
    let server = Server::start().await;
    let word = "<w:document><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Offer</w:t></w:r></w:p>\
        <w:p><w:r><w:t xml:space=\"preserve\">Two rooms &amp; </w:t></w:r><w:r><w:t>breakfast</w:t></w:r></w:p>\
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>May</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>120</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
        </w:body></w:document>";
    write(&server, "offer.docx", &archive(&[("word/document.xml", word)]));
    let done = told(&server, json!({"path": "offer.docx"})).await;
    assert_eq!(
        done["output"],
        "offer.docx (Word document): lines 1-3 of 3\n1\t# Offer\n2\tTwo rooms & breakfast\n3\tMay\t120"
    );

    let id = server.session().await;
    let preview = server.api.get(&format!("/cowork/sessions/{id}/preview/offer.docx")).await.expect(200);
    assert_eq!(
        (&preview["kind"], preview["text"].as_str().unwrap().trim_end(), &preview["truncated"]),
        (&json!("text"), "# Offer\nTwo rooms & breakfast\nMay\t120", &json!(false))
    );

    let slide = |text: &str| format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let relation = |id: u32, target: &str| format!("<Relationship Id=\"r{id}\" Type=\"x/slide\" Target=\"{target}\"/>");
    let parts = [
        ("ppt/presentation.xml", "<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"r2\"/><p:sldId id=\"257\" r:id=\"r1\"/></p:sldIdLst></p:presentation>".to_owned()),
        ("ppt/_rels/presentation.xml.rels", format!("<Relationships>{}{}</Relationships>", relation(1, "slides/slide1.xml"), relation(2, "slides/slide2.xml"))),
        ("ppt/slides/slide1.xml", slide("the end")),
        ("ppt/slides/slide2.xml", slide("the beginning")),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    write(&server, "talk.pptx", &archive(&parts));
    let done = told(&server, json!({"path": "talk.pptx"})).await;
    let text = done["output"].as_str().unwrap();
    assert!(text.starts_with("talk.pptx (presentation): lines 1-"), "{text}");
    assert!(text.find("the beginning").unwrap() < text.find("the end").unwrap(), "in the order of the talk: {text}");

    let pages: Vec<String> = (1..=25).map(|page| format!("Invoice {page}")).collect();
    write(&server, "invoices.pdf", &pdf(&pages.iter().map(String::as_str).collect::<Vec<_>>()));
    let done = told(&server, json!({"path": "invoices.pdf"})).await;
    let text = done["output"].as_str().unwrap();
    assert!(
        text.starts_with(
            "invoices.pdf (PDF, pages 1-20 of 25): lines 1-40 of 40\n1\t--- page 1 of 25 ---\n2\tInvoice 1\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("[cut: pages 21-25 follow, up to 20 at once; call read_file with page_start=21]"), "{text}");
    assert_eq!(done["preview"], "pages 1-20 of 25");
    let done = told(&server, json!({"path": "invoices.pdf", "page_start": 21})).await;
    assert!(
        done["output"].as_str().unwrap().contains("Invoice 25") && !done["output"].as_str().unwrap().contains("[cut")
    );
    let done = told(&server, json!({"path": "invoices.pdf", "page_start": 26})).await;
    assert!(done["error"].as_str().unwrap().contains("it has 25 pages, so there is no page 26"), "{done}");
}

#[tokio::test]
async fn a_spreadsheet_is_read_cell_by_cell() {
    let server = Server::start().await;
    let sheet = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
        <row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>\
        <row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"B2\"><v>120.5</v></c></row>\
        <row r=\"1048576\"><c r=\"XFD1048576\"><v>7</v></c></row></sheetData></worksheet>";
    let parts = [
        ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
        (
            "_rels/.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"March\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        (
            "xl/sharedStrings.xml",
            "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>item</t></si><si><t>amount</t></si><si><t>hotel</t></si></sst>",
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    write(&server, "ledger.xlsx", &archive(&parts));
    let done = told(&server, json!({"path": "ledger.xlsx"})).await;
    let text = done["output"].as_str().unwrap_or_else(|| panic!("{done}"));
    assert!(text.contains("\n1\t## Sheet March\n2\titem\tamount\n3\thotel\t120.5\n"), "{text}");
    assert!(
        text.contains("[row 1048576]") && text.contains("[column 16384] 7"),
        "a cell far away is no desert: {text}"
    );
}

#[tokio::test]
async fn a_document_that_is_made_to_break_its_reader_breaks_nothing_else() {
    let server = Server::start().await;
    let bomb = "<w:document>".to_owned() + &" ".repeat(65 * 1024 * 1024) + "</w:document>";
    write(&server, "bomb.docx", &archive(&[("word/document.xml", &bomb)]));
    let nested = "<w:p>".repeat(500_000);
    write(&server, "nested.docx", &archive(&[("word/document.xml", &nested)]));
    write(
        &server,
        "broken.pdf",
        b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 1 0 R >> endobj\ntrailer << /Root 1 0 R >>",
    );
    write(&server, "cut.docx", &archive(&[("word/document.xml", "<w:document><w:p><w:t>half")])[..60]);
    for (name, expected) in [("bomb.docx", "unpacks to more than 64 MiB"), ("broken.pdf", "can't be read")] {
        let done = told(&server, json!({"path": name})).await;
        assert_eq!(done["success"], false, "{name}: {done}");
        assert!(done["error"].as_str().unwrap().contains(expected), "{name}: {done}");
    }
    for name in ["nested.docx", "cut.docx"] {
        told(&server, json!({"path": name})).await;
    }
    server.write_file("a.txt", "still here");
    assert!(told(&server, json!({"path": "a.txt"})).await["output"].as_str().unwrap().contains("still here"));
}

#[tokio::test]
async fn a_picture_is_shown_to_a_model_that_sees_and_told_to_one_that_does_not() {
    for vision in [true, false] {
        let server = Setup { vision, ..Setup::default() }.start().await;
        write(&server, "dot.png", &STANDARD.decode(PNG).unwrap());
        let batch = read("a", json!({"path": "dot.png"})).call("b", "list_directory", &json!({}));
        server.model.play([batch, say("A dot."), say("It was a dot.")]);
        let id = server.session().await;
        let frames = server.turn(&id, "What is on it?").await;
        let done = frames.iter().find(|frame| frame["type"] == "tool_call_completed").unwrap();
        let text = done["output"].as_str().unwrap();
        assert!(text.starts_with("dot.png: a picture (PNG), 1 × 1 pixels, 70 bytes"), "{text}");
        assert_eq!(text.contains("not known to take pictures"), !vision, "{text}");
        let messages = server.model.last_messages();
        let last = messages.last().unwrap();
        if vision {
            assert_eq!(last["role"], "user");
            assert_eq!(last["content"][1]["image_url"]["url"], format!("data:image/png;base64,{PNG}"));
        } else {
            assert_eq!(last["role"], "tool");
        }
        // Later turns have the words about it, not the picture.
        server.turn(&id, "What was it?").await;
        assert!(!server.model.last_messages().iter().any(|message| message["content"].is_array()));
    }
}

#[tokio::test]
async fn a_file_that_is_neither_is_refused_with_its_size() {
    let server = Server::start().await;
    write(&server, "data.bin", b"a\0b");
    let done = told(&server, json!({"path": "data.bin"})).await;
    assert_eq!(done["error"], "`data.bin` is a binary file (3 bytes), so it can't be read as text.");
    write(&server, "plain.zip", &archive(&[("a.txt", "x")]));
    let done = told(&server, json!({"path": "plain.zip"})).await;
    assert!(done["error"].as_str().unwrap().contains("is a binary file"), "{done}");
}

#[tokio::test]
async fn a_part_of_a_file_fits_a_small_window() {
    let read = call("r", "read_file", &json!({"path": "long.txt"}));
    let search = call("s", "ripgrep_search", &json!({"pattern": "line", "max_matches": 1000}));
    let server = Setup { context_tokens: 10_000, ..Setup::default() }.start().await;
    server.model.play([read, search, say("Long.")]);
    server.write_file("long.txt", &"A line of a long file, one of many like it.\n".repeat(1_500));
    let id = server.session().await;
    let frames = server.turn(&id, "Read it").await;
    let done: Vec<_> = frames.iter().filter(|frame| frame["type"] == "tool_call_completed").collect();
    for done in &done {
        let output = done["output"].as_str().unwrap();
        assert!((8_000..11_000).contains(&output.len()), "a quarter of the window: {}", output.len());
    }
    assert!(done[0]["output"].as_str().unwrap().contains("follow; call read_file with line_start="), "{}", done[0]);
}
