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
    access::{self, Access},
    agent::{Agent, AgentParts, Allowance, Allowed, Limits, RetryPolicy, feed::Feeds, ports::clock::SystemClock},
    config::{BUILT_IN, Config, DatabaseChoice, Loaded, lookup_places},
    documents,
    log_commands::{self, Wanted},
    metrics::Metrics,
    models,
    protocol::{BasePath, UploadLimits},
    redaction::Redaction,
    sandbox::{self, OWN_PROGRAM, Sandbox, Settings},
    state::{AppParts, AppState, Site, Timing},
    store::{LogPolicy, Retention, SqliteStore},
    telemetry, tools,
    web::{self, Patience, ServeOptions},
    workspace::{RecordedChanges, close_own, roots::Roots},
};
use leptos::config::{LeptosOptions, get_config_from_str};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

mod cli;

use cli::{Place, backup, demo, doctor, export, import, link, offers, stop, token, user};

/// Each of the last waits after the turns have ended; with the grace period of 3 s the whole end stays below 5 s.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Connections that ask for metrics at once: a few servers, each with a second try.
const SCRAPERS: usize = 16;

/// Work with an agent on a folder of files, in the browser.
#[derive(Parser)]
// An option before a command would belong to neither.
#[command(version, args_conflicts_with_subcommands = true)]
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
    /// Print the token that scripts sign in with.
    Token(token::TokenArgs),
    /// Print a link that signs one browser in, once, within a minute.
    Link(link::LinkArgs),
    /// Who may sign in with a password, or as a service.
    User(user::UserArgs),
    /// Copy the sessions into a file, also while the server runs, and check the copy.
    Backup(backup::BackupArgs),
    /// Write a session, or all of them, as lines of JSON that `import` reads.
    Export(export::ExportArgs),
    /// Take in sessions that `export` wrote; without a file, move those of cowork.db into Loom's file.
    Import(import::ImportArgs),
    /// Make a folder with sample files to try things on.
    Demo(demo::DemoArgs),
    /// Look at everything that a server needs, and say what helps.
    Doctor(doctor::DoctorArgs),
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
        place: Place,
    },
    /// Check that nobody has changed, exchanged or removed events. Exit code 1 where somebody has.
    Verify {
        /// The end of a session's chain, as the process log told it; must stand in the log. May be given more than once.
        #[arg(long)]
        head: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Runs a program for the server, confined.
    #[command(hide = true)]
    Sandbox { stage: sandbox::Stage },
    /// Reads a document for the server, in little memory and time.
    #[command(hide = true)]
    Document,
}

