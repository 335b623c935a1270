//! What a model can do in a workspace: one file per tool. `src/agent/ports/tool.rs` says what a tool is.

mod arguments;
mod ask_user;
mod changing;
mod conversation_recall;
mod delete_file;
mod edit_file;
mod glob_find;
mod list_directory;
mod move_file;
mod pattern;
mod read_file;
mod ripgrep_search;
mod task_tracker;
mod text_file;
mod wording;
mod work;
mod write_file;

use std::sync::Arc;

pub use ask_user::AskUser;
pub use conversation_recall::ConversationRecall;
pub use delete_file::DeleteFile;
pub use edit_file::EditFile;
pub use glob_find::GlobFind;
pub use list_directory::ListDirectory;
pub use move_file::MoveFile;
pub use read_file::ReadFile;
pub use ripgrep_search::RipgrepSearch;
pub use task_tracker::TaskTracker;
pub use write_file::WriteFile;

use crate::agent::ports::tool::Tool;

/// The tools that change nothing but the session.
pub fn reading_tools() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(AskUser),
        Arc::new(ConversationRecall),
        Arc::new(GlobFind),
        Arc::new(ListDirectory),
        Arc::new(ReadFile),
        Arc::new(RipgrepSearch),
        Arc::new(TaskTracker),
    ]
}

/// The tools that change files; each change is kept for undo.
pub fn file_tools() -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(DeleteFile), Arc::new(EditFile), Arc::new(MoveFile), Arc::new(WriteFile)]
}

#[cfg(test)]
mod changing_tests;
#[cfg(test)]
mod tools_tests;
