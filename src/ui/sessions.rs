//! The list of sessions, what can be done with one, and the form that makes one.

pub mod checks;
pub mod create;
mod groups;
pub mod list;
pub mod menu;
mod notify;
mod row;
pub mod state;
