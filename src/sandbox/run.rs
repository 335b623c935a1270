//! The server's side of a run: starts the launcher, reads what comes, and sees to the end.

use std::{fs, io, os::fd::OwnedFd, path::Path, pin::pin, process::Stdio, time::Duration};

use rustix::process::geteuid;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf, pipe::Receiver},
    },
    process::{Child, Command},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    End, Ended, Job, SandboxError, Settings,
    environment::{environment, own},
    orders::{Confinement, Orders, PRIVATE_FOLDER, PRIVATE_HOME, Report, SUBCOMMAND, Stage, View},
    output::{Decoder, Kept, Live},
    view::{Surroundings, view},
};

/// What is read at once, in bytes: a pipe holds four of these.
const PIECE_BYTES: usize = 16 * 1024;
/// How long all that was told to end may take: a person who stops something waits no longer than a second.
const GRACE: Duration = Duration::from_millis(700);
/// TCP ports of a program that has a network: SSH, names, the web and Git. Those of services on this machine are
/// others, as a rule.
const PORTS: &[u16] = &[22, 53, 80, 443, 9418];

pub async fn run(
    launcher: &Path,
    settings: &Settings,
    job: &Job<'_>,
    cancel: &CancellationToken,
    live: &(dyn Fn(&str) + Sync),
) -> Result<Ended, SandboxError> {
    let surroundings = surroundings(settings, job);
    let view = match settings.unconfined {
        true => Ok(View::default()),
        false => spawn_blocking(move || view(&surroundings)).await.map_err(|_| SandboxError::Lost)?,
    };
    let orders = orders(settings, job, view.map_err(SandboxError::NotStarted)?);
    let started = Running::start(launcher, stage(settings, job), &orders).await;
    let running =
        started.map_err(|error| SandboxError::Unavailable(format!("the launcher can't be started: {error}")))?;
    running.follow(job.time_limit, cancel, live).await
}

fn stage(settings: &Settings, job: &Job<'_>) -> Stage {
    match (settings.unconfined, settings.network && job.network) {
        (true, _) => Stage::Open,
        (false, true) => Stage::Online,
        (false, false) => Stage::Offline,
    }
}

fn surroundings(settings: &Settings, job: &Job<'_>) -> Surroundings {
    Surroundings {
        workspace: job.workspace.into(),
        home: std::env::home_dir().filter(|home| home.is_absolute()),
        path: environment(own()).remove("PATH").unwrap_or_default(),
        hidden: settings.hidden.clone(),
        network: settings.network && job.network,
        is_root: geteuid().is_root(),
    }
}

fn orders(settings: &Settings, job: &Job<'_>, view: View) -> Orders {
    let mut environment = environment(own());
    if settings.unconfined {
        environment.extend(std::env::home_dir().map(|home| ("HOME".into(), home.display().to_string())));
    } else {
        // What stands below the home folder is found in the private one.
        if let Some(home) = std::env::home_dir() {
            environment.retain(|name, value| name == "PATH" || !Path::new(value).starts_with(&home));
        }
        environment.insert("HOME".into(), PRIVATE_HOME.into());
        environment.insert("TMPDIR".into(), PRIVATE_FOLDER.into());
    }
    environment.insert("PWD".into(), job.workspace.display().to_string());
    environment.extend(job.variables.iter().cloned());
    let own_port = |port: &u16| settings.port != Some(*port);
    let confinement = Confinement {
        writes: job.writes,
        ports: (settings.network && job.network).then(|| PORTS.iter().copied().filter(own_port).collect()),
        view,
        home_files: job.home_files.clone(),
    };
    Orders {
        workspace: job.workspace.into(),
        argv: job.argv.clone(),
        environment,
        confinement: (!settings.unconfined).then_some(confinement),
    }
}

/// A launcher at work. Ends with all that it runs when it is dropped.
struct Running {
    child: Option<Child>,
    output: Receiver,
    reports: OwnedReadHalf,
    /// Closed, it is the order to end.
    lifeline: Option<OwnedWriteHalf>,
}

