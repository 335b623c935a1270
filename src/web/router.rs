//! Every route of the server, in one place.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::Request,
    http::HeaderMap,
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, patch, post},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    timeout::RequestBodyTimeoutLayer,
};

use super::{
    archive, assets, auth, base_path, changes, docs, error::Problem, files, guard, health, history, logs, look,
    messages, metrics, openapi, page, preview, request_id, sessions, sharing, sharing_page, stream, tus, upload, words,
};
use crate::{
    protocol::{ApiError, ErrorCode},
    state::AppState,
};

/// A body that stops arriving for this long holds its connection no more.
const BODY_PAUSE: Duration = Duration::from_secs(15);
/// Smaller answers would grow.
const COMPRESS_FROM_BYTES: u16 = 1024;

pub fn router(state: AppState) -> Router {
    let compressed = SizeAbove::new(COMPRESS_FROM_BYTES)
        // These are precompressed, or streams that must not wait for a full buffer.
        .and(NotForContentType::const_new("application/wasm"))
        .and(NotForContentType::const_new("application/x-ndjson"))
        // Files of people keep their length, and images and archives are compressed already.
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("image/"));
    let base = state.site.base.clone();
    let Routes { router, .. } = routes();
    // One stack, the outermost first: each layer that the router is given by itself stands in a box around every route,
    // and each of them is copied for each request.
    let before_all = ServiceBuilder::new()
        .layer(CompressionLayer::new().gzip(true).compress_when(compressed))
        .layer(middleware::from_fn_with_state(state.clone(), metrics::count))
        .layer(middleware::from_fn_with_state(state.clone(), request_id::name))
        .layer(middleware::from_fn_with_state(state.clone(), guard::set_headers))
        // Inside of these, so that a refusal has the headers and the name too.
        .layer(middleware::from_fn(guard::check_head))
        .layer(middleware::from_fn_with_state(state.clone(), guard::check_host))
        .layer(middleware::from_fn_with_state(state.clone(), guard::check_origin))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(state.clone(), auth::check_visitor))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE));
    let router = router
        .fallback(page::not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(before_all)
        .with_state(state);
    base_path::below(base, router)
}

/// The pattern of every address that something stands at, for those who check them all.
pub fn addresses() -> Vec<String> {
    routes().addresses
}

/// A router that can tell its addresses.
pub(super) struct Routes {
    router: Router<AppState>,
    addresses: Vec<String>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self { router: Router::new(), addresses: Vec::new() }
    }

    pub(super) fn route(mut self, path: &str, methods: MethodRouter<AppState>) -> Self {
        self.router = self.router.route(path, methods);
        self.addresses.push(path.to_owned());
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.addresses.extend(other.addresses);
        self
    }

    fn with(mut self, layered: impl FnOnce(Router<AppState>) -> Router<AppState>) -> Self {
        self.router = layered(self.router);
        self
    }

    fn nest(mut self, path: &str, inner: Self) -> Self {
        self.router = self.router.nest(path, inner.router.fallback(messages::nothing_here));
        self.addresses.extend(inner.addresses.iter().map(|inner| format!("{path}{inner}")));
        self
    }
}

fn routes() -> Routes {
    Routes::new()
        .nest("/cowork", cowork())
        .route("/launch", post(auth::new_link))
        .route("/launch/{token}", get(auth::launch))
        .route("/sign-in", get(auth::sign_in_page).post(auth::sign_in))
        .route("/sign-out", post(auth::sign_out))
        .route("/me", get(auth::me))
        .route("/sessions/{id}/sharing", get(sharing_page::sharing_page))
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/probe", get(health::probe))
        .route("/health/ready", get(health::ready))
        .route("/models", get(health::models))
        .route("/models/offers", get(health::model_offers))
        .route("/tools", get(health::tools))
        .route("/config", get(health::config))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(docs::index))
        .route("/docs/{page}", get(docs::show))
        .route("/docs/pictures/{file}", get(docs::picture))
        .route("/pkg/{build}/{file}", get(assets::package))
        .route("/favicon.svg", get(|headers: HeaderMap| async move { assets::public("favicon.svg", &headers).await }))
        .merge(page::routes())
}

