//! What every request handler and server function can reach.

mod snapshot;

use std::sync::Arc;

use axum::{
    extract::FromRef,
    http::{Method, StatusCode, header, request::Parts},
};
use leptos::{config::LeptosOptions, prelude::use_context};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    agent::Agent,
    protocol::{Actor, ApiError, SessionId, UpdateSession, UploadLimits},
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

/// What server functions ask for, by the id's text.
impl AppState {
    pub async fn update_session(&self, id: &str, update: UpdateSession) -> Result<(), ApiError> {
        self.agent.update_session(&Actor::local(), &session_id(id)?, update).await.map(drop)
    }

    pub async fn delete_session(&self, id: &str) -> Result<(), ApiError> {
        self.agent.delete_session(&session_id(id)?).await
    }
}

fn session_id(text: &str) -> Result<SessionId, ApiError> {
    SessionId::parse(text).ok_or_else(ApiError::session_not_found)
}

/// Gives the answer that is being made the error's status. A browser that posted a form is led back instead.
pub fn told<T>(result: Result<T, ApiError>) -> Result<T, ApiError> {
    let by_form = use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        parts.method == Method::POST && accept.is_some_and(|accept| accept.contains("text/html"))
    });
    if let (Err(error), Some(response), false) = (&result, use_context::<leptos_axum::ResponseOptions>(), by_form) {
        response.set_status(StatusCode::from_u16(error.code.status()).unwrap_or_default());
    }
    result
}
