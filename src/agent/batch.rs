//! The calls of one message: who must agree, what runs at the same time, and in which order results stand.

use futures::{StreamExt, stream};

use super::{
    approval::{Verdict, judge, permitted},
    calls::{self, CallOutcome, Prepared},
    new_id,
    ports::{
        model::{ChatMessage, Picture},
        store::{NewApproval, StoreResult},
    },
    prompt,
    turn::TurnContext,
    waiting::{self, Cancelled},
};
use crate::protocol::{ApprovalId, Decision, Mode, Risk, ToolCall, ToolResult};

/// Reading calls that run at the same time: enough to hide a slow disk, few enough for two cores.
const PARALLEL: usize = 4;

pub enum BatchEnd {
    Done,
    Cancelled,
    /// The server leaves while a call waits for a person.
    Suspended,
    /// A fault of ours, in words.
    Fatal(String),
}

struct Judged<'c> {
    prepared: Prepared<'c>,
    verdict: Verdict,
}

/// Runs the calls and puts their results behind `messages`, in the model's order. `resumed`: they were asked for
/// before a restart.
pub async fn run(
    context: &TurnContext,
    calls: &[ToolCall],
    messages: &mut Vec<ChatMessage>,
    resumed: bool,
) -> StoreResult<BatchEnd> {
    let mut batch = judge_all(context, calls, resumed).await?;
    if !resumed {
        spare_impossible(context, &mut batch).await;
    }
    request_approvals(context, &batch).await?;
    if batch.len() > 1 && batch.iter().all(Judged::runs_beside_others) {
        return run_together(context, &batch, messages).await;
    }
    let (mut end, mut pictures) = (BatchEnd::Done, Vec::new());
    for judged in &batch {
        let call = judged.prepared.call;
        if matches!(end, BatchEnd::Done) && context.cancel.is_cancelled() {
            end = BatchEnd::Cancelled;
        }
        match end {
            BatchEnd::Done => {}
            // What has no result yet is taken up after the restart.
            BatchEnd::Suspended => break,
            BatchEnd::Cancelled | BatchEnd::Fatal(_) => {
                skip(context, call).await?;
                continue;
            }
        }
        match run_one(context, judged, resumed).await? {
            CallOutcome::Done(result, shown) => {
                messages.push(prompt::tool_message(call, &result));
                pictures.extend(shown);
            }
            CallOutcome::Fatal(result, why) => {
                messages.push(prompt::tool_message(call, &result));
                end = BatchEnd::Fatal(why);
            }
            CallOutcome::Suspended => end = BatchEnd::Suspended,
        }
    }
    show(pictures, messages);
    if matches!(end, BatchEnd::Done) && context.cancel.is_cancelled() {
        end = BatchEnd::Cancelled;
    }
    Ok(end)
}

/// Behind the results of the batch, which stand together.
fn show(pictures: Vec<Picture>, messages: &mut Vec<ChatMessage>) {
    if !pictures.is_empty() {
        messages.push(ChatMessage::Pictures(pictures));
    }
}

async fn judge_all<'c>(context: &TurnContext, calls: &'c [ToolCall], resumed: bool) -> StoreResult<Vec<Judged<'c>>> {
    let prepared: Vec<_> = calls.iter().map(|call| calls::prepare(context, call)).collect();
    let risky = |prepared: &Prepared<'_>| prepared.action.as_ref().is_some_and(|action| action.risk.is_some());
    // Read anew for each batch: the person may have changed the mode meanwhile.
    let (mode, rules) = if prepared.iter().any(risky) {
        let session = context.store.session(&context.id).await?;
        let mode = session.map(|session| session.mode).unwrap_or_default();
        (permitted(mode, context.full_mode), context.store.rules(&context.id).await?)
    } else {
        (Mode::default(), Vec::new())
    };
    let verdict = |prepared: &Prepared<'_>| match prepared.action.clone() {
        None => Verdict::Free,
        Some(action) if resumed => asked_before(action.risk, action.scope),
        Some(action) => judge(mode, &rules, &prepared.call.name, action),
    };
    Ok(prepared.into_iter().map(|prepared| Judged { verdict: verdict(&prepared), prepared }).collect())
}

/// After a restart every risky call asks: whether it was free before is not known, and one that was asked about has
/// its approval, decided or not.
fn asked_before(risk: Option<Risk>, scope: Option<String>) -> Verdict {
    risk.map_or(Verdict::Free, |risk| Verdict::Ask { risk, scope })
}

