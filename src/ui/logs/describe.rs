//! An event in words. There is no `_` arm: a new event needs its words here.

use crate::{
    protocol::{Decision, EVERYBODY, EventBody, InterruptReason, QueueChange, StoppedBy},
    ui::widgets::Glyph,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Turn,
    Tool,
    Model,
    Session,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    pub kind: Kind,
    pub glyph: Glyph,
    pub text: String,
    /// The number at the end of the row; the seq where there is none.
    pub figure: Option<String>,
    /// `plain`, `waiting` or `failed`.
    pub tone: &'static str,
}

fn line(kind: Kind, glyph: Glyph, text: impl Into<String>) -> LogLine {
    LogLine { kind, glyph, text: text.into(), figure: None, tone: "plain" }
}

impl LogLine {
    fn figure(self, figure: String) -> Self {
        Self { figure: Some(figure), ..self }
    }
    fn tone(self, tone: &'static str) -> Self {
        Self { tone, ..self }
    }
}

pub fn describe(body: &EventBody) -> LogLine {
    match body {
        EventBody::SessionStarted { model, .. } => {
            line(Kind::Session, Glyph::Flag, format!("Session started with {model}"))
        }
        EventBody::SessionResumed { turn_count } => {
            line(Kind::Session, Glyph::Flag, format!("Session goes on here after {turn_count} turns"))
        }
        EventBody::SessionUpdated { title, model, archived, mode } => {
            line(Kind::Session, Glyph::Flag, updated(title.as_deref(), model.as_deref(), *archived, mode.is_some()))
        }
        EventBody::UserMessageReceived { queued: true, .. } => {
            line(Kind::Turn, Glyph::Chat, "You asked; it waits for its turn")
        }
        EventBody::UserMessageReceived { .. } => line(Kind::Turn, Glyph::Chat, "You asked"),
        EventBody::TurnStarted { turn, model, .. } => {
            line(Kind::Turn, Glyph::Step, format!("Turn {turn} started, {model}"))
        }
        EventBody::ModelCall { model, ms, tokens, .. } => {
            let tokens = tokens.map(|tokens| format!(", {} tokens", tokens.total)).unwrap_or_default();
            line(Kind::Model, Glyph::Spark, format!("{model} was asked{tokens}")).figure(milliseconds(*ms))
        }
        EventBody::ModelRetry { reason, wait_ms, .. } => {
            line(Kind::Turn, Glyph::Warning, format!("Trying again: {reason}"))
                .figure(milliseconds(*wait_ms))
                .tone("waiting")
        }
        EventBody::MessageCompleted { bytes: 0, partial: false, .. } => {
            line(Kind::Turn, Glyph::Chat, "Chose the next step")
        }
        EventBody::MessageCompleted { bytes, partial, .. } => {
            let text = if *partial { "Answer cut off" } else { "Answer written" };
            line(Kind::Turn, Glyph::Chat, text).figure(format!("{bytes} B"))
        }
        EventBody::ToolCallStarted { name, preview, .. } => line(Kind::Tool, Glyph::Step, format!("{name} {preview}")),
        EventBody::ToolCallCompleted { name, success, preview, elapsed_ms, .. } => {
            let (glyph, tone) = if *success { (Glyph::Check, "plain") } else { (Glyph::Cross, "failed") };
            line(Kind::Tool, glyph, format!("{name}: {preview}")).figure(milliseconds(*elapsed_ms)).tone(tone)
        }
        EventBody::ApprovalRequested(approval) => {
            line(Kind::Tool, Glyph::Clock, format!("Waits for approval: {} {}", approval.name, approval.preview))
                .tone("waiting")
        }
        EventBody::ApprovalResolved { decision, .. } => match decision {
            Decision::Approve => line(Kind::Tool, Glyph::Check, "Approved"),
            Decision::ApproveAlways => line(Kind::Tool, Glyph::Check, "Approved, and always from now on"),
            Decision::Deny => line(Kind::Tool, Glyph::Cross, "Denied").tone("waiting"),
        },
        EventBody::ApprovalRuleAdded { tool, scope, .. } => {
            line(Kind::Session, Glyph::Flag, format!("No longer asks for {}", rule(tool, scope.as_deref())))
        }
        EventBody::ApprovalRuleRemoved { tool, scope, .. } => {
            line(Kind::Session, Glyph::Flag, format!("Asks again for {}", rule(tool, scope.as_deref())))
        }
        EventBody::AwaitingUserInput(asked) => {
            line(Kind::Turn, Glyph::Chat, format!("Asks: {}", asked.question.question)).tone("waiting")
        }
        EventBody::UserInputReceived { .. } => line(Kind::Turn, Glyph::Chat, "You answered"),
        EventBody::SteeringReceived { .. } => line(Kind::Turn, Glyph::Chat, "You said something into the turn"),
        EventBody::ChangesUndone { turn, restored, conflicts } => {
            let count = restored.len();
            let files = if count == 1 { "1 file" } else { &format!("{count} files") };
            let tone = if conflicts.is_empty() { "plain" } else { "waiting" };
            line(Kind::Tool, Glyph::Step, format!("Changes of turn {turn} taken back: {files}")).tone(tone)
        }
        EventBody::SharingChanged { name, part } => line(Kind::Session, Glyph::Flag, shared(name, part.is_some())),
        EventBody::QueueChanged { change, length, .. } => line(Kind::Turn, Glyph::Clock, queue(*change, *length)),
        EventBody::TurnCompleted { turn, total_time_ms, stopped_by, .. } => {
            let (text, tone) = match stopped_by {
                None => (format!("Turn {turn} done"), "plain"),
                Some(StoppedBy::Limit) => (format!("Turn {turn} stopped at the limit of steps"), "waiting"),
            };
            line(Kind::Turn, Glyph::Check, text).figure(milliseconds(*total_time_ms)).tone(tone)
        }
        EventBody::TurnInterrupted { turn, reason, .. } => {
            let (why, tone) = match reason {
                InterruptReason::Stopped => ("stopped by you", "waiting"),
                InterruptReason::Error => ("failed", "failed"),
                InterruptReason::Restart => ("interrupted by a restart", "waiting"),
            };
            line(Kind::Turn, Glyph::Stop, format!("Turn {turn} {why}")).tone(tone)
        }
        EventBody::SessionError { detail, .. } => line(Kind::Session, Glyph::Warning, detail.clone()).tone("failed"),
    }
}

