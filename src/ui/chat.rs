//! The conversation: what was said, what was done, and the field to say more.

mod call;
pub use call::duration;
pub mod composer;
mod message;
mod queue;
pub mod transcript;
pub mod turn;
