use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use super::*;

/// A file with every section that Loom documents.
const FULL: &str = include_str!("full_loom.toml");

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<(Config, Vec<String>), ConfigError> {
    let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Config::from_toml(text, "loom.toml", &env, Some(Path::new("/home/anna")))
}

fn read(text: &str) -> (Config, Vec<String>) {
    read_with(text, &[]).unwrap()
}

fn warnings(text: &str) -> Vec<String> {
    read(text).1
}

fn error(text: &str) -> String {
    read_with(text, &[]).unwrap_err().to_string()
}

fn key(config: &Config) -> Option<&str> {
    config.models[0].api_key.as_ref().map(ApiKey::reveal)
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let (config, warnings) = read("");
    let expected = Config {
        server: Server {
            host: "127.0.0.1".into(),
            port: 9000,
            max_upload_file_bytes: 52_428_800,
            max_upload_request_bytes: 262_144_000,
        },
        cowork: Cowork {
            workspace_roots: vec!["/home/anna".into(), "/home/anna/projects".into()],
            base_path: String::new(),
            max_message_bytes: 262_144,
            max_queue: 100,
            allow_full_mode: false,
            max_connections: 10_000,
            grace_period: Duration::from_secs(3),
            allowed_hosts: vec![],
            secret_names: vec![],
            log_max_events: None,
            log_max_age: None,
            idle_after: Duration::from_secs(30 * 60),
        },
        access: Access::default(),
        limits: Limits::default(),
        uploads: Uploads {
            max_workspace_bytes: None,
            min_free_bytes: 268_435_456,
            max_files: 10_000,
            keep_partial: Duration::from_secs(24 * 3600),
        },
        models: vec![],
        default_model: BUILT_IN.into(),
        default_workspace: Some("/home/anna/projects".into()),
        retry: Retry {
            max_attempts: 5,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            jitter: Duration::from_millis(250),
        },
        sandbox: Sandbox { required: true, network: false },
        web_fetch: WebFetch { enabled: false, max_bytes: 2 * 1024 * 1024, timeout: Duration::from_secs(30) },
        metrics_listen: None,
        mcp_servers: vec![],
        max_model_context_tokens: 24_000,
        database_path: "/home/anna/.loom/loom.db".into(),
        log_level: "info".into(),
        log_format: LogFormat::Text,
    };
    assert_eq!((config, warnings), (expected, vec![]));
}

#[test]
fn a_full_file_of_loom_loads_without_a_warning() {
    let (config, warnings) = read(FULL);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(config.server.port, 9100);
    assert_eq!(config.default_model, "utility");
    let aliases: Vec<&str> = config.models.iter().map(|model| model.alias.as_str()).collect();
    assert_eq!(aliases, ["primary", "utility"]);
    let primary = &config.models[0];
    assert_eq!(primary.provider, Provider::OpenAiCompatible { base_url: "http://localhost:1234/v1".into() });
    assert_eq!((primary.model.as_str(), primary.max_tokens, primary.temperature), ("qwen", Some(8192), Some(0.1)));
    assert_eq!(primary.capabilities, Capabilities { vision: Some(true), thinking: Some(false), ..Default::default() });
    assert_eq!(config.retry.max_attempts, 10, "Loom clamps 12 to 10");
    assert_eq!(config.retry.max_delay, config.retry.base_delay, "never less than the base delay");
    assert_eq!(config.max_model_context_tokens, 32_000);
    assert_eq!(config.log_level, "warn");
    assert_eq!(config.database_path, PathBuf::from("/srv/loom/loom.db"));
}

#[test]
fn commands_run_confined_unless_the_operator_says_otherwise() {
    let (config, told) = read("[sandbox]\nnetwork = true\n");
    assert_eq!((config.sandbox, told), (Sandbox { required: true, network: true }, vec![]));
    let (config, told) = read("[sandbox]\nmode = \"off\"\n");
    assert!(!config.sandbox.required);
    let warning = "loom.toml line 2: `[sandbox] mode` is off: commands of the agent run with all rights of this server";
    assert_eq!(told, [warning]);
    assert_eq!(
        error("[sandbox]\nmode = \"maybe\"\n"),
        "loom.toml line 2: `[sandbox] mode` must be \"required\" or \"off\""
    );
}

