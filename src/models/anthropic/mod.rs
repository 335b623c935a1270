//! Models behind Anthropic's Messages API: Claude itself, and the servers and gateways that speak it.
//!
//! `request` writes what is sent, with the messages from `conversation`; `decoder` turns what comes back into what the
//! port speaks of. A model that thinks wants its thoughts back, signed and unchanged, while the turn goes on: `memory`
//! keeps them, since nobody else has a use for them.

mod conversation;
mod decoder;
mod memory;
mod request;
#[cfg(test)]
mod wire_tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use super::http::{
    Advice, Answer, Asked, Connection, Learnt, Packing, Reader, Settings, Taken, ToolList, sealed, stated_window,
};
use crate::{
    agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest},
    protocol::ToolCall,
};
use conversation::Wire;
use decoder::Decoder;
use memory::Memory;
use request::Quirk;

/// The version of the API that is spoken here.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
/// The least that a Claude has had for years, in tokens; for servers that don't state it.
const CLAUDE_WINDOW: u64 = 200_000;

pub struct Anthropic {
    server: Arc<ModelServer>,
}

struct ModelServer {
    connection: Connection,
    settings: Settings,
    quirks: Learnt<Quirk>,
    tools: ToolList,
    facts: Asked<Facts>,
    memory: Arc<Memory>,
}

/// What the server states of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    /// In tokens.
    window: Option<u64>,
    /// The most that `max_tokens` may be.
    most_output: Option<u32>,
}

impl Anthropic {
    /// Connects to nothing yet; an error means that the settings can never work. `base_url` is the address without
    /// `/v1/messages`; one that ends in `/v1` is understood too.
    pub fn new(settings: Settings) -> Result<Self, ModelError> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("anthropic-version"), VERSION);
        if let Some(key) = settings.api_key.as_ref().filter(|key| !key.is_empty()) {
            headers.insert(HeaderName::from_static("x-api-key"), sealed(key.reveal())?);
        }
        let connection = Connection::new(&settings, headers, advice())?;
        let (quirks, tools, facts, memory) = (Learnt::default(), ToolList::default(), Asked::default(), Arc::default());
        Ok(Self { server: Arc::new(ModelServer { connection, settings, quirks, tools, facts, memory }) })
    }
}

fn advice() -> Advice {
    let address = "which for Anthropic itself is https://api.anthropic.com";
    Advice { address, missing: format!("Check the model's name, and base_url, {address}.") }
}

#[async_trait]
impl Model for Anthropic {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let server = self.server.clone();
        stream::once(async move { server.open(request).await }).map_ok(Answer::events).try_flatten().boxed()
    }

    async fn health(&self) -> Result<(), ModelError> {
        self.server.connection.health(&self.server.address(&["models"])).await
    }

    /// All of its models do.
    fn sees(&self) -> bool {
        self.server.settings.vision.unwrap_or(true)
    }

    fn carried_bytes(&self, text: &str, calls: &[ToolCall]) -> usize {
        self.server.memory.thought_bytes(text, calls)
    }

    async fn context_limit(&self) -> Option<u64> {
        let ModelServer { settings, facts, .. } = &*self.server;
        if settings.context_tokens.is_some() {
            return settings.context_tokens;
        }
        let stated = facts.get(self.server.ask_facts()).await.and_then(|facts| facts.window);
        stated.or_else(|| settings.model.contains("claude").then_some(CLAUDE_WINDOW))
    }
}

impl ModelServer {
    fn address(&self, segments: &[&str]) -> Url {
        self.connection.beside(&["v1"], &[&["v1"], segments].concat())
    }

    async fn open(&self, request: ModelRequest) -> Result<Answer<Decoder>, ModelError> {
        let wire = Wire::new(&request);
        let most_output = self.facts.known().and_then(|facts| facts.most_output);
        let tools = self.tools.written(&request.tools, |specs| request::tools(specs, &wire))?;
        let body = |quirks: &_| request::body(&request, &wire, &self.settings, most_output, &self.memory, quirks);
        let Taken { response, patience, sent } =
            self.connection.ask(&self.address(&["messages"]), &self.quirks, tools.as_deref(), body).await?;
        let limit = sent.get("max_tokens").and_then(|limit| u32::try_from(limit.as_u64()?).ok());
        let server = self.connection.server().clone();
        let decoder = Decoder::new(server.clone(), wire.names.clone(), limit, self.memory.clone());
        Ok(Answer { server, response, reader: Reader::new(decoder, Packing::Events), patience })
    }

    async fn ask_facts(&self) -> Option<Facts> {
        let entry = self.connection.look(&self.address(&["models", &self.settings.model]), None).await?;
        let most_output = entry.get("max_tokens").and_then(|most| u32::try_from(most.as_u64()?).ok());
        Some(Facts { window: stated_window(&entry), most_output })
    }
}
