//! Where programs of the agent run: in a file tree of their own, without network and rights, for as long as somebody
//! wants them. What is promised, and by what it is kept, stands in `docs/sandbox.md`.
//!
//! The server starts this program a second time as the launcher, which confines itself before it becomes the
//! command. Whether that works here is tried out once, never guessed.

mod environment;
#[cfg(target_os = "linux")]
mod launcher;
mod orders;
mod output;
mod run;
mod toolchains;
mod view;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

#[cfg(target_os = "linux")]
pub use launcher::launch;
pub use orders::{SUBCOMMAND, Stage};

/// Elsewhere there is no launcher, and no server asks for one.
#[cfg(not(target_os = "linux"))]
pub fn launch(_stage: Stage) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}

/// Where nothing else is said. Longer than most builds of a single folder.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(120);
/// The longest that a command may be given.
pub const LONGEST_TIME_LIMIT: Duration = Duration::from_secs(3600);
/// The program that runs, wherever its file has gone meanwhile.
pub const OWN_PROGRAM: &str = "/proc/self/exe";

/// How long the trial may take. Only a machine that is out of order needs longer.
const TRIAL_TIME_LIMIT: Duration = Duration::from_secs(20);

/// Runs programs. Cheap to share; each run is on its own.
#[derive(Debug)]
pub struct Sandbox {
    launcher: PathBuf,
    settings: Settings,
    works: OnceCell<()>,
}

/// What the operator chose, and what is the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Programs run without confinement: as the server itself, but for keys in the environment.
    pub unconfined: bool,
    /// Programs may use the network.
    pub network: bool,
    /// The server's own files: configuration, database, data folder. Closed to programs, wherever they are.
    pub hidden: Vec<PathBuf>,
    /// The server's own port, which is closed to programs too: from there they could approve their own calls.
    pub port: Option<u16>,
}

/// Whether programs can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    Confined,
    /// As the operator chose.
    Unconfined,
    /// Why not, and what helps.
    Unavailable(String),
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// Where it runs, and all that it may change. Canonical.
    pub workspace: &'a Path,
    /// The program and its arguments; the program is looked for on PATH.
    pub argv: Vec<String>,
    /// Added to its environment.
    pub variables: Vec<(String, String)>,
    /// Name and text of files in its private home folder. An unconfined program has the person's own.
    pub home_files: Vec<(String, String)>,
    /// Whether it may change the workspace.
    pub writes: bool,
    /// Whether it gets the network, where the operator allows it.
    pub network: bool,
    pub time_limit: Duration,
}

/// A program that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub how: End,
    /// What it wrote to its standard output and error, in the order of writing; of a long one the beginning and the
    /// end, with a note between them.
    pub output: String,
    /// Files that would have made Git or Cowork itself run programs later; they were removed or put back.
    pub removed: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By the number of the signal.
    Killed(i32),
    TimeUp,
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// Why nothing can be run here, and what helps.
    #[error("{0}")]
    Unavailable(String),
    /// Why this program can't be run.
    #[error("{0}")]
    NotStarted(String),
    /// Its supervisor ended without a word.
    #[error("what ran the program was killed, perhaps because the machine ran out of memory")]
    Lost,
}

impl Sandbox {
    /// `launcher` is a Cowork program of this version: [`OWN_PROGRAM`], or where a test has it.
    pub fn new(launcher: impl Into<PathBuf>, settings: Settings) -> Self {
        Self { launcher: launcher.into(), settings, works: OnceCell::new() }
    }

    /// The Cowork program that starts others.
    pub fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// Whether programs can get a network.
    pub fn network(&self) -> bool {
        self.settings.network
    }

    /// Runs a program that does nothing, unless that has worked before.
    pub async fn availability(&self) -> Availability {
        match self.works.get_or_try_init(|| self.try_out()).await {
            Err(SandboxError::Unavailable(reason)) => Availability::Unavailable(reason),
            Err(error) => Availability::Unavailable(error.to_string()),
            Ok(()) if self.settings.unconfined => Availability::Unconfined,
            Ok(()) => Availability::Confined,
        }
    }

    /// Runs a program to its end, its time limit or `cancel`, and gives all that it started no longer than that.
    /// Dropping the future ends it too. `live` gets the text as it comes.
    pub async fn run(
        &self,
        job: &Job<'_>,
        cancel: &CancellationToken,
        live: &(dyn Fn(&str) + Sync),
    ) -> Result<Ended, SandboxError> {
        self.works.get_or_try_init(|| self.try_out()).await?;
        run::run(&self.launcher, &self.settings, job, cancel, live).await
    }

    async fn try_out(&self) -> Result<(), SandboxError> {
        let unavailable = |reason: &str| SandboxError::Unavailable(reason.to_owned());
        if !cfg!(target_os = "linux") {
            return Err(unavailable("programs are run on Linux only"));
        }
        let job = Job {
            // A folder that every machine has.
            workspace: Path::new("/usr/bin"),
            argv: ["/bin/sh", "-c", "exit 0"].map(String::from).into(),
            variables: Vec::new(),
            home_files: Vec::new(),
            writes: false,
            network: self.settings.network,
            time_limit: TRIAL_TIME_LIMIT,
        };
        let tried = run::run(&self.launcher, &self.settings, &job, &CancellationToken::new(), &|_| ()).await?;
        match tried.how {
            End::Exited(0) => Ok(()),
            how => Err(unavailable(&format!("a program that does nothing ended with {how:?}: {}", tried.output))),
        }
    }
}
