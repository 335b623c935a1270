//! What an actor is told, and by whom.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::protocol::{
    Accepted, Actor, Answer, ApiError, ApprovalId, Decision, InterruptReason, MessageId, QuestionId,
};

pub type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

pub enum Command {
    Send {
        actor: Actor,
        text: String,
        client_id: Option<String>,
        /// Paths of the workspace.
        attachments: Vec<String>,
        reply: Reply<Accepted>,
    },
    Stop {
        actor: Actor,
        reply: Reply<()>,
    },
    Steer {
        actor: Actor,
        text: String,
        reply: Reply<()>,
    },
    Decide {
        actor: Actor,
        approval: ApprovalId,
        decision: Decision,
        reply: Reply<()>,
    },
    Answer {
        actor: Actor,
        question: QuestionId,
        answer: Answer,
        reply: Reply<()>,
    },
    /// Files came, or the mode has changed: a running turn looks what that is to it.
    News,
    /// Goes on with a turn that waited for a person when a former process ended.
    Resume,
    EditQueued {
        actor: Actor,
        message: MessageId,
        text: String,
        reply: Reply<()>,
    },
    RemoveQueued {
        actor: Actor,
        message: MessageId,
        reply: Reply<()>,
    },
    /// The message is the next to start: at once, or when the running turn has ended, however it ends.
    SendQueued {
        actor: Actor,
        message: MessageId,
        reply: Reply<()>,
    },
    TurnEnded {
        turn: u32,
    },
    /// Ends the running turn and waits for it. It may end by itself first, for as long as `patience`.
    Settle {
        why: Interruption,
        patience: Duration,
        reply: oneshot::Sender<()>,
    },
}

/// A command, and the request that it came with, which the process log names.
pub struct Told {
    pub command: Command,
    pub request: Span,
}

impl From<Command> for Told {
    /// Of the program itself.
    fn from(command: Command) -> Self {
        Self { command, request: Span::none() }
    }
}

/// Why a turn is cut short, and whose doing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    pub reason: InterruptReason,
    pub by: Actor,
}

impl Interruption {
    pub fn stopped(by: Actor) -> Self {
        Self { reason: InterruptReason::Stopped, by }
    }

    /// The server leaves.
    pub fn restart() -> Self {
        Self { reason: InterruptReason::Restart, by: Actor::system() }
    }
}

/// Tells the actor that a turn's task is over, however it ends.
pub(super) struct TellEnd {
    pub turn: u32,
    pub mailbox: mpsc::WeakSender<Told>,
}

impl Drop for TellEnd {
    fn drop(&mut self) {
        let turn = self.turn;
        if let Some(mailbox) = self.mailbox.upgrade() {
            // The next turn is no part of this one's request.
            tokio::spawn(async move { drop(mailbox.send(Command::TurnEnded { turn }.into()).await) });
        }
    }
}
