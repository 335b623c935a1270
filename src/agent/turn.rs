//! The turn: ask the model, run the calls it wants, give it the results, until it rests.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    batch::{self, BatchEnd},
    calls,
    feed::Feed,
    guard::{LoopGuard, Step},
    ports::{
        model::{ChatMessage, ModelEntry, ModelError},
        store::{MessageEnd, Store, StoreResult, TurnWindow},
        tool::Tools,
    },
    prompt::{self, Preamble, Window},
    sample::{RetryPolicy, Sample, SampleEnd, sample},
    session::Interruption,
};
use crate::{
    protocol::{Actor, CallId, ContextUse, EventBody, InterruptReason, Role, SessionId, StoppedBy, Tokens, ToolCall},
    redaction::Redaction,
};

/// Model calls of one turn; a model that asks for more goes round in circles.
pub const MAX_MODEL_CALLS: u32 = 40;
/// Rows of history that a turn looks back on; more than any window holds.
const HISTORY_ROWS: u32 = 1000;

const NUDGE: &str = "The last answer was empty. Give the person a direct answer now, in words.";
const NO_ANSWER: &str = "I have no answer: the model said nothing, also when it was asked once more. What was found so far \
    stands above. Send the message again, or say it in other words.";
const REPEATED_CALL: &str = "Not run: the same call was made twice before with the same result. Use what is known, try \
    something else, or answer the person.";
const REPEATED: &str = "I stopped here: I was repeating the same step and got no further. What was found so far stands \
    above. Say what to do differently, or ask for a smaller part.";

/// Everything that one turn works with.
pub struct TurnContext {
    pub id: SessionId,
    pub turn: u32,
    pub workspace: PathBuf,
    /// See [`ToolContext::data`](super::ports::tool::ToolContext::data).
    pub data: PathBuf,
    pub system_prompt: Option<String>,
    /// The date, for a model that knows none.
    pub today: String,
    pub model: ModelEntry,
    /// The model's window, in tokens; as configured, until it was asked.
    pub window: u64,
    pub tools: Tools,
    pub retry: RetryPolicy,
    /// See [`Limits::full_mode`](super::Limits::full_mode).
    pub full_mode: bool,
    pub agent: Actor,
    pub store: Arc<dyn Store>,
    pub feed: Arc<Feed>,
    pub cancel: CancellationToken,
    /// Why it was cancelled, and by whom; set before `cancel` is.
    pub cancelled_for: Arc<OnceLock<Interruption>>,
    /// Moves with each word of a person on something that waits.
    pub words: watch::Receiver<u64>,
    pub redaction: Arc<Redaction>,
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
    /// The server leaves while the turn only waits for a person: it has no end yet.
    Suspended,
    Failed(String),
}

/// A turn that came to its end, before that is on record.
struct Rest {
    /// Its last message, where that one has no row yet: the row is written together with the end.
    last: Option<MessageEnd>,
    how: Result<Option<StoppedBy>, Halt>,
}

impl Rest {
    fn halted(halt: Halt) -> Self {
        Self { last: None, how: Err(halt) }
    }
}

/// Runs a turn whose user row is written, and records how it ended. Returns whether messages wait. `resumed`: it waited
/// for a person when a former process ended, and goes on.
pub async fn run_turn(mut context: TurnContext, resumed: bool) -> StoreResult<bool> {
    let started = Instant::now();
    if let Some(window) = context.cancel.run_until_cancelled(context.model.context_limit()).await {
        context.window = window;
    }
    let mut tally = Tally {
        started,
        first_text: None,
        tokens: Tokens::default(),
        calls: 0,
        context: ContextUse { used: 0, limit: context.window },
    };
    if resumed {
        tally.take_up(&context).await?;
    }
    let Rest { last, how } = go_round(&context, &mut tally, resumed).await?;
    let (by, end) = match how {
        Ok(stopped_by) => (context.agent.clone(), completed(&context, &tally, stopped_by)),
        Err(Halt::Suspended) => return Ok(false),
        Err(Halt::Cancelled) => cancelled(&context),
        Err(Halt::Failed(detail)) => {
            let end = EventBody::TurnInterrupted { turn: context.turn, reason: InterruptReason::Error, detail };
            (context.agent.clone(), end)
        }
    };
    context.store.end_turn(&by, &context.id, last, end).await
}

