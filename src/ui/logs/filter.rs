//! Which rows the panel shows.

use leptos::prelude::*;

use super::describe::{Kind, describe, kind};
use crate::{
    protocol::Seq,
    ui::{
        browser,
        session_view::LogRow,
        widgets::{Glyph, Icon},
        words::words,
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    All,
    Only(Kind),
    Errors,
}

#[derive(Clone, Copy)]
pub struct Filter {
    pub chosen: RwSignal<Chosen>,
    pub text: RwSignal<String>,
    /// Nothing after this event is shown until the person goes on.
    pub paused_at: RwSignal<Option<Seq>>,
}

/// What the rows that are shown have in common.
#[derive(Clone, PartialEq)]
pub struct Wanted {
    pub chosen: Chosen,
    /// In small letters; empty where any will do.
    pub text: String,
    pub paused_at: Option<Seq>,
}

impl Wanted {
    /// Words are only made where they are searched.
    pub fn shows(&self, row: &LogRow) -> bool {
        let LogRow::Event(event) = row else { return self.text.is_empty() };
        self.paused_at.is_none_or(|last| event.seq <= last)
            && match self.chosen {
                Chosen::All => true,
                Chosen::Only(only) => kind(&event.body) == only,
                Chosen::Errors => describe(event).tone == "failed",
            }
            && (self.text.is_empty() || browser::lowercase(&describe(event).text).contains(&self.text))
    }

    /// Whether it shows nothing that the other does not show.
    pub fn narrows(&self, other: &Self) -> bool {
        self.chosen == other.chosen && self.paused_at == other.paused_at && self.text.contains(&other.text)
    }
}

impl Filter {
    pub fn new() -> Self {
        Self { chosen: RwSignal::new(Chosen::All), text: RwSignal::new(String::new()), paused_at: RwSignal::new(None) }
    }

    pub fn wanted(&self) -> Wanted {
        let text = browser::lowercase(self.text.get().trim());
        Wanted { chosen: self.chosen.get(), text, paused_at: self.paused_at.get() }
    }
}

#[component]
pub fn Filters(filter: Filter, relative: RwSignal<bool>) -> impl IntoView {
    let w = &words().logs;
    let chips = [
        (Chosen::All, w.all),
        (Chosen::Only(Kind::Tool), w.tools),
        (Chosen::Only(Kind::Upload), w.uploads),
        (Chosen::Only(Kind::Turn), w.turns),
        (Chosen::Only(Kind::Approval), w.approvals),
        (Chosen::Errors, w.errors),
        (Chosen::Only(Kind::Model), w.model),
    ];
    let chip = move |(chosen, label): (Chosen, &'static str)| {
        view! {
            <button type="button" class="chip" aria-pressed=move || (filter.chosen.get() == chosen).to_string() on:click=move |_| filter.chosen.set(chosen)>
                {label}
            </button>
        }
    };
    view! {
        <div class="filters">
            <div class="filter-chips" role="group" aria-label=w.show>{chips.map(chip)}</div>
            <div class="filter-line">
                <input
                    type="search" class="filter-text" aria-label=w.filter placeholder=w.filter
                    prop:value=move || filter.text.get() on:input:target=move |event| filter.text.set(event.target().value())
                />
                <button type="button" class="chip" aria-pressed=move || relative.get().to_string() aria-label=w.relative title=w.relative on:click=move |_| relative.update(|relative| *relative = !*relative)>
                    <Icon glyph=Glyph::Clock/>
                </button>
            </div>
        </div>
    }
}
