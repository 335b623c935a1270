//! What a turn did to files, and taking it back.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};

use super::{
    auth::Who,
    error::Answer,
    extract::{Form, SessionPath, WantsPage, encode},
    sessions::page_of,
};
use crate::{
    agent::Agent,
    protocol::{ApiError, ChangeList, ErrorCode, SessionId, UndoAnswer, UndoRequest},
    ui::words::{self, Language},
};

/// What was left as it is goes through an address, which has an end.
const TOLD_CONFLICTS: usize = 10;

pub async fn list(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Path((_, turn)): Path<(String, String)>,
) -> Answer<Json<ChangeList>> {
    Ok(Json(agent.changes(&id, number(&turn)?).await?))
}

pub async fn undo(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, turn)): Path<(String, String)>,
    page: WantsPage,
    wanted: Form<UndoRequest>,
) -> Response {
    let undo = async { Ok(agent.undo(&actor, &id, number(&turn)?, wanted?.0.paths).await?) };
    match undo.await {
        Ok(undone) if page.wanted => page.redirect(&changes_of(&id, &undone, page.language)),
        Ok(undone) => Json(undone).into_response(),
        Err(problem) => page.answer(&page_of(&id), Err(problem)),
    }
}

/// The page with the list of changes, which tells what was left as it is.
fn changes_of(id: &SessionId, undone: &UndoAnswer, language: Language) -> String {
    let kept = words::of(language).frame.kept;
    let told = undone.conflicts.iter().take(TOLD_CONFLICTS).map(|left| words::fill(kept, &[&left.path, &left.detail]));
    let told = told.collect::<Vec<_>>().join(" ");
    let error = if told.is_empty() { told } else { format!("&error={}", encode(&told)) };
    format!("{}?tab=changes{error}", page_of(id))
}

pub(super) fn number(turn: &str) -> Result<u32, ApiError> {
    turn.parse().map_err(|_| ApiError::new(ErrorCode::NotFound, "A turn is a number, from 1. Nothing was changed."))
}
