//! The bytes of an answer, cut anywhere, to the events of the port. No I/O: the connection pushes, the stream pops.

use std::{collections::VecDeque, mem};

use super::{
    failure::Server,
    lines::Lines,
    sse::{self, MAX_EVENT},
};
use crate::agent::ports::model::{ModelError, ModelEvent};

/// Longest answer, in bytes: far above any model's output, and little enough to hold.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Understands what one kind of server says in one answer.
pub trait Decode: Send {
    /// The next event. What it says goes to `ready`; after an error the answer is over.
    fn event(&mut self, event: &sse::Event, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError>;

    /// The server has said that this was all.
    fn is_done(&self) -> bool;

    /// The answer is over: what could only be known now, and whether it ended well.
    fn finish(self, ready: &mut VecDeque<ModelEvent>) -> Result<(), ModelError>;

    fn server(&self) -> &Server;
}

/// How a server packs the answer that it streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Server-sent events, or one JSON document of a server that doesn't stream.
    Events,
    /// A JSON document a line; each becomes an event without a name.
    Lines,
}

pub struct Reader<D> {
    framing: Framing,
    /// `None` once the answer is over.
    decoder: Option<D>,
    received: usize,
    ready: VecDeque<ModelEvent>,
    /// Comes after all that is ready.
    error: Option<ModelError>,
}

enum Framing {
    /// Nothing but white space has come. The content type is not asked: what the first byte shows is surer.
    Unknown(Packing),
    Events(sse::Parser),
    Lines(Lines),
    /// One JSON document, of which nothing is known before its end.
    Whole(Vec<u8>),
    WebPage,
}

impl Framing {
    fn of(packing: Packing, first: u8) -> Self {
        match (packing, first) {
            (_, b'<') => Self::WebPage,
            (Packing::Lines, _) => Self::Lines(Lines::default()),
            (Packing::Events, b'{' | b'[') => Self::Whole(Vec::new()),
            (Packing::Events, _) => Self::Events(sse::Parser::default()),
        }
    }
}

impl<D: Decode> Reader<D> {
    pub fn new(decoder: D, packing: Packing) -> Self {
        let framing = Framing::Unknown(packing);
        Self { framing, decoder: Some(decoder), received: 0, ready: VecDeque::new(), error: None }
    }

    /// Whether `pop` gives all there will ever be.
    pub fn is_over(&self) -> bool {
        self.decoder.is_none()
    }

    pub fn pop(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        self.ready.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > MAX_ANSWER {
            return self.fail(|server| server.too_long(MAX_ANSWER));
        }
        if let (Framing::Unknown(packing), Some(first)) =
            (&self.framing, bytes.iter().find(|byte| !byte.is_ascii_whitespace()))
        {
            self.framing = Framing::of(*packing, *first);
        }
        let pushed = match &mut self.framing {
            Framing::Unknown(_) => return,
            Framing::WebPage => return self.fail(Server::web_page),
            Framing::Whole(document) => return document.extend_from_slice(bytes),
            Framing::Events(parser) => parser.push(bytes),
            Framing::Lines(lines) => lines.push(bytes),
        };
        self.decode();
        if pushed.is_err() {
            self.fail(|server| server.too_long(MAX_EVENT));
        }
    }

    /// No more bytes come.
    pub fn end(&mut self) {
        match &mut self.framing {
            Framing::Unknown(_) | Framing::WebPage => {}
            Framing::Events(parser) => parser.end(),
            Framing::Lines(lines) => lines.end(),
            Framing::Whole(document) => {
                let data = String::from_utf8_lossy(&mem::take(document)).into_owned();
                self.event(&sse::Event { name: String::new(), data });
            }
        }
        self.decode();
        self.finish();
    }

    /// Ends the answer with an error, unless it is over already.
    pub fn fail(&mut self, error: impl FnOnce(&Server) -> ModelError) {
        if let Some(decoder) = self.decoder.take() {
            self.error = Some(error(decoder.server()));
        }
    }

    fn decode(&mut self) {
        while let Some(event) = self.framing.pop() {
            self.event(&event);
        }
    }

    fn event(&mut self, event: &sse::Event) {
        let Some(decoder) = &mut self.decoder else { return };
        if let Err(error) = decoder.event(event, &mut self.ready) {
            return self.fail(|_| error);
        }
        if decoder.is_done() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if let Some(decoder) = self.decoder.take() {
            self.error = decoder.finish(&mut self.ready).err();
        }
    }
}

impl Framing {
    fn pop(&mut self) -> Option<sse::Event> {
        match self {
            Self::Events(parser) => parser.pop(),
            Self::Lines(lines) => lines.pop().map(|data| sse::Event { name: String::new(), data }),
            Self::Unknown(_) | Self::Whole(_) | Self::WebPage => None,
        }
    }
}
