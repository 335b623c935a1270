//! What a page reads of a session's past when somebody asks for it.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    changes::number,
    error::Answer,
    extract::{Params, SessionPath},
    page,
};
use crate::{
    agent::{Agent, ports::store::TurnWindow},
    cards::Pen,
    protocol::{CallId, EarlierTurns, SessionId, TurnRow, transcript::Transcript},
    state::AppState,
    ui::words::Language,
};

/// Rows that an export reads at once.
const EXPORT_ROWS: u32 = 1000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlierQuery {
    before: u64,
    lang: Option<String>,
}

pub async fn earlier(
    State(state): State<AppState>,
    SessionPath(id): SessionPath,
    Params(query): Params<EarlierQuery>,
) -> Answer<Json<EarlierTurns>> {
    let language = query.lang.as_deref().and_then(Language::of_tag).unwrap_or_default();
    Ok(Json(state.earlier_turns(&id, query.before, language).await?))
}

/// All that a call has put out, as plain text.
pub async fn call_output(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Path((_, turn, call)): Path<(String, String, String)>,
) -> Answer<Response> {
    let output = agent.call_output(&id, number(&turn)?, &CallId(call)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], output).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    #[serde(default)]
    format: Format,
    lang: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    #[serde(alias = "md")]
    Markdown,
    Json,
}

/// The whole conversation as a file.
pub async fn export(
    State(state): State<AppState>,
    SessionPath(id): SessionPath,
    headers: HeaderMap,
    Params(query): Params<ExportQuery>,
) -> Answer<Response> {
    let session = state.agent.session(&id).await?;
    let turns = all_rows(&state.agent, &id).await?;
    let (kind, ending, body) = match query.format {
        Format::Json => {
            let body = serde_json::json!({ "session": session, "turns": turns });
            ("application/json", "json", body.to_string())
        }
        Format::Markdown => {
            let asked = query.lang.as_deref().and_then(Language::of_tag);
            let language = asked.unwrap_or_else(|| page::language(&headers));
            let body = Pen::new(language, &id, &state.site.base).markdown(&session, &Transcript::from_rows(&turns));
            ("text/markdown; charset=utf-8", "md", body)
        }
    };
    let disposition = format!("attachment; filename=\"conversation-{}.{ending}\"", &id.as_str()[..8]);
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body).into_response())
}

async fn all_rows(agent: &Agent, id: &SessionId) -> Answer<Vec<TurnRow>> {
    let mut rows = Vec::new();
    loop {
        let page = agent.turns(id, TurnWindow::From { offset: rows.len() as u64, limit: EXPORT_ROWS }).await?;
        let is_last = page.turns.len() < EXPORT_ROWS as usize;
        rows.extend(page.turns);
        if is_last {
            return Ok(rows);
        }
    }
}
