//! A server under measurement: a process of its own, its memory and its use of the processor.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};

use super::model::{Script, now};

/// The kernel reports times of processes in hundredths of a second.
const TICK_MICROS: f64 = 10_000.0;

/// Cowork, or the bare program beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Cowork,
    Bare,
}

impl Side {
    /// Interleaved, so that what drifts on the machine falls on both sides alike.
    pub const ORDER: [Self; 4] = [Self::Cowork, Self::Bare, Self::Bare, Self::Cowork];
}

/// Where the servers of a run have their files.
pub struct Stage {
    pub folder: PathBuf,
    pub program: PathBuf,
    /// Base URL of the model server.
    pub model: String,
    /// How much of the usual work is done, in hundredths.
    pub percent: usize,
}

/// A running server; dropping it ends it.
pub struct Subject {
    child: Child,
    pub base: String,
    /// What its clients show; empty for the bare ones.
    pub token: String,
    /// From before its start until it said that it is ready, in nanoseconds.
    pub started_at: u64,
}

/// In bytes.
pub struct Memory {
    pub rss: u64,
    pub pss: u64,
    /// Of the RSS, what no file holds: heap and stacks.
    pub anonymous: u64,
}

impl Stage {
    /// This part of the usual amount.
    pub fn part_of(&self, usual: usize) -> usize {
        (usual * self.percent / 100).max(1)
    }

    /// Writes the configuration that names the model server, one model for each script.
    pub fn configure(&self, scripts: &[Script]) -> anyhow::Result<()> {
        let models = scripts.iter().map(|script| {
            let (name, url) = (script.name(), &self.model);
            format!("[models.{name}]\nprovider = \"openai_compatible\"\nbase_url = \"{url}\"\nmodel = \"{name}\"\n")
        });
        for folder in ["home", "workspace"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        // The bench's large file is one that an operator would have to allow.
        let limits = "[server]\nmax_upload_file_bytes = 1073741824\nmax_upload_request_bytes = 1073741824\n";
        fs::write(self.folder.join("loom.toml"), limits.to_owned() + &models.collect::<String>())?;
        Ok(())
    }

    pub fn cowork(&self, database: &str) -> anyhow::Result<Subject> {
        let mut command = self.command(&self.program);
        command.args(["--port", "0", "--config"]).arg(self.folder.join("loom.toml"));
        command.arg("--workspace").arg(self.folder.join("workspace"));
        command.arg("--database").arg(self.folder.join(database));
        let mut subject = self.start(command)?;
        let token = self.folder.join(format!("{database}.files")).join("token");
        subject.token = fs::read_to_string(token).context("a server without a token")?.trim().to_owned();
        Ok(subject)
    }

    pub fn relay(&self) -> anyhow::Result<Subject> {
        let mut command = self.command(&std::env::current_exe()?);
        command.args(["relay", &self.model]).arg(self.folder.join("relay.db"));
        self.start(command)
    }

    pub fn bare_server(&self) -> anyhow::Result<Subject> {
        let mut command = self.command(&std::env::current_exe()?);
        command.arg("bare-server");
        self.start(command)
    }

    /// Nothing of the caller's environment reaches the server: no proxy, no key, no log level.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.folder.join("home")).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }

    fn start(&self, mut command: Command) -> anyhow::Result<Subject> {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("servers.log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let started_at = now();
        let child = command.spawn().with_context(|| format!("{:?} does not start", command.get_program()))?;
        let mut subject = Subject { child, base: String::new(), token: String::new(), started_at };
        let output = subject.child.stdout.take().context("a server without output")?;
        for line in BufReader::new(output).lines() {
            if let Some((_, address)) = line?.split_once("http://") {
                subject.base = format!("http://{}", address.trim());
                return Ok(subject);
            }
        }
        let log = fs::read_to_string(self.folder.join("servers.log")).unwrap_or_default();
        bail!("a server ended before it was ready:\n{log}")
    }
}

impl Subject {
    pub fn memory(&self) -> anyhow::Result<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let bytes = |field: &str| {
            let line = rollup.lines().find(|line| line.starts_with(field));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            kib.map(|kib| kib * 1024).with_context(|| format!("no {field} in smaps_rollup"))
        };
        Ok(Memory { rss: bytes("Rss:")?, pss: bytes("Pss:")?, anonymous: bytes("Anonymous:")? })
    }

    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    pub fn threads(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/task", self.child.id()))?.count())
    }

    /// Time on a processor since the start, in microseconds.
    pub fn cpu_micros(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold spaces; the fields after it don't.
        let fields = stat.rsplit_once(')').context("an unreadable stat")?.1;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? * TICK_MICROS)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
