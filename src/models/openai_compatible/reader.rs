//! The bytes of an answer, cut anywhere, to the events of the port. No I/O: the connection pushes, the stream pops.

use std::{collections::VecDeque, mem};

use super::{
    decoder::Decoder,
    sse::{self, MAX_EVENT},
};
use crate::agent::ports::model::{ModelError, ModelEvent};

/// Longest answer, in bytes: far above any model's output, and little enough to hold.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;

pub struct Reader {
    framing: Framing,
    /// `None` once the answer is over.
    decoder: Option<Decoder>,
    received: usize,
    ready: VecDeque<Result<ModelEvent, ModelError>>,
}

/// How the answer is packed. The content type is not asked: what the first byte shows is surer.
enum Framing {
    Unknown,
    Events(sse::Parser),
    /// One JSON document, of which nothing is known before its end.
    Whole(Vec<u8>),
    WebPage,
}

impl Framing {
    fn of(first: u8) -> Self {
        match first {
            b'{' | b'[' => Self::Whole(Vec::new()),
            b'<' => Self::WebPage,
            _ => Self::Events(sse::Parser::default()),
        }
    }
}

impl Reader {
    pub fn new(decoder: Decoder) -> Self {
        Self { framing: Framing::Unknown, decoder: Some(decoder), received: 0, ready: VecDeque::new() }
    }

    /// Whether `pop` gives all there will ever be.
    pub fn is_over(&self) -> bool {
        self.decoder.is_none()
    }

    pub fn pop(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        self.ready.pop_front()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.received = self.received.saturating_add(bytes.len());
        if self.received > MAX_ANSWER {
            return self.fail(|decoder| decoder.server().too_long(MAX_ANSWER));
        }
        if let (Framing::Unknown, Some(first)) = (&self.framing, bytes.iter().find(|byte| !byte.is_ascii_whitespace()))
        {
            self.framing = Framing::of(*first);
        }
        match &mut self.framing {
            Framing::Unknown => {}
            Framing::WebPage => self.fail(|decoder| decoder.server().web_page()),
            Framing::Whole(document) => document.extend_from_slice(bytes),
            Framing::Events(parser) => {
                let pushed = parser.push(bytes);
                self.decode();
                if pushed.is_err() {
                    self.fail(|decoder| decoder.server().too_long(MAX_EVENT));
                }
            }
        }
    }

    /// No more bytes come. That is an end like `[DONE]`, which some servers leave out.
    pub fn end(&mut self) {
        match &mut self.framing {
            Framing::Unknown | Framing::WebPage => {}
            Framing::Events(parser) => {
                parser.end();
                self.decode();
            }
            Framing::Whole(document) => {
                let data = String::from_utf8_lossy(&mem::take(document)).into_owned();
                self.event(&sse::Event { name: String::new(), data });
            }
        }
        self.finish();
    }

    /// Ends the answer with an error, unless it is over already.
    pub fn fail(&mut self, error: impl FnOnce(&Decoder) -> ModelError) {
        if let Some(decoder) = self.decoder.take() {
            self.ready.push_back(Err(error(&decoder)));
        }
    }

    fn decode(&mut self) {
        while let Framing::Events(parser) = &mut self.framing
            && let Some(event) = parser.pop()
        {
            self.event(&event);
        }
    }

    fn event(&mut self, event: &sse::Event) {
        let Some(decoder) = &mut self.decoder else { return };
        match decoder.event(event) {
            Ok(events) => self.ready.extend(events.into_iter().map(Ok)),
            Err(error) => return self.fail(|_| error),
        }
        if decoder.is_done() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        match self.decoder.take().map(Decoder::finish) {
            Some(Ok(events)) => self.ready.extend(events.into_iter().map(Ok)),
            Some(Err(error)) => self.ready.push_back(Err(error)),
            None => {}
        }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
