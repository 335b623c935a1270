//! Model servers on this machine that nobody has configured yet, so that they can be offered. None is used unasked.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::timeout;

use super::http::{Advice, Connection, Settings, Timeouts};
use crate::{
    agent::ports::model::Offers,
    protocol::{ModelOffer, OfferedModel},
};

/// A server on this machine answers within milliseconds, and a page waits.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// Models of one server; nobody chooses from more.
const MOST_MODELS: usize = 50;

/// A server as it comes out of the box.
struct Known {
    name: &'static str,
    /// What the model would be called in the configuration.
    alias: &'static str,
    provider: &'static str,
    base_url: &'static str,
    /// Where it lists its models, below `base_url`.
    list: &'static [&'static str],
    /// The list in that document, and a model's name in the list.
    entries: &'static str,
    entry: &'static str,
}

const OLLAMA: Known = Known {
    name: "Ollama",
    alias: "ollama",
    provider: "ollama",
    base_url: "http://127.0.0.1:11434",
    list: &["api", "tags"],
    entries: "models",
    entry: "name",
};

const LM_STUDIO: Known = Known {
    name: "LM Studio",
    alias: "lm_studio",
    provider: "openai_compatible",
    base_url: "http://127.0.0.1:1234/v1",
    list: &["models"],
    entries: "data",
    entry: "id",
};

const LLAMA_CPP: Known =
    Known { name: "llama.cpp", alias: "llama_cpp", base_url: "http://127.0.0.1:8080/v1", ..LM_STUDIO };

/// The ports where model servers usually listen.
pub struct UsualPorts;

#[async_trait]
impl Offers for UsualPorts {
    async fn look(&self) -> Vec<ModelOffer> {
        let found = join_all([OLLAMA, LM_STUDIO, LLAMA_CPP].iter().map(|known| ask(known, known.base_url))).await;
        found.into_iter().flatten().collect()
    }
}

/// What the server at `base_url` has, if it is one of this kind and has anything.
async fn ask(known: &Known, base_url: &str) -> Option<ModelOffer> {
    let settings = Settings {
        base_url: base_url.into(),
        model: String::new(),
        api_key: None,
        max_tokens: None,
        temperature: None,
        reasoning_effort: None,
        context_tokens: None,
        vision: None,
        timeouts: Timeouts::default(),
    };
    let unsaid = Advice { address: "", missing: String::new() };
    let connection = Connection::new(&settings, HeaderMap::new(), unsaid).ok()?;
    let list = timeout(LOOK_LIMIT, connection.look(&connection.below(known.list), None)).await.ok()??;
    let models: Vec<OfferedModel> = names(known, &list)
        .take(MOST_MODELS)
        .map(|model| OfferedModel { model: model.to_owned(), toml: toml(known, base_url, model) })
        .collect();
    (!models.is_empty()).then(|| ModelOffer {
        name: known.name.into(),
        provider: known.provider.into(),
        base_url: base_url.into(),
        models,
    })
}

/// The models of the list, without those that only embed.
fn names<'a>(known: &Known, list: &'a Value) -> impl Iterator<Item = &'a str> {
    let entries = list.get(known.entries).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = entries.iter().filter_map(|entry| entry.get(known.entry)?.as_str());
    names.filter(|name| !name.is_empty() && !name.to_lowercase().contains("embed"))
}

/// The section that makes the model one of ours.
fn toml(known: &Known, base_url: &str, model: &str) -> String {
    // A name comes from another program: it is quoted as TOML wants it.
    let [provider, base_url, model] = [known.provider, base_url, model].map(|text| toml::Value::from(text).to_string());
    format!("[models.{}]\nprovider = {provider}\nbase_url = {base_url}\nmodel = {model}\n", known.alias)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::http::testing::{ScriptedServer, json as document, refusal};

    fn offered(offer: &ModelOffer) -> Vec<&str> {
        offer.models.iter().map(|offered| offered.model.as_str()).collect()
    }

    #[tokio::test]
    async fn a_server_is_offered_with_its_models_and_the_lines_for_them() {
        let tags =
            json!({"models": [{"name": "llama3.2:latest"}, {"name": "nomic-embed-text:latest"}, {"name": "a\"b"}]});
        let (server, base) = ScriptedServer::start([document(tags)]).await;
        let offer = ask(&OLLAMA, &base).await.unwrap();
        assert_eq!(server.lines(), ["GET /api/tags"]);
        assert_eq!(offered(&offer), ["llama3.2:latest", "a\"b"]);
        let expected =
            format!("[models.ollama]\nprovider = \"ollama\"\nbase_url = \"{base}\"\nmodel = \"llama3.2:latest\"\n");
        assert_eq!(offer.models[0].toml, expected);
        for OfferedModel { model, toml } in &offer.models {
            let read: toml::Table = toml.parse().unwrap();
            assert_eq!(read["models"]["ollama"]["model"].as_str(), Some(model.as_str()));
        }
    }

    #[tokio::test]
    async fn servers_in_openai_s_form_are_understood() {
        let list = json!({"object": "list", "data": [{"id": "qwen3-8b", "object": "model"}, {"id": "text-embedding-x"}], "models": []});
        let (server, base) = ScriptedServer::start([document(list)]).await;
        let offer = ask(&LM_STUDIO, &format!("{base}/v1")).await.unwrap();
        assert_eq!((offer.provider.as_str(), offered(&offer)), ("openai_compatible", vec!["qwen3-8b"]));
        assert_eq!(server.lines(), ["GET /v1/models"]);
    }

    #[tokio::test]
    async fn what_is_no_model_server_is_not_offered() {
        for answer in [refusal(404, ""), refusal(200, "<html>"), document(json!({"models": "none", "data": {}}))] {
            let (_, base) = ScriptedServer::start([answer]).await;
            assert_eq!(ask(&LLAMA_CPP, &base).await, None);
        }
        assert_eq!(ask(&OLLAMA, "http://127.0.0.1:9").await, None);
    }
}
