//! The product in this process, joined as `main.rs` joins it: real store, tools, agent, router and sockets.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cowork::{
    access::{self, Access},
    agent::{
        Agent, AgentParts, Allowance, Allowed, Limits, RetryPolicy,
        feed::Feeds,
        ports::{
            clock::{Clock, SystemClock},
            tool::Tool,
        },
    },
    config::{Config, McpServer},
    documents::Reader,
    metrics::Metrics,
    models,
    protocol::{BasePath, UploadLimits},
    redaction::Redaction,
    sandbox::{Sandbox, Settings},
    state::{AppParts, AppState, Site, Timing},
    store::{LogPolicy, Retention, SqliteStore},
    tools,
    web::{self, Patience, ServeOptions},
    workspace::{RecordedChanges, roots::Roots},
};
use leptos::config::{LeptosOptions, get_config_from_str};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{Handle, RuntimeFlavor},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    host::launcher,
    http::{Answer, Api},
    model::{Script, ScriptedModel, Wire},
    socket::Socket,
    soon,
};

/// Sessions of the tests leave memory after this long, by the test's clock.
pub const IDLE_AFTER: Duration = Duration::from_secs(30 * 60);

/// How a server differs from the usual one.
pub struct Setup {
    pub timing: Timing,
    pub uploads: UploadLimits,
    pub message_bytes: usize,
    pub queued_messages: usize,
    pub allowed: Allowed,
    pub connections: usize,
    /// How long a peer may acknowledge nothing.
    pub vanished: Duration,
    pub patience: Patience,
    pub attempts: u32,
    pub api_key: Option<&'static str>,
    /// How the scripted model speaks.
    pub wire: Wire,
    /// Window of the scripted model.
    pub context_tokens: u64,
    pub retention: Retention,
    pub clock: Arc<dyn Clock>,
    /// Whether the scripted model takes pictures.
    pub vision: bool,
    /// Beside the usual ones.
    pub more_tools: Vec<Arc<dyn Tool>>,
    pub mcp: Vec<McpServer>,
    /// Puts something where the database will be.
    pub database: fn(&Path, &Path),
    /// `[cowork.access]`.
    pub access: cowork::config::Access,
    /// Puts people into the data folder.
    pub people: fn(&Path),
    /// Where the server begins.
    pub base: BasePath,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            uploads: UploadLimits {
                file_bytes: 1_000_000,
                request_bytes: 4_000_000,
                files: 10_000,
                workspace_bytes: None,
                free_bytes: 0,
                keep_partial: Duration::from_secs(3600),
            },
            message_bytes: 262_144,
            queued_messages: 100,
            allowed: Allowed::default(),
            connections: 1000,
            vanished: web::VANISHED,
            patience: Patience::default(),
            attempts: 3,
            api_key: None,
            wire: Wire::OpenAi,
            context_tokens: 100_000,
            retention: Retention::default(),
            clock: Arc::new(SystemClock),
            vision: false,
            more_tools: Vec::new(),
            mcp: Vec::new(),
            database: |_, _| {},
            access: cowork::config::Access::default(),
            people: |_| {},
            base: BasePath::default(),
        }
    }
}

pub struct Server {
    pub api: Api,
    pub address: SocketAddr,
    pub model: ScriptedModel,
    /// The folder of sessions that name none.
    pub workspace: PathBuf,
    pub database: PathBuf,
    /// Where token and users stand.
    pub data: PathBuf,
    pub access: Arc<Access>,
    pub agent: Agent,
    /// The pattern of every address.
    pub addresses: Vec<String>,
    pub toolbox: Arc<tools::McpTools>,
    stopping: CancellationToken,
    served: Option<JoinHandle<()>>,
    /// The look at token and users, which would make a token where there is none any more.
    looking: JoinHandle<()>,
    // Dropped last: the folder of all of the above.
    _folder: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    pub async fn playing(scripts: impl IntoIterator<Item = Script>) -> Self {
        let server = Self::start().await;
        server.model.play(scripts);
        server
    }

