//! HTTP: routes, guards, the live stream, the page's files. Handlers are a few lines each: read the request,
//! ask the [`Agent`](crate::agent::Agent), answer.

mod archive;
mod assets;
mod changes;
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
mod page;
mod preview;
mod public_config;
mod range;
mod router;
mod server;
mod sessions;
pub mod socket;
mod stream;
mod tus;
mod upload;
mod words;

pub use assets::build_id;
pub use guard::allowed_hosts;
pub use public_config::public_config;
pub use router::router;
pub use server::{ServeOptions, raise_file_limit, serve};
