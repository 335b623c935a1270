//! What the server says about itself.

use std::time::Duration;

use axum::{
    Json,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    error::{Answer, Problem},
    socket,
};
use crate::{
    agent::Agent,
    protocol::{ErrorCode, ModelInfo, ModelOffer, ToolInfo},
    state::AppState,
};

pub async fn health(State(agent): State<Agent>) -> Json<Value> {
    Json(told(&agent))
}

/// Whether the process answers; one that does not is to be started anew.
pub async fn live(State(agent): State<Agent>) -> Json<Value> {
    Json(told(&agent))
}

/// Whether work can be sent here, told by the status too: a server that stops takes none.
pub async fn ready(State(agent): State<Agent>) -> (StatusCode, Json<Value>) {
    let status = if agent.takes_work() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(told(&agent)))
}

/// Between two pieces of the probe.
pub const PROBE_PAUSE: Duration = Duration::from_millis(300);
const PROBE_PIECES: u32 = 3;

/// A socket that writes a little, now and then, and ends: whoever sets a proxy up sees whether all of that comes through.
pub async fn probe(upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Answer<Response> {
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("This address is a WebSocket. {}.", rejection.body_text());
        Problem::new(ErrorCode::InvalidRequest, detail)
    })?;
    Ok(socket::limited(upgrade).on_upgrade(async |mut socket| {
        for piece in 1..=PROBE_PIECES {
            let written = socket.send(Message::text(format!("{{\"type\":\"probe\",\"piece\":{piece}}}"))).await;
            if written.is_err() {
                return;
            }
            sleep(PROBE_PAUSE).await;
        }
        // Who has gone needs no goodbye.
        let _ = socket.send(Message::Close(None)).await;
    }))
}

fn told(agent: &Agent) -> Value {
    json!({"status": "ok", "ready": agent.takes_work(), "version": env!("CARGO_PKG_VERSION")})
}

pub async fn models(State(agent): State<Agent>) -> Json<Vec<ModelInfo>> {
    Json(agent.models().await)
}

pub async fn model_offers(State(agent): State<Agent>) -> Json<Vec<ModelOffer>> {
    Json(agent.model_offers().await)
}

pub async fn tools(State(agent): State<Agent>) -> Json<Vec<ToolInfo>> {
    Json(agent.tools())
}

/// The configuration without its secrets.
pub async fn config(State(state): State<AppState>) -> Json<Value> {
    Json(state.site.told_config())
}
