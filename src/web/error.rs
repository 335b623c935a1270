//! Errors as RFC 9457 problem documents. A fault of ours was logged where it was caught and is told as such.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::protocol::{ApiError, ErrorCode};

#[derive(Debug)]
pub struct Problem(pub ApiError);

pub type Answer<T> = Result<T, Problem>;

impl Problem {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(ApiError::new(code, detail))
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = with_document(self.0.code, &document(&self.0));
        if let Some(seconds) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The problem document of an error.
pub fn document(error: &ApiError) -> Value {
    json!({
        "type": "about:blank",
        "title": error.code.title(),
        "status": error.code.status(),
        "code": error.code.as_str(),
        "detail": error.detail,
    })
}

/// Goes with its answer, so that the request's name can be put in.
#[derive(Clone)]
pub struct Document(pub Value);

/// The answer that carries a problem document, which may say more than others do.
pub fn with_document(code: ErrorCode, document: &Value) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/problem+json")], document.to_string()).into_response();
    response.extensions_mut().insert(Document(document.clone()));
    response
}
