//! What `GET /models` and `GET /tools` tell.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The alias in the configuration, which sessions name.
    pub name: String,
    pub provider: String,
    /// The provider's own name of the model.
    pub model: String,
    /// New sessions take this one.
    pub default: bool,
    /// Size of the context window, in tokens.
    pub context_limit: u64,
    pub reachable: bool,
    /// Why it can't be reached, and what to do.
    pub detail: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolInfo {
    pub name: String,
    pub description: String,
    /// JSON schema of the arguments.
    pub parameters: Value,
}
