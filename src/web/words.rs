//! A person's words on a running turn: approvals and their rules, answers, steering.

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
    error::{Answer, Problem},
    extract::{Form, SessionPath, WantsPage},
    sessions::page_of,
};
use crate::{
    agent::Agent,
    protocol::{ApprovalId, ApprovalRule, Decide, QuestionId, RuleId, Session, SessionId},
};

pub async fn decide(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, approval)): Path<(String, String)>,
    page: WantsPage,
    decision: Form<Decide>,
) -> Response {
    let decide = async {
        let decision = decision?.0.decision;
        agent.decide(&actor, &id, ApprovalId(approval), decision).await?;
        session(&agent, &id).await
    };
    page.answer(&page_of(&id), decide.await)
}

/// The page's form for [`decide`] about all that waits; there is no such thing for a yes.
pub async fn deny_all(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    page: WantsPage,
) -> Response {
    let deny = async {
        agent.deny_all(&actor, &id).await?;
        session(&agent, &id).await
    };
    page.answer(&page_of(&id), deny.await)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub struct AnswerFields {
    answer: Option<String>,
    #[serde(deserialize_with = "one_or_many")]
    option_ids: Vec<String>,
}

/// A form without scripts sends one option as a plain field.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Given::deserialize(deserializer)? {
        Given::One(id) => vec![id],
        Given::Many(ids) => ids,
    })
}

pub async fn answer(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, question)): Path<(String, String)>,
    page: WantsPage,
    given: Form<AnswerFields>,
) -> Response {
    let answer = async {
        let AnswerFields { answer, option_ids } = given?.0;
        let given = crate::protocol::Answer { answer, option_ids };
        agent.answer(&actor, &id, QuestionId(question), given).await?;
        session(&agent, &id).await
    };
    page.answer(&page_of(&id), answer.await)
}

async fn session(agent: &Agent, id: &SessionId) -> Result<Response, Problem> {
    let session: Session = agent.session(id).await?;
    Ok(Json(session).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steering {
    #[serde(default)]
    message: String,
}

pub async fn steer(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    page: WantsPage,
    steering: Form<Steering>,
) -> Response {
    let steer = async {
        agent.steer(&actor, &id, steering?.0.message).await?;
        Ok(StatusCode::ACCEPTED.into_response())
    };
    page.answer(&page_of(&id), steer.await)
}

pub async fn rules(State(agent): State<Agent>, SessionPath(id): SessionPath) -> Answer<Json<Vec<ApprovalRule>>> {
    Ok(Json(agent.rules(&id).await?))
}

pub async fn remove_rule(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, rule)): Path<(String, String)>,
) -> Answer<StatusCode> {
    agent.remove_rule(&actor, &id, &RuleId(rule)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page's form for [`remove_rule`].
pub async fn revoke(
    State(agent): State<Agent>,
    Who(actor): Who,
    SessionPath(id): SessionPath,
    Path((_, rule)): Path<(String, String)>,
    page: WantsPage,
) -> Response {
    let revoked = agent.remove_rule(&actor, &id, &RuleId(rule)).await;
    page.answer(&page_of(&id), revoked.map(|()| StatusCode::NO_CONTENT.into_response()).map_err(Into::into))
}
