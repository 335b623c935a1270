//! A first look at a file. What a browser would run never gets there as itself: text and tables are data, Markdown
//! is sanitised, images and PDF come from an address that runs nothing.

use std::{io::Read, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use tokio::sync::Semaphore;

use super::{
    error::Answer,
    extract::{SessionPath, encode},
    files::{look, path, shown_type, told},
};
use crate::{
    documents::Kind,
    markdown,
    protocol::{ApiError, FilePreview, PreviewKind, Table},
    state::AppState,
    workspace::{Decoded, OpenFile, Workspace, WorkspacePath, decoded, time},
};

/// Of a text: more is nothing that somebody reads in a panel.
const TEXT_BYTES: usize = 256 * 1024;
/// Of a table.
const ROWS: usize = 200;
const COLUMNS: usize = 24;
const CELL_CHARS: usize = 500;
/// What Office documents begin with, and other archives.
const ARCHIVE: &[u8] = b"PK\x03\x04";

/// Of an Office document.
const DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;
/// Documents that are read for previews at once: each may take much memory; whoever comes next waits.
const DOCUMENTS_AT_ONCE: usize = 2;

pub struct Desk {
    places: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self { places: Semaphore::new(DOCUMENTS_AT_ONCE) }
    }
}

pub async fn preview(
    State(state): State<AppState>,
    Extension(desk): Extension<Arc<Desk>>,
    SessionPath(id): SessionPath,
    Path((_, file)): Path<(String, String)>,
) -> Answer<Json<FilePreview>> {
    let file = path(&file)?;
    let files = state.site.base.at(&format!("/cowork/sessions/{id}/files/"));
    let (mut preview, document) = look(&state.agent, &id, move |workspace| look_at(workspace, &files, &file)).await?;
    if let Some((kind, bytes)) = document {
        let _place = desk.places.acquire().await;
        // One that can't be read can still be downloaded.
        if let Ok(document) = state.documents.read(kind, &bytes, 1).await {
            let mut text = document.text;
            preview.truncated = document.cut || text.len() > TEXT_BYTES;
            text.truncate(text.floor_char_boundary(TEXT_BYTES));
            (preview.kind, preview.text) = (PreviewKind::Text, Some(text));
        }
    }
    Ok(Json(preview))
}

/// A document whose text is still to be read, by a process of its own.
type Document = Option<(Kind, Vec<u8>)>;

/// `files`: the address of the workspace's files.
fn look_at(workspace: &Workspace, files: &str, file: &WorkspacePath) -> Result<(FilePreview, Document), ApiError> {
    let mut opened = workspace.open_file(file).map_err(told)?;
    let name = file.split().map_or("", |(_, name)| name).to_owned();
    let mut preview = FilePreview {
        path: file.to_string(),
        kind: PreviewKind::None,
        size: opened.size,
        modified_at: opened.modified.and_then(time),
        truncated: false,
        encoding: None,
        text: None,
        html: None,
        table: None,
        url: None,
        name,
    };
    if let Some((kind, _)) = shown_type(&preview.name) {
        let place: Vec<String> = file.names().map(encode).collect();
        preview.kind = kind;
        preview.url = Some(format!("{files}{}?inline=true", place.join("/")));
        return Ok((preview, None));
    }
    let mut bytes = Vec::new();
    read(&mut opened, TEXT_BYTES as u64 + 1, &mut bytes)?;
    if bytes.starts_with(ARCHIVE) && preview.size <= DOCUMENT_BYTES {
        read(&mut opened, DOCUMENT_BYTES, &mut bytes)?;
        return Ok((preview, Kind::of(&bytes).map(|kind| (kind, bytes))));
    }
    preview.truncated = bytes.len() > TEXT_BYTES;
    bytes.truncate(TEXT_BYTES);
    let Some(Decoded { text, encoding }) = decoded(&bytes, preview.truncated) else {
        return Ok((preview, None));
    };
    let text = text.as_ref();
    preview.encoding = encoding.map(Into::into);
    match ending(&preview.name).as_str() {
        "md" | "markdown" => {
            preview.kind = PreviewKind::Markdown;
            let html = markdown::render(text).concat();
            // What it links to stands beside it.
            let folder = preview.path.rsplit_once('/').map(|(folder, _)| encode(folder) + "/");
            preview.html =
                Some(html.replace("<a href=\"?file=", &format!("<a href=\"?file={}", folder.unwrap_or_default())));
        }
        ending @ ("csv" | "tsv") => {
            let delimiter = if ending == "tsv" { b'\t' } else { delimiter(text) };
            let (table, more) = table(text, delimiter);
            preview.kind = PreviewKind::Table;
            preview.truncated |= more;
            preview.table = Some(table);
            return Ok((preview, None));
        }
        _ => preview.kind = PreviewKind::Text,
    }
    preview.text = Some(text.to_owned());
    Ok((preview, None))
}

/// Up to `limit` bytes more.
fn read(file: &mut OpenFile, limit: u64, bytes: &mut Vec<u8>) -> Result<(), ApiError> {
    let read = file.by_ref().take(limit).read_to_end(bytes).map(drop);
    read.map_err(|error| {
        tracing::warn!(%error, "a file could not be read for its preview");
        ApiError::internal()
    })
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// What divides the cells: where a comma is a decimal point, tables have semicolons.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

/// The beginning of a table, and whether there is more of it.
fn table(text: &str, delimiter: u8) -> (Table, bool) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    let mut more = false;
    let mut records = Vec::new();
    for record in reader.records() {
        // The last line of a text that was cut may be half a record.
        let Ok(record) = record else { break };
        if records.len() > ROWS {
            more = true;
            break;
        }
        more |= record.len() > COLUMNS;
        records.push(record.iter().take(COLUMNS).map(|cell| cell.chars().take(CELL_CHARS).collect()).collect());
    }
    let mut records = records.into_iter();
    let columns = records.next().unwrap_or_default();
    (Table { columns, rows: records.collect() }, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_by_what_divides_them_and_cut_to_what_is_shown() {
        let (read, more) = table("a,b\n1,\"x, y\"\n2\n", delimiter("a,b"));
        assert_eq!(read.columns, ["a", "b"]);
        assert_eq!(read.rows, [vec!["1", "x, y"], vec!["2"]]);
        assert!(!more);
        let (read, _) = table("\u{FEFF}Name;Preis\nTee;1,20\n", delimiter("Name;Preis"));
        assert_eq!(
            (read.columns, read.rows),
            (vec!["Name".into(), "Preis".into()], vec![vec!["Tee".into(), "1,20".into()]])
        );
        let long = format!("h\n{}", "1\n".repeat(ROWS + 1));
        let (read, more) = table(&long, b',');
        assert_eq!((read.rows.len(), more), (ROWS, true));
        let (read, more) = table(&format!("{}\n", vec!["c"; COLUMNS + 1].join(",")), b',');
        assert_eq!((read.columns.len(), more), (COLUMNS, true));
        assert_eq!(table("", b',').0, Table::default());
    }
}
