//! Who looks at the page.

use leptos::prelude::*;

use crate::protocol::Actor;

/// Whoever has the server alone goes without a name of their own.
#[derive(Clone)]
pub struct Viewer(String);

impl Viewer {
    pub fn provide(name: Option<String>) {
        provide_context(Self(name.unwrap_or_else(|| Actor::local().name)));
    }

    /// Of everybody but the viewer: people know their own words.
    pub fn sees_as_other(name: &str) -> bool {
        use_context::<Self>().is_some_and(|viewer| viewer.0 != name)
    }
}
