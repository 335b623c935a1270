//! Calls that wait for a person's word, and the rules that spare it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, ApprovalId, CallId, RuleId};

/// The risk word of a call that changes something or leaves the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Changes files of the workspace; can be undone.
    Edit,
    /// Takes files of the workspace away; can be undone.
    Delete,
    /// Runs a program.
    Run,
    /// Sends something off this machine.
    Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Approve,
    /// This call, and those like it in this session from now on: a rule.
    ApproveAlways,
    Deny,
}

/// A call that needs a person's word before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub turn: u32,
    pub approval_id: ApprovalId,
    pub tool_call_id: CallId,
    pub name: String,
    /// Exactly what the tool would be given.
    pub args: Value,
    /// The call in one line.
    pub preview: String,
    pub risk: Risk,
    /// What an "always" would be narrowed to; `None`: there is none, each such call asks.
    pub scope: Option<String>,
}

/// Calls of a tool that need no word in this session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRule {
    pub rule_id: RuleId,
    pub tool: String,
    pub scope: String,
    pub actor: Actor,
    pub created_at: String,
}

/// The scope of the files directly in the workspace.
pub const TOP_FOLDER: &str = ".";

impl Approval {
    /// Whether an "always" of scope `rule` for the same tool spares this call.
    pub fn is_spared_by(&self, rule: &str) -> bool {
        self.scope.as_ref().is_some_and(|scope| covers(rule, self.risk, scope))
    }
}

/// Whether an "always" of scope `rule` covers a call of scope `call`. A folder stands for all below it, the workspace
/// itself for the files directly in it alone; every other scope is one thing.
pub fn covers(rule: &str, risk: Risk, call: &str) -> bool {
    let is_folder = matches!(risk, Risk::Edit | Risk::Delete) && rule != TOP_FOLDER;
    call == rule || is_folder && call.strip_prefix(rule).is_some_and(|rest| rest.starts_with('/'))
}

/// Body of `POST …/approvals/{approval_id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    pub decision: Decision,
}
