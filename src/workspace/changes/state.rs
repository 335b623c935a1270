//! What stands at a path, in the form in which it is recorded and compared.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::MAX_IMAGE_BYTES;
use crate::workspace::{
    Workspace, WorkspaceError, WorkspacePath,
    real::{Node, Sort, Stamp},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    File(FileState),
    Folder {
        mode: u32,
    },
    /// A symlink with its target as written.
    Link(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    pub size: u64,
    pub mode: u32,
    /// `None`: the content was never read, since nothing that was done needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
    /// `None`: not there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::workspace) stamp: Option<Stamp>,
    /// The step that moved this very file into the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<u32>,
}

/// SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(String);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        use fmt::Write;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl State {
    /// What is known of a node without reading it.
    pub(in crate::workspace) fn of(
        workspace: &Workspace,
        path: &WorkspacePath,
        node: &Node,
    ) -> Result<Self, WorkspaceError> {
        Ok(match node.sort {
            Sort::File => Self::File(FileState::of(node, None)),
            Sort::Folder => Self::Folder { mode: node.mode },
            Sort::Link => Self::Link(workspace.link_text(path)?),
            Sort::Special => return Err(WorkspaceError::Special(path.clone())),
        })
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }

    pub fn file(&self) -> Option<&FileState> {
        if let Self::File(file) = self { Some(file) } else { None }
    }

    /// Permission bits; `None` where there are none to keep.
    pub fn mode(&self) -> Option<u32> {
        match self {
            Self::File(file) => Some(file.mode),
            Self::Folder { mode } => Some(*mode),
            Self::Absent | Self::Link(_) => None,
        }
    }

    pub fn set_mode(&mut self, wanted: Option<u32>) {
        if let (Self::File(FileState { mode, .. }) | Self::Folder { mode }, Some(wanted)) = (self, wanted) {
            *mode = wanted;
        }
    }

    /// Whether a person would see no difference. What is not known counts as one.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.has_content_of(other) && self.mode() == other.mode()
    }

    /// The same without permissions. What is in a folder is told by itself.
    pub fn has_content_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) | (Self::Folder { .. }, Self::Folder { .. }) => true,
            (Self::Link(a), Self::Link(b)) => a == b,
            (Self::File(a), Self::File(b)) => a.has_content_of(b),
            _ => false,
        }
    }

    /// Whether this is what stands at `path` now. Permissions don't count: an undo keeps those that somebody else gave.
    pub(in crate::workspace) fn holds(
        &self,
        workspace: &Workspace,
        path: &WorkspacePath,
    ) -> Result<bool, WorkspaceError> {
        let node = workspace.node(path)?;
        Ok(match (self, node) {
            (Self::Absent, None) => true,
            // One folder is as good as another: what is in it is told by itself.
            (Self::Folder { .. }, Some(node)) => node.is_folder(),
            (Self::Link(target), Some(node)) => node.sort == Sort::Link && workspace.link_text(path)? == *target,
            (Self::File(file), Some(node)) if node.is_file() => file.holds(workspace, path, &node)?,
            _ => false,
        })
    }
}

impl FileState {
    pub(in crate::workspace) fn of(node: &Node, hash: Option<Hash>) -> Self {
        Self { size: node.stamp.size, mode: node.mode, hash, stamp: Some(node.stamp), trash: None }
    }

    pub fn has_content_of(&self, other: &Self) -> bool {
        match (&self.hash, &other.hash) {
            (Some(a), Some(b)) => a == b,
            _ => self.stamp.is_some() && self.stamp == other.stamp,
        }
    }

    fn holds(&self, workspace: &Workspace, path: &WorkspacePath, node: &Node) -> Result<bool, WorkspaceError> {
        if self.stamp == Some(node.stamp) {
            return Ok(true);
        }
        let Some(hash) = self.hash.as_ref().filter(|_| node.stamp.size == self.size) else { return Ok(false) };
        match workspace.read_real(path, MAX_IMAGE_BYTES) {
            Ok((_, bytes)) => Ok(bytes.is_some_and(|bytes| Hash::of(&bytes) == *hash)),
            Err(WorkspaceError::Changed(_) | WorkspaceError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
