//! Who else has the session open, and who is typing. Nobody needs to be told who has the server alone.

use leptos::prelude::*;

use crate::{
    protocol::Present,
    ui::{
        session_view::SessionView,
        viewer::Viewer,
        words::{fill, words},
    },
};

#[component]
pub fn PeopleChip(view: SessionView) -> impl IntoView {
    let others = Memo::new(move |_| {
        let is_other = |present: &&Present| Viewer::sees_as_other(&present.name);
        view.people.with(|people| people.iter().filter(is_other).cloned().collect::<Vec<_>>())
    });
    let text = move || {
        let w = &words().frame;
        let (names, typing) = others.with(|others| {
            let names: Vec<_> = others.iter().map(|present| present.name.clone()).collect();
            (names, others.iter().find(|present| present.typing).map(|present| present.name.clone()))
        });
        match (typing, names.as_slice()) {
            (_, []) => None,
            (Some(typing), _) => Some(fill(w.types, &[&typing])),
            (None, [name]) => Some(fill(w.is_here, &[name])),
            (None, names) => Some(fill(w.are_here, &[&names.len().to_string()])),
        }
    };
    let names =
        move || others.with(|others| others.iter().map(|present| present.name.as_str()).collect::<Vec<_>>().join(", "));
    move || text().map(|text| view! { <span class="chip people" role="status" title=names>{text}</span> })
}
