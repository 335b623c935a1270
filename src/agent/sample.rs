//! One message of the model: the request, its retries, its text into the feed and, piece by piece, into the store, with
//! what the call came to so far.

use std::time::Duration;

use futures::StreamExt;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tracing::{Instrument, Span, field::Empty};

use super::{
    ports::{
        model::{ModelError, ModelEvent},
        store::{PartialText, StoreResult},
    },
    prompt::{Prompt, estimate_tokens},
    turn::TurnContext,
    writing::{CallInWriting, Writing},
};
use crate::{
    protocol::{EventBody, Tokens, ToolCall},
    redaction::OwnStream,
};

/// A killed process loses no more of the running message, and counts no less of it, than what came in this time …
const KEEP_EVERY: Duration = Duration::from_millis(250);
/// … or this many bytes, whichever is first.
const KEEP_BYTES: usize = 2048;
/// Longest answer of one model call: far more than a person reads, and it still fits a frame.
const MOST_TEXT_BYTES: usize = 1024 * 1024;
/// A provider that asks for more patience than this gets an error instead: a person is waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often and how patiently a failed request is sent again; the keys `model_call_*` of `[execution]`.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub attempts: u32,
    pub base: Duration,
    pub max: Duration,
    pub jitter: Duration,
}

/// What a model call gave, however it ended.
pub struct Sample {
    pub text: String,
    pub calls: Vec<ToolCall>,
    pub tokens: Tokens,
    /// `model_call` of the last attempt, where it is not on record yet.
    pub event: Option<EventBody>,
    pub first_text: Option<Instant>,
    pub end: SampleEnd,
}

pub enum SampleEnd {
    Complete,
    Stopped,
    Failed(ModelError),
}

#[derive(Default)]
struct Draft {
    text: String,
    calls: Vec<ToolCall>,
    usage: Option<Tokens>,
    /// Of text, thoughts and calls that came after `usage`.
    uncounted_bytes: usize,
    first_text: Option<Instant>,
    /// The request was sent; a stop may come before.
    asked: bool,
    /// Something of the answer has been shown, so the request can't be sent again.
    begun: bool,
    /// A model may repeat a key that it was asked with; what may become one is held back.
    said: OwnStream,
    thought: OwnStream,
    writing: CallInWriting,
}

/// One request of several for the same message.
struct Attempt<'a> {
    context: &'a TurnContext,
    message: u32,
    prompt: &'a Prompt,
    /// From 1.
    number: u32,
    started: Instant,
}

impl Attempt<'_> {
    fn event(&self, tokens: Option<Tokens>) -> EventBody {
        EventBody::ModelCall {
            turn: self.context.turn,
            message: self.message,
            model: self.context.model.name.clone(),
            attempt: self.number,
            tokens,
            ms: self.started.elapsed().as_millis() as u64,
        }
    }
}

pub async fn sample(context: &TurnContext, message: u32, prompt: &Prompt) -> StoreResult<Sample> {
    let mut number = 1;
    loop {
        let attempt = Attempt { context, message, prompt, number, started: Instant::now() };
        let mut draft = Draft::default();
        let span = tracing::debug_span!(
            "model_call",
            session = %context.id, turn = context.turn, message, model = context.model.name, attempt = number,
            input_tokens = Empty, output_tokens = Empty, outcome = Empty, otel.status_code = Empty
        );
        let end = stream(&attempt, &mut draft).instrument(span.clone()).await;
        let tokens = cost(prompt, &draft, &end);
        tell(&span, tokens, &end);
        let event = attempt.event(tokens);
        match retry_after(&context.retry, number, &end, &draft) {
            Some((wait, reason)) => {
                let retry = EventBody::ModelRetry {
                    turn: context.turn,
                    message,
                    attempt: number,
                    wait_ms: wait.as_millis() as u64,
                    reason,
                };
                context.store.record(&context.agent, &context.id, vec![event, retry]).await?;
                tokio::select! {
                    () = sleep(wait) => number += 1,
                    () = context.cancel.cancelled() => return Ok(finish(draft, tokens, None, SampleEnd::Stopped)),
                }
            }
            None => return Ok(finish(draft, tokens, Some(event), end)),
        }
    }
}

