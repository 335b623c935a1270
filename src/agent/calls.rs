//! One tool call: an intent before it runs, its live output, a result after.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::Value;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tracing::{Instrument, field::Empty};

use super::{
    ports::{
        model::Picture,
        store::{CallEnd, CallStart, QuestionState, StoreResult},
        tool::{Action, ToolContext, ToolError, ToolOutput},
    },
    session::Interruption,
    turn::TurnContext,
    waiting::CallHost,
};
use crate::{
    protocol::{InterruptReason, ToolCall, ToolResult},
    redaction::OwnValues,
};

/// Longest preview of a call or a result, in characters: one line of a card.
const PREVIEW_CHARS: usize = 80;
/// How long a tool may take to end when it is told to: a person who stops something waits no longer than a second.
const END_GRACE: Duration = Duration::from_millis(800);
/// For a model that can't see, or is not known to.
const UNSEEN: &str = "\n[The picture itself is not shown to you: this model is not known to take pictures. Whoever runs \
    this server can set `capabilities.vision` for it.]";
const STOPPED: &str = "Stopped by the person before it ended.";

/// A call with what can be told of it before it runs.
pub struct Prepared<'c> {
    pub call: &'c ToolCall,
    /// As they are shown and asked about: the text itself where it is no JSON object.
    pub shown: Value,
    pub preview: String,
    /// What it would do; `None` where it can't run at all.
    pub action: Option<Action>,
    /// The arguments, or what is wrong with the call, in words for the model.
    args: Result<Value, String>,
}

/// What a tool made of a call.
pub struct Ran {
    output: ToolOutput,
    result: ToolResult,
    elapsed_ms: u64,
    fatal: Option<String>,
}

/// How a call ended.
pub enum CallOutcome {
    Done(ToolResult, Vec<Picture>),
    /// A fault of ours; the turn can't go on after it.
    Fatal(ToolResult, String),
    /// The server leaves while the call only waits for a person; it has no result yet.
    Suspended,
}

pub fn prepare<'c>(context: &TurnContext, call: &'c ToolCall) -> Prepared<'c> {
    let args = parse_arguments(&call.arguments);
    let shown = args.as_ref().map_or_else(|_| Value::String(call.arguments.clone()), Clone::clone);
    let tool = context.tools.get(&call.name);
    let (args, preview, action) = match (args, tool) {
        (Ok(args), Some(tool)) => {
            let preview = first_line(&tool.preview(&args));
            match tool.check(&args) {
                Ok(()) => {
                    let action = tool.action(&args);
                    (Ok(args), preview, Some(action))
                }
                Err(ToolError::RespondToModel(problem) | ToolError::Fatal(problem)) => (Err(problem), preview, None),
            }
        }
        (Err(problem), Some(_)) => (Err(problem), String::new(), None),
        (_, None) => {
            let names: Vec<_> = context.tools.names().collect();
            let problem = format!("There is no tool `{}`. The tools are: {}.", call.name, names.join(", "));
            (Err(problem), String::new(), None)
        }
    };
    Prepared { call, shown, preview, action, args }
}

/// Whether the call can be done as the files stand. One that can't has its error from here on, and asks nobody.
pub async fn foresee(context: &TurnContext, prepared: &mut Prepared<'_>) -> bool {
    let (Some(tool), Ok(args)) = (context.tools.get(&prepared.call.name).cloned(), prepared.args.clone()) else {
        return false;
    };
    let workspace = context.workspace.clone();
    let look = spawn_blocking(move || tool.foresee(&args, &workspace));
    let foreseen = tokio::select! {
        biased;
        () = context.cancel.cancelled() => return true,
        foreseen = look => foreseen,
    };
    match foreseen {
        Ok(Err(ToolError::RespondToModel(problem) | ToolError::Fatal(problem))) => {
            (prepared.args, prepared.action) = (Err(problem), None);
            false
        }
        // What can't be told now shows when it runs.
        Ok(Ok(_)) | Err(_) => true,
    }
}

/// Records the intent. A question that was put before a restart is begun already.
pub async fn start(context: &TurnContext, prepared: &Prepared<'_>, resumed: bool) -> StoreResult<()> {
    let call = prepared.call;
    if resumed
        && matches!(
            context.store.question(&context.id, &call.id).await,
            Ok(QuestionState::Waiting | QuestionState::Answered { .. })
        )
    {
        return Ok(());
    }
    let start = CallStart {
        turn: context.turn,
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        args: prepared.shown.clone(),
        preview: prepared.preview.clone(),
    };
    context.store.start_call(&context.agent, &context.id, start).await
}

/// Runs the tool. `None` where the server leaves while the call only waits for a person.
pub async fn execute(context: &TurnContext, prepared: &Prepared<'_>) -> Option<Ran> {
    let started = Instant::now();
    let host = CallHost::new(context, prepared.call);
    // A name that no tool has is a text of the model's.
    let tool = context.tools.get(&prepared.call.name).map_or("unknown", |_| prepared.call.name.as_str());
    let span = tracing::debug_span!(
        "tool_call",
        session = %context.id, turn = context.turn, tool, success = Empty, otel.status_code = Empty
    );
    let ran = match &prepared.args {
        Err(problem) => Err(ToolError::RespondToModel(problem.clone())),
        Ok(args) => run_tool(context, prepared.call, args.clone(), &host).instrument(span.clone()).await,
    };
    if host.waits.load(Ordering::SeqCst) && context.leaves() {
        return None;
    }
    host.finish_output();
    let (mut output, mut result, fatal) = judge(without_own_secrets(&context.redaction.own(), ran));
    if !output.pictures.is_empty() && !context.model.model.sees() {
        output.pictures.clear();
        result.output.push_str(UNSEEN);
    }
    span.record("success", result.success);
    if !result.success {
        span.record("otel.status_code", "ERROR");
    }
    Some(Ran { output, result, elapsed_ms: started.elapsed().as_millis() as u64, fatal })
}

