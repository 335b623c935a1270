//! What a model behind a server is configured with.

use std::time::Duration;

use crate::config::ApiKey;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server's addresses begin; a trailing slash makes no difference.
    pub base_url: String,
    /// The server's own name of the model.
    pub model: String,
    pub api_key: Option<ApiKey>,
    /// Most tokens of one answer. Without it the server decides.
    pub max_tokens: Option<u32>,
    pub temperature: Option<f64>,
    /// `low`, `medium` and so on, as the server names them.
    pub reasoning_effort: Option<String>,
    /// Size of the window, in tokens. Without it the server is asked.
    pub context_tokens: Option<u64>,
    /// Whether the model takes pictures, where the operator says it.
    pub vision: Option<bool>,
    pub timeouts: Timeouts,
}

/// How long to wait for the server before the call counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// From sending the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
}

impl Settings {
    /// The effort that is set; an empty text counts as none.
    pub fn effort(&self) -> Option<&str> {
        self.reasoning_effort.as_deref().map(str::trim).filter(|effort| !effort.is_empty())
    }
}

impl Timeouts {
    pub const CONNECT: Duration = Duration::from_secs(10);
    /// A local server may have to load the model and read a long conversation first.
    pub const FIRST_BYTE: Duration = Duration::from_secs(300);
    pub const IDLE: Duration = Duration::from_secs(120);
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Self::CONNECT, first_byte: Self::FIRST_BYTE, idle: Self::IDLE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_printed_with_the_settings() {
        let settings = Settings {
            base_url: "https://api.example.com/v1".into(),
            model: "m".into(),
            api_key: Some(ApiKey::new(" sk-secret\n")),
            max_tokens: None,
            temperature: None,
            reasoning_effort: None,
            context_tokens: None,
            vision: None,
            timeouts: Timeouts::default(),
        };
        let printed = format!("{settings:?}");
        assert!(printed.contains("[redacted]") && !printed.contains("sk-secret"), "{printed}");
        assert_eq!(settings.api_key.unwrap().reveal(), "sk-secret");
    }
}
