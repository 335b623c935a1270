//! What a model can do in a workspace: one file per tool. `src/agent/ports/tool.rs` says what a tool is.

mod arguments;
mod command_scope;
mod commands;
mod git_arguments;
mod git_command;
mod glob_find;
mod list_directory;
mod pattern;
mod read_file;
mod ripgrep_search;
mod shell_execute;
mod wording;
mod work;

use std::sync::Arc;

pub use git_command::GitCommand;
pub use glob_find::GlobFind;
pub use list_directory::ListDirectory;
pub use read_file::ReadFile;
pub use ripgrep_search::RipgrepSearch;
pub use shell_execute::ShellExecute;

use crate::{
    agent::ports::tool::{Tool, Tools},
    sandbox::Sandbox,
};

/// All tools of a session.
pub fn all_tools(sandbox: Arc<Sandbox>) -> Tools {
    let running: [Arc<dyn Tool>; 2] =
        [Arc::new(GitCommand::new(sandbox.clone())), Arc::new(ShellExecute::new(sandbox))];
    Tools::new(reading().into_iter().chain(running))
}

/// The tools that only read.
pub fn reading_tools() -> Tools {
    Tools::new(reading())
}

fn reading() -> [Arc<dyn Tool>; 4] {
    [Arc::new(GlobFind), Arc::new(ListDirectory), Arc::new(ReadFile), Arc::new(RipgrepSearch)]
}

#[cfg(test)]
mod tools_tests;
