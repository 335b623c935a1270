//! The configuration as everybody may see it: no key, and no more of this machine's paths than an owner needs.

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};

use crate::{config::Config, workspace::roots::Roots};

/// `address` and `roots` are what is in force: the command line may say otherwise than the file.
pub fn public_config(
    config: &Config,
    file: Option<&Path>,
    database: &Path,
    address: SocketAddr,
    roots: &Roots,
) -> Value {
    let models = config.models.iter().map(|model| {
        let fields = json!({
            "provider": model.provider.name(),
            "base_url": model.provider.base_url(),
            "model": model.model,
            "api_key": model.api_key.as_ref().map(|_| "[redacted]"),
            "context_tokens": model.context_tokens,
        });
        (model.alias.clone(), fields)
    });
    json!({
        "file": file.map(|file| file.display().to_string()),
        "database": database.display().to_string(),
        "server": {
            "host": address.ip().to_string(),
            "port": address.port(),
            "max_upload_file_bytes": config.server.max_upload_file_bytes,
            "max_upload_request_bytes": config.server.max_upload_request_bytes,
        },
        "cowork": {
            "workspace_roots": roots.paths().map(|root| root.display().to_string()).collect::<Vec<_>>(),
            "base_path": config.cowork.base_path,
            "max_message_bytes": config.cowork.max_message_bytes,
            "max_queue": config.cowork.max_queue,
            "max_connections": config.cowork.max_connections,
            "grace_period_ms": config.cowork.grace_period.as_millis() as u64,
            "allowed_hosts": config.cowork.allowed_hosts,
            "log_max_events": config.cowork.log_max_events,
            "log_max_days": config.cowork.log_max_age.map(|age| age.as_secs() / (24 * 60 * 60)),
            "idle_minutes": config.cowork.idle_after.as_secs() / 60,
        },
        "limits": {
            "sessions_per_person": config.limits.sessions_per_person,
            "running_turns": config.limits.running_turns,
            "running_turns_per_person": config.limits.running_turns_per_person,
            "sockets_per_person": config.limits.sockets_per_person,
            "requests_per_minute": config.limits.requests_per_minute,
            "tokens_per_day": config.limits.tokens_per_day,
            "min_free_bytes": config.limits.min_free_bytes,
        },
        "uploads": {
            "max_workspace_bytes": config.uploads.max_workspace_bytes,
            "min_free_bytes": config.uploads.min_free_bytes,
            "max_files": config.uploads.max_files,
            "keep_partial_hours": config.uploads.keep_partial.as_secs() / 3600,
        },
        "sandbox": { "required": config.sandbox.required, "network": config.sandbox.network },
        "web_fetch": {
            "enabled": config.web_fetch.enabled,
            "max_bytes": config.web_fetch.max_bytes,
            "timeout_seconds": config.web_fetch.timeout.as_secs(),
        },
        "metrics": { "listen": config.metrics_listen.map(|address| address.to_string()) },
        "logging": { "level": config.log_level },
        "mcp_servers": config.mcp_servers.iter().map(|server| server.alias.as_str()).collect::<Vec<_>>(),
        "default_model": config.default_model,
        "models": models.collect::<serde_json::Map<String, Value>>(),
    })
}
