//! What an event changes of the session itself.

use crate::protocol::{CallId, EventBody, Pending, Record, Session, Status, Task, UNTITLED, derived_title, read::read};

/// The plan of a call that runs: it is the session's once the call has succeeded.
pub type Planned = Option<(CallId, Vec<Task>)>;

pub fn update(session: &mut Session, planned: &mut Planned, record: &Record) {
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
        EventBody::ToolCallStarted { name, args, tool_call_id, .. } if name == "task_tracker" => {
            *planned = args.get("tasks").and_then(|tasks| read(&tasks)).map(|tasks| (tool_call_id.clone(), tasks));
        }
        EventBody::ToolCallCompleted { tool_call_id, success, .. } => {
            if let Some((_, tasks)) = planned.take_if(|(id, _)| id == tool_call_id).filter(|_| *success) {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::{Actor, Event};

    fn record(body: Value) -> Record {
        let event = json!({"seq": 1, "created_at": "", "actor": Actor::system()});
        let Value::Object(mut event) = event else { unreachable!() };
        event.extend(body.as_object().cloned().unwrap_or_default());
        Record { event: serde_json::from_value::<Event>(Value::Object(event)).unwrap(), text: None }
    }

    fn planned(session: &mut Session, tasks: Value, success: bool) {
        let call = json!({"turn": 1, "tool_call_id": "c", "name": "task_tracker", "preview": ""});
        let mut started = call.clone();
        started["args"] = json!({ "tasks": tasks });
        let mut completed = call;
        let end = json!({"success": success, "elapsed_ms": 1, "output": "", "files_changed": [], "truncated": false});
        completed.as_object_mut().unwrap().extend(end.as_object().cloned().unwrap());
        let mut planned = Planned::default();
        for (kind, payload) in [("tool_call_started", started), ("tool_call_completed", completed)] {
            update(session, &mut planned, &record(json!({"event_type": kind, "payload": payload})));
        }
        assert_eq!(planned, None);
    }

    #[test]
    fn a_plan_is_taken_from_a_call_that_succeeded_alone() {
        let mut session: Session = serde_json::from_value(json!({
            "id": "5".repeat(32), "title": UNTITLED, "workspace": "/w", "model": "m", "mode": "ask", "status": "running",
            "turn_count": 1, "total_tokens": 0, "started_at": "", "last_active_at": "", "archived": false,
            "pinned": false, "head_seq": 0, "pending": [], "tasks": [],
        }))
        .unwrap();
        planned(&mut session, json!([{"content": "Read", "status": "pending"}]), true);
        let kept = session.tasks.clone();
        assert_eq!(kept.len(), 1);
        for wrong in [json!("nonsense"), json!([{"content": "x", "status": "soon"}]), json!(null), json!([])] {
            planned(&mut session, wrong.clone(), false);
            assert_eq!(session.tasks, kept, "{wrong}");
        }
        planned(&mut session, json!([]), true);
        assert_eq!(session.tasks, []);
    }
}
