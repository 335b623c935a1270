//! What a model can do in a workspace: one file per tool. `src/agent/ports/tool.rs` says what a tool is.

mod arguments;
mod ask_user;
mod conversation_recall;
mod glob_find;
mod list_directory;
mod pattern;
mod read_file;
mod ripgrep_search;
mod task_tracker;
mod wording;
mod work;

use std::sync::Arc;

pub use ask_user::AskUser;
pub use conversation_recall::ConversationRecall;
pub use glob_find::GlobFind;
pub use list_directory::ListDirectory;
pub use read_file::ReadFile;
pub use ripgrep_search::RipgrepSearch;
pub use task_tracker::TaskTracker;

use crate::agent::ports::tool::{Tool, Tools};

/// The tools that change nothing but the session.
pub fn reading_tools() -> Tools {
    let tools: [Arc<dyn Tool>; 7] = [
        Arc::new(AskUser),
        Arc::new(ConversationRecall),
        Arc::new(GlobFind),
        Arc::new(ListDirectory),
        Arc::new(ReadFile),
        Arc::new(RipgrepSearch),
        Arc::new(TaskTracker),
    ];
    Tools::new(tools)
}

#[cfg(test)]
mod tools_tests;
