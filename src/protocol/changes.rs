//! What a turn changed in the workspace, and taking it back.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