impl Running {
    async fn start(launcher: &Path, stage: Stage, orders: &Orders) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        // One pipe for both, so that their order is kept.
        let (output, input) = io::pipe()?;
        let child = Command::new(launcher)
            .args([SUBCOMMAND, &stage.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(input.try_clone()?)
            .stderr(input)
            .spawn()?;
        ours.set_nonblocking(true)?;
        let (reports, mut lifeline) = UnixStream::from_std(ours)?.into_split();
        let output = Receiver::from_owned_fd(output.into())?;
        let mut line = serde_json::to_vec(orders)?;
        line.push(b'\n');
        // Where it fails the launcher is gone, and has said why.
        let _ = lifeline.write_all(&line).await;
        Ok(Self { child: Some(child), output, reports, lifeline: Some(lifeline) })
    }

    async fn follow(
        mut self,
        time_limit: Duration,
        cancel: &CancellationToken,
        live: &(dyn Fn(&str) + Sync),
    ) -> Result<Ended, SandboxError> {
        let (mut decoder, mut kept, mut shown) = (Decoder::default(), Kept::default(), Live::default());
        let mut take = |text: &str| {
            kept.push(text);
            let text = shown.show(text);
            if !text.is_empty() {
                live(text);
            }
        };
        let mut piece = [0; PIECE_BYTES];
        let mut report = pin!(async {
            let mut line = String::new();
            let _ = BufReader::new(&mut self.reports).read_line(&mut line).await;
            line
        });
        let (mut reported, mut cut_short) = (None, None);
        let mut limit = pin!(sleep(time_limit));
        // Runs from the moment when everything should be over.
        let mut grace = pin!(sleep(Duration::MAX));
        loop {
            let ending = reported.is_some() || cut_short.is_some();
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !ending => cut_short = Some(End::Stopped),
                () = &mut limit, if !ending => cut_short = Some(End::TimeUp),
                () = &mut grace, if ending => break,
                read = self.output.read(&mut piece) => match read {
                    Ok(read @ 1..) => take(&decoder.push(&piece[..read])),
                    _ => break,
                },
                line = &mut report, if reported.is_none() => reported = Some(line),
            }
            if !ending && (reported.is_some() || cut_short.is_some()) {
                grace.as_mut().reset(tokio::time::Instant::now() + GRACE);
                if cut_short.is_some() {
                    self.lifeline = None;
                }
            }
        }
        take(decoder.finish());
        if reported.is_none() {
            reported = timeout(GRACE, report).await.ok();
        }
        let output = kept.text(|missing| {
            format!("[cut: {missing} bytes are left out here; to see them, write the output to a file and read that]")
        });
        ended(&reported.unwrap_or_default(), cut_short, output)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifeline = None;
        let (Some(mut child), Ok(runtime)) = (self.child.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            if timeout(GRACE, child.wait()).await.is_err() {
                tracing::warn!("a program did not end when it was told to; its launcher is killed");
                let _ = child.kill().await;
            }
        });
    }
}

fn ended(report: &str, cut_short: Option<End>, output: String) -> Result<Ended, SandboxError> {
    let (how, removed) = match (serde_json::from_str(report), cut_short) {
        (Ok(Report::Unconfinable(reason)), _) => return Err(SandboxError::Unavailable(with_advice(reason))),
        (Ok(Report::NotStarted(reason)), None) => return Err(SandboxError::NotStarted(reason)),
        (Ok(Report::Ended { removed, .. }), Some(end)) => (end, removed),
        (_, Some(end)) => (end, Vec::new()),
        (Ok(Report::Ended { code: Some(code), removed, .. }), None) => (End::Exited(code), removed),
        (Ok(Report::Ended { signal: Some(signal), removed, .. }), None) => (End::Killed(signal), removed),
        (Ok(Report::Ended { .. }) | Err(_), None) => {
            tracing::error!(report, output, "the launcher ended without a report");
            return Err(SandboxError::Lost);
        }
    };
    Ok(Ended { how, output, removed })
}

/// The reason, and the settings of this machine that are known to be behind it.
fn with_advice(reason: String) -> String {
    const SWITCHES: &[(&str, &str, &str)] = &[
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "AppArmor keeps programs from making namespaces: allow it for Cowork with a profile that says `userns,`",
        ),
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            "0",
            "namespaces are switched off: `sysctl kernel.unprivileged_userns_clone=1` allows them",
        ),
        (
            "/proc/sys/user/max_user_namespaces",
            "0",
            "namespaces are switched off: `sysctl user.max_user_namespaces=10000` allows them",
        ),
    ];
    let is = |file: &str, value: &str| fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    let advice = SWITCHES.iter().find(|(file, value, _)| is(file, value)).map(|(_, _, advice)| *advice);
    advice.map_or(reason.clone(), |advice| format!("{reason} ({advice})"))
}