/// Tells the call's span what came of it, without a word of it.
fn tell(span: &Span, tokens: Option<Tokens>, end: &SampleEnd) {
    if let Some(tokens) = tokens {
        span.record("input_tokens", tokens.input).record("output_tokens", tokens.output);
    }
    match end {
        SampleEnd::Complete => span.record("outcome", "complete"),
        SampleEnd::Stopped => span.record("outcome", "stopped"),
        SampleEnd::Failed(_) => span.record("outcome", "failed").record("otel.status_code", "ERROR"),
    };
}

fn finish(draft: Draft, tokens: Option<Tokens>, event: Option<EventBody>, end: SampleEnd) -> Sample {
    let tokens = tokens.unwrap_or_default();
    Sample { text: draft.text, calls: draft.calls, tokens, event, first_text: draft.first_text, end }
}

/// Reads the model's stream to its end, its failure or the person's stop.
async fn stream(attempt: &Attempt<'_>, draft: &mut Draft) -> SampleEnd {
    let context = attempt.context;
    context.feed.begin_message(context.turn, attempt.message);
    if context.cancel.is_cancelled() {
        return SampleEnd::Stopped;
    }
    draft.asked = true;
    let mut keeper = Keeper::new(attempt);
    let mut stream = context.model.model.stream(attempt.prompt.request.clone());
    let end = loop {
        tokio::select! {
            // A stop is heard before the next piece of a model that never pauses.
            biased;
            () = context.cancel.cancelled() => break SampleEnd::Stopped,
            next = stream.next() => match next {
                None => break SampleEnd::Complete,
                Some(Err(error)) => break SampleEnd::Failed(error),
                Some(Ok(event)) => take(context, draft, event),
            },
            () = sleep_until(keeper.due_at()), if keeper.lacks(draft) => keeper.keep(draft),
        }
        if draft.text.len() > MOST_TEXT_BYTES {
            let detail = format!("its answer grew over {MOST_TEXT_BYTES} bytes. What was written so far is kept.");
            break SampleEnd::Failed(ModelError::Fatal(detail));
        }
        if draft.text.len() - keeper.kept >= KEEP_BYTES {
            keeper.keep(draft);
        }
    };
    let (said, thought) = (draft.said.finish(), draft.thought.finish());
    draft.say(context, &said);
    context.feed.push_thinking(&thought);
    keeper.finish().await;
    end
}

impl Draft {
    fn say(&mut self, context: &TurnContext, text: &str) {
        if !text.is_empty() {
            context.feed.push_text(text);
            self.text.push_str(text);
        }
    }
}

fn take(context: &TurnContext, draft: &mut Draft, event: ModelEvent) {
    let own = context.redaction.own();
    match event {
        ModelEvent::Text(text) => {
            draft.begun = true;
            draft.uncounted_bytes += text.len();
            draft.first_text.get_or_insert_with(Instant::now);
            let text = draft.said.push(&own, &text);
            draft.say(context, &text);
        }
        ModelEvent::Thinking(text) => {
            draft.begun = true;
            draft.uncounted_bytes += text.len();
            context.feed.push_thinking(&draft.thought.push(&own, &text));
        }
        ModelEvent::ToolCall(call) => {
            draft.begun = true;
            draft.uncounted_bytes += call.name.len() + call.arguments.len();
            draft.calls.push(ToolCall { arguments: own.cleaned(call.arguments), ..call });
        }
        ModelEvent::CallPiece { call, name, arguments } => {
            if let Some(writing) = draft.writing.add(&context.tools, call, &name, &arguments) {
                context.feed.tell_writing(Writing { preview: own.cleaned(writing.preview), ..writing });
            }
        }
        ModelEvent::Usage(tokens) => (draft.usage, draft.uncounted_bytes) = (Some(tokens), 0),
    }
}

