//! The agent's plan, as it stands now.

use leptos::prelude::*;

use crate::{
    protocol::{Task, TaskStatus},
    ui::{
        session_view::SessionView,
        widgets::{Glyph, Icon},
        words::{fill, words},
    },
};

#[component]
pub fn ProgressPanel(view: SessionView) -> impl IntoView {
    let tasks = Memo::new(move |_| view.session.with(|session| session.tasks.clone()));
    let w = &words().frame;
    let head = move || {
        tasks.with(|tasks| {
            let done = tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
            fill(w.tasks_done, &[&done.to_string(), &tasks.len().to_string()])
        })
    };
    let rows = move || tasks.with(|tasks| tasks.iter().map(row).collect_view());
    move || {
        if tasks.with(Vec::is_empty) {
            view! { <p class="empty">{w.no_plan}</p> }.into_any()
        } else {
            view! { <p class="plan-head muted small">{head}</p><ol class="plan">{rows}</ol> }.into_any()
        }
    }
}

fn row(task: &Task) -> impl IntoView + use<> {
    let w = &words().frame;
    let (glyph, state, label) = match task.status {
        TaskStatus::Pending => (Glyph::Circle, "open", w.task_open),
        TaskStatus::InProgress => (Glyph::Spark, "running", w.task_running),
        TaskStatus::Completed => (Glyph::Check, "done", w.task_done),
    };
    view! {
        <li class="task-row" data-state=state aria-current=(task.status == TaskStatus::InProgress).then_some("step")>
            <Icon glyph/><span class="visually-hidden">{label}</span><span>{task.content.clone()}</span>
        </li>
    }
}
