//! What `GET /models` and `GET /tools` tell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

/// A model server on this machine that is not configured, from `GET /models/offers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelOffer {
    /// As people know it: `Ollama`, `LM Studio`, `llama.cpp`.
    pub name: String,
    pub provider: String,
    pub base_url: String,
    /// At least one.
    pub models: Vec<OfferedModel>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedModel {
    /// The server's own name of the model.
    pub model: String,
    /// The lines that, put into `loom.toml`, configure it.
    pub toml: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolInfo {
    pub name: String,
    pub description: String,
    /// JSON schema of the arguments.
    pub parameters: Value,
}
