//! With whom a session is shared.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Who,
    error::Answer,
    extract::{Form, OwnSession, SessionPath, WantsPage},
    sharing_page,
};
use crate::{
    agent::Agent,
    protocol::{Right, Share, Sharing},
};

pub async fn get(State(agent): State<Agent>, SessionPath(id): SessionPath) -> Answer<Json<Sharing>> {
    Ok(Json(agent.sharing(&id).await?))
}

/// [`Share`] as a form sends it: a part that is left empty takes it back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareFields {
    name: String,
    #[serde(default)]
    part: Option<Right>,
}

pub async fn share(
    State(agent): State<Agent>,
    Who(actor): Who,
    OwnSession(id): OwnSession,
    page: WantsPage,
    wanted: Form<ShareFields>,
) -> Response {
    let share = async {
        let ShareFields { name, part } = wanted?.0;
        let sharing = agent.share(&actor, &id, Share { name, part }).await?;
        Ok(Json(sharing).into_response())
    };
    page.answer(&sharing_page::page_of(&id), share.await)
}
