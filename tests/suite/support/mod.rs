//! What the tests stand on: the product as a server or a process, a model that plays scripts, and clients.

pub mod form;
pub mod host;
pub mod html;
pub mod http;
pub mod jail;
pub mod model;
pub mod people;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod replica;
pub mod server;
pub mod shim;
pub mod socket;
pub mod web;

use std::{future::Future, time::Duration};

/// How long a test waits for something that must come. Only a failing test ever waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must come.
///
/// # Panics
/// When it does not come in time.
#[track_caller]
pub fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("{what} did not come within {PATIENCE:?} ({place})"),
        }
    }
}
