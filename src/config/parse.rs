//! From the text of a file to a [`Config`].

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Config, ConfigError, Cowork, LogFormat, Retry, Sandbox, Server, Uploads, WebFetch, access,
    document::{Section, Source},
    known, limits, mcp, models,
};

const HOST: &str = "127.0.0.1";
const PORT: u16 = 9000;
const MAX_UPLOAD_FILE_BYTES: u64 = 52_428_800;
const MAX_UPLOAD_REQUEST_BYTES: u64 = 262_144_000;
/// The database and other people's programs go on.
const MIN_FREE_BYTES: u64 = 256 * 1024 * 1024;
/// A folder of that many files is dropped at once now and then; a larger one goes in several requests.
const MAX_UPLOAD_FILES: u32 = 10_000;
/// A day: whoever closes the laptop in the evening goes on in the morning.
const KEEP_PARTIAL_HOURS: u64 = 24;
const MOST_KEEP_PARTIAL_HOURS: u64 = 24 * 365;
/// A message is stored, searched and sent to the model whole.
const MAX_MESSAGE_BYTES: u64 = 262_144;
/// A message travels in a frame of 1 MiB, escaped.
const MOST_MESSAGE_BYTES: u64 = 512 * 1024;
/// More waiting messages than a person keeps track of.
const MAX_QUEUE: u32 = 100;
const MAX_CONNECTIONS: u32 = 10_000;
/// Service managers kill after ten seconds and more.
const GRACE_PERIOD_MS: u64 = 3_000;
/// Fewer would not hold the turn that a person is looking at.
const LEAST_LOG_EVENTS: u64 = 100;
/// What a row number of SQLite holds, and more than a disk.
const MOST_LOG_EVENTS: u64 = i64::MAX as u64;
/// A century.
const MOST_LOG_DAYS: u64 = 36_500;
const DAY: u64 = 24 * 60 * 60;
/// A person who is away for longer does not notice the millisecond that it takes to come back.
const IDLE_MINUTES: u64 = 30;
/// A week.
const MOST_IDLE_MINUTES: u64 = 7 * 24 * 60;
const DEFAULT_WORKSPACE: &str = "~/projects";
const DATABASE: &str = "~/.loom/loom.db";
/// A page with more is a download; its text alone fills several windows.
const WEB_PAGE_BYTES: u64 = 2 * 1024 * 1024;
const MOST_WEB_PAGE_BYTES: u64 = 16 * 1024 * 1024;
/// As long as people wait for a page.
const WEB_SECONDS: u64 = 30;
const LOG_LEVEL: &str = "info";
/// Goes before the file: containers are set up by their environment.
const LOG_FORMAT_VARIABLE: &str = "COWORK_LOG_FORMAT";
/// Loom's default, and the range that it clamps to.
const CONTEXT_TOKENS: u64 = 24_000;
const CONTEXT_TOKENS_RANGE: (u64, u64) = (2_048, 500_000);
const MAX_ATTEMPTS: u32 = 5;
const MAX_ATTEMPTS_RANGE: (u32, u32) = (1, 10);
const BASE_DELAY_SECONDS: f64 = 0.5;
const MAX_DELAY_SECONDS: f64 = 8.0;
const JITTER_SECONDS: f64 = 0.25;
/// A model call that waits longer is a model that is not there.
const LONGEST_DELAY_SECONDS: f64 = 3_600.0;

impl Config {
    /// Reads the text of a file. Returns the warnings beside it.
    pub fn from_toml(
        text: &str,
        file_name: &str,
        env: &dyn Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let source = Source { file: file_name, text };
        let table = source.parse()?;
        let file = Section::whole_file(source, &table);
        let mut warnings = known::unknown_keys(&file)?;
        let models = models::read(&file.section("models")?, env, &mut warnings)?;
        let default_workspace = default_workspace(&file.section("workspace")?, home)?;
        let config = Self {
            server: server(&file.section("server")?, &file.section("cowork")?)?,
            cowork: cowork(&file.section("cowork")?, default_workspace.as_deref(), home)?,
            access: access::read(&file.section("cowork")?.section("access")?, home)?,
            limits: limits::read(&file.section("cowork")?.section("limits")?)?,
            uploads: uploads(&file.section("uploads")?)?,
            default_model: models::default_alias(&models),
            models,
            default_workspace,
            retry: retry(&file.section("execution")?)?,
            sandbox: sandbox(&file.section("sandbox")?, &mut warnings)?,
            web_fetch: web_fetch(&file.section("web_fetch")?)?,
            metrics_listen: metrics_listen(&file.section("metrics")?)?,
            mcp_servers: mcp::read(&file.section("mcp")?.section("servers")?, env, &mut warnings)?,
            max_model_context_tokens: context_tokens(&file.section("limits")?.section("runner")?)?,
            database_path: database_path(&file.section("memory")?, home)?,
            log_level: log_level(&file.section("logging")?, &mut warnings)?,
            log_format: log_format(&file.section("logging")?, env(LOG_FORMAT_VARIABLE))?,
        };
        Ok((config, warnings))
    }

