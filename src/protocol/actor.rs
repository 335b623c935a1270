//! Who caused an event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    pub kind: ActorKind,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    Person,
    Agent,
    System,
    Service,
}

impl Actor {
    /// The person at this machine, as long as there is no access control that names people.
    pub fn local() -> Self {
        Self { kind: ActorKind::Person, name: "local".into() }
    }
    /// The model that works in the session, by its configured alias.
    pub fn agent(model: &str) -> Self {
        Self { kind: ActorKind::Agent, name: model.into() }
    }
    /// The program itself: start-up recovery, housekeeping.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, name: "cowork".into() }
    }
}
