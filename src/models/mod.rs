//! The models: adapters of the agent's model port, one module a provider.

pub mod built_in;
mod http;
pub mod openai_compatible;

use std::sync::Arc;

use crate::{
    agent::ports::model::{ModelEntry, ModelError, Models},
    config::{BUILT_IN, Config, ModelConfig, Provider},
};
use built_in::BuiltIn;
use http::{Settings, Timeouts};
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
    Ok(Models::new(config.default_model.as_str(), entries))
}

fn built_in_entry() -> ModelEntry {
    ModelEntry {
        name: BUILT_IN.into(),
        provider: BUILT_IN.into(),
        model_id: BUILT_IN.into(),
        context_limit: BuiltIn::CONTEXT_LIMIT,
        model: Arc::new(BuiltIn),
    }
}

fn entry(config: &ModelConfig, context_limit: u64) -> Result<ModelEntry, ModelError> {
    let (provider, model): (_, Arc<dyn crate::agent::ports::model::Model>) = match &config.provider {
        Provider::BuiltIn => (BUILT_IN, Arc::new(BuiltIn)),
        Provider::OpenAiCompatible { base_url } => {
            let settings = Settings {
                base_url: base_url.clone(),
                model: config.model.clone(),
                api_key: config.api_key.clone(),
                max_tokens: config.max_tokens,
                temperature: config.temperature,
                reasoning_effort: config.reasoning_effort.clone(),
                context_tokens: config.context_tokens,
                timeouts: Timeouts::default(),
            };
            ("openai_compatible", Arc::new(OpenAiCompatible::new(settings)?))
        }
    };
    Ok(ModelEntry {
        name: config.alias.clone(),
        provider: provider.into(),
        model_id: config.model.clone(),
        context_limit: config.context_tokens.unwrap_or(context_limit),
        model,
    })
}
