//! What every request handler can reach.

mod snapshot;

use std::sync::Arc;

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    agent::Agent,
    protocol::{ApiError, SessionId, UploadLimits},
};

#[derive(Clone)]
pub struct AppState {
    pub agent: Agent,
    pub leptos: LeptosOptions,
    pub site: Arc<Site>,
    /// Cancelled when the server stops: sockets say goodbye.
    pub stopping: CancellationToken,
    /// The sockets that are open, and the uploads that are taken.
    pub sockets: TaskTracker,
}

impl FromRef<AppState> for Agent {
    fn from_ref(state: &AppState) -> Self {
        state.agent.clone()
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// Facts about this server that pages and guards need.
#[derive(Debug)]
pub struct Site {
    /// `host[:port]` values that a request may be addressed to, lower case.
    pub hosts: Vec<String>,
    /// Something that the owner should know, such as which file holds the sessions.
    pub notice: Option<String>,
    /// No model is configured but the one that is built in.
    pub built_in_only: bool,
    /// The configuration without its secrets.
    pub public_config: serde_json::Value,
    pub timing: Timing,
    pub uploads: UploadLimits,
}

/// How the live stream keeps time.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// At least every 15 s is promised; a client that hears nothing for 40 s reconnects.
    pub heartbeat: std::time::Duration,
    /// A watcher that takes no byte for this long is closed; it may resume by its cursor.
    pub stalled: std::time::Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { heartbeat: std::time::Duration::from_secs(12), stalled: std::time::Duration::from_secs(60) }
    }
}

fn session_id(text: &str) -> Result<SessionId, ApiError> {
    SessionId::parse(text).ok_or_else(ApiError::session_not_found)
}
