//! The panel: filter, rows, and how many there are.

use std::sync::Arc;

use leptos::{html, prelude::*};

use super::describe::{Kind, describe};
use crate::{
    protocol::Event,
    ui::{
        browser,
        session_view::{LogRow, SessionView},
        widgets::{Clock, Icon},
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Filter {
    All,
    Only(Kind),
}

impl Filter {
    const CHIPS: [(Self, &'static str); 5] = [
        (Self::All, "All"),
        (Self::Only(Kind::Tool), "Tools"),
        (Self::Only(Kind::Turn), "Turns"),
        (Self::Only(Kind::Model), "Model"),
        (Self::Only(Kind::Session), "Session"),
    ];

    /// Model calls are many and mean little to most, so they show when asked for.
    fn shows(self, row: &LogRow) -> bool {
        match (self, row) {
            (_, LogRow::Reconnected { .. }) => true,
            (Self::All, LogRow::Event(event)) => describe(&event.body).kind != Kind::Model,
            (Self::Only(kind), LogRow::Event(event)) => describe(&event.body).kind == kind,
        }
    }
}

#[component]
pub fn LogPanel(view: SessionView) -> impl IntoView {
    let filter = RwSignal::new(Filter::All);
    let scroller = NodeRef::<html::Div>::new();
    let follows = RwSignal::new(true);
    let rows =
        move || view.events.with(|rows| rows.iter().filter(|row| filter.get().shows(row)).cloned().collect::<Vec<_>>());
    Effect::new(move |_| {
        view.events.track();
        filter.track();
        if follows.get_untracked() {
            browser::scroll_to_end(scroller);
        }
    });
    let saved = move || match view.session.with(|session| session.head_seq) {
        0 => "Nothing has happened yet".to_owned(),
        1 => "1 event, saved".to_owned(),
        count => format!("{count} events, all saved"),
    };
    let download =
        format!("/cowork/sessions/{}/logs?limit=1000", view.session.with_untracked(|session| session.id.to_string()));
    view! {
        <aside class="logs" id="logs" aria-label="Logs">
            <h2 class="logs-title">"Logs"</h2>
            <div class="filters" role="group" aria-label="Show">{Filter::CHIPS.map(|(chip, label)| view! { <FilterChip filter chip label/> })}</div>
            <div class="log-rows" node_ref=scroller tabindex="0" role="log" aria-live="off" aria-label="Events" on:scroll=move |_| follows.set(browser::is_near_end(scroller))>
                <ol><For each=rows key=LogRow::key let:row><LogItem row/></For></ol>
            </div>
            <footer class="logs-foot"><span>{saved}</span><a href=download rel="external" target="_blank">"Show as JSON"</a></footer>
        </aside>
    }
}

#[component]
fn FilterChip(filter: RwSignal<Filter>, chip: Filter, label: &'static str) -> impl IntoView {
    let pressed = move || (filter.get() == chip).to_string();
    view! { <button type="button" class="chip" aria-pressed=pressed on:click=move |_| filter.set(chip)>{label}</button> }
}

#[component]
fn LogItem(row: LogRow) -> impl IntoView {
    match row {
        LogRow::Reconnected { recovered, .. } => {
            let text = match recovered {
                0 => "reconnected, nothing was missed".to_owned(),
                1 => "reconnected, 1 event recovered".to_owned(),
                count => format!("reconnected, {count} events recovered"),
            };
            view! { <li class="log-divider">{text}</li> }.into_any()
        }
        LogRow::Event(event) => view! { <EventItem event/> }.into_any(),
    }
}

#[component]
fn EventItem(event: Arc<Event>) -> impl IntoView {
    let line = describe(&event.body);
    let actor = format!("#{} by {}", event.seq, event.actor.name);
    view! {
        <li class="log-row" data-tone=line.tone data-type=event.body.event_type() data-seq=event.seq.to_string() title=actor>
            <Clock at=event.created_at.clone()/>
            <Icon glyph=line.glyph/>
            <span class="log-text">{line.text}</span>
            <span class="log-figure">{line.figure.unwrap_or_else(|| format!("#{}", event.seq))}</span>
        </li>
    }
}
