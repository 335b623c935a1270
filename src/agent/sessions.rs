//! Sessions through the one door: create, list, change, delete, bring back.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Agent, blocking, new_id,
    ports::store::{Census, NewSession, RESTORE_WINDOW, StoredSession},
    session::Interruption,
    store_failed,
};
use crate::protocol::{
    Actor, ApiError, CreateSession, ErrorCode, ForkPoint, Mode, Session, SessionId, SessionList, SessionQuery, Status,
    UpdateSession,
};

/// Longest title, in characters.
const TITLE_CHARS: usize = 200;
/// How the title of a session begins that goes on from another one; every language reads it.
const FORK_MARK: &str = "↳ ";

impl Agent {
    pub async fn create_session(&self, actor: &Actor, wanted: CreateSession) -> Result<Session, ApiError> {
        self.check_mode(wanted.mode)?;
        self.check_room(actor).await?;
        let model = wanted.model.unwrap_or_else(|| self.parts.models.default_name().to_owned());
        self.check_model(&model)?;
        let workspaces = self.parts.workspaces.clone();
        let requested = wanted.workspace;
        let workspace = blocking(move || workspaces.resolve(requested.as_deref())).await?;
        let new = NewSession {
            id: SessionId(new_id()),
            title: clean_title(&self.without_own_secrets(wanted.title.unwrap_or_default()))?,
            workspace: workspace.display().to_string(),
            model,
            system_prompt: wanted.system_prompt.map(|prompt| self.without_own_secrets(prompt)),
            mode: wanted.mode.unwrap_or_default(),
            forked_from: None,
        };
        self.parts.store.create_session(actor, new).await.map(present).map_err(store_failed)
    }

    /// That the limits let somebody have one session more.
    async fn check_room(&self, actor: &Actor) -> Result<(), ApiError> {
        if self.parts.allowance.allowed().sessions.is_some() {
            let count = self.parts.store.sessions_of(&actor.name).await.map_err(store_failed)?;
            self.parts.allowance.check_sessions(count)?;
        }
        self.parts.check_space().await
    }

    /// A new session on the same folder that begins with the other's history up to the end of `turn`.
    pub async fn fork_session(&self, actor: &Actor, id: &SessionId, turn: u32) -> Result<Session, ApiError> {
        let from = self.parts.store.session(id).await.map_err(store_failed)?.ok_or_else(ApiError::session_not_found)?;
        self.check_mode(Some(from.mode))?;
        self.check_room(actor).await?;
        if turn == 0 || turn > from.turn_count {
            let detail = format!("This session has no turn {turn}; it has {}. Nothing was made.", from.turn_count);
            return Err(ApiError::new(ErrorCode::InvalidRequest, detail));
        }
        if from.running_turn == Some(turn) {
            let detail = "This turn still runs. Nothing was made. Wait for its end, or go on from an earlier one.";
            return Err(ApiError::new(ErrorCode::TurnRunning, detail));
        }
        let new = NewSession {
            id: SessionId(new_id()),
            title: [FORK_MARK, &from.title].concat().chars().take(TITLE_CHARS).collect(),
            workspace: from.workspace,
            model: from.model,
            system_prompt: from.system_prompt,
            mode: from.mode,
            forked_from: Some(ForkPoint { session_id: id.clone(), turn }),
        };
        self.parts.store.create_session(actor, new).await.map(present).map_err(store_failed)
    }

    /// Those that `viewer` may see, all where it is `None`.
    pub async fn sessions(&self, viewer: Option<&str>, query: &SessionQuery) -> Result<SessionList, ApiError> {
        check_limit(query.limit)?;
        let (sessions, total) = self.parts.store.sessions(viewer, query).await.map_err(store_failed)?;
        Ok(SessionList { sessions: sessions.into_iter().map(present).collect(), total })
    }

    /// For those who watch the server.
    pub async fn census(&self) -> Result<Census, ApiError> {
        self.parts.store.census().await.map_err(store_failed)
    }

    pub async fn session(&self, id: &SessionId) -> Result<Session, ApiError> {
        let session = self.parts.store.session(id).await.map_err(store_failed)?;
        session.map(present).ok_or_else(ApiError::session_not_found)
    }

