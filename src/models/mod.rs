//! (module)
pub mod openai_compatible;
