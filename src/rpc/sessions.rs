//! Sessions for the page: list, show, rename, archive, delete.

use leptos::prelude::*;

use crate::protocol::{ApiError, CreateChoices, SessionList, SessionPage};

#[server(prefix = "/rpc", endpoint = "list_sessions", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_sessions(
    #[server(default)] q: String,
    #[server(default)] archived: bool,
) -> Result<SessionList, ApiError> {
    let state = expect_context::<crate::state::AppState>();
    crate::state::told(state.sessions(&crate::protocol::SessionQuery { q, archived, ..Default::default() }).await)
}

/// `rows`: how much of the history to show; a default where it is 0.
#[server(prefix = "/rpc", endpoint = "load_session", input = leptos::server_fn::codec::GetUrl)]
pub async fn load_session(id: String, #[server(default)] rows: u32) -> Result<SessionPage, ApiError> {
    let state = expect_context::<crate::state::AppState>();
    crate::state::told(state.session_page(&id, (rows > 0).then_some(rows)).await)
}

#[server(prefix = "/rpc", endpoint = "load_choices", input = leptos::server_fn::codec::GetUrl)]
pub async fn load_choices(#[server(default)] dir: String) -> Result<CreateChoices, ApiError> {
    Ok(expect_context::<crate::state::AppState>().create_choices((!dir.is_empty()).then_some(dir)).await)
}

#[server(prefix = "/rpc", endpoint = "rename_session")]
pub async fn rename_session(id: String, title: String) -> Result<(), ApiError> {
    let update = crate::protocol::UpdateSession { title: Some(title), ..Default::default() };
    crate::state::told(expect_context::<crate::state::AppState>().update_session(&id, update).await)
}

#[server(prefix = "/rpc", endpoint = "archive_session")]
pub async fn archive_session(id: String, archived: bool) -> Result<(), ApiError> {
    let update = crate::protocol::UpdateSession { archived: Some(archived), ..Default::default() };
    crate::state::told(expect_context::<crate::state::AppState>().update_session(&id, update).await)
}

/// Takes the session away and leads to the start, where it can be brought back for a while.
#[server(prefix = "/rpc", endpoint = "delete_session")]
pub async fn delete_session(id: String) -> Result<(), ApiError> {
    let state = expect_context::<crate::state::AppState>();
    crate::state::told(state.delete_session(&id).await)?;
    leptos_axum::redirect(&format!("/?deleted={id}"));
    Ok(())
}
