//! The conversation: what was said, what was done, and the field to say more.

mod ask;
mod call;
mod command;
pub mod composer;
mod draft;
mod message;
mod queue;
mod suggest;
pub mod transcript;
pub mod turn;

pub use crate::ui::widgets::duration;
pub use ask::AskList;