    /// The lines of a request that say where it goes and who sends it.
    pub fn signed_head(&self) -> String {
        self.api.signed_head()
    }

    pub async fn socket(&self, session: &str, query: &str) -> Socket {
        Socket::open(&self.api, session, query).await
    }

    pub async fn try_socket(
        &self,
        session: &str,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Answer> {
        Socket::try_open(&self.api, session, query, headers).await
    }

    /// A new session in the usual folder.
    pub async fn session(&self) -> String {
        self.api.create(json!({})).await
    }

    /// Sends a message and waits for the end of its turn; the frames of that time.
    pub async fn turn(&self, session: &str, message: &str) -> Vec<Value> {
        let mut socket = self.socket(session, "").await;
        socket.wait("synced").await;
        let sent = self.api.send(session, message).await;
        socket.wait_for(|frame| frame["type"] == "message_accepted" && frame["message_id"] == sent["message_id"]).await;
        wait_for_end(&mut socket).await;
        socket.cut()
    }

    /// Waits until turn `turn` has ended.
    pub async fn ended(&self, session: &str, turn: u64) -> Value {
        let mut socket = self.socket(session, "cursor=0").await;
        socket.wait_for(|frame| is_end(frame) && frame["turn"] == turn).await
    }

    pub fn write_file(&self, name: &str, text: &str) {
        write_file(&self.workspace, name, text);
    }

    /// The server ends as it does on SIGTERM.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        let served = self.served.take().unwrap();
        soon("the end of the server", served).await.unwrap();
        self.model.check();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.looking.abort();
        // Where there are no other threads it is not at work now, and never will be again.
        if Handle::try_current().is_ok_and(|here| here.runtime_flavor() == RuntimeFlavor::MultiThread) {
            while !self.looking.is_finished() {
                std::thread::yield_now();
            }
        }
        if !std::thread::panicking() {
            self.model.check();
        }
    }
}

pub fn is_end(frame: &Value) -> bool {
    matches!(frame["type"].as_str(), Some("turn_completed" | "turn_interrupted"))
}

/// Reads on until a turn has ended and its row is there.
pub async fn wait_for_end(socket: &mut Socket) -> Value {
    let end = socket.wait_for(is_end).await;
    socket.wait_for(|frame| frame["type"] == "log_event" && frame["seq"] == end["seq"]).await;
    end
}