/// How long to wait before the same request, and why; `None` where it is not sent again.
fn retry_after(policy: &RetryPolicy, attempt: u32, end: &SampleEnd, draft: &Draft) -> Option<(Duration, String)> {
    let SampleEnd::Failed(ModelError::Retry { after, detail }) = end else { return None };
    if draft.begun || attempt >= policy.attempts {
        return None;
    }
    let backoff = policy.base.saturating_mul(2u32.saturating_pow(attempt - 1)).min(policy.max) + jitter(policy.jitter);
    let wait = after.unwrap_or(backoff).max(backoff);
    (wait <= LONGEST_WAIT).then(|| (wait, detail.clone()))
}

/// A random part of `most`, so that many sessions don't come back at one moment.
fn jitter(most: Duration) -> Duration {
    let most = most.as_millis().max(1);
    Duration::from_millis((uuid::Uuid::new_v4().as_u128() % most) as u64)
}

/// What the call cost, as the provider says it, else as far as it came. `None` where the provider did nothing for it.
fn cost(prompt: &Prompt, draft: &Draft, end: &SampleEnd) -> Option<Tokens> {
    let worked = match end {
        SampleEnd::Complete => true,
        // It had the prompt to read.
        SampleEnd::Stopped => draft.asked,
        SampleEnd::Failed(_) => draft.begun,
    };
    let uncounted = estimate_tokens(draft.uncounted_bytes);
    match draft.usage {
        Some(whole) if !whole.estimated => Some(whole),
        Some(so_far) => {
            let [output, total] = [so_far.output, so_far.total].map(|count| count.saturating_add(uncounted));
            Some(Tokens { output, total, ..so_far })
        }
        None => worked.then(|| {
            let input = prompt.tokens;
            Tokens { input, output: uncounted, cached: 0, total: input + uncounted, estimated: true }
        }),
    }
}

/// Hands the running message to the store in pieces, one write at a time and never in the way of the stream.
struct Keeper<'a> {
    attempt: &'a Attempt<'a>,
    /// Bytes of text …
    kept: usize,
    /// … and what the call had cost, that were handed over.
    counted: Option<Tokens>,
    last: Instant,
    write: Option<JoinHandle<()>>,
}

impl<'a> Keeper<'a> {
    fn new(attempt: &'a Attempt<'a>) -> Self {
        Self { attempt, kept: 0, counted: None, last: Instant::now(), write: None }
    }

    fn lacks(&self, draft: &Draft) -> bool {
        draft.text.len() > self.kept || self.so_far(draft) != self.counted
    }

    /// What the call would cost if it ended now.
    fn so_far(&self, draft: &Draft) -> Option<Tokens> {
        let marked = |tokens| Tokens { estimated: true, ..tokens };
        cost(self.attempt.prompt, draft, &SampleEnd::Stopped).map(marked)
    }

    fn due_at(&self) -> Instant {
        self.last + KEEP_EVERY
    }

    fn keep(&mut self, draft: &Draft) {
        self.last = Instant::now();
        if self.write.as_ref().is_some_and(|write| !write.is_finished()) {
            return;
        }
        let Some(rest) = draft.text.get(self.kept..) else { return };
        let (Attempt { context, message, .. }, so_far) = (self.attempt, self.so_far(draft));
        let piece = PartialText {
            turn: context.turn,
            message: *message,
            offset: self.kept as u64,
            text: rest.to_owned(),
            call: self.attempt.event(so_far),
        };
        let (store, id) = (context.store.clone(), context.id.clone());
        (self.kept, self.counted) = (draft.text.len(), so_far);
        self.write = Some(tokio::spawn(async move {
            if let Err(error) = store.keep_partial(&id, piece).await {
                tracing::warn!(session = %id, %error, "a piece of the running text was not kept");
            }
        }));
    }

