//! HTTP: routes, guards, the live stream, the page's files. Handlers are a few lines each: read the request,
//! ask the [`Agent`](crate::agent::Agent), answer.

mod archive;
mod assets;
mod auth;
mod base_path;
mod changes;
mod docs;
mod error;
mod extract;
mod files;
mod frames;
mod guard;
mod health;
mod history;
mod logs;
mod look;
mod messages;
mod metrics;
mod openapi;
mod page;
mod patience;
mod plain;
mod preview;
mod public_config;
mod range;
mod request_id;
mod router;
mod server;
mod sessions;
mod sharing;
mod sharing_page;
pub mod socket;
mod stream;
mod tus;
mod upload;
mod words;

pub use assets::build_id;
pub use auth::PUBLIC;
pub use guard::own_origins;
pub use health::PROBE_PAUSE;
pub use metrics::metrics_router;
pub use patience::{Pace, Patience};
pub use public_config::public_config;
pub use router::{addresses, router};
pub use server::{ServeOptions, VANISHED, raise_file_limit, serve};
