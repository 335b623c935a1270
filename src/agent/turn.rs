//! The turn: ask the model, run the calls it wants, give it the results, until it rests.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    calls::{run_call, skip_call},
    feed::Feed,
    ports::{
        model::{ChatMessage, ModelEntry, ModelError},
        store::{MessageEnd, Store, StoreResult, TurnWindow},
        tool::Tools,
    },
    prompt::{self, Preamble},
    sample::{RetryPolicy, Sample, SampleEnd, sample},
};
use crate::protocol::{Actor, CallId, ContextUse, EventBody, InterruptReason, SessionId, StoppedBy, Tokens, ToolCall};

/// Model calls of one turn; a model that asks for more goes round in circles.
pub const MAX_MODEL_CALLS: u32 = 40;
/// Rows of history that a turn looks back on; more than any window holds.
const HISTORY_ROWS: u32 = 1000;

/// Everything that one turn works with.
pub struct TurnContext {
    pub id: SessionId,
    pub turn: u32,
    pub workspace: PathBuf,
    /// See [`ToolContext::data`](super::ports::tool::ToolContext::data).
    pub data: PathBuf,
    pub system_prompt: Option<String>,
    pub model: ModelEntry,
    pub tools: Tools,
    pub retry: RetryPolicy,
    pub agent: Actor,
    pub store: Arc<dyn Store>,
    pub feed: Arc<Feed>,
    pub cancel: CancellationToken,
    /// Why it was cancelled; set before `cancel` is.
    pub cancelled_for: Arc<OnceLock<InterruptReason>>,
}

/// What a running turn has added up.
struct Tally {
    started: Instant,
    first_text: Option<Instant>,
    tokens: Tokens,
    calls: u32,
    context: ContextUse,
}

/// How a turn ends when the model does not rest by itself.
enum Halt {
    Cancelled,
    Failed(String),
}

/// Runs a turn whose user row is written, and records how it ended.
pub async fn run_turn(context: TurnContext) -> StoreResult<()> {
    let started = Instant::now();
    let limit = context.cancel.run_until_cancelled(context.model.context_limit()).await;
    let mut tally = Tally {
        started,
        first_text: None,
        tokens: Tokens::default(),
        calls: 0,
        context: ContextUse { used: 0, limit: limit.unwrap_or(context.model.context_limit) },
    };
    let ended = go_round(&context, &mut tally).await?;
    let end = match ended {
        Ok(stopped_by) => completed(&context, &tally, stopped_by),
        Err(halt) => interrupted(&context, halt),
    };
    context.store.end_turn(&context.agent, &context.id, end).await
}

async fn go_round(context: &TurnContext, tally: &mut Tally) -> StoreResult<Result<Option<StoppedBy>, Halt>> {
    let mut messages = load_history(context).await?;
    let preamble = preamble(context);
    let mut used_ids = HashSet::new();
    for message in 0..MAX_MODEL_CALLS {
        let prompt = preamble.prompt(&messages, tally.context.limit);
        let mut sample = sample(context, message, &prompt).await?;
        tally.add(&sample);
        rename_calls(context, &mut sample.calls, &mut used_ids).await?;
        let (text, calls) = (sample.text.clone(), sample.calls.clone());
        record_message(context, message, sample.text, &calls, &sample.end, vec![sample.event]).await?;
        match sample.end {
            SampleEnd::Complete => {}
            SampleEnd::Stopped => return Ok(Err(Halt::Cancelled)),
            SampleEnd::Failed(error) => return Ok(Err(Halt::Failed(explain(context, &error)))),
        }
        if calls.is_empty() {
            return Ok(Ok(None));
        }
        messages.push(ChatMessage::Assistant { text, calls: calls.clone() });
        tally.calls += calls.len() as u32;
        if let Some(halt) = run_batch(context, &calls, &mut messages).await? {
            return Ok(Err(halt));
        }
    }
    let notice = format!(
        "I stopped here: {MAX_MODEL_CALLS} steps in one turn is the limit, and there was still no answer. \
         What was found so far stands above. Ask for a smaller part, or say \"go on\"."
    );
    context.feed.begin_message(context.turn, MAX_MODEL_CALLS);
    context.feed.push_text(&notice);
    record_message(context, MAX_MODEL_CALLS, notice, &[], &SampleEnd::Complete, Vec::new()).await?;
    Ok(Ok(Some(StoppedBy::Limit)))
}

async fn load_history(context: &TurnContext) -> StoreResult<Vec<ChatMessage>> {
    let window = TurnWindow::Before { turn_number: None, limit: HISTORY_ROWS };
    let rows = context.store.turns(&context.id, window).await?.turns;
    Ok(prompt::history(&rows))
}

