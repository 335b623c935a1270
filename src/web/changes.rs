//! What a turn did to files, and taking it back.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};

use super::{
    auth::Who,
    error::Answer,
    extract::{Form, SessionPath, WantsPage},
    sessions::page_of,
};
use crate::{
    agent::Agent,
    protocol::{ApiError, ChangeList, ErrorCode, UndoRequest},
};

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
    let undo = async {
        let undone = agent.undo(&actor, &id, number(&turn)?, wanted?.0.paths).await?;
        Ok(Json(undone).into_response())
    };
    page.answer(&page_of(&id), undo.await)
}

pub(super) fn number(turn: &str) -> Result<u32, ApiError> {
    turn.parse().map_err(|_| ApiError::new(ErrorCode::NotFound, "A turn is a number, from 1. Nothing was changed."))
}
