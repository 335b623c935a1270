//! Counting answers, and telling the counts, on a listener of their own: the public one has no such address.

use std::sync::Arc;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{agent::Agent, metrics::Metrics, state::AppState};

/// Of requests to addresses that nothing stands at.
const NOWHERE: &str = "none";
/// What Prometheus and its like ask for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    state.metrics.answered(route.as_ref().map_or(NOWHERE, MatchedPath::as_str), response.status().as_u16());
    response
}

/// All that the operator's listener has.
pub fn metrics_router(metrics: Arc<Metrics>, agent: Agent) -> Router {
    Router::new().route("/metrics", get(tell)).with_state((metrics, agent))
}

async fn tell(State((metrics, agent)): State<(Arc<Metrics>, Agent)>) -> Response {
    match agent.census().await {
        Ok(census) => ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text(census)).into_response(),
        // The cause is in the log.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
