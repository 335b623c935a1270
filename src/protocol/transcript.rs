//! The conversation as a person reads it: one fold over turn rows and events, shared by the server's page, the
//! browser and the tests. A session of Loom's has rows and no events; a running one has events that its rows
//! don't have yet; where both tell of the same thing, applying the event again changes nothing.

mod call;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use call::{Call, CallApproval, CallCard, CallQuestion, CallState};

use super::{
    Actor, Attached, CallId, ContextUse, EventBody, InterruptReason, MessageId, QueueChange, QueuedMessage, Record,
    Role, STEERING_PREFIX, SteeringId, StoppedBy, Tokens, ToolCall, ToolResult, TurnRow,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    pub turns: Vec<Turn>,
    /// Messages that wait for their turn, oldest first.
    pub queue: Vec<QueuedMessage>,
    /// Waiting messages don't start by themselves until the person goes on.
    pub queue_held: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub turn: u32,
    /// `None` where the window of rows begins in the middle of the turn.
    pub user: Option<Said>,
    pub messages: Vec<Message>,
    pub outcome: Outcome,
    /// Why the model is asked again, until its answer begins.
    pub retry: Option<String>,
    pub steering: Vec<Steered>,
    /// What stands under the turn, as HTML; filled by whoever shows it.
    #[serde(default)]
    pub foot: String,
}

/// What a person said into the running turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steered {
    pub steering_id: SteeringId,
    /// Messages of the model that stand before it.
    pub after: usize,
    pub said: Said,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub text: String,
    pub at: String,
    pub actor: Option<Actor>,
    /// Paths of the workspace that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

impl Said {
    fn new(text: String, at: &str, actor: Option<&Actor>) -> Self {
        Self { text, at: at.into(), actor: actor.cloned(), attachments: Vec::new() }
    }
}

/// One message of the model and the calls that it asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub message: u32,
    pub text: String,
    /// The text as rendered, sanitised HTML blocks; filled by whoever shows it.
    pub blocks: Vec<String>,
    /// Stopped or interrupted before the model was done.
    pub partial: bool,
    pub calls: Vec<Call>,
    /// The calls as they are shown; filled by whoever shows them.
    #[serde(default)]
    pub cards: Vec<CallCard>,
}

