//! Who may do what in a session.

use super::{Agent, store_failed};
use crate::protocol::{Actor, ApiError, EVERYBODY, ErrorCode, Right, SessionId, Share, Sharing};

/// More are a group, which has no name here; `*` is everybody.
const MOST_SHARES: usize = 100;
const NAME_BYTES: usize = 256;

impl Agent {
    /// That `name` may do at least `need`. What they may not even watch is not there for them.
    pub async fn require(&self, name: &str, id: &SessionId, need: Right) -> Result<(), ApiError> {
        let part = self.parts.store.part(id, name).await.map_err(store_failed)?;
        match part.ok_or_else(ApiError::session_not_found)? {
            part if part >= need => Ok(()),
            Right::Own | Right::TakePart => Err(ApiError::new(
                ErrorCode::NotAllowed,
                "Only the owner of this session may do this. Nothing was changed. Ask the one who made it.",
            )),
            Right::Watch => Err(ApiError::new(
                ErrorCode::NotAllowed,
                "You may watch this session and not take part in it. Nothing was changed. Ask its owner to let you.",
            )),
        }
    }

    pub async fn sharing(&self, id: &SessionId) -> Result<Sharing, ApiError> {
        self.parts.store.sharing(id).await.map_err(store_failed)
    }

    pub async fn share(&self, actor: &Actor, id: &SessionId, share: Share) -> Result<Sharing, ApiError> {
        let now = self.sharing(id).await?;
        let Some(owner) = now.owner else {
            let detail =
                "This session is everybody's already: it was made where nobody had a name. Nothing was changed.";
            return Err(ApiError::new(ErrorCode::InvalidRequest, detail));
        };
        let name = share.name.trim();
        let refused = if name.is_empty() || name.len() > NAME_BYTES {
            Some(format!("`name` must be that of a person, or `{EVERYBODY}` for everybody."))
        } else if name == owner {
            Some(format!("The session is `{owner}`'s own."))
        } else if share.part == Some(Right::Own) {
            Some("`part` must be `watch`, `take_part`, or null to take it back.".into())
        } else if share.part.is_some() && now.shares.len() >= MOST_SHARES {
            Some(format!("A session is shared with at most {MOST_SHARES} people."))
        } else {
            None
        };
        if let Some(reason) = refused {
            return Err(ApiError::new(ErrorCode::InvalidRequest, format!("{reason} Nothing was changed.")));
        }
        let share = Share { name: name.to_owned(), ..share };
        self.parts.store.share(actor, id, share).await.map_err(store_failed)
    }
}
