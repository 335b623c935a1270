//! What handlers learn of who is asking.

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    access::Visitor,
    protocol::{Actor, ApiError, ErrorCode},
    web::error::Problem,
};

/// The actor of what the request does.
pub struct Who(pub Actor);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        visitor(parts).map(|visitor| Self(visitor.actor.clone()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        visitor(parts).cloned()
    }
}

/// There is one behind the gate; a route before it has nobody to speak of.
pub fn visitor(parts: &Parts) -> Result<&Visitor, Problem> {
    let nobody = || ApiError::new(ErrorCode::NotSignedIn, "Only who is signed in may ask this. Nothing was done.");
    parts.extensions.get::<Visitor>().ok_or_else(|| nobody().into())
}
