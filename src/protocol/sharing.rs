//! Whose a session is, and with whom it is shared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name that stands for everybody who may sign in.
pub const EVERYBODY: &str = "*";

/// What somebody may do in a session, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    Watch,
    /// All but deleting it and sharing it.
    TakePart,
    Own,
}

/// Answer of `GET …/sharing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sharing {
    /// `None`: the session is everybody's.
    pub owner: Option<String>,
    pub shares: Vec<Share>,
}

/// One with whom a session is shared; as an order, `None` takes it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub name: String,
    pub part: Option<Right>,
}
