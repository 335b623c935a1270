//! One module per address.

pub mod home;
pub mod live;
pub mod not_found;
pub mod session;

use leptos::server_fn::error::ServerFnUrlError;
use leptos_router::params::ParamsMap;

use crate::protocol::ApiError;

/// What went wrong with a form, in the address that the answer led to: our routes' `error`, or what a server
/// function says in its own way.
fn told_error(query: &ParamsMap) -> Option<String> {
    let by_function = || query.get("__err").map(|text| ServerFnUrlError::<ApiError>::decode_err(&text).detail);
    query.get("error").filter(|text| !text.is_empty()).or_else(by_function)
}