#[derive(Args, Clone, Default)]
struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Address to listen on; one that others reach needs a way for them to sign in.
    #[arg(long)]
    host: Option<String>,
    #[arg(long)]
    port: Option<u16>,
    /// Where the server begins below its host's name, such as /cowork, if a proxy has other things beside it.
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// The folder that sessions work in, and the only place where they may.
    #[arg(long)]
    workspace: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let args = match cli.command {
        // Before there is a second thread.
        Some(Command::Sandbox { stage }) => return Ok(sandbox::launch(stage)),
        Some(Command::Token(args)) => return token::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::User(args)) => return user::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Backup(args)) => return backup::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Export(args)) => return export::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Import(args)) => return import::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Demo(args)) => return demo::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Doctor(args)) => return runtime()?.block_on(doctor::run(&args)),
        Some(Command::Link(args)) => return runtime()?.block_on(link::run(&args)).map(|()| ExitCode::SUCCESS),
        Some(Command::Logs { session, types, after, json, place }) => {
            let wanted = Wanted { session, after, types, json };
            log_commands::print(&place.load()?.1.path, &wanted, &mut stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Verify { head, place }) => {
            let whole = log_commands::verify(&place.load()?.1.path, &head, &mut stdout().lock())?;
            return Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(Command::Document) => return Ok(documents::serve()),
        Some(Command::Serve(args)) => args,
        None => cli.serve,
    };
    let runtime = runtime()?;
    let ended = runtime.block_on(serve(args));
    // A look-up of a dead name or disk may hang in a thread of its own; it keeps nobody from leaving.
    runtime.shutdown_timeout(LAST_WAIT);
    ended.map(|()| ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let (Loaded { config, file, warnings }, database) = args.place.load()?;
    let redaction = Arc::new(redaction(&config));
    let (level, sending) = telemetry::start(&config.log_level, config.log_format, redaction.clone());
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    web::raise_file_limit();

    let base = base_path(&args, &config)?;
    let shared = access::is_shared(&database.data_folder(), &config.access)?;
    let (listener, address) = listen(&args, &config, shared).await?;
    let roots = Arc::new(roots(&args, &config)?);
    let feeds = Arc::new(Feeds::default());
    let metrics = Arc::new(Metrics::new(feeds.clone()));
    let policy = LogPolicy { redaction: redaction.clone(), retention: retention(&config) };
    let store = SqliteStore::open_with_policy(&database.path, metrics.clone(), Arc::new(SystemClock), policy)?;
    let store = Arc::new(store);
    let own = own_files(&config, file.as_deref(), &database);
    close_own(&own);
    let sandbox = sandbox(&config, own, address);
    let own_tools = tools::from_config(&config, Arc::new(sandbox)).map_err(anyhow::Error::msg)?;
    let tools = Arc::new(tools::McpTools::start(own_tools, &config.mcp_servers));
    tools.ready().await;
    metrics.know_tools(tools.clone());
    let allowance = Arc::new(Allowance::new(allowed(&config), Arc::new(SystemClock)));
    let agent = Agent::new(AgentParts {
        store: store.clone(),
        feeds,
        models: models::from_config(&config)?,
        tools: tools.clone(),
        workspaces: roots.clone(),
        data: database.data_folder(),
        changes: Arc::new(RecordedChanges),
        clock: Arc::new(SystemClock),
        redaction: redaction.clone(),
        limits: limits(&config),
        allowance,
    });
    let access = Arc::new(Access::open(&database.data_folder(), config.access.clone())?);
    redaction.learn(access.token());
    agent.recover().await?;

    let (stopping, sockets) = (CancellationToken::new(), TaskTracker::new());
    let told = web::public_config(&config, file.as_deref(), &database.path, address, &roots);
    let site = Arc::new(site(&config, &database, address, base.clone(), told));
    let state = AppState::from(AppParts {
        agent: agent.clone(),
        leptos: leptos_options(&base)?,
        site: site.clone(),
        access: access.clone(),
        presence: Arc::default(),
        metrics: metrics.clone(),
        documents: documents::Reader::new(OWN_PROGRAM),
        stopping: stopping.clone(),
        sockets: sockets.clone(),
    });
    let options = serve_options(&config);

    tell_metrics(&config, metrics, agent.clone(), stopping.clone().cancelled_owned()).await?;
    link::tell_address(&database.data_folder(), address, &base)?;
    announce(&address, &base, &database);
    tokio::spawn(tell_offers(agent.clone()));
    tokio::spawn(access.clone().keep_current());
    tokio::spawn(learn_tokens(access.clone(), redaction));
    tokio::spawn(offer_links(access.clone(), address, base));
    let reloaded = Reloaded { level, agent: agent.clone(), access, site };
    tokio::spawn(reload_on_hangup(args.place, reloaded));
    let grace = config.cowork.grace_period;
    let store_failure = store.failure();
    web::serve(listener, web::router(state), options, async move {
        stop::reason(store_failure).await;
        stop::exit_on_second_signal();
        // Turns end and are recorded first, then the sockets say so and close.
        if timeout(grace, agent.shut_down(grace / 2)).await.is_err() {
            tracing::warn!("some turns did not end in time; the next start marks them as interrupted");
        }
        stopping.cancel();
        sockets.close();
        let _ = timeout(LAST_WAIT, async { tokio::join!(sockets.wait(), tools.shut_down()) }).await;
    })
    .await;
    let closed = close(&store, &database).await;
    sending.finish();
    closed
}

/// An error where the store had to give up before.
async fn close(store: &SqliteStore, database: &DatabaseChoice) -> anyhow::Result<()> {
    store.close().await?;
    anyhow::ensure!(
        !store.has_failed(),
        "Cowork stopped because {} can't be written any more; the lines above say why. What was acknowledged before is \
         kept. Look at the disk, then start Cowork again.",
        database.path.display()
    );
    Ok(())
}

async fn tell_offers(agent: Agent) {
    offers::tell(&agent.model_offers().await);
}

fn serve_options(config: &Config) -> ServeOptions {
    let connections = config.cowork.max_connections as usize;
    ServeOptions { connections, vanished: web::VANISHED, patience: Patience::default(), grace: LAST_WAIT }
}

fn base_path(args: &ServeArgs, config: &Config) -> anyhow::Result<BasePath> {
    let text = args.base_path.as_ref().unwrap_or(&config.cowork.base_path);
    BasePath::parse(text).with_context(|| {
        format!(
            "`{text}` can't be where Cowork begins. --base-path, or `base_path` in `[cowork]`, is a path such as /cowork, of \
             letters, digits, `-`, `_`, `.` and `~`."
        )
    })
}

async fn listen(
    args: &ServeArgs,
    config: &Config,
    shared: bool,
) -> anyhow::Result<(TcpListener, std::net::SocketAddr)> {
    let host = args.host.as_deref().unwrap_or(&config.server.host);
    let port = args.port.unwrap_or(config.server.port);
    let name = host.trim_matches(['[', ']']);
    let mut addresses = tokio::net::lookup_host((name, port))
        .await
        .with_context(|| format!("`--host {host}` is no address of this machine"))?;
    let address = addresses.next().with_context(|| format!("`--host {host}` is no address of this machine"))?;
    anyhow::ensure!(
        address.ip().is_loopback() || shared,
        "Cowork does not listen on {host}: others reach that address, and nobody but you could sign in. Name the people \
         first: `cowork user add NAME`, or `proxy_header` and `proxies` in `[cowork.access]`. Or use --host 127.0.0.1, and \
         an SSH tunnel to reach it from another machine."
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

/// What nobody reaches through a session: the configuration, also where there is none yet, the database, what is kept
/// beside it, and who may come in.
fn own_files(config: &Config, file: Option<&Path>, database: &DatabaseChoice) -> Vec<PathBuf> {
    let read = file.map(Path::to_path_buf).into_iter().chain(lookup_places());
    let own = read.chain(database.files()).chain(config.access.users_file.clone());
    own.filter_map(|path| std::path::absolute(path).ok()).collect()
}

/// Commands run confined; the server's own files and port are closed to them.
fn sandbox(config: &Config, hidden: Vec<PathBuf>, address: std::net::SocketAddr) -> Sandbox {
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

fn allowed(config: &Config) -> Allowed {
    let limits = config.limits;
    Allowed {
        sessions: limits.sessions_per_person,
        running: limits.running_turns,
        running_of_person: limits.running_turns_per_person,
        sockets: limits.sockets_per_person,
        requests_per_minute: limits.requests_per_minute,
        tokens_per_day: limits.tokens_per_day,
        free_bytes: limits.min_free_bytes,
    }
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
fn leptos_options(base: &BasePath) -> anyhow::Result<LeptosOptions> {
    let mut options = get_config_from_str(include_str!("../Leptos.toml"))?;
    // Leptos puts the slash before it.
    options.site_pkg_dir = base.at(&format!("/pkg/{}", web::build_id())).trim_start_matches('/').into();
    Ok(options)
}

fn announce(address: &std::net::SocketAddr, base: &BasePath, database: &DatabaseChoice) {
    if let Some(note) = &database.note {
        tracing::warn!("{note}");
    }
    tracing::info!(database = %database.path.display(), "sessions are kept");
    println!("Cowork is ready: http://{address}{}", base.as_str());
}

fn site(
    config: &Config,
    database: &DatabaseChoice,
    address: std::net::SocketAddr,
    base: BasePath,
    told: serde_json::Value,
) -> Site {
    Site {
        origins: web::own_origins(address, &config.cowork.allowed_hosts),
        base,
        port: address.port(),
        notice: database.note.clone(),
        built_in_only: config.default_model == BUILT_IN,
        public_config: told.into(),
        timing: Timing::default(),
        uploads: upload_limits(config),
    }
}

/// What takes a new configuration over while it runs.
struct Reloaded {
    level: telemetry::Level,
    agent: Agent,
    access: Arc<Access>,
    site: Arc<Site>,
}

impl Reloaded {
    fn take(&self, Loaded { config, file, warnings }: Loaded, database: &DatabaseChoice) {
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        self.level.set(&config.log_level);
        self.agent.allowance().set(allowed(&config));
        self.access.set(config.access.clone());
        let nowhere = ([0, 0, 0, 0], 0).into();
        let told = web::public_config(&config, file.as_deref(), &database.path, nowhere, &Roots::new([], None));
        self.site.renew_config(&told, &["limits", "logging"]);
        tracing::info!(
            "the configuration was read again: level of the log, limits and who may sign in hold from now on"
        );
    }
}

/// A file that can't be read changes nothing.
async fn reload_on_hangup(place: Place, reloaded: Reloaded) {
    let Ok(mut asked) = signal(SignalKind::hangup()) else { return };
    while asked.recv().await.is_some() {
        match place.load() {
            Ok((loaded, database)) => reloaded.take(loaded, &database),
            Err(error) => tracing::error!("the configuration was not read again, the one before stays: {error:#}"),
        }
    }
}

/// Where the operator wants them told, and to no one else.
async fn tell_metrics(
    config: &Config,
    metrics: Arc<Metrics>,
    agent: Agent,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let Some(address) = config.metrics_listen else { return Ok(()) };
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("Cowork can't tell its metrics on {address}. Choose another `listen` in `[metrics]`")
    })?;
    tracing::info!(address = %listener.local_addr()?, "metrics are told");
    let (connections, patience) = (SCRAPERS, Patience::default());
    let options = ServeOptions { connections, vanished: web::VANISHED, patience, grace: Duration::ZERO };
    tokio::spawn(web::serve(listener, web::metrics_router(metrics, agent), options, stop));
    Ok(())
}

/// The token may be replaced while we run.
async fn learn_tokens(access: Arc<Access>, redaction: Arc<Redaction>) {
    let mut changes = access.changes();
    while changes.changed().await.is_ok() {
        redaction.learn(access.token());
    }
}

/// A link at the start, where one person has the server alone, and another one for each SIGUSR1.
async fn offer_links(access: Arc<Access>, address: std::net::SocketAddr, base: BasePath) {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else { return };
    let mut wanted = !access.is_shared();
    loop {
        if wanted {
            match access.new_link() {
                Ok(path) => println!("Sign in, once, within a minute: http://{address}{}", base.at(&path)),
                Err(error) => tracing::error!(%error, "no link could be made"),
            }
        }
        if asked.recv().await.is_none() {
            return;
        }
        wanted = true;
    }
}
