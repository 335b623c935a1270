//! What the server draws of the conversation, as HTML that the page shows as it is: steps, what asks for a person's
//! word, the end of a turn, the composer's chips. Leptos writes it, so every text is escaped; characters that a person
//! can't see are shown by their number. Each form works by itself and needs no script.

mod approval;
mod arguments;
mod call;
mod diff;
mod export;
mod foot;
mod menu;
mod question;
mod still;

use leptos::prelude::*;

use crate::{
    markdown,
    protocol::{
        Actor, BasePath, SessionId,
        transcript::{Outcome, Transcript, Turn},
    },
    ui::words::{
        Language,
        cards::{CardWords, cards},
        still::{StillWords, still},
    },
};
pub use menu::MenuParts;
pub use still::facts;

/// Characters of a call's output that the page holds; the whole is in the turn row.
const OUTPUT_CHARS: usize = 8_000;

/// Draws for one reader of one session.
pub struct Pen {
    language: Language,
    words: &'static CardWords,
    still: &'static StillWords,
    /// Where the session's commands are.
    base: String,
}

impl Pen {
    pub fn new(language: Language, session: &SessionId, base: &BasePath) -> Self {
        Self {
            language,
            words: cards(language),
            still: still(language),
            base: base.at(&format!("/cowork/sessions/{session}")),
        }
    }

    /// The transcript as the page shows it: texts become blocks, calls become cards, and neither travels twice.
    pub fn transcript(&self, transcript: &mut Transcript) {
        for turn in &mut transcript.turns {
            turn.foot = self.foot(turn);
            self.messages(turn);
        }
    }

    fn messages(&self, turn: &mut Turn) {
        let (number, over) = (turn.turn, turn.outcome != Outcome::Running);
        for message in &mut turn.messages {
            message.blocks = markdown::render(&std::mem::take(&mut message.text));
            let calls = std::mem::take(&mut message.calls);
            message.cards = calls.iter().map(|call| self.call(number, call, over)).collect();
        }
    }

    /// Before there are accounts, the person at this machine is the reader.
    fn name(&self, actor: &Actor) -> String {
        if *actor == Actor::local() { self.words.you.to_owned() } else { markdown::visible_line(&actor.name) }
    }
}

/// A view as HTML, without the marks of a page that comes to life.
fn html(view: impl IntoView) -> String {
    Owner::new().with(|| view.into_any().to_html())
}
