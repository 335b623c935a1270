//! For clients on whose way there is somebody who lets no other method than GET and POST through: a POST that says which
//! method it means. Of a GET that header would be believed by nobody: it is no wish to change anything, and so it is not
//! checked as one.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};

use super::{Desk, cancel, head, send, text};
use crate::{
    protocol::ErrorCode,
    state::AppState,
    web::{
        auth::Who,
        error::{Answer, Problem},
        extract::SessionPath,
    },
};

const METHOD: &str = "x-http-method-override";

pub async fn by_post(
    state: State<AppState>,
    desk: Extension<Arc<Desk>>,
    who: Who,
    session: SessionPath,
    upload: Path<(String, String)>,
    request: Request,
) -> Answer<Response> {
    match text(request.headers(), METHOD) {
        "PATCH" => send(state, desk, session, upload, request).await,
        "HEAD" => head(state, desk, session, upload, request.headers().clone()).await,
        "DELETE" => {
            let headers = request.headers().clone();
            cancel(state, who, desk, session, upload, headers).await.map(IntoResponse::into_response)
        }
        _ => {
            let detail = format!(
                "A POST to an upload must say in `{METHOD}` what it means: PATCH, HEAD or DELETE. Nothing was done."
            );
            Err(Problem::new(ErrorCode::InvalidRequest, detail))
        }
    }
}
