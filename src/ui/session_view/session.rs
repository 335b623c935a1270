//! What an event changes of the session itself.

use crate::protocol::{EventBody, Pending, Record, Session, Status, UNTITLED, derived_title, read::read};

pub fn update(session: &mut Session, record: &Record) {
    let event = &record.event;
    let head = event.seq;
    session.head_seq = head;
    match &event.body {
        EventBody::TurnStarted { turn, .. } => {
            session.status = Status::Running;
            session.turn_count = *turn;
        }
        EventBody::TurnCompleted { .. } | EventBody::TurnInterrupted { .. } => {
            session.status = Status::Idle;
            session.pending.clear();
        }
        EventBody::ApprovalRequested(approval) => {
            session.pending.push(Pending::ApprovalRequested { seq: head, approval: approval.clone() });
            session.status = Status::of_running(&session.pending);
        }
        EventBody::AwaitingUserInput(asked) => {
            session.pending.push(Pending::AwaitingUserInput { seq: head, asked: asked.clone() });
            session.status = Status::of_running(&session.pending);
        }
        EventBody::ApprovalResolved { tool_call_id, .. } | EventBody::UserInputReceived { tool_call_id, .. } => {
            session.pending.retain(|pending| pending.tool_call_id() != tool_call_id);
            session.status = Status::of_running(&session.pending);
        }
        EventBody::SessionUpdated { title, model, archived, pinned, mode } => {
            title.iter().for_each(|title| session.title.clone_from(title));
            model.iter().for_each(|model| session.model.clone_from(model));
            session.archived = archived.unwrap_or(session.archived);
            session.pinned = pinned.unwrap_or(session.pinned);
            session.mode = mode.unwrap_or(session.mode);
        }
        EventBody::UserMessageReceived { .. } if session.title == UNTITLED => {
            session.title = derived_title(record.text.as_deref().unwrap_or_default());
        }
        EventBody::ToolCallStarted { name, args, .. } if name == "task_tracker" => {
            // A call that will be refused changes no plan.
            if let Some(tasks) = args.get("tasks").and_then(|tasks| read(&tasks)) {
                session.tasks = tasks;
            }
        }
        EventBody::UserMessageReceived { .. }
        | EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::ModelCall { .. }
        | EventBody::ModelRetry { .. }
        | EventBody::MessageCompleted { .. }
        | EventBody::ToolCallStarted { .. }
        | EventBody::ToolCallCompleted { .. }
        | EventBody::ChangesUndone { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. }
        | EventBody::SteeringReceived { .. }
        | EventBody::QueueChanged { .. }
        | EventBody::UploadStarted { .. }
        | EventBody::UploadCompleted { .. }
        | EventBody::UploadFailed { .. }
        | EventBody::EventsRemoved { .. }
        | EventBody::SessionError { .. } => {}
    }
}