async fn go_round(context: &TurnContext, tally: &mut Tally, resumed: bool) -> StoreResult<Rest> {
    let mut said = load_conversation(context).await?;
    let preamble = preamble(context);
    let (mut used_ids, mut guard, mut nudged) = (HashSet::new(), LoopGuard::default(), false);
    let mut words = context.words.clone();
    if resumed {
        // What was said before the restart may not be taken yet.
        words.mark_changed();
    }
    if resumed {
        let open = std::mem::take(&mut said.open);
        if let Some(halt) = run_batch(context, &open, &mut said.messages, true).await? {
            return Ok(Rest::halted(halt));
        }
    }
    for message in said.written..MAX_MODEL_CALLS {
        take_steering(context, &mut words, &mut said.messages).await?;
        let prompt = preamble.prompt(
            &said.messages,
            said.first_turn,
            &Window {
                tokens: context.window,
                answer: context.model.answer_limit,
                carried: &|text, calls| context.model.model.carried_bytes(text, calls),
            },
        );
        let mut sample = sample(context, message, &prompt).await?;
        tally.add(&sample);
        rename_calls(context, &mut sample.calls, &mut used_ids).await?;
        let (text, calls) = (sample.text.clone(), sample.calls.clone());
        let ended = message_end(context, message, sample.text, &calls, &sample.end, sample.event);
        let is_empty = text.trim().is_empty();
        let rests = calls.is_empty() && !is_empty && !words.has_changed().unwrap_or(false);
        let how = match sample.end {
            SampleEnd::Complete => rests.then_some(Ok(None)),
            SampleEnd::Stopped => Some(Err(Halt::Cancelled)),
            SampleEnd::Failed(error) => Some(Err(Halt::Failed(explain(context, &error)))),
        };
        if let Some(how) = how {
            return Ok(Rest { last: Some(ended), how });
        }
        context.store.end_message(&context.id, ended).await?;
        let step = guard.step(&text, &calls);
        said.messages.push(ChatMessage::Assistant { text, calls: calls.clone() });
        if calls.is_empty() {
            if take_steering(context, &mut words, &mut said.messages).await? {
                continue;
            }
            if !is_empty {
                return Ok(Rest { last: None, how: Ok(None) });
            }
            if nudged {
                return Ok(say_last(context, message + 1, NO_ANSWER));
            }
            nudged = true;
            said.messages.pop();
            said.messages.push(ChatMessage::Note(NUDGE.into()));
            continue;
        }
        tally.calls += calls.len() as u32;
        match step {
            Step::Run => {
                if let Some(halt) = run_batch(context, &calls, &mut said.messages, false).await? {
                    return Ok(Rest::halted(halt));
                }
            }
            Step::Warn | Step::End => refuse_repetition(context, &calls, &mut said.messages).await?,
        }
        if step == Step::End {
            return Ok(say_last(context, message + 1, REPEATED));
        }
    }
    let notice = format!(
        "I stopped here: {MAX_MODEL_CALLS} steps in one turn is the limit, and there was still no answer. \
         What was found so far stands above. Ask for a smaller part, or say \"go on\"."
    );
    Ok(say_last(context, MAX_MODEL_CALLS, &notice))
}

/// A last message of ours, where the model comes to no end.
fn say_last(context: &TurnContext, message: u32, notice: &str) -> Rest {
    context.feed.begin_message(context.turn, message);
    context.feed.push_text(notice);
    let last = message_end(context, message, notice.into(), &[], &SampleEnd::Complete, None);
    Rest { last: Some(last), how: Ok(Some(StoppedBy::Limit)) }
}

/// What was said before this turn's next message.
struct Conversation {
    messages: Vec<ChatMessage>,
    /// Calls that have no result yet.
    open: Vec<ToolCall>,
    /// Messages of this turn that are written.
    written: u32,
    /// The turn that the first of the messages belongs to.
    first_turn: u32,
}

