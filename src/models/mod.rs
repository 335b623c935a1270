//! (module)
pub mod built_in;
