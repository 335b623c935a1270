//! The models of the file: `[models.<alias>]`.

use std::fmt;

use reqwest::Url;

use super::{ConfigError, document::Section};

/// Alias of the model that needs no key and is always there.
pub const BUILT_IN: &str = "built_in";

const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
const ANTHROPIC_BASE_URL: &str = "https://api.anthropic.com";
const OLLAMA_BASE_URL: &str = "http://127.0.0.1:11434";
/// Hosts, and the environment variables in which people keep the key for all models there.
const USUAL_KEYS: [(&str, &str); 2] =
    [("api.openai.com", "OPENAI_API_KEY"), ("api.anthropic.com", "ANTHROPIC_API_KEY")];
/// Loom's role of the model that talks with people.
const EXECUTOR: &str = "executor";

#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    pub alias: String,
    pub provider: Provider,
    /// The provider's own name of the model.
    pub model: String,
    /// The most tokens of one answer.
    pub max_tokens: Option<u32>,
    pub temperature: Option<f64>,
    pub roles: Vec<String>,
    pub api_key: Option<ApiKey>,
    pub reasoning_effort: Option<String>,
    /// Cost and quality; sessions take the lowest.
    pub tier: u32,
    pub capabilities: Capabilities,
    /// Size of the window, in tokens.
    pub context_tokens: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    OpenAiCompatible { base_url: String },
    Anthropic { base_url: String },
    Ollama { base_url: String },
    BuiltIn,
}

impl Provider {
    /// As the file names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenAiCompatible { .. } => "openai_compatible",
            Self::Anthropic { .. } => "anthropic",
            Self::Ollama { .. } => "ollama",
            Self::BuiltIn => BUILT_IN,
        }
    }

    pub fn base_url(&self) -> Option<&str> {
        match self {
            Self::OpenAiCompatible { base_url } | Self::Anthropic { base_url } | Self::Ollama { base_url } => {
                Some(base_url)
            }
            Self::BuiltIn => None,
        }
    }
}

/// What the file says of a model's abilities; `None` leaves it to the provider's adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    pub vision: Option<bool>,
    pub native_pdf: Option<bool>,
    pub thinking: Option<bool>,
    pub citations: Option<bool>,
    pub audio_input: Option<bool>,
    pub audio_output: Option<bool>,
}

/// A secret: it shows in no log and no message.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// White space around the key is dropped: keys read from files often end in a newline.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(key.as_ref().trim().to_owned())
    }
    /// For the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// All models that can be used, in the order of the file; a warning for each that can't.
pub(super) fn read(
    models: &Section<'_>,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<ModelConfig>, ConfigError> {
    let mut read = Vec::new();
    for (alias, _) in models.keys() {
        read.extend(model(models, alias, env, warnings)?);
    }
    Ok(read)
}

/// The executor of the lowest tier, else the first, else the one that is always there.
pub(super) fn default_alias(models: &[ModelConfig]) -> String {
    let executors = models.iter().filter(|model| model.roles.iter().any(|role| role == EXECUTOR));
    let chosen = executors.min_by_key(|model| model.tier).or(models.first());
    chosen.map_or(BUILT_IN, |model| &model.alias).to_owned()
}

fn model(
    models: &Section<'_>,
    alias: &str,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<ModelConfig>, ConfigError> {
    let section = models.section(alias)?;
    let mut leave_out = |why: &str| warnings.push(format!("{} {why}, so the model is left out", models.place(alias)));
    let name = section.text("model")?;
    let base_url = base_url(&section)?;
    let provider = match (section.text("provider")?.as_deref(), base_url) {
        (Some("built_in"), _) => Provider::BuiltIn,
        (Some("openai_compatible" | "openai"), Some(base_url)) => Provider::OpenAiCompatible { base_url },
        (Some("openai"), None) => Provider::OpenAiCompatible { base_url: OPENAI_BASE_URL.into() },
        (Some("openai_compatible"), None) => {
            leave_out("has no `base_url`");
            return Ok(None);
        }
        (Some("anthropic"), base_url) => {
            Provider::Anthropic { base_url: base_url.unwrap_or_else(|| ANTHROPIC_BASE_URL.into()) }
        }
        (Some("ollama"), base_url) => Provider::Ollama { base_url: base_url.unwrap_or_else(|| OLLAMA_BASE_URL.into()) },
        (Some(provider), _) => {
            leave_out(&format!("has a provider that is not known, `{provider}`"));
            return Ok(None);
        }
        (None, _) => {
            leave_out("names no `provider`");
            return Ok(None);
        }
    };
    if name.is_none() && provider != Provider::BuiltIn {
        leave_out("names no `model`");
        return Ok(None);
    }
    let api_key = api_key(&section, alias, &provider, env, warnings)?;
    let model = name.unwrap_or_else(|| BUILT_IN.into());
    describe(&section, alias, provider, model, api_key).map(Some)
}

fn describe(
    section: &Section<'_>,
    alias: &str,
    provider: Provider,
    model: String,
    api_key: Option<ApiKey>,
) -> Result<ModelConfig, ConfigError> {
    Ok(ModelConfig {
        alias: alias.into(),
        provider,
        model,
        max_tokens: section.whole("max_tokens", 1..=u32::MAX)?,
        temperature: section.number("temperature", 0.0..=2.0)?,
        roles: section.texts("roles")?.unwrap_or_else(|| vec![EXECUTOR.into()]),
        api_key,
        reasoning_effort: section.text("reasoning_effort")?,
        tier: section.whole("tier", 0..=u32::MAX)?.unwrap_or(0),
        capabilities: capabilities(&section.section("capabilities")?)?,
        context_tokens: section.whole("context_tokens", 1..=u64::MAX)?,
    })
}

fn capabilities(section: &Section<'_>) -> Result<Capabilities, ConfigError> {
    Ok(Capabilities {
        vision: section.flag("vision")?,
        native_pdf: section.flag("native_pdf")?,
        thinking: section.flag("thinking")?,
        citations: section.flag("citations")?,
        audio_input: section.flag("audio_input")?,
        audio_output: section.flag("audio_output")?,
    })
}

fn base_url(section: &Section<'_>) -> Result<Option<String>, ConfigError> {
    let Some(text) = section.text("base_url")? else { return Ok(None) };
    let valid = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !valid {
        return Err(section.fault("base_url", "must be an address that starts with http:// or https://"));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// The environment goes before the file, and what names this model before what is meant for all.
fn api_key(
    section: &Section<'_>,
    alias: &str,
    provider: &Provider,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<ApiKey>, ConfigError> {
    let set = |name: &str| env(name).filter(|key| !key.trim().is_empty());
    let named = section.text("api_key_env")?;
    let from_named = named.as_deref().and_then(set);
    let in_file = section.text("api_key")?;
    let key = from_named.or_else(|| set(&variable_of(alias))).or(in_file);
    let key = key.or_else(|| set(usual_key(provider)?));
    if let (Some(named), None) = (named, &key) {
        let place = section.place("api_key_env");
        warnings.push(format!("{place} names {named}, which is not set, so the model is called without a key"));
    }
    Ok(key.map(|key| ApiKey::new(key.trim())))
}

fn variable_of(alias: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("COWORK_API_KEY_{}", alias.chars().map(letter).collect::<String>())
}

fn usual_key(provider: &Provider) -> Option<&'static str> {
    let url = Url::parse(provider.base_url()?).ok()?;
    let mut known = USUAL_KEYS.into_iter();
    known.find(|(host, _)| url.host_str() == Some(host)).map(|(_, variable)| variable)
}