    /// Waits for the last write, so that it can't come after the message's own.
    async fn finish(self) {
        if let Some(write) = self.write {
            // A panic in there has been reported by the runtime; the text itself is in the draft.
            let _ = write.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ports::model::ModelRequest;

    #[test]
    fn a_call_costs_what_the_provider_says_else_as_far_as_it_came() {
        let prompt = Prompt { request: ModelRequest::default(), tokens: 50 };
        let failed = || SampleEnd::Failed(ModelError::Fatal("x".into()));
        let tokens = |input, output, estimated| Tokens { input, output, cached: 0, total: input + output, estimated };
        let draft = |usage| Draft { uncounted_bytes: 400, asked: true, begun: true, usage, ..Draft::default() };
        // Figures of the whole call hold, also where the text looks longer and where the call failed behind them.
        for end in [SampleEnd::Complete, SampleEnd::Stopped, failed()] {
            assert_eq!(cost(&prompt, &draft(Some(tokens(20, 3, false))), &end), Some(tokens(20, 3, false)));
            assert_eq!(cost(&prompt, &draft(None), &end), Some(tokens(50, 100, true)));
        }
        // Figures from the middle count what came before them.
        assert_eq!(cost(&prompt, &draft(Some(tokens(20, 1, true))), &SampleEnd::Stopped), Some(tokens(20, 101, true)));
        let counted = Draft { uncounted_bytes: 0, ..draft(Some(tokens(20, 7, true))) };
        assert_eq!(cost(&prompt, &counted, &failed()), Some(tokens(20, 7, true)));
        // Nobody worked for these.
        assert_eq!(cost(&prompt, &Draft::default(), &SampleEnd::Stopped), None);
        assert_eq!(cost(&prompt, &Draft { asked: true, ..Draft::default() }, &failed()), None);
        let asked = Draft { asked: true, ..Draft::default() };
        assert_eq!(cost(&prompt, &asked, &SampleEnd::Stopped), Some(tokens(50, 0, true)));
    }

    #[test]
    fn the_server_says_how_long_is_waited_and_our_own_patience_is_the_least() {
        let [base, max] = [100, 250].map(Duration::from_millis);
        let policy = RetryPolicy { attempts: 4, base, max, jitter: Duration::ZERO };
        let busy = |after| SampleEnd::Failed(ModelError::Retry { after, detail: "busy".into() });
        let wait = |attempt, seconds: Option<u64>| {
            let again = retry_after(&policy, attempt, &busy(seconds.map(Duration::from_secs)), &Draft::default());
            again.map(|(wait, reason)| (wait.as_millis(), reason)).inspect(|(_, reason)| assert_eq!(reason, "busy"))
        };
        let millis = |attempt, seconds| wait(attempt, seconds).map(|(wait, _)| wait);
        assert_eq!([1, 2, 3].map(|attempt| millis(attempt, None)), [Some(100), Some(200), Some(250)]);
        assert_eq!([0, 7, 60].map(|seconds| millis(1, Some(seconds))), [Some(100), Some(7_000), Some(60_000)]);
        // Nobody is kept waiting for longer, or after the last try.
        assert_eq!((millis(1, Some(61)), millis(4, None), millis(4, Some(1))), (None, None, None));
    }

    #[test]
    fn what_has_begun_or_can_not_succeed_is_not_sent_again() {
        let policy = RetryPolicy { attempts: 4, base: KEEP_EVERY, max: KEEP_EVERY, jitter: KEEP_EVERY };
        let again = |error: ModelError, begun| {
            let draft = Draft { begun, ..Draft::default() };
            retry_after(&policy, 1, &SampleEnd::Failed(error), &draft).is_some()
        };
        let later = || ModelError::Retry { after: None, detail: "busy".into() };
        assert!(again(later(), false) && !again(later(), true));
        for error in
            [ModelError::ContextFull, ModelError::Auth, ModelError::Refused, ModelError::Cut, ModelError::Fatal]
        {
            assert!(!again(error("no".into()), false));
        }
        for end in [SampleEnd::Complete, SampleEnd::Stopped] {
            assert!(retry_after(&policy, 1, &end, &Draft::default()).is_none());
        }
    }
}
