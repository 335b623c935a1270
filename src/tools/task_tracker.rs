//! `task_tracker`: the plan of the session, which the person sees.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    arguments::{arguments, schema},
    wording::{count, one_line, respond},
};
use crate::{
    agent::ports::{
        model::ToolSpec,
        tool::{Action, Tool, ToolContext, ToolError, ToolOutput},
    },
    protocol::{Task, TaskStatus},
};

/// Most steps of a plan: more is no overview.
const MAX_TASKS: usize = 50;
/// Longest step, in characters.
const MAX_TASK_CHARS: usize = 200;

pub struct TaskTracker;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The whole plan, in order; it replaces the one before. An empty list clears it.
    tasks: Vec<Step>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Step {
    /// The step in a few words.
    content: String,
    #[schemars(extend("enum" = ["pending", "in_progress", "completed"]))]
    status: String,
}

#[async_trait]
impl Tool for TaskTracker {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "task_tracker".into(),
            description: "Keeps the plan of this session, which the person sees live. Use it for work of several \
                steps: write the plan first, then send the whole list again each time a step begins or ends."
                .into(),
            parameters: schema::<Args>(),
        }
    }

    fn preview(&self, args: &Value) -> String {
        let steps = args["tasks"].as_array().map_or(&[][..], Vec::as_slice);
        let done = steps.iter().filter(|step| step["status"] == "completed").count();
        let current = steps.iter().find(|step| step["status"] == "in_progress");
        match current.and_then(|step| step["content"].as_str()) {
            Some(content) => one_line(&format!("{done} of {} done, now: {content}", steps.len()), 80),
            None => format!("{done} of {} done", steps.len()),
        }
    }

    fn action(&self, _args: &Value) -> Action {
        Action::SESSION
    }

    async fn run(&self, args: Value, context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        let Args { tasks } = arguments(args)?;
        if tasks.len() > MAX_TASKS {
            return Err(respond(format!("A plan has up to {MAX_TASKS} steps. Group them.")));
        }
        let tasks: Vec<_> = tasks.into_iter().map(task).collect::<Result<_, _>>()?;
        let done = tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
        let summary = format!("{done} of {}", count(tasks.len() as u64, "step done", "steps done"));
        let data = json!({ "tasks": tasks, "completed": done });
        context.host.set_tasks(tasks).await?;
        Ok(ToolOutput {
            text: format!("The plan is kept: {summary}."),
            summary,
            data: Some(data),
            ..ToolOutput::default()
        })
    }
}

fn task(Step { content, status }: Step) -> Result<Task, ToolError> {
    let content = one_line(&content, MAX_TASK_CHARS);
    if content.is_empty() {
        return Err(respond("A step of the plan has no words."));
    }
    let status = match status.as_str() {
        "pending" => TaskStatus::Pending,
        "in_progress" => TaskStatus::InProgress,
        "completed" => TaskStatus::Completed,
        other => {
            return Err(respond(format!(
                "`status` must be pending, in_progress or completed, not `{}`.",
                one_line(other, 40)
            )));
        }
    };
    Ok(Task { content, status })
}
