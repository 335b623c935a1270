//! Commands to a session: messages, the queue, stop.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Who,
    error::Answer,
    extract::{Fields, Form, SessionPath, WantsPage},
    sessions::page_of,
};
use crate::{
    agent::Agent,
    protocol::{ApiError, Attachment, MessageId, QueuedMessage},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    #[serde(default)]
    message: String,
    client_id: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

pub async fn send(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    page: WantsPage,
    new: Form<NewMessage>,
) -> Response {
    let send = async {
        let Fields(new) = new?;
        let accepted = agent.send_message(&actor, &id, new.message, new.client_id, new.attachments).await?;
        Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
    };
    page.answer(&page_of(&id), send.await)
}

pub async fn stop(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    page: WantsPage,
) -> Response {
    let stopped = agent.stop(&actor, &id).await;
    page.answer(&page_of(&id), stopped.map(|()| StatusCode::ACCEPTED.into_response()).map_err(Into::into))
}

pub async fn queue(State(agent): State<Agent>, SessionPath(id): SessionPath) -> Answer<Json<Vec<QueuedMessage>>> {
    agent.session(&id).await?;
    Ok(Json(agent.queue(&id).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditedMessage {
    message: String,
}

pub async fn edit_queued(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, message)): Path<(String, String)>,
    Fields(edited): Fields<EditedMessage>,
) -> Answer<Json<Vec<QueuedMessage>>> {
    agent.edit_queued(&actor, &id, MessageId(message), edited.message).await?;
    Ok(Json(agent.queue(&id).await?))
}

pub async fn remove_queued(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, message)): Path<(String, String)>,
) -> Answer<StatusCode> {
    agent.remove_queued(&actor, &id, MessageId(message)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page's forms: a form knows neither PATCH nor DELETE.
pub async fn edit_queued_by_form(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, message)): Path<(String, String)>,
    page: WantsPage,
    edited: Form<EditedMessage>,
) -> Response {
    let edit = async {
        agent.edit_queued(&actor, &id, MessageId(message), edited?.0.message).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    page.answer(&page_of(&id), edit.await)
}

pub async fn remove_queued_by_form(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, message)): Path<(String, String)>,
    page: WantsPage,
) -> Response {
    let removed = agent.remove_queued(&actor, &id, MessageId(message)).await;
    page.answer(&page_of(&id), removed.map(|()| StatusCode::NO_CONTENT.into_response()).map_err(Into::into))
}

pub async fn send_queued(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, message)): Path<(String, String)>,
    page: WantsPage,
) -> Response {
    let sent = agent.send_queued(&actor, &id, MessageId(message)).await;
    page.answer(
        &page_of(&id),
        sent.map(|()| StatusCode::ACCEPTED.into_response()).map_err(Into::<super::error::Problem>::into),
    )
}

/// A path under `/cowork` that nothing stands at.
pub async fn nothing_here() -> super::error::Problem {
    ApiError::new(
        crate::protocol::ErrorCode::NotFound,
        "There is nothing at this address. docs/api.md lists what there is.",
    )
    .into()
}