async fn load_conversation(context: &TurnContext) -> StoreResult<Conversation> {
    let window = TurnWindow::Before { turn_number: None, limit: HISTORY_ROWS };
    let rows = context.store.turns(&context.id, window).await?.turns;
    let written = rows.iter().filter(|row| row.turn == context.turn && row.message.is_some()).count();
    let (messages, open) = prompt::history(&rows);
    let first_turn = rows.iter().find(|row| row.role == Role::User).map_or(1, |row| row.turn);
    Ok(Conversation { messages, open, written: written as u32, first_turn })
}

fn preamble(context: &TurnContext) -> Preamble {
    let system = context
        .system_prompt
        .clone()
        .unwrap_or_else(|| prompt::system_prompt(&context.workspace.display().to_string(), &context.today));
    Preamble::new(system, &context.tools)
}

/// Puts what came meanwhile behind `messages`, files and words of the person; whether there were words.
async fn take_steering(
    context: &TurnContext,
    words: &mut watch::Receiver<u64>,
    messages: &mut Vec<ChatMessage>,
) -> StoreResult<bool> {
    // Nearly always nothing was said, and a look at the store would make the turn wait.
    if !words.has_changed().unwrap_or(false) {
        return Ok(false);
    }
    words.mark_unchanged();
    messages.extend(context.store.tell_uploads(&context.id).await?.map(ChatMessage::Note));
    let taken = context.store.take_steering(&context.id, context.turn).await?;
    messages.extend(taken.iter().map(|steering| prompt::steering(&steering.text)));
    Ok(!taken.is_empty())
}

async fn run_batch(
    context: &TurnContext,
    calls: &[ToolCall],
    messages: &mut Vec<ChatMessage>,
    resumed: bool,
) -> StoreResult<Option<Halt>> {
    Ok(match batch::run(context, calls, messages, resumed).await? {
        BatchEnd::Done => None,
        BatchEnd::Cancelled => Some(Halt::Cancelled),
        BatchEnd::Suspended => Some(Halt::Suspended),
        BatchEnd::Fatal(detail) => Some(Halt::Failed(detail)),
    })
}

/// The same calls again and again are not run; their results say so.
async fn refuse_repetition(
    context: &TurnContext,
    calls: &[ToolCall],
    messages: &mut Vec<ChatMessage>,
) -> StoreResult<()> {
    for call in calls {
        let result = calls::refuse(context, call, REPEATED_CALL, "not repeated").await?;
        messages.push(prompt::tool_message(call, &result));
    }
    Ok(())
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

fn message_end(
    context: &TurnContext,
    message: u32,
    text: String,
    calls: &[ToolCall],
    end: &SampleEnd,
    event: Option<EventBody>,
) -> MessageEnd {
    let partial = !matches!(end, SampleEnd::Complete);
    // Calls of a message that broke off never run; a row that named them would be a history without results.
    let calls = if partial { Vec::new() } else { calls.to_vec() };
    let (by, turn, events) = (context.agent.clone(), context.turn, event.into_iter().collect());
    MessageEnd { by, turn, message, text, calls, partial, events }
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

/// The end, and who stopped it.
fn cancelled(context: &TurnContext) -> (Actor, EventBody) {
    let why = context.cancelled_for.get().cloned();
    let Interruption { reason, by } = why.unwrap_or_else(|| Interruption::stopped(Actor::system()));
    let detail = match reason {
        InterruptReason::Restart => "The server was stopped while this was running. What was written so far is kept.",
        InterruptReason::Stopped | InterruptReason::Error => "Stopped. What was written so far is kept.",
    };
    (by, EventBody::TurnInterrupted { turn: context.turn, reason, detail: detail.into() })
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
    /// What the turn added up before the restart; the time starts anew.
    async fn take_up(&mut self, context: &TurnContext) -> StoreResult<()> {
        for record in context.store.records_from_turn(&context.id, context.turn).await? {
            match &record.event.body {
                EventBody::ModelCall { tokens: Some(tokens), .. } => {
                    self.tokens = self.tokens + *tokens;
                    self.context.used = tokens.input + tokens.output;
                }
                EventBody::ToolCallCompleted { .. } => self.calls += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, sample: &Sample) {
        self.first_text = self.first_text.or(sample.first_text);
        self.tokens = self.tokens + sample.tokens;
        self.context.used = sample.tokens.input + sample.tokens.output;
    }
}
