//! Models behind Ollama's own API, `/api/chat`. Unlike its `/v1`, it takes the size of the window with each request.
//!
//! `request` writes what is sent, `decoder` reads the lines that come back.

mod decoder;
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
    header::{AUTHORIZATION, HeaderMap},
};
use serde_json::{Value, json};

use super::http::{
    Advice, Answer, Asked, Connection, Learnt, Packing, Reader, Settings, Taken, ToolList, WireNames, sealed,
};
use crate::agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest};
use decoder::Decoder;
use request::Quirk;

pub struct Ollama {
    server: Arc<ModelServer>,
}

struct ModelServer {
    connection: Connection,
    settings: Settings,
    /// The window, in tokens, that nobody chose.
    usual_window: u64,
    quirks: Learnt<Quirk>,
    tools: ToolList,
    window: Asked<u64>,
}

impl Ollama {
    /// Connects to nothing yet; an error means that the settings can never work. `base_url` is the address without
    /// `/api/chat`; one that ends in `/api` or `/v1` is understood too.
    ///
    /// Where no window is configured, the model gets the one of its Modelfile, else `usual_window` tokens or as many as
    /// it was made for, if that is less: the whole window of a modern model would not fit most machines.
    pub fn new(settings: Settings, usual_window: u64) -> Result<Self, ModelError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = settings.api_key.as_ref().filter(|key| !key.is_empty()) {
            headers.insert(AUTHORIZATION, sealed(&format!("Bearer {}", key.reveal()))?);
        }
        let connection = Connection::new(&settings, headers, advice(&settings.model))?;
        let (quirks, tools, window) = (Learnt::default(), ToolList::default(), Asked::default());
        Ok(Self { server: Arc::new(ModelServer { connection, settings, usual_window, quirks, tools, window }) })
    }
}

fn advice(model: &str) -> Advice {
    let address = "which is usually http://127.0.0.1:11434";
    Advice { address, missing: format!("Run `ollama pull {model}` on that machine, or correct the model's name.") }
}

#[async_trait]
impl Model for Ollama {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let server = self.server.clone();
        stream::once(async move { server.open(request).await }).map_ok(Answer::events).try_flatten().boxed()
    }

    async fn health(&self) -> Result<(), ModelError> {
        let ModelServer { connection, settings, .. } = &*self.server;
        let tags = connection.get(&self.server.address("tags")).await?;
        let models = tags.get("models").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let names = || models.iter().flat_map(|model| [model.get("name"), model.get("model")]).flatten();
        if names().filter_map(Value::as_str).any(|name| is_same(name, &settings.model)) {
            return Ok(());
        }
        Err(connection.server().missing("it is not in the list of its models"))
    }

    fn sees(&self) -> bool {
        self.server.settings.vision.unwrap_or(false)
    }

    async fn context_limit(&self) -> Option<u64> {
        Some(self.server.window().await)
    }
}

/// Ollama adds the tag `latest` to a name without one.
fn is_same(listed: &str, configured: &str) -> bool {
    listed == configured || listed.strip_suffix(":latest") == Some(configured)
}

impl ModelServer {
    fn address(&self, name: &str) -> Url {
        self.connection.beside(&["v1", "api"], &["api", name])
    }

    async fn open(&self, request: ModelRequest) -> Result<Answer<Decoder>, ModelError> {
        let names = WireNames::new(request.tools.iter().map(|tool| tool.name.as_str()));
        let window = self.window().await;
        let tools = self.tools.written(&request.tools, |specs| request::tools(specs, &names))?;
        let body = |quirks: &_| request::body(&request, &names, &self.settings, window, quirks);
        let Taken { response, patience, .. } =
            self.connection.ask(&self.address("chat"), &self.quirks, tools.as_deref(), body).await?;
        let server = self.connection.server().clone();
        let decoder = Decoder::new(server.clone(), names.clone(), self.settings.max_tokens);
        Ok(Answer { server, response, reader: Reader::new(decoder, Packing::Lines), patience })
    }

    async fn window(&self) -> u64 {
        if let Some(configured) = self.settings.context_tokens {
            return configured;
        }
        self.window.get(self.ask_window()).await.unwrap_or(self.usual_window)
    }

    async fn ask_window(&self) -> Option<u64> {
        let named = json!({"model": self.settings.model});
        let shown = self.connection.look(&self.address("show"), Some(&named)).await?;
        window(&shown, self.usual_window)
    }
}

/// The window of the Modelfile, else the one the model was made for, up to `usual`.
fn window(shown: &Value, usual: u64) -> Option<u64> {
    let parameters = shown.get("parameters").and_then(Value::as_str).unwrap_or_default();
    let chosen = parameters.lines().find_map(|line| line.trim().strip_prefix("num_ctx")?.trim().parse().ok());
    let facts = shown.get("model_info").and_then(Value::as_object);
    let made_for = || {
        let mut lengths = facts?.iter().filter(|(name, _)| name.ends_with(".context_length"));
        lengths.find_map(|(_, length)| length.as_u64()).map(|length| length.min(usual))
    };
    chosen.or_else(made_for).filter(|window| *window > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_modelfile_s_else_the_model_s_up_to_the_usual_one() {
        let model = |length: u64| json!({"general.architecture": "llama", "llama.context_length": length});
        let chosen = "stop                           \"<|eot_id|>\"\nnum_ctx                        65536";
        for (shown, expected) in [
            (json!({"model_info": model(131_072)}), Some(24_000)),
            (json!({"model_info": model(8_192), "parameters": "temperature 1"}), Some(8_192)),
            (json!({"model_info": model(131_072), "parameters": chosen}), Some(65_536)),
            (json!({"parameters": "num_ctx zero"}), None),
            (json!({}), None),
        ] {
            assert_eq!(window(&shown, 24_000), expected, "{shown}");
        }
    }

    #[test]
    fn a_name_without_a_tag_means_the_latest() {
        assert!(is_same("llama3.2:latest", "llama3.2") && is_same("llama3.2:1b", "llama3.2:1b"));
        assert!(!is_same("llama3.2:1b", "llama3.2") && !is_same("llama3.2", "llama3.2:latest-1"));
    }
}
