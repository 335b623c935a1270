//! The running message as HTML blocks, for watchers with `?view=html`.

use crate::{
    markdown,
    protocol::{InFlight, ServerFrame},
};

/// The message that is being written, rendered as it grows.
#[derive(Default)]
pub struct HtmlView {
    turn: u32,
    message: u32,
    bytes: usize,
    stream: markdown::Stream,
    stale: bool,
}

impl HtmlView {
    pub fn begin(in_flight: &InFlight) -> Self {
        let mut view = Self { turn: in_flight.turn, message: in_flight.message, ..Self::default() };
        view.push(in_flight.turn, in_flight.message, &in_flight.text);
        view
    }

    pub fn push(&mut self, turn: u32, message: u32, text: &str) {
        if (self.turn, self.message) != (turn, message) {
            *self = Self { turn, message, ..Self::default() };
        }
        self.stream.push(text);
        self.bytes += text.len();
        self.stale |= !text.is_empty();
    }

    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// What has changed since it was last asked.
    pub fn changes(&mut self) -> ServerFrame {
        self.stale = false;
        let change = self.stream.blocks();
        ServerFrame::MessageBlocks {
            turn: self.turn,
            message: self.message,
            from: change.from,
            blocks: change.blocks,
            open: change.open,
        }
    }

    /// The last word on a message that is complete: only what this view has not shown yet, where it has seen it all.
    pub fn complete(&mut self, turn: u32, message: u32, text: &str) -> ServerFrame {
        let ours = (self.turn, self.message) == (turn, message);
        let seen = ours.then(|| std::mem::take(self)).filter(|seen| seen.bytes == text.len());
        let (from, blocks) = match seen {
            Some(mut seen) => {
                let change = seen.stream.finish();
                (change.from, change.blocks)
            }
            None => (0, markdown::render(text)),
        };
        ServerFrame::MessageBlocks { turn, message, from, blocks, open: false }
    }
}
