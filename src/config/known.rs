//! Which keys exist: ours, and those of Loom that a file may hold and we don't need.

use super::{ConfigError, document::Section, limits};

/// How alike a misspelt key and a known one must be, from 0 to 1.
const ALIKE: f32 = 0.6;
/// The same where unknown keys are usual: only what is all but certainly one of ours, misspelt.
const ALL_BUT_EQUAL: f32 = 0.9;

enum Keys {
    /// All keys are known; another one is a mistake.
    All(&'static [&'static str]),
    /// Loom has many more than we know; these are ours.
    Among(&'static [&'static str]),
    /// None is ours.
    LoomsOwn,
}

const SERVER: &[&str] = &["host", "port", "max_upload_file_bytes", "max_upload_request_bytes"];
const COWORK: &[&str] = &[
    "host",
    "port",
    "base_path",
    "workspace_roots",
    "max_message_bytes",
    "max_queue",
    "allow_full_mode",
    "max_connections",
    "grace_period_ms",
    "allowed_hosts",
    "access",
    "limits",
    "secret_names",
    "log_max_events",
    "log_max_days",
    "idle_minutes",
];
const ACCESS: &[&str] = &["proxy_header", "proxies", "users_file", "people", "networks"];
const UPLOADS: &[&str] = &["max_workspace_bytes", "min_free_bytes", "max_files", "keep_partial_hours"];
const MODEL: &[&str] = &[
    "provider",
    "base_url",
    "model",
    "max_tokens",
    "temperature",
    "roles",
    "api_key",
    "api_key_env",
    "reasoning_effort",
    "tier",
    "capabilities",
    "context_tokens",
];
const CAPABILITIES: &[&str] = &["vision", "native_pdf", "thinking", "citations", "audio_input", "audio_output"];
const EXECUTION: &[&str] = &[
    "model_call_max_attempts",
    "model_call_retry_base_delay_seconds",
    "model_call_retry_max_delay_seconds",
    "model_call_retry_jitter_seconds",
];

const MCP_SERVER: &[&str] = &[
    "type",
    "command",
    "args",
    "env",
    "cwd",
    "url",
    "fallback_sse_url",
    "headers",
    "oauth",
    "allow_insecure_http",
    "allow_private_network",
    "timeout_seconds",
    "enabled",
    "trust_read_only",
];

const SECTIONS: &[(&str, Keys)] = &[
    ("server", Keys::All(SERVER)),
    ("cowork", Keys::All(COWORK)),
    ("uploads", Keys::All(UPLOADS)),
    ("sandbox", Keys::All(&["mode", "network"])),
    ("web_fetch", Keys::All(&["enabled", "max_bytes", "timeout_seconds"])),
    ("metrics", Keys::All(&["listen"])),
    ("models", Keys::LoomsOwn),
    ("workspace", Keys::All(&["default_path", "scratch_dir"])),
    ("execution", Keys::Among(EXECUTION)),
    ("limits", Keys::LoomsOwn),
    ("memory", Keys::Among(&["database_path"])),
    ("logging", Keys::Among(&["level", "format"])),
    ("telemetry", Keys::LoomsOwn),
    ("verification", Keys::LoomsOwn),
    ("process", Keys::LoomsOwn),
    ("tui", Keys::LoomsOwn),
    ("ui", Keys::LoomsOwn),
    ("mcp", Keys::LoomsOwn),
    ("retention", Keys::LoomsOwn),
    ("desktop", Keys::LoomsOwn),
];

/// Keys of Loom's that may stand in sections whose other keys are read here.
const NOT_READ: &[(&str, &str)] = &[
    ("models", "capabilities.native_pdf"),
    ("models", "capabilities.thinking"),
    ("models", "capabilities.citations"),
    ("models", "capabilities.audio_input"),
    ("models", "capabilities.audio_output"),
    ("mcp.servers", "oauth"),
    ("mcp.servers", "fallback_sse_url"),
    ("workspace", "scratch_dir"),
];

