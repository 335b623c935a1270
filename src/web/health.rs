//! What the server says about itself.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{
    agent::Agent,
    protocol::{ModelInfo, ModelOffer, ToolInfo},
    state::AppState,
};

pub async fn health(State(state): State<AppState>) -> Json<Value> {
    let ready = !state.stopping.is_cancelled();
    Json(json!({"status": "ok", "ready": ready, "version": env!("CARGO_PKG_VERSION")}))
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
    Json(state.site.public_config.clone())
}
