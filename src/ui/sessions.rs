//! The list of sessions, and the form that makes one.

pub mod create;
pub mod list;
