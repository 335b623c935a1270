//! The models: adapters of the agent's model port, one module a provider.

pub mod anthropic;
pub mod built_in;
mod discover;
mod http;
pub mod ollama;
pub mod openai_compatible;

use std::sync::Arc;

use crate::{
    agent::ports::model::{Model, ModelEntry, ModelError, Models},
    config::{BUILT_IN, Config, ModelConfig, Provider},
};
use anthropic::Anthropic;
use built_in::BuiltIn;
use discover::UsualPorts;
use http::{Settings, Timeouts};
use ollama::Ollama;
use openai_compatible::OpenAiCompatible;

/// The configured models; the built-in one is always among them.
///
/// # Errors
/// Where a model's settings can't work, for example a `base_url` that is no address.
pub fn from_config(config: &Config) -> Result<Models, ModelError> {
    let mut entries = vec![built_in_entry()];
    for model in &config.models {
        entries.push(entry(model, config.max_model_context_tokens)?);
    }
    let models = Models::new(config.default_model.as_str(), entries);
    // Who has configured a model has chosen.
    Ok(if config.models.is_empty() { models.with_offers(Arc::new(UsualPorts)) } else { models })
}

fn built_in_entry() -> ModelEntry {
    ModelEntry {
        name: BUILT_IN.into(),
        provider: BUILT_IN.into(),
        model_id: BUILT_IN.into(),
        context_limit: BuiltIn::CONTEXT_LIMIT,
        answer_limit: None,
        model: Arc::new(BuiltIn),
    }
}

fn entry(config: &ModelConfig, usual_window: u64) -> Result<ModelEntry, ModelError> {
    let settings = |base_url: &str| Settings {
        base_url: base_url.to_owned(),
        model: config.model.clone(),
        api_key: config.api_key.clone(),
        max_tokens: config.max_tokens,
        temperature: config.temperature,
        reasoning_effort: config.reasoning_effort.clone(),
        context_tokens: config.context_tokens,
        vision: config.capabilities.vision,
        timeouts: Timeouts::default(),
    };
    let model: Arc<dyn Model> = match &config.provider {
        Provider::BuiltIn => Arc::new(BuiltIn),
        Provider::OpenAiCompatible { base_url } => Arc::new(OpenAiCompatible::new(settings(base_url))?),
        Provider::Anthropic { base_url } => Arc::new(Anthropic::new(settings(base_url))?),
        Provider::Ollama { base_url } => Arc::new(Ollama::new(settings(base_url), usual_window)?),
    };
    Ok(ModelEntry {
        name: config.alias.clone(),
        provider: config.provider.name().into(),
        model_id: config.model.clone(),
        context_limit: config.context_tokens.unwrap_or(usual_window),
        answer_limit: config.max_tokens.map(Into::into),
        model,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn without_configuration_the_built_in_model_answers_and_local_servers_are_offered_alone() {
        let (config, _) = Config::from_toml("", "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap();
        let models = from_config(&config).unwrap();
        assert_eq!(models.default_name(), BUILT_IN);
        assert!(models.iter().map(|entry| entry.name.as_str()).eq([BUILT_IN]));
    }
}
