//! What a person is asked to agree to.

use serde::{Deserialize, Serialize};

/// The risk word of a call that changes something or leaves the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Changes files of the workspace; can be undone.
    Edit,
    /// Takes files of the workspace away; can be undone.
    Delete,
    /// Runs a program.
    Run,
    /// Sends something off this machine.
    Network,
}
