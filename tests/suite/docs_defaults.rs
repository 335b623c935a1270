//! The defaults in the tables of configuration.md against those of the program. Each type is taken apart whole here,
//! so that a new field of it is missing here before it is missing on the page.

use std::{path::Path, time::Duration};

use cowork::config::{
    Access, Capabilities, Config, Cowork, Limits, McpLink, McpServer, ModelConfig, Provider, Retry, Sandbox, Server,
    Uploads, WebFetch,
};

use crate::docs_reference::{codes, page, rows};

const HOME: &str = "/home/anna";
const NONE: &str = "–";

/// What the row whose first key is this should say.
type Row = (&'static str, Vec<String>);

fn read(text: &str) -> Config {
    let (config, warnings) = Config::from_toml(text, "loom.toml", &|_| None, Some(Path::new(HOME))).unwrap();
    assert_eq!(warnings, Vec::<String>::new(), "{text}");
    config
}

fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

fn number(value: Option<u64>) -> Vec<String> {
    one(value.map_or_else(|| NONE.to_owned(), |value| value.to_string()))
}

/// A setting that is nothing until somebody writes it; `otherwise` is how the page says so.
fn nothing(is_nothing: bool, otherwise: &str) -> Vec<String> {
    one(if is_nothing { otherwise } else { "something" })
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

fn below_home(path: &Path) -> String {
    format!("~/{}", path.strip_prefix(HOME).unwrap().display())
}

/// What the end of a key says of its value stands in the page's column, too.
#[track_caller]
fn has_unit(key: &str, stated: &str) {
    const ENDS: [(&str, &str); 8] = [
        ("_bytes", "bytes"),
        ("_seconds", "seconds"),
        ("_ms", "milliseconds"),
        ("_minutes", "minutes"),
        ("_hours", "hours"),
        ("_days", "days"),
        ("_tokens", "tokens"),
        ("_events", "events"),
    ];
    let units: Vec<&str> = stated.split(", ").collect();
    assert!(!stated.is_empty() && stated != NONE, "{key} has a unit");
    for (_, unit) in ENDS.iter().filter(|(end, _)| key.ends_with(end)) {
        assert!(units.contains(unit), "{key} is in {unit}: {stated}");
    }
}

/// The rows of the table that stands under this heading, all of them, say this.
#[track_caller]
fn compare(heading: &str, expected: Vec<Row>) {
    let text = page("configuration.md");
    let part = text.split("\n## ").find(|part| part.trim_start_matches("# ").starts_with(heading)).unwrap();
    let stated: Vec<(String, Vec<String>)> = rows(part)
        .into_iter()
        .filter(|(first, _)| !first.contains("] …"))
        .map(|(first, cells)| {
            assert!(
                cells.len() == 3 && cells[2].len() > 10,
                "{first} has a default, a unit, and says what it is for: {cells:?}"
            );
            codes(&first).iter().for_each(|key| has_unit(key, &cells[1]));
            let defaults = cells[0].split(", ").map(|default| default.replace('`', "")).collect();
            (codes(&first)[0].clone(), defaults)
        })
        .collect();
    let mut expected: Vec<_> = expected.into_iter().map(|(key, values)| (key.to_owned(), values)).collect();
    for (key, values) in &expected {
        let row = stated.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("{key} has no row"));
        assert_eq!(row.1, *values, "{key}");
    }
    let place = |key: &str| stated.iter().position(|(known, _)| known == key);
    expected.sort_by_key(|(key, _)| place(key));
    assert_eq!(stated, expected, "every row is looked at");
}

#[test]
fn defaults_of_the_sections_that_all_need() {
    let mut expected = of_server_and_models_in_general();
    expected.extend(of_our_own_section());
    expected.extend(of_what_is_uploaded_and_run());
    compare("Configuration", expected);
}

fn of_server_and_models_in_general() -> Vec<Row> {
    let config = read("");
    let Server { host, port, max_upload_file_bytes, max_upload_request_bytes } = &config.server;
    let Retry { max_attempts, base_delay, max_delay, jitter } = config.retry;
    let format = format!("{:?}", config.log_format).to_lowercase();
    vec![
        ("[server] host", vec![host.clone(), port.to_string()]),
        (
            "[server] max_upload_file_bytes",
            vec![max_upload_file_bytes.to_string(), max_upload_request_bytes.to_string()],
        ),
        ("[workspace] default_path", one(below_home(config.default_workspace.as_ref().unwrap()))),
        ("[memory] database_path", one(below_home(&config.database_path))),
        ("[execution] model_call_max_attempts", one(max_attempts)),
        (
            "[execution] model_call_retry_base_delay_seconds",
            vec![seconds(base_delay), seconds(max_delay), seconds(jitter)],
        ),
        ("[limits.runner] max_model_context_tokens", one(config.max_model_context_tokens)),
        ("[metrics] listen", nothing(config.metrics_listen.is_none(), NONE)),
        ("[logging] level", one(&config.log_level)),
        ("[logging] format", one(format)),
    ]
}

fn of_our_own_section() -> Vec<Row> {
    let config = read("");
    let Cowork {
        workspace_roots,
        base_path,
        max_message_bytes,
        max_queue,
        allow_full_mode,
        max_connections,
        grace_period,
        allowed_hosts,
        secret_names,
        log_max_events,
        log_max_age,
        idle_after,
    } = &config.cowork;
    let root = |root: &std::path::PathBuf| match root {
        root if root == Path::new(HOME) => "the home folder".to_owned(),
        root if Some(root) == config.default_workspace.as_ref() => "default_path".to_owned(),
        root => root.display().to_string(),
    };
    // Without an address of its own it has that of `[server]`.
    let moved = read("[server]\nhost = \"::1\"\nport = 1\n[cowork]\n").server;
    vec![
        ("[cowork] host", nothing((moved.host.as_str(), moved.port) == ("::1", 1), NONE)),
        ("[cowork] base_path", nothing(base_path.is_empty(), NONE)),
        ("[cowork] workspace_roots", workspace_roots.iter().map(root).collect()),
        ("[cowork] allowed_hosts", nothing(allowed_hosts.is_empty(), NONE)),
        ("[cowork] max_message_bytes", one(max_message_bytes)),
        ("[cowork] max_queue", one(max_queue)),
        ("[cowork] allow_full_mode", one(allow_full_mode)),
        ("[cowork] max_connections", one(max_connections)),
        ("[cowork] grace_period_ms", one(grace_period.as_millis())),
        ("[cowork] secret_names", nothing(secret_names.is_empty(), NONE)),
        ("[cowork] log_max_events", number(*log_max_events)),
        ("[cowork] log_max_days", number(log_max_age.map(|age| age.as_secs()))),
        ("[cowork] idle_minutes", one(idle_after.as_secs() / 60)),
    ]
}

fn of_what_is_uploaded_and_run() -> Vec<Row> {
    let config = read("");
    let Uploads { max_workspace_bytes, min_free_bytes, max_files, keep_partial } = config.uploads;
    let Sandbox { required, network } = config.sandbox;
    let WebFetch { enabled, max_bytes, timeout } = config.web_fetch;
    vec![
        ("[uploads] max_workspace_bytes", number(max_workspace_bytes)),
        ("[uploads] min_free_bytes", one(min_free_bytes)),
        ("[uploads] max_files", one(max_files)),
        ("[uploads] keep_partial_hours", one(keep_partial.as_secs() / 3600)),
        ("[sandbox] mode", vec![if required { "required" } else { "off" }.into(), network.to_string()]),
        ("[web_fetch] enabled", one(enabled)),
        ("[web_fetch] max_bytes", vec![max_bytes.to_string(), seconds(timeout)]),
    ]
}

#[test]
fn defaults_of_access() {
    let settings = read("").access;
    let users = cowork::access::users_file(Path::new("/data"), &settings);
    let Access { proxy, users_file: _, people, networks } = settings;
    let users = users.strip_prefix("/data").unwrap().display().to_string();
    compare(
        "Access",
        vec![
            ("proxy_header", nothing(proxy.is_none(), NONE)),
            ("proxies", nothing(proxy.is_none(), NONE)),
            ("users_file", one(format!("{users} in the data folder"))),
            ("people", nothing(people.is_empty(), "everybody")),
            ("networks", nothing(networks.is_empty(), "all")),
        ],
    );
}

#[test]
fn defaults_of_limits() {
    let Limits {
        sessions_per_person,
        running_turns,
        running_turns_per_person,
        sockets_per_person,
        requests_per_minute,
        tokens_per_day,
        min_free_bytes,
    } = read("").limits;
    compare(
        "Limits",
        vec![
            ("sessions_per_person", number(sessions_per_person)),
            ("running_turns", number(running_turns)),
            ("running_turns_per_person", number(running_turns_per_person)),
            ("sockets_per_person", number(sockets_per_person)),
            ("requests_per_minute", number(requests_per_minute)),
            ("tokens_per_day", number(tokens_per_day)),
            ("min_free_bytes", one(min_free_bytes)),
        ],
    );
}

/// The model of a section that has only what it must have.
fn model(provider: &str, more: &str) -> ModelConfig {
    let text = format!("[models.a]\nprovider = \"{provider}\"\nmodel = \"m\"\n{more}");
    read(&text).models.pop().unwrap()
}

#[test]
fn defaults_of_a_model() {
    let ModelConfig {
        alias: _,
        provider: _,
        model: _,
        max_tokens,
        temperature,
        roles,
        api_key,
        reasoning_effort,
        tier,
        capabilities: Capabilities { vision, native_pdf: _, thinking: _, citations: _, audio_input: _, audio_output: _ },
        context_tokens,
    } = model("openai_compatible", "base_url = \"http://127.0.0.1:8000/v1\"\n");
    let is_left_out = |text: &str| {
        let told = Config::from_toml(text, "loom.toml", &|_| None, Some(Path::new(HOME))).unwrap();
        told.0.models.is_empty() && told.1.iter().any(|warning| warning.contains("so the model is left out"))
    };
    compare(
        "Models",
        vec![
            ("provider", nothing(is_left_out("[models.a]\nmodel = \"m\""), NONE)),
            ("base_url", one("the provider's")),
            ("model", nothing(is_left_out("[models.a]\nprovider = \"ollama\""), NONE)),
            ("api_key_env", nothing(api_key.is_none(), NONE)),
            ("max_tokens", number(max_tokens.map(u64::from))),
            ("temperature", nothing(temperature.is_none(), NONE)),
            ("reasoning_effort", nothing(reasoning_effort.is_none(), NONE)),
            ("capabilities.vision", nothing(vision.is_none(), NONE)),
            ("api_key", nothing(api_key.is_none(), NONE)),
            ("roles", vec![roles.join(" and "), tier.to_string()]),
            ("context_tokens", number(context_tokens)),
        ],
    );
    // The row of the address names the providers' own.
    let text = page("configuration.md");
    let (_, cells) = rows(&text).into_iter().find(|(first, _)| first == "`base_url`").unwrap();
    for provider in ["anthropic", "ollama", "openai"] {
        let (Provider::Anthropic { base_url }
        | Provider::Ollama { base_url }
        | Provider::OpenAiCompatible { base_url }) = model(provider, "").provider
        else {
            panic!("{provider} has no address");
        };
        assert!(cells[2].contains(&format!("`{provider}`: `{base_url}` unless given")), "{provider}: {}", cells[2]);
    }
    assert!(is_left_out("[models.a]\nprovider = \"openai_compatible\"\nmodel = \"m\""), "it must name its address");
}

#[test]
fn defaults_of_an_mcp_server() {
    // `type` is not written, and neither is `enabled`.
    let servers = read("[mcp.servers.a]\ncommand = \"server\"\n").mcp_servers;
    let [McpServer { alias: _, link: McpLink::Program { command: _, args, env, cwd }, timeout, trust_read_only }] =
        servers.as_slice()
    else {
        panic!("{servers:?}");
    };
    let remote = |url: &str| format!("[mcp.servers.a]\ntype = \"remote\"\nurl = \"{url}\"\n");
    let servers = read(&remote("https://mcp.example")).mcp_servers;
    let [McpServer { link: McpLink::Address { url: _, headers, private }, .. }] = servers.as_slice() else {
        panic!("{servers:?}");
    };
    let is_left_out = |text: &str| {
        Config::from_toml(text, "loom.toml", &|_| None, Some(Path::new(HOME))).unwrap().0.mcp_servers.is_empty()
    };
    let insecure = !is_left_out(&remote("http://mcp.example"));
    let needs = |what: &str| is_left_out(&format!("[mcp.servers.a]\ntype = \"{what}\"\n"));
    compare(
        "MCP servers",
        vec![
            ("type", one("local")),
            ("command", nothing(needs("local") && args.is_empty() && env.is_empty() && cwd.is_none(), NONE)),
            ("url", nothing(needs("remote") && headers.is_empty(), NONE)),
            ("allow_insecure_http", vec![insecure.to_string(), private.to_string()]),
            ("timeout_seconds", one(timeout.as_secs())),
            ("trust_read_only", one(trust_read_only)),
            ("enabled", one(true)),
        ],
    );
}
