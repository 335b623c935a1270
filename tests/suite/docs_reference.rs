//! The reference pages against the program: keys of the configuration and codes of errors.

use std::{collections::BTreeSet, fs, path::Path};

use cowork::{
    config::{self, Config},
    protocol::ErrorCode,
};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// Rows of tables whose first cell holds code: the first cell, and the others.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[0].clone(), cells[1..].to_vec())).collect()
}

/// What stands between backticks.
fn codes(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Keys of the page, each with its section: `[server] host`, `port` names two of `server`.
fn documented(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut section = String::new();
    for part in text.split("\n## ") {
        // These have a table each, whose first line names the section.
        let below = match part.split('\n').next().unwrap_or_default() {
            "Access" => Some("cowork.access"),
            "Limits" => Some("cowork.limits"),
            "Models" => Some("models"),
            "MCP servers" => Some("mcp.servers"),
            _ => None,
        };
        for (first, _) in rows(part) {
            let mut before = String::new();
            for code in codes(&first) {
                let name = match code.strip_prefix('[').and_then(|code| code.split_once(']')) {
                    Some((named, name)) => {
                        section = named.to_owned();
                        name.trim().to_owned()
                    }
                    None => code,
                };
                // `…_max_delay_seconds` goes on like the key before it.
                let name = match name.strip_prefix('…') {
                    Some("") => continue,
                    Some(end) => format!("{}{end}", before.split("_base").next().unwrap_or_default()),
                    None => {
                        before.clone_from(&name);
                        name
                    }
                };
                found.insert((below.unwrap_or(&section).to_owned(), name));
            }
        }
    }
    found
}

#[test]
fn every_key_of_the_configuration_is_on_its_page() {
    let documented = documented(&page("configuration.md"));
    let there: BTreeSet<(String, String)> =
        config::own_keys().into_iter().map(|(section, key)| (section.to_owned(), key.to_owned())).collect();
    assert!(there.len() > 40, "{there:?}");
    let missing: Vec<_> = there.difference(&documented).collect();
    let strange: Vec<_> = documented.difference(&there).collect();
    assert!(missing.is_empty() && strange.is_empty(), "not on the page: {missing:#?}\nno such key: {strange:#?}");
}

/// A value as the page writes it.
fn plain(text: &str) -> String {
    text.trim_matches('`').to_owned()
}

#[test]
fn every_default_on_the_page_is_the_programs() {
    let home = Path::new("/home/anna");
    let config = Config::from_toml("", "loom.toml", &|_| None, Some(home)).unwrap().0;
    let (c, u) = (&config.cowork, &config.uploads);
    let or_none = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    let below_home = |path: &Path| format!("~/{}", path.strip_prefix(home).unwrap().display());
    let seconds = |duration: std::time::Duration| duration.as_secs_f64().to_string();
    let expected: Vec<(&str, Vec<String>)> = vec![
        ("[server] host", vec![config.server.host.clone(), config.server.port.to_string()]),
        (
            "[server] max_upload_file_bytes",
            vec![config.server.max_upload_file_bytes.to_string(), config.server.max_upload_request_bytes.to_string()],
        ),
        ("[cowork] max_message_bytes", vec![c.max_message_bytes.to_string()]),
        ("[cowork] max_queue", vec![c.max_queue.to_string()]),
        ("[cowork] allow_full_mode", vec![c.allow_full_mode.to_string()]),
        ("[cowork] max_connections", vec![c.max_connections.to_string()]),
        ("[cowork] grace_period_ms", vec![c.grace_period.as_millis().to_string()]),
        ("[uploads] max_workspace_bytes", vec![or_none(u.max_workspace_bytes)]),
        ("[uploads] min_free_bytes", vec![u.min_free_bytes.to_string()]),
        ("[uploads] max_files", vec![u.max_files.to_string()]),
        ("[uploads] keep_partial_hours", vec![(u.keep_partial.as_secs() / 3600).to_string()]),
        ("[cowork] log_max_events", vec![or_none(c.log_max_events)]),
        ("[cowork] log_max_days", vec![or_none(c.log_max_age.map(|age| age.as_secs()))]),
        ("[cowork] idle_minutes", vec![(c.idle_after.as_secs() / 60).to_string()]),
        (
            "[sandbox] mode",
            vec![if config.sandbox.required { "required" } else { "off" }.into(), config.sandbox.network.to_string()],
        ),
        ("[web_fetch] enabled", vec![config.web_fetch.enabled.to_string()]),
        ("[web_fetch] max_bytes", vec![config.web_fetch.max_bytes.to_string(), seconds(config.web_fetch.timeout)]),
        ("[workspace] default_path", vec![below_home(config.default_workspace.as_ref().unwrap())]),
        ("[memory] database_path", vec![below_home(&config.database_path)]),
        ("[execution] model_call_max_attempts", vec![config.retry.max_attempts.to_string()]),
        (
            "[execution] model_call_retry_base_delay_seconds",
            vec![seconds(config.retry.base_delay), seconds(config.retry.max_delay), seconds(config.retry.jitter)],
        ),
        ("[limits.runner] max_model_context_tokens", vec![config.max_model_context_tokens.to_string()]),
        ("[logging] level", vec![config.log_level.clone()]),
        ("[logging] format", vec![format!("{:?}", config.log_format).to_lowercase()]),
    ];
    let text = page("configuration.md");
    let rows = rows(&text);
    for (key, defaults) in &expected {
        let row = rows.iter().find(|(first, _)| codes(first)[0] == *key);
        let (_, cells) = row.unwrap_or_else(|| panic!("{key} has no row"));
        let stated: Vec<String> = cells[0].split(", ").map(plain).collect();
        assert_eq!(stated, *defaults, "{key}");
        assert!(cells[1].len() > 10, "{key} says what it is for");
    }
    // Every row with a default in figures or code was looked at.
    let looked_at: BTreeSet<&str> = expected.iter().map(|(key, _)| *key).collect();
    for (first, cells) in &rows {
        let key = codes(first)[0].clone();
        let is_said = cells.len() == 2 && cells[0] != "–" && !cells[0].contains("folder") && key.starts_with('[');
        assert!(!is_said || looked_at.contains(key.as_str()), "{key}: {cells:?}");
    }
}

#[test]
fn every_error_code_is_on_its_page_with_its_status_and_no_other() {
    let text = page("errors.md");
    let there: BTreeSet<(String, u16)> =
        ErrorCode::ALL.iter().map(|code| (code.as_str().to_owned(), code.status())).collect();
    let mut documented = BTreeSet::new();
    for (first, cells) in rows(&text) {
        let status = |text: &str| text.trim().parse::<u16>().unwrap_or_else(|_| panic!("{first}: {cells:?}"));
        let statuses: Vec<u16> = cells[0].split(',').map(status).collect();
        // One status for all of the row, or one for each.
        let each = codes(&first).into_iter().zip(statuses.iter().cycle().copied());
        documented.extend(each);
        assert!(cells[1].len() > 10, "{first} says what helps");
    }
    assert_eq!(documented, there);
}