#[test]
fn our_section_goes_before_looms() {
    let (config, warnings) = read(
        "[server]\nhost = \"0.0.0.0\"\nport = 9000\nmax_upload_file_bytes = 10\n\n[cowork]\nport = 9001\n\
         workspace_roots = [\"~/work\", \"/srv/share\", \"~\", \"~x\"]\nallowed_hosts = [\"cowork.example\"]\ngrace_period_ms = 0\n",
    );
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((config.server.host.as_str(), config.server.port), ("0.0.0.0", 9001));
    assert_eq!(config.server.max_upload_file_bytes, 10);
    let roots: Vec<PathBuf> = ["/home/anna/work", "/srv/share", "/home/anna/", "~x"].map(PathBuf::from).into();
    assert_eq!(config.cowork.workspace_roots, roots);
    assert_eq!(config.cowork.allowed_hosts, ["cowork.example"]);
    assert_eq!(config.cowork.grace_period, Duration::ZERO);
}

#[test]
fn a_key_that_nobody_knows_is_named_with_its_line() {
    for (text, warning) in [
        (
            "[server]\nhost = \"::1\"\n\nprot = 1",
            "loom.toml line 4: `[server] prot` is not a key that Cowork or Loom knows; did you mean `port`?",
        ),
        (
            "[srever]\nport = 1",
            "loom.toml line 1: `[srever]` is not a section that Cowork or Loom knows; did you mean `[server]`?",
        ),
        ("zzz = 1", "loom.toml line 1: `zzz` is not a section that Cowork or Loom knows"),
        ("[cowork]\nzzz = 1", "loom.toml line 2: `[cowork] zzz` is not a key that Cowork or Loom knows"),
        (
            "[execution]\nmodel_call_max_attemps = 3",
            "loom.toml line 2: `[execution] model_call_max_attemps` is not a key that Cowork or Loom knows; did you mean `model_call_max_attempts`?",
        ),
        (
            "[limits.runner]\nmax_model_context_token = 3",
            "loom.toml line 2: `[limits.runner] max_model_context_token` is not a key that Cowork or Loom knows; did you mean `max_model_context_tokens`?",
        ),
        (
            "[models.a]\nprovider = \"built_in\"\ntempreature = 1",
            "loom.toml line 3: `[models.a] tempreature` is not a key that Cowork or Loom knows; did you mean `temperature`?",
        ),
        (
            "[models.a]\nprovider = \"built_in\"\ncapabilities.visoin = true",
            "loom.toml line 3: `[models.a.capabilities] visoin` is not a key that Cowork or Loom knows; did you mean `vision`?",
        ),
    ] {
        assert_eq!(warnings(text), [warning]);
    }
}