fn preamble(context: &TurnContext) -> Preamble {
    let system = context
        .system_prompt
        .clone()
        .unwrap_or_else(|| prompt::system_prompt(&context.workspace.display().to_string()));
    Preamble::new(system, context.tools.specs().clone())
}

/// Gives every call an id that the session has not used; some servers number from 1 in each answer.
async fn rename_calls(context: &TurnContext, calls: &mut [ToolCall], used: &mut HashSet<String>) -> StoreResult<()> {
    for call in calls {
        let mut id = prompt::unused_id(call.id.as_str(), used);
        while context.store.call_id_used(&context.id, &CallId::new(id.as_str())).await? {
            used.insert(id);
            id = prompt::unused_id(call.id.as_str(), used);
        }
        used.insert(id.clone());
        call.id = CallId::new(id);
    }
    Ok(())
}

async fn record_message(
    context: &TurnContext,
    message: u32,
    text: String,
    calls: &[ToolCall],
    end: &SampleEnd,
    events: Vec<EventBody>,
) -> StoreResult<()> {
    let partial = !matches!(end, SampleEnd::Complete);
    // Calls of a message that broke off never run; a row that named them would be a history without results.
    let calls = if partial { Vec::new() } else { calls.to_vec() };
    let end = MessageEnd { turn: context.turn, message, text, calls, partial, events };
    context.store.end_message(&context.agent, &context.id, end).await
}

/// Runs the calls in the model's order. After a stop the rest get a written result each.
async fn run_batch(
    context: &TurnContext,
    calls: &[ToolCall],
    messages: &mut Vec<ChatMessage>,
) -> StoreResult<Option<Halt>> {
    let mut fatal = None;
    for call in calls {
        if context.cancel.is_cancelled() || fatal.is_some() {
            skip_call(context, call).await?;
            continue;
        }
        let outcome = run_call(context, call).await?;
        messages.push(prompt::tool_message(call, &outcome.result));
        fatal = outcome.fatal;
    }
    if context.cancel.is_cancelled() {
        return Ok(Some(Halt::Cancelled));
    }
    Ok(fatal.map(Halt::Failed))
}

fn completed(context: &TurnContext, tally: &Tally, stopped_by: Option<StoppedBy>) -> EventBody {
    let first_text = tally.first_text.unwrap_or_else(Instant::now);
    EventBody::TurnCompleted {
        turn: context.turn,
        model: context.model.name.clone(),
        tokens: tally.tokens,
        latency_ms: first_text.duration_since(tally.started).as_millis() as u64,
        total_time_ms: tally.started.elapsed().as_millis() as u64,
        tool_calls: tally.calls,
        context: tally.context,
        stopped_by,
    }
}

fn interrupted(context: &TurnContext, halt: Halt) -> EventBody {
    let (reason, detail) = match halt {
        Halt::Failed(detail) => (InterruptReason::Error, detail),
        Halt::Cancelled => {
            let reason = context.cancelled_for.get().copied().unwrap_or(InterruptReason::Stopped);
            (reason, describe(reason).into())
        }
    };
    EventBody::TurnInterrupted { turn: context.turn, reason, detail }
}

fn describe(reason: InterruptReason) -> &'static str {
    match reason {
        InterruptReason::Restart => "The server was stopped while this was running. What was written so far is kept.",
        InterruptReason::Stopped | InterruptReason::Error => "Stopped. What was written so far is kept.",
    }
}

/// The failure in words for a person: fact, effect, next step.
fn explain(context: &TurnContext, error: &ModelError) -> String {
    let name = &context.model.name;
    match error {
        ModelError::Retry { detail, .. } => {
            format!("The model `{name}` did not answer: {detail} Send the message again to try once more.")
        }
        ModelError::ContextFull(detail) => {
            format!(
                "The conversation is too long for the model `{name}`: {detail} Start a new session, or configure a larger window."
            )
        }
        ModelError::Auth(detail) => {
            format!("The model `{name}` did not accept its key: {detail} Ask whoever runs this server to check it.")
        }
        ModelError::Refused(detail) => format!("The model `{name}` refused to answer: {detail}"),
        ModelError::Cut(detail) => format!("The answer of the model `{name}` is cut off here: {detail}"),
        ModelError::Fatal(detail) => format!("The model `{name}` can't be used: {detail}"),
    }
}

impl Tally {
    fn add(&mut self, sample: &Sample) {
        self.first_text = self.first_text.or(sample.first_text);
        self.tokens = self.tokens + sample.tokens;
        self.context.used = sample.tokens.input + sample.tokens.output;
    }
}
