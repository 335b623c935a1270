//! The real program as a process of its own, in a home of its own.

use std::{
    io::{BufRead, BufReader, Read},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use tempfile::TempDir;
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{PATIENCE, http::Api, model::ScriptedModel, server::write_file, socket::Socket, soon};

/// Where a process lives: home, configuration, workspace, database. It outlasts the process.
pub struct Home {
    folder: TempDir,
    pub workspace: PathBuf,
    pub database: PathBuf,
}

pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub api: Api,
    pub log: Arc<Mutex<String>>,
}

/// How a process ended that was not meant to stay.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let workspace = root.join("work");
        std::fs::create_dir(&workspace).unwrap();
        Self { workspace, database: root.join("data/cowork.db"), folder }
    }

    /// With a configuration that names the scripted model.
    pub fn with(model: &ScriptedModel) -> Self {
        let home = Self::new();
        home.configure(model);
        home
    }

    /// Names the scripted model.
    pub fn configure(&self, model: &ScriptedModel) {
        let text = format!(
            "[models.scripted]\nprovider = \"openai_compatible\"\nbase_url = \"{}\"\nmodel = \"scripted-1\"\n",
            model.base_url
        );
        write_file(self.folder.path(), "loom.toml", &text);
    }

    /// Where the token stands.
    pub fn data(&self) -> PathBuf {
        data_of(&self.database)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `cowork` with nothing of this machine's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowork"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn serve_command(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["serve", "--port", "0"]);
        command.arg("--workspace").arg(&self.workspace).arg("--database").arg(&self.database).args(more);
        command
    }

    /// Starts the server and waits until it says that it is ready.
    pub async fn start(&self) -> Process {
        self.start_with_arguments(&[]).await
    }

    /// Starts the server with more arguments.
    pub async fn start_with_arguments(&self, more: &[&str]) -> Process {
        start(self.serve_command(more), &self.data()).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the server amid faults. One that ends before it is ready is an error.
    pub async fn try_start(&self, means: &Means) -> Result<Process, String> {
        start(means.around(self.serve_command(&[])), &self.data()).await
    }

    /// Starts the server with these variables in its environment.
    pub async fn start_with(&self, variables: &[(&str, &str)]) -> Process {
        let mut command = self.serve_command(&[]);
        command.envs(variables.iter().copied());
        start(command, &self.data()).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the server in its workspace, where its database stands too.
    pub async fn start_inside(&self) -> Process {
        let database = self.workspace.join("data/cowork.db");
        let mut command = self.command(&["serve", "--port", "0"]);
        command.arg("--workspace").arg(&self.workspace).arg("--database").arg(&database);
        command.arg("--config").arg(self.folder.path().join("loom.toml")).current_dir(&self.workspace);
        start(command, &data_of(&database)).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the server where its workspace is a disk of so many bytes, in a file system that nobody else sees.
    pub async fn start_on_small_disk(&self, bytes: u64) -> Process {
        let mount = format!("mount -t tmpfs -o size={bytes} tmpfs \"$0\"");
        let command = self.behind_mounts(&mount, &self.workspace, &self.serve_command(&[]));
        start(command, &self.data()).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Runs a command where the folder of the database is a disk of so many bytes, in a file system that nobody else sees.
    pub async fn run_on_small_disk(&self, bytes: u64, arguments: &[&str]) -> Ended {
        let mount = format!("mount -t tmpfs -o size={bytes} tmpfs \"$0\"");
        run(self.behind_mounts(&mount, self.database.parent().unwrap(), &self.command(arguments))).await
    }

    /// Runs a command where /proc is as containers have it: what the kernel can be told there is read-only, and for new
    /// namespaces a whole one stands aside.
    pub async fn run_in_container(&self, arguments: &[&str]) -> Ended {
        let mount =
            "mount --bind /proc \"$0\" && mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys";
        let aside = self.folder.path().join("proc");
        std::fs::create_dir(&aside).unwrap();
        run(self.behind_mounts(mount, &aside, &self.command(arguments))).await
    }

    /// The command after a script whose `$0` is the folder; what it mounts nobody else sees.
    fn behind_mounts(&self, script: &str, folder: &Path, behind: &Command) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{script} && exec \"$@\"")]);
        command.arg(folder).arg(behind.get_program()).args(behind.get_args());
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the server where it may have so many files open.
    pub async fn start_with_few_files(&self, most: usize) -> Process {
        let serve = self.serve_command(&[]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &most.to_string()]);
        command.arg(serve.get_program()).args(serve.get_args());
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        start(command, &self.data()).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Adds lines to the configuration.
    pub fn add_settings(&self, lines: &str) {
        let file = self.folder.path().join("loom.toml");
        let config = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(file, format!("{config}\n{lines}\n")).unwrap();
    }

    /// Starts the server with the workspace and the database that it chooses itself.
    pub async fn start_plain(&self) -> Process {
        let folder = self.folder.path().join(".loom");
        let is_looms = folder.join("loom.db").exists() && !folder.join("cowork.db").exists();
        let data = folder.join(if is_looms { "loom.db.files" } else { "cowork.db.files" });
        start(self.command(&["--port", "0"]), &data).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the server with the workspace that it chooses itself and this database.
    pub async fn start_at(&self, database: &Path) -> Process {
        let command = self.command(&["--port", "0", "--database", database.to_str().unwrap()]);
        start(command, &data_of(database)).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Runs a server that is expected to refuse to start.
    pub async fn refused(&self, more: &[&str]) -> Ended {
        run(self.serve_command(more)).await
    }

    /// Runs a server where the folder of its database can only be read. It is expected to refuse to start.
    pub async fn refused_where_data_is_read_only(&self) -> Ended {
        let mount = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\"";
        let data = self.database.parent().unwrap();
        run(self.behind_mounts(mount, data, &self.serve_command(&[]))).await
    }

    /// Runs a command amid faults.
    pub async fn run_amid(&self, means: &Means, arguments: &[&str]) -> Ended {
        run(means.around(self.command(arguments))).await
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        run(self.command(arguments)).await
    }
}

fn data_of(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap().to_owned();
    name.push(".files");
    database.with_file_name(name)
}

/// What makes the faults of a process.
#[derive(Clone, Debug)]
pub enum Means {
    Plain,
    /// `tests/faults/shim.c`, before libc.
    Shim(PathBuf),
    /// A library before libc, with variables that it reads.
    ShimWith(PathBuf, Vec<(&'static str, String)>),
    Strace,
    StraceWith(Vec<String>),
}

impl Means {
    /// The same, and the process dies at its `n`th sync.
    pub fn dying_at_sync(&self, n: usize) -> Self {
        match self {
            Self::Shim(shim) => Self::ShimWith(shim.clone(), vec![("COWORK_KILL_AT_SYNC", n.to_string())]),
            Self::Strace => Self::StraceWith(vec![
                "--trace=fsync,fdatasync".into(),
                format!("--inject=fsync,fdatasync:signal=SIGKILL:when={n}"),
            ]),
            other => panic!("{other:?} kills nobody"),
        }
    }

    fn around(&self, mut command: Command) -> Command {
        match self {
            Self::Plain | Self::Shim(_) | Self::Strace => command,
            Self::ShimWith(library, variables) => {
                command.env("LD_PRELOAD", library).envs(variables.iter().map(|(name, value)| (*name, value)));
                command
            }
            Self::StraceWith(how) => {
                let mut traced = Command::new("strace");
                // With -D the program is our child and strace is not.
                traced.args(["-D", "-f", "-qqq", "-o", "/dev/null"]).args(how).arg(command.get_program());
                traced.args(command.get_args()).current_dir(command.get_current_dir().unwrap()).env_clear();
                traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
                traced.env("PATH", std::env::var_os("PATH").unwrap_or_default());
                traced.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                traced
            }
        }
    }
}

async fn start(mut command: Command, data: &Path) -> Result<Process, String> {
    let mut child = command.spawn().unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    collect(child.stderr.take().unwrap(), log.clone());
    let (sender, ready) = oneshot::channel();
    let out = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(out).lines();
        let line = lines.next().and_then(Result::ok).unwrap_or_default();
        let _ = sender.send(line);
        lines.for_each(drop);
    });
    let line = soon("the line that says ready", ready).await.unwrap();
    let told = line.strip_prefix("Cowork is ready: http://").unwrap_or_default();
    let (host, base) = told.split_at(told.find('/').unwrap_or(told.len()));
    let Ok(address) = host.parse() else {
        let _ = child.wait();
        return Err(format!("not ready: {line:?}, {}", log.lock().unwrap()));
    };
    let api = Api::new(address, &cowork::access::token(data).unwrap()).below(base);
    Ok(Process { child, address, api, log })
}

/// Runs a program that ends by itself; one that does not is ended after the usual patience.
async fn run(mut command: Command) -> Ended {
    let mut child = command.spawn().unwrap();
    let (out, err) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(String::new())));
    let threads =
        [collect(child.stdout.take().unwrap(), out.clone()), collect(child.stderr.take().unwrap(), err.clone())];
    let status = spawn_blocking(move || {
        let status = wait(&mut child);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        status
    });
    let code = status.await.unwrap().code();
    let text = |collected: &Mutex<String>| collected.lock().unwrap().clone();
    Ended { code, out: text(&out), err: text(&err) }
}

fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    })
}

/// Waits for a child without a signal handler: the few milliseconds between two looks are no part of any test.
fn wait(child: &mut Child) -> ExitStatus {
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if std::time::Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the process did not end within {PATIENCE:?}");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

impl Process {
    pub async fn socket(&self, session: &str, query: &str) -> Socket {
        Socket::open(&self.api, session, query).await
    }

    /// What it has for itself, without the program and files that the system could read again.
    #[cfg(target_os = "linux")]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Files and connections that it has open.
    #[cfg(target_os = "linux")]
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Where it takes connections of TCP.
    #[cfg(target_os = "linux")]
    pub fn listens(&self) -> Vec<SocketAddr> {
        let place = PathBuf::from(format!("/proc/{}", self.child.id()));
        let files =
            std::fs::read_dir(place.join("fd")).unwrap().filter_map(|file| file.unwrap().path().read_link().ok());
        let open: Vec<_> = files.map(|file| file.display().to_string()).collect();
        let table = |name: &str| std::fs::read_to_string(place.join("net").join(name)).unwrap_or_default();
        let lines = [table("tcp"), table("tcp6")].concat();
        // The number of the line, the own address, the other one, the state, and in the tenth place the socket's number.
        let rows = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let own = rows.filter(|row| row.get(3) == Some(&"0A") && open.contains(&format!("socket:[{}]", row[9])));
        own.map(|row| {
            let (address, port) = row[1].split_once(':').unwrap();
            // Words of 32 bits in this machine's order.
            let words = (0..address.len()).step_by(8).map(|at| u32::from_str_radix(&address[at..at + 8], 16).unwrap());
            let bytes: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
            let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
                Ok(four) => IpAddr::from(four),
                Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).unwrap()),
            };
            SocketAddr::new(address, u16::from_str_radix(port, 16).unwrap())
        })
        .collect()
    }

    /// What each process was started with, of this one and of all that it started, as every user of the machine can read it.
    #[cfg(target_os = "linux")]
    pub fn arguments_of_all(&self) -> Vec<String> {
        let stat = |process: &str| std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything, come the state and the parent.
        let parent = |process: &str| Some(stat(process).rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned());
        let processes =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let processes: Vec<_> = processes.filter_map(|process| Some((parent(&process)?, process))).collect();
        let mut all = vec![self.child.id().to_string()];
        let mut next = 0;
        while next < all.len() {
            let children =
                processes.iter().filter(|(parent, _)| *parent == all[next]).map(|(_, process)| process.clone());
            let children: Vec<_> = children.collect();
            all.extend(children);
            next += 1;
        }
        let arguments = |process: &String| std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        all.iter().map(|process| String::from_utf8_lossy(&arguments(process)).into_owned()).collect()
    }

    /// As a power cut does: nothing gets a last word.
    pub fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// What it has logged so far, and goes on to log.
    pub fn log(&self) -> Arc<Mutex<String>> {
        self.log.clone()
    }

    /// Ends it in order. What it had logged by then.
    pub async fn end(self) -> String {
        let log = self.log.clone();
        self.terminate();
        assert_eq!(self.exit_code().await, Some(0));
        let log = log.lock().unwrap();
        log.clone()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub async fn exit_code(mut self) -> Option<i32> {
        let (code, _kept) = spawn_blocking(move || (wait(&mut self.child).code(), self)).await.unwrap();
        code
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
