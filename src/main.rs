//! The composition root: configuration, store, models, tools, agent, web, in this order. No logic of its own.

use std::{
    io::stdout,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use cowork::{
    agent::{
        Agent, AgentParts, Limits, RetryPolicy,
        feed::Feeds,
        ports::{clock::SystemClock, store::Publish},
    },
    config::{BUILT_IN, Config, ConfigError, ConfigSource, DatabaseChoice, Loaded, database_file},
    documents,
    log_commands::{self, Wanted},
    models,
    protocol::UploadLimits,
    redaction::Redaction,
    sandbox::{self, OWN_PROGRAM, Sandbox, Settings},
    state::{AppState, Site, Timing},
    store::{LogPolicy, Retention, SqliteStore, holds_sessions},
    telemetry, tools,
    web::{self, ServeOptions},
    workspace::{RecordedChanges, roots::Roots},
};
use leptos::config::{LeptosOptions, get_config_from_str};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Each of the last waits after the turns have ended; with the grace period of 3 s the whole end stays below 5 s.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Work with an agent on a folder of files, in the browser.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the page and the API. The default.
    Serve(ServeArgs),
    /// Print the event log of a session.
    Logs {
        /// The session's id, as in its address.
        session: String,
        /// Only these types, divided by commas.
        #[arg(long, value_delimiter = ',')]
        types: Vec<String>,
        /// Only events behind this seq.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: DatabaseArgs,
    },
    /// Check that nobody has changed, exchanged or removed events. Exit code 1 where somebody has.
    Verify {
        /// The end of a session's chain, as the process log told it; must stand in the log. May be given more than once.
        #[arg(long)]
        head: Vec<String>,
        #[command(flatten)]
        place: DatabaseArgs,
    },
    /// Runs a program for the server, confined.
    #[command(hide = true)]
    Sandbox { stage: sandbox::Stage },
    /// Reads a document for the server, in little memory and time.
    #[command(hide = true)]
    Document,
}

/// Which database is read.
#[derive(Args)]
struct DatabaseArgs {
    /// Configuration file; else ./loom.toml, ~/.loom/loom.toml, or the defaults.
    #[arg(long)]
    config: Option<PathBuf>,
    /// SQLite file of the sessions; else the one that the server would use.
    #[arg(long)]
    database: Option<PathBuf>,
}

