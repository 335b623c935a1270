//! The tool calls of one message: run one after another, each with an intent before and a result after.

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    ports::{
        store::{CallEnd, CallStart, StoreResult},
        tool::{ToolContext, ToolError, ToolHost, ToolOutput},
    },
    turn::TurnContext,
};
use crate::protocol::{Answer, Question, ToolCall, ToolResult};

/// Longest preview of a call or a result, in characters: one line of a card.
const PREVIEW_CHARS: usize = 80;
const STOPPED: &str = "Stopped by the person before it ended.";

/// A call's result, and whether the turn can go on after it.
pub struct CallOutcome {
    pub result: ToolResult,
    pub fatal: Option<String>,
}

/// Runs one call. Whatever happens, it ends with a result on record.
pub async fn run_call(context: &TurnContext, call: &ToolCall) -> StoreResult<CallOutcome> {
    let args = parse_arguments(&call.arguments);
    let shown = args.as_ref().map_or_else(|_| Value::String(call.arguments.clone()), Clone::clone);
    let preview = preview(context, call, &shown);
    let start =
        CallStart { turn: context.turn, tool_call_id: call.id.clone(), name: call.name.clone(), args: shown, preview };
    context.store.start_call(&context.agent, &context.id, start).await?;

    let started = Instant::now();
    let ran = match args {
        Ok(args) => execute(context, call, args).await,
        Err(problem) => Err(ToolError::RespondToModel(problem)),
    };
    let (output, result, fatal) = judge(ran);
    let summary = if output.summary.is_empty() {
        first_line(result.error.as_deref().unwrap_or_default())
    } else {
        output.summary
    };
    let end = CallEnd {
        turn: context.turn,
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        result: result.clone(),
        elapsed_ms: started.elapsed().as_millis() as u64,
        preview: first_line(&summary),
        diff: output.diff,
    };
    context.store.end_call(&context.agent, &context.id, end).await?;
    Ok(CallOutcome { result, fatal })
}

/// A result for a call that never ran because the turn was stopped before.
pub async fn skip_call(context: &TurnContext, call: &ToolCall) -> StoreResult<()> {
    let end = CallEnd {
        turn: context.turn,
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        result: ToolResult::failed("Not run: the turn was ended before."),
        elapsed_ms: 0,
        preview: "not run".into(),
        diff: None,
    };
    context.store.end_call(&context.agent, &context.id, end).await
}

async fn execute(context: &TurnContext, call: &ToolCall, args: Value) -> Result<ToolOutput, ToolError> {
    let Some(tool) = context.tools.get(&call.name) else {
        let names: Vec<_> = context.tools.names().collect();
        let text = format!("There is no tool `{}`. The tools are: {}.", call.name, names.join(", "));
        return Err(ToolError::RespondToModel(text));
    };
    let tool_context =
        ToolContext { workspace: &context.workspace, data: &context.data, host: &CallHost, cancel: &context.cancel };
    tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(ToolError::RespondToModel(STOPPED.into())),
        ran = tool.run(args, tool_context) => ran,
    }
}

struct CallHost;

#[async_trait]
impl ToolHost for CallHost {
    fn output(&self, _text: &str) {}

    async fn ask(&self, _question: Question) -> Result<Answer, ToolError> {
        Err(ToolError::RespondToModel("Questions can't be asked yet.".into()))
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

fn preview(context: &TurnContext, call: &ToolCall, args: &Value) -> String {
    let text = context.tools.get(&call.name).filter(|_| args.is_object()).map(|tool| tool.preview(args));
    first_line(&text.unwrap_or_default())
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
