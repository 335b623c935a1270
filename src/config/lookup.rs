//! Which file is read: one wins, nothing is merged. Only MCP servers may stand in a second file, as Loom keeps them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Config, ConfigError};

const FILE_NAME: &str = "loom.toml";
/// Loom's folder in the home folder.
const LOOM_FOLDER: &str = ".loom";
/// There, the servers that `loom mcp` manages; one of the same alias goes before that of `loom.toml`.
const MCP_FILE_NAME: &str = "mcp.toml";

/// What the command line says of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// This file, which must be there.
    Given(PathBuf),
    /// `./loom.toml`, else `~/.loom/loom.toml`, else the defaults.
    Lookup,
}

/// Where a configuration is looked for, whether or not one is there.
pub fn lookup_places() -> Vec<PathBuf> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let in_home = home.map(|home| [FILE_NAME, MCP_FILE_NAME].map(|name| home.join(LOOM_FOLDER).join(name)));
    [PathBuf::from(FILE_NAME)].into_iter().chain(in_home.into_iter().flatten()).collect()
}

#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// The file that was read; `None` where the defaults hold.
    pub file: Option<PathBuf>,
    /// For a person who looks at the start-up messages. Nothing stops because of them.
    pub warnings: Vec<String>,
}

impl Config {
    pub fn load(source: ConfigSource) -> Result<Loaded, ConfigError> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        Self::load_from(source, Path::new(""), home.as_deref(), &|name| std::env::var(name).ok())
    }

    /// [`Config::load`] for any current folder, home folder and environment.
    pub(super) fn load_from(
        source: ConfigSource,
        current: &Path,
        home: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, ConfigError> {
        let file = match source {
            ConfigSource::Given(path) => Some(path),
            ConfigSource::Lookup => {
                let own = home.map(|home| home.join(LOOM_FOLDER).join(FILE_NAME));
                [Some(current.join(FILE_NAME)), own].into_iter().flatten().find(|path| path.is_file())
            }
        };
        let text = file.as_deref().map_or_else(|| Ok(String::new()), read)?;
        let name = file.as_deref().map_or_else(|| FILE_NAME.into(), |file| file.display().to_string());
        let (mut config, mut warnings) = Self::from_toml(&text, &name, env, home)?;
        let mcp = home.map(|home| home.join(LOOM_FOLDER).join(MCP_FILE_NAME)).filter(|path| path.is_file());
        if let Some(path) = mcp {
            let (servers, more) = Self::mcp_from_toml(&read(&path)?, &path.display().to_string(), env)?;
            config.mcp_servers.retain(|known| !servers.iter().any(|server| server.alias == known.alias));
            config.mcp_servers.extend(servers);
            warnings.extend(more);
        }
        Ok(Loaded { config, file, warnings })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: path.into(), reason: error.kind().to_string() })
}
