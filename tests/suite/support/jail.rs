//! Programs in the sandbox, run by the real launcher: scripts that try something, and where they try it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cowork::sandbox::{Availability, End, Ended, Job, Sandbox, SandboxError, Settings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A workspace, and a folder beside it that no program of the workspace may touch.
pub struct Jail {
    folder: TempDir,
    pub workspace: PathBuf,
    pub outside: PathBuf,
}

impl Jail {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (workspace, outside) = (root.join("work"), root.join("outside"));
        fs::create_dir(&workspace).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "theirs").unwrap();
        fs::write(workspace.join("own.txt"), "ours").unwrap();
        Self { folder, workspace, outside }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What is outside, by name and content.
    pub fn snapshot(&self) -> Vec<(PathBuf, String)> {
        snapshot(&self.outside)
    }

    pub fn job(&self, script: &str) -> Job<'_> {
        Job {
            workspace: &self.workspace,
            argv: vec!["/bin/bash".into(), "-c".into(), script.into()],
            variables: vec![("OUT".into(), self.outside.display().to_string())],
            home_files: vec![],
            writes: true,
            network: true,
            time_limit: Duration::from_secs(60),
        }
    }

    /// Runs a script confined.
    pub async fn run(&self, script: &str) -> Ended {
        self.run_in(&confined(), script).await
    }

    pub async fn run_in(&self, sandbox: &Sandbox, script: &str) -> Ended {
        self.try_run_in(sandbox, script).await.unwrap_or_else(|error| panic!("{script}: {error:?}"))
    }

    pub async fn try_run_in(&self, sandbox: &Sandbox, script: &str) -> Result<Ended, SandboxError> {
        sandbox.run(&self.job(script), &CancellationToken::new(), &|_| ()).await
    }

    /// The output of a script that must succeed confined.
    pub async fn output(&self, script: &str) -> String {
        let ended = self.run(script).await;
        assert_eq!(ended.how, End::Exited(0), "{script}: {}", ended.output);
        ended.output
    }

    /// A script that must fail confined; what it said.
    pub async fn refused(&self, script: &str) -> String {
        let ended = self.run(script).await;
        assert_ne!(ended.how, End::Exited(0), "`{script}` got through: {}", ended.output);
        ended.output
    }
}

pub fn snapshot(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let facts = fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            found.extend(snapshot(&path));
        } else {
            let link = fs::read_link(&path).map(|target| format!("-> {}", target.display()));
            let text = link.unwrap_or_else(|_| fs::read_to_string(&path).unwrap_or_default());
            found.push((path, text));
        }
    }
    found.sort();
    found
}

pub fn sandbox(settings: Settings) -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_cowork"), settings)
}

pub fn confined() -> Sandbox {
    sandbox(Settings::default())
}

/// As an operator can have it; here the proof that a script does what it says.
pub fn unconfined() -> Sandbox {
    sandbox(Settings { unconfined: true, ..Settings::default() })
}

/// Never skips: a machine on which programs can't be confined fails the tests that say they are.
pub async fn assert_available(sandbox: &Sandbox) {
    assert_eq!(sandbox.availability().await, Availability::Confined);
}

/// Processes of this machine whose command line holds a word.
pub fn processes_with(word: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|number| {
            let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            *number != std::process::id() && line.contains(word)
        })
        .collect()
}

/// Waits until there are so many: a process that becomes another program shows no command line for a moment.
pub async fn assert_there(word: &str, count: usize) {
    let there = async {
        while processes_with(word).len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    super::soon(&format!("{count} of `{word}`"), there).await;
}

/// Waits until there are none.
pub async fn assert_gone(word: &str) {
    let gone = async {
        while !processes_with(word).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    super::soon(&format!("the end of `{word}`"), gone).await;
}
