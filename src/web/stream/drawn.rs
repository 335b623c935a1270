//! What an event changes of the drawn page, for watchers with `?view=html`: one fold of the turn that runs.

use crate::{
    agent::{ports::store::TurnWindow, writing::Writing},
    cards::Pen,
    protocol::{
        BasePath, EventBody, Part, Record, ServerFrame, SessionId,
        transcript::{Outcome, Touched, Transcript},
    },
    state::AppState,
    ui::words::Language,
};

pub struct Drawn {
    id: SessionId,
    pen: Pen,
    /// The turn of the event before, alone.
    fold: Transcript,
}

impl Drawn {
    pub fn new(language: Language, id: SessionId, base: &BasePath) -> Self {
        Self { pen: Pen::new(language, &id, base), id, fold: Transcript::default() }
    }

    /// What goes before the event's own frames. Sent again, it changes nothing.
    pub async fn frames(&mut self, state: &AppState, record: &Record) -> Vec<ServerFrame> {
        match &record.event.body {
            EventBody::SessionUpdated { .. }
            | EventBody::ApprovalRuleAdded { .. }
            | EventBody::ApprovalRuleRemoved { .. } => self.menu(state).await,
            body => match body.turn() {
                Some(turn) => self.turn(state, turn, record).await,
                None => Vec::new(),
            },
        }
    }

    pub fn writing(&self, turn: u32, writing: &Writing) -> ServerFrame {
        let html = self.pen.writing(&writing.name, &writing.preview, writing.bytes);
        ServerFrame::Fragment { part: Part::Writing(turn), html }
    }

    async fn menu(&self, state: &AppState) -> Vec<ServerFrame> {
        // A session that is gone has no chips.
        let menu = state.menu(&self.id).await.map(|parts| self.pen.menu(&parts));
        menu.map(|html| ServerFrame::Fragment { part: Part::Menu, html }).into_iter().collect()
    }

    async fn turn(&mut self, state: &AppState, turn: u32, record: &Record) -> Vec<ServerFrame> {
        if self.fold.turns.last().is_none_or(|known| known.turn != turn) {
            self.fold = Transcript::default();
            if !matches!(record.event.body, EventBody::UserMessageReceived { .. } | EventBody::TurnStarted { .. }) {
                self.read(state, turn, record).await;
            }
        }
        match self.fold.apply(record) {
            Touched::Nothing | Touched::Queue => Vec::new(),
            Touched::Message { turn, message } => self.planned(state, record, turn, message).await,
            Touched::Turn(index) => self.end(index),
            Touched::Call { turn: index, message, call } => {
                let message = &mut self.fold.turns[index].messages[message];
                state.agent.foresee(&self.id, &mut message.calls[call]).await;
                let card = self.pen.call(turn, &message.calls[call], false);
                vec![ServerFrame::ToolCallCard { turn, message: message.message, card }]
            }
        }
    }

    /// All calls of a message, in the model's order: nobody agrees to the first without seeing those behind it.
    async fn planned(&mut self, state: &AppState, record: &Record, turn: usize, message: usize) -> Vec<ServerFrame> {
        let EventBody::MessageCompleted { turn_number, partial: false, .. } = &record.event.body else {
            return Vec::new();
        };
        let window = TurnWindow::Before { turn_number: Some(turn_number + 1), limit: 1 };
        // What can't be read now is drawn when it begins.
        let rows = state.agent.turns(&self.id, window).await.map(|page| page.turns).unwrap_or_default();
        let turn = &mut self.fold.turns[turn];
        let message = &mut turn.messages[message];
        rows.iter().for_each(|row| message.plan(&row.tool_calls));
        let card = |call| {
            let card = self.pen.call(turn.turn, call, false);
            ServerFrame::ToolCallCard { turn: turn.turn, message: message.message, card }
        };
        message.calls.iter().map(card).collect()
    }

    /// What came before, for a watcher who comes in the middle of the turn.
    async fn read(&mut self, state: &AppState, turn: u32, record: &Record) {
        // What can't be read now is drawn without its beginning.
        let records = state.agent.records_of_turns(&self.id, (turn, turn)).await.unwrap_or_default();
        let before = records.iter().take_while(|before| before.event.seq < record.event.seq);
        for before in before.filter(|before| before.event.body.turn() == Some(turn)) {
            self.fold.apply(before);
        }
    }

    fn end(&self, index: usize) -> Vec<ServerFrame> {
        let turn = &self.fold.turns[index];
        if turn.outcome == Outcome::Running {
            return Vec::new();
        }
        let foot = ServerFrame::Fragment { part: Part::Foot(turn.turn), html: self.pen.foot(turn) };
        let meter = match &turn.outcome {
            Outcome::Completed { context, .. } => Some(self.pen.meter(*context)),
            Outcome::Past | Outcome::Running | Outcome::Interrupted { .. } => None,
        };
        let meter = meter.map(|html| ServerFrame::Fragment { part: Part::Meter, html });
        std::iter::once(foot).chain(meter).collect()
    }
}
