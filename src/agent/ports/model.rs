//! The model port: what the turn loop asks of a language model.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::protocol::{ModelOffer, Tokens, ToolCall};

#[async_trait]
pub trait Model: Send + Sync {
    /// One model call. Dropping the stream ends the request. After an `Err` the stream is over; without one
    /// its end means that the model has said all it wants to.
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>>;

    /// Whether the model can be reached now; the error says what to do.
    async fn health(&self) -> Result<(), ModelError>;

    /// Whether it takes pictures.
    fn sees(&self) -> bool {
        false
    }

    /// Size of the context window, in tokens, as it is configured or the model's server says it; `None` where neither
    /// does. Answers within seconds, and keeps what it learnt.
    async fn context_limit(&self) -> Option<u64> {
        None
    }

    /// Bytes that its server wants back beside an assistant message of the running turn, such as the thoughts before it.
    fn carried_bytes(&self, text: &str, calls: &[ToolCall]) -> usize {
        let _ = (text, calls);
        0
    }
}

/// What a model is given. The adapter turns it into its provider's wire format.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelRequest {
    pub system: String,
    /// Oldest first. Every call of an assistant message is followed by exactly one `Tool` message.
    pub messages: Vec<ChatMessage>,
    pub tools: Arc<[ToolSpec]>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChatMessage {
    User(String),
    /// A note of the program's own, such as one of Loom's hints in an old session.
    Note(String),
    Assistant {
        text: String,
        calls: Vec<ToolCall>,
    },
    Tool {
        call_id: String,
        name: String,
        success: bool,
        content: String,
    },
    /// What the tools of the batch before it show; only for models that [`Model::sees`].
    Pictures(Vec<Picture>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// By what the model's text can mean it, such as its path.
    pub name: String,
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: &'static str,
    pub bytes: Arc<[u8]>,
}

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON schema of the arguments object.
    pub parameters: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelEvent {
    Text(String),
    Thinking(String),
    /// A whole call; adapters collect the pieces.
    ToolCall(ToolCall),
    /// More of the arguments of a call that is still being written, for whoever waits for it; `call` counts the calls
    /// of the message. The whole follows.
    CallPiece {
        call: usize,
        name: String,
        arguments: String,
    },
    /// The provider's own count for this call. The last one counts; one before the end is marked as estimated.
    Usage(Tokens),
}

/// Why a call failed; the variant says what can be done about it. Texts are for a person and hold no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Network, 408, 429, 5xx, overload: the same request may succeed later.
    #[error("{detail}")]
    Retry { after: Option<Duration>, detail: String },
    #[error("{0}")]
    ContextFull(String),
    #[error("{0}")]
    Auth(String),
    /// The provider understood and said no.
    #[error("{0}")]
    Refused(String),
    /// The answer reached the longest that one may be; what was said before counts.
    #[error("{0}")]
    Cut(String),
    #[error("{0}")]
    Fatal(String),
}

/// A configured model.
#[derive(Clone)]
pub struct ModelEntry {
    pub name: String,
    pub provider: String,
    pub model_id: String,
    /// Size of the context window, in tokens, where the model does not know it; see [`ModelEntry::context_limit`].
    pub context_limit: u64,
    /// The most tokens that an answer may have, where the operator says it.
    pub answer_limit: Option<u64>,
    pub model: Arc<dyn Model>,
}

impl ModelEntry {
    /// The window to work with, in tokens.
    pub async fn context_limit(&self) -> u64 {
        self.model.context_limit().await.unwrap_or(self.context_limit)
    }
}

/// Finds models that could be configured.
#[async_trait]
pub trait Offers: Send + Sync {
    /// Looks anew each time; answers within seconds.
    async fn look(&self) -> Vec<ModelOffer>;
}

/// The configured models, by alias.
#[derive(Clone)]
pub struct Models {
    entries: BTreeMap<String, ModelEntry>,
    default: String,
    offers: Option<Arc<dyn Offers>>,
}

impl Models {
    /// `default` must be the name of one of `entries`.
    pub fn new(default: impl Into<String>, entries: impl IntoIterator<Item = ModelEntry>) -> Self {
        let default = default.into();
        let entries: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        debug_assert!(entries.contains_key(&default), "the default model is one of the entries");
        Self { entries, default, offers: None }
    }
    /// For a start without configuration: where to look for models to offer.
    pub fn with_offers(self, offers: Arc<dyn Offers>) -> Self {
        Self { offers: Some(offers), ..self }
    }
    pub async fn offers(&self) -> Vec<ModelOffer> {
        match &self.offers {
            Some(offers) => offers.look().await,
            None => Vec::new(),
        }
    }
    pub fn default_name(&self) -> &str {
        &self.default
    }
    pub fn get(&self, name: &str) -> Option<&ModelEntry> {
        self.entries.get(name)
    }
    pub fn iter(&self) -> impl Iterator<Item = &ModelEntry> {
        self.entries.values()
    }
}
