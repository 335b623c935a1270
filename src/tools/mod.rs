//! What a model can do in a workspace: one file per tool. `src/agent/ports/tool.rs` says what a tool is.

mod arguments;
mod glob_find;
mod list_directory;
mod pattern;
mod read_file;
mod ripgrep_search;
mod wording;
mod work;

use std::sync::Arc;

pub use glob_find::GlobFind;
pub use list_directory::ListDirectory;
pub use read_file::ReadFile;
pub use ripgrep_search::RipgrepSearch;

use crate::agent::ports::tool::{Tool, Tools};

/// The tools that only read.
pub fn reading_tools() -> Tools {
    let tools: [Arc<dyn Tool>; 4] =
        [Arc::new(GlobFind), Arc::new(ListDirectory), Arc::new(ReadFile), Arc::new(RipgrepSearch)];
    Tools::new(tools)
}

#[cfg(test)]
mod tools_tests;