pub fn write_file(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Setup {
    pub async fn start(self) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let workspace = root.join("work");
        std::fs::create_dir(&workspace).unwrap();
        let database = root.join("data").join("cowork.db");
        std::fs::create_dir(root.join("data")).unwrap();
        (self.database)(&database, &workspace);
        let data = root.join("data").join("cowork.db.files");
        (self.people)(&data);

        let model = ScriptedModel::start().await;
        let config = config(&model.base_url, &self);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let feeds = Arc::new(Feeds::default());
        let metrics = Arc::new(Metrics::new(feeds.clone()));
        let redaction = Arc::new(Redaction::new(self.api_key.map(Into::into), &[]));
        let policy = LogPolicy { redaction: redaction.clone(), retention: self.retention };
        let store = SqliteStore::open_with_policy(&database, metrics.clone(), self.clock.clone(), policy);
        let store = Arc::new(store.unwrap());
        let roots = Roots::new([workspace.clone()], Some(workspace.clone()));
        let own =
            tools::all_tools(Arc::new(Sandbox::new(launcher(), Settings::default()))).with(self.more_tools.clone());
        let toolbox = Arc::new(tools::McpTools::start(own, &self.mcp));
        toolbox.ready().await;
        metrics.know_tools(toolbox.clone());
        let agent = Agent::new(AgentParts {
            store: store.clone(),
            feeds,
            models: models::from_config(&config).unwrap(),
            tools: toolbox.clone(),
            workspaces: Arc::new(roots.clone()),
            data: data.clone(),
            changes: Arc::new(RecordedChanges),
            clock: self.clock.clone(),
            redaction: redaction.clone(),
            limits: self.limits(),
            allowance: Arc::new(Allowance::new(self.allowed, self.clock.clone())),
        });
        agent.recover().await.unwrap();
        let stopping = CancellationToken::new();
        let told = web::public_config(&config, None, &database, address, &roots);
        let site = Arc::new(self.site(address, told));
        let access = Arc::new(Access::open(&data, self.access.clone()).unwrap());
        redaction.learn(access.token());
        let looking = tokio::spawn(access.clone().keep_current());
        let state = AppState::from(AppParts {
            agent: agent.clone(),
            leptos: self.leptos(),
            site,
            access: access.clone(),
            presence: Arc::default(),
            metrics,
            documents: Reader::new(launcher()),
            stopping: CancellationToken::new(),
            sockets: TaskTracker::new(),
        });
        let addresses = web::addresses();
        let served = serve(listener, self.serve_options(), state, store, stopping.clone());
        Server {
            api: Api::new(address, &access::token(&data).unwrap()).below(self.base.as_str()),
            address,
            model,
            workspace,
            database,
            data,
            access,
            agent,
            addresses,
            toolbox,
            stopping,
            served: Some(served),
            looking,
            _folder: folder,
        }
    }

    fn site(&self, address: SocketAddr, told: Value) -> Site {
        Site {
            origins: web::own_origins(address, &["cowork.example:443".into(), "https://tls.example".into()]),
            base: self.base.clone(),
            port: address.port(),
            notice: None,
            built_in_only: false,
            public_config: told.into(),
            timing: self.timing,
            uploads: self.uploads,
        }
    }

    fn leptos(&self) -> LeptosOptions {
        let mut leptos = get_config_from_str(include_str!("../../../Leptos.toml")).unwrap();
        let package = self.base.at(&format!("/pkg/{}", web::build_id()));
        leptos.site_pkg_dir = package.trim_start_matches('/').into();
        leptos
    }

    fn serve_options(&self) -> ServeOptions {
        let grace = Duration::from_secs(3);
        ServeOptions { connections: self.connections, vanished: self.vanished, patience: self.patience, grace }
    }

    fn limits(&self) -> Limits {
        let wait = Duration::from_millis(1);
        let retry = RetryPolicy { attempts: self.attempts, base: wait, max: wait, jitter: wait };
        let (message_bytes, queued_messages) = (self.message_bytes, self.queued_messages);
        Limits { message_bytes, queued_messages, full_mode: false, idle_after: IDLE_AFTER, retry }
    }
}

/// Listens until the token is cancelled, then ends as the program does: turns, sockets, connections, store.
fn serve(
    listener: TcpListener,
    options: ServeOptions,
    state: AppState,
    store: Arc<SqliteStore>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let (agent, stopping, sockets) = (state.agent.clone(), state.stopping.clone(), state.sockets.clone());
    tokio::spawn(async move {
        web::serve(listener, web::router(state), options, async move {
            stop.cancelled().await;
            agent.shut_down(Duration::ZERO).await;
            stopping.cancel();
            sockets.close();
            sockets.wait().await;
        })
        .await;
        store.close().await.unwrap();
    })
}

/// The real configuration, read from text as any other.
fn config(base_url: &str, setup: &Setup) -> Config {
    let (context_tokens, vision, provider) = (setup.context_tokens, setup.vision, setup.wire.provider());
    let key = setup.api_key.map(|key| format!("api_key = \"{key}\"\n")).unwrap_or_default();
    let text = format!(
        "[models.scripted]\nprovider = \"{provider}\"\nbase_url = \"{base_url}\"\nmodel = \"scripted-1\"\n\
         context_tokens = {context_tokens}\n{key}[models.scripted.capabilities]\nvision = {vision}\n"
    );
    Config::from_toml(&text, "loom.toml", &|_| None, Some(Path::new("/nowhere"))).unwrap().0
}
