//! What stands in a workspace, as people look at it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answer of `GET …/files` and `GET …/files/search`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileList {
    pub entries: Vec<FileEntry>,
    /// There is more than is listed.
    pub truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileEntry {
    pub name: String,
    /// Relative to the workspace.
    pub path: String,
    pub kind: FileKind,
    /// In bytes; of files.
    pub size: Option<u64>,
    pub modified_at: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Folder,
    File,
    /// A pipe, socket or device, or a link that leads out or nowhere: it is not opened.
    Other,
}

/// Answer of `GET …/preview/{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilePreview {
    pub name: String,
    pub path: String,
    pub kind: PreviewKind,
    pub size: u64,
    pub modified_at: Option<String>,
    /// More is in the file than is shown.
    pub truncated: bool,
    /// What a text is written in, as far as one can tell, where that is not UTF-8.
    pub encoding: Option<String>,
    /// Of `text`, and the source of `markdown`.
    pub text: Option<String>,
    /// Of `markdown`: sanitised.
    pub html: Option<String>,
    pub table: Option<Table>,
    /// Of `image` and `pdf`: an address that gives the bytes and can't run anything.
    pub url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    Text,
    Markdown,
    Table,
    Image,
    Pdf,
    /// It can be downloaded.
    None,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}