    /// The servers of a file that holds nothing else, as Loom keeps one.
    pub(super) fn mcp_from_toml(
        text: &str,
        file_name: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Vec<mcp::McpServer>, Vec<String>), ConfigError> {
        let source = Source { file: file_name, text };
        let table = source.parse()?;
        let file = Section::whole_file(source, &table);
        let mut warnings = known::unknown_mcp_keys(&file)?;
        let servers = mcp::read(&file.section("mcp")?.section("servers")?, env, &mut warnings)?;
        Ok((servers, warnings))
    }
}

/// The address of `[cowork]` goes before that of `[server]`, which may be Loom's own server's.
fn server(server: &Section<'_>, cowork: &Section<'_>) -> Result<Server, ConfigError> {
    let host = (cowork.text("host")?, server.text("host")?);
    let port = (cowork.whole("port", 1..=u16::MAX)?, server.whole("port", 1..=u16::MAX)?);
    let bytes = |key, default| Ok(server.whole(key, 1..=u64::MAX)?.unwrap_or(default));
    Ok(Server {
        host: host.0.or(host.1).unwrap_or_else(|| HOST.into()),
        port: port.0.or(port.1).unwrap_or(PORT),
        max_upload_file_bytes: bytes("max_upload_file_bytes", MAX_UPLOAD_FILE_BYTES)?,
        max_upload_request_bytes: bytes("max_upload_request_bytes", MAX_UPLOAD_REQUEST_BYTES)?,
    })
}

fn uploads(section: &Section<'_>) -> Result<Uploads, ConfigError> {
    let hours = section.whole("keep_partial_hours", 1..=MOST_KEEP_PARTIAL_HOURS)?.unwrap_or(KEEP_PARTIAL_HOURS);
    Ok(Uploads {
        max_workspace_bytes: section.whole("max_workspace_bytes", 1..=u64::MAX)?,
        min_free_bytes: section.whole("min_free_bytes", 0..=u64::MAX)?.unwrap_or(MIN_FREE_BYTES),
        max_files: section.whole("max_files", 1..=u32::MAX)?.unwrap_or(MAX_UPLOAD_FILES),
        keep_partial: Duration::from_secs(hours * 3600),
    })
}

fn cowork(section: &Section<'_>, workspace: Option<&Path>, home: Option<&Path>) -> Result<Cowork, ConfigError> {
    let roots = match section.texts("workspace_roots")? {
        Some(roots) => {
            roots.iter().map(|root| expand(root, home, "[cowork] workspace_roots")).collect::<Result<_, _>>()?
        }
        None => home.into_iter().chain(workspace).map(Path::to_path_buf).collect(),
    };
    Ok(Cowork {
        workspace_roots: roots,
        base_path: section.text("base_path")?.unwrap_or_default(),
        max_message_bytes: section.whole("max_message_bytes", 1..=MOST_MESSAGE_BYTES)?.unwrap_or(MAX_MESSAGE_BYTES),
        max_queue: section.whole("max_queue", 1..=u32::MAX)?.unwrap_or(MAX_QUEUE),
        allow_full_mode: section.flag("allow_full_mode")?.unwrap_or(false),
        max_connections: section.whole("max_connections", 1..=u32::MAX)?.unwrap_or(MAX_CONNECTIONS),
        grace_period: Duration::from_millis(section.whole("grace_period_ms", 0..=600_000)?.unwrap_or(GRACE_PERIOD_MS)),
        allowed_hosts: section.texts("allowed_hosts")?.unwrap_or_default(),
        secret_names: section.texts("secret_names")?.unwrap_or_default(),
        log_max_events: section.whole("log_max_events", LEAST_LOG_EVENTS..=MOST_LOG_EVENTS)?,
        log_max_age: section.whole("log_max_days", 1..=MOST_LOG_DAYS)?.map(|days: u64| Duration::from_secs(days * DAY)),
        idle_after: Duration::from_secs(
            60 * section.whole("idle_minutes", 1..=MOST_IDLE_MINUTES)?.unwrap_or(IDLE_MINUTES),
        ),
    })
}

fn default_workspace(section: &Section<'_>, home: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    match (section.text("default_path")?, home) {
        (Some(path), _) => expand(&path, home, "[workspace] default_path").map(Some),
        (None, Some(_)) => expand(DEFAULT_WORKSPACE, home, "[workspace] default_path").map(Some),
        (None, None) => Ok(None),
    }
}

