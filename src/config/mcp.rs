//! MCP servers, as Loom configures them: `[mcp.servers.<alias>]`, here or in `~/.loom/mcp.toml`.

use std::{fmt, path::PathBuf, time::Duration};

use reqwest::Url;

use super::{ConfigError, document::Section};

/// Loom's default and range, in seconds.
const TIMEOUT_SECONDS: u64 = 30;
const TIMEOUT_RANGE: (u64, u64) = (1, 120);
/// An alias becomes part of the names of tools, which are short.
const MAX_ALIAS_CHARS: usize = 24;

#[derive(Clone, Debug, PartialEq)]
pub struct McpServer {
    pub alias: String,
    pub link: McpLink,
    /// How long a start and a call may take.
    pub timeout: Duration,
    /// Tools that the server says only read are free. Its word alone is not enough: the operator has to trust it.
    pub trust_read_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum McpLink {
    /// A program that is started.
    Program { command: String, args: Vec<String>, env: Vec<(String, Hidden)>, cwd: Option<PathBuf> },
    /// A server that speaks streamable HTTP.
    Address {
        url: Url,
        headers: Vec<(String, Hidden)>,
        /// It may be on this machine or its network.
        private: bool,
    },
}

/// A value that may be a secret: it shows in no log and no message.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// For the one place that passes it on.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// All servers that can be used, in the order of the file; a warning for each that can't.
pub(super) fn read(
    servers: &Section<'_>,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<McpServer>, ConfigError> {
    let mut read = Vec::new();
    for (alias, _) in servers.keys() {
        read.extend(server(servers, alias, env, warnings)?);
    }
    Ok(read)
}

fn server(
    servers: &Section<'_>,
    alias: &str,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<McpServer>, ConfigError> {
    let section = servers.section(alias)?;
    if section.flag("enabled")? == Some(false) {
        return Ok(None);
    }
    let mut leave_out = |why: &str| warnings.push(format!("{} {why}, so the server is left out", servers.place(alias)));
    if alias.len() > MAX_ALIAS_CHARS || !alias.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        leave_out(&format!("must have up to {MAX_ALIAS_CHARS} letters, digits, - and _"));
        return Ok(None);
    }
    let values = |name: &str, warnings: &mut Vec<String>| values(&section.section(name)?, env, warnings);
    let link = match section.text("type")?.as_deref().unwrap_or("local") {
        "local" => {
            let Some(command) = section.text("command")? else {
                leave_out("has no `command`");
                return Ok(None);
            };
            let args = section.texts("args")?.unwrap_or_default();
            let cwd = section.text("cwd")?.map(PathBuf::from);
            McpLink::Program { command, args, env: values("env", warnings)?, cwd }
        }
        "remote" => {
            let private = section.flag("allow_private_network")?.unwrap_or(false);
            let insecure = section.flag("allow_insecure_http")?.unwrap_or(false);
            let url = match address(section.text("url")?.as_deref(), insecure) {
                Ok(url) => url,
                Err(why) => {
                    leave_out(why);
                    return Ok(None);
                }
            };
            McpLink::Address { url, headers: values("headers", warnings)?, private }
        }
        _ => return Err(section.fault("type", "must be \"local\" or \"remote\"")),
    };
    let (least, most) = TIMEOUT_RANGE;
    let seconds = section.whole("timeout_seconds", 0..=u64::MAX)?.unwrap_or(TIMEOUT_SECONDS).clamp(least, most);
    Ok(Some(McpServer {
        alias: alias.to_owned(),
        link,
        timeout: Duration::from_secs(seconds),
        trust_read_only: section.flag("trust_read_only")?.unwrap_or(false),
    }))
}

fn address(url: Option<&str>, insecure: bool) -> Result<Url, &'static str> {
    let url = url.ok_or("has no `url`")?;
    let url = Url::parse(url).map_err(|_| "has a `url` that is no address")?;
    match url.scheme() {
        "https" => {}
        "http" if insecure => {}
        "http" => return Err("has a `url` without TLS; `allow_insecure_http = true` allows it"),
        _ => return Err("has a `url` that is neither https nor http"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a name or password in its `url`; put them into `headers`");
    }
    Ok(url)
}

/// Names and values; `${NAME}` stands for a variable of the environment, as in Loom.
fn values(
    section: &Section<'_>,
    env: Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<(String, Hidden)>, ConfigError> {
    let mut values = Vec::new();
    for (name, _) in section.keys() {
        let Some(text) = section.text(name)? else { continue };
        let value = match text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
            None => text,
            Some(variable) => match env(variable) {
                Some(value) => value,
                None => {
                    warnings.push(format!("{} names the variable {variable}, which is not set", section.place(name)));
                    continue;
                }
            },
        };
        values.push((name.to_owned(), Hidden(value)));
    }
    Ok(values)
}
