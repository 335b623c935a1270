//! The subcommands beside `serve`, one file each, and what ends that one.

pub mod backup;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod import;
pub mod link;
pub mod offers;
pub mod stop;
pub mod token;
pub mod user;

use std::path::PathBuf;

use clap::Args;
use cowork::{
    config::{Config, ConfigSource, DatabaseChoice, Loaded, database_file},
    store::holds_sessions,
};

/// Which Cowork is meant: told by its configuration and its database.
#[derive(Args, Clone, Default)]
pub struct Place {
    /// Configuration file; else ./loom.toml, ~/.loom/loom.toml, or the defaults.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// SQLite file for the sessions; made if missing.
    #[arg(long, global = true)]
    pub database: Option<PathBuf>,
}

impl Place {
    pub fn load(&self) -> anyhow::Result<(Loaded, DatabaseChoice)> {
        let loaded = Config::load(self.config.clone().map_or(ConfigSource::Lookup, ConfigSource::Given))?;
        let configured = &loaded.config.database_path;
        let database = database_file(self.database.as_deref(), configured, holds_sessions, |path| path.exists());
        Ok((loaded, database))
    }
}
