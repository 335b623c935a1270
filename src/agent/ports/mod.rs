//! What the agent needs from outside, as traits: adapters stand in `models`, `tools` and `store`.

pub mod changes;
pub mod clock;
pub mod model;
pub mod store;
pub mod tool;
pub mod workspaces;
