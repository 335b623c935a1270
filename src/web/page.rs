//! The page: Leptos' routes and server functions, with the same context for both.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use leptos::{nonce::Nonce, prelude::*, server_fn::error::SERVER_FN_ERROR_HEADER};
use leptos_axum::{LeptosRoutes, generate_route_list};

use super::messages;
use crate::{access::Visitor, state::AppState, ui};

/// The routes, and their addresses.
pub fn routes(state: &AppState) -> (Router<AppState>, Vec<String>) {
    let listing = generate_route_list(ui::App);
    let functions = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned());
    let addresses = listing.iter().map(|route| route.path().to_owned()).chain(functions).collect();
    let options = state.leptos.clone();
    let shell = move || ui::shell(options.clone());
    let router = Router::new().route("/rpc/{*function}", any(server_function)).leptos_routes_with_context(
        state,
        listing,
        context(state.clone()),
        shell,
    );
    (router, addresses)
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    let response = leptos_axum::handle_server_fns_with_context(context(state), request).await.into_response();
    // Leptos answers for an address that no function has with a text for developers.
    let is_unknown =
        response.status() == StatusCode::BAD_REQUEST && !response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if is_unknown { messages::nothing_here().await.into_response() } else { response }
}

/// What server functions and components find: the state, who is asking, and the nonce that the answer's policy names.
fn context(state: AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(state.clone());
        let Some(parts) = use_context::<Parts>() else { return };
        if let Some(nonce) = parts.extensions.get::<Nonce>().cloned() {
            provide_context(nonce);
        }
        if let Some(visitor) = parts.extensions.get::<Visitor>().cloned() {
            provide_context(visitor);
        }
    }
}

/// An address that nothing stands at: a page for people, a problem document for programs.
pub async fn not_found(State(state): State<AppState>, request: Request<Body>) -> Response {
    let wants_page = request
        .headers()
        .get("accept")
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    if !wants_page {
        return messages::nothing_here().await.into_response();
    }
    let options = state.leptos.clone();
    let render = leptos_axum::render_app_async_with_context(context(state), move || ui::shell(options.clone()));
    let mut response = render(request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
