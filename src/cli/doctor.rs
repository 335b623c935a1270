//! `cowork doctor`: looks at what a server needs, and says what is wrong and what helps.

mod proxy;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::Args;
use cowork::{
    access,
    config::{Config, DatabaseChoice, Loaded},
    models,
    sandbox::{Availability, OWN_PROGRAM, Sandbox, Settings},
    store,
};
use rustix::fs::statvfs;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{Place, link, offers};

/// Less, and the next upload may fill the disk.
const LOW_DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// A clock before the day this version was made is wrong.
const FIRST_DAY: Duration = Duration::from_secs(1_780_000_000);
/// A server that starts has its port some time before it tells its address.
const START_PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A model server that is there answers sooner.
const MODEL_PATIENCE: Duration = Duration::from_secs(6);

#[derive(Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    place: Place,
    /// Where people reach the server, to look through its proxy; else the names of `allowed_hosts` with https://.
    #[arg(long, value_name = "URL")]
    through: Vec<String>,
}

/// One thing that was looked at.
enum Finding {
    Fine(String),
    /// The server runs, but something will surprise.
    Odd(String),
    /// The server does not run, or loses something.
    Bad(String),
}
use Finding::{Bad, Fine, Odd};

pub async fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let (Loaded { config, file, warnings }, database) = args.place.load()?;
    let mut findings = vec![Fine(match &file {
        Some(file) => format!("configuration: {}", file.display()),
        None => "configuration: no file, the defaults hold".into(),
    })];
    findings.extend(warnings.into_iter().map(Odd));
    findings.push(port(&config, &database.data_folder()).await);
    findings.push(sessions(&database));
    findings.extend(private(&database.data_folder()));
    findings.push(disk(&database.path));
    findings.push(clock());
    findings.extend(workspace(&config));
    findings.extend(models(&config).await);
    findings.push(sandbox(&config).await);
    findings.push(people(&config, &database.data_folder()));
    findings.extend(metrics(&config).await);
    for address in proxy::addresses(&args.through, &config) {
        findings.push(proxy::look(&address).await);
    }
    let mut healthy = true;
    for finding in &findings {
        match finding {
            Fine(text) => println!("ok    {text}"),
            Odd(text) => println!("look  {text}"),
            Bad(text) => {
                healthy = false;
                println!("WRONG {text}");
            }
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ours may be in use, by ourselves.
async fn port(config: &Config, data: &Path) -> Finding {
    let address = format!("{}:{}", config.server.host, config.server.port);
    if let Some(running) = link::running_server(data).await {
        return Fine(format!("server: runs at {running}"));
    }
    match TcpListener::bind((config.server.host.as_str(), config.server.port)).await {
        Ok(_) => Fine(format!("server: does not run; {address} is free")),
        Err(error) => {
            if let Ok(running) = timeout(START_PATIENCE, told_address(data)).await {
                return Fine(format!("server: runs at {running}"));
            }
            Bad(format!("server: does not run, and can't listen on {address} ({error}). Choose another --port"))
        }
    }
}

/// Comes when a server tells where it is.
async fn told_address(data: &Path) -> String {
    loop {
        if let Some(running) = link::running_server(data).await {
            return running;
        }
        sleep(LOOK_EVERY).await;
    }
}

fn sessions(database: &DatabaseChoice) -> Finding {
    let path = database.path.display();
    if !database.path.exists() {
        return Fine(format!("database: {path} will be made at the first start"));
    }
    match store::look(&database.path) {
        Ok(report) => {
            Fine(format!("database: {path} is whole, {} sessions, {} events", report.sessions, report.events))
        }
        Err(error) => Bad(format!("database: {path}: {error}")),
    }
}

/// The token and the users are their owner's alone.
fn private(data: &Path) -> Vec<Finding> {
    let modes = ["token", "users"].into_iter().filter_map(|name| {
        let file = data.join(name);
        let mode = fs::metadata(&file).ok()?.permissions().mode() & 0o777;
        Some(match mode & 0o077 {
            0 => Fine(format!("secrets: {} is readable for its owner alone", file.display())),
            _ => Bad(format!(
                "secrets: others can read {} (mode {mode:o}). chmod 600 it, then `cowork token --rotate`",
                file.display()
            )),
        })
    });
    modes.collect()
}

fn disk(database: &Path) -> Finding {
    let there = database.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    match statvfs(there) {
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let text = format!("disk: {} MiB free at {}", free / 1024 / 1024, there.display());
            if free < LOW_DISK_BYTES { Odd(format!("{text}; that is little")) } else { Fine(text) }
        }
        Err(error) => Odd(format!("disk: {} can't be looked at ({error})", there.display())),
    }
}

fn clock() -> Finding {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(now) if now > FIRST_DAY => Fine("clock: plausible".into()),
        _ => Odd("clock: it is behind this program's own making. Times in the log will be wrong".into()),
    }
}

fn workspace(config: &Config) -> Option<Finding> {
    let folder = config.default_workspace.as_ref()?;
    Some(if folder.is_dir() {
        Fine(format!("workspace: {}", folder.display()))
    } else {
        Odd(format!(
            "workspace: {} is not there; sessions must name their folder. `mkdir` it, or use --workspace",
            folder.display()
        ))
    })
}

async fn models(config: &Config) -> Vec<Finding> {
    let models = match models::from_config(config) {
        Ok(models) => models,
        Err(error) => return vec![Bad(format!("models: {error}"))],
    };
    if config.models.is_empty() {
        let none = "models: none is configured; the built-in one finds and reads files, and is no language model";
        let offers = models.offers().await;
        return [none.to_owned()].into_iter().chain(offers.iter().map(offers::words)).map(Odd).collect();
    }
    let mut findings = Vec::new();
    for entry in models.iter() {
        findings.push(match timeout(MODEL_PATIENCE, entry.model.health()).await {
            Ok(Ok(())) => Fine(format!("model {}: answers", entry.name)),
            Ok(Err(error)) => Odd(format!("model {}: {error}", entry.name)),
            Err(_) => Odd(format!("model {}: no answer within {} s", entry.name, MODEL_PATIENCE.as_secs())),
        });
    }
    findings
}

async fn sandbox(config: &Config) -> Finding {
    let settings = Settings { unconfined: !config.sandbox.required, ..Settings::default() };
    match Sandbox::new(OWN_PROGRAM, settings).availability().await {
        Availability::Confined => Fine("sandbox: commands run confined".into()),
        Availability::Unconfined => Odd("sandbox: switched off; commands have all rights of the server".into()),
        // Nothing runs unconfined, so nothing is lost either.
        Availability::Unavailable(why) => Odd(format!("sandbox: {why}. The agent runs no commands here")),
    }
}

async fn metrics(config: &Config) -> Option<Finding> {
    let address = config.metrics_listen?;
    Some(match TcpStream::connect(address).await {
        Ok(_) => Fine(format!("metrics: told at http://{address}/metrics")),
        Err(error) => Odd(format!("metrics: nobody tells them at {address} ({error}); the server does when it runs")),
    })
}

fn people(config: &Config, data: &Path) -> Finding {
    match access::is_shared(data, &config.access) {
        Ok(true) => Fine("access: several people can sign in".into()),
        Ok(false) => Fine("access: whoever starts the server, by link or token".into()),
        Err(error) => Bad(format!("access: the users file can't be used ({error}); nobody in it gets in")),
    }
}
