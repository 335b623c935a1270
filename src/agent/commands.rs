//! Commands to a session: checked here, carried out by its actor.

use super::{Agent, session::Command, store_failed};
use crate::protocol::{
    Accepted, Actor, Answer, ApiError, ApprovalId, ApprovalRule, Attachment, Decision, ErrorCode, MAX_ATTACHMENTS,
    MessageId, Pending, QuestionId, RuleId, SessionId,
};

/// Longest `client_id`; a UUID has 36 characters.
const CLIENT_ID_BYTES: usize = 128;

impl Agent {
    pub async fn send_message(
        &self,
        actor: &Actor,
        id: &SessionId,
        text: String,
        client_id: Option<String>,
        attachments: Vec<Attachment>,
    ) -> Result<Accepted, ApiError> {
        self.check_message(&text)?;
        if attachments.len() > MAX_ATTACHMENTS {
            let detail = format!(
                "A message names {MAX_ATTACHMENTS} files at most. It was not sent. Put them into a folder and name that."
            );
            return Err(ApiError::new(ErrorCode::InvalidRequest, detail));
        }
        let attachments = attachments.into_iter().map(|attachment| attachment.path).collect();
        if client_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > CLIENT_ID_BYTES) {
            let detail = format!("`client_id` must have 1 to {CLIENT_ID_BYTES} bytes. The message was not taken.");
            return Err(ApiError::new(ErrorCode::InvalidRequest, detail));
        }
        let (actor, text) = (actor.clone(), self.without_own_secrets(text));
        self.command(id, |reply| Command::Send { actor, text, client_id, attachments, reply }).await
    }

    pub async fn stop(&self, actor: &Actor, id: &SessionId) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::Stop { actor, reply }).await
    }

    /// A word into the running turn; the model gets it with its next call.
    pub async fn steer(&self, actor: &Actor, id: &SessionId, text: String) -> Result<(), ApiError> {
        self.check_message(&text)?;
        let (actor, text) = (actor.clone(), self.without_own_secrets(text));
        self.command(id, |reply| Command::Steer { actor, text, reply }).await
    }

    pub async fn decide(
        &self,
        actor: &Actor,
        id: &SessionId,
        approval: ApprovalId,
        decision: Decision,
    ) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::Decide { actor, approval, decision, reply }).await
    }

    /// Denies every call that waits for a word. One that somebody decides meanwhile keeps that decision.
    pub async fn deny_all(&self, actor: &Actor, id: &SessionId) -> Result<(), ApiError> {
        for pending in self.session(id).await?.pending {
            let Pending::ApprovalRequested { approval, .. } = pending else { continue };
            match self.decide(actor, id, approval.approval_id, Decision::Deny).await {
                Err(error) if error.code == ErrorCode::AlreadyResolved => {}
                decided => decided?,
            }
        }
        Ok(())
    }

    pub async fn answer(
        &self,
        actor: &Actor,
        id: &SessionId,
        question: QuestionId,
        answer: Answer,
    ) -> Result<(), ApiError> {
        // A form sends its room for words also where somebody only chose.
        let text = answer.answer.filter(|text| answer.option_ids.is_empty() || !text.trim().is_empty());
        if let Some(text) = &text {
            self.check_message(text)?;
        }
        let answer = Answer { answer: text.map(|text| self.without_own_secrets(text)), option_ids: answer.option_ids };
        let actor = actor.clone();
        self.command(id, |reply| Command::Answer { actor, question, answer, reply }).await
    }

    /// The person's "always" of this session, oldest first.
    pub async fn rules(&self, id: &SessionId) -> Result<Vec<ApprovalRule>, ApiError> {
        self.parts.store.rules(id).await.map_err(store_failed)
    }

    /// From the next call on it asks again.
    pub async fn remove_rule(&self, actor: &Actor, id: &SessionId, rule: &RuleId) -> Result<(), ApiError> {
        self.parts.store.remove_rule(actor, id, rule).await.map_err(store_failed)
    }

    pub async fn edit_queued(
        &self,
        actor: &Actor,
        id: &SessionId,
        message: MessageId,
        text: String,
    ) -> Result<(), ApiError> {
        self.check_message(&text)?;
        let (actor, text) = (actor.clone(), self.without_own_secrets(text));
        self.command(id, |reply| Command::EditQueued { actor, message, text, reply }).await
    }

    pub async fn remove_queued(&self, actor: &Actor, id: &SessionId, message: MessageId) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::RemoveQueued { actor, message, reply }).await
    }

    pub async fn send_queued(&self, actor: &Actor, id: &SessionId, message: MessageId) -> Result<(), ApiError> {
        let actor = actor.clone();
        self.command(id, |reply| Command::SendQueued { actor, message, reply }).await
    }

    /// The server's own keys stand nowhere, also where a person types one.
    pub(super) fn without_own_secrets(&self, text: String) -> String {
        self.parts.redaction.own().cleaned(text)
    }

    fn check_message(&self, text: &str) -> Result<(), ApiError> {
        if text.trim().is_empty() {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "The message is empty, so nothing was sent. Write something first.",
            ));
        }
        let limit = self.parts.limits.message_bytes;
        if text.len() > limit {
            let detail = format!(
                "The message has {} bytes; {limit} is the limit. It was not sent. Put long material into a file of the folder and ask about that.",
                text.len()
            );
            return Err(ApiError::new(ErrorCode::MessageTooLarge, detail));
        }
        Ok(())
    }
}
