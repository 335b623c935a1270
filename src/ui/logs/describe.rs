//! An event in words. There is no `_` arm: a new event needs its words here.

use crate::{
    protocol::{
        Decision, EVERYBODY, Event, EventBody, ForkPoint, InterruptReason, QueueChange, StoppedBy, TOP_FOLDER,
        UploadStatus,
    },
    ui::{
        browser,
        chat::duration,
        files::size,
        viewer::Viewer,
        widgets::{Glyph, upright},
        words::{ByWhom, fill, words},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Turn,
    Tool,
    Approval,
    Upload,
    Model,
    Session,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    pub glyph: Glyph,
    pub text: String,
    /// The number at the end of the row; the seq where there is none.
    pub figure: Option<String>,
    /// `plain`, `waiting` or `failed`.
    pub tone: &'static str,
}

fn line(glyph: Glyph, text: impl Into<String>) -> LogLine {
    LogLine { glyph, text: upright(text.into()), figure: None, tone: "plain" }
}

impl LogLine {
    fn figure(self, figure: String) -> Self {
        Self { figure: Some(figure), ..self }
    }
    fn took(self, ms: u64) -> Self {
        self.figure(duration(ms, browser::language()))
    }
    fn tone(self, tone: &'static str) -> Self {
        Self { tone, ..self }
    }
}

/// What the filter goes by; cheaper than the words.
pub fn kind(body: &EventBody) -> Kind {
    match body {
        EventBody::ModelCall { .. } => Kind::Model,
        EventBody::ToolCallStarted { .. } | EventBody::ToolCallCompleted { .. } | EventBody::ChangesUndone { .. } => {
            Kind::Tool
        }
        EventBody::ApprovalRequested(_)
        | EventBody::ApprovalResolved { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. } => Kind::Approval,
        EventBody::UploadStarted { .. } | EventBody::UploadCompleted { .. } | EventBody::UploadFailed { .. } => {
            Kind::Upload
        }
        EventBody::SessionStarted { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::EventsRemoved { .. }
        | EventBody::SessionError { .. } => Kind::Session,
        EventBody::UserMessageReceived { .. }
        | EventBody::TurnStarted { .. }
        | EventBody::ModelRetry { .. }
        | EventBody::MessageCompleted { .. }
        | EventBody::AwaitingUserInput(_)
        | EventBody::UserInputReceived { .. }
        | EventBody::SteeringReceived { .. }
        | EventBody::QueueChanged { .. }
        | EventBody::TurnCompleted { .. }
        | EventBody::TurnInterrupted { .. } => Kind::Turn,
    }
}

pub fn describe(event: &Event) -> LogLine {
    let w = &words().logs;
    match &event.body {
        EventBody::SessionStarted { model, forked_from, .. } => line(Glyph::Flag, started(model, forked_from.as_ref())),
        EventBody::SessionResumed { turn_count } => line(Glyph::Flag, w.session_resumed.of((*turn_count).into())),
        EventBody::SessionUpdated { title, model, archived, pinned, mode } => {
            line(Glyph::Flag, updated(title.as_deref(), model.as_deref(), (*archived, *pinned), mode.is_some()))
        }
        EventBody::UserMessageReceived { queued: true, .. } => line(Glyph::Chat, said(event, w.asked_queued)),
        EventBody::UserMessageReceived { .. } => line(Glyph::Chat, said(event, w.asked)),
        EventBody::TurnStarted { turn, model, .. } => {
            line(Glyph::Step, fill(w.turn_started, &[&turn.to_string(), model]))
        }
        EventBody::ModelCall { model, ms, tokens, .. } => {
            let text = match tokens {
                Some(tokens) => fill(w.model_asked_tokens, &[model, &tokens.total.to_string()]),
                None => fill(w.model_asked, &[model]),
            };
            line(Glyph::Spark, text).took(*ms)
        }
        EventBody::ModelRetry { reason, wait_ms, .. } => {
            line(Glyph::Warning, fill(w.retrying, &[reason])).took(*wait_ms).tone("waiting")
        }
        EventBody::MessageCompleted { bytes: 0, partial: false, .. } => line(Glyph::Chat, w.next_step),
        EventBody::MessageCompleted { bytes, partial, .. } => {
            line(Glyph::Chat, if *partial { w.answer_cut } else { w.answer_written }).figure(bytes.to_string() + " B")
        }
        EventBody::ToolCallStarted { name, preview, .. } => line(Glyph::Step, [name, " ", preview].concat()),
        EventBody::ToolCallCompleted { name, success, preview, elapsed_ms, .. } => {
            let (glyph, tone) = if *success { (Glyph::Check, "plain") } else { (Glyph::Cross, "failed") };
            line(glyph, [name, ": ", preview].concat()).took(*elapsed_ms).tone(tone)
        }
        EventBody::ApprovalRequested(approval) => {
            let what = [&approval.name, " ", &approval.preview].concat();
            line(Glyph::Shield, fill(w.waits_for_approval, &[&what])).tone("waiting")
        }
        EventBody::ApprovalResolved { decision, .. } => match decision {
            Decision::Approve => line(Glyph::Shield, w.approved),
            Decision::ApproveAlways => line(Glyph::Shield, w.approved_always),
            Decision::Deny => line(Glyph::Shield, w.denied).tone("waiting"),
        },
        EventBody::ApprovalRuleAdded { tool, scope, .. } => {
            line(Glyph::Flag, fill(w.rule_added, &[&rule(tool, scope.as_deref())]))
        }
        EventBody::ApprovalRuleRemoved { tool, scope, .. } => {
            line(Glyph::Flag, fill(w.rule_removed, &[&rule(tool, scope.as_deref())]))
        }
        EventBody::SharingChanged { name, part } => {
            let name = if name == EVERYBODY { w.everybody } else { name };
            line(Glyph::Flag, fill(if part.is_some() { w.shared_with } else { w.unshared_with }, &[name]))
        }
        EventBody::AwaitingUserInput(asked) => {
            line(Glyph::Chat, fill(w.asks, &[&asked.question.question])).tone("waiting")
        }
        EventBody::UserInputReceived { .. } => line(Glyph::Chat, said(event, w.answered)),
        EventBody::SteeringReceived { .. } => line(Glyph::Chat, said(event, w.steered)),
        EventBody::ChangesUndone { turn, restored, conflicts } => {
            let tone = if conflicts.is_empty() { "plain" } else { "waiting" };
            line(Glyph::Step, w.undone.with(restored.len() as u64, &[&turn.to_string()])).tone(tone)
        }
        EventBody::QueueChanged { change, length, .. } => line(Glyph::Clock, queue(*change, *length)),
        EventBody::TurnCompleted { turn, total_time_ms, stopped_by, .. } => {
            completed(*turn, *total_time_ms, *stopped_by)
        }
        EventBody::TurnInterrupted { turn, reason, .. } => {
            let (text, tone) = match reason {
                InterruptReason::Stopped => (w.turn_stopped, "waiting"),
                InterruptReason::Error => (w.turn_failed, "failed"),
                InterruptReason::Restart => (w.turn_restart, "waiting"),
            };
            line(Glyph::Stop, fill(text, &[&turn.to_string()])).tone(tone)
        }
        EventBody::UploadStarted { name, target_dir, .. } => upload_started(name.as_deref(), target_dir),
        EventBody::UploadCompleted { path, status, size, .. } => uploaded(path, *status, *size),
        EventBody::UploadFailed { name, detail, .. } => {
            let what = name.as_deref().unwrap_or(w.files_word);
            line(Glyph::Upload, fill(w.upload_failed, &[what, detail])).tone("failed")
        }
        EventBody::EventsRemoved { count, .. } => line(Glyph::Flag, w.events_removed.of(*count)),
        EventBody::SessionError { detail, .. } => line(Glyph::Warning, detail.clone()).tone("failed"),
    }
}

fn said(event: &Event, words: ByWhom) -> String {
    let name = &event.actor.name;
    if Viewer::sees_as_other(name) { fill(words.other, &[name]) } else { words.you.to_owned() }
}

fn started(model: &str, from: Option<&ForkPoint>) -> String {
    let w = &words().logs;
    match from {
        Some(from) => fill(w.session_forked, &[model, &from.turn.to_string()]),
        None => fill(w.session_started, &[model]),
    }
}

fn completed(turn: u32, total_time_ms: u64, stopped_by: Option<StoppedBy>) -> LogLine {
    let (text, tone) = match stopped_by {
        None => (words().logs.turn_done, "plain"),
        Some(StoppedBy::Limit) => (words().logs.turn_limit, "waiting"),
    };
    line(Glyph::Check, fill(text, &[&turn.to_string()])).took(total_time_ms).tone(tone)
}

fn upload_started(name: Option<&str>, target_dir: &str) -> LogLine {
    let w = &words().logs;
    let text = if target_dir == "." { w.upload_started } else { w.upload_started_into };
    line(Glyph::Upload, fill(text, &[name.unwrap_or(w.files_word), target_dir]))
}

fn uploaded(path: &str, status: UploadStatus, bytes: u64) -> LogLine {
    let w = &words().logs;
    match status {
        UploadStatus::Skipped => line(Glyph::Upload, fill(w.upload_skipped, &[path])).tone("waiting"),
        UploadStatus::Uploaded | UploadStatus::Failed => {
            line(Glyph::Upload, fill(w.uploaded, &[path])).figure(size(bytes, browser::language()))
        }
    }
}

/// Where in the conversation the event stands: the id of an element.
pub fn place(body: &EventBody) -> Option<String> {
    let turn = match body {
        EventBody::ToolCallStarted { tool_call_id: call, .. }
        | EventBody::ToolCallCompleted { tool_call_id: call, .. }
        | EventBody::ApprovalResolved { tool_call_id: call, .. }
        | EventBody::UserInputReceived { tool_call_id: call, .. } => return Some(["call-", call.as_str()].concat()),
        EventBody::ApprovalRequested(approval) => return Some(["call-", approval.tool_call_id.as_str()].concat()),
        EventBody::AwaitingUserInput(asked) => return Some(["call-", asked.tool_call_id.as_str()].concat()),
        EventBody::UserMessageReceived { turn, .. } => (*turn)?,
        EventBody::TurnStarted { turn, .. }
        | EventBody::ModelCall { turn, .. }
        | EventBody::ModelRetry { turn, .. }
        | EventBody::MessageCompleted { turn, .. }
        | EventBody::SteeringReceived { turn, .. }
        | EventBody::ChangesUndone { turn, .. }
        | EventBody::TurnCompleted { turn, .. }
        | EventBody::TurnInterrupted { turn, .. } => *turn,
        EventBody::SessionStarted { .. }
        | EventBody::SessionResumed { .. }
        | EventBody::SessionUpdated { .. }
        | EventBody::SharingChanged { .. }
        | EventBody::ApprovalRuleAdded { .. }
        | EventBody::ApprovalRuleRemoved { .. }
        | EventBody::QueueChanged { .. }
        | EventBody::UploadStarted { .. }
        | EventBody::UploadCompleted { .. }
        | EventBody::UploadFailed { .. }
        | EventBody::EventsRemoved { .. }
        | EventBody::SessionError { .. } => return None,
    };
    Some(["turn-", &turn.to_string()].concat())
}

fn updated(
    title: Option<&str>,
    model: Option<&str>,
    (archived, pinned): (Option<bool>, Option<bool>),
    mode: bool,
) -> String {
    let w = &words().logs;
    let parts = [
        title.map(|title| fill(w.renamed, &[title])),
        model.map(|model| fill(w.model_set, &[model])),
        archived.map(|archived| if archived { w.archived } else { w.unarchived }.to_owned()),
        pinned.map(|pinned| if pinned { w.pinned } else { w.unpinned }.to_owned()),
        mode.then(|| w.mode_changed.to_owned()),
    ];
    fill(w.session_updated, &[&parts.into_iter().flatten().collect::<Vec<_>>().join(", ")])
}

fn rule(tool: &str, scope: Option<&str>) -> String {
    match scope {
        Some(TOP_FOLDER) => [tool, ": ", words().logs.directly_in_folder].concat(),
        Some(scope) if scope != tool => [tool, ": ", scope].concat(),
        _ => tool.to_owned(),
    }
}

fn queue(change: QueueChange, length: u32) -> String {
    let w = &words().logs;
    let waiting = w.messages_wait.of(length.into());
    match change {
        QueueChange::Edited => w.queue_edited.to_owned(),
        QueueChange::First => w.queue_first.to_owned(),
        QueueChange::Removed => fill(w.queue_removed, &[&waiting]),
        QueueChange::Released => w.queue_released.to_owned(),
        QueueChange::Held => fill(w.queue_held, &[&waiting]),
    }
}
