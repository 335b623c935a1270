//! `git_command`: Git in the workspace, without hooks, editors and prompts.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    arguments::{arguments, schema},
    commands::{self, Run},
    git_arguments::GitCall,
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

pub struct GitCommand {
    sandbox: Arc<Sandbox>,
}

impl GitCommand {
    pub fn new(sandbox: Arc<Sandbox>) -> Self {
        Self { sandbox }
    }

    /// What is to be run, where it may be.
    fn call(&self, args: Value) -> Result<GitCall, ToolError> {
        let args: Args = arguments(args)?;
        let call = GitCall::read(&args.args).map_err(respond)?;
        if call.needs_network() && !self.sandbox.network() {
            return Err(respond(
                "Git has no network here: whoever runs this server has not allowed it. Work on the local branches, \
                 and tell the person what is to be fetched or pushed.",
            ));
        }
        Ok(call)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The subcommand and its arguments, each a text of its own, such as `["commit", "-m", "Add March"]`.
    args: Vec<String>,
}

#[async_trait]
impl Tool for GitCommand {
    fn spec(&self) -> ToolSpec {
        let network = if self.sandbox.network() { "" } else { " There is no network, so no fetch, pull or push." };
        ToolSpec {
            name: "git_command".into(),
            description: format!(
                "Runs Git in the workspace, without hooks, pager, editor and prompts. Give messages with -m. Settings \
                 of the repository can't be changed.{network}"
            ),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        let words = args["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
        one_line(&std::iter::once("git").chain(words).collect::<Vec<_>>().join(" "), 80)
    }

    fn action(&self, args: &Value) -> Action {
        let given = serde_json::from_value::<Vec<String>>(args["args"].clone()).ok();
        match given.and_then(|given| GitCall::read(&given).ok()) {
            None => Action::risky(Risk::Run, None),
            Some(call) if call.looks() => Action::READ,
            Some(call) if call.needs_network() => Action::risky(Risk::Network, call.scope()),
            Some(call) => Action::risky(Risk::Run, call.scope()),
        }
    }

    fn check(&self, args: &Value) -> Result<(), ToolError> {
        self.call(args.clone()).map(drop)
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let call = self.call(args)?;
        let looks = call.looks();
        let run = Run {
            argv: call.argv(),
            // A call that only looks does not even refresh the index.
            variables: if looks { vec![("GIT_OPTIONAL_LOCKS".into(), "0".into())] } else { Vec::new() },
            writes: !looks,
            network: call.needs_network(),
            time_limit: DEFAULT_TIME_LIMIT,
        };
        commands::run(&self.sandbox, context, run).await
    }
}