fn database_path(section: &Section<'_>, home: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let path = section.text("database_path")?;
    expand(path.as_deref().unwrap_or(DATABASE), home, "[memory] database_path")
}

/// Numbers that Loom clamps are clamped here too: a file that works there works here.
fn retry(section: &Section<'_>) -> Result<Retry, ConfigError> {
    let (least, most) = MAX_ATTEMPTS_RANGE;
    let seconds = |key, default| -> Result<Duration, ConfigError> {
        let number = section.number(key, 0.0..=f64::MAX)?.unwrap_or(default);
        Ok(Duration::from_secs_f64(number.min(LONGEST_DELAY_SECONDS)))
    };
    let base_delay = seconds("model_call_retry_base_delay_seconds", BASE_DELAY_SECONDS)?;
    Ok(Retry {
        max_attempts: section
            .whole("model_call_max_attempts", 0..=u32::MAX)?
            .unwrap_or(MAX_ATTEMPTS)
            .clamp(least, most),
        base_delay,
        max_delay: seconds("model_call_retry_max_delay_seconds", MAX_DELAY_SECONDS)?.max(base_delay),
        jitter: seconds("model_call_retry_jitter_seconds", JITTER_SECONDS)?,
    })
}

fn sandbox(section: &Section<'_>, warnings: &mut Vec<String>) -> Result<Sandbox, ConfigError> {
    let required = match section.text("mode")?.as_deref() {
        None | Some("required") => true,
        Some("off") => {
            let place = section.place("mode");
            warnings.push(format!("{place} is off: commands of the agent run with all rights of this server"));
            false
        }
        Some(_) => return Err(section.fault("mode", "must be \"required\" or \"off\"")),
    };
    Ok(Sandbox { required, network: section.flag("network")?.unwrap_or(false) })
}

fn web_fetch(section: &Section<'_>) -> Result<WebFetch, ConfigError> {
    Ok(WebFetch {
        enabled: section.flag("enabled")?.unwrap_or(false),
        max_bytes: section.whole("max_bytes", 1..=MOST_WEB_PAGE_BYTES)?.unwrap_or(WEB_PAGE_BYTES),
        timeout: Duration::from_secs(section.whole("timeout_seconds", 1..=600)?.unwrap_or(WEB_SECONDS)),
    })
}

/// A port alone is one of this machine itself: who wants others to ask says so.
fn metrics_listen(section: &Section<'_>) -> Result<Option<SocketAddr>, ConfigError> {
    let Some(text) = section.text("listen")? else { return Ok(None) };
    let here =
        || text.trim_start_matches(':').parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let wrong = || section.fault("listen", "must be an address and a port such as \"127.0.0.1:9464\", or a port alone");
    text.parse().ok().or_else(here).map(Some).ok_or_else(wrong)
}

fn context_tokens(section: &Section<'_>) -> Result<u64, ConfigError> {
    let (least, most) = CONTEXT_TOKENS_RANGE;
    Ok(section.whole("max_model_context_tokens", 0..=u64::MAX)?.unwrap_or(CONTEXT_TOKENS).clamp(least, most))
}

/// Loom writes Python's names, in any case.
fn log_level(section: &Section<'_>, warnings: &mut Vec<String>) -> Result<String, ConfigError> {
    let Some(level) = section.text("level")? else { return Ok(LOG_LEVEL.into()) };
    Ok(match level.to_ascii_lowercase().as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace") => level.into(),
        "critical" | "fatal" => "error".into(),
        "warning" => "warn".into(),
        _ => {
            warnings.push(format!("{} has no level `{level}`; it is taken as `{LOG_LEVEL}`", section.place("level")));
            LOG_LEVEL.into()
        }
    })
}

fn log_format(section: &Section<'_>, variable: Option<String>) -> Result<LogFormat, ConfigError> {
    let known = |name: &str| match name.to_ascii_lowercase().as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    };
    if let Some(given) = variable.filter(|given| !given.is_empty()) {
        return known(&given)
            .ok_or(ConfigError::Variable { name: LOG_FORMAT_VARIABLE, wanted: "\"text\" or \"json\"" });
    }
    let Some(given) = section.text("format")? else { return Ok(LogFormat::default()) };
    known(&given).ok_or_else(|| section.fault("format", "must be \"text\" or \"json\""))
}

/// `~` and `~/…` are the home folder.
pub(super) fn expand(text: &str, home: Option<&Path>, key: &'static str) -> Result<PathBuf, ConfigError> {
    let Some(rest) = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return Ok(text.into());
    };
    let home = home.ok_or_else(|| ConfigError::NoHome { key, path: text.into() })?;
    Ok(home.join(rest.trim_start_matches('/')))
}
