//! What a model can do in a workspace: one file per tool. `src/agent/ports/tool.rs` says what a tool is.

mod arguments;
mod ask_user;
mod changing;
mod command_changes;
mod command_scope;
mod commands;
mod conversation_recall;
mod delete_file;
mod edit_file;
mod git_arguments;
mod git_command;
mod glob_find;
mod list_directory;
mod mcp;
mod move_file;
mod pattern;
mod read_file;
mod ripgrep_search;
mod shell_execute;
mod task_tracker;
mod text_file;
mod web_fetch;
mod wording;
mod work;
mod write_file;

use std::sync::Arc;

pub use ask_user::AskUser;
pub use conversation_recall::ConversationRecall;
pub use delete_file::DeleteFile;
pub use edit_file::EditFile;
pub use git_command::GitCommand;
pub use glob_find::GlobFind;
pub use list_directory::ListDirectory;
pub use mcp::McpTools;
pub use move_file::MoveFile;
pub use read_file::ReadFile;
pub use ripgrep_search::RipgrepSearch;
pub use shell_execute::ShellExecute;
pub use task_tracker::TaskTracker;
pub use web_fetch::{Names, SystemNames, WebFetch, WebFetchSettings};
pub use write_file::WriteFile;

use crate::{
    agent::ports::tool::{Tool, Tools},
    config::Config,
    documents::Reader,
    sandbox::Sandbox,
};

/// All tools of a session.
pub fn all_tools(sandbox: Arc<Sandbox>) -> Tools {
    let reading = reading_tools(Reader::new(sandbox.launcher()));
    Tools::new(reading.into_iter().chain(file_tools()).chain(program_tools(sandbox)))
}

/// All tools of a session, and what the configuration adds.
///
/// # Errors
/// Where this machine can't do what is configured.
pub fn from_config(config: &Config, sandbox: Arc<Sandbox>) -> Result<Tools, String> {
    let documents = Reader::new(sandbox.launcher());
    let tools = all_tools(sandbox);
    if !config.web_fetch.enabled {
        return Ok(tools);
    }
    let settings = WebFetchSettings {
        max_bytes: usize::try_from(config.web_fetch.max_bytes).unwrap_or(usize::MAX),
        time_limit: config.web_fetch.timeout,
    };
    let web_fetch: Arc<dyn Tool> = Arc::new(WebFetch::new(settings, documents, Arc::new(SystemNames))?);
    Ok(tools.with([web_fetch]))
}

/// The tools that change nothing but the session.
pub fn reading_tools(documents: Reader) -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(AskUser),
        Arc::new(ConversationRecall),
        Arc::new(GlobFind),
        Arc::new(ListDirectory),
        Arc::new(ReadFile::new(documents)),
        Arc::new(RipgrepSearch),
        Arc::new(TaskTracker),
    ]
}

/// The tools that change files; each change is kept for undo.
pub fn file_tools() -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(DeleteFile), Arc::new(EditFile), Arc::new(MoveFile), Arc::new(WriteFile)]
}

/// The tools that run programs.
pub fn program_tools(sandbox: Arc<Sandbox>) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(GitCommand::new(sandbox.clone())), Arc::new(ShellExecute::new(sandbox))]
}

#[cfg(test)]
mod changing_tests;
#[cfg(test)]
mod tools_tests;