/// Every key that is read, with its section, for who documents them. `models` and `mcp.servers` stand for the
/// sections of one model and of one server.
pub fn own_keys() -> Vec<(&'static str, String)> {
    let all = SECTIONS.iter().filter_map(|(section, keys)| match keys {
        Keys::All(keys) | Keys::Among(keys) => Some((*section, "", *keys)),
        Keys::LoomsOwn => None,
    });
    let nested: [(&str, &str, &[&str]); 6] = [
        ("cowork.access", "", ACCESS),
        ("cowork.limits", "", limits::KEYS),
        ("models", "", MODEL),
        ("models", "capabilities.", CAPABILITIES),
        ("mcp.servers", "", MCP_SERVER),
        ("limits.runner", "", &["max_model_context_tokens"]),
    ];
    let keys = all
        .chain(nested)
        .flat_map(|(section, before, keys)| keys.iter().map(move |key| (section, format!("{before}{key}"))));
    let is_section = |key: &str| matches!(key, "access" | "limits" | "capabilities");
    let is_read = |section: &str, key: &str| !is_section(key) && !NOT_READ.contains(&(section, key));
    keys.filter(|(section, key)| is_read(section, key)).collect()
}

/// A warning for every key that means nothing to anyone, in the order of the file.
pub fn unknown_keys(file: &Section<'_>) -> Result<Vec<String>, ConfigError> {
    let mut warnings = Vec::new();
    for (section, _) in file.keys() {
        match SECTIONS.iter().find(|(name, _)| *name == section) {
            None => warnings.push(unknown_section(file, section)),
            Some((_, Keys::LoomsOwn)) => {}
            Some((_, keys)) => unknown_in(&file.section(section)?, keys, &mut warnings),
        }
    }
    unknown_in(&file.section("limits")?.section("runner")?, &Keys::Among(&["max_model_context_tokens"]), &mut warnings);
    unknown_in(&file.section("cowork")?.section("access")?, &Keys::All(ACCESS), &mut warnings);
    unknown_in(&file.section("cowork")?.section("limits")?, &Keys::All(limits::KEYS), &mut warnings);
    let models = file.section("models")?;
    for (alias, _) in models.keys() {
        let model = models.section(alias)?;
        unknown_in(&model, &Keys::All(MODEL), &mut warnings);
        unknown_in(&model.section("capabilities")?, &Keys::All(CAPABILITIES), &mut warnings);
    }
    warnings.extend(unknown_mcp_keys(file)?);
    Ok(warnings)
}

pub fn unknown_mcp_keys(file: &Section<'_>) -> Result<Vec<String>, ConfigError> {
    let mut warnings = Vec::new();
    let servers = file.section("mcp")?.section("servers")?;
    for (alias, _) in servers.keys() {
        unknown_in(&servers.section(alias)?, &Keys::All(MCP_SERVER), &mut warnings);
    }
    Ok(warnings)
}

fn unknown_in(section: &Section<'_>, keys: &Keys, warnings: &mut Vec<String>) {
    let (ours, alike, must_be_known) = match keys {
        Keys::All(ours) => (*ours, ALIKE, true),
        Keys::Among(ours) => (*ours, ALL_BUT_EQUAL, false),
        Keys::LoomsOwn => return,
    };
    for (key, _) in section.keys().into_iter().filter(|(key, _)| !ours.contains(key)) {
        let near = nearest(key, ours, alike);
        if near.is_none() && !must_be_known {
            continue;
        }
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        warnings.push(format!("{} is not a key that Cowork or Loom knows{hint}", section.place(key)));
    }
}

fn unknown_section(file: &Section<'_>, section: &str) -> String {
    let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
    let hint = nearest(section, &names, ALIKE).map_or_else(String::new, |near| format!("; did you mean `[{near}]`?"));
    format!("{} is not a section that Cowork or Loom knows{hint}", file.place(section))
}

fn nearest<'a>(name: &str, known: &[&'a str], alike: f32) -> Option<&'a str> {
    similar::get_close_matches(name, known, 1, alike).first().copied()
}
