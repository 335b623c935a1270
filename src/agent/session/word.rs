//! A person's word on something that waits: steering, a decision on a call, an answer to a question.

use super::{SessionActor, answer};
use crate::{
    agent::{
        new_id,
        ports::store::{NewMessage, Resolution, Steering, StoreError},
        store_failed,
    },
    protocol::{
        Accepted, Actor, Answer, ApiError, ApprovalId, Asked, Decision, ErrorCode, Pending, QuestionId, RuleId,
        SteeringId,
    },
};

impl SessionActor {
    pub(super) async fn steer(&self, actor: &Actor, text: String) -> Result<(), ApiError> {
        let Some(running) = &self.running else { return Err(store_failed(StoreError::NotRunning)) };
        let steering = Steering { steering_id: SteeringId::new(new_id()), text };
        self.parts.store.steer(actor, &self.id, running.turn, steering).await.map_err(store_failed)?;
        self.words.send_modify(|words| *words += 1);
        Ok(())
    }

    pub(super) async fn decide(
        &self,
        actor: &Actor,
        approval: &ApprovalId,
        decision: Decision,
    ) -> Result<(), ApiError> {
        let rule = RuleId::new(new_id());
        let decided = self.parts.store.decide(actor, &self.id, approval, decision, rule).await.map_err(store_failed)?;
        self.hand_on(decided, "answered")
    }

    pub(super) async fn answer(&self, actor: &Actor, question: &QuestionId, answer: &Answer) -> Result<(), ApiError> {
        let asked = self.parts.store.asked(&self.id, question).await.map_err(store_failed)?;
        let words = fitting(&asked, answer)?;
        let answered = self.parts.store.answer(actor, &self.id, question, words).await.map_err(store_failed)?;
        self.hand_on(answered, "answered")
    }

    pub(super) async fn answer_with(
        &self,
        actor: &Actor,
        asked: &Asked,
        new: NewMessage,
    ) -> Result<Accepted, ApiError> {
        fitting(asked, &Answer { answer: Some(new.text.clone()), option_ids: Vec::new() })?;
        let taken = self.parts.store.answer_with_message(actor, &self.id, asked, new).await.map_err(store_failed)?;
        self.words.send_modify(|words| *words += 1);
        answer(taken)
    }

    /// Wakes what waits for the word, or tells whose word came first.
    fn hand_on(&self, resolution: Resolution, done: &str) -> Result<(), ApiError> {
        self.words.send_modify(|words| *words += 1);
        match resolution {
            Resolution::Done => Ok(()),
            Resolution::Already { by, at, word } => {
                // The minute is enough, and what a person looks for in the log.
                let at = at.get(..16).unwrap_or(&at).replace('T', " ");
                let first = format!("Already {done} by {} at {at} UTC: {}.", by.name, plain(&word));
                let detail = format!("{first} Your answer came later and changed nothing.");
                Err(ApiError::new(ErrorCode::AlreadyResolved, detail))
            }
        }
    }
}

/// The question that a message answers. While a call waits for approval, messages queue.
pub(super) fn oldest_question(pending: &[Pending]) -> Option<&Asked> {
    if pending.iter().any(|pending| matches!(pending, Pending::ApprovalRequested { .. })) {
        return None;
    }
    pending.iter().find_map(|pending| match pending {
        Pending::AwaitingUserInput { asked, .. } => Some(asked),
        Pending::ApprovalRequested { .. } => None,
    })
}

fn fitting(asked: &Asked, answer: &Answer) -> Result<String, ApiError> {
    asked.question.words(answer).map_err(|why| {
        ApiError::new(ErrorCode::InvalidAnswer, format!("{why} Nothing was answered; the question still waits."))
    })
}

/// A decision as people say it; an answer is what it is.
fn plain(word: &str) -> &str {
    match word {
        "approve" => "allowed once",
        "approve_always" => "allowed for this session",
        "deny" => "denied",
        answer => answer,
    }
}
