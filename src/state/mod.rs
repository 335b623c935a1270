//! What every request handler can reach.

pub mod presence;
mod snapshot;

use std::{
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use presence::Presence;

use crate::{
    access::{Access, Visitor},
    agent::Agent,
    documents::Reader,
    metrics::Metrics,
    protocol::{ApiError, BasePath, Right, SessionId, UploadLimits},
};

/// Cheap to clone: each layer before a handler does so for every request.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

pub struct AppParts {
    pub agent: Agent,
    pub leptos: LeptosOptions,
    pub site: Arc<Site>,
    pub access: Arc<Access>,
    pub presence: Arc<Presence>,
    pub metrics: Arc<Metrics>,
    /// For a look into files that are no plain text.
    pub documents: Reader,
    /// Cancelled when the server stops: sockets say goodbye.
    pub stopping: CancellationToken,
    /// The sockets that are open, and the uploads that are taken.
    pub sockets: TaskTracker,
}

impl From<AppParts> for AppState {
    fn from(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
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
    /// `scheme://host[:port]` values under which we are reached, lower case.
    pub origins: Vec<String>,
    /// Where we begin below those.
    pub base: BasePath,
    /// The port that we listen on. Cookies don't tell ports apart, so theirs are named after it.
    pub port: u16,
    /// Something that the owner should know, such as which file holds the sessions.
    pub notice: Option<String>,
    /// No model is configured but the one that is built in.
    pub built_in_only: bool,
    /// The configuration in force, without its secrets.
    pub public_config: RwLock<serde_json::Value>,
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

impl Site {
    pub fn told_config(&self) -> serde_json::Value {
        self.public_config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over those sections of `newer` that hold from now on.
    pub fn renew_config(&self, newer: &serde_json::Value, sections: &[&str]) {
        let mut told = self.public_config.write().unwrap_or_else(PoisonError::into_inner);
        for section in sections {
            told[*section] = newer[*section].clone();
        }
    }
}

impl AppState {
    /// That a visitor may do at least `need` in a session. Every way to a session leads through here.
    pub async fn require(&self, visitor: &Visitor, id: &SessionId, need: Right) -> Result<(), ApiError> {
        match visitor.limited_to() {
            Some(name) => self.agent.require(name, id, need).await,
            None => Ok(()),
        }
    }
}