fn cowork() -> Routes {
    Routes::new()
        .route("/sessions", post(sessions::create).get(sessions::list))
        .route("/sessions/{id}", get(sessions::get).patch(sessions::update).delete(sessions::delete))
        .route("/sessions/{id}/update", post(sessions::update_by_form))
        .route("/sessions/{id}/delete", post(sessions::delete_by_form))
        .route("/sessions/{id}/restore", post(sessions::restore))
        .route("/sessions/{id}/fork", post(sessions::fork))
        .route("/sessions/{id}/sharing", get(sharing::get).post(sharing::share))
        .route("/sessions/{id}/turns", get(sessions::turns))
        .route("/sessions/{id}/earlier", get(history::earlier))
        .route("/sessions/{id}/export", get(history::export))
        .route("/sessions/{id}/turns/{turn}/calls/{call}/output", get(history::call_output))
        .route("/sessions/{id}/turns/{turn}/changes", get(changes::list))
        .route("/sessions/{id}/turns/{turn}/undo", post(changes::undo))
        .route("/sessions/{id}/logs", get(logs::list))
        .route("/sessions/{id}/uploads", post(upload::upload))
        .merge(resumable())
        .route("/sessions/{id}/files", get(files::list))
        .route("/sessions/{id}/files/search", get(files::search))
        .route("/sessions/{id}/files/{*path}", get(files::download))
        .route("/sessions/{id}/preview/{*path}", get(preview::preview))
        .route("/sessions/{id}/archive", get(archive::archive))
        .route("/sessions/{id}/messages", post(messages::send))
        .route("/sessions/{id}/stop", post(messages::stop))
        .route("/sessions/{id}/steer", post(words::steer))
        .route("/sessions/{id}/approvals/{approval}", post(words::decide))
        .route("/sessions/{id}/approvals/deny-all", post(words::deny_all))
        .route("/sessions/{id}/approval-rules", get(words::rules))
        .route("/sessions/{id}/approval-rules/{rule}", delete(words::remove_rule))
        .route("/sessions/{id}/approval-rules/{rule}/revoke", post(words::revoke))
        .route("/sessions/{id}/questions/{question}", post(words::answer))
        .route("/sessions/{id}/queue", get(messages::queue))
        .route("/sessions/{id}/queue/{message}", delete(messages::remove_queued).patch(messages::edit_queued))
        .route("/sessions/{id}/queue/{message}/edit", post(messages::edit_queued_by_form))
        .route("/sessions/{id}/queue/{message}/remove", post(messages::remove_queued_by_form))
        .route("/sessions/{id}/queue/{message}/send", post(messages::send_queued))
        .route("/sessions/{id}/stream", get(stream::upgrade))
        .route("/workspaces", get(sessions::folders))
        .route("/look", post(look::set))
        .with(|router| router.layer(Extension(Arc::<upload::Desk>::default())))
        .with(|router| router.layer(Extension(Arc::<archive::Desk>::default())))
        .with(|router| router.layer(Extension(Arc::<preview::Desk>::default())))
}

/// Uploads by tus; every answer of theirs says the version.
fn resumable() -> Routes {
    Routes::new()
        .route("/sessions/{id}/uploads/tus", post(tus::create).options(tus::options))
        .route(
            "/sessions/{id}/uploads/tus/{upload}",
            patch(tus::send)
                .post(tus::by_post)
                .head(tus::head)
                .get(tus::result)
                .delete(tus::cancel)
                .options(tus::options),
        )
        .with(|router| router.layer(Extension(Arc::<tus::Desk>::default())))
        .with(|router| router.layer(middleware::map_response(tus::speak)))
}

async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} is not possible at this address. Nothing was done.", request.method());
    Problem::new(ErrorCode::MethodNotAllowed, detail)
}

/// A panic in a handler is a fault of ours: it ends this request and nothing else.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text =
        cause.downcast_ref::<&str>().map(ToString::to_string).or_else(|| cause.downcast_ref::<String>().cloned());
    tracing::error!(cause = text.unwrap_or_default(), "a request handler panicked");
    Problem(ApiError::internal()).into_response()
}