#[test]
fn a_wrong_value_is_an_error_with_line_and_key() {
    for (text, expected) in [
        (
            "# a comment\n\n[server]\nport = \"abc\"",
            "loom.toml line 4: `[server] port` must be a whole number from 1 to 65535, not \"abc\"",
        ),
        ("[server]\nport = 0", "loom.toml line 2: `[server] port` must be a whole number from 1 to 65535, not 0"),
        (
            "[server]\nport = 65536",
            "loom.toml line 2: `[server] port` must be a whole number from 1 to 65535, not 65536",
        ),
        ("[server]\nport = -1", "loom.toml line 2: `[server] port` must be a whole number from 1 to 65535, not -1"),
        ("[server]\nhost = 1", "loom.toml line 2: `[server] host` must be text in quotes, not 1"),
        (
            "[cowork]\nworkspace_roots = \"~\"",
            "loom.toml line 2: `[cowork] workspace_roots` must be a list of texts, such as [\"one\", \"two\"], not \"~\"",
        ),
        ("server = 3", "loom.toml line 1: `[server]` must be a section"),
        (
            "[models.a]\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"localhost:1234\"",
            "loom.toml line 4: `[models.a] base_url` must be an address that starts with http:// or https://",
        ),
        (
            "[models.a]\nprovider = \"openai\"\nmodel = \"m\"\ncapabilities.vision = 1",
            "loom.toml line 4: `[models.a.capabilities] vision` must be true or false, not 1",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
    assert!(error("[server]\nport = \n").starts_with("loom.toml line 2: not valid TOML: "));
    assert!(error("[server]\nport = 1\n[server]\n").starts_with("loom.toml line 3: not valid TOML: "));
}

#[test]
fn a_key_of_the_wrong_type_is_not_shown() {
    let error = error("[models.a]\nprovider = \"openai\"\nmodel = \"m\"\napi_key = 8412093");
    assert_eq!(error, "loom.toml line 4: `[models.a] api_key` must be text in quotes, not something else");
}

#[test]
fn models_that_cannot_be_used_are_left_out_with_a_warning() {
    let (config, warnings) = read(
        "[models.local]\nprovider = \"ollama\"\n[models.claude]\nprovider = \"anthropic\"\n\
         [models.a]\nmodel = \"m\"\n[models.b]\nprovider = \"openai_compatible\"\nmodel = \"m\"\n\
         [models.c]\nprovider = \"openai\"\n[models.d]\nprovider = \"azure\"\n",
    );
    assert_eq!(config.models, []);
    assert_eq!(config.default_model, BUILT_IN);
    let expected = [
        "loom.toml line 1: `[models.local]` names no `model`, so the model is left out",
        "loom.toml line 3: `[models.claude]` names no `model`, so the model is left out",
        "loom.toml line 5: `[models.a]` names no `provider`, so the model is left out",
        "loom.toml line 7: `[models.b]` has no `base_url`, so the model is left out",
        "loom.toml line 10: `[models.c]` names no `model`, so the model is left out",
        "loom.toml line 12: `[models.d]` has a provider that is not known, `azure`, so the model is left out",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn each_provider_has_its_usual_address_unless_another_is_given() {
    let read = |provider: &str, more: &str| {
        let (config, warnings) = read(&format!("[models.a]\nprovider = \"{provider}\"\nmodel = \"m\"\n{more}"));
        assert_eq!(warnings, Vec::<String>::new());
        let provider = &config.models[0].provider;
        (provider.name(), provider.base_url().unwrap().to_owned())
    };
    let base = "base_url = \"http://h:1/x/\"";
    for (provider, usual) in [
        ("openai", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com"),
        ("ollama", "http://127.0.0.1:11434"),
    ] {
        let name = if provider == "openai" { "openai_compatible" } else { provider };
        assert_eq!(read(provider, ""), (name, usual.to_owned()));
        assert_eq!(read(provider, base), (name, "http://h:1/x".to_owned()));
    }
    assert_eq!(read("openai_compatible", base), ("openai_compatible", "http://h:1/x".to_owned()));
}

#[test]
fn the_usual_key_of_a_provider_goes_to_its_own_address_alone() {
    let keys = [("OPENAI_API_KEY", "openai"), ("ANTHROPIC_API_KEY", "anthropic")];
    for (model, expected) in [
        ("provider = \"anthropic\"", Some("anthropic")),
        ("provider = \"anthropic\"\nbase_url = \"http://127.0.0.1:8080\"", None),
        ("provider = \"anthropic\"\napi_key = \"file\"", Some("file")),
        ("provider = \"openai\"", Some("openai")),
        ("provider = \"openai\"\nbase_url = \"https://api.anthropic.com/v1\"", Some("anthropic")),
        ("provider = \"ollama\"", None),
        ("provider = \"ollama\"\napi_key_env = \"OPENAI_API_KEY\"", Some("openai")),
    ] {
        let (config, warnings) = read_with(&format!("[models.a]\nmodel = \"m\"\n{model}"), &keys).unwrap();
        assert_eq!((key(&config), warnings.len()), (expected, 0), "{model}");
    }
}

#[test]
fn the_default_model_is_the_executor_of_the_lowest_tier_then_the_first() {
    let model = |alias: &str, more: &str| format!("[models.{alias}]\nprovider = \"openai\"\nmodel = \"m\"\n{more}\n");
    for (text, expected) in [
        (model("z", "tier = 2") + &model("b", "tier = 1") + &model("a", "tier = 1"), "b"),
        (model("z", "roles = [\"planner\"]") + &model("a", "tier = 9"), "a"),
        (model("z", "roles = [\"planner\"]") + &model("a", "roles = []"), "z"),
        (String::new(), BUILT_IN),
    ] {
        assert_eq!(read(&text).0.default_model, expected, "{text}");
    }
}

#[test]
fn keys_come_from_the_environment_before_the_file() {
    let model = |more: &str| format!("[models.my-gpt]\nprovider = \"openai\"\nmodel = \"m\"\n{more}\n");
    let openai = ("OPENAI_API_KEY", "general");
    let own = ("COWORK_API_KEY_MY_GPT", "own");
    let named = ("TEAM_KEY", "named");
    for (more, variables, expected) in [
        ("", &[][..], None),
        ("", &[openai], Some("general")),
        ("base_url = \"https://api.openai.com/v1/\"", &[openai], Some("general")),
        ("base_url = \"https://api.openai.com.evil.example/v1\"", &[openai], None),
        ("base_url = \"http://localhost:1/v1\"", &[openai], None),
        ("api_key = \"file\"", &[openai], Some("file")),
        ("api_key = \"file\"", &[openai, own], Some("own")),
        ("api_key = \"file\"\napi_key_env = \"TEAM_KEY\"", &[openai, own, named], Some("named")),
        ("api_key = \"\"", &[("COWORK_API_KEY_MY_GPT", " ")], None),
    ] {
        let (config, warnings) = read_with(&model(more), variables).unwrap();
        assert_eq!((key(&config), warnings.len()), (expected, 0), "{more} {variables:?}");
    }
    let (config, warnings) = read_with(&model("api_key_env = \"TEAM_KEY\""), &[]).unwrap();
    assert_eq!(key(&config), None);
    assert_eq!(
        warnings,
        [
            "loom.toml line 4: `[models.my-gpt] api_key_env` names TEAM_KEY, which is not set, so the model is called without a key"
        ]
    );
}

#[test]
fn a_key_is_never_printed() {
    let (config, _) = read("[models.a]\nprovider = \"openai\"\nmodel = \"m\"\napi_key = \"sk-secret\"");
    let printed = format!("{config:?}");
    assert!(printed.contains("[redacted]") && !printed.contains("sk-secret"), "{printed}");
}

#[test]
fn without_a_home_folder_only_paths_that_need_one_fail() {
    let read = |text| Config::from_toml(text, "loom.toml", &|_| None, None);
    let error = read("").unwrap_err().to_string();
    assert_eq!(
        error,
        "There is no home folder (HOME is not set), so `~/.loom/loom.db` of [memory] database_path is nowhere. \
         Set HOME, or write the full path in loom.toml."
    );
    let (config, _) = read("[memory]\ndatabase_path = \"/d/loom.db\"").unwrap();
    assert_eq!((config.default_workspace, config.cowork.workspace_roots), (None, vec![]));
}

#[test]
fn the_first_file_that_is_there_is_read_and_nothing_is_merged() {
    let place = TempDir::new().unwrap();
    let (current, home) = (place.path().join("current"), place.path().join("home"));
    fs::create_dir_all(&current).unwrap();
    fs::create_dir_all(home.join(".loom")).unwrap();
    let load = |source| Config::load_from(source, &current, Some(&home), &|_| None);
    assert_eq!(load(ConfigSource::Lookup).unwrap().file, None);

    fs::write(home.join(".loom/loom.toml"), "[server]\nport = 1\nhost = \"home\"").unwrap();
    let loaded = load(ConfigSource::Lookup).unwrap();
    assert_eq!((loaded.config.server.port, loaded.file), (1, Some(home.join(".loom/loom.toml"))));

    fs::write(current.join("loom.toml"), "[server]\nport = 2").unwrap();
    let loaded = load(ConfigSource::Lookup).unwrap();
    assert_eq!((loaded.config.server.port, loaded.config.server.host.as_str()), (2, "127.0.0.1"));

    let given = place.path().join("given.toml");
    fs::write(&given, "[server]\nport = 3").unwrap();
    assert_eq!(load(ConfigSource::Given(given)).unwrap().config.server.port, 3);

    let gone = place.path().join("gone.toml");
    let error = load(ConfigSource::Given(gone.clone())).unwrap_err().to_string();
    assert!(error.starts_with(&format!("The configuration file {} can't be read: ", gone.display())), "{error}");
}

#[test]
fn mcp_servers_are_read_as_loom_writes_them() {
    let text = r#"
[mcp.servers.files]
type = "local"
command = "npx"
args = ["-y", "@modelcontextprotocol/server-filesystem", "/srv"]
cwd = ""
timeout_seconds = 500
enabled = true
[mcp.servers.files.env]
TOKEN = "${FILES_TOKEN}"
LEVEL = "debug"
MISSING = "${NOT_SET}"
[mcp.servers.far]
type = "remote"
url = "https://mcp.example.org/mcp"
trust_read_only = true
[mcp.servers.far.headers]
Authorization = "Bearer secret"
[mcp.servers.far.oauth]
enabled = false
scopes = []
[mcp.servers.off]
command = "x"
enabled = false
"#;
    let (config, told) = read_with(text, &[("FILES_TOKEN", "s3cret")]).unwrap();
    let [files, far] = config.mcp_servers.as_slice() else { panic!("{:?}", config.mcp_servers) };
    assert_eq!((files.alias.as_str(), files.timeout), ("files", Duration::from_secs(120)));
    let McpLink::Program { command, args, env, cwd } = &files.link else { panic!("{files:?}") };
    assert_eq!((command.as_str(), args.len(), cwd), ("npx", 3, &None));
    let values: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
    assert_eq!(values, [("TOKEN", "s3cret"), ("LEVEL", "debug")]);
    assert_eq!(
        told,
        ["loom.toml line 12: `[mcp.servers.files.env] MISSING` names the variable NOT_SET, which is not set"]
    );
    assert!(far.trust_read_only && !files.trust_read_only && far.timeout == Duration::from_secs(30));
    let printed = format!("{config:?}");
    assert!(!printed.contains("s3cret") && !printed.contains("Bearer"), "{printed}");
}

#[test]
fn mcp_servers_that_cannot_work_are_left_out_with_a_warning() {
    for (text, why) in [
        ("[mcp.servers.a]\n", "has no `command`"),
        ("[mcp.servers.\"a b\"]\ncommand = \"x\"\n", "letters, digits, - and _"),
        ("[mcp.servers.a]\ntype = \"remote\"\n", "has no `url`"),
        ("[mcp.servers.a]\ntype = \"remote\"\nurl = \"http://x.example\"\n", "allow_insecure_http"),
        ("[mcp.servers.a]\ntype = \"remote\"\nurl = \"https://u:p@x.example\"\n", "name or password"),
        ("[mcp.servers.a]\ntype = \"remote\"\nurl = \"ws://x.example\"\n", "neither https nor http"),
    ] {
        let (config, told) = read(text);
        assert!(config.mcp_servers.is_empty() && told.len() == 1 && told[0].contains(why), "{text}: {told:?}");
    }
    let fault = error("[mcp.servers.a]\ncommand = \"x\"\n[mcp.servers.a.env]\nTOKEN = 12345\n");
    assert!(!fault.contains("12345"), "{fault}");
    assert!(warnings("[mcp.servers.a]\ncommand = \"x\"\ncomand = \"y\"\n")[0].contains("did you mean `command`"));
}

#[test]
fn web_fetch_is_off_unless_it_is_turned_on() {
    let (config, told) = read("[web_fetch]\nenabled = true\nmax_bytes = 1000\ntimeout_seconds = 5\n");
    let expected = WebFetch { enabled: true, max_bytes: 1000, timeout: Duration::from_secs(5) };
    assert_eq!((config.web_fetch, told), (expected, vec![]));
    assert!(error("[web_fetch]\nmax_bytes = 0\n").contains("a whole number from 1"));
}

#[test]
fn the_log_is_text_unless_the_environment_or_the_file_say_json() {
    let format = |text: &str, env: &[(&str, &str)]| read_with(text, env).map(|(config, _)| config.log_format);
    let json = "[logging]\nformat = \"json\"";
    assert_eq!(format("", &[]).unwrap(), LogFormat::Text);
    assert_eq!(format(json, &[]).unwrap(), LogFormat::Json);
    assert_eq!(format(json, &[("COWORK_LOG_FORMAT", "text")]).unwrap(), LogFormat::Text);
    assert_eq!(format("", &[("COWORK_LOG_FORMAT", "JSON")]).unwrap(), LogFormat::Json);
    let wrong = format("", &[("COWORK_LOG_FORMAT", "xml")]).unwrap_err().to_string();
    assert_eq!(wrong, "The environment variable COWORK_LOG_FORMAT must be \"text\" or \"json\".");
    assert_eq!(
        error("[logging]\nformat = \"xml\""),
        "loom.toml line 2: `[logging] format` must be \"text\" or \"json\""
    );
}

#[test]
fn metrics_are_told_where_the_file_says_and_by_a_port_alone_to_this_machine() {
    let listen = |text: &str| read(&format!("[metrics]\nlisten = \"{text}\"")).0.metrics_listen.unwrap().to_string();
    assert_eq!(listen("127.0.0.1:9464"), "127.0.0.1:9464");
    assert_eq!(listen("[::]:9464"), "[::]:9464");
    assert_eq!((listen("9464"), listen(":9464")), ("127.0.0.1:9464".to_owned(), "127.0.0.1:9464".to_owned()));
    for wrong in ["nowhere", "127.0.0.1", "99999"] {
        let told = error(&format!("[metrics]\nlisten = \"{wrong}\""));
        assert!(told.starts_with("loom.toml line 2: `[metrics] listen` must be an address and a port"), "{told}");
    }
}
