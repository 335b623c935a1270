//! `shell_execute`: a command line in the workspace.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    command_scope::scope,
    commands::{self, Run},
    wording::{one_line, respond},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::Risk,
    sandbox::{DEFAULT_TIME_LIMIT, Sandbox},
};

/// Models write Bash; where it is missing, most of it works all the same.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];
/// What the system takes as one argument, in bytes.
const MAX_COMMAND_BYTES: usize = 128 * 1024 - 1;

pub struct ShellExecute {
    sandbox: Arc<Sandbox>,
}

impl ShellExecute {
    pub fn new(sandbox: Arc<Sandbox>) -> Self {
        Self { sandbox }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The command line. Each call starts anew in the workspace; nothing is kept of variables or `cd`.
    command: String,
    /// End the command after so many seconds. Default: 120.
    #[schemars(range(min = 1, max = 3600))]
    timeout_seconds: Option<u64>,
}

#[async_trait]
impl Tool for ShellExecute {
    fn spec(&self) -> ToolSpec {
        let network = if self.sandbox.network() { "It has the network." } else { "It has no network." };
        ToolSpec {
            name: "shell_execute".into(),
            description: format!(
                "Runs a command line with Bash in the workspace and gives its output and exit code. It can write in \
                 the workspace and in /tmp, which is emptied afterwards; it can't change .git/config or hooks, and \
                 nothing it starts outlives it. {network} It can't be asked anything: give answers as options. Use \
                 the file tools to read, search and change files."
            ),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        one_line(args["command"].as_str().unwrap_or_default(), 80)
    }

    fn action(&self, args: &Value) -> Action {
        Action::risky(Risk::Run, args["command"].as_str().and_then(scope))
    }

    fn check(&self, args: &Value) -> Result<(), ToolError> {
        arguments::<Args>(args.clone()).map(drop)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let args: Args = arguments(args)?;
        if args.command.trim().is_empty() {
            return Err(respond("`command` is empty. Give a command line, such as `ls -l`."));
        }
        if args.command.len() > MAX_COMMAND_BYTES || args.command.contains('\0') {
            return Err(respond(
                "`command` is no command line: it is longer than 128 KiB or holds a zero byte. Write a script with write_file and run that.",
            ));
        }
        let shell = SHELLS.iter().find(|shell| Path::new(shell).exists()).copied().unwrap_or(SHELLS[1]);
        let run = Run {
            argv: vec![shell.into(), "-c".into(), args.command],
            variables: vec![("SHELL".into(), shell.into())],
            writes: true,
            network: true,
            time_limit: args.timeout_seconds.map_or(DEFAULT_TIME_LIMIT, Duration::from_secs),
        };
        commands::run(&self.sandbox, context, run).await
    }
}
