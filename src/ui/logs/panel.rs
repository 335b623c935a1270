//! The panel: filter, rows, and how many there are.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};

use super::{
    filter::{Chosen, Filter, Filters, Wanted},
    places::Places,
    row::{LogItem, Shown},
    window::Window,
};
use crate::{
    protocol::{CallId, EventBody, EventPage, Seq},
    ui::{
        browser,
        frame::Frame,
        session_view::{LogRow, SessionView},
        words::words,
    },
};

/// Older events that are read at once, when the reader comes to the beginning.
const OLDER: u64 = 500;
/// Pixels from the beginning at which they are read.
const NEAR_START: f64 = 400.0;
/// Relative times are told anew after this long, in milliseconds.
const TICK_MS: u32 = 20_000;

#[component]
pub fn LogPanel(frame: Frame, view: SessionView) -> impl IntoView {
    let filter = Filter::new();
    let window = Window::new();
    let follows = RwSignal::new(true);
    let shown =
        Shown { frame, view, relative: RwSignal::new(false), now: RwSignal::new(0), marked: RwSignal::new(None) };
    let places = Memo::new_owning(move |before| {
        view.events.with(|rows| Places::follow(before, filter.wanted(), rows, Wanted::shows))
    });
    let drawn = move || {
        let part = places.with(|places| {
            let (from, to) = window.part(places.shown.len());
            places.shown[from..to].to_vec()
        });
        view.events.with(|rows| part.into_iter().filter_map(|place| rows.get(place).cloned()).collect::<Vec<_>>())
    };
    Effect::new(move |_| {
        let count = places.with(count);
        window.make_room(count);
    });
    Effect::new(move |_| {
        browser::on_resize(window.space, move || {
            if follows.try_get_untracked() == Some(true) {
                browser::scroll_to_end(window.scroller);
            }
        });
    });
    keep_time(shown);
    jump_to_rows(view, filter, window, follows, places, shown);
    let loading = StoredValue::new(false);
    let seen = StoredValue::new((0.0, 0.0));
    let on_scroll = move |_| {
        window.look();
        let (top, height) = browser::scroll_place(window.scroller);
        let before = seen.try_update_value(|seen| std::mem::replace(seen, (top, height)));
        if browser::is_near_end(window.scroller) {
            follows.set(true);
        } else if before.is_some_and(|before| top < before.0 && height == before.1) {
            // Rows that come move the end away; only a person moves the top up.
            follows.set(false);
        }
        if browser::scroll_place(window.scroller).0 < NEAR_START && !loading.get_value() {
            loading.set_value(true);
            spawn_local(async move {
                let before = places.with_untracked(count);
                read_older(view).await;
                let added = places.try_with_untracked(count).unwrap_or_default().saturating_sub(before);
                if added > 0 {
                    window.shift(added);
                }
                loading.try_set_value(false);
            });
        }
    };
    let w = &words().logs;
    let empty = move || {
        let none = places.with(count) == 0;
        let any = view.events.with(|rows| !rows.is_empty());
        none.then(|| view! { <p class="empty">{if any { w.none_match } else { w.nothing_yet_text }}</p> })
    };
    view! {
        <section class="logs" id="logs" aria-label=w.logs>
            <Filters filter relative=shown.relative/>
            <div class="log-rows" node_ref=window.scroller tabindex="0" role="log" aria-live="off" aria-label=w.events on:scroll=on_scroll>
                {empty}
                <div node_ref=window.space>
                    <ol><For each=drawn key=LogRow::key let:row><LogItem row shown/></For></ol>
                </div>
            </div>
            <Foot view filter/>
        </section>
    }
}

fn count(places: &Places) -> usize {
    places.shown.len()
}

#[component]
fn Foot(view: SessionView, filter: Filter) -> impl IntoView {
    let w = &words().logs;
    let head = move || view.session.with(|session| session.head_seq);
    let saved = move || if head() == 0 { w.nothing_yet.to_owned() } else { w.saved.of(head()) };
    let pause = move |_| filter.paused_at.update(|paused| *paused = paused.is_none().then(|| untrack(head)));
    let label = move || match filter.paused_at.get() {
        None => w.pause.to_owned(),
        Some(last) => [w.go_on, ", ", &w.new_rows.of(head().saturating_sub(last))].concat(),
    };
    let download = view.path("/logs?download=true");
    view! {
        <footer class="logs-foot">
            <span>{saved}</span>
            <span class="spacer"></span>
            <button type="button" class="link-button" aria-pressed=move || filter.paused_at.get().is_some().to_string() on:click=pause>{label}</button>
            <a href=download rel="external" download="">{w.download}</a>
        </footer>
    }
}

/// Tells relative times anew while they are shown.
fn keep_time(shown: Shown) {
    Effect::new(move |_| {
        if !shown.relative.get() {
            return;
        }
        spawn_local(async move {
            while shown.relative.try_get_untracked() == Some(true) {
                shown.now.try_set((browser::now_ms() / 60_000.0) as i64);
                browser::sleep(TICK_MS).await;
            }
        });
    });
}

/// Shows the row of a step that somebody asked for in the conversation.
fn jump_to_rows(
    view: SessionView,
    filter: Filter,
    window: Window,
    follows: RwSignal<bool>,
    places: Memo<Places>,
    shown: Shown,
) {
    Effect::new(move |_| {
        let Some(call) = view.log_of.get() else { return };
        view.log_of.set(None);
        filter.chosen.set(Chosen::All);
        filter.text.set(String::new());
        filter.paused_at.set(None);
        let found = view.events.with_untracked(|rows| {
            let tells = |row: &LogRow| match row {
                LogRow::Event(event) if call_of(&event.body) == Some(&call) => Some(event.seq),
                LogRow::Event(_) | LogRow::Reconnected { .. } => None,
            };
            rows.iter().enumerate().rev().find_map(|(place, row)| Some((place, tells(row)?)))
        });
        if let Some((place, seq)) = found {
            follows.set(false);
            shown.marked.set(Some(seq));
            let row = places.with_untracked(|places| places.shown.partition_point(|shown| *shown < place));
            window.scroll_to(row);
        }
    });
}

fn call_of(body: &EventBody) -> Option<&CallId> {
    if let EventBody::ToolCallStarted { tool_call_id, .. } | EventBody::ToolCallCompleted { tool_call_id, .. } = body {
        return Some(tool_call_id);
    }
    None
}

/// Reads events before the first that is there, if there are any.
async fn read_older(view: SessionView) {
    let first = view.events.with_untracked(|rows| rows.iter().find_map(seq_of)).unwrap_or_default();
    if first <= 1 {
        return;
    }
    let cursor = (first - 1).saturating_sub(OLDER);
    let limit = first - 1 - cursor;
    let path = view.path(&["/logs?limit=", &limit.to_string(), "&cursor=", &cursor.to_string()].concat());
    let Ok(page) = browser::get::<EventPage>(&path).await else { return };
    let older = page.events.into_iter().filter(|event| event.seq < first).map(|event| LogRow::Event(Arc::new(event)));
    view.events.try_update(|rows| drop(rows.splice(0..0, older.collect::<Vec<_>>())));
}

fn seq_of(row: &LogRow) -> Option<Seq> {
    if let LogRow::Event(event) = row { Some(event.seq) } else { None }
}
