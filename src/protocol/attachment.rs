//! Files and folders of the workspace that a message names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Of one message: more is a folder.
pub const MAX_ATTACHMENTS: usize = 50;

/// In a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Relative to the workspace.
    pub path: String,
}

/// Looked up and there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attached {
    pub files: Vec<String>,
    pub directories: Vec<String>,
}

impl Attached {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }

    pub fn paths(&self) -> Vec<String> {
        self.files.iter().chain(&self.directories).cloned().collect()
    }

    /// As Loom keeps them with a user row; `None` where there are none.
    pub fn metadata(&self) -> Option<Value> {
        (!self.is_empty()).then(|| {
            json!({
                "workspace_paths": self.paths(),
                "workspace_files": self.files,
                "workspace_directories": self.directories,
            })
        })
    }

    /// Reads [`Attached::metadata`], also of a row of Loom's.
    pub fn from_metadata(metadata: Option<&Value>) -> Self {
        let list = |key| {
            let paths = metadata.and_then(|metadata: &Value| metadata.get(key)).and_then(Value::as_array);
            paths.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self { files: list("workspace_files"), directories: list("workspace_directories") }
    }

    /// A message's text as the model reads it.
    pub fn with_text(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let files = self.files.iter().map(|path| format!("`{path}`"));
        let folders = self.directories.iter().map(|path| format!("the folder `{path}`"));
        let names = files.chain(folders).collect::<Vec<_>>().join(", ");
        format!("{text}\n\n[With this message the person points to: {names}]")
    }
}