#[derive(Args, Clone, Default)]
struct ServeArgs {
    /// Configuration file; else ./loom.toml, ~/.loom/loom.toml, or the defaults.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address to listen on; only this machine's own until access control exists.
    #[arg(long)]
    host: Option<String>,
    #[arg(long)]
    port: Option<u16>,
    /// The folder that sessions work in, and the only place where they may.
    #[arg(long)]
    workspace: Option<PathBuf>,
    /// SQLite file for the sessions; made if missing.
    #[arg(long)]
    database: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let args = match cli.command {
        // Before there is a second thread.
        Some(Command::Sandbox { stage }) => return Ok(sandbox::launch(stage)),
        Some(Command::Logs { session, types, after, json, place }) => {
            let wanted = Wanted { session, after, types, json };
            log_commands::print(&place.file()?, &wanted, &mut stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Verify { head, place }) => {
            let whole = log_commands::verify(&place.file()?, &head, &mut stdout().lock())?;
            return Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Command::Document) => return Ok(documents::serve()),
        Some(Command::Serve(args)) => args,
        None => cli.serve,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(args));
    // A look-up of a dead name or disk may hang in a thread of its own; it keeps nobody from leaving.
    runtime.shutdown_timeout(LAST_WAIT);
    ended.map(|()| ExitCode::SUCCESS)
}

impl DatabaseArgs {
    fn file(&self) -> anyhow::Result<PathBuf> {
        let Loaded { config, .. } = load(self.config.clone())?;
        Ok(choose(self.database.as_deref(), &config).path)
    }
}

fn load(file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
    Config::load(file.map_or(ConfigSource::Lookup, ConfigSource::Given))
}

fn choose(database: Option<&Path>, config: &Config) -> DatabaseChoice {
    database_file(database, &config.database_path, holds_sessions, |path| path.exists())
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let Loaded { config, file, warnings } = load(args.config.clone())?;
    let redaction = Arc::new(redaction(&config));
    telemetry::start(&config.log_level, redaction.clone());
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    web::raise_file_limit();

    let (listener, address) = listen(&args, &config).await?;
    let database = choose(args.database.as_deref(), &config);
    let roots = Arc::new(roots(&args, &config)?);
    let feeds = Arc::new(Feeds::default());
    let publish: Arc<dyn Publish> = feeds.clone();
    let policy = LogPolicy { redaction: redaction.clone(), retention: retention(&config) };
    let store = SqliteStore::open_with_policy(&database.path, publish, Arc::new(SystemClock), policy)?;
    let store = Arc::new(store);
    let sandbox = sandbox(&config, file.as_deref(), &database, address);
    let own_tools = tools::from_config(&config, Arc::new(sandbox)).map_err(anyhow::Error::msg)?;
    let tools = Arc::new(tools::McpTools::start(own_tools, &config.mcp_servers));
    tools.ready().await;
    let agent = Agent::new(AgentParts {
        store: store.clone(),
        feeds,
        models: models::from_config(&config)?,
        tools: tools.clone(),
        workspaces: roots.clone(),
        data: database.data_folder(),
        changes: Arc::new(RecordedChanges),
        clock: Arc::new(SystemClock),
        redaction,
        limits: limits(&config),
    });
    agent.recover().await?;

    let (stopping, sockets) = (CancellationToken::new(), TaskTracker::new());
    let site = Site {
        hosts: web::allowed_hosts(address, &config.cowork.allowed_hosts),
        notice: database.note.clone(),
        built_in_only: config.default_model == BUILT_IN,
        public_config: web::public_config(&config, file.as_deref(), &database.path, address, &roots),
        timing: Timing::default(),
        uploads: upload_limits(&config),
    };
    let state = AppState {
        agent: agent.clone(),
        leptos: leptos_options()?,
        site: Arc::new(site),
        stopping: stopping.clone(),
        sockets: sockets.clone(),
    };
    let options = ServeOptions { connections: config.cowork.max_connections as usize, grace: LAST_WAIT };

    announce(&address, &database);
    let grace = config.cowork.grace_period;
    web::serve(listener, web::router(state), options, async move {
        stop_signal().await;
        exit_on_second_signal();
        // Turns end and are recorded first, then the sockets say so and close.
        if timeout(grace, agent.shut_down()).await.is_err() {
            tracing::warn!("some turns did not end in time; the next start marks them as interrupted");
        }
        stopping.cancel();
        sockets.close();
        let _ = timeout(LAST_WAIT, async { tokio::join!(sockets.wait(), tools.shut_down()) }).await;
    })
    .await;
    store.close().await?;
    Ok(())
}

async fn listen(args: &ServeArgs, config: &Config) -> anyhow::Result<(TcpListener, std::net::SocketAddr)> {
    let host = args.host.as_deref().unwrap_or(&config.server.host);
    let port = args.port.unwrap_or(config.server.port);
    let name = host.trim_matches(['[', ']']);
    let mut addresses = tokio::net::lookup_host((name, port))
        .await
        .with_context(|| format!("`--host {host}` is no address of this machine"))?;
    let address = addresses.next().with_context(|| format!("`--host {host}` is no address of this machine"))?;
    anyhow::ensure!(
        address.ip().is_loopback(),
        "Cowork does not listen on {host}: it has no access control yet, so everyone who reaches it could read the workspace. \
         Use --host 127.0.0.1, and an SSH tunnel to reach it from another machine."
    );
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("Cowork can't listen on {address}. Another program may use the port; choose one with --port")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn roots(args: &ServeArgs, config: &Config) -> anyhow::Result<Roots> {
    let roots = match &args.workspace {
        Some(folder) => {
            let folder = folder
                .canonicalize()
                .with_context(|| format!("The folder {} of --workspace can't be opened", folder.display()))?;
            anyhow::ensure!(folder.is_dir(), "{} of --workspace is not a folder", folder.display());
            return Ok(Roots::new([folder.clone()], Some(folder)));
        }
        None => config.cowork.workspace_roots.clone(),
    };
    Ok(Roots::new(roots, config.default_workspace.clone()).guard_home(std::env::home_dir()))
}

/// Commands run confined; the server's own files and port are closed to them.
fn sandbox(config: &Config, file: Option<&Path>, database: &DatabaseChoice, address: std::net::SocketAddr) -> Sandbox {
    let own = file.map(Path::to_path_buf).into_iter().chain(database.files());
    let hidden = own.filter_map(|path| std::path::absolute(path).ok()).collect();
    let unconfined = !config.sandbox.required;
    let settings = Settings { unconfined, network: config.sandbox.network, hidden, port: Some(address.port()) };
    Sandbox::new(OWN_PROGRAM, settings)
}

fn upload_limits(config: &Config) -> UploadLimits {
    UploadLimits {
        file_bytes: config.server.max_upload_file_bytes,
        request_bytes: config.server.max_upload_request_bytes,
        files: config.uploads.max_files,
        workspace_bytes: config.uploads.max_workspace_bytes,
        free_bytes: config.uploads.min_free_bytes,
        keep_partial: config.uploads.keep_partial,
    }
}

/// Keys of the configuration, and what the environment's names say is one.
fn redaction(config: &Config) -> Redaction {
    let keys = config.models.iter().filter_map(|model| model.api_key.as_ref());
    let keys = keys.map(|key| key.reveal().to_owned());
    // A variable that is no text can't be found in one.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Redaction::with_environment(keys, &config.cowork.secret_names, environment)
}

fn retention(config: &Config) -> Retention {
    Retention { events: config.cowork.log_max_events, age: config.cowork.log_max_age }
}

fn limits(config: &Config) -> Limits {
    let retry = config.retry;
    Limits {
        message_bytes: usize::try_from(config.cowork.max_message_bytes).unwrap_or(usize::MAX),
        queued_messages: config.cowork.max_queue as usize,
        full_mode: config.cowork.allow_full_mode,
        idle_after: config.cowork.idle_after,
        retry: RetryPolicy {
            attempts: retry.max_attempts,
            base: retry.base_delay,
            max: retry.max_delay,
            jitter: retry.jitter,
        },
    }
}

/// The options of `Leptos.toml`, which is inside the binary. The page's files get an address that changes with them.
fn leptos_options() -> anyhow::Result<LeptosOptions> {
    let mut options = get_config_from_str(include_str!("../Leptos.toml"))?;
    options.site_pkg_dir = format!("pkg/{}", web::build_id()).into();
    Ok(options)
}

fn announce(address: &std::net::SocketAddr, database: &DatabaseChoice) {
    if let Some(note) = &database.note {
        tracing::warn!("{note}");
    }
    tracing::info!(database = %database.path.display(), "sessions are kept");
    println!("Cowork is ready: http://{address}");
}

async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
}

/// One who asks twice does not want to wait.
fn exit_on_second_signal() {
    tokio::spawn(async {
        stop_signal().await;
        std::process::exit(130);
    });
}
