//! The event log: a page of it, or all of it as lines.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    error::Answer,
    extract::{Params, SessionPath},
};
use crate::{
    agent::Agent,
    protocol::{Seq, SessionId},
};

/// Events read at once while the whole log is streamed.
const LINES_A_READ: u32 = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    cursor: Seq,
    limit: u32,
    /// Event types, divided by commas; empty means all.
    types: String,
    /// The whole log as a file, for people: a link can't ask for lines by a header.
    download: bool,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self { cursor: 0, limit: 200, types: String::new(), download: false }
    }
}

pub async fn list(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Params(query): Params<LogQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let types: Vec<String> = query.types.split(',').filter(|name| !name.is_empty()).map(Into::into).collect();
    let page = agent.events(&id, query.cursor, query.limit, &types).await?;
    if query.download {
        let name = format!("attachment; filename=\"cowork-log-{id}.jsonl\"");
        let lines = all_lines(agent, id, query.cursor, types);
        return Ok(([(header::CONTENT_DISPOSITION, name)], lines).into_response());
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/x-ndjson") {
        return Ok(all_lines(agent, id, query.cursor, types));
    }
    Ok(Json(page).into_response())
}

/// The whole log from the cursor on, one event a line; read page by page as the client takes it.
fn all_lines(agent: Agent, id: SessionId, cursor: Seq, types: Vec<String>) -> Response {
    let types = Arc::new(types);
    let lines = stream::try_unfold(cursor, move |cursor| {
        let (agent, id, types) = (agent.clone(), id.clone(), types.clone());
        async move {
            let page = agent.events(&id, cursor, LINES_A_READ, &types).await.map_err(std::io::Error::other)?;
            if page.events.is_empty() {
                return Ok(None);
            }
            let mut text = String::new();
            for event in &page.events {
                text.push_str(&serde_json::to_string(event).map_err(std::io::Error::other)?);
                text.push('\n');
            }
            Ok::<_, std::io::Error>(Some((Bytes::from(text), page.next_cursor)))
        }
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}
