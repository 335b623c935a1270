//! Models behind OpenAI's chat completions: OpenAI, vLLM, LM Studio, llama.cpp and their like.
//!
//! `request` writes what is sent; `decoder` and `calls` turn what comes back into what the port speaks of, `chunk` the
//! usual piece of text in a hurry. What such servers send differs in many small ways; each leniency stands where it is
//! needed.

mod calls;
mod chunk;
mod decoder;
mod request;
#[cfg(test)]
mod stream_tests;
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
    header::{AUTHORIZATION, HeaderMap},
};
use serde_json::Value;

use super::http::{
    Advice, Answer, Asked, Connection, Learnt, Packing, Reader, Settings, Taken, ToolList, WireNames, sealed,
    stated_window,
};
use crate::agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest};
use decoder::Decoder;
use request::Quirk;

pub struct OpenAiCompatible {
    server: Arc<ModelServer>,
}

struct ModelServer {
    connection: Connection,
    settings: Settings,
    quirks: Learnt<Quirk>,
    tools: ToolList,
    window: Asked<u64>,
}

impl OpenAiCompatible {
    /// Connects to nothing yet; an error means that the settings can never work.
    pub fn new(settings: Settings) -> Result<Self, ModelError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = settings.api_key.as_ref().filter(|key| !key.is_empty()) {
            headers.insert(AUTHORIZATION, sealed(&format!("Bearer {}", key.reveal()))?);
        }
        let connection = Connection::new(&settings, headers, advice())?;
        let (quirks, tools, window) = (Learnt::default(), ToolList::default(), Asked::default());
        Ok(Self { server: Arc::new(ModelServer { connection, settings, quirks, tools, window }) })
    }
}

fn advice() -> Advice {
    let address = "which usually ends in /v1";
    Advice { address, missing: format!("Check the model's name, and base_url, {address}.") }
}

#[async_trait]
impl Model for OpenAiCompatible {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let server = self.server.clone();
        stream::once(async move { server.open(request).await }).map_ok(Answer::events).try_flatten().boxed()
    }

    async fn health(&self) -> Result<(), ModelError> {
        let connection = &self.server.connection;
        connection.health(&connection.below(&["models"])).await
    }

    /// OpenAI's own models do; of others it has to be said, since one that doesn't fails over the first picture.
    fn sees(&self) -> bool {
        let own = || self.server.connection.below(&[]).host_str() == Some("api.openai.com");
        self.server.settings.vision.unwrap_or_else(own)
    }

    async fn context_limit(&self) -> Option<u64> {
        match self.server.settings.context_tokens {
            Some(configured) => Some(configured),
            None => self.server.window.get(self.server.ask_window()).await,
        }
    }
}

impl ModelServer {
    async fn open(&self, request: ModelRequest) -> Result<Answer<Decoder>, ModelError> {
        let names = WireNames::new(request.tools.iter().map(|tool| tool.name.as_str()));
        let tools = self.tools.written(&request.tools, |specs| request::tools(specs, &names))?;
        let body = |quirks: &_| request::body(&request, &names, &self.settings, quirks);
        let chat = self.connection.below(&["chat", "completions"]);
        let Taken { response, patience, .. } = self.connection.ask(&chat, &self.quirks, tools.as_deref(), body).await?;
        let server = self.connection.server().clone();
        let decoder = Decoder::new(server.clone(), names.clone(), self.settings.max_tokens);
        Ok(Answer { server, response, reader: Reader::new(decoder, Packing::Events), patience })
    }

    async fn ask_window(&self) -> Option<u64> {
        let listed = self.look(self.connection.below(&["models"])).await;
        if let Some(window) = listed.as_ref().and_then(|list| stated_window(self.entry(list)?)) {
            return Some(window);
        }
        // What follows are addresses of servers that run in the house. A provider's would only wonder.
        if self.connection.below(&[]).scheme() != "http" {
            return None;
        }
        let beside = |segments: &[&str]| self.connection.beside(&["v1"], segments);
        // llama.cpp: what each conversation gets, whatever the model was trained with.
        let props = self.look(beside(&["props"])).await;
        let window = props.and_then(|props| props.pointer("/default_generation_settings/n_ctx")?.as_u64());
        if window.is_some() {
            return window;
        }
        stated_window(&self.look(beside(&["api", "v0", "models", &self.settings.model])).await?)
    }

    async fn look(&self, url: Url) -> Option<Value> {
        self.connection.look(&url, None).await
    }

    /// The model in the server's list. A server that has only one may list it under another name.
    fn entry<'a>(&self, list: &'a Value) -> Option<&'a Value> {
        let entries = list.get("data").unwrap_or(list).as_array()?;
        let named = entries.iter().find(|entry| entry.get("id").is_some_and(|id| *id == *self.settings.model));
        named.or_else(|| entries.first().filter(|_| entries.len() == 1))
    }
}
