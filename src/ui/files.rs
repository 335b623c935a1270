//! The workspace's files: what is there, what is on its way, and a look into one.

mod drop_zone;
pub mod panel;
mod preview;
mod queue;
mod recent;
mod send;
mod sizes;
pub use sizes::size;
pub mod state;
mod tree;