fn updated(title: Option<&str>, model: Option<&str>, archived: Option<bool>, mode: bool) -> String {
    let parts = [
        title.map(|title| format!("renamed to \u{201c}{title}\u{201d}")),
        model.map(|model| format!("model set to {model}")),
        archived.map(|archived| if archived { "archived".into() } else { "brought back from the archive".into() }),
        mode.then(|| "mode changed".into()),
    ];
    format!("Session {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn rule(tool: &str, scope: Option<&str>) -> String {
    match scope {
        Some(scope) => format!("{tool}: {scope}"),
        None => tool.to_owned(),
    }
}

fn shared(name: &str, with: bool) -> String {
    let who = if name == EVERYBODY { "everybody" } else { name };
    format!("{} {who}", if with { "Shared with" } else { "No longer shared with" })
}

fn queue(change: QueueChange, length: u32) -> String {
    let waiting = if length == 1 { "1 message waits".to_owned() } else { format!("{length} messages wait") };
    match change {
        QueueChange::Edited => "A waiting message was changed".into(),
        QueueChange::Removed => format!("A waiting message was removed, {waiting}"),
        QueueChange::Released => "Waiting messages go on".into(),
        QueueChange::Held => format!("{waiting} until you go on"),
    }
}

fn milliseconds(ms: u64) -> String {
    crate::ui::chat::duration(ms)
}
