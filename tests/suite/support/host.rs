//! A process of its own that runs tools in the sandbox, as the server does: with its own home and environment, as
//! another user, or to be killed. It is this test program, started again with one test to run.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Lines},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use async_trait::async_trait;
use cowork::{
    agent::ports::{
        store::{Recall, Recalled},
        tool::{ToolContext, ToolError, ToolHost, ToolOutput, Tools},
    },
    protocol::{Question, Task},
    sandbox::{Sandbox, Settings},
    tools::all_tools,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The variable that tells the started program that it is the host.
const ORDERS: &str = "COWORK_TEST_HOST";
/// Before each line that is meant for the test.
const MARK: &str = "host: ";

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Calls {
    pub launcher: PathBuf,
    pub workspace: PathBuf,
    pub network: bool,
    /// Tool and arguments, one after the other.
    pub calls: Vec<(String, Value)>,
}

impl Calls {
    /// What the tools keep stands beside the workspace: a host that is killed tidies nothing away.
    fn data(&self) -> PathBuf {
        self.workspace.with_file_name("data")
    }
}

/// A host at work. Killed, as a power cut kills, when it is dropped.
pub struct Host {
    pub child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Host {
    /// `before` are words to put before the program, such as `setpriv --reuid 1000`.
    pub fn start(before: &[&str], environment: &BTreeMap<&str, String>, program: &Path, calls: &Calls) -> Self {
        // The host may be another user's.
        fs::create_dir(calls.data()).unwrap();
        fs::set_permissions(calls.data(), fs::Permissions::from_mode(0o777)).unwrap();
        let program = program.to_str().unwrap();
        let words: Vec<&str> =
            before.iter().copied().chain([program, "--exact", "support::host::host", "--nocapture"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().envs(environment).env("PATH", std::env::var_os("PATH").unwrap());
        command.env(ORDERS, serde_json::to_string(calls).unwrap()).current_dir("/");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing that it says: live output as a text, a result as an object.
    pub fn next(&mut self) -> Option<Value> {
        let line = self.lines.by_ref().map_while(Result::ok).find_map(|line| {
            // The test harness writes on the same line.
            line.split_once(MARK).map(|(_, said)| said.to_owned())
        })?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The next result.
    pub fn result(&mut self) -> Value {
        loop {
            let said = self.next().expect("the host ended");
            if said.is_object() {
                return said;
            }
        }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This test program.
pub fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

pub fn launcher() -> PathBuf {
    env!("CARGO_BIN_EXE_cowork").into()
}

/// A copy of a program where every user may run it.
pub fn for_everyone(program: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join(program.file_name().unwrap());
    if fs::hard_link(program, &copy).is_err() {
        fs::copy(program, &copy).unwrap();
    }
    copy
}

/// The tools as a session has them.
pub fn tools(sandbox: Sandbox) -> Tools {
    all_tools(Arc::new(sandbox))
}

/// Hears the live output.
pub struct Listener<F>(pub F);

#[async_trait]
impl<F: Fn(&str) + Send + Sync> ToolHost for Listener<F> {
    fn output(&self, text: &str) {
        (self.0)(text);
    }

    async fn ask(&self, _question: Question) -> Result<String, ToolError> {
        Err(ToolError::RespondToModel("nobody is there".into()))
    }

    async fn set_tasks(&self, _tasks: Vec<Task>) -> Result<(), ToolError> {
        Ok(())
    }

    async fn recall(&self, _recall: Recall) -> Result<Vec<Recalled>, ToolError> {
        Ok(Vec::new())
    }
}

pub async fn call(tools: &Tools, workspace: &Path, tool: &str, args: Value) -> Result<ToolOutput, ToolError> {
    let data = tempfile::tempdir().unwrap();
    call_heard(tools, workspace, data.path(), tool, args, &Listener(|_: &str| ())).await
}

async fn call_heard(
    tools: &Tools,
    workspace: &Path,
    data: &Path,
    tool: &str,
    args: Value,
    host: &dyn ToolHost,
) -> Result<ToolOutput, ToolError> {
    let cancel = CancellationToken::new();
    let context = ToolContext { workspace, data: &data.join("1"), room: usize::MAX, host, cancel: &cancel };
    tools.get(tool).unwrap().run(args, context).await
}

/// No test: the host itself, where it was asked for.
#[tokio::test]
async fn host() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Calls = serde_json::from_str(&orders).unwrap();
    let tools = tools(Sandbox::new(&orders.launcher, Settings { network: orders.network, ..Settings::default() }));
    let live = Listener(|text: &str| println!("{MARK}{}", json!(text)));
    for (tool, args) in &orders.calls {
        let said = match call_heard(&tools, &orders.workspace, &orders.data(), tool, args.clone(), &live).await {
            Ok(output) => json!({ "text": output.text, "error": output.error }),
            Err(error) => json!({ "text": "", "error": error.to_string() }),
        };
        println!("{MARK}{said}");
    }
}