impl Message {
    /// Takes in what the model asked for with this message, in its order, before any of it begins.
    pub fn plan(&mut self, asked: &[ToolCall]) {
        for request in asked {
            if self.calls.iter().all(|call| call.tool_call_id != request.id) {
                self.calls.push(Call::from_request(request));
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Known from rows alone: over, as far as one can tell.
    #[default]
    Past,
    Running,
    Completed {
        model: String,
        tokens: Tokens,
        total_time_ms: u64,
        tool_calls: u32,
        context: ContextUse,
        stopped_by: Option<StoppedBy>,
    },
    Interrupted {
        reason: InterruptReason,
        detail: String,
    },
}

/// What an event changed, for a view that keeps a signal for each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    Nothing,
    /// The turn at this index: its person's message, its outcome or the number of its messages.
    Turn(usize),
    /// A message of the turn: its text or the number of its calls.
    Message {
        turn: usize,
        message: usize,
    },
    Call {
        turn: usize,
        message: usize,
        call: usize,
    },
    Queue,
}

impl Transcript {
    pub fn from_rows(rows: &[TurnRow]) -> Self {
        let mut transcript = Self::default();
        for row in rows {
            let index = transcript.turn_at(row.turn);
            transcript.turns[index].add_row(row);
        }
        transcript
    }

    /// Takes in an event, in the order of seq.
    pub fn apply(&mut self, record: &Record) -> Touched {
        let event = &record.event;
        match &event.body {
            EventBody::ToolCallStarted { turn, tool_call_id, name, args, preview } => {
                self.call(*turn, tool_call_id, name, |call| call.start(args, preview, &event.created_at))
            }
            EventBody::ToolCallCompleted { turn, tool_call_id, name, .. } => {
                let body = &event.body;
                self.call(*turn, tool_call_id, name, |call| call.complete(body))
            }
            EventBody::ApprovalRequested(asked) => {
                self.call(asked.turn, &asked.tool_call_id, &asked.name, |call| call.wait_for(asked, record))
            }
            EventBody::ApprovalResolved { turn, tool_call_id, decision, .. } => {
                self.call(*turn, tool_call_id, "", |call| call.decide(*decision, &event.actor))
            }
            EventBody::AwaitingUserInput(asked) => {
                self.call(asked.turn, &asked.tool_call_id, "", |call| call.ask(asked))
            }
            EventBody::UserInputReceived { turn, tool_call_id, .. } => {
                let words = record.text.clone().unwrap_or_default();
                self.call(*turn, tool_call_id, "", |call| call.answer(words, &event.actor))
            }
            EventBody::UserMessageReceived { .. }
            | EventBody::TurnStarted { .. }
            | EventBody::ModelRetry { .. }
            | EventBody::MessageCompleted { .. }
            | EventBody::SteeringReceived { .. }
            | EventBody::TurnCompleted { .. }
            | EventBody::TurnInterrupted { .. }
            | EventBody::QueueChanged { .. }
            | EventBody::SessionStarted { .. }
            | EventBody::SessionResumed { .. }
            | EventBody::SessionUpdated { .. }
            | EventBody::ChangesUndone { .. }
            | EventBody::SharingChanged { .. }
            | EventBody::ApprovalRuleAdded { .. }
            | EventBody::ApprovalRuleRemoved { .. }
            | EventBody::ModelCall { .. }
            | EventBody::UploadStarted { .. }
            | EventBody::UploadCompleted { .. }
            | EventBody::UploadFailed { .. }
            | EventBody::EventsRemoved { .. }
            | EventBody::SessionError { .. } => self.apply_around_calls(record),
        }
    }

    /// Takes in what an event says of all but calls: those come drawn to a page.
    pub fn apply_around_calls(&mut self, record: &Record) -> Touched {
        let event = &record.event;
        match &event.body {
            EventBody::UserMessageReceived { turn, message_id, attachments, steering_id, .. } => {
                let said = Said::new(record.text.clone().unwrap_or_default(), &event.created_at, Some(&event.actor));
                let said = Said { attachments: attachments.clone(), ..said };
                match turn {
                    Some(turn) => self.say(*turn, said),
                    None => self.enqueue(message_id, steering_id.as_ref(), said),
                }
            }
            EventBody::TurnStarted { turn, message_id, .. } => self.start(*turn, message_id, record),
            EventBody::ModelRetry { turn, attempt, wait_ms, reason, .. } => {
                let index = self.turn_at(*turn);
                let seconds = wait_ms.div_ceil(1000);
                self.turns[index].retry =
                    Some(format!("{reason} Trying again in {seconds} s (attempt {}).", attempt + 1));
                Touched::Turn(index)
            }
            EventBody::MessageCompleted { turn, message, partial, .. } => {
                let index = self.turn_at(*turn);
                let found = self.turns[index].message_at(*message);
                let message = &mut self.turns[index].messages[found];
                message.partial = *partial;
                if let Some(text) = &record.text {
                    message.text.clone_from(text);
                }
                self.turns[index].retry = None;
                Touched::Message { turn: index, message: found }
            }
            EventBody::SteeringReceived { turn, steering_id, .. } => self.steer(*turn, steering_id, record),
            EventBody::TurnCompleted {
                turn, model, tokens, total_time_ms, tool_calls, context, stopped_by, ..
            } => {
                let (model, stopped_by) = (model.clone(), *stopped_by);
                let (tokens, total_time_ms, tool_calls, context) = (*tokens, *total_time_ms, *tool_calls, *context);
                self.end(*turn, Outcome::Completed { model, tokens, total_time_ms, tool_calls, context, stopped_by })
            }
            EventBody::TurnInterrupted { turn, reason, detail } => {
                self.end(*turn, Outcome::Interrupted { reason: *reason, detail: detail.clone() })
            }
            EventBody::QueueChanged { change, message_id, .. } => {
                self.change_queue(*change, message_id.as_ref(), record.text.as_deref())
            }
            EventBody::SessionStarted { .. }
            | EventBody::SessionResumed { .. }
            | EventBody::SessionUpdated { .. }
            | EventBody::ChangesUndone { .. }
            | EventBody::SharingChanged { .. }
            | EventBody::ApprovalRuleAdded { .. }
            | EventBody::ApprovalRuleRemoved { .. }
            | EventBody::ModelCall { .. }
            | EventBody::UploadStarted { .. }
            | EventBody::UploadCompleted { .. }
            | EventBody::UploadFailed { .. }
            | EventBody::EventsRemoved { .. }
            | EventBody::ToolCallStarted { .. }
            | EventBody::ToolCallCompleted { .. }
            | EventBody::ApprovalRequested(_)
            | EventBody::ApprovalResolved { .. }
            | EventBody::AwaitingUserInput(_)
            | EventBody::UserInputReceived { .. }
            | EventBody::SessionError { .. } => Touched::Nothing,
        }
    }

    /// The index of a turn, which is made where it is not there yet. Turns only ever come at the end.
    fn turn_at(&mut self, turn: u32) -> usize {
        if let Some(found) = self.turns.iter().rposition(|known| known.turn == turn) {
            return found;
        }
        self.turns.push(Turn { turn, ..Turn::default() });
        self.turns.len() - 1
    }

    fn say(&mut self, turn: u32, said: Said) -> Touched {
        let index = self.turn_at(turn);
        let turn = &mut self.turns[index];
        turn.user = Some(said);
        if turn.outcome == Outcome::Past {
            // Its turn starts in the same transaction, so there is no moment at which it rests.
            turn.outcome = Outcome::Running;
        }
        Touched::Turn(index)
    }

    /// A word into a turn that came too late for it is the next message, and stands in the queue alone.
    fn enqueue(&mut self, id: &MessageId, steering_id: Option<&SteeringId>, said: Said) -> Touched {
        let Said { text: message, at: created_at, attachments, .. } = said;
        if !self.queue.iter().any(|waiting| waiting.message_id == *id) {
            let place = match steering_id {
                Some(_) => self.queue.iter().take_while(|waiting| waiting.steering_id.is_some()).count(),
                None => self.queue.len(),
            };
            let (message_id, steering_id) = (id.clone(), steering_id.cloned());
            self.queue.insert(place, QueuedMessage { message_id, message, created_at, attachments, steering_id });
        }
        let is_it = |steered: &Steered| Some(&steered.steering_id) == steering_id;
        match self.turns.iter().rposition(|turn| turn.steering.iter().any(is_it)) {
            Some(index) => {
                self.turns[index].steering.retain(|steered| !is_it(steered));
                Touched::Turn(index)
            }
            None => Touched::Queue,
        }
    }

    fn start(&mut self, turn: u32, id: &MessageId, record: &Record) -> Touched {
        let index = self.turn_at(turn);
        let waited = self
            .queue
            .iter()
            .position(|waiting| waiting.message_id == *id)
            .map(|found| self.queue.remove(found))
            .map(|waited| (waited.message, waited.attachments));
        let said = &mut self.turns[index].user;
        if said.is_none() {
            let (waited, attachments) = waited.unwrap_or_default();
            let text = record.text.clone().unwrap_or(waited);
            let event = &record.event;
            *said = Some(Said { attachments, ..Said::new(text, &event.created_at, Some(&event.actor)) });
        }
        self.turns[index].outcome = Outcome::Running;
        Touched::Turn(index)
    }

    fn steer(&mut self, turn: u32, id: &SteeringId, record: &Record) -> Touched {
        let (text, event) = (record.text.clone().unwrap_or_default(), &record.event);
        let index = self.turn_at(turn);
        self.turns[index].steer(id, Said::new(text, &event.created_at, Some(&event.actor)));
        Touched::Turn(index)
    }

    fn call(&mut self, turn: u32, id: &CallId, name: &str, change: impl FnOnce(&mut Call)) -> Touched {
        let index = self.turn_at(turn);
        let (message, call) = self.turns[index].call_at(id, name);
        change(&mut self.turns[index].messages[message].calls[call]);
        Touched::Call { turn: index, message, call }
    }

    fn end(&mut self, turn: u32, outcome: Outcome) -> Touched {
        let index = self.turn_at(turn);
        self.turns[index].outcome = outcome;
        self.turns[index].retry = None;
        Touched::Turn(index)
    }

    fn change_queue(&mut self, change: QueueChange, id: Option<&MessageId>, text: Option<&str>) -> Touched {
        match change {
            QueueChange::Held => self.queue_held = true,
            QueueChange::Released => self.queue_held = false,
            QueueChange::Removed => self.queue.retain(|waiting| Some(&waiting.message_id) != id),
            QueueChange::First => {
                if let Some(place) = self.queue.iter().position(|waiting| Some(&waiting.message_id) == id) {
                    self.queue[..=place].rotate_right(1);
                }
            }
            QueueChange::Edited => {
                let edited = self.queue.iter_mut().find(|waiting| Some(&waiting.message_id) == id);
                edited.into_iter().for_each(|waiting| waiting.message = text.unwrap_or_default().into());
            }
        }
        Touched::Queue
    }

    /// The first of an answer has come: it is not asked for again.
    pub fn begin_answer(&mut self, turn: u32) {
        let index = self.turn_at(turn);
        self.turns[index].retry = None;
    }

    /// Takes in live output of a running call; what was cut off before `offset` is marked.
    pub fn add_output(&mut self, turn: u32, id: &CallId, offset: u64, text: &str) -> Touched {
        self.call(turn, id, "", |call| {
            if !matches!(call.state, CallState::Open | CallState::Running) {
                return;
            }
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            if at > call.output.len() {
                call.output.clear();
                call.output.push_str("[…]\n");
            } else if call.output.is_char_boundary(at) {
                call.output.truncate(at);
            }
            call.output.push_str(text);
        })
    }

    /// The turn that runs, if one does.
    pub fn running(&self) -> Option<u32> {
        self.turns.last().filter(|turn| turn.outcome == Outcome::Running).map(|turn| turn.turn)
    }
}

impl Turn {
    fn add_row(&mut self, row: &TurnRow) {
        match row.role {
            Role::User => {
                let attachments = Attached::from_metadata(row.metadata.as_ref()).paths();
                self.user = Some(Said { attachments, ..Said::new(row.content.clone(), &row.created_at, None) });
            }
            Role::Assistant => {
                let index = self.message_at(row.message.unwrap_or_default());
                let message = &mut self.messages[index];
                message.text.clone_from(&row.content);
                message.calls = row.tool_calls.iter().map(Call::from_request).collect();
            }
            Role::Tool => self.add_result(row),
            Role::System => self.add_note(row),
        }
    }

    /// A person's word into the turn; Loom's hints to the model, which have no id, nobody wrote or read.
    fn add_note(&mut self, row: &TurnRow) {
        let id = row.metadata.as_ref().and_then(|metadata| metadata.get("steering_id")).and_then(Value::as_str);
        let Some(id) = id else { return };
        let text = row.content.strip_prefix(STEERING_PREFIX).unwrap_or(&row.content).to_owned();
        self.steer(&SteeringId::new(id), Said::new(text, &row.created_at, None));
    }

    /// Where a row has told of it already, the event adds who it was.
    fn steer(&mut self, id: &SteeringId, said: Said) {
        match self.steering.iter_mut().find(|known| known.steering_id == *id) {
            Some(known) => known.said = said,
            None => {
                let after = self.messages.len();
                self.steering.push(Steered { steering_id: id.clone(), after, said });
            }
        }
    }

    fn add_result(&mut self, row: &TurnRow) {
        let calls = self.messages.iter_mut().flat_map(|message| &mut message.calls);
        // Loom's ids repeat, so a result belongs to the first call of that id that has none.
        let open = calls
            .into_iter()
            .find(|call| call.state == CallState::Open && Some(&call.tool_call_id) == row.tool_call_id.as_ref());
        if let Some(call) = open {
            call.take_result(ToolResult::from_row(&row.content));
        }
    }

    /// The index of a message of this turn, which is made where it is not there yet.
    pub fn message_at(&mut self, message: u32) -> usize {
        if let Some(found) = self.messages.iter().rposition(|known| known.message == message) {
            return found;
        }
        self.messages.push(Message { message, ..Message::default() });
        self.messages.len() - 1
    }

    /// Where a call stands; an unknown one is put under the newest message.
    fn call_at(&mut self, id: &CallId, name: &str) -> (usize, usize) {
        for (index, message) in self.messages.iter().enumerate().rev() {
            if let Some(call) = message.calls.iter().rposition(|call| call.tool_call_id == *id) {
                return (index, call);
            }
        }
        let index = match self.messages.len() {
            0 => self.message_at(0),
            count => count - 1,
        };
        let calls = &mut self.messages[index].calls;
        calls.push(Call::new(id.clone(), name));
        (index, calls.len() - 1)
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