async fn run_tool(
    context: &TurnContext,
    call: &ToolCall,
    args: Value,
    host: &CallHost<'_>,
) -> Result<ToolOutput, ToolError> {
    let Some(tool) = context.tools.get(&call.name) else {
        return Err(ToolError::RespondToModel(format!("There is no tool `{}`.", call.name)));
    };
    // A token has about four bytes, so this is a quarter of the window.
    let room = usize::try_from(context.window).unwrap_or(usize::MAX);
    let tool_context =
        ToolContext { workspace: &context.workspace, data: &context.data, room, host, cancel: &context.cancel };
    let patience = async {
        context.cancel.cancelled().await;
        sleep(END_GRACE).await;
    };
    tokio::select! {
        biased;
        // One that ends by itself can tell what it did until then.
        ran = tool.run(args, tool_context) => ran,
        () = patience => Err(ToolError::RespondToModel(STOPPED.into())),
    }
}

/// Records what came of a call.
pub async fn end(context: &TurnContext, call: &ToolCall, ran: Ran) -> StoreResult<CallOutcome> {
    let Ran { output, result, elapsed_ms, fatal } = ran;
    let summary = if output.summary.is_empty() { result.error.as_deref().unwrap_or_default() } else { &output.summary };
    let end = CallEnd {
        turn: context.turn,
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        result: result.clone(),
        elapsed_ms,
        preview: first_line(summary),
        diff: output.diff,
    };
    context.store.end_call(&context.agent, &context.id, end).await?;
    Ok(match fatal {
        Some(why) => CallOutcome::Fatal(result, why),
        None => CallOutcome::Done(result, output.pictures),
    })
}

/// A written result for a call that does not run.
pub async fn refuse(context: &TurnContext, call: &ToolCall, error: &str, preview: &str) -> StoreResult<ToolResult> {
    let result = ToolResult::failed(error);
    let end = CallEnd {
        turn: context.turn,
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        result: result.clone(),
        elapsed_ms: 0,
        preview: preview.into(),
        diff: None,
    };
    context.store.end_call(&context.agent, &context.id, end).await?;
    Ok(result)
}

impl TurnContext {
    /// The server goes down, and what waits for a person is to go on waiting.
    pub fn leaves(&self) -> bool {
        let leaves = |why: &Interruption| why.reason == InterruptReason::Restart;
        self.cancel.is_cancelled() && self.cancelled_for.get().is_some_and(leaves)
    }
}

/// A file or a program may hold a key of this server; neither the model nor the conversation gets it.
fn without_own_secrets(own: &OwnValues, ran: Result<ToolOutput, ToolError>) -> Result<ToolOutput, ToolError> {
    let clean = |text| own.cleaned(text);
    match ran {
        Ok(output) => Ok(ToolOutput {
            text: clean(output.text),
            summary: clean(output.summary),
            error: output.error.map(clean),
            diff: output.diff.map(clean),
            files_changed: output.files_changed.into_iter().map(clean).collect(),
            data: output.data.map(|data| own.cleaned_json(data)),
            pictures: output.pictures,
        }),
        Err(ToolError::RespondToModel(text)) => Err(ToolError::RespondToModel(clean(text))),
        Err(ToolError::Fatal(text)) => Err(ToolError::Fatal(clean(text))),
    }
}

fn judge(ran: Result<ToolOutput, ToolError>) -> (ToolOutput, ToolResult, Option<String>) {
    match ran {
        Ok(output) => {
            let result = ToolResult {
                success: output.error.is_none(),
                output: output.text.clone(),
                error: output.error.clone(),
                files_changed: output.files_changed.clone(),
                data: output.data.clone(),
            };
            (output, result, None)
        }
        Err(ToolError::RespondToModel(text)) => (ToolOutput::default(), ToolResult::failed(text), None),
        Err(ToolError::Fatal(text)) => (ToolOutput::default(), ToolResult::failed(text.clone()), Some(text)),
    }
}

/// Models leave the arguments empty where a tool needs none.
fn parse_arguments(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let fault = match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => return Ok(value),
        Ok(_) => "they are not an object".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!(
        "The arguments are not a JSON object ({fault}). Call the tool again with a JSON object that fits its schema."
    ))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(PREVIEW_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_arguments_are_told_to_the_model_in_words() {
        for wrong in ["{\"path\": ", "[1]", "\"a\"", "{path: 1}"] {
            let problem = parse_arguments(wrong).unwrap_err();
            assert!(problem.contains("JSON object"), "{wrong}: {problem}");
        }
        assert_eq!(parse_arguments(" ").unwrap(), serde_json::json!({}));
    }
}
