//! Configuration: Loom's `loom.toml`, with a section `[cowork]` of our own. Plain data; only [`Config::load`] reads
//! files and the environment.

mod access;
mod database;
mod document;
mod known;
mod limits;
mod lookup;
mod mcp;
mod models;
mod parse;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use access::{Access, Proxy};
pub use database::{DatabaseChoice, DatabaseKind, database_file, own_file};
pub use known::own_keys;
pub use limits::Limits;
pub use lookup::{ConfigSource, Loaded, lookup_places};
pub use mcp::{Hidden, McpLink, McpServer};
pub use models::{ApiKey, BUILT_IN, Capabilities, ModelConfig, Provider};

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub server: Server,
    pub cowork: Cowork,
    pub access: Access,
    pub limits: Limits,
    pub uploads: Uploads,
    /// In the order of the file; providers that this version does not have are left out.
    pub models: Vec<ModelConfig>,
    /// Alias of one of `models`, or [`BUILT_IN`].
    pub default_model: String,
    /// Where sessions go that name no folder; `None` without a home folder.
    pub default_workspace: Option<PathBuf>,
    pub retry: Retry,
    pub sandbox: Sandbox,
    pub web_fetch: WebFetch,
    /// Where an operator's monitoring asks; `None` is nowhere.
    pub metrics_listen: Option<SocketAddr>,
    pub mcp_servers: Vec<McpServer>,
    /// Window of models that don't name theirs, in tokens.
    pub max_model_context_tokens: u64,
    /// Loom's database file. Which file is used in the end says [`database_file`].
    pub database_path: PathBuf,
    /// A level of `tracing`: `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: String,
    pub log_format: LogFormat,
}

/// How the process log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for programs.
    Json,
}

/// Where to listen, and how large uploads may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub max_upload_file_bytes: u64,
    pub max_upload_request_bytes: u64,
}

/// What uploads may take, beside the sizes that Loom's section has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// All that may stand in a workspace; `None` is no limit.
    pub max_workspace_bytes: Option<u64>,
    /// What the disk must have left.
    pub min_free_bytes: u64,
    /// Files of one request.
    pub max_files: u32,
    /// How long an upload that was cut off can go on.
    pub keep_partial: Duration,
}

/// Our own section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cowork {
    /// Sessions may work in folders below these.
    pub workspace_roots: Vec<PathBuf>,
    /// Where the server begins below its host's name; checked by whoever serves.
    pub base_path: String,
    pub max_message_bytes: u64,
    /// Messages that may wait in one session.
    pub max_queue: u32,
    /// Whether a session may run in the mode that never asks.
    pub allow_full_mode: bool,
    /// Open connections of the whole server.
    pub max_connections: u32,
    /// How long running turns may take to end when the server stops.
    pub grace_period: Duration,
    /// Host names beside the loopback ones that the server answers to.
    pub allowed_hosts: Vec<String>,
    /// Fields and environment variables that hold secrets here, beside those that do everywhere.
    pub secret_names: Vec<String>,
    /// The newest events that each session's log keeps; without it all.
    pub log_max_events: Option<u64>,
    /// How long each session's log keeps its events; without it for ever.
    pub log_max_age: Option<Duration>,
    /// A session without turn, wait, queue or watcher leaves memory after this long.
    pub idle_after: Duration,
}

/// How programs of the agent run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Without it they run as the server itself, without a question whether this machine could confine them.
    pub required: bool,
    /// Whether they may use the network.
    pub network: bool,
}

/// Pages of the web for the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebFetch {
    pub enabled: bool,
    /// What is read of one page.
    pub max_bytes: u64,
    pub timeout: Duration,
}

/// How model calls are repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    pub max_attempts: u32,
    pub base_delay: Duration,
    pub max_delay: Duration,
    pub jitter: Duration,
}

/// Each says file, line and key, or what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{file} line {line}: {reason}")]
    Line { file: String, line: usize, reason: String },
    #[error("The configuration file {path} can't be read: {reason}. Check --config, or leave it out.", path = path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("The environment variable {name} must be {wanted}.")]
    Variable { name: &'static str, wanted: &'static str },
    #[error(
        "There is no home folder (HOME is not set), so `{path}` of {key} is nowhere. Set HOME, or write the full path in loom.toml."
    )]
    NoHome { key: &'static str, path: String },
}

#[cfg(test)]
mod config_tests;
