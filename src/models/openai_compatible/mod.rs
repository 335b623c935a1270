//! Models behind OpenAI's chat completions: OpenAI, vLLM, LM Studio, llama.cpp, Ollama's `/v1` and their like.
//!
//! `request` writes what is sent and `connection` sends it; `answer` reads the bytes that come back, which `reader` and
//! `sse` cut into events and `decoder` and `calls` turn into what the port speaks of. `failure` words everything that
//! goes wrong. What such servers send differs in many small ways; each leniency stands where it is needed.
//!
//! `<think>` tags in the text are left as they are: only the server knows whether they are the model's thoughts or
//! part of what it was asked to write. Servers that part the two send `reasoning_content` or `reasoning`.

mod answer;
mod calls;
mod connection;
mod decoder;
mod failure;
mod names;
mod reader;
mod request;
mod retry_after;
mod settings;
mod sse;
#[cfg(test)]
mod wire_tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use crate::agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest};
use connection::Connection;
pub use settings::{Settings, Timeouts};

pub struct OpenAiCompatible {
    connection: Arc<Connection>,
}

impl OpenAiCompatible {
    /// Connects to nothing yet; an error means that the settings can never work.
    pub fn new(settings: Settings) -> Result<Self, ModelError> {
        Ok(Self { connection: Arc::new(Connection::new(settings)?) })
    }
}

#[async_trait]
impl Model for OpenAiCompatible {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let connection = self.connection.clone();
        stream::once(async move { connection.open(request).await }).map_ok(answer::Answer::events).try_flatten().boxed()
    }

    async fn health(&self) -> Result<(), ModelError> {
        self.connection.health().await
    }
}
