//! What every request handler and server function can reach.

pub mod presence;
mod snapshot;

use std::sync::Arc;

use axum::{
    extract::FromRef,
    http::{Method, StatusCode, header, request::Parts},
};
use leptos::{config::LeptosOptions, prelude::use_context};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use presence::Presence;

use crate::{
    access::{Access, Visitor},
    agent::Agent,
    protocol::{ApiError, Part, SessionId, SessionList, SessionQuery, UpdateSession},
};

#[derive(Clone)]
pub struct AppState {
    pub agent: Agent,
    pub leptos: LeptosOptions,
    pub site: Arc<Site>,
    pub access: Arc<Access>,
    pub presence: Arc<Presence>,
    /// Cancelled when the server stops: sockets say goodbye.
    pub stopping: CancellationToken,
    /// The sockets that are open.
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
    /// `scheme://host[:port]` values under which we are reached, lower case.
    pub origins: Vec<String>,
    /// The port that we listen on. Cookies don't tell ports apart, so theirs are named after it.
    pub port: u16,
    /// Something that the owner should know, such as which file holds the sessions.
    pub notice: Option<String>,
    /// No model is configured but the one that is built in.
    pub built_in_only: bool,
    /// The configuration without its secrets.
    pub public_config: serde_json::Value,
    pub timing: Timing,
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

impl AppState {
    /// That a visitor may do at least `need` in a session. Every way to a session leads through here.
    pub async fn require(&self, visitor: &Visitor, id: &SessionId, need: Part) -> Result<(), ApiError> {
        match visitor.limited_to() {
            Some(name) => self.agent.require(name, id, need).await,
            None => Ok(()),
        }
    }
}

/// What server functions ask for, by the id's text.
impl AppState {
    pub async fn sessions(&self, query: &SessionQuery) -> Result<SessionList, ApiError> {
        self.agent.sessions(visitor()?.limited_to(), query).await
    }

    pub async fn update_session(&self, id: &str, update: UpdateSession) -> Result<(), ApiError> {
        let (visitor, id) = self.session_for(id, Part::TakePart).await?;
        self.agent.update_session(&visitor.actor, &id, update).await.map(drop)
    }

    pub async fn delete_session(&self, id: &str) -> Result<(), ApiError> {
        let (_, id) = self.session_for(id, Part::Own).await?;
        self.agent.delete_session(&id).await
    }

    /// The session of a server function, if the one who asks may do at least `need` in it.
    pub async fn session_for(&self, id: &str, need: Part) -> Result<(Visitor, SessionId), ApiError> {
        let (visitor, id) = (visitor()?, SessionId::parse(id).ok_or_else(ApiError::session_not_found)?);
        self.require(&visitor, &id, need).await?;
        Ok((visitor, id))
    }
}

/// Who asks; the gate before every route has put it there.
fn visitor() -> Result<Visitor, ApiError> {
    use_context::<Visitor>().ok_or_else(ApiError::internal)
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