    pub async fn update_session(
        &self,
        actor: &Actor,
        id: &SessionId,
        mut update: UpdateSession,
    ) -> Result<Session, ApiError> {
        self.check_mode(update.mode)?;
        if let Some(model) = &update.model {
            self.check_model(model)?;
        }
        if let Some(title) = &mut update.title {
            *title = clean_title(&self.without_own_secrets(std::mem::take(title)))?;
        }
        let judged_anew = update.mode.is_some();
        let updated = self.parts.store.update_session(actor, id, update).await.map_err(store_failed)?;
        if judged_anew {
            self.tell_turn(id).await;
        }
        Ok(present(updated))
    }

    /// Stops a running turn, then takes the session away; see [`RESTORE_WINDOW`].
    pub async fn delete_session(&self, actor: &Actor, id: &SessionId) -> Result<(), ApiError> {
        self.session(id).await?;
        self.settle(id, Interruption::stopped(actor.clone())).await;
        self.parts.store.delete_session(id).await.map_err(store_failed)?;
        // One who sent a message between the two is stopped too; from here on nobody can.
        self.settle(id, Interruption::stopped(actor.clone())).await;
        self.actors().remove(id);
        self.parts.feeds.open(id).close();
        self.purge_later();
        Ok(())
    }

    /// Looks for expired sessions when the one that was deleted now has expired.
    pub(super) fn purge_later(&self) {
        let parts = self.parts.clone();
        tokio::spawn(async move {
            sleep(RESTORE_WINDOW + Duration::from_secs(1)).await;
            if let Err(error) = parts.store.purge_expired().await {
                tracing::warn!(%error, "the rows of deleted sessions stay until the next start");
            }
            parts.sweep().await;
        });
    }

    /// Whether it was deleted so lately that it can be brought back.
    pub async fn is_restorable(&self, id: &SessionId) -> bool {
        self.parts.store.is_restorable(id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether a session can be brought back could not be read");
            false
        })
    }

    pub async fn restore_session(&self, id: &SessionId) -> Result<Session, ApiError> {
        let session = self.parts.store.restore_session(id).await.map(present).map_err(store_failed)?;
        self.parts.feeds.open(id).reopen();
        Ok(session)
    }

    fn check_mode(&self, mode: Option<Mode>) -> Result<(), ApiError> {
        if mode != Some(Mode::Full) || self.parts.limits.full_mode {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::ModeNotAllowed,
            "The mode `full` never asks, and this server does not allow it. Nothing was changed. Whoever runs the server \
             can allow it with `allow_full_mode` in `[cowork]`.",
        ))
    }

    fn check_model(&self, name: &str) -> Result<(), ApiError> {
        if self.parts.models.get(name).is_some() {
            return Ok(());
        }
        let known: Vec<_> = self.parts.models.iter().map(|entry| entry.name.as_str()).collect();
        let detail = format!("There is no model `{name}`. Nothing was changed. Configured are: {}.", known.join(", "));
        Err(ApiError::new(ErrorCode::UnknownModel, detail))
    }
}

/// A session as people see it.
fn present(stored: StoredSession) -> Session {
    let status = stored.running_turn.map_or(Status::Idle, |_| Status::of_running(&stored.pending));
    Session {
        id: stored.id,
        title: stored.title,
        workspace: stored.workspace,
        model: stored.model,
        mode: stored.mode,
        status,
        turn_count: stored.turn_count,
        total_tokens: stored.total_tokens,
        started_at: stored.started_at,
        last_active_at: stored.last_active_at,
        archived: stored.archived,
        pinned: stored.pinned,
        head_seq: stored.head_seq,
        pending: stored.pending,
        tasks: stored.tasks,
    }
}

/// One page of anything: 1 to 1000.
pub(super) fn check_limit(limit: u32) -> Result<(), ApiError> {
    if (1..=1000).contains(&limit) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::InvalidRequest, format!("`limit` must be from 1 to 1000, not {limit}.")))
}

fn clean_title(title: &str) -> Result<String, ApiError> {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.chars().count() > TITLE_CHARS {
        return Err(ApiError::new(
            ErrorCode::InvalidRequest,
            format!("A title has at most {TITLE_CHARS} characters. Nothing was changed."),
        ));
    }
    Ok(title)
}
