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

impl Filter {
    pub fn new() -> Self {
        Self { chosen: RwSignal::new(Chosen::All), text: RwSignal::new(String::new()), paused_at: RwSignal::new(None) }
    }

    /// Places of the rows that are shown. Words are only made where they are searched.
    pub fn places(&self, rows: &[LogRow]) -> Vec<usize> {
        let text = browser::lowercase(&self.text.get());
        let (chosen, paused_at) = (self.chosen.get(), self.paused_at.get());
        let shows = |row: &LogRow| {
            let LogRow::Event(event) = row else { return text.trim().is_empty() };
            paused_at.is_none_or(|last| event.seq <= last)
                && match chosen {
                    Chosen::All => true,
                    Chosen::Only(only) => kind(&event.body) == only,
                    Chosen::Errors => describe(event).tone == "failed",
                }
                && (text.is_empty() || browser::lowercase(&describe(event).text).contains(&text))
        };
        rows.iter().enumerate().filter(|(_, row)| shows(row)).map(|(place, _)| place).collect()
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