/// A call that can't be done as the files stand asks nobody: the model is told at once. What a call before it may
/// change first is not known yet.
async fn spare_impossible(context: &TurnContext, batch: &mut [Judged<'_>]) {
    for Judged { prepared, verdict } in batch {
        match verdict {
            Verdict::Ask { .. } if !calls::foresee(context, prepared).await => *verdict = Verdict::Free,
            Verdict::Free if prepared.action.as_ref().is_none_or(|action| action.risk.is_none()) => {}
            Verdict::Refused(_) => {}
            Verdict::Ask { .. } | Verdict::Free => return,
        }
    }
}

/// All at once, so that a person sees everything that waits.
async fn request_approvals(context: &TurnContext, batch: &[Judged<'_>]) -> StoreResult<()> {
    for Judged { prepared, verdict } in batch {
        let Verdict::Ask { risk, scope } = verdict else { continue };
        let new = NewApproval {
            approval_id: ApprovalId::new(new_id()),
            turn: context.turn,
            tool_call_id: prepared.call.id.clone(),
            name: prepared.call.name.clone(),
            args: prepared.shown.clone(),
            preview: prepared.preview.clone(),
            risk: *risk,
            scope: scope.clone(),
        };
        context.store.request_approval(&context.agent, &context.id, new).await?;
    }
    Ok(())
}

async fn run_one(context: &TurnContext, judged: &Judged<'_>, resumed: bool) -> StoreResult<CallOutcome> {
    let Judged { prepared, verdict } = judged;
    let call = prepared.call;
    match verdict {
        Verdict::Free => {}
        Verdict::Refused(why) => {
            return calls::refuse(context, call, why, "not allowed in this mode").await.map(done);
        }
        Verdict::Ask { .. } => match waiting::decision(context, &call.id).await? {
            Err(Cancelled) if context.leaves() => return Ok(CallOutcome::Suspended),
            Err(Cancelled) => return skip(context, call).await,
            Ok(decided) if decided.decision == Decision::Deny => {
                let why = "The person denied this call, so it was not run. Do not try the same again; go on without it, \
                           or ask what they would rather have.";
                return calls::refuse(context, call, why, "denied").await.map(done);
            }
            Ok(_) => {}
        },
    }
    calls::start(context, prepared, resumed).await?;
    match calls::execute(context, prepared).await {
        Some(ran) => calls::end(context, call, ran).await,
        None => Ok(CallOutcome::Suspended),
    }
}

/// Calls that only look run at the same time; their results stand in the model's order.
async fn run_together(
    context: &TurnContext,
    batch: &[Judged<'_>],
    messages: &mut Vec<ChatMessage>,
) -> StoreResult<BatchEnd> {
    for judged in batch {
        calls::start(context, &judged.prepared, false).await?;
    }
    let running: Vec<_> = batch.iter().map(|judged| calls::execute(context, &judged.prepared)).collect();
    let mut running = stream::iter(running).buffered(PARALLEL);
    let (mut end, mut pictures) = (BatchEnd::Done, Vec::new());
    for Judged { prepared: Prepared { call, .. }, .. } in batch {
        let Some(Some(ran)) = running.next().await else { continue };
        match calls::end(context, call, ran).await? {
            CallOutcome::Done(result, shown) => {
                messages.push(prompt::tool_message(call, &result));
                pictures.extend(shown);
            }
            CallOutcome::Fatal(result, why) => {
                messages.push(prompt::tool_message(call, &result));
                end = BatchEnd::Fatal(why);
            }
            CallOutcome::Suspended => {}
        }
    }
    show(pictures, messages);
    Ok(if context.cancel.is_cancelled() { BatchEnd::Cancelled } else { end })
}

/// A written result for a call that the end of the turn came before. What waits for a person's word waits no more.
async fn skip(context: &TurnContext, call: &ToolCall) -> StoreResult<CallOutcome> {
    context.store.withdraw(&context.id).await?;
    calls::refuse(context, call, "Not run: the turn was ended before.", "not run").await.map(done)
}

fn done(result: ToolResult) -> CallOutcome {
    CallOutcome::Done(result, Vec::new())
}

impl Judged<'_> {
    fn runs_beside_others(&self) -> bool {
        self.verdict == Verdict::Free && self.prepared.action.as_ref().is_none_or(|action| action.parallel)
    }
}
