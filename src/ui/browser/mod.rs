//! Everything that only a browser has, behind functions that both builds know. On the server they do nothing, since
//! effects and event handlers never run there.

#[cfg(feature = "hydrate")]
mod chat;
#[cfg(feature = "hydrate")]
mod json;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod upload;
#[cfg(feature = "hydrate")]
mod wire;
#[cfg(feature = "hydrate")]
pub use chat::*;
#[cfg(feature = "hydrate")]
pub use json::{first_event, opened, read};
#[cfg(feature = "hydrate")]
pub use live::*;
#[cfg(feature = "hydrate")]
pub use upload::*;
#[cfg(feature = "hydrate")]
pub use wire::{Socket, Speaker, ask, get, post, sleep};

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(not(feature = "hydrate"))]
mod no_chat;
#[cfg(not(feature = "hydrate"))]
mod no_upload;
#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(not(feature = "hydrate"))]
pub use no_chat::*;
#[cfg(not(feature = "hydrate"))]
pub use no_upload::*;

/// What a browser says of a device whose main pointer is a finger; `style/small.css` gives fingers room by the same words.
pub const FINGERS: &str = "(pointer: coarse)";

/// Parts of a page that the server alone draws, as HTML. They never change, so the page's program takes them as
/// they stand and needs nothing of them.
#[derive(Clone, Default)]
pub struct Still {
    /// Tasks that an empty session offers.
    pub examples: String,
    /// Links that lead to the conversation as a file.
    pub exports: String,
    /// What the address puts into the composer.
    pub draft: String,
    /// Where data lives and who can see it, for the start page.
    pub facts: String,
}

/// What a drawn button asks the page for.
pub enum Wish {
    /// A message is to be written anew; its text.
    Rewrite(String),
    /// The row in the logs of a call, by its id.
    ShowLog(String),
    /// A file of the workspace, by its path.
    ShowFile(String),
}
