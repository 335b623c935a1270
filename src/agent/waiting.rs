//! Waiting for a person's word, which the store keeps: a word that comes while nobody waits is not lost.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    new_id,
    ports::{
        store::{Decided, NewQuestion, QuestionState, Recall, Recalled, StoreResult},
        tool::{ToolError, ToolHost},
    },
    turn::TurnContext,
};
use crate::{
    protocol::{CallId, Question, QuestionId, Task, ToolCall},
    redaction::OwnStream,
};

/// The turn was stopped, or the server is leaving.
pub struct Cancelled;

/// Waits for the word on a call.
pub async fn decision(context: &TurnContext, call: &CallId) -> StoreResult<Result<Decided, Cancelled>> {
    let mut words = context.words.clone();
    loop {
        words.mark_unchanged();
        if let Some(decided) = context.store.decided(&context.id, call).await? {
            return Ok(Ok(decided));
        }
        if next_word(context, &mut words).await.is_err() {
            return Ok(Err(Cancelled));
        }
    }
}

/// Resolves at the next word of a person.
async fn next_word(context: &TurnContext, words: &mut watch::Receiver<u64>) -> Result<(), Cancelled> {
    tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(Cancelled),
        // The actor holds the other end and outlives its turn.
        word = words.changed() => word.map_err(|_| Cancelled),
    }
}

/// What a running call can ask of its session.
pub struct CallHost<'a> {
    pub context: &'a TurnContext,
    pub call: &'a ToolCall,
    /// Nothing but a person's word is needed for the call to go on.
    pub waits: AtomicBool,
    /// Its live output, which may come with a key of ours in pieces.
    printed: Mutex<OwnStream>,
}

impl<'a> CallHost<'a> {
    pub fn new(context: &'a TurnContext, call: &'a ToolCall) -> Self {
        Self { context, call, waits: AtomicBool::new(false), printed: Mutex::default() }
    }

    fn printed(&self) -> MutexGuard<'_, OwnStream> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No output follows.
    pub fn finish_output(&self) {
        let rest = self.printed().finish();
        if !rest.is_empty() {
            self.context.feed.push_output(self.call, &rest);
        }
    }
}

#[async_trait]
impl ToolHost for CallHost<'_> {
    fn output(&self, text: &str) {
        let text = self.printed().push(&self.context.redaction.own(), text);
        if !text.is_empty() {
            self.context.feed.push_output(self.call, &text);
        }
    }

    async fn ask(&self, question: Question) -> Result<String, ToolError> {
        let failed = |error| ToolError::Fatal(format!("The question could not be kept: {error}"));
        let gone = || ToolError::RespondToModel("The turn was ended before the person answered.".into());
        let context = self.context;
        let new = NewQuestion {
            question_id: QuestionId::new(new_id()),
            turn: context.turn,
            tool_call_id: self.call.id.clone(),
            question,
        };
        context.store.ask(&context.agent, &context.id, new).await.map_err(failed)?;
        self.waits.store(true, Ordering::SeqCst);
        let mut words = context.words.clone();
        loop {
            words.mark_unchanged();
            match context.store.question(&context.id, &self.call.id).await.map_err(failed)? {
                QuestionState::Answered { words, .. } => {
                    self.waits.store(false, Ordering::SeqCst);
                    return Ok(words);
                }
                QuestionState::Withdrawn => return Err(gone()),
                QuestionState::Waiting => next_word(context, &mut words).await.map_err(|Cancelled| gone())?,
            }
        }
    }

    async fn set_tasks(&self, tasks: Vec<Task>) -> Result<(), ToolError> {
        let kept = self.context.store.set_tasks(&self.context.id, tasks).await;
        kept.map_err(|error| ToolError::Fatal(format!("The plan could not be kept: {error}")))
    }

    async fn recall(&self, recall: Recall) -> Result<Vec<Recalled>, ToolError> {
        let found = self.context.store.recall(&self.context.id, recall).await;
        found.map_err(|error| ToolError::Fatal(format!("The conversation could not be searched: {error}")))
    }
}
