//! The model that is always there: no key, no network, no download. It is not a language model and says so; what it
//! understands of a request it does with the session's own tools, in the same loop as any other model.
//!
//! A request goes `understand` → `plan` (which replays the turn's calls) → the next call, or an answer in Markdown.

mod act;
mod act_parts;
mod answer;
mod capabilities;
mod carry_out;
mod conversation;
mod decline;
mod file_answer;
mod finding;
mod inspect;
mod intent;
mod lines;
mod locate;
mod outcome;
mod phrase;
mod plan;
mod prose;
mod question;
mod results;
mod seek;
mod tally;
mod understand;
mod words;

#[cfg(test)]
mod act_tests;
#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod turn_tests;
#[cfg(test)]
mod yardstick_tests;

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use uuid::Uuid;

use self::plan::Next;
use crate::{
    agent::ports::model::{Model, ModelError, ModelEvent, ModelRequest},
    protocol::{CallId, ToolCall},
};

/// The default model when no other is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

/// Bytes of an answer per event: small enough that an answer is seen to arrive, and cut at a word's end.
const PIECE_BYTES: usize = 24;

impl BuiltIn {
    pub const NAME: &str = "built_in";
    /// In tokens. It has no window of its own: it reads the messages where they are. The figure lets a count of twenty full
    /// pages (20 × 64 KiB, some 330,000 tokens) stand in one turn, with room for the conversation before it.
    pub const CONTEXT_LIMIT: u64 = 1_000_000;
}

#[async_trait]
impl Model for BuiltIn {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        // Comparing long files takes a moment of computing, which must not hold up other sessions.
        let planned = async move {
            let events = tokio::task::spawn_blocking(move || events(&request)).await;
            let events = events.map_err(|error| ModelError::Fatal(format!("The built-in model failed: {error}.")));
            stream::iter(events.map_or_else(|error| vec![Err(error)], |events| events.into_iter().map(Ok).collect()))
        };
        let paced = stream::once(planned).flatten().then(|event| async move {
            tokio::task::yield_now().await;
            event
        });
        paced.boxed()
    }

    async fn health(&self) -> Result<(), ModelError> {
        Ok(())
    }
}

fn events(request: &ModelRequest) -> Vec<ModelEvent> {
    match plan::next(request) {
        Next::Call { name, args } => {
            let call = ToolCall { id: new_call_id(), name: name.to_owned(), arguments: args.to_string() };
            vec![ModelEvent::ToolCall(call)]
        }
        Next::Say(text) => prose::pieces(&text, PIECE_BYTES).into_iter().map(ModelEvent::Text).collect(),
    }
}

fn new_call_id() -> CallId {
    let id = Uuid::new_v4().simple().to_string();
    CallId::new(format!("call_{}", &id[..24]))
}
