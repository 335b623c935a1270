//! One row of the logs.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};

use super::describe::{describe, place};
use crate::{
    protocol::{Event, Seq},
    ui::{
        browser,
        frame::Frame,
        session_view::{LogRow, SessionView},
        widgets::{Clock, Glyph, Icon, ago, minutes},
        words::{fill, words},
    },
};

/// How all rows are shown.
#[derive(Clone, Copy)]
pub struct Shown {
    pub frame: Frame,
    pub view: SessionView,
    pub relative: RwSignal<bool>,
    /// Minutes since 1970, while times are relative.
    pub now: RwSignal<i64>,
    /// The row that somebody jumped to.
    pub marked: RwSignal<Option<Seq>>,
}

#[component]
pub fn LogItem(row: LogRow, shown: Shown) -> impl IntoView {
    match row {
        LogRow::Reconnected { recovered, .. } => {
            let w = &words().logs;
            let text = if recovered == 0 { w.nothing_missed.to_owned() } else { w.recovered.of(recovered) };
            view! { <li class="log-divider">{text}</li> }.into_any()
        }
        LogRow::Event(event) => view! { <EventItem event shown/> }.into_any(),
    }
}

#[component]
fn EventItem(event: Arc<Event>, shown: Shown) -> impl IntoView {
    let w = &words().logs;
    let line = describe(&event);
    let seq = event.seq;
    let number = ["#", &seq.to_string()].concat();
    let actor = fill(w.by, &[&seq.to_string(), &event.actor.name]);
    let at = event.created_at.clone();
    let time = move || {
        if !shown.relative.get() {
            return view! { <Clock at=at.clone()/> }.into_any();
        }
        let told = minutes(&at).map(|then| ago(then, shown.now.get())).unwrap_or_default();
        view! { <time datetime=at.clone() title=at.clone()>{told}</time> }.into_any()
    };
    let text = match place(&event.body) {
        Some(place) => {
            let title = [w.to_step, ", ", &actor].concat();
            view! { <a class="log-text" href=["#", &place].concat() title=title on:click=move |_| shown.frame.show_chat()>{line.text}</a> }.into_any()
        }
        None => view! { <span class="log-text" title=actor>{line.text}</span> }.into_any(),
    };
    view! {
        <li
            class="log-row" data-tone=line.tone data-type=event.body.event_type() data-seq=seq.to_string()
            data-marked=move || (shown.marked.get() == Some(seq)).then_some("")
        >
            {time}
            <Icon glyph=line.glyph/>
            {text}
            <span class="log-figure">{line.figure.unwrap_or(number)}</span>
            <button type="button" class="log-copy" aria-label=w.copy_json title=w.copy_json on:click=move |_| copy(shown.view, seq)><Icon glyph=Glyph::Copy/></button>
        </li>
    }
}

/// The row as the server has it; the page keeps less.
fn copy(view: SessionView, seq: Seq) {
    let path = view.path(&["/logs?limit=1&cursor=", &(seq - 1).to_string()].concat());
    spawn_local(async move {
        let found = browser::ask("GET", &path, None).await;
        found.ok().and_then(|answer| browser::first_event(&answer)).into_iter().for_each(|event| browser::copy(&event));
    });
}
