//! What a turn changed in the workspace, and taking it back.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::EventBody;

/// What stands in the place of a diff where a file is too large for one or no text.
pub const NOT_SHOWN: &str = "Binary files differ\n";

/// Takes in what an event says of the files that each turn changed: each once, where it is now, as long as it was not
/// taken back. A turn stays also when all of it was: there is something to show. Answers whether it said anything.
pub fn note_changed(changed: &mut BTreeMap<u32, BTreeSet<String>>, body: &EventBody) -> bool {
    if let EventBody::ToolCallCompleted { turn, name, files_changed, .. } = body
        && !files_changed.is_empty()
    {
        let files = changed.entry(*turn).or_default();
        for (index, path) in files_changed.iter().enumerate() {
            // A move tells each file twice: where it was, and where it is.
            if name == "move_file" && index % 2 == 0 {
                files.remove(path);
            } else {
                files.insert(path.clone());
            }
        }
        return true;
    }
    if let EventBody::ChangesUndone { turn, restored, .. } = body {
        let is_in = |path: &str, above: &String| path.strip_prefix(above.as_str()).is_some_and(is_below);
        changed.entry(*turn).or_default().retain(|path| !restored.iter().any(|above| is_in(path, above)));
        return true;
    }
    false
}

/// What is left of a path behind that of itself or of a folder around it.
fn is_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// Answer of `GET …/turns/{turn}/changes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeList {
    /// One entry for each file, folder or link, in the order of the paths: what all of the turn's steps come to.
    pub changes: Vec<FileChange>,
    /// What is not among them and why, for a person.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Where it is, or where it comes back to if its deletion is undone; relative to the workspace.
    pub path: String,
    pub kind: ChangeKind,
    /// Where it was before it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub folder: bool,
    /// Unified; left out where nothing but the name changed, and where `binary` or `note` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    pub binary: bool,
    /// It was taken back.
    pub undone: bool,
    /// It can be taken back now, by itself or with what `note` names.
    pub undoable: bool,
    /// For a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Created,
    Modified,
    Deleted,
    Moved,
}

/// Body of `POST …/turns/{turn}/undo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UndoRequest {
    /// Paths of the listing; a folder means all that was changed in it. Left out: the whole turn. A form with one
    /// path sends it alone.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_or_many")]
    pub paths: Option<Vec<String>>,
}

fn one_or_many<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Paths {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Paths>::deserialize(given)?.map(|paths| match paths {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths,
    }))
}

/// Answer of `POST …/turns/{turn}/undo`. What was taken back before is in neither list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoAnswer {
    /// What is again as it was before the turn.
    pub restored: Vec<String>,
    /// What was left as it is.
    pub conflicts: Vec<UndoConflict>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndoConflict {
    pub path: String,
    /// Why, for a person.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn changed(name: &str, files: &[&str]) -> EventBody {
        EventBody::ToolCallCompleted {
            turn: 1,
            tool_call_id: CallId::new("c"),
            name: name.into(),
            success: true,
            elapsed_ms: 1,
            preview: String::new(),
            output: String::new(),
            error: None,
            diff: None,
            files_changed: files.iter().map(ToString::to_string).collect(),
            truncated: false,
        }
    }

    fn undone(paths: &[&str]) -> EventBody {
        let restored = paths.iter().map(ToString::to_string).collect();
        EventBody::ChangesUndone { turn: 1, restored, conflicts: Vec::new() }
    }

    #[test]
    fn a_file_counts_once_where_it_is_and_not_when_it_was_taken_back() {
        let mut files = BTreeMap::new();
        for (body, expected) in [
            (changed("read_file", &[]), None),
            (changed("write_file", &["a.md"]), Some(vec!["a.md"])),
            (changed("move_file", &["a.md", "b.md"]), Some(vec!["b.md"])),
            (changed("move_file", &["x/1", "y/1", "x/2", "y/2"]), Some(vec!["b.md", "y/1", "y/2"])),
            (changed("shell_execute", &["b.md", "yes"]), Some(vec!["b.md", "y/1", "y/2", "yes"])),
            (undone(&["y"]), Some(vec!["b.md", "yes"])),
            (undone(&["b.md", "yes"]), Some(vec![])),
        ] {
            note_changed(&mut files, &body);
            let now = files.get(&1).map(|files| files.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(now, expected);
        }
    }
}
