//! The parts of a transcript that can change alone.

use leptos::prelude::*;

use crate::protocol::{
    CallId,
    transcript::{CallCard, Message, Outcome, Said, Steered, Turn},
};

/// Live text that is shown of a running call and of thoughts, in bytes; the newest. Each piece costs the same.
const LIVE_BYTES: usize = 4000;

#[derive(Clone, Copy, PartialEq)]
pub struct TurnView {
    pub turn: u32,
    pub user: RwSignal<Option<Said>>,
    pub messages: RwSignal<Vec<MessageView>>,
    pub outcome: RwSignal<Outcome>,
    pub retry: RwSignal<Option<String>>,
    pub steering: RwSignal<Vec<Steered>>,
    /// The call that the model is writing, as HTML; empty while it writes none.
    pub writing: RwSignal<String>,
    /// As HTML; empty while the turn runs.
    pub foot: RwSignal<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub struct MessageView {
    pub message: u32,
    /// The newest of what the model thinks before it writes.
    pub thinking: RwSignal<String>,
    pub blocks: RwSignal<Vec<BlockView>>,
    pub partial: RwSignal<bool>,
    pub calls: RwSignal<Vec<CallView>>,
}

/// A rendered block; finished ones never change again.
#[derive(Clone, Copy, PartialEq)]
pub struct BlockView {
    pub index: usize,
    pub html: RwSignal<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub struct CallView {
    pub index: usize,
    pub card: RwSignal<CallCard>,
    /// The newest of what it has put out so far.
    pub live: RwSignal<String>,
}

impl TurnView {
    pub(super) fn new(turn: &mut Turn) -> Self {
        Self {
            turn: turn.turn,
            user: RwSignal::new(turn.user.clone()),
            messages: RwSignal::new(turn.messages.iter_mut().map(MessageView::new).collect()),
            outcome: RwSignal::new(turn.outcome.clone()),
            retry: RwSignal::new(turn.retry.clone()),
            steering: RwSignal::new(turn.steering.clone()),
            writing: RwSignal::default(),
            foot: RwSignal::new(std::mem::take(&mut turn.foot)),
        }
    }
}

impl MessageView {
    pub(super) fn call(&self, id: &CallId) -> Option<CallView> {
        let is_it = |call: &&CallView| call.card.with_untracked(|card| card.tool_call_id == *id);
        self.calls.with_untracked(|calls| calls.iter().rev().find(is_it).copied())
    }

    /// Takes what is drawn along: the view owns it from here on.
    pub(super) fn new(message: &mut Message) -> Self {
        let block = |(index, html)| BlockView { index, html: RwSignal::new(html) };
        let calls =
            std::mem::take(&mut message.cards).into_iter().enumerate().map(|(index, card)| CallView::new(index, card));
        Self {
            message: message.message,
            thinking: RwSignal::default(),
            blocks: RwSignal::new(std::mem::take(&mut message.blocks).into_iter().enumerate().map(block).collect()),
            partial: RwSignal::new(message.partial),
            calls: RwSignal::new(calls.collect()),
        }
    }
}

impl CallView {
    pub(super) fn new(index: usize, card: CallCard) -> Self {
        Self { index, card: RwSignal::new(card), live: RwSignal::default() }
    }
}

/// Adds to a text of which the newest is kept.
pub(super) fn add_live(live: RwSignal<String>, text: &str) {
    live.update(|shown| {
        shown.push_str(text);
        if shown.len() > 2 * LIVE_BYTES {
            let cut = shown.ceil_char_boundary(shown.len() - LIVE_BYTES);
            shown.drain(..cut);
        }
    });
}
