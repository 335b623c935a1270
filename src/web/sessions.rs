//! Sessions and their history.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Who,
    error::Answer,
    extract::{Fields, Form, OwnSession, Params, SessionPath, WantsPage},
};
use crate::{
    access::Visitor,
    agent::{Agent, ports::store::TurnWindow},
    protocol::{CreateSession, FolderList, Session, SessionId, SessionList, SessionQuery, TurnPage, UpdateSession},
};

/// Where a session's page stands.
pub fn page_of(id: &SessionId) -> String {
    format!("/sessions/{id}")
}

pub async fn create(
    State(agent): State<Agent>,
    Who(actor): Who,
    page: WantsPage,
    wanted: Form<CreateSession>,
) -> Response {
    let created = async { Ok(agent.create_session(&actor, wanted?.0).await?) };
    match created.await {
        Ok(session) if page.wanted => page.redirect(&page_of(&session.id)),
        Ok(session) => {
            let place = page.at(&format!("/cowork/sessions/{}", session.id));
            (StatusCode::CREATED, [(header::LOCATION, place)], Json(session)).into_response()
        }
        Err(problem) => page.answer("/", Err(problem)),
    }
}

pub async fn list(
    State(agent): State<Agent>,
    visitor: Visitor,
    Params(query): Params<SessionQuery>,
) -> Answer<Json<SessionList>> {
    Ok(Json(agent.sessions(visitor.limited_to(), &query).await?))
}

pub async fn get(State(agent): State<Agent>, SessionPath(id): SessionPath) -> Answer<Json<Session>> {
    Ok(Json(agent.session(&id).await?))
}

pub async fn update(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Fields(update): Fields<UpdateSession>,
) -> Answer<Json<Session>> {
    Ok(Json(agent.update_session(&actor, &id, update).await?))
}

pub async fn delete(State(agent): State<Agent>, Who(actor): Who, OwnSession(id): OwnSession) -> Answer<StatusCode> {
    agent.delete_session(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page's forms: a form knows neither PATCH nor DELETE.
pub async fn update_by_form(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    page: WantsPage,
    update: Form<UpdateSession>,
) -> Response {
    let updated = async { Ok(agent.update_session(&actor, &id, update?.0).await?) };
    page.answer(&page_of(&id), updated.await.map(|session| Json(session).into_response()))
}

/// Leads to the start, where the session can be brought back for a while.
pub async fn delete_by_form(
    State(agent): State<Agent>,
    Who(actor): Who,
    OwnSession(id): OwnSession,
    page: WantsPage,
) -> Response {
    match agent.delete_session(&actor, &id).await {
        Ok(()) if page.wanted => page.redirect(&format!("/?deleted={id}")),
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => page.answer("/", Err(error.into())),
    }
}

pub async fn restore(State(agent): State<Agent>, OwnSession(id): OwnSession, page: WantsPage) -> Response {
    let restored = agent.restore_session(&id).await;
    page.answer(&page_of(&id), restored.map(|session| Json(session).into_response()).map_err(Into::into))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TurnsQuery {
    offset: u64,
    before: Option<u64>,
    limit: u32,
}

impl Default for TurnsQuery {
    fn default() -> Self {
        Self { offset: 0, before: None, limit: 100 }
    }
}

pub async fn turns(
    State(agent): State<Agent>,
    SessionPath(id): SessionPath,
    Params(query): Params<TurnsQuery>,
) -> Answer<Json<TurnPage>> {
    let TurnsQuery { offset, before, limit } = query;
    let window = match before {
        Some(_) => TurnWindow::Before { turn_number: before, limit },
        None => TurnWindow::From { offset, limit },
    };
    Ok(Json(agent.turns(&id, window).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoldersQuery {
    dir: Option<String>,
}

pub async fn folders(State(agent): State<Agent>, Params(query): Params<FoldersQuery>) -> Answer<Json<FolderList>> {
    Ok(Json(agent.folders(query.dir.filter(|dir| !dir.is_empty())).await?))
}
