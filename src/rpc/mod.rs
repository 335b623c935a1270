//! Server functions: what the page asks of the server, a few lines each. Every one is a public address
//! (`/rpc/…`) behind the same guards as the REST routes, and calls the same domain.

pub mod sessions;

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::protocol::{ApiError, ErrorCode};

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (code, detail) = match error {
            ServerFnErrorErr::Request(_) => {
                (ErrorCode::Unavailable, "The server did not answer. Nothing is lost; try again.")
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (ErrorCode::InvalidRequest, "The request did not fit. Reload the page.")
            }
            _ => (ErrorCode::Internal, "The answer could not be read. Reload the page."),
        };
        ApiError::new(code, detail)
    }
}
