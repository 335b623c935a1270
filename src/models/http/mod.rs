//! What all adapters that speak HTTP with a model server share: `connection` sends requests and words what goes wrong
//! with the help of `failure`; `answer` reads the bytes that come back, which `reader` cuts into events with `sse` or
//! `lines` and gives to the adapter's own [`Decode`](reader::Decode). `names`, `tool_list` and `wording` are for
//! requests, `thoughts` parts thoughts from text, `window` reads what a server says of its model.

mod answer;
mod connection;
mod failure;
mod lines;
mod names;
pub mod reader;
mod retry_after;
mod settings;
pub mod sse;
mod thoughts;
mod tool_list;
mod window;
pub mod wording;

#[cfg(test)]
pub mod testing;

pub use answer::Answer;
pub use connection::{Connection, Learnt, Quirk, Taken, sealed};
pub use failure::{Advice, Server};
pub use names::WireNames;
pub use reader::{Decode, Packing, Reader};
pub use settings::{Settings, Timeouts};
pub use thoughts::Thoughts;
pub use tool_list::ToolList;
pub use window::{Asked, stated as stated_window};
